//! Whether the replicas of a group made the same of the same log: after the same entry, the same state.

use super::state::Process;
use quorate_core::digest::digest_of;
use quorate_spec::Violation;
use quorate_spec::ids::{GroupId, LogIndex, NodeId};
use quorate_spec::invariants::state_machine_safety;
use std::collections::BTreeMap;

/// So many indexes are remembered of a group: replicas that are further behind are brought up by a snapshot.
const REMEMBERED: usize = 64;

/// The digest of a group's state by the last entry applied in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Agreement(BTreeMap<LogIndex, u64>);

impl Agreement {
    /// Compares with the replicas that have applied as much, and remembers.
    pub(super) fn judge(
        &mut self,
        group: GroupId,
        node: NodeId,
        applied: LogIndex,
        digest: u64,
    ) -> Result<(), Violation> {
        let known = *self.0.entry(applied).or_insert(digest);
        if self.0.len() > REMEMBERED {
            self.0.pop_first();
        }
        if known == digest {
            return Ok(());
        }
        let evidence = format!("{node} and another replica of {group} differ, with the log applied up to {applied}");
        Err(Violation::new(state_machine_safety::NAME, evidence))
    }
}

/// Up to where a replica has applied its log.
pub(super) fn applied_index(process: &Process, group: GroupId) -> Option<LogIndex> {
    if group == GroupId::CONTROLLER {
        return process.node.controller().map(|group| group.applied());
    }
    process.node.groups().find(|other| other.id() == group).map(|group| group.applied())
}

/// The same, with a digest of the state.
pub(super) fn applied(process: &Process, group: GroupId) -> Option<(LogIndex, u64)> {
    if group == GroupId::CONTROLLER {
        return process.node.controller().map(|group| (group.applied(), digest_of(group.machine())));
    }
    let replica = process.node.groups().find(|other| other.id() == group)?;
    Some((replica.applied(), digest_of(replica.machine())))
}
