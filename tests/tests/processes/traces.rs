//! What real nodes did is a behaviour of `Raft.tla`: the specification reads their own traces. What real and simulated
//! nodes were given is opened by the tool for people: writer and reader are of different crates, and agree.

use quorate_tests::command::Running;
use quorate_tests::replay::{self, End};
use quorate_tests::sim::cli::write_traces;
use quorate_tests::sim::judge::Finding;
use quorate_tests::sim::network::Links;
use quorate_tests::sim::plan::Plan;
use quorate_tests::sim::run::run;
use quorate_tests::world::{World, layout, target};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// The tool that asks the specification: built by the tests of the models.
fn quorate_check() -> PathBuf {
    let binary = target().join("explore/quorate-check");
    let remedy = "run 'cargo build --profile explore -p quorate-proofs' first";
    assert!(binary.exists(), "{} is missing: {remedy}", binary.display());
    binary
}

#[tokio::test]
async fn the_specification_accepts_what_nodes_did_while_leaders_were_killed() {
    let traces = tempfile::tempdir().expect("a temporary directory");
    let mut world = World::traced(layout(1), traces.path()).await;
    let client = world.client().await;
    client.join([(1, world.servers(1))].into_iter().collect()).await.expect("the group joins");
    world.settled().await;
    for number in 0..4 {
        client.put(&format!("key{number}"), "before").await.expect("a put");
    }
    // The leader of the group, then the leader of the controller: unsynced writes, new leaders, logs that are mended.
    for gid in [1, 0] {
        let (leader, _) = world.leader(gid).await;
        world.cluster.kill(leader).expect("it is killed");
        client.put(&format!("key{gid}"), "between").await.expect("a put");
        world.cluster.start(leader).expect("it starts again");
        client.append(&format!("key{gid}"), "after").await.expect("an append");
        assert!(client.get("key0").await.is_ok(), "a read");
    }
    let _ = world.cluster.stop_all(); // Whatever way they end, what they did is written down.
    let files = world.cluster.addresses().keys().map(|node| traces.path().join(format!("node-{node}.trace")));
    let judged = Command::new(quorate_check()).arg("conform").args(files).output().expect("it runs");
    let said = String::from_utf8_lossy(&judged.stdout) + String::from_utf8_lossy(&judged.stderr);
    assert!(judged.status.success(), "{said}");
    assert_eq!(said.matches("accepted").count(), 2, "the controller and the group: {said}");
}

/// What `quorate-check show` tells of a trace file.
fn shown(file: &Path) -> serde_json::Value {
    let output = Command::new(quorate_check()).args(["show", "--json"]).arg(file).output().expect("it runs");
    assert!(output.status.success(), "{}: {}", file.display(), String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("standard output is one JSON value")
}

/// Whether any step that is shown changes what can be seen of the node.
fn changes(shown: &serde_json::Value) -> bool {
    let steps = shown["steps"].as_array().expect("steps");
    steps.iter().any(|step| step["changes"].as_array().is_some_and(|changes| !changes.is_empty()))
}

#[test]
fn the_traces_of_a_simulated_run_that_failed_are_opened() {
    // No frame arrives whole.
    let mut plan = Plan { records: true, users: 1, length: Duration::ZERO, faults: Vec::new(), ..Plan::of(1) };
    plan.setup.links = Links { damaged: 1000, ..plan.setup.links };
    let report = run(&plan);
    let Finding::Fail(violation) = &report.finding else { panic!("it fails: {:?}", report.finding) };
    let directory = tempfile::tempdir().expect("a temporary directory");
    write_traces(&report.traces, directory.path());
    for process in 0..plan.setup.nodes {
        let file = directory.path().join(format!("process-{process}.trace.json"));
        let shown = shown(&file);
        assert!(changes(&shown), "process {process}: {shown}");
        assert_eq!(shown["violation"]["property"], "WholeRun", "{shown}");
        assert!(shown["violation"]["evidence"].as_str().is_some_and(|it| it.contains(&violation.evidence)), "{shown}");
    }
    let file = directory.path().join("process-0.trace.json");
    let mut explore = Command::new(quorate_check());
    explore.args(["explore", "--json", "--addr", "127.0.0.1:0", "--trace"]).arg(file);
    let mut explorer = Running::start(&mut explore, b"");
    while !explorer.out().contains("\"link\"") {
        assert_eq!(explorer.ended(), None, "{}", explorer.err());
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(explorer.out().contains("WholeRun"), "{}", explorer.out());
}

#[tokio::test]
async fn the_record_of_a_real_node_is_opened() {
    let world = World::joined(layout(1), 1, "").await;
    let client = world.client().await;
    client.put("key", "value").await.expect("a put");
    let directory = tempfile::tempdir().expect("a temporary directory");
    let entries = std::fs::read_dir(world.records.path())
        .expect("there are records")
        .map(|entry| entry.expect("an entry").path());
    let mut opened = 0;
    for record in entries {
        // The node goes on: its record may be cut anywhere.
        let (trace, replayed) = replay::trace(&record).expect("it begins as a record");
        let replayed = replayed.expect("the core does the same");
        assert!(replayed.inputs > 0 && replayed.end != End::Full, "{replayed:?}");
        let file = directory.path().join("node.trace.json");
        std::fs::write(&file, trace.to_string()).expect("there is room");
        let shown = shown(&file);
        assert!(changes(&shown) && shown["violation"].is_null(), "{}: {shown}", record.display());
        opened += 1;
    }
    assert_eq!(opened, world.cluster.addresses().len(), "a record of every node");
}
