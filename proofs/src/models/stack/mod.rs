//! The stack: whole nodes, the controller, data groups that come and go, and clients, all of them the deployed machines,
//! over a network that loses, repeats and reorders and disks that lose what was not synced.
//!
//! Far too large to visit: it is walked at random, many walks of some thousand steps, each from its own seed. In the first
//! part of a walk everything may fail; in the last, calm part nothing does, and every user must get an answer.

mod actions;
mod ghost;
mod read;
mod script;
mod state;
mod step;

pub use actions::Event;
pub use state::State;

use crate::scenario::{Fired, Lane, Scenario, Stroke};
use quorate_spec::Violation;
use quorate_spec::invariants;
use stateright::{Model, Path, Property};
use step::{Tallies, World};

/// What a scope varies.
#[derive(Clone, Debug)]
struct Scope {
    name: &'static str,
    /// Users besides the operator.
    clients: usize,
    /// Keys.
    keys: usize,
    shards: u32,
    /// Steps in which things fail.
    turmoil: u64,
    /// Steps after that in which nothing does.
    calm: u64,
}

const ALL: [Scope; 2] = [
    Scope { name: "default", clients: 3, keys: 4, shards: 4, turmoil: 15_000, calm: 10_000 },
    Scope { name: "deep", clients: 4, keys: 6, shards: 8, turmoil: 60_000, calm: 15_000 },
];

/// The model.
#[derive(Debug)]
pub struct StackModel {
    scope: Scope,
    fired: Fired,
    tallies: Tallies,
}

impl StackModel {
    /// Its scopes.
    pub const SCOPES: &'static [(&'static str, &'static str)] = &[
        ("default", "nine nodes, three groups that come and go, three users; walks of 25,000 steps"),
        ("deep", "the same with more shards, keys and users; walks of 75,000 steps"),
    ];

    /// The model at a scope.
    pub fn new(scope: &str) -> Option<Self> {
        let scope = ALL.iter().find(|known| known.name == scope)?.clone();
        Some(Self { scope, fired: Fired::default(), tallies: Tallies::default() })
    }

    fn world(&self) -> World<'_> {
        World { scope: &self.scope, fired: &self.fired, tallies: &self.tallies }
    }
}

/// One property per name that a violation may carry.
macro_rules! properties {
    ($($name:expr),* $(,)?) => {
        const NAMES: &[&str] = &[$($name),*];

        fn properties() -> Vec<Property<StackModel>> {
            vec![$(Property::always($name, |_, state: &State| {
                state.violation.as_ref().is_none_or(|violation| violation.property != $name)
            })),*]
        }
    };
}

properties!(
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
);

impl Model for StackModel {
    type State = State;
    type Action = Event;

    fn init_states(&self) -> Vec<State> {
        vec![self.world().begin()]
    }

    fn actions(&self, state: &State, events: &mut Vec<Event>) {
        actions::events(&self.scope, state, events);
    }

    fn next_state(&self, last: &State, event: Event) -> Option<State> {
        self.world().step(last, &event)
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
        let Scope { clients, keys, shards, turmoil, calm, .. } = &self.scope;
        format!(
            "{} nodes, {clients} users, {keys} keys, {shards} shards; walks of {turmoil} steps with faults and {calm} without",
            script::NODES
        )
    }

    fn properties_judged(&self) -> &'static [&'static str] {
        NAMES
    }

    fn violation<'a>(&self, state: &'a State) -> Option<&'a Violation> {
        state.violation.as_ref()
    }

    fn must_fire(&self) -> &'static [&'static str] {
        &[
            "BecomeLeader",
            "StepDown",
            "TransferLeadership",
            "AdvanceCommit",
            "TakeSnapshot",
            "CompactLog",
            "InstallSnapshot",
            "Restart",
            "Join",
            "Leave",
            "Move",
            "RaiseFloor",
            "Retire",
            "Execute",
            "Repeat",
            "Read",
            "AdoptConfiguration",
            "Freeze",
            "StartEmpty",
            "InstallChunk",
            "Install",
            "Collect",
            "CreateReplica",
            "DestroyReplica",
            "Complete",
        ]
    }

    fn fired(&self) -> &Fired {
        &self.fired
    }

    fn weight(&self, _: &State, event: &Event) -> u32 {
        event.weight()
    }

    fn tallies(&self) -> Vec<(&'static str, u64)> {
        let count = |counter: &std::sync::atomic::AtomicU64| counter.load(std::sync::atomic::Ordering::Relaxed);
        vec![
            ("crashes", count(&self.tallies.crashes)),
            ("expiries", count(&self.tallies.expiries)),
            ("answered", count(&self.tallies.answered)),
            ("unknown", count(&self.tallies.unknown)),
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
