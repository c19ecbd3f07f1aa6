//! A core that leaves the protocol is refused by the TLA+ modules, at the step that leaves it: also where no property of a
//! model breaks.
//!
//! Alone in its process: a selected mutant is the whole process's. tla-checker is needed: `spec/check` builds it.

use quorate_proofs::conform::{Checker, Run, Verdict, conform};
use quorate_proofs::core::mutants::{Mutant, select};
use quorate_proofs::models::{raft, shards};
use quorate_spec::Violation;
use std::fmt::Debug;
use std::sync::{Mutex, PoisonError};

/// Selections are the whole process's: one mutant at a time.
static CORE: Mutex<()> = Mutex::new(());

/// So many walks are tried.
const SEEDS: u64 = 64;

/// Walks the mutated core until a run is refused. Returns the run, how many events are explained, and what broke on the
/// way, which only ends a walk.
fn refused<R: Run>(mutant: Mutant, record: impl Fn(u64) -> (R, Option<Violation>)) -> (R, usize, Option<Violation>) {
    let _core = CORE.lock().unwrap_or_else(PoisonError::into_inner);
    let checker = Checker::find().unwrap_or_else(|missing| panic!("{missing}"));
    for seed in 0..SEEDS {
        select(Some(mutant));
        let (run, broken) = record(seed);
        select(None);
        if let Verdict::Refused { explained, .. } = conform(&checker, &run).expect("the checker answers") {
            return (run, explained, broken);
        }
    }
    panic!("no run of {} is refused", mutant.name());
}

/// A replica may take several actions at once, of which the last tells the state: those of the refused step.
fn raft_step(mutant: Mutant) -> (Vec<&'static str>, Option<Violation>) {
    let (run, place, broken) = refused(mutant, |seed| raft::record_until_broken(seed, 600));
    let before = run[..place].iter().rposition(|event| event.after.is_some()).map_or(0, |told| told + 1);
    (run[before..=place].iter().filter_map(|event| event.action.map(|action| action.name())).collect(), broken)
}

fn shard_step(mutant: Mutant) -> (&'static str, Option<Violation>) {
    let (run, place, broken) = refused(mutant, |seed| shards::record_until_broken(seed, 300));
    (run.events[place].name, broken)
}

fn unseen<N: Debug>((names, broken): (N, Option<Violation>)) -> N {
    assert!(broken.is_none(), "{names:?}: a property sees it: {broken:?}");
    names
}

#[test]
fn what_harms_nobody_is_refused_at_its_step() {
    let names = unseen(raft_step(Mutant::UnsyncedDroppedAtStepDown));
    assert!(names.contains(&"StepDown"), "{names:?}");
    assert_eq!(unseen(shard_step(Mutant::CopyDroppedAtReturn)), "Install");
}

#[test]
fn what_breaks_a_property_is_refused_at_its_step() {
    let (names, _) = raft_step(Mutant::TruncateOnAnyAppend);
    assert!(names.contains(&"HandleAppend"), "{names:?}");
    let (names, _) = raft_step(Mutant::CommitBeyondAppend);
    assert!(names.contains(&"AdvanceCommit"), "{names:?}");
    assert_eq!(shard_step(Mutant::ServeBeforeData).0, "Read");
    assert_eq!(shard_step(Mutant::DedupeLeftBehind).0, "Install");
    // Its copies are gone without a word: no label says so.
    assert_eq!(shard_step(Mutant::StaleDelete).0, "");
}
