//! Whose request each ticket is, so that its answer finds the way back.

use crate::mutants::mutant;
use crate::transport::Client;
use quorate_core::message::Reply;
use quorate_spec::ids::Ticket;
use std::collections::HashMap;
use std::sync::Arc;

/// The unanswered requests of all clients.
#[derive(Debug, Default)]
pub(super) struct Tickets {
    last: Ticket,
    waiting: HashMap<Ticket, Waiting>,
    /// The connections that have answers to be sent.
    touched: Vec<Arc<Client>>,
}

#[derive(Debug)]
struct Waiting {
    client: Arc<Client>,
    /// What the client calls it.
    ticket: u64,
    /// The size of the request.
    bytes: usize,
}

impl Tickets {
    /// A ticket that was never used in this boot.
    pub(super) fn issue(&mut self) -> Ticket {
        self.last = self.last.next();
        self.last
    }

    /// A ticket for a client's request.
    pub(super) fn register(&mut self, client: &Arc<Client>, ticket: u64, bytes: usize) -> Ticket {
        let issued = self.issue();
        self.waiting.insert(issued, Waiting { client: Arc::clone(client), ticket, bytes });
        issued
    }

    /// Answers a request, to be sent with [`Self::flush`]. Answers to the driver's own requests go nowhere.
    pub(super) fn answer(&mut self, ticket: Ticket, reply: Reply) {
        let other = self.waiting.keys().copied().max().filter(|_| mutant!(AnswerToAnother));
        let ticket = other.unwrap_or(ticket);
        let Some(Waiting { client, ticket, bytes }) = self.waiting.remove(&ticket) else {
            return;
        };
        if client.reply(ticket, bytes, reply) {
            self.touched.push(client);
        }
    }

    /// Has all answers sent.
    pub(super) fn flush(&mut self) {
        for client in self.touched.drain(..) {
            client.wake();
        }
    }

    /// How many requests wait for an answer.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }
}
