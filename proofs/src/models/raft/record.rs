//! Runs of the model as traces for the specification: random walks, each the same for its seed.
//!
//! A walk that takes any step as soon as any other seldom gets anywhere: most of what may happen is an old message that
//! comes again. So what is new goes first, mostly.

use super::RaftModel;
use super::actions::{Deed, RaftAction};
use super::network::Envelope;
use super::scopes::{Reductions, Scope};
use super::state::RaftState;
use crate::verify::Dice;
use quorate_core::raft::{Message, Timer};
use quorate_spec::Violation;
use quorate_spec::ids::{GroupId, NodeId};
use quorate_spec::trace::{Event, events};
use std::sync::Arc;

/// Three nodes, all that a group can do, and nothing reduced: a step of the model is one step of the core.
const RECORDED: Scope = Scope {
    name: "recorded",
    purpose: "runs that are recorded for the specification",
    nodes: 3,
    terms: 6,
    campaigns: u8::MAX,
    entries: 6,
    crashes: 3,
    snapshots: 3,
    reads: 4,
    transfers: 1,
    beats: u8::MAX,
    check_quorum: true,
    pre_votes: true,
    only_elections: false,
    append_bytes: 1 << 20,
    reductions: Reductions::NONE,
    progress: 0,
    start: "",
    must_fire: &[],
};

/// What a seed's walk of so many steps did, as events.
///
/// # Panics
/// The walk broke a property: that is for the model to tell.
pub fn record(seed: u64, steps: usize) -> Vec<Event> {
    let (trace, broken) = record_until_broken(seed, steps);
    assert!(broken.is_none(), "seed {seed}: {broken:?}");
    trace
}

/// The same, up to and with the step that breaks a property.
pub fn record_until_broken(seed: u64, steps: usize) -> (Vec<Event>, Option<Violation>) {
    let model = RaftModel::at(RECORDED);
    let mut dice = Dice::new(seed);
    let mut state = model.boot();
    let mut fresh: Vec<Arc<Envelope>> = Vec::new();
    let mut trace = Vec::new();
    // One node hears little for a while, so that it needs a snapshot afterwards.
    let deaf = NodeId::new(1 + seed % RECORDED.nodes);
    for step in 0..steps {
        let deaf = (steps / 4..steps / 2).contains(&step).then_some(deaf);
        let Some(action) = choose(&model, &state, &fresh, deaf, &mut dice) else { break };
        if let Deed::Deliver(envelope) = &action.deed {
            fresh.retain(|other| !Arc::ptr_eq(other, envelope));
        }
        let Some(after) = model.take(&state, action.clone()) else { continue };
        trace.extend(told(&model, &state, &action, &after));
        fresh.retain(|envelope| after.network.contains(envelope));
        fresh.extend(after.network.iter().filter(|envelope| !state.network.contains(envelope)).cloned());
        state = after;
        if state.violation.is_some() {
            break;
        }
    }
    for (at, event) in (1..).zip(&mut trace) {
        event.at = at;
    }
    (trace, state.violation)
}

fn told(model: &RaftModel, before: &RaftState, action: &RaftAction, after: &RaftState) -> Vec<Event> {
    let place = super::step::place_of(action.node);
    let labels = model.done(&before.nodes[place], &action.deed, false).told.labels.clone();
    let was = (!action.deed.is_crash()).then(|| before.nodes[place].local.replica.told());
    let shared = &after.nodes[place];
    events(GroupId::CONTROLLER, labels, was.as_ref(), &shared.local.replica.told(), &shared.disk)
}

/// How likely a step is beside others.
fn weight(action: &RaftAction, fresh: &[Arc<Envelope>], deaf: Option<NodeId>) -> u64 {
    match &action.deed {
        Deed::Deliver(_) | Deed::Fire(_) if deaf == Some(action.node) => 1,
        Deed::Deliver(envelope) if fresh.iter().any(|other| Arc::ptr_eq(other, envelope)) => {
            // What elects is fast: otherwise all campaign at once and nobody wins.
            if matches!(envelope.message, Message::Election(_)) { 400 } else { 200 }
        }
        Deed::Deliver(_) => 1,
        Deed::Sync(_) => 100,
        Deed::FileWritten | Deed::Propose(_) | Deed::Read | Deed::Snapshot => 40,
        Deed::Fire(Timer::Heartbeat) => 20,
        Deed::Fire(Timer::Election) | Deed::Transfer(_) => 8,
        Deed::Fire(Timer::CheckQuorum) | Deed::Crash(_) => 4,
        Deed::Campaign | Deed::Learn(_) => 0,
    }
}

fn choose(
    model: &RaftModel,
    state: &RaftState,
    fresh: &[Arc<Envelope>],
    deaf: Option<NodeId>,
    dice: &mut Dice,
) -> Option<RaftAction> {
    let mut actions = Vec::new();
    model.list(state, &mut actions);
    let sum: u64 = actions.iter().map(|action| weight(action, fresh, deaf)).sum();
    let mut rest = dice.below(sum.max(1));
    actions.into_iter().find(|action| match rest.checked_sub(weight(action, fresh, deaf)) {
        Some(left) => {
            rest = left;
            false
        }
        None => true,
    })
}
