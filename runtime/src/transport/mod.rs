//! Frames over TCP between nodes, and between clients and nodes.
//!
//! Each node dials each peer that it sends to ([`Peers`]); what others dial comes in at the [`listener`], clients at the
//! same port. Everything that arrives is handed over as an [`Arrival`]; nothing here ever blocks the node: what a peer
//! does not take is dropped, what a client does not take closes its connection, and who sends too much is read no further.
//!
//! What is absent: any decision about what a message means, and any trust in what comes from outside: whatever a stranger
//! sends costs bounded memory, and a connection at most. What *is* trusted: nodes of the cluster are not made to lie. Nothing
//! authenticates them; whoever can reach the port and knows a stamp can speak for its holder. A damaged frame is noticed by
//! its checksum, and a counter that no honest node reaches (2^63) is refused when it is decoded.

mod client;
mod door;
mod frames;
mod gauge;
mod inbound;
mod lanes;
mod link;
mod listener;
mod peers;
mod pins;
pub mod reach;
pub mod wire;

pub use client::Client;
pub use gauge::Gauge;
pub use inbound::Caller;
pub use listener::Listener;
pub use peers::Peers;
pub use pins::Pins;

use quorate_core::message::{Message, Peer, PeerRefusal, Request};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a new connection may take to say who it is, and a node to answer.
pub const HELLO_TIMEOUT: Duration = Duration::from_secs(5);

/// Who this node is, on the wire.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The cluster that it belongs to.
    pub cluster: String,
    /// Its id, data directory and boot.
    pub me: Peer,
    /// Where others reach it.
    pub address: String,
}

/// Something that arrived, as many as were there at once.
#[derive(Debug)]
pub enum Arrival {
    /// Messages of a peer, in order.
    Messages {
        /// What its hello said.
        from: Peer,
        /// The messages.
        messages: Vec<Message>,
        /// Their size, to be taken off the gauge when they have been stepped through.
        bytes: usize,
        /// The connection that they came by.
        caller: Arc<Caller>,
    },
    /// A peer that this node dialled refuses its messages.
    Refused {
        /// Who answered.
        by: Peer,
        /// Who is meant.
        whom: Peer,
        /// Why.
        reason: PeerRefusal,
    },
    /// Requests of a client, in order: what it calls each, and its size.
    Requests {
        /// The connection, to be answered through.
        client: Arc<Client>,
        /// The client's ticket, the request, the frame's size.
        requests: Vec<(u64, Request, usize)>,
    },
}

/// Where arrivals go: it must not block.
pub type Deliver = Arc<dyn Fn(Arrival) + Send + Sync>;

/// Locks; a panic elsewhere while it was held leaves nothing half done, as every critical section is a move.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
