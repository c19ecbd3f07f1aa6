//! What the driver needs of the disk: a lane for writes, a background for snapshots. Neither may block.

use quorate_core::controller;
use quorate_core::effect::{SnapshotWork, Write};
use quorate_core::raft::{self, LogPosition};
use quorate_spec::ids::{GroupId, WriteId};
use std::collections::VecDeque;

/// The disk as the driver sees it. What becomes of the work is reported as events.
pub trait Storage {
    /// Adds writes to the lane, in order.
    fn submit(&mut self, writes: Vec<(WriteId, Write)>);

    /// Has a snapshot written in the background.
    fn write_snapshot(&mut self, work: SnapshotWork);

    /// The write that marks the snapshot `last` is durable: older ones are not needed any more.
    fn remove_snapshots_before(&mut self, group: GroupId, last: LogPosition);

    /// The group's tombstone is durable: none of its snapshots is needed any more.
    fn remove_snapshots(&mut self, group: GroupId);
}

/// Snapshots that became superfluous with a write that is not durable yet.
#[derive(Debug, Default)]
pub(super) struct Superseded(VecDeque<(WriteId, GroupId, Option<LogPosition>)>);

impl Superseded {
    /// Notes which writes make snapshots superfluous.
    pub(super) fn note(&mut self, writes: &[(WriteId, Write)]) {
        for (write, what) in writes {
            let (group, last) = match what {
                Write::Controller(what) => (GroupId::CONTROLLER, marked::<controller::Command>(what)),
                Write::Data { group, write: what } => (*group, marked(what)),
                Write::Tombstone { group } => {
                    self.0.push_back((*write, *group, None));
                    continue;
                }
                Write::CreateController { .. } | Write::CreateData { .. } | Write::Pin { .. } => continue,
            };
            if last.is_some() {
                self.0.push_back((*write, group, last));
            }
        }
    }

    /// All writes up to `write` are durable: has what they made superfluous removed.
    pub(super) fn synced(&mut self, write: WriteId, storage: &mut impl Storage) {
        while let Some((_, group, last)) = self.0.pop_front_if(|(mark, _, _)| *mark <= write) {
            match last {
                Some(last) => storage.remove_snapshots_before(group, last),
                None => storage.remove_snapshots(group),
            }
        }
    }
}

/// The position of the snapshot that a write makes the current one.
fn marked<P>(write: &raft::Write<P>) -> Option<LogPosition> {
    match write {
        raft::Write::Mark(mark) | raft::Write::Install(mark) => Some(mark.last),
        raft::Write::HardState(_)
        | raft::Write::Truncate { .. }
        | raft::Write::Append { .. }
        | raft::Write::Purge { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quorate_core::raft::Mark;
    use quorate_spec::ids::{ConfigNum, Gid, LogIndex, Term};
    use std::collections::BTreeSet;

    #[derive(Default)]
    struct Removals(Vec<(GroupId, Option<LogPosition>)>);

    impl Storage for Removals {
        fn submit(&mut self, _writes: Vec<(WriteId, Write)>) {}

        fn write_snapshot(&mut self, _work: SnapshotWork) {}

        fn remove_snapshots_before(&mut self, group: GroupId, last: LogPosition) {
            self.0.push((group, Some(last)));
        }

        fn remove_snapshots(&mut self, group: GroupId) {
            self.0.push((group, None));
        }
    }

    #[test]
    fn snapshots_go_only_when_the_write_that_replaces_them_is_durable() {
        let last = LogPosition {
            term: Term::new(2),
            index: LogIndex::new(7),
        };
        let mark = Mark {
            last,
            voters: BTreeSet::new(),
        };
        let group = GroupId::new(Gid::new(1), ConfigNum::new(1));
        let id = WriteId::new;
        let mut superseded = Superseded::default();
        superseded.note(&[
            (id(1), Write::Controller(raft::Write::HardState(Default::default()))),
            (id(2), Write::Controller(raft::Write::Mark(mark.clone()))),
            (
                id(3),
                Write::Data {
                    group,
                    write: raft::Write::Install(mark),
                },
            ),
            (id(4), Write::Tombstone { group }),
        ]);
        let mut removals = Removals::default();
        superseded.synced(id(1), &mut removals);
        assert_eq!(removals.0, []);
        superseded.synced(id(3), &mut removals);
        assert_eq!(removals.0, [(GroupId::CONTROLLER, Some(last)), (group, Some(last))]);
        superseded.synced(id(9), &mut removals);
        assert_eq!(removals.0.last(), Some(&(group, None)));
        assert_eq!(removals.0.len(), 3);
    }
}
