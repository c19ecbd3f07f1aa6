//! The model `client`: the deployed client machine against a cluster that may answer anything that a real one could.
//!
//! What is real: [`Client`](quorate_core::client::Client). What is abstract: the cluster, one table of sessions per shard;
//! any member of a group may lead it or believe so, refuse, stay silent, answer late, or lose its leadership with a request
//! in its log that is executed later. What judges: what each of the user's calls did to that table.

mod actions;
mod cluster;
mod judge;
mod progress;
mod read;
mod scopes;
mod state;
mod step;
#[cfg(test)]
mod tests;

pub use actions::{Aim, ClientAction, Reason};
pub use scopes::{SCOPES, Scope};
pub use state::ClientState;

use crate::scenario::{Fired, Lane, Scenario, Stroke};
use cluster::Map;
use quorate_spec::Violation;
use quorate_spec::invariants::at_most_once;
use stateright::{Model, Path, Property};

/// The client at one scope.
#[derive(Debug)]
pub struct ClientModel {
    scope: Scope,
    map: Map,
    fired: Fired,
    /// Where fair schedules are tried out: their steps are no steps of the search.
    unseen: Fired,
}

impl ClientModel {
    /// The model at the scope of this name.
    pub fn new(scope: &str) -> Option<Self> {
        scopes::ALL.iter().find(|known| known.name == scope).map(|scope| Self::at(*scope))
    }

    /// The model at a scope.
    pub fn at(scope: Scope) -> Self {
        Self { scope, map: Map::new(), fired: Fired::default(), unseen: Fired::default() }
    }
}

crate::models::judged![ClientModel:
    at_most_once::NAME,
    judge::ANSWER,
    judge::REFUSED,
    judge::OUTSTANDING,
    judge::NUMBERS,
    progress::NAME,
];

impl Model for ClientModel {
    type State = ClientState;
    type Action = ClientAction;

    fn init_states(&self) -> Vec<ClientState> {
        vec![self.begin()]
    }

    fn actions(&self, state: &ClientState, actions: &mut Vec<ClientAction>) {
        if state.violation.is_none() {
            self.list(state, actions);
        }
    }

    fn next_state(&self, state: &ClientState, action: ClientAction) -> Option<ClientState> {
        self.take(state, action)
    }

    fn format_step(&self, last: &Self::State, action: Self::Action) -> Option<String> {
        crate::trace::outcome_of(self, last, action)
    }

    fn as_svg(&self, path: Path<Self::State, Self::Action>) -> Option<String> {
        crate::trace::drawing_of(self, path)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties()
    }
}

impl Scenario for ClientModel {
    fn model(&self) -> &'static str {
        "client"
    }

    fn scope(&self) -> &'static str {
        self.scope.name
    }

    fn bounds(&self) -> String {
        let Scope { calls, refusals, timeouts, cuts, moves, floors, .. } = &self.scope;
        let mut text = format!("1 client, calls: {}", calls.len());
        let counted = [
            (*refusals, "refusals"),
            (*timeouts, "time-outs"),
            (*cuts, "broken connections"),
            (*moves, "moves of a shard"),
            (*floors, "ends of sessions"),
        ];
        for (count, what) in counted.into_iter().filter(|(count, _)| *count > 0) {
            text += &format!(", {what}: {count}");
        }
        text
    }

    fn properties_judged(&self) -> &'static [&'static str] {
        JUDGED
    }

    fn violation<'a>(&self, state: &'a ClientState) -> Option<&'a Violation> {
        state.violation.as_ref()
    }

    fn must_fire(&self) -> &'static [&'static str] {
        &["SendRequest", "Complete", "GiveUp"]
    }

    fn fired(&self) -> &Fired {
        &self.fired
    }

    fn lanes(&self) -> Vec<Lane> {
        read::lanes()
    }

    fn sentence(&self, before: &ClientState, action: &ClientAction) -> String {
        read::sentence(before, action)
    }

    fn changes(&self, before: &ClientState, after: &ClientState) -> Vec<String> {
        read::changes(before, after)
    }

    fn strokes(&self, before: &ClientState, action: &ClientAction, after: &ClientState) -> Vec<Stroke> {
        read::strokes(before, action, after)
    }
}
