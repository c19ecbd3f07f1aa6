//! When a snapshot may go: once the log's mark of a newer one, or the group's tombstone, is durable.

use quorate_core::effect::Write;
use quorate_core::raft::{self, LogPosition};
use quorate_spec::ids::{GroupId, WriteId};
use std::collections::VecDeque;

/// Snapshots that nothing needs any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// The group's snapshots below this one.
    Older {
        /// The group.
        group: GroupId,
        /// The one that stays.
        keep: LogPosition,
    },
    /// All of the group's: its replica was destroyed.
    All {
        /// The group.
        group: GroupId,
    },
}

/// Remembers what waits for which write. Notes every write that is submitted; is told every write that is durable.
#[derive(Clone, Debug, Default)]
pub struct Retention {
    waiting: VecDeque<(WriteId, Release)>,
}

impl Retention {
    /// A write goes to the log.
    pub fn note(&mut self, id: WriteId, write: &Write) {
        let release = match write {
            Write::Controller(write) => marked(write).map(|keep| Release::Older { group: GroupId::CONTROLLER, keep }),
            Write::Data { group, write } => marked(write).map(|keep| Release::Older { group: *group, keep }),
            Write::Tombstone { group } => Some(Release::All { group: *group }),
            Write::CreateController { .. } | Write::CreateData { .. } | Write::Pin { .. } => None,
        };
        self.waiting.extend(release.map(|release| (id, release)));
    }

    /// All writes up to this one are durable: these may go now.
    pub fn synced(&mut self, id: WriteId) -> Vec<Release> {
        let count = self.waiting.partition_point(|(write, _)| *write <= id);
        self.waiting.drain(..count).map(|(_, release)| release).collect()
    }
}

fn marked<P>(write: &raft::Write<P>) -> Option<LogPosition> {
    match write {
        raft::Write::Mark(mark) | raft::Write::Install(mark) => Some(mark.last),
        raft::Write::HardState(_)
        | raft::Write::Truncate { .. }
        | raft::Write::Append { .. }
        | raft::Write::Purge { .. } => None,
    }
}
