//! The stack: whole nodes, the controller, data groups that come and go, and clients, all of them the deployed machines,
//! over a network that loses, repeats and reorders and disks that lose what was not synced.
//!
//! Far too large to visit: it is walked at random, many walks of some thousand steps, each from its own seed. Anything may
//! fail at any step; at the end of a walk, and now and then before, nothing does any more, and a fair schedule must get
//! everything done.

mod actions;
mod agreement;
mod fair;
mod ghost;
pub(super) mod read;
mod scopes;
mod script;
mod state;
mod step;

pub use actions::Event;
pub use scopes::SCOPES;
pub use state::State;

use crate::scenario::{Fired, Lane, Scenario, Stroke};
use quorate_core::digest::digest_of;
use quorate_spec::Violation;
use quorate_spec::invariants;
use scopes::Scope;
use stateright::{Model, Path, Property};
use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use step::{Tallies, World};

/// The model.
#[derive(Debug)]
pub struct StackModel {
    scope: Scope,
    fired: Fired,
    tallies: Tallies,
    /// Where walks begin, once one did.
    start: OnceLock<State>,
}

impl StackModel {
    /// The model at a scope.
    pub fn new(scope: &str) -> Option<Self> {
        let scope = *scopes::ALL.iter().find(|known| known.name == scope)?;
        Some(Self { scope, fired: Fired::default(), tallies: Tallies::default(), start: OnceLock::new() })
    }

    fn world(&self) -> World<'_> {
        World { scope: self.scope, fired: &self.fired, tallies: &self.tallies }
    }

    /// The steps that lead to the start are none of a walk's: they are not counted.
    fn start(&self) -> &State {
        let (fired, tallies) = (&Fired::default(), &Tallies::default());
        self.start.get_or_init(|| World { scope: self.scope, fired, tallies }.start())
    }
}

crate::models::judged![StackModel:
    invariants::election_safety::NAME,
    invariants::leader_append_only::NAME,
    invariants::leader_completeness::NAME,
    invariants::log_matching::NAME,
    invariants::state_machine_safety::NAME,
    invariants::monotonic::NAME,
    invariants::committed_durable::NAME,
    invariants::replica_well_formed::NAME,
    invariants::one_owner::NAME,
    invariants::no_shard_lost::NAME,
    invariants::session_order::NAME,
    invariants::configuration_well_formed::NAME,
    invariants::at_most_once::NAME,
    ghost::LINEARIZABLE,
    ghost::PROGRESS,
];

impl Model for StackModel {
    type State = State;
    type Action = Event;

    fn init_states(&self) -> Vec<State> {
        vec![self.start().clone()]
    }

    fn actions(&self, state: &State, events: &mut Vec<Event>) {
        actions::events(&self.scope, state, events);
    }

    fn next_state(&self, last: &State, event: Event) -> Option<State> {
        let mut state = last.clone();
        state.steps += 1;
        self.world().apply(&mut state, &event)?;
        if state.steps == self.scope.steps {
            self.tallies.digest.fetch_xor(digest_of(&state), Ordering::Relaxed);
        }
        Some(state)
    }

    fn format_action(&self, event: &Event) -> String {
        format!("{event:?}")
    }

    fn format_step(&self, last: &State, event: Event) -> Option<String> {
        crate::trace::outcome_of(self, last, event)
    }

    fn as_svg(&self, path: Path<State, Event>) -> Option<String> {
        crate::trace::drawing_of(self, path)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties()
    }
}

impl Scenario for StackModel {
    fn model(&self) -> &'static str {
        "stack"
    }

    fn scope(&self) -> &'static str {
        self.scope.name
    }

    fn bounds(&self) -> String {
        let Scope { clients, keys, shards, steps, .. } = &self.scope;
        format!(
            "{} nodes, {clients} users, {keys} keys, {shards} shards; walks of {steps} steps, then a fair schedule",
            script::NODES
        )
    }

    fn properties_judged(&self) -> &'static [&'static str] {
        JUDGED
    }

    fn violation<'a>(&self, state: &'a State) -> Option<&'a Violation> {
        state.violation.as_ref()
    }

    fn must_fire(&self) -> &'static [&'static str] {
        self.scope.must_fire
    }

    fn walks(&self) -> Option<Range<u64>> {
        Some(0..self.scope.walks)
    }

    fn fired(&self) -> &Fired {
        &self.fired
    }

    fn weight(&self, _: &State, event: &Event) -> u32 {
        event.weight(&self.scope)
    }

    fn tallies(&self) -> Vec<(&'static str, u64)> {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        vec![
            ("crashes", count(&self.tallies.crashes)),
            ("expiries", count(&self.tallies.expiries)),
            ("answered", count(&self.tallies.answered)),
            ("unknown", count(&self.tallies.unknown)),
            ("digest", count(&self.tallies.digest)),
        ]
    }

    fn lanes(&self) -> Vec<Lane> {
        read::lanes(&self.scope)
    }

    fn sentence(&self, before: &State, event: &Event) -> String {
        read::sentence(before, event)
    }

    fn changes(&self, before: &State, after: &State) -> Vec<String> {
        read::changes(before, after)
    }

    fn strokes(&self, before: &State, event: &Event, after: &State) -> Vec<Stroke> {
        read::strokes(before, event, after)
    }
}

#[cfg(test)]
mod tests;
