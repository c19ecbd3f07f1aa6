//! The surface of a replica: what can happen to it, and everything that a step wants done about it.
//!
//! Nothing here decides anything.

use super::messages::Message;
use super::types::{Entry, LogPosition, Mark, Payload, Write};
use alloc::sync::Arc;
use alloc::vec::Vec;
use quorate_spec::action::Action;
use quorate_spec::ids::{LogIndex, NodeId, ReadContext, Term, WriteId};

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// A replica's timers. Each may fire at any moment while armed; arming again starts it anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub enum Timer {
    /// No leader was heard of for a while (a random time between one and two election time-outs).
    Election,
    /// A leader's heartbeat is due (a fixed, short time).
    Heartbeat,
    /// A leader checks that it still has a quorum, and gives up a transfer (one election time-out).
    CheckQuorum,
}

/// What to do with a timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub enum TimerChange {
    /// Start it, or start it anew.
    Arm(Timer),
    /// Stop it.
    Disarm(Timer),
}

/// What can happen to a replica.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Input<P: Payload> {
    /// A message came from a voter of this group.
    Received {
        /// The sender.
        from: NodeId,
        /// What it says.
        message: Message<P>,
    },
    /// All writes up to this one are durable.
    Synced {
        /// The last durable write.
        write: WriteId,
    },
    /// An armed timer fired.
    Fired {
        /// Which one.
        timer: Timer,
    },
    /// Local clients propose commands, in order.
    Propose {
        /// The commands.
        payloads: Vec<P>,
    },
    /// A local client wants to read what is committed now. Answered by `Effects::reads` under a context.
    Read,
    /// An operator wants another leader.
    TransferLeadership {
        /// The voter that should lead.
        to: NodeId,
    },
    /// The state as of the applied index: to be made durable so that the log can be compacted, or wanted by
    /// `Effects::image_wanted`.
    Image {
        /// The state, with every entry up to the commit index applied.
        image: P::Image,
        /// Whether to write it as a snapshot (or only to send it to followers).
        persist: bool,
    },
    /// The snapshot file of this mark is durable.
    SnapshotWritten {
        /// Which one.
        last: LogPosition,
    },
}

/// How a batch of proposals was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Proposed {
    /// Appended as the consecutive entries that begin at `first`; the first `count` of the batch. The rest was refused
    /// for the quota of uncommitted bytes.
    Accepted {
        /// The term in which they were appended.
        term: Term,
        /// The index of the first.
        first: LogIndex,
        /// How many.
        count: usize,
    },
    /// This replica does not lead (or is handing over); maybe that one does.
    NotLeader {
        /// The leader of the current term, if known.
        leader: Option<NodeId>,
    },
}

/// A snapshot to be made durable by the runtime: file, sync, rename, sync of the directory. Answered by
/// [`Input::SnapshotWritten`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SnapshotWork<P: Payload> {
    /// What it covers.
    pub mark: Mark,
    /// The state.
    pub image: P::Image,
}

/// Everything that a step wants done. The order of `writes` is the order of the lane; everything in `sends` may go at
/// once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effects<P: Payload> {
    /// Durable writes, in order, each with its number.
    pub writes: Vec<(WriteId, Write<P>)>,
    /// Released messages.
    pub sends: Vec<(NodeId, Message<P>)>,
    /// Timers to arm and disarm, in order.
    pub timers: Vec<TimerChange>,
    /// A received snapshot replaces the applied state: its last position and the state. Comes before `committed`.
    pub installed: Option<(LogPosition, P::Image)>,
    /// Entries that became committed, in order, without gaps: to be applied at once.
    pub committed: Vec<(LogIndex, Arc<Entry<P>>)>,
    /// The answer to `Input::Propose`.
    pub proposed: Option<Proposed>,
    /// The answer to `Input::Read`: a context (refused with a leader hint).
    pub read: Option<Result<ReadContext, Option<NodeId>>>,
    /// Reads that may now be answered from a state that has applied at least this index: all contexts up to and
    /// including this one.
    pub reads_ready: Vec<(ReadContext, LogIndex)>,
    /// Leadership was lost: proposals not yet committed have an unknown outcome, reads not yet ready are refused.
    pub stepped_down: bool,
    /// A follower needs the state: give [`Input::Image`] with `persist: false`.
    pub image_wanted: bool,
    /// A snapshot to be made durable.
    pub snapshot: Option<SnapshotWork<P>>,
    /// What was done, in the specification's words.
    pub labels: Vec<Action>,
}

impl<P: Payload> Default for Effects<P> {
    fn default() -> Self {
        Self {
            writes: Vec::new(),
            sends: Vec::new(),
            timers: Vec::new(),
            installed: None,
            committed: Vec::new(),
            proposed: None,
            read: None,
            reads_ready: Vec::new(),
            stepped_down: false,
            image_wanted: false,
            snapshot: None,
            labels: Vec::new(),
        }
    }
}
