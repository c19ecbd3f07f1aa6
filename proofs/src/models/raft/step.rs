//! One step of the world: a node acts, the network takes its messages, budgets are charged, and the whole is judged.

use super::RaftModel;
use super::actions::{Deed, RaftAction};
use super::crashes;
use super::dead;
use super::intern::{Done, Shared};
use super::judge::Judged;
use super::local::Told;
use super::network::Network;
use super::state::{RaftState, Spent};
use quorate_core::raft::Timer;
use quorate_spec::ids::NodeId;
use std::sync::Arc;

impl RaftModel {
    /// The state after an action; `None` if it changes nothing.
    pub(super) fn take(&self, before: &RaftState, action: RaftAction) -> Option<RaftState> {
        if before.violation.is_some() {
            return None;
        }
        let RaftAction { node, deed, waits } = action;
        let deed = match deed {
            Deed::Deliver(envelope) => Deed::Deliver(before.network.copy_of(&envelope)?),
            other => other,
        };
        let place = usize::try_from(node.get()).ok()?.checked_sub(1)?;
        let mut spent = before.spent;
        spent.crashes += u8::from(deed.is_crash());
        let actor = before.nodes.get(place)?;
        let done = self.done(actor, &deed, !waits);
        if waits && crashes::is_needless(&self.scope, actor, &done) {
            return None;
        }
        self.fired.count(&done.told.labels);
        charge(&mut spent, &deed, &done);
        if self.scope.campaigns < u8::MAX && matches!(deed, Deed::Campaign | Deed::Fire(Timer::Election)) {
            spent.campaigns += 1;
        }
        if !done.changed && spent == before.spent && !self.sends_news(before, &done) && done.told.ready.is_empty() {
            return None;
        }
        let mut nodes = before.nodes.clone();
        nodes[place] = Arc::clone(&done.after);
        let network = self.deliver(before, &nodes, &done, spent);
        let judged = self.judge(before, &nodes, place, &done, deed.is_crash(), spent);
        Some(self.assemble(nodes, network, judged, spent))
    }

    pub(super) fn done(&self, node: &Arc<Shared>, deed: &Deed, at_once: bool) -> Arc<Done> {
        let lost = |message: &_| self.scope.loses(message);
        self.tables.done(node, deed, at_once, &self.manner, &self.renamings, lost)
    }

    /// What a node does in a step. For whoever wants to know what a step was, not only where it leads.
    pub fn told(&self, before: &RaftState, action: &RaftAction) -> Told {
        self.done(&before.nodes[place_of(action.node)], &action.deed, !action.waits).told.clone()
    }

    fn sends_news(&self, before: &RaftState, done: &Done) -> bool {
        let dead = |envelope: &_| {
            self.scope.reductions.dead_messages
                && dead::is_dead(&self.scope, envelope, &before.nodes, &before.network, before.spent)
        };
        done.sends.iter().any(|envelope| !before.network.contains(envelope) && !dead(envelope))
    }

    /// The network with what was sent, and without what can never matter again.
    fn deliver(&self, before: &RaftState, nodes: &[Arc<Shared>], done: &Done, spent: Spent) -> Arc<Network> {
        let mut network = Arc::clone(&before.network);
        if done.sends.iter().any(|envelope| !network.contains(envelope)) {
            let network = Arc::make_mut(&mut network);
            for envelope in &done.sends {
                network.insert(envelope, self.renamings.of_envelope(envelope));
            }
        }
        if !self.scope.reductions.dead_messages {
            return network;
        }
        let dead = |network: &Network| -> Vec<_> {
            let is_dead = |envelope: &&Arc<_>| dead::is_dead(&self.scope, envelope, nodes, network, spent);
            network.iter().filter(is_dead).cloned().collect()
        };
        let dead = dead(&network);
        if !dead.is_empty() {
            let network = Arc::make_mut(&mut network);
            for envelope in &dead {
                network.remove(envelope, self.renamings.of_envelope(envelope));
            }
        }
        network
    }

    /// A state of its parts.
    pub(super) fn assemble(
        &self,
        nodes: Vec<Arc<Shared>>,
        network: Arc<Network>,
        judged: Judged,
        spent: Spent,
    ) -> RaftState {
        let Judged { ghost, violation } = judged;
        let key = self.renamings.key(&nodes, &network, &ghost, spent, violation.is_some());
        let mut state = RaftState { nodes, network, ghost, spent, violation, key };
        if state.violation.is_none()
            && self.scope.tries_progress(state.key)
            && let Some(violation) = self.stuck(&state)
        {
            state.key = !state.key;
            state.violation = Some(violation);
        }
        state
    }
}

fn charge(spent: &mut Spent, deed: &Deed, done: &Done) {
    match deed {
        Deed::Propose(_) => spent.entries += u8::from(done.told.proposed),
        Deed::Read => spent.reads += u8::from(done.told.read.is_some()),
        Deed::Transfer(_) => spent.transfers += 1,
        Deed::Fire(Timer::Heartbeat) => spent.beats += 1,
        Deed::Snapshot => spent.snapshots += u8::from(done.changed),
        Deed::Deliver(_)
        | Deed::Fire(_)
        | Deed::Campaign
        | Deed::Learn(_)
        | Deed::Sync(_)
        | Deed::Crash(_)
        | Deed::FileWritten => {}
    }
}

/// Where a node stands among the nodes.
pub(super) fn place_of(node: NodeId) -> usize {
    node.get() as usize - 1
}
