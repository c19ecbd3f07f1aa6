//! The table of mutants is complete, and the quick hunts kill. The others are `quorate-check mutants`.
//!
//! Alone in its process: a selected mutant is the whole process's.

use quorate_proofs::core::mutants::Mutant;
use quorate_proofs::mutants::{Row, TABLE, Verdict, judged, passes, row_of, run};
use quorate_proofs::verify::{Budget, Strategy};
use std::collections::BTreeSet;
use std::time::Duration;

#[test]
fn every_mutant_has_one_row_that_can_be_hunted() {
    let names: Vec<Mutant> = TABLE.iter().map(|row| row.mutant).collect();
    assert_eq!(names, Mutant::ALL, "one row for each, in the order of the core");
    for row in TABLE {
        let name = row.mutant.name();
        let properties = judged(row.model, row.scope);
        let properties = properties.unwrap_or_else(|| panic!("{name}: no scope {} of {}", row.scope, row.model));
        assert!(properties.contains(&row.property), "{name}: {} does not judge {}", row.model, row.property);
    }
}

#[test]
fn every_property_has_a_mutant() {
    let broken: BTreeSet<&str> = TABLE.iter().map(|row| row.property).collect();
    for model in ["raft", "controller", "shards", "client", "identity"] {
        for property in judged(model, "default").expect("every model has a default scope") {
            assert!(broken.contains(property), "no mutant breaks {property}, which {model} judges");
        }
    }
}

/// Hunts the rows of a model.
fn hunt(model: &str) {
    TABLE.iter().filter(|row| row.model == model).for_each(kill);
}

fn kill(row: &Row) {
    let budget = Budget { time: Some(Duration::from_secs(60)), ..Budget::of(Strategy::Bfs) };
    let verdict = run(row, &budget).expect("the scope exists");
    let killed = matches!(verdict, Verdict::Killed { .. });
    assert!(killed, "{} at {}: {verdict:?}", row.mutant.name(), row.scope);
}

#[test]
fn mutants_of_raft_are_killed_and_their_scopes_are_exhausted_without_them() {
    hunt("raft");
    let scopes: BTreeSet<&str> = TABLE.iter().filter(|row| row.model == "raft").map(|row| row.scope).collect();
    for scope in scopes {
        let budget = Budget { time: Some(Duration::from_secs(120)), ..Budget::of(Strategy::Bfs) };
        let (passed, _) = passes("raft", scope, &budget).expect("the scope exists");
        assert!(passed, "raft / {scope}: not exhausted, or not without a violation");
    }
}

#[test]
fn mutants_of_the_controller_are_killed() {
    hunt("controller");
}

#[test]
fn mutants_of_the_shards_are_killed() {
    hunt("shards");
}

#[test]
fn mutants_of_the_client_are_killed() {
    hunt("client");
}

#[test]
fn mutants_of_identity_are_killed() {
    hunt("identity");
}

#[test]
fn mutants_of_the_stack_are_killed_and_its_scopes_pass_without() {
    hunt("stack");
    for row in TABLE.iter().filter(|row| row.model == "stack") {
        let (passed, _) = passes(row.model, row.scope, &Budget::of(Strategy::Bfs)).expect("the scope exists");
        assert!(passed, "{} passes", row.scope);
    }
}

#[test]
fn without_a_mutant_nothing_is_found() {
    let (passed, _) = passes("client", "start", &Budget::of(Strategy::Bfs)).expect("the scope exists");
    assert!(passed, "the scope passes");
    let row = row_of(Mutant::ReplicaRecreated).expect("it has a row");
    let (passed, _) = passes(row.model, row.scope, &Budget::of(Strategy::Bfs)).expect("the scope exists");
    assert!(passed, "the scope passes");
}
