//! Everything that can go wrong, under one name each, and what a correct node does then.
//!
//! | fault of a disk | a correct node | told apart? |
//! |---|---|---|
//! | a crash keeps, loses or tears any part of what was not synced | starts, cuts the torn end, has all that it promised | yes |
//! | a crash loses unsynced names | the same | yes |
//! | a read fails | does not start, says why; starts when reads work again | yes |
//! | a write or a sync fails | ends at once, says nothing more; starts again on what is there | yes |
//! | no space | refuses writes, serves reads, goes on when there is space | yes |
//! | slow | is slow | yes |
//! | rot, a lost or a misdirected write, an intact frame of the log behind it | does not start, says which segment | yes |
//! | a write that went into another segment | the same of both, if they are needed | yes |
//! | the same in the very last frame of the log | starts without it, as after a tear | no |
//! | syncs of the log that lie, then a power cut | starts without what was lost, or, when a hole shows, does not start | in part |
//! | rot, a lost or a misdirected write in a snapshot that is needed | does not start, says which file | yes |
//! | syncs of snapshots that lie, then a power cut | does not start, says which file is missing or damaged | yes |
//! | any of these in a snapshot that no mark names yet, or any more | removes the file: the log has it all | no need |
//! | the directory is gone (wiped) | starts as a stranger; the others refuse it and it stops | yes |
//! | an old copy of the directory is put back | stops if anybody remembers a later boot; otherwise it is what a disk that lied is | in part |
//! | two processes with one identity | the one that others know longer or later goes on, the other is told and stops | in part |
//!
//! Of two processes with one identity the one with the earlier boot stops as soon as it reaches a peer that knows the later.
//! Until then it is a voter like any other, and so is what was sent to the one and is read by the other: a vote, say, given
//! to the second and sent to the address of the first. Nobody can tell that; do not start a copy of a data directory. No
//! protocol mends it: of three voters the first and one other are a majority, and so are the second and the third, and no
//! honest voter is in both.
//!
//! A snapshot is thus never lost without a word, and its faults are injected whoever holds what.
//!
//! Where the last column says no, promises can be broken, and nothing that a node finds on its disk tells it so: the
//! guarantee ends there. The simulator injects such a loss only while everybody else holds everything that may be lost
//! ([survivable]); unless it is told to be reckless, and then the judges must notice.

mod hits;
mod identities;
mod inject;
mod mend;
#[cfg(test)]
mod overlaps;
pub mod partial;
pub mod survivable;

pub(super) use hits::Awaited;
pub(super) use mend::Mend;

/// The property that of two processes with one identity one stops.
pub const IDENTITY: &str = "OneProcessPerIdentity";

use std::time::Duration;

/// Which of a node's disks: they are directories of one, and fail apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The write-ahead log.
    Wal,
    /// The snapshots.
    Snapshots,
}

/// A fault. Processes are meant by their numbers; each fault that lasts ends by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A process is killed and started again.
    Crash { process: usize, down: Duration },
    /// The power of a machine fails: of what was not synced so many thousandths are kept.
    PowerCut { process: usize, kept: u32, down: Duration },
    /// The power of all machines fails.
    Blackout { kept: u32, down: Duration },
    /// A process stands still.
    Pause { process: usize, time: Duration },
    /// Some processes do not reach the others, nor the others them.
    Partition { side: Vec<usize>, time: Duration },
    /// Pairs of processes do not reach each other, although others reach both.
    PartialPartition { pairs: Vec<(usize, usize)>, time: Duration },
    /// Clients (the first number) and some processes do not reach each other.
    ClientPartition { cut: Vec<(usize, usize)>, time: Duration },
    /// Nothing gets from one process to another.
    OneWay { from: usize, to: usize, time: Duration },
    /// A process reaches nobody, clients neither.
    Isolation { process: usize, time: Duration },
    /// One direction of a link is slow.
    SlowLink { from: usize, to: usize, by: Duration, time: Duration },
    /// The whole network loses, delays and doubles.
    Unreliable { time: Duration },
    /// Two thirds of all frames come late, one after the other overtaken.
    Reordering { time: Duration },
    /// A third of all frames comes twice.
    DoubledFrames { time: Duration },
    /// Some frames are damaged.
    DamagedFrames { time: Duration },
    /// Syncs do nothing; then the power fails, if that can be survived, or the disk makes up for it.
    LyingSyncs { process: usize, part: Part, time: Duration },
    /// A write never reaches the disk; after a while the process is killed.
    LostWrite { process: usize, part: Part, time: Duration },
    /// A write reaches the disk elsewhere, in the same file or in another; after a while the process is killed.
    MisdirectedWrite { process: usize, part: Part, astray: bool, time: Duration },
    /// Bits flip while the process is down.
    Rot { process: usize, part: Part, bits: usize },
    /// A read fails when the process starts.
    ReadError { process: usize, part: Part },
    /// A write fails.
    WriteError { process: usize, part: Part },
    /// A sync fails.
    SyncError { process: usize, part: Part },
    /// No space.
    FullDisk { process: usize, time: Duration },
    /// A disk takes so many times as long.
    SlowDisk { process: usize, factor: u32, time: Duration },
    /// A clock jumps ahead.
    ClockJump { process: usize, by: Duration },
    /// A clock runs at so many thousandths of its pace.
    ClockDrift { process: usize, pace: u32, time: Duration },
    /// A process finds its directory empty; later the directory is put back.
    Wiped { process: usize, time: Duration },
    /// A process finds an old copy of its directory.
    OldCopy { process: usize, age: Duration },
    /// Another process starts under the same id, with a directory of its own.
    Stranger { process: usize, time: Duration },
    /// Another process starts on a copy of the directory, while the first one stands still.
    Twin { process: usize, time: Duration },
    /// A group joins.
    Join { gid: u64, servers: Vec<usize> },
    /// A group leaves.
    Leave { gid: u64 },
    /// A shard is given to a group.
    Move { shard: u64, gid: u64 },
    /// The leader of a group is asked to hand over to one of its voters.
    Transfer { group: usize, to: usize },
    /// All sessions end.
    ExpiredSessions,
}

/// Every class of faults, in the order of reports.
pub const CLASSES: [&str; 34] = [
    "crash",
    "power-cut",
    "blackout",
    "pause",
    "partition",
    "partial-partition",
    "client-partition",
    "one-way-partition",
    "isolation",
    "slow-link",
    "unreliable-network",
    "long-reordering",
    "doubled-frames",
    "damaged-frames",
    "lying-syncs",
    "lost-write",
    "misdirected-write",
    "bit-rot",
    "read-error",
    "write-error",
    "sync-error",
    "full-disk",
    "slow-disk",
    "clock-jump",
    "clock-drift",
    "wiped-directory",
    "old-copy",
    "stranger",
    "twin",
    "join",
    "leave",
    "move",
    "leadership-transfer",
    "expired-sessions",
];

/// What happens to single frames, sectors, names and values: by itself, or because of a fault. It is counted where it
/// happens, and apart from faults.
pub const APART: [&str; 11] = [
    "lost-frame",
    "blocked-frame",
    "doubled-frame",
    "late-frame",
    "corrupt-frame",
    "cut-frame",
    "oversized-frame",
    "torn-sector",
    "lost-sector",
    "lost-name",
    "huge-value",
];

impl Fault {
    /// Its class, one of [`CLASSES`].
    pub fn class(&self) -> &'static str {
        match self {
            Self::Crash { .. } => "crash",
            Self::PowerCut { .. } => "power-cut",
            Self::Blackout { .. } => "blackout",
            Self::Pause { .. } => "pause",
            Self::Partition { .. } => "partition",
            Self::PartialPartition { .. } => "partial-partition",
            Self::ClientPartition { .. } => "client-partition",
            Self::OneWay { .. } => "one-way-partition",
            Self::Isolation { .. } => "isolation",
            Self::SlowLink { .. } => "slow-link",
            Self::Unreliable { .. } => "unreliable-network",
            Self::Reordering { .. } => "long-reordering",
            Self::DoubledFrames { .. } => "doubled-frames",
            Self::DamagedFrames { .. } => "damaged-frames",
            Self::LyingSyncs { .. } => "lying-syncs",
            Self::LostWrite { .. } => "lost-write",
            Self::MisdirectedWrite { .. } => "misdirected-write",
            Self::Rot { .. } => "bit-rot",
            Self::ReadError { .. } => "read-error",
            Self::WriteError { .. } => "write-error",
            Self::SyncError { .. } => "sync-error",
            Self::FullDisk { .. } => "full-disk",
            Self::SlowDisk { .. } => "slow-disk",
            Self::ClockJump { .. } => "clock-jump",
            Self::ClockDrift { .. } => "clock-drift",
            Self::Wiped { .. } => "wiped-directory",
            Self::OldCopy { .. } => "old-copy",
            Self::Stranger { .. } => "stranger",
            Self::Twin { .. } => "twin",
            Self::Join { .. } => "join",
            Self::Leave { .. } => "leave",
            Self::Move { .. } => "move",
            Self::Transfer { .. } => "leadership-transfer",
            Self::ExpiredSessions => "expired-sessions",
        }
    }
}

#[cfg(test)]
mod tests;
