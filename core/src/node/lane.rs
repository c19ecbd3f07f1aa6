//! One durable lane for all groups of a node: numbers every write, and tells each replica when *its* writes are durable.
//!
//! A replica counts its own writes; the disk knows only one order. This is the translation, and nothing else.

use alloc::collections::{BTreeMap, VecDeque};
use quorate_spec::ids::{GroupId, WriteId};

/// The writes of a node that are not yet durable.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Lane {
    issued: WriteId,
    synced: WriteId,
    pending: VecDeque<(WriteId, GroupId, WriteId)>,
}

impl Lane {
    /// Numbers a write of the node itself.
    pub(super) fn issue(&mut self) -> WriteId {
        self.issued = self.issued.next();
        self.issued
    }

    /// Numbers a write that `group` calls `own`.
    pub(super) fn issue_for(&mut self, group: GroupId, own: WriteId) -> WriteId {
        let write = self.issue();
        self.pending.push_back((write, group, own));
        write
    }

    /// Everything up to `write` is durable: the last own write of each group concerned, by group.
    pub(super) fn synced(&mut self, write: WriteId) -> BTreeMap<GroupId, WriteId> {
        assert!(write <= self.issued, "only writes that were issued become durable");
        self.synced = self.synced.max(write);
        let mut last = BTreeMap::new();
        while let Some((_, group, own)) = self.pending.pop_front_if(|(pending, _, _)| *pending <= write) {
            last.insert(group, own);
        }
        last
    }

    /// Whether everything up to `write` is durable.
    pub(super) fn is_synced(&self, write: WriteId) -> bool {
        write <= self.synced
    }
}
