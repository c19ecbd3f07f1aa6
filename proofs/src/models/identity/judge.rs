//! What every step is judged by.

use super::IdentityModel;
use super::state::{IdentityState, Process};
use quorate_core::message::Peer;
use quorate_spec::Violation;
use quorate_spec::action::Action;
use quorate_spec::ids::{Boot, GroupId, NodeId};
use quorate_spec::invariants::election_safety;

/// A controller member begins only when every other one has its stamp on disk.
pub(super) const PINNED: &str = "PinnedBeforeBegin";
/// Who has heard of a later boot of a directory takes nothing from an older one.
pub(super) const OLDER: &str = "OlderBootRefused";
/// A replica that was destroyed is never created again.
pub(super) const RECREATED: &str = "NeverRecreated";

fn keep(state: &mut IdentityState, verdict: Result<(), Violation>) {
    if let (Err(violation), None) = (verdict, &state.violation) {
        state.violation = Some(violation);
    }
}

impl IdentityModel {
    /// The whole, after a step.
    pub(super) fn judge(&self, before: &IdentityState, state: &mut IdentityState) {
        let leads = |process: &&Process| process.node.controller().is_some_and(|group| group.replica().is_leader());
        let views: Vec<_> = (state.processes.iter().map(AsRef::as_ref).filter(leads))
            .filter_map(|process| process.node.controller().map(|group| group.replica().view()))
            .collect();
        let verdict = election_safety::observe(&mut state.leaders, &views);
        keep(state, verdict);
        if !self.scope.disks {
            return;
        }
        let begins = |place: usize, process: &Process| {
            let began = before.processes.get(place).is_some_and(|was| was.node.controller().is_some());
            process.node.controller().is_some() && !began
        };
        let begun = state.processes.iter().enumerate().find(|(place, process)| begins(*place, process));
        if let Some((_, process)) = begun {
            let verdict = pinned_by_all(state, process, self.scope.members);
            keep(state, verdict);
        }
    }

    /// Replicas of a process that ended and exist. Called before its state is that of the world.
    pub(super) fn judge_replicas(&self, state: &mut IdentityState, process: &mut Process, actions: &[Action]) {
        for action in actions {
            if let Action::DestroyReplica { group } = action {
                process.ended.insert(*group);
            }
        }
        process.ended.extend(process.disk.tombstones.iter().copied());
        let hosted = |group: &GroupId| process.node.groups().any(|hosted| hosted.id() == *group);
        if let Some(group) = process.ended.iter().find(|group| hosted(group)) {
            let node = process.node.me().node;
            let evidence = format!("{node} has a replica of {group} again, which it had destroyed");
            keep(state, Err(Violation::new(RECREATED, evidence)));
        }
    }

    /// A process took a message in.
    pub(super) fn took_message(&self, state: &mut IdentityState, place: u8, from: Peer) {
        let hearer = state.at(place).node.me().node;
        let key = (place, from.node, from.stamp);
        let latest = state.heard.get(&key).copied().unwrap_or(Boot::ZERO);
        if from.boot < latest && self.scope.disks {
            let evidence =
                format!("{hearer} took a message of boot {} of {} after one of boot {latest}", from.boot, from.node);
            keep(state, Err(Violation::new(OLDER, evidence)));
        }
        if self.scope.copies > 0 {
            state.heard.insert(key, latest.max(from.boot));
        }
    }
}

/// Whether every other member has the stamp of a process that begins on its disk.
fn pinned_by_all(state: &IdentityState, process: &Process, members: u64) -> Result<(), Violation> {
    let me = process.node.me();
    for other in (1..=members).map(NodeId::new).filter(|node| *node != me.node) {
        let pinned = |it: &Process| it.disk.peers.get(&me.node).is_some_and(|info| info.stamp == me.stamp);
        if !state.processes.iter().any(|it| it.node.me().node == other && pinned(it)) {
            let evidence = format!("the controller begins on {} and no disk of {other} has its stamp", me.node);
            return Err(Violation::new(PINNED, evidence));
        }
    }
    Ok(())
}
