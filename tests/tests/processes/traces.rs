//! What real nodes did is a behaviour of `Raft.tla`: the specification reads their own records.

use quorate_tests::world::{World, layout, target};
use std::path::PathBuf;
use std::process::Command;

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
