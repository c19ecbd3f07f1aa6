//! A process: a node of the core with the runtime's log and snapshots, on disks of its own. Alive, paused or down.

use super::disk::SimDisk;
use super::random::Random;
use super::shadow::Shadow;
use super::time::Moment;
use quorate::server::retention::Retention;
use quorate::snapshot::Snapshots;
use quorate::wal::{Lane, Spare, WalError, WalEvent};
use quorate_core::bytes::Bytes;
use quorate_core::effect::{Halt, SnapshotWork};
use quorate_core::input::Timer;
use quorate_core::node::Node;
use quorate_core::raft::LogPosition;
use quorate_spec::ids::{Boot, GroupId, NodeId, Stamp, Ticket};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// What survives a process: its data directory.
#[derive(Clone, Debug)]
pub struct Directory {
    /// Drawn when it was made.
    pub stamp: Stamp,
    /// The last opening.
    pub boot: Boot,
    /// The log was opened once: from then on it must be there.
    pub logged: bool,
    /// The log.
    pub wal: SimDisk,
    /// The snapshots.
    pub snapshots: SimDisk,
}

impl Directory {
    /// An empty directory.
    pub fn new(random: &mut Random) -> Self {
        let stamp = Stamp::new(u128::from(random.next()) << 64 | u128::from(random.next()));
        let (wal, snapshots) = (SimDisk::default(), SimDisk::default());
        Self { stamp, boot: Boot::ZERO, logged: false, wal, snapshots }
    }

    /// Whether a crash would lose what was said to be durable.
    pub fn owes(&self) -> bool {
        self.wal.owes() || self.snapshots.owes()
    }

    /// A copy of what is durable in it.
    #[must_use]
    pub fn copy(&self) -> Self {
        Self { wal: self.wal.copy(), snapshots: self.snapshots.copy(), ..self.clone() }
    }
}

/// Why a process is down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Down {
    /// It was not started yet, or was killed.
    Killed,
    /// Its data directory was refused, with these words.
    Refused(String),
    /// Its disk failed while it ran, with these words.
    DiskFailed(String),
    /// Others told it to stop.
    Halted(Halt),
    /// It was there beside those of the setup, for a while.
    Gone,
}

/// A process, up or down.
pub struct Process {
    /// The node that it is.
    pub id: NodeId,
    /// Where it is reached.
    pub address: Bytes,
    /// Its data directory.
    pub directory: Directory,
    /// How fast its clock runs, in thousandths.
    pub clock: u32,
    /// How much longer than usual its disk takes.
    pub disk_factor: u32,
    /// Until when it stands still.
    pub paused_until: Moment,
    /// Why it is down, if it is.
    pub down: Option<Down>,
    pub(super) running: Option<Running>,
    /// It may have lost what it made durable, and the others make up for it.
    pub(super) lossy: bool,
    /// Bits of its disk flipped: it may have lost its last frame.
    pub(super) rotten: bool,
    /// An old copy of its directory.
    pub(super) copy: Option<Box<(Directory, Shadow)>>,
    /// What its disk must hold.
    pub(super) shadow: Shadow,
}

/// A process that is up.
pub(super) struct Running {
    /// No two lives in a world have the same number.
    pub(super) life: u64,
    pub(super) node: Node,
    pub(super) lane: Lane<SimDisk>,
    /// What the lane reports when its job is over.
    pub(super) committing: Option<WalEvent>,
    /// The segment that is being prepared.
    pub(super) preparing: Option<Result<Spare<SimDisk>, WalError>>,
    pub(super) looking: bool,
    pub(super) snapshots: Snapshots<SimDisk>,
    pub(super) waiting: VecDeque<SnapshotWork>,
    /// The snapshot that is being written.
    pub(super) writing: Option<(GroupId, LogPosition)>,
    pub(super) retention: Retention,
    pub(super) timers: BTreeMap<Timer, Armed>,
    pub(super) tickets: BTreeMap<Ticket, Asker>,
    pub(super) last_ticket: Ticket,
    /// Where it believes that nodes are.
    pub(super) addresses: BTreeMap<NodeId, Bytes>,
    pub(super) pins: BTreeMap<NodeId, Stamp>,
}

/// Who waits for an answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asker {
    pub(super) client: usize,
    pub(super) connection: u64,
    /// What the client calls it.
    pub(super) ticket: u64,
}

/// When a timer is due. Arming anew is the common case: then the event that is under way stays, and moves when it comes up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Armed {
    pub(super) due: Option<Moment>,
    pub(super) queued: Option<Moment>,
}

impl Process {
    /// A process that was not started yet.
    pub(super) fn new(id: NodeId, address: Bytes, directory: Directory) -> Self {
        Self {
            id,
            address,
            directory,
            clock: 1000,
            disk_factor: 1,
            paused_until: Duration::ZERO,
            down: Some(Down::Killed),
            running: None,
            lossy: false,
            rotten: false,
            copy: None,
            shadow: Shadow::default(),
        }
    }

    /// The node, if the process is up.
    pub fn node(&self) -> Option<&Node> {
        self.running.as_ref().map(|running| &running.node)
    }

    /// Whether it is up (it may be paused).
    pub fn is_up(&self) -> bool {
        self.running.is_some()
    }

    /// The life that it lives.
    pub(super) fn life(&self) -> Option<u64> {
        self.running.as_ref().map(|running| running.life)
    }
}
