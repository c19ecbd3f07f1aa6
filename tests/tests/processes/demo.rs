//! The demo's verdicts can fail: a client that reports a wrong value, one that repeats an append, a lost write. That it
//! succeeds otherwise is what `tests/run` runs it for.

use quorate_tests::place::Place;
use quorate_tests::records;
use quorate_tests::replay::replay_all;
use quorate_tests::world::binary;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// Runs the demo with one client that misbehaves, and keeps it in this directory; gives what it reports.
fn sabotaged(how: &str, kept: &Path) -> serde_json::Value {
    let output = Command::new(binary())
        .args(["demo", "--json", "--seconds", "10", "--sabotage", how, "--keep"])
        .arg(kept)
        .output()
        .expect("the demo runs");
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{how}: it must exit with 1\n{words}");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("standard output is one JSON value");
    assert_eq!(report["holds"], false, "{how}: {report}");
    report
}

#[test]
fn a_wrong_value_is_found() {
    assert_eq!(sabotaged("wrong-value", Place::default().path())["linearizable"], false);
}

#[test]
fn a_repeated_append_is_found() {
    assert_eq!(sabotaged("repeat-append", Place::default().path())["at_most_once"], false);
}

#[test]
fn a_lost_write_is_found() {
    let kept = Place::default();
    let report = sabotaged("lost-write", kept.path());
    assert!(report["lost_acknowledged_writes"].as_u64().is_some_and(|lost| lost > 0));
    // A client lied, and no node did. Once is enough: it takes as long as a demo.
    let replayed = replay_all(&kept.path().join("records")).unwrap_or_else(|error| panic!("{error}"));
    println!("{}", records::tell(&replayed));
    let nodes: BTreeSet<_> = replayed.iter().map(|record| record.node).collect();
    assert_eq!(nodes.len(), 15, "every node recorded what it was given");
}
