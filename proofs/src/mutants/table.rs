//! The table: every mutant, the property that it must break, and the model and scope where that is found.
//!
//! The properties are the specification's and the models' own; what the bug catalogue calls by a class is here by the name
//! that speaks first. `LogSpec` is Raft seen from above: its state machine safety, and its reads.
//!
//! Rows of the model `stack` are for whole nodes: what they change (who is answered, what a node does to a group without
//! its log) lies above the replica and above the data group, where the other models do not reach.

use crate::binding;
use quorate_core::mutants::Mutant;

/// A mutant and what must catch it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The mutant.
    pub mutant: Mutant,
    /// What it is a fault of.
    pub layer: &'static str,
    /// The property that it must break.
    pub property: &'static str,
    /// The model that shows it.
    pub model: &'static str,
    /// The scope of that model.
    pub scope: &'static str,
}

const fn row(
    mutant: Mutant,
    layer: &'static str,
    property: &'static str,
    model: &'static str,
    scope: &'static str,
) -> Row {
    Row { mutant, layer, property, model, scope }
}

/// All mutants, in their own order.
pub const TABLE: &[Row] = &[
    // Raft: elections.
    row(Mutant::VoteNonatomic, "election", "ElectionSafety", "raft", "rivals"),
    row(Mutant::TermVoteVolatile, "election", "ElectionSafety", "raft", "election"),
    row(Mutant::NoSelfVoteRecord, "election", "ElectionSafety", "raft", "election"),
    row(Mutant::StaleVoteReply, "election", "ElectionSafety", "raft", "election"),
    row(Mutant::PrevoteReplyAsVote, "election", "ElectionSafety", "raft", "prevote"),
    row(Mutant::PrevoteResetsVote, "election", "ElectionSafety", "raft", "prevote-crash"),
    row(Mutant::LeaderGrantsVote, "election", "ElectionSafety", "raft", "election"),
    row(Mutant::DuplicateVoteCounted, "election", "ElectionSafety", "raft", "five"),
    row(Mutant::LogUpToDateByLength, "election", "LeaderCompleteness", "raft", "lengths"),
    row(Mutant::LastlogVectorCompare, "election", "Progress", "raft", "lengths"),
    row(Mutant::PrevoteIgnoresHigherTerm, "election", "Progress", "raft", "behind"),
    row(Mutant::VoteBeforeSync, "election", "ElectionSafety", "raft", "election"),
    row(Mutant::RequestVoteBeforeSync, "election", "LeaderCompleteness", "raft", "unsynced"),
    // Raft: commit and replication.
    row(Mutant::Figure8, "replication", "LeaderCompleteness", "raft", "figure8"),
    row(Mutant::ReadQuorumMinusOne, "read", "LogSpec", "raft", "reads"),
    row(Mutant::CommitRegress, "replication", "Monotonic", "raft", "default"),
    row(Mutant::MatchRegress, "replication", "Monotonic", "raft", "default"),
    row(Mutant::CommitOnNack, "replication", "CommittedDurable", "raft", "install"),
    row(Mutant::TruncateOnAnyAppend, "replication", "CommittedDurable", "raft", "default"),
    row(Mutant::DeleteThenAppendCrash, "replication", "CommittedDurable", "raft", "commit"),
    row(Mutant::CommitBeyondAppend, "replication", "LogSpec", "raft", "suffix"),
    row(Mutant::AckBeforeSync, "replication", "CommittedDurable", "raft", "commit"),
    row(Mutant::LeaderCountsItselfUnsynced, "replication", "CommittedDurable", "raft", "commit"),
    row(Mutant::EmptyAppendInsteadOfSnapshot, "replication", "LogSpec", "raft", "install"),
    row(Mutant::CompactedTermZeroMatches, "replication", "LogSpec", "raft", "compacted"),
    // Raft: snapshots and storage.
    row(Mutant::SnapshotRewindsApplied, "storage", "Monotonic", "raft", "late"),
    row(Mutant::SnapshotDropsSessions, "storage", "Determinism", "controller", "sessions"),
    row(Mutant::SnapshotBeforeDurable, "storage", "CommittedDurable", "raft", "snapshot"),
    row(Mutant::VoteLogReorder, "storage", "ReplicaWellFormed", "raft", "commit"),
    row(Mutant::CompletionByIndex, "storage", "CommittedDurable", "raft", "commit"),
    row(Mutant::AppliedOutsideTransaction, "storage", "StateMachineSafety", "raft", "snapshot"),
    row(Mutant::WipedDiskVotes, "identity", "ElectionSafety", "identity", "wiped"),
    // Reads and sessions.
    row(Mutant::LocalRead, "read", "LogSpec", "raft", "reads"),
    row(Mutant::ReadBeforeOwnTermCommit, "read", "LogSpec", "raft", "reads"),
    row(Mutant::ReadBeforeApply, "read", "LogSpec", "raft", "reads"),
    row(Mutant::DedupeAtProposeOnly, "session", "AtMostOnce", "shards", "return"),
    row(Mutant::ReplyFromWrongEntry, "session", "Linearizability", "stack", "divided"),
    row(Mutant::SessionExpiryByLocalClock, "session", "StateMachineSafety", "stack", "floor"),
    row(Mutant::FloorLeftBehind, "session", "SessionOrder", "shards", "floor"),
    row(Mutant::SupersededAnswered, "session", "Linearizability", "shards", "return"),
    row(Mutant::ResendUnderNewId, "client", "AtMostOnce", "client", "default"),
    row(Mutant::ExpiredSessionReexecutes, "session", "AtMostOnce", "shards", "floor"),
    // Controller and migration.
    row(Mutant::ServeBeforeData, "migration", "Linearizability", "shards", "return"),
    row(Mutant::SourceServesAfterFreeze, "migration", "OneOwner", "shards", "return"),
    row(Mutant::FreezeAtProposeOnly, "migration", "Linearizability", "shards", "return"),
    row(Mutant::DedupeLeftBehind, "migration", "SessionOrder", "shards", "return"),
    row(Mutant::InstallTwice, "migration", "Linearizability", "shards", "return"),
    row(Mutant::GcBeforeAck, "migration", "NoShardLost", "shards", "driver"),
    row(Mutant::StaleDelete, "migration", "NoShardLost", "shards", "collect"),
    row(Mutant::ConfigSkipped, "migration", "ConfigStep", "shards", "return"),
    row(Mutant::ConfigOutsideLog, "migration", "StateMachineSafety", "stack", "joins"),
    row(Mutant::PullFromStaleLeader, "migration", "OneOwner", "shards", "return"),
    row(Mutant::HandoffByTimeout, "migration", "OneOwner", "shards", "nobody"),
    row(Mutant::WrongGroupCached, "client", "RefusedHasNoEffect", "client", "default"),
    row(Mutant::RebalanceByHashOrder, "controller", "Determinism", "controller", "balance"),
    row(Mutant::ReturningShardOverwrites, "migration", "NoShardLost", "shards", "return"),
    row(Mutant::RejoinedGidMistaken, "migration", "OneOwner", "shards", "rejoin"),
    row(Mutant::ReplicaRecreated, "identity", "NeverRecreated", "identity", "retired"),
    row(Mutant::RestartLivelock, "replication", "Progress", "raft", "default"),
    // Our own.
    row(Mutant::PrevTermUnchecked, "replication", "LogMatching", "raft", "lengths"),
    row(Mutant::TruncateNotWritten, "replication", "DurableLane", "raft", "commit"),
    row(Mutant::LeaderCutsOwnLog, "replication", "LeaderAppendOnly", "raft", "commit"),
    row(Mutant::ProposalAppendedTwice, "replication", "AtMostOnce", "raft", "default"),
    row(Mutant::OldRoundConfirmed, "read", "LogSpec", "raft", "reads-again"),
    row(Mutant::FrozenCopyWritten, "migration", "FrozenImmutable", "shards", "return"),
    row(Mutant::OriginForgotten, "controller", "ConfigurationWellFormed", "controller", "balance"),
    row(Mutant::LargerShareByGid, "controller", "ConfigurationBalanced", "controller", "balance"),
    row(Mutant::ConfigurationRewritten, "controller", "ImmutableHistory", "controller", "sessions"),
    row(Mutant::MoveRebalances, "controller", "ChangeAsAsked", "controller", "balance"),
    row(Mutant::SessionIssuedAgain, "controller", "SessionIds", "controller", "sessions"),
    row(Mutant::StampReplaced, "controller", "NodeIdentity", "controller", "default"),
    row(Mutant::RetiredWhileNeeded, "controller", "OriginKept", "controller", "sessions"),
    row(Mutant::LostPullNotRepeated, "migration", "Progress", "shards", "driver"),
    row(Mutant::RetriedChangeActsTwice, "controller", "FirstAnswer", "controller", "sessions"),
    row(Mutant::SecondWriteOutstanding, "client", "OneOutstanding", "client", "default"),
    row(Mutant::RefusedThoughUncertain, "client", "RefusedHasNoEffect", "client", "refusals"),
    row(Mutant::DeadlineForgetsAttempt, "client", "RefusedHasNoEffect", "client", "default"),
    row(Mutant::SeqReused, "client", "NumbersGrow", "client", "default"),
    row(Mutant::AnswerByServer, "client", "AnswerIsItsOwn", "client", "cuts"),
    row(Mutant::RefusalNotRetried, "client", "Progress", "client", "refusals"),
    row(Mutant::OneWayPinning, "identity", "PinnedBeforeBegin", "identity", "default"),
    row(Mutant::PinBeforeDurable, "identity", "PinnedBeforeBegin", "identity", "default"),
    row(Mutant::OlderBootBelieved, "identity", "OlderBootRefused", "identity", "copy"),
    // Ours, of which no property of a model speaks: only the bindings to the proofs see that they leave the protocol.
    row(Mutant::UnsyncedDroppedAtStepDown, "replication", binding::NAME, "bind-raft", "deep2"),
    row(Mutant::CopyDroppedAtReturn, "migration", binding::NAME, "bind-shards", "return"),
];
