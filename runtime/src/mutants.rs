//! Deliberate bugs of the shell, one at a time, for the checks to catch: what real systems got wrong around their cores.
//!
//! As in the core: a mutant changes one decision, exists only with the feature `mutants`, and acts only while it is
//! selected. The selection is the whole process's. A shipped binary has none of it.

/// Whether a mutant is selected: `mutant!(SyncSkipped)` reads "if the shell had that bug".
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

#[cfg(feature = "mutants")]
pub use table::{Mutant, is, select, selected};

#[cfg(feature = "mutants")]
mod table {
    use std::sync::atomic::{AtomicU8, Ordering};

    /// Declares [`Mutant`] with its names and its sentences in one place.
    macro_rules! mutants {
        ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)+) => {
            /// A deliberate bug. Where the bug catalogue has it, the name is the catalogue's.
            #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
            pub enum Mutant {
                $($(#[doc = $doc])+ $variant,)+
            }

            impl Mutant {
                /// All of them.
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
        // Write-ahead log.
        /// A failed sync is taken for a good one.
        ContinueAfterFailedSync = "continue-after-failed-sync",
        /// A failed sync is tried again, and the second answer believed.
        RetryFailedSync = "retry-failed-sync",
        /// A frame is reported durable when it is written.
        SyncSkipped = "sync-skipped",
        /// A frame that took only the first of the writes that wait is counted for all of them.
        FrameCountsForAll = "frame-counts-for-all",
        /// Terms and votes are written behind the log entries that wait with them.
        VoteLogReorder = "vote-log-reorder",
        /// The term and the vote are written in two frames.
        VoteNonatomic = "vote-nonatomic",
        /// An opening does not restate the vote of a group without live entries.
        IdleGroupVotePurged = "idle-group-vote-purged",
        /// Older segments are removed before the opening that restates their entries is written.
        DeleteThenAppendCrash = "delete-then-append-crash",
        /// The name of a new segment is not made durable.
        SegmentNameNotSynced = "segment-name-not-synced",
        /// What a killed process wrote and did not sync is built upon without a sync.
        RecoveredNotSynced = "recovered-not-synced",
        /// Damage before an intact frame is taken for a torn write and cut off.
        TornTailMidLog = "torn-tail-mid-log",
        /// A frame that was written for another place is taken.
        FramePlaceUnchecked = "frame-place-unchecked",
        /// A frame of another node or directory is taken.
        FrameIdentityUnchecked = "frame-identity-unchecked",
        /// A segment that was cut short is read as far as it goes.
        CutShortUnnoticed = "cut-short-unnoticed",
        /// A node whose log is gone begins a new one under its old identity.
        WipedDiskVotes = "wiped-disk-votes",
        /// A finished write is looked for by the log index that it reached, and the last one that waits for it is reported.
        CompletionByIndex = "completion-by-index",
        /// The term and the vote are not read back.
        TermVoteVolatile = "term-vote-volatile",
        /// That a replica was destroyed is not read back.
        ReplicaRecreated = "replica-recreated",

        // Snapshots and recovery.
        /// A snapshot is renamed before its bytes are synced.
        SnapshotNotSynced = "snapshot-not-synced",
        /// The name of a snapshot is not made durable.
        SnapshotNameNotSynced = "snapshot-name-not-synced",
        /// A snapshot is reported durable before it is written, so that the log goes first.
        SnapshotBeforeDurable = "snapshot-before-durable",
        /// An older snapshot goes before the log's mark of the newer one is durable.
        OlderSnapshotGoesFirst = "older-snapshot-goes-first",
        /// Recovery takes the newest snapshot there is, not the one that the log marks.
        AppliedOutsideTransaction = "applied-outside-transaction",
        /// Recovery takes the oldest snapshot there is: one that comes late replaces newer state.
        SnapshotRewindsApplied = "snapshot-rewinds-applied",
        /// A shard's sessions are left out of a snapshot's file.
        SnapshotDropsSessions = "snapshot-drops-sessions",
        /// A snapshot that lacks parts is taken.
        SnapshotEndUnchecked = "snapshot-end-unchecked",

        // Codec.
        /// The first bytes of a frame are not compared.
        CodecMagicIgnored = "codec-magic-ignored",
        /// The version of a frame is not compared.
        CodecVersionIgnored = "codec-version-ignored",
        /// The kind of a frame is not compared.
        CodecKindIgnored = "codec-kind-ignored",
        /// A length over its kind's limit is accepted.
        CodecLengthUnlimited = "codec-length-unlimited",
        /// The checksum of a frame is not compared.
        CodecChecksumIgnored = "codec-checksum-ignored",
        /// Bytes after a frame are ignored.
        CodecFrameTrailingIgnored = "codec-frame-trailing-ignored",
        /// Bytes after the value in a frame are ignored.
        CodecBodyTrailingIgnored = "codec-body-trailing-ignored",

        // Data directory.
        /// A directory's stamp is made from its node's id: a wiped one has it again.
        StampRepeated = "stamp-repeated",
        /// An opening has the same boot number as the one before.
        BootRepeated = "boot-repeated",
        /// Two processes may have a directory open.
        LockNotTaken = "lock-not-taken",

        // Driver.
        /// The core is told that writes are durable when they are submitted.
        SyncedOnSubmit = "synced-on-submit",
        /// The writes of one batch are submitted in reverse order.
        WritesOutOfOrder = "writes-out-of-order",
        /// An answer goes to another request that waits.
        AnswerToAnother = "answer-to-another",
        /// A request is handed to the core twice.
        RequestDeliveredTwice = "request-delivered-twice",
        /// A disarmed timer fires.
        TimerNotDisarmed = "timer-not-disarmed",
        /// A timer fires twice for one arming.
        TimerFiresTwice = "timer-fires-twice",
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
        SELECTED.store(mutant.map_or(0, |mutant| mutant as u8 + 1), Ordering::SeqCst);
    }

    /// The selected one.
    pub fn selected() -> Option<Mutant> {
        let place = usize::from(SELECTED.load(Ordering::SeqCst)).checked_sub(1)?;
        Mutant::ALL.get(place).copied()
    }

    /// Whether it is the selected one.
    #[inline]
    pub fn is(mutant: Mutant) -> bool {
        SELECTED.load(Ordering::SeqCst) == mutant as u8 + 1
    }
}
