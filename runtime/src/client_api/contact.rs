//! Contact with nodes: answers that come, connections that open and close, and what is asked of one node directly.

use super::Error;
use super::connection::{Failure, Welcome};
use super::driver::{Alarm, Driver, Waiter};
use quorate_core::bytes::Bytes;
use quorate_core::client::{Endpoint, Input};
use quorate_core::controller::{Directory, NodeInfo};
use quorate_core::message::{Peer, Reply, Request};
use quorate_core::status::NodeStatus;
use quorate_spec::ids::{NodeId, Ticket};
use std::sync::Arc;
use tokio::sync::oneshot;

/// Tickets from here on are the task's own; the machine counts from 1.
pub(super) const OWN_TICKETS: u64 = 1 << 63;

/// Who hears of a node's state.
pub(super) type StatusAnswer = oneshot::Sender<Result<Arc<NodeStatus>, Error>>;

/// A question for a node's state.
pub(super) struct StatusCall {
    endpoint: Endpoint,
    answer: StatusAnswer,
}

impl Driver {
    pub(super) fn ask_status(&mut self, address: &str, answer: StatusAnswer) {
        self.last_own += 1;
        let (ticket, endpoint) = (self.last_own, Bytes::from(address));
        self.timers.arm(Alarm::Status(ticket), self.now + self.options.deadline);
        self.statuses.insert(ticket, StatusCall { endpoint: endpoint.clone(), answer });
        self.send(endpoint, ticket, Request::Status);
    }

    pub(super) fn received(&mut self, from: &Endpoint, ticket: u64, reply: Reply) {
        if !self.connections.contains_key(from) {
            return;
        }
        if ticket < OWN_TICKETS {
            let directory = match &reply {
                Reply::Map { directory, .. } => directory.clone(),
                _ => None,
            };
            if directory.as_deref().is_some_and(|directory| self.is_foreign(directory)) {
                return self.closed(from.clone(), false, Failure::other_cluster());
            }
            self.step(Input::Received { from: from.clone(), ticket: Ticket::new(ticket), reply });
            if directory.is_some() {
                self.part_with_others();
            }
            return;
        }
        let Some(call) = self.statuses.remove(&ticket) else {
            return;
        };
        self.timers.disarm(&Alarm::Status(ticket));
        let result = match reply {
            Reply::Status(status) => Ok(status),
            Reply::Refused(refusal) => Err(refusal.into()),
            _ => Err(Error::Refused { message: "the node answered something else: is its version this one?".into() }),
        };
        drop(call.answer.send(result));
    }

    /// The first node that is reached settles which cluster this is: an address may be reused by another.
    pub(super) fn opened(&mut self, endpoint: Endpoint, welcome: Welcome) {
        let Welcome { cluster, from } = welcome;
        self.failures.remove(&endpoint);
        self.options.cluster.get_or_insert(cluster);
        self.answering.insert(endpoint, from);
        self.part_with_others();
    }

    /// Whether a directory is another cluster's, though it may bear the same name: an id never gets another stamp.
    fn is_foreign(&self, directory: &Directory) -> bool {
        let (_, known) = self.machine.map();
        let other = |(node, info): (&NodeId, &NodeInfo)| known.nodes.get(node).is_some_and(|it| it.stamp != info.stamp);
        directory.nodes.iter().any(other)
    }

    /// Closes the connections to nodes that are not the directories that the cluster's own know by their ids. A client
    /// that was given addresses of two clusters talks to one of them only: a session of one means nothing in the other.
    pub(super) fn part_with_others(&mut self) {
        let (_, known) = self.machine.map();
        let other = |peer: &Peer| known.nodes.get(&peer.node).is_some_and(|info| info.stamp != peer.stamp);
        let others = self.answering.iter().filter(|(_, peer)| other(peer)).map(|(endpoint, _)| endpoint.clone());
        for endpoint in others.collect::<Vec<_>>() {
            self.closed(endpoint, false, Failure::other_cluster());
        }
    }

    pub(super) fn closed(&mut self, endpoint: Endpoint, unsent: bool, failure: Failure) {
        tracing::debug!(endpoint = ?endpoint, what = failure.what, unsent, "connection lost");
        self.connections.remove(&endpoint);
        self.answering.remove(&endpoint);
        let lost: Vec<u64> =
            self.statuses.iter().filter(|(_, it)| it.endpoint == endpoint).map(|(it, _)| *it).collect();
        for ticket in lost {
            self.fail_status(ticket, failure.clone());
        }
        self.failures.insert(endpoint.clone(), failure);
        self.step(if unsent { Input::Unreachable { endpoint } } else { Input::Disconnected { endpoint } });
        self.check_first_contact();
    }

    pub(super) fn fail_status(&mut self, ticket: u64, failure: Failure) {
        let Some(call) = self.statuses.remove(&ticket) else {
            return;
        };
        self.timers.disarm(&Alarm::Status(ticket));
        let address = String::from_utf8_lossy(&call.endpoint).into_owned();
        let error = if failure.refused {
            Error::OtherCluster { message: format!("{address}: {}", failure.what) }
        } else {
            Error::Unreachable { tried: vec![(address, failure.what)] }
        };
        drop(call.answer.send(Err(error)));
    }

    /// Before the first contact, a failure of every seed is the answer to whoever connects.
    pub(super) fn check_first_contact(&mut self) {
        let seeds = self.options.seeds.iter().map(|seed| Bytes::from(seed.as_str()));
        let Some(call) = self.connecting else { return };
        if seeds.into_iter().all(|seed| self.failures.contains_key(&seed)) {
            self.connecting = None;
            if let Some(Waiter::Connect(answer)) = self.waiters.remove(&call) {
                drop(answer.send(Err(self.unreached())));
            }
        }
    }

    /// Why no seed could be reached.
    pub(super) fn unreached(&self) -> Error {
        let of = |seed: &String| self.failures.get(seed.as_bytes()).cloned();
        let tried = self.options.seeds.iter().map(|seed| (seed, of(seed).unwrap_or(Failure::new("no answer"))));
        if let Some((seed, failure)) = tried.clone().find(|(_, failure)| failure.refused) {
            return Error::OtherCluster { message: format!("{seed}: {}", failure.what) };
        }
        Error::Unreachable { tried: tried.map(|(seed, failure)| (seed.clone(), failure.what)).collect() }
    }
}
