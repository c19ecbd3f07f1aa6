//! The Explorer in a real browser: a counterexample of a migration mutant, found, saved, and opened at its last step.
//!
//! Needs Chromium; `tests/run` installs it. With `SCREENSHOT=FILE` the picture is kept: it is the one in the guide.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

const CHECK: &str = env!("CARGO_BIN_EXE_quorate-check");

/// Ends the server, whatever comes of the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs headless Chromium on a page that has had time to load.
fn chromium(profile: &Path, link: &str, what: &[&str]) -> String {
    let quiet = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--window-size=1500,1150",
        "--virtual-time-budget=20000",
    ];
    let user = format!("--user-data-dir={}", profile.display());
    let output = Command::new("chromium").args(quiet).arg(user).args(what).arg(link).output();
    let output = output.expect("Chromium is missing: install it with 'apt-get install chromium'");
    assert!(output.status.success(), "Chromium failed: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("a page is text")
}

#[test]
fn a_stranger_sees_which_step_was_wrong() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let trace = folder.path().join("counterexample.json");
    let search = Command::new(CHECK)
        .args(["check", "shards", "--scope", SCOPE, "--mutant", MUTANT, "--json", "--save"])
        .arg(&trace)
        .output()
        .expect("quorate-check runs");
    assert_eq!(search.status.code(), Some(1), "the mutant is caught: {}", String::from_utf8_lossy(&search.stderr));

    let mut explore = Command::new(CHECK);
    explore.args(["explore", "--json", "--addr", "127.0.0.1:0", "--trace"]).arg(&trace).stdout(Stdio::piped());
    let mut server = Server(explore.spawn().expect("quorate-check runs"));
    let mut line = String::new();
    let output = server.0.stdout.take().expect("it is piped");
    BufReader::new(output).read_line(&mut line).expect("it says where it serves");
    let said: serde_json::Value = serde_json::from_str(&line).expect("--json");
    let (link, violation) = (said["link"].as_str().expect("a link"), said["violation"].as_str().expect("a violation"));
    assert!(link.contains("/#/steps/0/"), "{link}");

    let profile = folder.path().join("profile");
    let page = chromium(&profile, link, &["--dump-dom"]);
    let escaped = violation.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    assert!(page.contains(&escaped), "the page says what is violated: {violation}\n{page}");
    assert!(page.contains(MUTANT), "and which deliberate bug it is");
    assert!(page.contains("<svg") && page.contains("marker-end"), "and draws the run");
    let steps = serde_json::from_slice::<serde_json::Value>(&std::fs::read(&trace).expect("saved")).expect("JSON");
    for step in steps["steps"].as_array().expect("steps") {
        let sentence = step["sentence"].as_str().expect("a sentence");
        let escaped = sentence.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        assert!(page.contains(&escaped), "step missing from the page: {sentence}");
    }

    let picture = std::env::var_os("SCREENSHOT").map_or(folder.path().join("explorer.png"), Into::into);
    chromium(&profile, link, &[&format!("--screenshot={}", picture.display())]);
    let bytes = std::fs::read(&picture).expect("the picture was taken");
    assert!(bytes.starts_with(b"\x89PNG") && bytes.len() > 20_000, "{} bytes are an empty page", bytes.len());
}

const SCOPE: &str = "collect";
const MUTANT: &str = "stale-delete";
