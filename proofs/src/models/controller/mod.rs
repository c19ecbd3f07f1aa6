//! The model `controller`: the real machine of configurations under every sequence of commands up to a depth, late and
//! repeated ones included.
//!
//! What is real: [`Controller`] and everything below it. What is abstract: its log, of which only
//! [`LogSpec`](crate::log_spec) is assumed. Queries are judged at every step: they take none of their own.

mod judge;
pub mod names;
mod read;
pub mod scopes;
pub mod state;
mod step;
#[cfg(test)]
mod tests;

pub use step::Step;

use crate::models::pool::Pool;
use crate::scenario::{Fired, Lane, Scenario, Stroke};
use quorate_core::bytes::Bytes;
use quorate_core::controller::{Change, Command, Controller, NodeInfo};
use quorate_spec::Violation;
use quorate_spec::ids::{Gid, NodeId, Stamp};
use scopes::Scope;
use state::{Budget, Ghost, State};
use stateright::{Model, Path, Property};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The scopes by name, each with its purpose.
pub const SCOPES: &[(&str, &str)] = crate::models::named!(scopes::ALL);

/// The model at one scope.
#[derive(Debug)]
pub struct ControllerModel {
    scope: Scope,
    menu: Vec<Change>,
    fired: Fired,
}

impl ControllerModel {
    /// The model at the scope of this name.
    pub fn new(scope: &str) -> Option<Self> {
        let scope = *scopes::ALL.iter().find(|known| known.name == scope)?;
        let menu = step::menu(scope.shards, scope.gids, scope.pairs);
        Some(Self { scope, menu, fired: Fired::default() })
    }

    /// The controller with its operators' sessions and one registered node per gid.
    fn begin(&self) -> Controller {
        let mut controller = Controller::genesis(self.scope.shards);
        for _ in 0..self.scope.clients {
            controller.apply(&Command::RegisterClient { limit: 100 });
        }
        for node in (1..=self.scope.gids).map(|gid| node_of(Gid::new(gid))) {
            let info = NodeInfo { address: Bytes::from("a:1"), stamp: Stamp::new(u128::from(node.get())) };
            controller.apply(&Command::RegisterNode { node, info });
        }
        controller
    }
}

/// The one server of a group.
fn node_of(gid: Gid) -> NodeId {
    NodeId::new(gid.get() * 10)
}

crate::models::judged![ControllerModel:
    "ConfigurationWellFormed",
    "ConfigurationBalanced",
    names::DETERMINISM,
    names::IMMUTABLE_HISTORY,
    names::FIRST_ANSWER,
    names::CHANGE_AS_ASKED,
    names::SESSION_IDS,
    names::NODE_IDENTITY,
    names::ORIGIN_KEPT,
];

impl Model for ControllerModel {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        let Scope { changes, overtaken, sessions, nodes, retired, .. } = self.scope;
        vec![State {
            controller: self.begin(),
            sent: Pool::default(),
            asked: BTreeMap::new(),
            left: Budget { changes, overtaken, sessions, nodes, retired },
            ghost: Arc::new(Ghost::default()),
            violation: None,
        }]
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

impl Scenario for ControllerModel {
    fn model(&self) -> &'static str {
        "controller"
    }

    fn scope(&self) -> &'static str {
        self.scope.name
    }

    fn bounds(&self) -> String {
        let Scope { shards, gids, clients, changes, overtaken, sessions, limit, nodes, retired, .. } = self.scope;
        let kinds = self.menu.len();
        format!(
            "{shards} shards, {gids} gids, {changes} changes of {kinds} kinds by {clients} operators, {overtaken} overtaken, {sessions} sessions registered (at most {limit} live), {nodes} nodes registered again, {retired} retired"
        )
    }

    fn properties_judged(&self) -> &'static [&'static str] {
        JUDGED
    }

    fn violation<'a>(&self, state: &'a State) -> Option<&'a Violation> {
        state.violation.as_deref()
    }

    fn must_fire(&self) -> &'static [&'static str] {
        self.scope.must_fire()
    }

    fn fired(&self) -> &Fired {
        &self.fired
    }

    fn lanes(&self) -> Vec<Lane> {
        read::lanes(self.scope.clients)
    }

    fn sentence(&self, before: &State, action: &Step) -> String {
        match self.take(before, action) {
            Some(after) => format!("{} — {}", read::sentence(action), read::outcome(before, &after, action)),
            None => format!("{} — nothing changes", read::sentence(action)),
        }
    }

    fn changes(&self, before: &State, after: &State) -> Vec<String> {
        read::changes(before, after)
    }

    fn strokes(&self, before: &State, action: &Step, after: &State) -> Vec<Stroke> {
        read::strokes(self.scope.clients, before, action, after)
    }
}
