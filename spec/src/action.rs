//! The vocabulary of every protocol step: one variant per TLA+ action.
//!
//! A reader follows one name from the specification to the log line: `Raft.tla: HandleRequestVote` ->
//! [`Action::HandleRequestVote`] -> the core handler `handle_request_vote` -> the `tracing` field `action`.
//! Parameters are what a person needs to recognise the step; the state after it comes from the views.

use crate::ids::{ClientId, ConfigNum, Gid, GroupId, LogIndex, NodeId, ReadContext, Seq, ShardId, Term, WriteId};

/// Declares [`Action`] and its name table in one place, so that the two cannot disagree.
macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident $({ $($field:ident : $ty:ty),* $(,)? })?,)*) => {
        /// One protocol step. Which machine took it is told by the label that carries it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
        pub enum Action {
            $($(#[$doc])* $name $({
                $(#[allow(missing_docs, reason = "named after the TLA+ parameter")] $field: $ty),*
            })?,)*
        }

        impl Action {
            /// The names of all actions, as in the TLA+ modules.
            pub const NAMES: &'static [&'static str] = &[$(stringify!($name)),*];

            /// Where its name stands in [`Action::NAMES`].
            pub const fn ordinal(&self) -> usize {
                #[allow(clippy::enum_variant_names, reason = "the names are the actions' own")]
                enum Place { $($name),* }
                match self {
                    $(Self::$name { .. } => Place::$name as usize,)*
                }
            }

            /// The TLA+ action's name.
            pub const fn name(&self) -> &'static str {
                match self {
                    $(Self::$name { .. } => stringify!($name),)*
                }
            }
        }
    };
}

actions! {
    // Raft: elections.
    /// A follower whose election timer fired asks whether it could win (Raft dissertation 9.6).
    StartPreVote { term: Term },
    /// A node answers a pre-vote request; it changes no durable state.
    HandlePreVote { from: NodeId, term: Term, granted: bool },
    /// A pre-candidate counts an answer.
    HandlePreVoteReply { from: NodeId, term: Term, granted: bool },
    /// A candidate enters a new term and votes for itself (Raft paper 5.2).
    StartElection { term: Term },
    /// A node answers a request for its vote.
    HandleRequestVote { from: NodeId, term: Term, granted: bool },
    /// A candidate counts an answer.
    HandleVoteReply { from: NodeId, term: Term, granted: bool },
    /// A candidate with a quorum of durable votes becomes leader and appends its no-op.
    BecomeLeader { term: Term },
    /// A node learns of a newer term, or a leader finds that it lost its quorum.
    StepDown { term: Term },
    /// A leader hands its term's end to a caught-up follower (Raft dissertation 3.10).
    TransferLeadership { to: NodeId },
    /// The target of a transfer campaigns at once.
    HandleTimeoutNow { from: NodeId, term: Term },

    // Raft: replication.
    /// A leader appends entries to its own log.
    Propose { term: Term, first: LogIndex, count: u64 },
    /// A leader sends entries, or probes with none (Raft paper 5.3).
    SendAppend { to: NodeId, prev: LogIndex, count: u64 },
    /// A follower appends, finding its log to match or not.
    HandleAppend { from: NodeId, term: Term, prev: LogIndex, count: u64, accepted: bool },
    /// A leader learns how far a follower's durable log matches, or where it does not.
    HandleAppendReply { from: NodeId, term: Term, matched: LogIndex, accepted: bool },
    /// A node's write became durable: its own acknowledgement or vote may count.
    SyncWrites { write: WriteId },
    /// The commit index moves forward.
    AdvanceCommit { index: LogIndex },
    /// A committed entry is applied.
    Apply { index: LogIndex, term: Term },
    /// A follower answers a leader's heartbeat.
    HandleHeartbeat { from: NodeId, term: Term },
    /// A leader counts a heartbeat's answer.
    HandleHeartbeatReply { from: NodeId, term: Term, read: ReadContext },

    // Raft: reads, snapshots, restart.
    /// A leader opens a read at its commit index (Raft dissertation 6.4).
    RequestRead { read: ReadContext, index: LogIndex },
    /// A quorum confirmed the leadership that a read rests on.
    ConfirmRead { read: ReadContext, index: LogIndex },
    /// An image of the applied state is handed out to be made durable.
    TakeSnapshot { index: LogIndex },
    /// A durable snapshot replaces a prefix of the log.
    CompactLog { index: LogIndex },
    /// A leader sends a part of its state to a follower behind its log.
    SendSnapshot { to: NodeId, index: LogIndex },
    /// A follower takes in a part of a snapshot.
    HandleSnapshotChunk { from: NodeId, index: LogIndex },
    /// A follower's durable received snapshot replaces its log and state.
    InstallSnapshot { index: LogIndex },
    /// A leader learns how far a follower is with a snapshot.
    HandleSnapshotReply { from: NodeId, index: LogIndex },
    /// A replica starts from what its disk kept.
    Restart { term: Term },

    // Controller.
    /// Groups are added and shards rebalanced.
    Join { config: ConfigNum },
    /// Groups leave; their shards go to the least loaded, or to nobody.
    Leave { config: ConfigNum },
    /// One shard is given to one group.
    Move { config: ConfigNum, shard: ShardId, gid: Gid },
    /// A session is issued.
    RegisterClient { client: ClientId },
    /// A node's address and stamp are recorded.
    RegisterNode { node: NodeId },
    /// Sessions below the floor end.
    RaiseFloor { config: ConfigNum, floor: ClientId },
    /// A group that left and holds nothing any more is taken out of the directory.
    Retire { group: GroupId },

    // Data groups: clients.
    /// A write takes effect.
    Execute { shard: ShardId, client: ClientId, seq: Seq },
    /// A repeated write is answered from the session record.
    Repeat { shard: ShardId, client: ClientId, seq: Seq },
    /// A write is refused without effect when applied.
    Refuse { shard: ShardId, client: ClientId, seq: Seq },
    /// A read is answered from the applied state.
    Read { shard: ShardId, index: LogIndex },

    // Data groups: migration.
    /// A group takes the next configuration through its log, freezing and awaiting shards.
    AdoptConfiguration { config: ConfigNum },
    /// A shard's content is frozen under the configuration that takes it away.
    Freeze { shard: ShardId, config: ConfigNum },
    /// A shard that never had an owner starts empty.
    StartEmpty { shard: ShardId, config: ConfigNum },
    /// The target asks for a part of a frozen copy.
    Pull { shard: ShardId, config: ConfigNum, from: GroupId },
    /// A replica of the origin answers from its frozen copy.
    SendChunk { shard: ShardId, config: ConfigNum, to: NodeId },
    /// A part of a shard is taken in through the target's log.
    InstallChunk { shard: ShardId, config: ConfigNum },
    /// The last part arrives: data and sessions are installed and the shard is served.
    Install { shard: ShardId, config: ConfigNum },
    /// The origin drops a frozen copy that the target has applied.
    Collect { shard: ShardId, config: ConfigNum },

    // Nodes.
    /// A node starts a replica of a group that names it.
    CreateReplica { group: GroupId },
    /// A node ends a replica of a retired group and leaves a tombstone.
    DestroyReplica { group: GroupId },
    /// A node records another's stamp durably.
    PinPeer { node: NodeId },
    /// A message of a node with another stamp or an older boot is refused.
    RefusePeer { node: NodeId },

    // Clients.
    /// A client sends an attempt of a request.
    SendRequest { seq: Seq, to: NodeId },
    /// A client learns the outcome of a request.
    Complete { seq: Seq },
    /// A client gives up with an unknown outcome.
    GiveUp { seq: Seq },
}
