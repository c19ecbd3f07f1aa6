//! The model `shards`: real data groups over abstract logs, under real configurations, while clients write, retry and
//! give up.
//!
//! What is real: [`ShardGroup`], the `Migrator` (in the scopes that drive with it), the controller that made the
//! configurations. What is abstract: Raft, of which only [`LogSpec`](crate::log_spec) is assumed; the network, which is
//! a set that grows; clients, which are requests that arrive anywhere at any time (the client machine has its own
//! model). What judges: the invariants of `quorate_spec`, and an abstract store.

pub mod actions;
pub mod contents;
mod driver;
mod judge;
pub mod names;

mod read;
mod record;
pub mod scopes;
pub mod script;
pub mod state;
mod step;
mod strokes;
#[cfg(test)]
mod tests;

pub use record::{record, record_until_broken};

use crate::scenario::{Fired, Lane, Scenario, Stroke};
use actions::Step;
use quorate_core::shard::ShardGroup;
use quorate_spec::Violation;
use quorate_spec::ids::ConfigNum;
use scopes::{Driver, Scope};
use script::Script;
use state::{Ghost, Group, Offers, State};
use stateright::{Model, Path, Property};
use std::sync::Arc;

/// The scopes by name, each with its purpose.
pub const SCOPES: &[(&str, &str)] = crate::models::named!(scopes::ALL);

/// The model at one scope.
#[derive(Debug)]
pub struct ShardsModel {
    scope: Scope,
    script: Script,
    fired: Fired,
    /// The same model, where fair schedules are tried out: their steps are no steps of the search.
    rehearsal: Option<Box<ShardsModel>>,
}

impl ShardsModel {
    /// The model at the scope of this name.
    pub fn new(scope: &str) -> Option<Self> {
        scopes::ALL.iter().find(|known| known.name == scope).map(|scope| Self::at(*scope))
    }

    /// The model at a scope of one's own.
    pub fn at(scope: Scope) -> Self {
        let script = Script::new(&scope);
        let fired = Fired::default();
        let rehearsal = Self { scope, script: script.clone(), fired: Fired::default(), rehearsal: None };
        Self { scope, script, fired, rehearsal: Some(Box::new(rehearsal)) }
    }

    fn begin(&self) -> State {
        let before = |born: ConfigNum| {
            let place = usize::try_from(born.get()).unwrap_or(usize::MAX).saturating_sub(1);
            Arc::clone(&self.script.configs[place])
        };
        let states: Vec<ShardGroup> =
            self.script.groups.iter().map(|group| ShardGroup::genesis(*group, before(group.born))).collect();
        let mut state = State {
            called: vec![0; self.scope.clients.len()],
            stage: self.stage(&states),
            groups: states.into_iter().map(|truth| Some(Arc::new(Group { truth, writes: 0 }))).collect(),
            offers: Arc::new(Offers::default()),
            ghost: Arc::new(Ghost::default()),
            violation: None,
        };
        for place in 0..state.groups.len() {
            self.drive(&mut state, place, false);
        }
        state
    }
}

crate::models::judged![ShardsModel:
    "OneOwner",
    "NoShardLost",
    "SessionOrder",
    "AtMostOnce",
    "ConfigStep",
    "FrozenImmutable",
    names::LINEARIZABILITY,
    names::PROGRESS,
];

impl Model for ShardsModel {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        vec![self.begin()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Step>) {
        self.offered(state, actions);
    }

    fn next_state(&self, last_state: &State, action: Step) -> Option<State> {
        self.take(last_state, &action)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties()
    }

    fn format_action(&self, action: &Step) -> String {
        read::sentence(action)
    }

    fn format_step(&self, last: &Self::State, action: Self::Action) -> Option<String> {
        crate::trace::outcome_of(self, last, action)
    }

    fn as_svg(&self, path: Path<Self::State, Self::Action>) -> Option<String> {
        crate::trace::drawing_of(self, path)
    }
}

impl Scenario for ShardsModel {
    fn model(&self) -> &'static str {
        "shards"
    }

    fn scope(&self) -> &'static str {
        self.scope.name
    }

    fn bounds(&self) -> String {
        let Scope { shards, history, clients, chunk, driver, .. } = self.scope;
        let calls: usize = clients.iter().map(|calls| calls.len()).sum();
        let driver = match driver {
            Driver::Any => "anybody proposes".into(),
            Driver::Real { ticks, crashes, lag } => {
                let replicas = if lag { 2 } else { 1 };
                format!("real drivers with {ticks} ticks and {crashes} crashes, {replicas} replicas per group")
            }
        };
        let (groups, configs, people) = (self.script.groups.len(), history.len(), clients.len());
        format!(
            "{groups} groups, {shards} shards, {configs} configurations, {people} clients with {calls} requests, parts of {chunk} bytes, {driver}"
        )
    }

    fn properties_judged(&self) -> &'static [&'static str] {
        JUDGED
    }

    fn violation<'a>(&self, state: &'a State) -> Option<&'a Violation> {
        state.violation.as_deref()
    }

    fn must_fire(&self) -> &'static [&'static str] {
        self.scope.must_fire
    }

    fn fired(&self) -> &Fired {
        &self.fired
    }

    fn lanes(&self) -> Vec<Lane> {
        self.lanes_of()
    }

    fn sentence(&self, before: &State, action: &Step) -> String {
        self.sentence_in(before, action)
    }

    fn changes(&self, before: &State, after: &State) -> Vec<String> {
        self.changes_of(before, after)
    }

    fn strokes(&self, before: &State, action: &Step, after: &State) -> Vec<Stroke> {
        self.strokes_of(before, action, after)
    }
}
