//! What may happen next.
//!
//! The network is a set that grows, so messages are lost, late, repeated and reordered without a step for it. A disk syncs
//! all that is pending; a crash keeps any prefix. With no crash to come, nothing tells a write that is synced late from a
//! promise that comes late, so then writes are synced at once. A poll is a step only where it says something new.

use super::IdentityModel;
use super::state::{DOUBLED, Envelope, IdentityState, Process};
use quorate_core::input::Timer;
use quorate_core::raft;
use quorate_spec::ids::GroupId;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Something that happens.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum IdentityAction {
    /// A message reaches a process, for the first time or again.
    Deliver {
        /// The process, by its place.
        place: u8,
        /// The message.
        envelope: Arc<Envelope>,
    },
    /// All that a process wrote becomes durable.
    Sync {
        /// The process.
        place: u8,
    },
    /// A process makes itself known again.
    Poll {
        /// The process.
        place: u8,
    },
    /// A member stands for election: its election timer fired, and it was told that it could win.
    Campaign {
        /// The process.
        place: u8,
    },
    /// A process crashes and starts again; the first `kept` of its writes that were not synced are on its disk.
    Crash {
        /// The process.
        place: u8,
        /// How many.
        kept: usize,
    },
    /// A node is started from an empty directory, under the id of one that runs or ran.
    StartTwin,
    /// A node is started from an old copy of its directory.
    StartCopy,
}

/// The election timer of the controller's replica.
pub(super) const ELECTION: Timer = Timer::Raft { group: GroupId::CONTROLLER, timer: raft::Timer::Election };

impl IdentityModel {
    /// Everything that may happen now; some of it changes nothing.
    pub(super) fn list(&self, state: &IdentityState, actions: &mut Vec<IdentityAction>) {
        for (place, process) in state.processes.iter().enumerate().filter(|(_, process)| !process.stopped) {
            self.list_process(state, place as u8, process, actions);
        }
        for envelope in state.network.values() {
            for (place, process) in state.processes.iter().enumerate() {
                if process.node.me().node == envelope.to && !process.stopped {
                    actions.push(IdentityAction::Deliver { place: place as u8, envelope: Arc::clone(envelope) });
                }
            }
        }
        if state.spent.twins < self.scope.twins {
            actions.push(IdentityAction::StartTwin);
        }
        // An old copy is only told from the directory where somebody remembers a later boot of it.
        let known = state.heard.keys().any(|(_, node, _)| node.get() == DOUBLED);
        if state.spent.copies < self.scope.copies && known {
            actions.push(IdentityAction::StartCopy);
        }
    }

    fn list_process(&self, state: &IdentityState, place: u8, process: &Process, actions: &mut Vec<IdentityAction>) {
        if !process.pending.is_empty() {
            actions.push(IdentityAction::Sync { place });
        }
        actions.push(IdentityAction::Poll { place });
        let term = process.node.controller().map(|group| group.replica().term().get());
        let may_stand = state.spent.campaigns < self.scope.campaigns;
        if may_stand && term.is_some_and(|term| term < self.scope.terms) && process.timers.contains(&ELECTION) {
            actions.push(IdentityAction::Campaign { place });
        }
        if state.spent.crashes < self.scope.crashes {
            actions.extend((0..=process.pending.len()).map(|kept| IdentityAction::Crash { place, kept }));
        }
    }
}
