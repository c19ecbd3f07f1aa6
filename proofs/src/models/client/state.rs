//! The world of the model: the client, its timers, what is on its way, the cluster, and what the user was told.

use super::cluster::{Cluster, endpoint};
use super::{ClientModel, scopes};
use quorate_core::client::{Client, Endpoint, Outcome, Timer};
use quorate_core::message::{Reply, Request};
use quorate_spec::Violation;
use quorate_spec::ids::{ClientId, Position, Seq, Ticket};
use std::collections::{BTreeMap, BTreeSet};

/// One state of the world.
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct ClientState {
    /// The real machine.
    pub client: Client,
    /// Its armed timers.
    pub timers: BTreeSet<Timer>,
    /// Requests that may still be executed or answered.
    pub requests: BTreeMap<Ticket, Flight>,
    /// Answers on their way back.
    pub replies: BTreeMap<Ticket, Reply>,
    /// What the servers have done.
    pub cluster: Cluster,
    /// What the user was told, and what really happened.
    pub ghost: Ghost,
    /// What was used up.
    pub spent: Spent,
    /// What went wrong on the way here.
    pub violation: Option<Violation>,
}

/// A request on its way, or in the log of somebody who may yet win.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Flight {
    /// Whom it was sent to.
    pub to: Endpoint,
    /// What it asks.
    pub request: Request,
    /// Whether an answer could still reach the client.
    pub open: bool,
}

/// What has to be remembered to judge.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Ghost {
    /// How many calls the user has made.
    pub called: u8,
    /// The call that each request number was given to.
    pub numbers: BTreeMap<(ClientId, Seq), u8>,
    /// The greatest number given out.
    pub last: Seq,
    /// How often each call took effect.
    pub executions: BTreeMap<u8, u64>,
    /// Where it did.
    pub effects: BTreeMap<u8, Position>,
    /// What each call's reads have found.
    pub reads: BTreeMap<u8, Vec<Reply>>,
    /// How each call ended.
    pub ended: BTreeMap<u8, Outcome>,
}

/// How often each thing happened that a scope bounds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Spent {
    /// Refusals.
    pub refusals: u8,
    /// Time-outs of attempts.
    pub timeouts: u8,
    /// Broken connections.
    pub cuts: u8,
    /// Ends of sessions.
    pub floors: u8,
}

impl ClientModel {
    /// The state in which the search begins.
    pub(super) fn begin(&self) -> ClientState {
        let (client, effects) = Client::new(vec![endpoint(1), endpoint(2)]);
        let mut state = ClientState {
            client,
            timers: BTreeSet::new(),
            requests: BTreeMap::new(),
            replies: BTreeMap::new(),
            cluster: Cluster::new(),
            ghost: Ghost::default(),
            spent: Spent::default(),
            violation: None,
        };
        self.perform(&mut state, effects);
        if self.scope.settled {
            self.settle(&mut state);
        }
        state
    }

    /// The map, and a session that a first call (numbered 0, of a shard that stays) made it ask for.
    fn settle(&self, state: &mut ClientState) {
        self.submit(state, 0, scopes::Call::Append(1));
        while let Some(ticket) = state.requests.keys().next().copied() {
            self.answer_well(state, ticket);
        }
        state.ghost = Ghost { last: state.ghost.last, ..Ghost::default() };
    }
}
