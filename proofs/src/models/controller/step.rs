//! The steps of the controller model.
//!
//! The controller's log is a [`LogSpec`](crate::log_spec): any request that was ever asked for may be its next entry.
//! Every state is reached by replicas that applied the same entries, so one machine stands for all of them; what
//! another replica, or one rebuilt from an image at this very place, would have made of the entry is compared at each
//! step. A step that leaves the machine as it was and answers rightly is no step.

use super::state::{Ghost, State};
use super::{ControllerModel, judge, node_of};
use quorate_core::bytes::Bytes;
use quorate_core::controller::{Change, Command, NodeInfo};
use quorate_spec::ids::{ClientId, Gid, GroupId, NodeId, Seq, ShardId, Stamp};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// A session asks for its next change, and it is committed.
    Ask {
        /// The session.
        client: ClientId,
        /// The change.
        change: Change,
    },
    /// A session asks for its next change, and the request is on its way for long.
    Send {
        /// The session.
        client: ClientId,
        /// The change.
        change: Change,
    },
    /// A request that was asked for before is committed: for the first time, or again.
    Arrive {
        /// The request.
        request: Arc<Command>,
    },
    /// A faulty client uses the number of its last request for another change.
    Misuse {
        /// The session.
        client: ClientId,
        /// The other change.
        change: Change,
    },
    /// Somebody registers a session.
    RegisterClient,
    /// A node registers again.
    RegisterNode {
        /// The node.
        node: NodeId,
        /// Its stamp.
        stamp: Stamp,
    },
    /// A group's leader says that it left and holds nothing.
    Retire {
        /// The group.
        group: GroupId,
    },
}

impl ControllerModel {
    /// Every step that may be taken; some of them change nothing.
    pub(super) fn offered(&self, state: &State, steps: &mut Vec<Step>) {
        if state.violation.is_some() {
            return;
        }
        let left = state.left;
        for client in (1..=self.scope.clients).map(ClientId::new) {
            if left.changes > 0 {
                steps.extend(self.menu.iter().map(|change| Step::Ask { client, change: change.clone() }));
                if left.overtaken > 0 {
                    steps.extend(self.menu.iter().map(|change| Step::Send { client, change: change.clone() }));
                }
            }
            if state.asked.contains_key(&client) {
                steps.extend(self.menu.iter().take(2).map(|change| Step::Misuse { client, change: change.clone() }));
            }
        }
        steps.extend(state.sent.iter().map(|request| Step::Arrive { request: Arc::clone(request) }));
        if left.sessions > 0 {
            steps.push(Step::RegisterClient);
        }
        if left.nodes > 0 {
            let node = node_of(Gid::new(1));
            steps.extend(
                [node.get(), node.get() + 1]
                    .map(|stamp| Step::RegisterNode { node, stamp: Stamp::new(u128::from(stamp)) }),
            );
        }
        if left.retired > 0 {
            steps.extend(state.controller.directory().groups.keys().map(|group| Step::Retire { group: *group }));
        }
    }

    /// The state after a step; `None` if the step changes nothing, or is none of this state's.
    pub(super) fn take(&self, state: &State, step: &Step) -> Option<State> {
        if state.violation.is_some() {
            return None;
        }
        let mut next = state.clone();
        let command = self.command(&mut next, step)?;
        if let (Step::Ask { .. } | Step::Send { .. }, Command::Change { .. }) = (step, &command) {
            next.sent.insert(command.clone());
        }
        if let Step::Send { .. } = step {
            return Some(next);
        }
        let command = Arc::new(command);
        let (answer, action) = next.controller.apply(&command);
        self.fired.count(&action);
        let mut ghost = Ghost::clone(&state.ghost);
        let entry =
            judge::Entry { before: &state.controller, command: &command, answer: &answer, after: &next.controller };
        let verdict = entry.judge(&mut ghost, self.scope.limit);
        if ghost != *state.ghost {
            next.ghost = Arc::new(ghost);
        }
        match verdict {
            Err(violation) => next.violation = Some(Arc::new(violation)),
            Ok(()) if next.controller == state.controller && next.sent == state.sent => return None,
            Ok(()) => {}
        }
        Some(next)
    }

    /// The entry that a step commits, paid for.
    fn command(&self, next: &mut State, step: &Step) -> Option<Command> {
        let spend = |left: &mut u8| left.checked_sub(1).map(|less| *left = less);
        match step {
            Step::Ask { client, change } | Step::Send { client, change } => {
                spend(&mut next.left.changes)?;
                if let Step::Send { .. } = step {
                    spend(&mut next.left.overtaken)?;
                }
                let asked = next.asked.entry(*client).or_insert(0);
                *asked += 1;
                Some(Command::Change { client: *client, seq: Seq::new(*asked), change: change.clone() })
            }
            Step::Arrive { request } => next.sent.contains(request).then(|| Command::clone(request)),
            Step::Misuse { client, change } => {
                let asked = *next.asked.get(client)?;
                let command = Command::Change { client: *client, seq: Seq::new(asked), change: change.clone() };
                // Of a number that was not executed yet, nobody can tell who uses it rightly.
                let used = next.ghost.first.get(&(*client, Seq::new(asked)));
                used.is_some_and(|(first, _)| **first != command).then_some(command)
            }
            Step::RegisterClient => {
                spend(&mut next.left.sessions)?;
                Some(Command::RegisterClient { limit: self.scope.limit })
            }
            Step::RegisterNode { node, stamp } => {
                spend(&mut next.left.nodes)?;
                let info = NodeInfo { address: Bytes::from("moved:1"), stamp: *stamp };
                Some(Command::RegisterNode { node: *node, info })
            }
            Step::Retire { group } => {
                spend(&mut next.left.retired)?;
                Some(Command::Retire { group: *group })
            }
        }
    }
}

/// Every change that a session may ask for.
pub(super) fn menu(shards: u32, gids: u64, pairs: bool) -> Vec<Change> {
    let all: Vec<Gid> = (1..=gids).map(Gid::new).collect();
    let mut sets: Vec<Vec<Gid>> = all.iter().map(|gid| vec![*gid]).collect();
    if pairs {
        for (place, first) in all.iter().enumerate() {
            sets.extend(all.iter().skip(place + 1).map(|second| vec![*first, *second]));
        }
    }
    let joins =
        sets.iter().map(|set| Change::Join { groups: set.iter().map(|gid| (*gid, vec![node_of(*gid)])).collect() });
    let leaves = sets.iter().map(|set| Change::Leave { gids: set.iter().copied().collect() });
    let moves = (0..u64::from(shards)).flat_map(|shard| all.iter().map(move |gid| (ShardId::new(shard), *gid)));
    let moves = moves.map(|(shard, gid)| Change::Move { shard, gid });
    let floor = Change::RaiseFloor { floor: ClientId::new(2) };
    joins.chain(leaves).chain(moves).chain([floor]).collect()
}
