//! The demo's verdicts can fail: a client that reports a wrong value, one that repeats an append, a lost write. That it
//! succeeds otherwise is what `tests/run` runs it for.

use quorate_tests::world::binary;
use std::process::Command;

/// Runs the demo with one client that misbehaves; gives what it reports.
fn sabotaged(how: &str) -> serde_json::Value {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let output = Command::new(binary())
        .args(["demo", "--json", "--seconds", "10", "--sabotage", how, "--keep"])
        .arg(directory.path().join("kept"))
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
    assert_eq!(sabotaged("wrong-value")["linearizable"], false);
}

#[test]
fn a_repeated_append_is_found() {
    assert_eq!(sabotaged("repeat-append")["at_most_once"], false);
}

#[test]
fn a_lost_write_is_found() {
    assert!(sabotaged("lost-write")["lost_acknowledged_writes"].as_u64().is_some_and(|lost| lost > 0));
}
