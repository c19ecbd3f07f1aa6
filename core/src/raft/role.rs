//! What a replica remembers only as long as it plays a role, so that losing the role forgets it.

use super::progress::Progress;
use super::reads::Reads;
use super::types::Payload;
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use quorate_spec::ids::{LogIndex, NodeId};
use quorate_spec::views::Role;

/// The role and its memory.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum State<P: Payload> {
    /// Follows a leader or waits for one.
    Follower,
    /// Asks whether it could win the next term.
    PreCandidate {
        /// The voters that said yes, itself included.
        granted: BTreeSet<NodeId>,
    },
    /// Asks for votes in its term.
    Candidate {
        /// The voters whose durable votes it has; a set, so that nobody counts twice (`duplicate-vote-counted`).
        votes: BTreeSet<NodeId>,
    },
    /// Leads its term.
    Leader(Box<Leadership<P>>),
}

impl<P: Payload> State<P> {
    /// The role alone.
    pub(super) const fn role(&self) -> Role {
        match self {
            Self::Follower => Role::Follower,
            Self::PreCandidate { .. } => Role::PreCandidate,
            Self::Candidate { .. } => Role::Candidate,
            Self::Leader(_) => Role::Leader,
        }
    }
}

/// What a leader knows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Leadership<P: Payload> {
    /// How far each other voter is.
    pub(super) progress: BTreeMap<NodeId, Progress<P>>,
    /// Up to where its own log is durable: its own copy counts no further (`leader-counts-itself-unsynced`).
    pub(super) own: LogIndex,
    /// Bytes of the entries of its term that are not both committed and durable here: what the quota bounds. A leader whose
    /// own disk stalls must not take in more and more while the others commit.
    pub(super) uncommitted: u64,
    /// The last index and the bytes of each batch that makes them up.
    pub(super) batches: VecDeque<(LogIndex, u64)>,
    /// Leadership confirmation for reads.
    pub(super) reads: Reads,
    /// The voter that should lead next. Nothing is proposed meanwhile.
    pub(super) transfer: Option<NodeId>,
}
