//! Directed starts: what happens before a search begins, as a short script.
//!
//! The steps are taken by the model itself, from boot, so a start is reachable by construction. Commands are separated by
//! semicolons: `campaign N`, `propose N`, `read N`, `heartbeat N`, `check N`,
//! `snapshot N`, `file N`, `crash N` (nothing pending survives), `deliver A>B` (all that is on its way, oldest term first,
//! until nothing changes), `lose` (all that is on its way). What is written is synced at once, unless the command
//! ends with `unsynced`.

use super::RaftModel;
use super::actions::{Deed, RaftAction};
use super::network::Network;
use super::state::RaftState;
use super::step::place_of;
use quorate_core::raft::Timer;
use quorate_spec::ids::NodeId;
use std::sync::Arc;

impl RaftModel {
    /// The state that a script leads to.
    ///
    /// # Panics
    /// On a script that does not describe a run: it is part of the scope.
    pub(super) fn play(&self, mut state: RaftState, script: &str) -> RaftState {
        for command in script.split(';').map(str::trim).filter(|command| !command.is_empty()) {
            state = self.play_one(&state, command);
            // A bug may show before the search begins: it is a counterexample without actions.
            if state.violation.is_some() {
                break;
            }
        }
        state
    }

    fn play_one(&self, state: &RaftState, command: &str) -> RaftState {
        let (command, waits) = command.strip_suffix(" unsynced").map_or((command, false), |command| (command, true));
        let (verb, object) = command.split_once(' ').unwrap_or((command, ""));
        if verb == "lose" {
            let mut state = state.clone();
            state.network = Arc::new(Network::empty(self.renamings.len()));
            return self.rekeyed(state);
        }
        if verb == "deliver" {
            return self.play_deliveries(state.clone(), object, waits);
        }
        let node = named(object);
        let wanted = |action: &RaftAction| {
            action.node == node
                && matches!(
                    (&action.deed, verb),
                    (Deed::Campaign | Deed::Fire(Timer::Election), "campaign")
                        | (Deed::Propose(_), "propose")
                        | (Deed::Read, "read")
                        | (Deed::Fire(Timer::Heartbeat), "heartbeat")
                        | (Deed::Fire(Timer::CheckQuorum), "check")
                        | (Deed::Snapshot, "snapshot")
                        | (Deed::FileWritten, "file")
                        | (Deed::Crash(0), "crash")
                )
        };
        let mut actions = Vec::new();
        self.list(state, &mut actions);
        let action = actions.into_iter().find(wanted).unwrap_or_else(|| panic!("`{command}` cannot happen there"));
        let waits = !action.deed.is_crash() && (waits || state.nodes[place_of(node)].local.waits());
        self.take(state, RaftAction { waits, ..action }).unwrap_or_else(|| panic!("`{command}` changes nothing there"))
    }

    fn play_deliveries(&self, mut state: RaftState, ends: &str, waits: bool) -> RaftState {
        let (from, to) = ends.split_once('>').map(|(from, to)| (named(from), named(to))).expect("deliver A>B");
        let between = state.network.iter().filter(|envelope| (envelope.from, envelope.to) == (from, to));
        let mut envelopes: Vec<_> = between.cloned().collect();
        envelopes.sort_by_key(|envelope| envelope.message.term());
        for envelope in envelopes {
            let waits = waits || state.nodes[place_of(to)].local.waits();
            let action = RaftAction { node: to, deed: Deed::Deliver(envelope), waits };
            state = self.take(&state, action).unwrap_or(state);
        }
        state
    }

    /// The same state after its network was changed.
    fn rekeyed(&self, mut state: RaftState) -> RaftState {
        state.key = self.renamings.key(&state.nodes, &state.network, &state.ghost, state.spent, false);
        state
    }
}

fn named(text: &str) -> NodeId {
    NodeId::new(text.trim().parse().expect("a node's number"))
}
