//! What the replicas of one group say to each other: one enum per conversation, matched totally.
//!
//! Nothing here decides anything. Which of these speak for the sender's disk, and so wait for it, is told in the outbox.

use super::types::{Entry, Image, LogPosition, Mark, Payload};
use alloc::sync::Arc;
use alloc::vec::Vec;
use quorate_spec::ids::{LogIndex, ReadContext, Term};

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// Messages of elections.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub enum Election {
    /// Could I win `term` with a log that ends at `last`? Binds nobody.
    PreVote {
        /// The term that an election would have.
        term: Term,
        /// Where the asker's log ends.
        last: LogPosition,
    },
    /// Yes, as far as I am concerned.
    PreVoteGranted {
        /// The term asked about.
        term: Term,
    },
    /// No.
    PreVoteRefused {
        /// The refuser's own term: a pre-candidate must learn of higher ones (`prevote-ignores-higher-term`).
        term: Term,
    },
    /// Vote for me in `term` (a promise: it advertises a durable term, vote and log).
    RequestVote {
        /// The candidate's term.
        term: Term,
        /// Where the candidate's durable log ends.
        last: LogPosition,
    },
    /// You have my durable vote in `term`.
    VoteGranted {
        /// The term of the vote.
        term: Term,
    },
    /// You do not have my vote.
    VoteRefused {
        /// The refuser's term.
        term: Term,
    },
    /// A leader of `term` asks the receiver to campaign at once.
    TimeoutNow {
        /// The leader's term.
        term: Term,
    },
}

/// Messages of replication and leadership confirmation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub enum Replication<P> {
    /// Entries after `prev`.
    Append {
        /// The leader's term.
        term: Term,
        /// The position just before the entries.
        prev: LogPosition,
        /// The entries; none for a probe.
        entries: Vec<Arc<Entry<P>>>,
        /// The leader's commit index.
        commit: LogIndex,
    },
    /// My durable log matches the leader's of `term` up to `matched` (a promise).
    Appended {
        /// The term of the leader.
        term: Term,
        /// The last index verified by the append.
        matched: LogIndex,
    },
    /// My log does not hold the position before the entries.
    AppendRefused {
        /// The refuser's term.
        term: Term,
        /// The `prev` index that did not match.
        rejected: LogIndex,
        /// Where to try next.
        conflict: Conflict,
    },
    /// I lead `term`.
    Heartbeat {
        /// The leader's term.
        term: Term,
        /// How far the leader has committed, at most what the receiver is known to match. The term lets a receiver that
        /// lost what it acknowledged see that it holds something else there. The zero position if it is compacted.
        commit: LogPosition,
        /// The newest read round: an answer confirms it and all before it.
        read: ReadContext,
    },
    /// As far as I know, you lead `term`.
    HeartbeatAck {
        /// The receiver's term.
        term: Term,
        /// The read round of the heartbeat.
        read: ReadContext,
    },
}

/// How a follower helps a leader to find where their logs part (fast backtracking, Raft paper 5.3 end).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub enum Conflict {
    /// The log ends before `prev`; this is its last index.
    Short {
        /// The last index of the follower's log.
        last: LogIndex,
    },
    /// The entry at `prev` has another term, whose first entry in the follower's log is at `first`.
    Term {
        /// The conflicting term.
        term: Term,
        /// The first index of it.
        first: LogIndex,
    },
}

/// Messages of snapshot transfer to a follower that is behind its leader's log.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(Serialize, Deserialize),
    serde(bound(
        serialize = "<P::Image as Image>::Chunk: Serialize, <P::Image as Image>::Cursor: Serialize",
        deserialize = "<P::Image as Image>::Chunk: Deserialize<'de>, <P::Image as Image>::Cursor: Deserialize<'de>"
    ))
)]
pub enum Transfer<P: Payload> {
    /// A part of the image at `mark`.
    Chunk {
        /// The leader's term.
        term: Term,
        /// What the image covers.
        mark: Mark,
        /// Where this part begins.
        from: <P::Image as Image>::Cursor,
        /// The part.
        chunk: <P::Image as Image>::Chunk,
        /// Where the next part begins; `None` for the last.
        next: Option<<P::Image as Image>::Cursor>,
    },
    /// Go on with the part that begins at `next`.
    Accepted {
        /// The receiver's term.
        term: Term,
        /// Which snapshot.
        last: LogPosition,
        /// Where to go on.
        next: <P::Image as Image>::Cursor,
    },
    /// The snapshot is durable and installed, or not needed: my durable log matches up to `matched` (a promise).
    Installed {
        /// The receiver's term.
        term: Term,
        /// The index up to which it matches the leader.
        matched: LogIndex,
    },
}

/// A message between two replicas of one group.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(Serialize, Deserialize),
    serde(bound(
        serialize = "P: Serialize, <P::Image as Image>::Chunk: Serialize, <P::Image as Image>::Cursor: Serialize",
        deserialize = "P: Deserialize<'de>, <P::Image as Image>::Chunk: Deserialize<'de>, <P::Image as Image>::Cursor: Deserialize<'de>"
    ))
)]
pub enum Message<P: Payload> {
    /// About who leads.
    Election(Election),
    /// About the log.
    Replication(Replication<P>),
    /// About snapshots.
    Transfer(Transfer<P>),
}

impl<P: Payload> Message<P> {
    /// The sender's term, which binds a receiver that is behind it; `None` for a pre-vote and its grant, which name a
    /// term that nobody has entered yet.
    pub const fn term(&self) -> Option<Term> {
        match self {
            Self::Election(Election::PreVote { .. } | Election::PreVoteGranted { .. }) => None,
            Self::Election(
                Election::PreVoteRefused { term }
                | Election::RequestVote { term, .. }
                | Election::VoteGranted { term }
                | Election::VoteRefused { term }
                | Election::TimeoutNow { term },
            )
            | Self::Replication(
                Replication::Append { term, .. }
                | Replication::Appended { term, .. }
                | Replication::AppendRefused { term, .. }
                | Replication::Heartbeat { term, .. }
                | Replication::HeartbeatAck { term, .. },
            )
            | Self::Transfer(
                Transfer::Chunk { term, .. } | Transfer::Accepted { term, .. } | Transfer::Installed { term, .. },
            ) => Some(*term),
        }
    }
}
