//! A run as the specification sees it: one [`Event`] for each step of a replica that `Raft.tla` has, with the action's
//! name and the state after it.
//!
//! Models and running nodes make the same events; `TraceRaft.tla` says whether they are a behaviour of `Raft.tla`. What is
//! absent: messages. What a step rests on is for the module to find.

use crate::action::Action;
use crate::ids::{GroupId, LogIndex, NodeId};
use crate::views::{DurableView, Role};
use alloc::vec::Vec;

/// One step of one replica.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Event {
    /// Orders the events of all nodes of a group: a step that saw what another one sent comes later.
    pub at: u64,
    /// The group.
    pub group: GroupId,
    /// The node.
    pub node: NodeId,
    /// What was done; nothing if the state changed without a word.
    pub action: Option<Action>,
    /// The replica after it. Of several steps taken at once, the last one tells.
    pub after: Option<After>,
    /// What the disk holds, when it was heard to hold more, and at a start.
    pub disk: Option<DurableView>,
}

/// What the specification knows of a replica.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct After {
    /// What a disk that has everything would hold.
    pub memory: DurableView,
    /// The role.
    pub role: Role,
    /// The commit index.
    pub commit: LogIndex,
}

/// Whether `Raft.tla` has a step for this action, so that it may change the state.
const fn is_step(action: &Action) -> bool {
    matches!(
        action,
        Action::StartPreVote { .. }
            | Action::StartElection { .. }
            | Action::HandleRequestVote { granted: true, .. }
            | Action::StepDown { .. }
            | Action::BecomeLeader { .. }
            | Action::Propose { .. }
            | Action::HandleAppend { .. }
            | Action::SyncWrites { .. }
            | Action::AdvanceCommit { .. }
            | Action::HandleHeartbeat { .. }
            | Action::RequestRead { .. }
            | Action::ConfirmRead { .. }
            | Action::CompactLog { .. }
            | Action::HandleSnapshotChunk { .. }
            | Action::InstallSnapshot { .. }
            | Action::Restart { .. }
    )
}

/// The events of what a replica did at once: `labels` led from `before` (nothing, at its start) to `after`, with `disk` then.
pub fn events(
    group: GroupId,
    labels: impl IntoIterator<Item = Action>,
    before: Option<&After>,
    after: &After,
    disk: &DurableView,
) -> Vec<Event> {
    let node = after.memory.node;
    let mut actions: Vec<Option<Action>> = labels.into_iter().filter(is_step).map(Some).collect();
    let snapshot = |state: &After| state.memory.snapshot;
    // For the specification a log is compacted when a snapshot of it is durable, whatever of it is kept for others.
    let installed = actions.iter().any(|action| matches!(action, Some(Action::InstallSnapshot { .. })));
    actions.retain(|action| !matches!(action, Some(Action::CompactLog { .. })));
    if before.is_some_and(|before| snapshot(before) < snapshot(after)) && !installed {
        actions.push(Some(Action::CompactLog { index: snapshot(after) }));
    }
    if actions.is_empty() && before.map(seen) != Some(seen(after)) {
        actions.push(None);
    }
    let speaks = |action: &Option<Action>| matches!(action, Some(Action::SyncWrites { .. } | Action::Restart { .. }));
    let last = actions.len().saturating_sub(1);
    let told = actions.into_iter().enumerate().map(|(place, action)| Event {
        at: 0,
        group,
        node,
        after: (place == last).then(|| after.clone()),
        disk: speaks(&action).then(|| disk.clone()),
        action,
    });
    told.collect()
}

/// A replica as the specification sees it: without what is kept of its log below the snapshot.
fn seen(state: &After) -> After {
    let mut state = state.clone();
    let (snapshot, log) = (state.memory.snapshot, &mut state.memory.log);
    let kept = log.entries.len().min(snapshot.since(log.base_index) as usize);
    log.base_term = kept.checked_sub(1).map_or(log.base_term, |last| log.entries[last].term);
    log.base_index = log.base_index.plus(kept as u64);
    log.entries.drain(..kept);
    state
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{LogIndex, NodeId, Term};
    use crate::views::{EntryView, LogView};
    use alloc::vec;

    /// A replica with a snapshot up to 2 and four entries, of which so many are gone from its log.
    fn replica(gone: usize, commit: u64) -> After {
        let entry = |digest| EntryView { term: Term::new(1), digest };
        let entries: Vec<EntryView> = [11, 12, 13, 14].map(entry)[gone..].into();
        let base_term = if gone == 0 { Term::ZERO } else { Term::new(1) };
        let log = LogView { base_index: LogIndex::new(gone as u64), base_term, entries };
        let (node, term, snapshot) = (NodeId::new(1), Term::new(1), LogIndex::new(2));
        let memory = DurableView { node, term, voted_for: None, log, snapshot };
        After { memory, role: crate::views::Role::Leader, commit: LogIndex::new(commit) }
    }

    #[test]
    fn only_what_is_kept_below_a_snapshot_goes_without_a_step() {
        let told = |labels: Vec<Action>, before: &After, after: &After| {
            events(GroupId::CONTROLLER, labels, Some(before), after, &after.memory)
        };
        let compacted = || vec![Action::CompactLog { index: LogIndex::new(2) }];
        assert_eq!(told(compacted(), &replica(0, 4), &replica(2, 4)), vec![], "the snapshot was there before");
        assert_eq!(told(vec![], &replica(1, 4), &replica(1, 4)), vec![], "nothing was done");
        for (before, after) in [(replica(0, 3), replica(0, 4)), (replica(0, 4), replica(3, 4))] {
            let events = told(compacted(), &before, &after);
            assert!(matches!(events.as_slice(), [Event { action: None, after: Some(_), .. }]), "{events:?}");
        }
    }
}
