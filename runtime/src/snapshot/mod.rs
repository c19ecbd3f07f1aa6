//! Snapshots on disk: a group's state at a log position, one file each.
//!
//! A file is a header (whose, which group, which mark), the image's chunks and a trailer with their number and the checksum
//! of all; every part is a checked frame. It is written under a temporary name, synced, renamed, and the directory synced:
//! only then may the log be told. Until the log's mark of it is durable, the older ones stay; what no mark names after a
//! crash is removed.
//!
//! A damaged file is refused with its name; nothing is ever guessed from it.

mod error;
mod read;
mod thread;
mod write;

pub use error::SnapshotError;
pub use thread::{SnapshotEvent, SnapshotThread};

use crate::codec::Identity;
use crate::disk::Disk;
use quorate_core::raft::{LogPosition, Mark};
use quorate_core::spec::ids::{ConfigNum, Gid, GroupId, LogIndex, NodeId, Stamp, Term};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The first frame of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Head {
    cluster: u64,
    node: NodeId,
    stamp: Stamp,
    group: GroupId,
    mark: Mark,
}

/// The last frame of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Trailer {
    chunks: u64,
    bytes: u64,
    crc: u32,
}

/// The end of a name while its file is written.
const UNFINISHED: &str = ".tmp";

/// The file name of a group's snapshot.
pub fn snapshot_name(group: GroupId, last: LogPosition) -> String {
    let (gid, born) = (group.gid.get(), group.born.get());
    format!("snap-{gid}-{born}-{}-{}", last.index.get(), last.term.get())
}

/// What a file name of [`snapshot_name`] stands for.
pub(crate) fn parse_name(name: &str) -> Option<(GroupId, LogPosition)> {
    let mut numbers = name.strip_prefix("snap-")?.split('-').map(str::parse::<u64>);
    let mut next = || numbers.next()?.ok();
    let group = GroupId::new(Gid::new(next()?), ConfigNum::new(next()?));
    let last = LogPosition { index: LogIndex::new(next()?), term: Term::new(next()?) };
    (snapshot_name(group, last) == name).then_some((group, last))
}

/// The snapshots of a node.
#[derive(Clone, Debug)]
pub struct Snapshots<D: Disk> {
    disk: D,
    identity: Identity,
    /// About how long a chunk is, in bytes.
    chunk_bytes: usize,
}

impl<D: Disk> Snapshots<D> {
    /// The snapshots in a directory.
    pub fn new(disk: D, identity: Identity, chunk_bytes: usize) -> Self {
        Self { disk, identity, chunk_bytes }
    }

    /// Removes a group's snapshots below `keep`. Only once the log's mark of `keep` is durable.
    ///
    /// # Errors
    /// The disk fails.
    pub fn remove_older(&self, group: GroupId, keep: LogPosition) -> Result<(), SnapshotError> {
        self.remove(|name| matches!(parse_name(name), Some((of, last)) if of == group && last.index < keep.index))
    }

    /// Removes all snapshots of a group. Only once its tombstone is durable.
    ///
    /// # Errors
    /// The disk fails.
    pub fn remove_group(&self, group: GroupId) -> Result<(), SnapshotError> {
        self.remove(|name| matches!(parse_name(name), Some((of, _)) if of == group))
    }

    /// Removes everything but the snapshots of these positions, unfinished files too: what a crash left over.
    ///
    /// # Errors
    /// The disk fails.
    pub fn keep_only(&self, marks: &BTreeSet<(GroupId, LogPosition)>) -> Result<(), SnapshotError> {
        self.remove(|name| match parse_name(name) {
            Some(mark) => !marks.contains(&mark),
            None => name.strip_suffix(UNFINISHED).and_then(parse_name).is_some(),
        })
    }

    /// The newest snapshot of a group, marked or not: what recovery must not go by.
    pub(crate) fn newest(&self, group: GroupId) -> Option<LogPosition> {
        self.of_group(group).into_iter().max()
    }

    /// The oldest one: what recovery must not go by either.
    pub(crate) fn oldest(&self, group: GroupId) -> Option<LogPosition> {
        self.of_group(group).into_iter().min()
    }

    fn of_group(&self, group: GroupId) -> Vec<LogPosition> {
        let names = self.disk.list().unwrap_or_default();
        names.iter().filter_map(|name| parse_name(name)).filter(|(of, _)| *of == group).map(|(_, last)| last).collect()
    }

    fn remove(&self, gone: impl Fn(&str) -> bool) -> Result<(), SnapshotError> {
        let names = self.disk.list().map_err(SnapshotError::io("the directory"))?;
        let mut any = false;
        for name in names.iter().filter(|name| gone(name)) {
            self.disk.remove(name).map_err(SnapshotError::io(name))?;
            any = true;
        }
        if any { self.disk.sync_dir().map_err(SnapshotError::io("the directory")) } else { Ok(()) }
    }
}
