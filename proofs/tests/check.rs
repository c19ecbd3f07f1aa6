//! `quorate-check` as a person uses it: the default scopes of every model, the mutants, traces, and wrong words.

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

fn quorate_check(words: &[&str], folder: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_quorate-check")).args(words).current_dir(folder).output().expect("it runs")
}

fn scratch() -> tempfile::TempDir {
    tempfile::tempdir().expect("a scratch folder")
}

/// The answer of a command that ends with `code`.
fn json(words: &[&str], code: i32, folder: &Path) -> Value {
    let output = quorate_check(&[words, &["--json"]].concat(), folder);
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{words:?}: {told}\n{}", String::from_utf8_lossy(&output.stdout));
    serde_json::from_slice(&output.stdout).expect("standard output holds one JSON value")
}

/// The default scope of a model is exhausted, big enough to mean something, and takes every step that it enables.
fn exhausts(model: &str) {
    let report = json(&["check", model], 0, scratch().path());
    println!("{model}: {} states in {} s", report["unique_states"], report["seconds"]);
    assert_eq!(report["outcome"], "exhausted");
    assert!(report["unique_states"].as_u64() >= Some(1000), "{report}");
    assert!(report["generated_states"].as_u64() >= report["unique_states"].as_u64());
    let properties = report["properties"].as_array().expect("properties");
    assert!(properties.len() >= 3 && properties.iter().all(|property| property["holds"] == true), "{properties:?}");
    assert_eq!(report["missing_actions"].as_array().map(Vec::len), Some(0), "{report}");
    assert!(report["trace"].is_null());
}

#[test]
fn default_scope_of_raft() {
    exhausts("raft");
}

#[test]
fn default_scope_of_controller() {
    exhausts("controller");
}

#[test]
fn default_scope_of_shards() {
    exhausts("shards");
}

#[test]
fn default_scope_of_client() {
    exhausts("client");
}

#[test]
fn default_scope_of_identity() {
    exhausts("identity");
}

#[test]
fn walks_of_the_stack() {
    let report = json(&["check", "stack", "--seeds", "0..6"], 0, scratch().path());
    assert_eq!(report["outcome"], "sampled");
    assert!(report["generated_states"].as_u64() > Some(100_000), "{report}");
    for rare in ["BecomeLeader", "AdoptConfiguration", "Install", "RaiseFloor", "Restart"] {
        assert!(report["actions"][rare].as_u64() > Some(0), "no {rare}: {report}");
    }
    for rare in ["crashes", "expiries", "answered"] {
        assert!(report["tallies"][rare].as_u64() > Some(0), "no {rare}: {report}");
    }
}

#[test]
fn mutants_are_hunted_by_name() {
    let rows = json(&["mutants", "figure-8", "stale-delete"], 0, scratch().path());
    let rows = rows.as_array().expect("a row per mutant");
    assert_eq!(rows.len(), 2);
    for row in rows {
        assert!(row["killed_by"].is_string() && row["trace_length"].as_u64() > Some(0), "{row}");
    }
}

#[test]
fn a_counterexample_is_saved_told_and_drawn() {
    let folder = scratch();
    let words = ["check", "raft", "--scope", "figure8", "--mutant", "figure-8", "--save", "figure8.json"];
    let report = json(&words, 1, folder.path());
    assert_eq!((report["outcome"].as_str(), report["trace"].as_str()), (Some("violated"), Some("figure8.json")));
    assert_eq!(report["violation"]["property"], "LeaderCompleteness");
    let told = quorate_check(&["show", "figure8.json"], folder.path());
    let told = String::from_utf8(told.stdout).expect("text");
    assert!(told.contains("  1. ") && told.contains("LeaderCompleteness violated: "), "{told}");
    let drawn = quorate_check(&["show", "figure8.json", "--svg"], folder.path());
    assert!(drawn.stdout.starts_with(b"<svg"), "a drawing");
    let again = json(&["show", "figure8.json"], 0, folder.path());
    assert_eq!(again["violation"]["property"], "LeaderCompleteness");
}

#[test]
fn a_search_that_stops_at_a_limit_says_so() {
    let report = json(&["check", "raft", "--scope", "deep", "--timeout", "1"], 3, scratch().path());
    assert_eq!((report["outcome"].as_str(), report["stopped_by"].as_str()), (Some("truncated"), Some("seconds")));
}

#[test]
fn wrong_words_get_one_line_that_says_what_to_do() {
    let folder = scratch();
    std::fs::write(folder.path().join("old.json"), r#"{"format": 99, "version": "0.0.1"}"#).expect("scratch");
    std::fs::write(folder.path().join("other.json"), "{}").expect("scratch");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("bound").to_string();
    let cases: [(&[&str], &str); 9] = [
        (&["check", "rft"], "there is no model 'rft': choose one of raft, "),
        (&["check", "raft", "--scope", "wide"], "called 'wide': choose one of default"),
        (&["check", "raft", "--mutant", "none-such"], "there is no mutant 'none-such'"),
        (&["check", "raft", "--property", "None"], "no property of model 'raft' called 'None': choose one of "),
        (&["mutants", "none-such"], "there is no mutant 'none-such'"),
        (&["show", "old.json"], "written by quorate-check 0.0.1"),
        (&["show", "other.json"], "is not a trace"),
        (&["show", "missing.json"], "missing.json: "),
        (&["explore", "raft", "--addr", &address], "choose another address with --addr"),
    ];
    for (words, expected) in cases {
        let output = quorate_check(words, folder.path());
        let told = String::from_utf8(output.stderr).expect("text");
        assert_eq!((output.status.code(), told.lines().count()), (Some(2), 1), "{words:?}: {told}");
        assert!(told.contains(expected), "{words:?}: {told}");
        assert!(output.stdout.is_empty(), "{words:?}");
    }
    let usage: [&[&str]; 4] =
        [&["chekc"], &["check"], &["check", "raft", "--threads", "0"], &["check", "stack", "--seeds", "5..1"]];
    for words in usage {
        assert_eq!(quorate_check(words, folder.path()).status.code(), Some(2), "{words:?}");
    }
}

#[test]
fn what_is_no_step_of_the_specification_is_written_down_and_can_be_shown() {
    let folder = scratch();
    let words = ["bind", "shards", "--scope", "return", "--mutant", "copy-dropped-at-return", "--save", "left.json"];
    let report = json(&words, 1, folder.path());
    assert_eq!(report["traces"][0], "left.json", "{report}");
    let steps = report["bindings"][0]["failure"]["steps"].as_array().expect("the steps to it").len();
    let shown = quorate_check(&["show", "left.json"], folder.path());
    let told = String::from_utf8_lossy(&shown.stdout);
    assert!(
        shown.status.success() && told.contains("\nSpecification, when this was written: labelled Install"),
        "{told}"
    );
    assert!(told.contains(&format!("\n{steps:>3}. ")) && !told.contains(&format!("\n{:>3}. ", steps + 1)), "{told}");
}
