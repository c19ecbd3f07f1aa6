//! What a connection carries: the first frame each way, then peer frames or client frames.
//!
//! One frame is one value under the codec's header. The first frame of the dialling side is a [`Hello`], answered by a
//! [`HelloReply`]; nothing else is read before. After that a node's connection carries [`PeerFrame`]s (messages one way,
//! pings and their echoes, and a refusal back), a client's carries [`ClientFrame`]s in and [`ReplyFrame`]s out.

use quorate_core::message::{Message, Peer, Reply, Request};
use quorate_spec::ids::NodeId;
use serde::{Deserialize, Serialize};

/// The first frame: who dials, and whom it believes to reach. Sent as `Kind::Hello`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Hello {
    /// A node that will send messages.
    Node {
        /// The cluster that it belongs to.
        cluster: String,
        /// Who it is.
        from: Peer,
        /// Whom it means to reach.
        to: NodeId,
        /// Where it can be reached.
        address: String,
    },
    /// A client.
    Client {
        /// The cluster that it means to reach; any, if not given.
        cluster: Option<String>,
    },
}

/// The answer to a [`Hello`]. Sent as `Kind::HelloReply`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum HelloReply {
    /// Go on.
    Welcome {
        /// The cluster.
        cluster: String,
        /// The answering node.
        from: Peer,
    },
    /// The connection is closed after this.
    Refused {
        /// One sentence that says what to do.
        reason: String,
    },
}

/// A frame between nodes. Sent as `Kind::Peer`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::large_enum_variant, reason = "taken apart at once: a box would be an allocation per message")]
pub enum PeerFrame {
    /// For the receiver's core.
    Message(Message),
    /// Are you there? The dialling side asks.
    Ping,
    /// Yes. The only frame that the accepting side sends, but for a last message that refuses the dialling one.
    Pong,
}

/// The same as [`PeerFrame`] and the same bytes, without owning the message.
#[derive(Clone, Debug, Serialize)]
pub enum PeerFrameRef<'a> {
    /// For the receiver's core.
    Message(&'a Message),
    /// Are you there?
    Ping,
    /// Yes.
    Pong,
}

/// A client's request. Sent as `Kind::Request`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientFrame {
    /// What the client calls it; the reply bears the same number.
    pub ticket: u64,
    /// What it asks.
    pub request: Request,
}

/// The answer to a [`ClientFrame`]. Replies come in any order. Sent as `Kind::Reply`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplyFrame {
    /// The request's number.
    pub ticket: u64,
    /// The answer.
    pub reply: Reply,
}
