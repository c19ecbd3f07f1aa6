//! Raft: the deployed replicas of one group, in a world that loses, repeats, delays and reorders messages, where timers
//! fire at any moment, and where a crash keeps any prefix of the writes that were not synced.

mod actions;
mod crashes;
mod dead;
mod intern;
mod judge;
mod local;
mod network;
mod payload;
mod progress;
mod read;
mod record;
mod scopes;
mod start;
mod state;
mod step;
mod symmetry;
mod table;
mod words;

#[cfg(test)]
mod tests;

pub use actions::{Deed, RaftAction};
pub use local::Told;
pub use network::{Envelope, Network};
pub use payload::{Byte, Bytes};
pub use record::{record, record_until_broken};
pub use scopes::{Reductions, Scope};
pub use state::{Ghost, RaftState, Spent};

use crate::log_spec;
use crate::scenario::{Fired, Lane, Scenario, Stroke};
use intern::Tables;
use judge::Judged;
use local::{Local, Manner};
use quorate_spec::Violation;
use quorate_spec::ids::NodeId;
use quorate_spec::invariants;
use stateright::{Model, Path, Property};
use std::collections::BTreeSet;
use std::sync::Arc;
use symmetry::Renamings;

/// The names of the scopes and what each is for.
pub fn scopes() -> impl Iterator<Item = (&'static str, &'static str)> {
    table::ALL.iter().map(|scope| (scope.name, scope.purpose))
}

/// Raft at one scope.
#[derive(Debug)]
pub struct RaftModel {
    scope: Scope,
    voters: BTreeSet<NodeId>,
    manner: Manner,
    renamings: Renamings,
    tables: Tables,
    fired: Fired,
}

impl RaftModel {
    /// The model at the scope of this name.
    pub fn new(scope: &str) -> Option<Self> {
        Scope::named(scope).map(Self::at)
    }

    /// The model at a scope.
    pub fn at(scope: Scope) -> Self {
        Self {
            voters: (1..=scope.nodes).map(NodeId::new).collect(),
            manner: Manner { limits: scope.limits(), hints: scope.hints() },
            renamings: Renamings::of(scope.nodes, scope.reductions.symmetry),
            tables: Tables::new(),
            fired: Fired::default(),
            scope,
        }
    }

    /// Every node with an empty disk.
    fn boot(&self) -> RaftState {
        let genesis = |node: &NodeId| Local::genesis(*node, self.voters.iter().copied(), &self.manner);
        let nodes = self.voters.iter().map(|node| self.tables.node(genesis(node), &self.renamings)).collect();
        let mut ghost = Ghost::default();
        ghost.hashes = self.renamings.hashes(|name| ghost.renamed(name));
        let judged = Judged { ghost: Arc::new(ghost), violation: None };
        self.assemble(nodes, Arc::new(Network::empty(self.renamings.len())), judged, Spent::default())
    }
}

crate::models::judged![RaftModel:
    invariants::election_safety::NAME,
    invariants::leader_append_only::NAME,
    invariants::log_matching::NAME,
    invariants::leader_completeness::NAME,
    invariants::state_machine_safety::NAME,
    invariants::monotonic::NAME,
    invariants::committed_durable::NAME,
    invariants::replica_well_formed::NAME,
    invariants::at_most_once::NAME,
    log_spec::NAME,
    local::LANE,
    progress::NAME,
];

impl Model for RaftModel {
    type State = RaftState;
    type Action = RaftAction;

    fn init_states(&self) -> Vec<RaftState> {
        vec![self.play(self.boot(), self.scope.start)]
    }

    fn actions(&self, state: &RaftState, actions: &mut Vec<RaftAction>) {
        self.list(state, actions);
    }

    fn next_state(&self, state: &RaftState, action: RaftAction) -> Option<RaftState> {
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

impl Scenario for RaftModel {
    fn model(&self) -> &'static str {
        "raft"
    }

    fn scope(&self) -> &'static str {
        self.scope.name
    }

    fn bounds(&self) -> String {
        let Scope { nodes, terms, campaigns, entries, crashes, snapshots, reads, transfers, beats, .. } = &self.scope;
        let mut text = format!("{nodes} nodes, terms up to {terms}");
        let counted = [
            (if *campaigns < u8::MAX { *campaigns } else { 0 }, "campaigns"),
            (*entries, "commands"),
            (*crashes, "crashes"),
            (*snapshots, "snapshots"),
            (*reads, "reads"),
            (*transfers, "transfers"),
            (*beats, "heartbeats"),
        ];
        for (count, what) in counted.into_iter().filter(|(count, _)| *count > 0) {
            text += &format!(", {what}: {count}");
        }
        text
    }

    fn properties_judged(&self) -> &'static [&'static str] {
        JUDGED
    }

    fn violation<'a>(&self, state: &'a RaftState) -> Option<&'a Violation> {
        state.violation.as_ref()
    }

    fn must_fire(&self) -> &'static [&'static str] {
        self.scope.must_fire
    }

    fn fired(&self) -> &Fired {
        &self.fired
    }

    fn lanes(&self) -> Vec<Lane> {
        self.voters.iter().map(|node| Lane { name: format!("node {}", node.get()), group: String::new() }).collect()
    }

    fn sentence(&self, before: &RaftState, action: &RaftAction) -> String {
        read::sentence(before, action)
    }

    fn changes(&self, before: &RaftState, after: &RaftState) -> Vec<String> {
        read::changes(before, after)
    }

    fn strokes(&self, before: &RaftState, action: &RaftAction, after: &RaftState) -> Vec<Stroke> {
        read::strokes(before, action, after)
    }
}
