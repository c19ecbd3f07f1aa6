//! Which scope must catch which deliberate bug of the shell, by which property, and the hunt for one.
//!
//! A mutant is killed only if the property of its row is broken in the scope of its row: a panic or another property is
//! no kill. And every scope passes, all its seeds, with no mutant selected.

use super::{Broken, Scope, scope};
use quorate::mutants::{Mutant, select};
use serde::Serialize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

/// A mutant and what must catch it.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The mutant.
    pub mutant: Mutant,
    /// What it is a fault of.
    pub layer: &'static str,
    /// The property that it must break.
    pub property: &'static str,
    /// The scope that shows it.
    pub scope: &'static str,
    /// The rows of the bug catalogue that it is, besides the one of its own name.
    pub stands_for: &'static [&'static str],
}

/// Rows of the bug catalogue about what a node says before it is durable. Which promise that is, only the core knows: it
/// holds each until it is told `Synced`, and the shell has no other say in it. So in the shell they are one fault, that it
/// says so too early, and that can happen in these places: the driver, and the log that reports to it.
const BEFORE_SYNC: &[&str] =
    &["vote-before-sync", "request-vote-before-sync", "ack-before-sync", "leader-counts-itself-unsynced"];

/// The rows of the bug catalogue that concern the log, snapshots, recovery, codec and driver.
pub const CATALOGUE: &[&str] = &[
    "vote-nonatomic",
    "term-vote-volatile",
    "vote-before-sync",
    "request-vote-before-sync",
    "delete-then-append-crash",
    "ack-before-sync",
    "leader-counts-itself-unsynced",
    "snapshot-rewinds-applied",
    "snapshot-drops-sessions",
    "snapshot-before-durable",
    "vote-log-reorder",
    "completion-by-index",
    "continue-after-failed-sync",
    "applied-outside-transaction",
    "idle-group-vote-purged",
    "torn-tail-mid-log",
    "wiped-disk-votes",
    "replica-recreated",
];

impl Row {
    const fn stands_for(self, rows: &'static [&'static str]) -> Self {
        Self { stands_for: rows, ..self }
    }

    /// All rows of the bug catalogue that it is, or only its own name.
    pub fn names(&self) -> Vec<&'static str> {
        [self.mutant.name()].into_iter().chain(self.stands_for.iter().copied()).collect()
    }
}

const fn row(mutant: Mutant, layer: &'static str, property: &'static str, scope: &'static str) -> Row {
    Row { mutant, layer, property, scope, stands_for: &[] }
}

/// All mutants, in their own order.
pub const TABLE: &[Row] = &[
    row(Mutant::ContinueAfterFailedSync, "wal", "Durability", "wal"),
    row(Mutant::RetryFailedSync, "wal", "Durability", "wal"),
    row(Mutant::SyncSkipped, "wal", "Durability", "wal").stands_for(BEFORE_SYNC),
    row(Mutant::FrameCountsForAll, "wal", "Durability", "thread").stands_for(BEFORE_SYNC),
    row(Mutant::VoteLogReorder, "wal", "Durability", "thread"),
    row(Mutant::VoteNonatomic, "wal", "Atomicity", "wal"),
    row(Mutant::IdleGroupVotePurged, "wal", "VotesKept", "wal"),
    row(Mutant::DeleteThenAppendCrash, "wal", "Recovers", "wal"),
    row(Mutant::SegmentNameNotSynced, "wal", "Durability", "wal"),
    row(Mutant::RecoveredNotSynced, "recovery", "Durability", "wal"),
    row(Mutant::TornTailMidLog, "recovery", "DamageRefused", "damage"),
    row(Mutant::FramePlaceUnchecked, "recovery", "OwnFramesOnly", "damage"),
    row(Mutant::FrameIdentityUnchecked, "recovery", "OwnFramesOnly", "damage"),
    row(Mutant::CutShortUnnoticed, "recovery", "DamageRefused", "damage"),
    row(Mutant::WipedDiskVotes, "recovery", "LossRefused", "damage"),
    row(Mutant::CompletionByIndex, "wal", "Durability", "thread"),
    row(Mutant::TermVoteVolatile, "recovery", "ElectionSafety", "restarts"),
    row(Mutant::ReplicaRecreated, "recovery", "OneLife", "restarts"),
    row(Mutant::SnapshotNotSynced, "snapshot", "SnapshotDurable", "snapshots"),
    row(Mutant::SnapshotNameNotSynced, "snapshot", "SnapshotDurable", "snapshots"),
    row(Mutant::SnapshotBeforeDurable, "snapshot", "SnapshotDurable", "snapshots"),
    row(Mutant::OlderSnapshotGoesFirst, "snapshot", "Recovers", "node"),
    row(Mutant::AppliedOutsideTransaction, "recovery", "StateMachineSafety", "node"),
    row(Mutant::SnapshotRewindsApplied, "recovery", "StateMachineSafety", "node"),
    row(Mutant::SnapshotDropsSessions, "snapshot", "AtMostOnce", "snapshots"),
    row(Mutant::SnapshotEndUnchecked, "snapshot", "DamageRefused", "snapshots"),
    row(Mutant::CodecMagicIgnored, "codec", "WrongFrameRefused", "codec"),
    row(Mutant::CodecVersionIgnored, "codec", "WrongFrameRefused", "codec"),
    row(Mutant::CodecKindIgnored, "codec", "WrongFrameRefused", "codec"),
    row(Mutant::CodecLengthUnlimited, "codec", "LengthLimited", "codec"),
    row(Mutant::CodecChecksumIgnored, "codec", "WrongFrameRefused", "codec"),
    row(Mutant::CodecFrameTrailingIgnored, "codec", "WrongFrameRefused", "codec"),
    row(Mutant::CodecBodyTrailingIgnored, "codec", "WrongFrameRefused", "codec"),
    row(Mutant::StampRepeated, "directory", "WipedIsAnother", "directory"),
    row(Mutant::BootRepeated, "directory", "BootsGrow", "directory"),
    row(Mutant::LockNotTaken, "directory", "OneProcess", "directory"),
    row(Mutant::SyncedOnSubmit, "driver", "SyncedIsDurable", "driver").stands_for(BEFORE_SYNC),
    row(Mutant::WritesOutOfOrder, "driver", "LaneInOrder", "driver"),
    row(Mutant::AnswerToAnother, "driver", "AnswerIsItsOwn", "driver"),
    row(Mutant::RequestDeliveredTwice, "driver", "RequestOnce", "driver"),
    row(Mutant::TimerNotDisarmed, "driver", "NeverWhenDisarmed", "driver"),
    row(Mutant::TimerFiresTwice, "driver", "OncePerArming", "driver"),
];

/// What became of a mutant, as `quorate-sim mutants --json` tells it.
#[derive(Clone, Debug, Serialize)]
pub struct Verdict {
    /// The mutant.
    pub name: &'static str,
    /// The rows of the bug catalogue that it is too: see [`Row::stands_for`].
    pub stands_for: &'static [&'static str],
    /// What it is a fault of.
    pub layer: &'static str,
    /// What killed it; `None`: it is alive.
    pub killed_by: Option<&'static str>,
    /// The property that it must break.
    pub property: &'static str,
    /// Where.
    pub scope: &'static str,
    /// How long the hunt took.
    pub seconds: f64,
    /// After how many steps the property broke.
    pub trace_length: u64,
    /// The evidence, or what else happened.
    #[serde(skip)]
    pub evidence: String,
}

/// Hunts a mutant. Nothing else may use the shell in this process meanwhile.
pub fn hunt(row: &Row) -> Verdict {
    let begun = Instant::now();
    let mut verdict = Verdict {
        name: row.mutant.name(),
        stands_for: row.stands_for,
        layer: row.layer,
        killed_by: None,
        property: row.property,
        scope: row.scope,
        seconds: 0.0,
        trace_length: 0,
        evidence: "nothing is broken".to_owned(),
    };
    let Some(scope) = scope(row.scope) else { return verdict };
    select(Some(row.mutant));
    for seed in 0..scope.seeds {
        match catch_unwind(AssertUnwindSafe(|| (scope.check)(seed))) {
            Ok(Err(Broken { violation, steps })) if violation.property == row.property => {
                verdict.killed_by = Some(row.scope);
                verdict.trace_length = steps;
                verdict.evidence = format!("seed {seed}: {}", violation.evidence);
                break;
            }
            Ok(Err(broken)) => verdict.evidence = format!("only {}", broken.violation),
            Ok(Ok(_)) => {}
            Err(_) => verdict.evidence = "a panic".to_owned(),
        }
    }
    select(None);
    verdict.seconds = begun.elapsed().as_secs_f64();
    verdict
}

/// Whether a scope passes without any mutant.
///
/// # Errors
/// What is broken.
pub fn passes(scope: &Scope) -> Result<u64, Broken> {
    select(None);
    scope.pass()
}
