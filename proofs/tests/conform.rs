//! Trace validation: runs of the models `raft` and `shards` are behaviours of `Raft.tla` and `ShardKV.tla`, and the same runs
//! with one wrong field are not.
//!
//! `tests/deep` asks for more runs by QUORATE_CONFORM_SEEDS. tla-checker is needed: `spec/check` builds it.

use quorate_proofs::conform::corrupt::corrupt;
use quorate_proofs::conform::{Checker, Verdict, accepts, conform, shards};
use quorate_proofs::models::raft::record;
use quorate_proofs::models::shards::record as record_shards;
use quorate_spec::action::Action;
use std::collections::BTreeSet;

/// Steps of one walk: about two hundred events.
const STEPS: usize = 600;
/// Steps of one walk of the data groups: about seventy events.
const SHARD_STEPS: usize = 300;
/// Walks of the data groups: four at each scope.
const SHARD_WALKS: u64 = 32;
/// Corruptions of each model's runs, spread over them.
const CORRUPTIONS: u64 = 100;

fn seeds() -> u64 {
    std::env::var("QUORATE_CONFORM_SEEDS").map_or(12, |seeds| seeds.parse().expect("a number of seeds"))
}

fn checker() -> Checker {
    Checker::find().unwrap_or_else(|missing| panic!("{missing}"))
}

#[test]
fn runs_of_the_model_are_behaviours_of_the_specification() {
    let checker = checker();
    let mut seen = BTreeSet::new();
    for seed in 0..seeds() {
        let events = record(seed, STEPS);
        seen.extend(events.iter().filter_map(|event| event.action.as_ref().map(Action::name)));
        match conform(&checker, &events).expect("the checker answers") {
            Verdict::Accepted => {}
            Verdict::Refused { explained, state, broken } => panic!(
                "seed {seed}: event {} is explained by nothing: {:?}\nbreaks {broken:?}\nafter {state}",
                explained + 1,
                events[explained]
            ),
        }
    }
    let all = [
        "StartPreVote",
        "StartElection",
        "HandleRequestVote",
        "StepDown",
        "BecomeLeader",
        "Propose",
        "HandleAppend",
        "SyncWrites",
        "AdvanceCommit",
        "HandleHeartbeat",
        "RequestRead",
        "ConfirmRead",
        "CompactLog",
        "HandleSnapshotChunk",
        "InstallSnapshot",
        "Restart",
    ];
    let missing: Vec<_> = all.into_iter().filter(|name| !seen.contains(name)).collect();
    assert!(missing.is_empty(), "no run has {missing:?}");
}

#[test]
fn a_run_with_one_wrong_field_is_refused() {
    let checker = checker();
    for seed in 0..CORRUPTIONS {
        let corrupted = corrupt(&record(seed % 10, STEPS), seed);
        let accepted = accepts(&checker, &corrupted.events).expect("the checker answers");
        let event = &corrupted.events[corrupted.place];
        assert!(
            !accepted,
            "seed {seed}: accepted with a wrong {} in event {}: {event:?}",
            corrupted.field,
            corrupted.place + 1
        );
    }
}

#[test]
fn runs_of_the_shards_are_behaviours_of_the_specification() {
    let checker = checker();
    let mut seen = BTreeSet::new();
    for seed in 0..seeds().max(SHARD_WALKS) {
        let run = record_shards(seed, SHARD_STEPS);
        println!("seed {seed}: {} events", run.events.len());
        seen.extend(run.events.iter().map(|event| event.name));
        match conform(&checker, &run).expect("the checker answers") {
            Verdict::Accepted => {}
            Verdict::Refused { explained, state, broken } => panic!(
                "seed {seed}: event {} is explained by nothing: {:?}\nbreaks {broken:?}\nafter {state}",
                explained + 1,
                run.events[explained]
            ),
        }
    }
    let all = [
        "Join",
        "Leave",
        "Move",
        "RaiseFloor",
        "AdoptConfiguration",
        "SendChunk",
        "Install",
        "Collect",
        "SendRequest",
        "Complete",
        "GiveUp",
        "Execute",
        "Repeat",
        "Refuse",
        "Read",
    ];
    let missing: Vec<_> = all.into_iter().filter(|name| !seen.contains(name)).collect();
    assert!(missing.is_empty(), "no run has {missing:?}");
}

#[test]
fn a_run_of_the_shards_with_one_wrong_field_is_refused() {
    let checker = checker();
    for seed in 0..2 * CORRUPTIONS {
        let shards::corrupt::Corrupted { run, place, field } =
            shards::corrupt::corrupt(&record_shards(seed % SHARD_WALKS, SHARD_STEPS), seed);
        let accepted = accepts(&checker, &run).expect("the checker answers");
        assert!(
            !accepted,
            "seed {seed}: accepted with a wrong {field} in event {}: {:?}",
            place + 1,
            run.events[place]
        );
    }
}
