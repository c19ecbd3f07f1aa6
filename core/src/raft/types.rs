//! What a replica is made of: payloads and their images, entries, marks, hard state, durable writes.
//!
//! Nothing here decides anything.

use alloc::collections::BTreeSet;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt::Debug;
use core::hash::Hash;
use quorate_spec::ids::{LogIndex, NodeId, Term};

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// What a group replicates: one command of its state machine. One byte in the Raft model.
pub trait Payload: Clone + Debug + Eq + Hash {
    /// The state that the commands build up, as a cheap clone.
    type Image: Image;

    /// Its size in the log, for quotas and batch limits, in bytes.
    fn bytes(&self) -> usize;
}

/// A state machine's state: cheap to clone, cut into chunks to be sent or written, put together again from them.
pub trait Image: Clone + Debug + Eq + Hash {
    /// A part of the state, of bounded size.
    type Chunk: Clone + Debug + Eq + Hash;
    /// Where a chunk begins. The default is the beginning.
    type Cursor: Clone + Debug + Eq + Hash + Default;

    /// The chunk that begins at `from`, of about `limit` bytes (at least one item), and where the next one begins
    /// (`None` after the last). The same image and cursor always give the same chunk.
    fn chunk(&self, from: &Self::Cursor, limit: usize) -> (Self::Chunk, Option<Self::Cursor>);

    /// An image into which no chunk has been absorbed.
    fn blank() -> Self;

    /// Takes in the next chunk. Chunks come in order, each once.
    fn absorb(&mut self, chunk: Self::Chunk);
}

/// A position in a log: an index and the term of the entry there. What elections compare (Raft paper 5.4.1), which is
/// why the term comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct LogPosition {
    /// The term of the entry.
    pub term: Term,
    /// The index of the entry.
    pub index: LogIndex,
}

/// One log entry. Its index is its place in the log.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Entry<P> {
    /// The term in which a leader appended it.
    pub term: Term,
    /// What it says.
    pub kind: EntryKind<P>,
}

/// What an entry says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub enum EntryKind<P> {
    /// The first entry of a leader's term: it commits what came before (Raft paper 8).
    Noop,
    /// A command for the state machine.
    Command(P),
}

impl<P> Entry<P> {
    /// The command, if it is one.
    pub const fn payload(&self) -> Option<&P> {
        match &self.kind {
            EntryKind::Noop => None,
            EntryKind::Command(payload) => Some(payload),
        }
    }
}

/// What a snapshot stands for: everything up to a position, and the voters as of there.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Mark {
    /// The last entry that the snapshot covers.
    pub last: LogPosition,
    /// The nodes whose majority decides. They change only through the log (not yet).
    pub voters: BTreeSet<NodeId>,
}

/// The term and the vote (Raft paper, figure 2): written together or not at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct HardState {
    /// The current term.
    pub term: Term,
    /// Whom this node voted for in it.
    pub voted_for: Option<NodeId>,
}

/// One durable write of a replica. Each is atomic; a crash keeps a prefix of those not yet synced, in order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub enum Write<P> {
    /// The term and vote are replaced.
    HardState(HardState),
    /// The entries from `from` on are removed.
    Truncate {
        /// The first entry removed.
        from: LogIndex,
    },
    /// Entries are added at the end of the log.
    Append {
        /// The index of the first one: the last index of the log + 1.
        first: LogIndex,
        /// The entries.
        entries: Vec<Arc<Entry<P>>>,
    },
    /// A snapshot up to `mark` is durable. The log is not changed.
    Mark(Mark),
    /// The entries up to `base` are removed; a durable mark covers them.
    Purge {
        /// The last entry removed.
        base: LogPosition,
    },
    /// A received snapshot replaces everything: the mark is set, and the log is empty after it.
    Install(Mark),
}

/// What a disk kept of a replica: the fold of its writes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(Serialize, Deserialize),
    serde(bound(
        serialize = "P: Serialize, <P::Image as Image>::Chunk: Serialize",
        deserialize = "P: Deserialize<'de>, <P::Image as Image>::Chunk: Deserialize<'de>"
    ))
)]
pub struct Durable<P: Payload> {
    /// The term and vote.
    pub hard: HardState,
    /// The newest durable snapshot (index 0 at creation: the initial image).
    pub mark: Mark,
    /// The state at `mark`, read back from its snapshot file.
    #[cfg_attr(feature = "serde", serde(with = "super::chunks"))]
    pub image: P::Image,
    /// The position before the first entry: at most `mark.last`.
    pub base: LogPosition,
    /// The entries after `base`, without gaps.
    pub entries: Vec<Arc<Entry<P>>>,
}
