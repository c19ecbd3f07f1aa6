//! The model `identity`: whole nodes that begin, lose their directories, are started twice or from old copies, and are told
//! of groups that have retired.
//!
//! What is real: [`Node`](quorate_core::node::Node) with everything in it, and the controller that made the news. What is
//! left out is lost by the network: replication, and whatever else says nothing about who is who. Pre-votes bind nobody
//! and are granted whenever they are wanted.
//!
//! Not promised, so not judged: a directory restored from an old copy is detected only by peers that remember a later boot
//! of it (they forget when they restart themselves).

mod actions;
mod judge;
mod news;
mod read;
mod scopes;
mod state;
mod step;
#[cfg(test)]
mod tests;

pub use actions::IdentityAction;
pub use scopes::{SCOPES, Scope};
pub use state::{Envelope, IdentityState};

use crate::scenario::{Fired, Lane, Scenario, Stroke};
use quorate_spec::Violation;
use quorate_spec::invariants::election_safety;
use stateright::{Model, Path, Property};

/// Identities at one scope.
#[derive(Debug)]
pub struct IdentityModel {
    scope: Scope,
    fired: Fired,
}

impl IdentityModel {
    /// The model at the scope of this name.
    pub fn new(scope: &str) -> Option<Self> {
        scopes::ALL.iter().find(|known| known.name == scope).map(|scope| Self::at(*scope))
    }

    /// The model at a scope.
    pub fn at(scope: Scope) -> Self {
        Self { scope, fired: Fired::default() }
    }
}

crate::models::judged![IdentityModel: election_safety::NAME, judge::PINNED, judge::OLDER, judge::RECREATED];

impl Model for IdentityModel {
    type State = IdentityState;
    type Action = IdentityAction;

    fn init_states(&self) -> Vec<IdentityState> {
        vec![self.begin()]
    }

    fn actions(&self, state: &IdentityState, actions: &mut Vec<IdentityAction>) {
        if state.violation.is_none() {
            self.list(state, actions);
        }
    }

    fn next_state(&self, state: &IdentityState, action: IdentityAction) -> Option<IdentityState> {
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

impl Scenario for IdentityModel {
    fn model(&self) -> &'static str {
        "identity"
    }

    fn scope(&self) -> &'static str {
        self.scope.name
    }

    fn bounds(&self) -> String {
        let Scope { members, crashes, twins, copies, terms, .. } = &self.scope;
        format!(
            "{members} members, terms up to {terms}, crashes: {crashes}, wiped or doubled directories: {twins}, old copies: {copies}"
        )
    }

    fn properties_judged(&self) -> &'static [&'static str] {
        JUDGED
    }

    fn violation<'a>(&self, state: &'a IdentityState) -> Option<&'a Violation> {
        state.violation.as_ref()
    }

    fn must_fire(&self) -> &'static [&'static str] {
        self.scope.must_fire
    }

    fn fired(&self) -> &Fired {
        &self.fired
    }

    fn lanes(&self) -> Vec<Lane> {
        read::lanes()
    }

    fn sentence(&self, before: &IdentityState, action: &IdentityAction) -> String {
        read::sentence(before, action)
    }

    fn changes(&self, before: &IdentityState, after: &IdentityState) -> Vec<String> {
        read::changes(before, after)
    }

    fn strokes(&self, before: &IdentityState, action: &IdentityAction, after: &IdentityState) -> Vec<Stroke> {
        read::strokes(before, action, after)
    }
}
