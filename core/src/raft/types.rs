//! What goes into a replica and what comes out of it: entries, messages, writes, inputs, effects.
//!
//! One enum per conversation, matched totally. Nothing here decides anything.

use alloc::collections::BTreeSet;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt::Debug;
use core::hash::Hash;
use quorate_spec::action::Action;
use quorate_spec::ids::{LogIndex, NodeId, ReadContext, Term, WriteId};

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
pub struct Durable<P: Payload> {
    /// The term and vote.
    pub hard: HardState,
    /// The newest durable snapshot (index 0 at creation: the initial image).
    pub mark: Mark,
    /// The state at `mark`, read back from its snapshot file.
    pub image: P::Image,
    /// The position before the first entry: at most `mark.last`.
    pub base: LogPosition,
    /// The entries after `base`, without gaps.
    pub entries: Vec<Arc<Entry<P>>>,
}

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
        /// The leader's commit index, at most what the receiver is known to match.
        commit: LogIndex,
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
