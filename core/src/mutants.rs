//! Deliberate bugs, one at a time, for the checks to catch: each re-creates a documented fault of a real system.
//!
//! A mutant changes one decision of the core, never a view, a ghost or a check. It exists only with the feature `mutants`,
//! and then acts only while it is selected; without the feature [`mutant!`] is `false` and nothing of it is compiled.
//! The selection is the whole process's: what compares a mutant with the sound core must not do so at the same time.
//!
//! While any mutant is selected the core's own assertions yield: a panic would end a run before it has shown the harm.

/// Whether a mutant is selected: `mutant!(Figure8)` reads "if the core had that bug".
#[cfg(feature = "mutants")]
macro_rules! mutant {
    ($name:ident) => {
        $crate::mutants::is($crate::mutants::Mutant::$name)
    };
}

/// Whether a mutant is selected: never, and the compiler knows it.
#[cfg(not(feature = "mutants"))]
macro_rules! mutant {
    ($name:ident) => {
        false
    };
}

pub(crate) use mutant;

/// Whether the core is meant to go wrong, so that its assertions must not stop it.
#[cfg(not(feature = "mutants"))]
#[inline]
pub const fn any_selected() -> bool {
    false
}

#[cfg(feature = "mutants")]
pub(crate) use order::MapOrder;
#[cfg(feature = "mutants")]
pub use table::{Mutant, any_selected, is, select, selected};

#[cfg(feature = "mutants")]
mod table {
    use core::sync::atomic::{AtomicU8, Ordering};

    /// Declares [`Mutant`] with its names and its sentences in one place.
    macro_rules! mutants {
        ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)+) => {
            /// A deliberate bug. The names are those of the bug catalogue.
            #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
            pub enum Mutant {
                $($(#[doc = $doc])+ $variant,)+
            }

            impl Mutant {
                /// All of them, in the order of the catalogue.
                pub const ALL: &'static [Self] = &[$(Self::$variant),+];

                /// Its name on the command line.
                pub const fn name(self) -> &'static str {
                    match self {
                        $(Self::$variant => $name,)+
                    }
                }

                /// What the wrong code does, in one sentence.
                pub fn about(self) -> &'static str {
                    match self {
                        $(Self::$variant => concat!($($doc),+).trim(),)+
                    }
                }
            }
        };
    }

    mutants! {
        // Raft: elections.
        /// The vote and the term are written one after the other, and a crash can fall between them.
        VoteNonatomic = "vote-nonatomic",
        /// The term and the vote are forgotten by a restart, but for the term of the last entry.
        TermVoteVolatile = "term-vote-volatile",
        /// A candidate does not record its vote for itself on disk.
        NoSelfVoteRecord = "no-self-vote-record",
        /// The term of a vote is not compared with the candidate's.
        StaleVoteReply = "stale-vote-reply",
        /// The grant of a pre-vote counts as a vote.
        PrevoteReplyAsVote = "prevote-reply-as-vote",
        /// Answering a pre-vote clears the recorded vote.
        PrevoteResetsVote = "prevote-resets-vote",
        /// A leader grants its vote to whoever asks for it in the leader's own term.
        LeaderGrantsVote = "leader-grants-vote",
        /// A vote that comes twice counts twice.
        DuplicateVoteCounted = "duplicate-vote-counted",
        /// A voter compares the lengths of logs and not their last terms.
        LogUpToDateByLength = "log-up-to-date-by-length",
        /// A voter wants neither the last term nor the last index of a candidate's log to be less than its own.
        LastlogVectorCompare = "lastlog-vector-compare",
        /// A pre-candidate does not learn the higher term of whoever refuses it.
        PrevoteIgnoresHigherTerm = "prevote-ignores-higher-term",
        /// A vote is sent before it is durable.
        VoteBeforeSync = "vote-before-sync",
        /// A candidate asks for votes before its term, its own vote and the log that it advertises are durable.
        RequestVoteBeforeSync = "request-vote-before-sync",

        // Raft: commit and replication.
        /// A leader commits an entry of an earlier term by counting its copies.
        Figure8 = "figure-8",
        /// A leader believes itself confirmed by one acknowledgement less than a quorum.
        ReadQuorumMinusOne = "read-quorum-minus-one",
        /// The commit index follows a message back.
        CommitRegress = "commit-regress",
        /// What is known to match a follower is overwritten by an older acknowledgement.
        MatchRegress = "match-regress",
        /// A follower's refusal is counted as an acknowledgement.
        CommitOnNack = "commit-on-nack",
        /// An append that ends before the log does cuts the log there.
        TruncateOnAnyAppend = "truncate-on-any-append",
        /// What an append brings is removed first, matching entries too, and then written again.
        DeleteThenAppendCrash = "delete-then-append-crash",
        /// A follower commits up to its own last entry, whether or not the append verified it.
        CommitBeyondAppend = "commit-beyond-append",
        /// An append is acknowledged before it is durable.
        AckBeforeSync = "ack-before-sync",
        /// A leader counts its own copy before it is durable.
        LeaderCountsItselfUnsynced = "leader-counts-itself-unsynced",
        /// A follower that needs compacted entries gets an append after nothing instead of a snapshot.
        EmptyAppendInsteadOfSnapshot = "empty-append-instead-of-snapshot",
        /// A leader takes the term of a compacted index as 0, and to a follower term 0 matches anything.
        CompactedTermZeroMatches = "compacted-term-zero-matches",

        // Raft: snapshots and storage.
        /// A late snapshot replaces newer state.
        SnapshotRewindsApplied = "snapshot-rewinds-applied",
        /// The session table is not part of the snapshot.
        SnapshotDropsSessions = "snapshot-drops-sessions",
        /// The log is compacted before the snapshot is durable.
        SnapshotBeforeDurable = "snapshot-before-durable",
        /// The entries of a newer term are written before the term itself.
        VoteLogReorder = "vote-log-reorder",
        /// An acknowledgement waits for whatever write first reached its index, not for its own.
        CompletionByIndex = "completion-by-index",
        /// A snapshot's state is newer than the applied index that is stored with it.
        AppliedOutsideTransaction = "applied-outside-transaction",
        /// A stamp of a data directory is not compared: a wiped one passes under its old name.
        WipedDiskVotes = "wiped-disk-votes",

        // Reads and sessions.
        /// A leader answers reads without asking whether it still leads.
        LocalRead = "local-read",
        /// A read is opened before an entry of the leader's own term is committed.
        ReadBeforeOwnTermCommit = "read-before-own-term-commit",
        /// A read is answered from a state that has applied less than its read index.
        ReadBeforeApply = "read-before-apply",
        /// A repeated write is not recognised when it is applied.
        DedupeAtProposeOnly = "dedupe-at-propose-only",
        /// The waiter at an index is answered though another leader's entry won it.
        ReplyFromWrongEntry = "reply-from-wrong-entry",
        /// Sessions end when a leader's node hears of it, not when the log says so.
        SessionExpiryByLocalClock = "session-expiry-by-local-clock",
        /// The session floor does not move with the shard.
        FloorLeftBehind = "floor-left-behind",
        /// A request older than the last one is answered from the record of the last.
        SupersededAnswered = "superseded-answered",
        /// A client whose session ended sends an unanswered request again under a new session.
        ResendUnderNewId = "resend-under-new-id",
        /// A session below the floor is begun anew by a late duplicate.
        ExpiredSessionReexecutes = "expired-session-reexecutes",

        // Controller and migration.
        /// The new owner serves reads before the shard's data is installed.
        ServeBeforeData = "serve-before-data",
        /// The old owner still serves a shard after handing it over.
        SourceServesAfterFreeze = "source-serves-after-freeze",
        /// Whether a shard is owned is asked when a write is proposed, not when it is applied.
        FreezeAtProposeOnly = "freeze-at-propose-only",
        /// The session table does not move with the shard.
        DedupeLeftBehind = "dedupe-left-behind",
        /// A repeated install overwrites newer writes.
        InstallTwice = "install-twice",
        /// The source deletes its copy before the target has installed it.
        GcBeforeAck = "gc-before-ack",
        /// A late delete removes every copy of a shard that has come back and gone again.
        StaleDelete = "stale-delete",
        /// A group goes on to a later configuration before it holds what the present one gave it.
        ConfigSkipped = "config-skipped",
        /// A leader adopts a configuration without logging it.
        ConfigOutsideLog = "config-outside-log",
        /// A replica that has not applied the freeze answers from the shard that it still serves.
        PullFromStaleLeader = "pull-from-stale-leader",
        /// The source takes a shard back that nobody has fetched by the next configuration.
        HandoffByTimeout = "handoff-by-timeout",
        /// A group's refusal of one attempt is taken for the answer to the request.
        WrongGroupCached = "wrong-group-cached",
        /// The balance depends on the order in which a replica happens to hold the groups.
        RebalanceByHashOrder = "rebalance-by-hash-order",
        /// A shard that comes back overwrites the frozen copy that the other side still needs.
        ReturningShardOverwrites = "returning-shard-overwrites",
        /// A gid that left and joined again is taken for the group that it was.
        RejoinedGidMistaken = "rejoined-gid-mistaken",
        /// A destroyed replica is created again when an old directory names it.
        ReplicaRecreated = "replica-recreated",
        /// A new leader does not append an entry of its own term.
        RestartLivelock = "restart-livelock",

        // Our own: for properties that no documented fault of this kind breaks first.
        /// A follower looks for the index before an append and not for its term.
        PrevTermUnchecked = "prev-term-unchecked",
        /// A follower cuts its log in memory and not on disk.
        TruncateNotWritten = "truncate-not-written",
        /// A leader cuts what its own disk has not synced when a new proposal comes.
        LeaderCutsOwnLog = "leader-cuts-own-log",
        /// A leader appends every proposal of a client twice.
        ProposalAppendedTwice = "proposal-appended-twice",
        /// A heartbeat of an old term is answered with its read round, in the new term.
        OldRoundConfirmed = "old-round-confirmed",
        /// A write to a shard that froze here changes the frozen copy.
        FrozenCopyWritten = "frozen-copy-written",
        /// Where a shard's data froze is forgotten when nobody owns it.
        OriginForgotten = "origin-forgotten",
        /// The larger shares go to the lowest gids, not to the fullest groups.
        LargerShareByGid = "larger-share-by-gid",
        /// A higher session floor is written into the latest configuration instead of a new one.
        ConfigurationRewritten = "configuration-rewritten",
        /// A shard that is moved by hand makes the others be balanced too.
        MoveRebalances = "move-rebalances",
        /// A session is issued twice once others have ended.
        SessionIssuedAgain = "session-issued-again",
        /// A node that registers under another stamp replaces the one that is known.
        StampReplaced = "stamp-replaced",
        /// A group retires though the cluster still needs it.
        RetiredWhileNeeded = "retired-while-needed",
        /// A question for a part of a shard that was lost is not asked again.
        LostPullNotRepeated = "lost-pull-not-repeated",
        /// A retried change of the configuration is carried out again.
        RetriedChangeActsTwice = "retried-change-acts-twice",
        /// A client sends a second write of a shard while the first is outstanding.
        SecondWriteOutstanding = "second-write-outstanding",
        /// A client reports a refusal as final though an earlier attempt went unanswered.
        RefusedThoughUncertain = "refused-though-uncertain",
        /// A client whose deadline passes reports a write on its way as not executed.
        DeadlineForgetsAttempt = "deadline-forgets-attempt",
        /// A client gives a request number out again.
        SeqReused = "seq-reused",
        /// A client takes an answer for that to its oldest request to the server.
        AnswerByServer = "answer-by-server",
        /// A client does not try again after a refusal that asks it to.
        RefusalNotRetried = "refusal-not-retried",
        /// A controller member begins when it has pinned the others, whether or not they have pinned it.
        OneWayPinning = "one-way-pinning",
        /// A controller member begins before its pins are durable.
        PinBeforeDurable = "pin-before-durable",
        /// An old boot of a data directory is believed after a later one was seen.
        OlderBootBelieved = "older-boot-believed",
        /// A leader that steps down drops what it has not synced.
        UnsyncedDroppedAtStepDown = "unsynced-dropped-at-step-down",
        /// A group that gets a shard back drops its older copy of it, without being told that it was taken over.
        CopyDroppedAtReturn = "copy-dropped-at-return",
    }

    impl Mutant {
        /// The mutant of this name.
        pub fn from_name(name: &str) -> Option<Self> {
            Self::ALL.iter().copied().find(|mutant| mutant.name() == name)
        }
    }

    /// 0 for none, else one more than the selected one's place.
    static SELECTED: AtomicU8 = AtomicU8::new(0);

    /// Selects a mutant for the whole process, or none.
    pub fn select(mutant: Option<Mutant>) {
        SELECTED.store(mutant.map_or(0, |mutant| mutant as u8 + 1), Ordering::Relaxed);
    }

    /// The selected one.
    pub fn selected() -> Option<Mutant> {
        let place = usize::from(SELECTED.load(Ordering::Relaxed)).checked_sub(1)?;
        Mutant::ALL.get(place).copied()
    }

    /// Whether it is the selected one.
    #[inline]
    pub fn is(mutant: Mutant) -> bool {
        SELECTED.load(Ordering::Relaxed) == mutant as u8 + 1
    }

    /// Whether the core is meant to go wrong, so that its assertions must not stop it.
    #[inline]
    pub fn any_selected() -> bool {
        SELECTED.load(Ordering::Relaxed) != 0
    }
}

#[cfg(feature = "mutants")]
mod order {
    use core::hash::{Hash, Hasher};

    /// The order in which a map without order would hold its items: another one after a restore. For the one mutant that
    /// looks at it (`rebalance-by-hash-order`). Equal to any other: it is no part of the state that replicas share, as
    /// the seed of a hash map is none.
    #[derive(Clone, Copy, Debug, Default)]
    pub(crate) struct MapOrder {
        other: bool,
    }

    impl MapOrder {
        /// The order after a restore.
        pub(crate) fn restored() -> Self {
            Self { other: mutant!(RebalanceByHashOrder) }
        }

        pub(crate) fn is_other(self) -> bool {
            self.other
        }
    }

    impl PartialEq for MapOrder {
        fn eq(&self, _other: &Self) -> bool {
            true
        }
    }

    impl Eq for MapOrder {}

    impl Hash for MapOrder {
        fn hash<H: Hasher>(&self, _state: &mut H) {}
    }
}
