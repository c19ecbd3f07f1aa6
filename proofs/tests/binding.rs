//! The running code is bound to the proofs: every state satisfies what was proved, every step is one of the specification;
//! and a core that leaves the protocol without breaking any property of the models is told so.
//!
//! Alone in its process: a selected mutant is the whole process's.

use quorate_proofs::binding::{self, MODELS, Report, bind};
use quorate_proofs::core::mutants::{Mutant, select};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Selections are the whole process's: one binding at a time.
static CORE: Mutex<()> = Mutex::new(());

fn core_with(mutant: Option<Mutant>) -> MutexGuard<'static, ()> {
    let guard = CORE.lock().unwrap_or_else(PoisonError::into_inner);
    select(mutant);
    guard
}

fn count(report: &Report, label: &str) -> (u64, u64) {
    report.actions.get(label).map_or((0, 0), |tally| (tally.steps, tally.stutters))
}

#[test]
fn the_models_that_are_bound_take_only_steps_of_the_specification() {
    let _core = core_with(None);
    let reports: Vec<Report> = MODELS.iter().map(|(model, scope)| bind(model, scope).expect("it is bound")).collect();
    for report in &reports {
        assert!(report.holds(), "{} / {}: {:?}", report.model, report.scope, report.failure);
        assert!(report.structures > 100 && report.different_steps > 100 && report.evaluations > 1000, "{report:?}");
        for (label, tally) in &report.actions {
            assert!(tally.stutters == 0 || tally.may_stutter.is_some(), "{label} is a stutter without a reason");
        }
    }
    let shards = &reports[0];
    assert!(shards.sample.is_none(), "all states of the shards");
    for label in
        ["Join", "Leave", "Move", "SendRequest", "Execute", "AdoptConfiguration", "SendChunk", "Install", "Collect"]
    {
        let (steps, stutters) = count(shards, label);
        assert!(steps > 0 && stutters == 0, "{label}: {steps} steps, {stutters} of them stutters");
    }
    let crashing = reports.iter().find(|report| report.scope == "deep2").expect("a scope with crashes");
    for label in
        ["StartElection", "BecomeLeader", "Propose", "HandleAppend", "SyncWrites", "AdvanceCommit", "Apply", "Restart"]
    {
        let (steps, stutters) = count(crashing, label);
        assert!(steps > stutters, "{label}: {steps} steps, {stutters} of them stutters");
    }
}

fn caught(mutant: Mutant, model: &str, scope: &str, what: &str) {
    let _core = core_with(Some(mutant));
    let report = bind(model, scope);
    select(None);
    let failure = report.expect("it is bound").failure.unwrap_or_else(|| panic!("{} is not seen", mutant.name()));
    assert!(failure.what.contains(what) && !failure.steps.is_empty(), "{}: {failure:?}", mutant.name());
}

#[test]
fn a_core_that_leaves_the_protocol_is_not_a_step_of_the_specification() {
    caught(Mutant::CopyDroppedAtReturn, "shards", "return", "frozen(g1@1, shard 0, configuration 2): missing");
    caught(Mutant::UnsyncedDroppedAtStepDown, "raft", "deep2", "is not as the specification has it");
}

#[test]
fn faults_that_the_models_see_are_seen_here_too() {
    caught(Mutant::ServeBeforeData, "shards", "return", "a read is answered that the specification refuses");
    caught(Mutant::DedupeLeftBehind, "shards", "return", "the invariant served_done does not hold");
    caught(Mutant::StaleDelete, "shards", "collect", "labelled without a label");
    caught(Mutant::FloorLeftBehind, "shards", "floor", "ended(g2@1, shard 0, c1): missing");
    caught(Mutant::CommitBeyondAppend, "raft", "heartbeats", "a follower learns of a commit that nobody told it of");
    caught(Mutant::TruncateOnAnyAppend, "raft", "deep2", "the log of node");
    caught(Mutant::AckBeforeSync, "raft", "deep2", "which it may not");
}

#[test]
fn what_cannot_be_bound_is_refused_by_name() {
    assert!(bind("shards", "nowhere").expect_err("no such scope").contains("nowhere"));
    assert!(bind("client", "default").expect_err("not bound").contains("shards, raft"));
    // What begins in the middle has no history that a walk could carry.
    assert!(bind("raft", "commit").is_err() && binding::judged("raft", "commit").is_none());
}
