//! What may happen next.
//!
//! # How it is reduced, and why nothing is lost
//!
//! - **A refusal is drawn when it arrives.** It changes nothing at the server, so one that was given long ago and one that
//!   is given now are the same; and any server may refuse for any reason that a real one could have.
//! - **On its way and in a log are one.** A request that was delivered and is in some leader's log, and one that is still
//!   on its way, may both be executed at any later time, or never. A leader that loses its term says so and leaves the
//!   request behind like that (`LeadershipLost`), without an answer to come.
//! - **What cannot matter is taken out**: a request that the client has forgotten and that can have no effect (a read, a
//!   registration, a write of an ended or later session), and an answer to it. An answer that comes twice finds the same
//!   client as one that comes late: every answer is delivered twice, at once.

use super::ClientModel;
use super::cluster::{group, members, node_of};
use super::state::{ClientState, Flight};
use quorate_core::client::{Task, Timer};
use quorate_core::message::{Refusal, Request};
use quorate_spec::ids::{ConfigNum, NodeId, Ticket};
use serde::{Deserialize, Serialize};

/// Something that happens.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ClientAction {
    /// The user makes the next call.
    Call,
    /// A group executes a request; its answer sets out if anybody can still hear it.
    Execute {
        /// The request.
        ticket: Ticket,
    },
    /// An answer arrives, and once more.
    Answer {
        /// To which request.
        ticket: Ticket,
    },
    /// A node tells the map as it knows it.
    TellMap {
        /// To which request.
        ticket: Ticket,
        /// The configuration that it knows; 0 for none.
        config: ConfigNum,
    },
    /// A server refuses a request.
    Refuse {
        /// The request.
        ticket: Ticket,
        /// Why.
        reason: Reason,
    },
    /// A server that took a request in has lost its leadership; the request may still be executed.
    LoseLeadership {
        /// The request.
        ticket: Ticket,
    },
    /// The client has waited long enough for an answer.
    TimeOut {
        /// To which request.
        ticket: Ticket,
    },
    /// A back-off is over.
    Retry {
        /// Whose.
        aim: Aim,
    },
    /// The user waits no longer.
    Deadline {
        /// For which call.
        call: u8,
    },
    /// The connection to a node breaks.
    Cut {
        /// The node.
        node: NodeId,
    },
    /// No connection to a node can be opened: nothing was sent.
    Unreachable {
        /// The node.
        node: NodeId,
    },
    /// Shard 0 moves to the other group.
    Move,
    /// All sessions issued so far end.
    EndSessions,
}

/// For what an attempt is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Aim {
    /// A call.
    Call(u8),
    /// A session.
    Session,
    /// A map.
    Map,
}

/// Why a server refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Reason {
    /// It does not lead, and knows nobody who does.
    NoLeader,
    /// It does not lead; that node does, as far as it knows.
    Leads(NodeId),
    /// It has no replica of the group.
    NoGroup,
    /// Too much is uncommitted.
    Overloaded,
    /// The group does not serve the shard, under this configuration.
    WrongGroup(ConfigNum),
    /// The shard's data is on its way.
    NotYetHere,
    /// The value is over this server's limit.
    TooLarge,
}

impl Reason {
    /// The refusal as the server says it.
    pub(super) const fn refusal(self) -> Refusal {
        match self {
            Self::NoLeader => Refusal::NotLeader { leader: None },
            Self::Leads(node) => Refusal::NotLeader { leader: Some(node) },
            Self::NoGroup => Refusal::NoSuchGroup,
            Self::Overloaded => Refusal::Overloaded,
            Self::WrongGroup(config) => Refusal::WrongGroup { config },
            Self::NotYetHere => Refusal::NotYetHere { config: ConfigNum::new(2) },
            Self::TooLarge => Refusal::ValueTooLarge { limit: 0 },
        }
    }
}

impl Aim {
    pub(super) fn of(task: Task) -> Self {
        match task {
            Task::Call(call) => Self::Call(call.get() as u8),
            Task::Register => Self::Session,
            Task::Refresh => Self::Map,
        }
    }
}

impl ClientModel {
    /// Everything that may happen now.
    pub(super) fn list(&self, state: &ClientState, actions: &mut Vec<ClientAction>) {
        if usize::from(state.ghost.called) < self.scope.calls.len() {
            actions.push(ClientAction::Call);
        }
        for (ticket, flight) in &state.requests {
            self.list_reactions(state, *ticket, flight, actions);
        }
        actions.extend(state.replies.keys().map(|ticket| ClientAction::Answer { ticket: *ticket }));
        for timer in &state.timers {
            match timer {
                Timer::Attempt { ticket } if state.spent.timeouts < self.scope.timeouts => {
                    actions.push(ClientAction::TimeOut { ticket: *ticket });
                }
                Timer::Attempt { .. } => {}
                Timer::Retry { task } => actions.push(ClientAction::Retry { aim: Aim::of(*task) }),
                Timer::Deadline { call } => actions.push(ClientAction::Deadline { call: call.get() as u8 }),
            }
        }
        if state.spent.cuts < self.scope.cuts {
            self.list_cuts(state, actions);
        }
        if self.scope.moves > 0 && !state.cluster.moved {
            actions.push(ClientAction::Move);
        }
        if state.spent.floors < self.scope.floors {
            actions.push(ClientAction::EndSessions);
        }
    }

    fn list_cuts(&self, state: &ClientState, actions: &mut Vec<ClientAction>) {
        for node in 1..=3 {
            let outstanding = |flight: &&Flight| flight.open && node_of(&flight.to) == node;
            let answered = state
                .replies
                .keys()
                .any(|ticket| state.client.attempt_endpoint(*ticket).is_some_and(|endpoint| node_of(endpoint) == node));
            let sent = state.requests.values().any(|flight| outstanding(&flight));
            if sent || answered {
                actions.push(ClientAction::Cut { node: NodeId::new(node) });
            }
            // What was executed or is in a log was sent.
            if sent && !answered {
                actions.push(ClientAction::Unreachable { node: NodeId::new(node) });
            }
        }
    }

    /// What may become of a request. Whoever executes a write that nobody can hear of still executes it.
    fn list_reactions(&self, state: &ClientState, ticket: Ticket, flight: &Flight, actions: &mut Vec<ClientAction>) {
        if state.cluster.serves(&flight.request) {
            actions.push(ClientAction::Execute { ticket });
        }
        let may_refuse = flight.open && state.spent.refusals < self.scope.refusals;
        if let Request::Map { .. } = flight.request {
            let known = 1..=state.cluster.config().get();
            actions.extend(known.map(|config| ClientAction::TellMap { ticket, config: ConfigNum::new(config) }));
            if may_refuse && !self.scope.settled {
                actions.push(ClientAction::TellMap { ticket, config: ConfigNum::ZERO });
            }
        } else if may_refuse {
            let refuse = |reason| ClientAction::Refuse { ticket, reason };
            actions.extend(self.reasons(state, flight).into_iter().map(refuse));
            if matches!(flight.request, Request::Write { .. } | Request::RegisterClient) {
                actions.push(ClientAction::LoseLeadership { ticket });
            }
        }
    }

    /// Why the server that a request was sent to may refuse it.
    pub(super) fn reasons(&self, state: &ClientState, flight: &Flight) -> Vec<Reason> {
        let (to, asked) = match &flight.request {
            Request::Write { group, .. } | Request::Get { group, .. } => (node_of(&flight.to), *group),
            _ => return vec![Reason::NoLeader, Reason::Overloaded],
        };
        if !members(asked).contains(&to) {
            return vec![Reason::NoGroup];
        }
        let mut reasons = vec![Reason::NoLeader, Reason::Overloaded];
        let others = members(asked).iter().filter(|node| **node != to);
        reasons.extend(others.map(|node| Reason::Leads(NodeId::new(*node))));
        if matches!(flight.request, Request::Write { .. }) {
            reasons.push(Reason::TooLarge);
        }
        if !state.cluster.serves(&flight.request) {
            reasons.push(Reason::WrongGroup(state.cluster.config()));
        } else if asked == group(2) {
            // It has not taken the configuration yet, or not the data.
            reasons.extend([Reason::WrongGroup(ConfigNum::new(1)), Reason::NotYetHere]);
        }
        reasons
    }
}
