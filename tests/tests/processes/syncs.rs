//! Durability is real: with `fdatasync` failing on a majority no write is acknowledged, and the nodes stop loudly.

use quorate::client_api::{Client, Options};
use quorate_tests::inject;
use quorate_tests::world::{World, layout};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn failing_syncs_on_a_majority_acknowledge_nothing_and_stop_the_nodes() {
    let mut world = World::joined(layout(1), 1, "").await;
    world.client().await.put("before", "1").await.expect("a healthy cluster takes writes");
    let broken: Vec<u64> = world.servers(1).into_iter().take(2).collect();
    let mut tracers = Vec::new();
    for node in &broken {
        tracers.push(inject::syncs(world.cluster.pid(*node).expect("the node runs"), inject::FAIL));
    }
    let options = Options { deadline: Duration::from_secs(6), ..Options::new(world.cluster.seeds()) };
    let client = Client::connect(options).await.expect("the controllers are healthy");
    let answer = client.put("after", "2").await;
    assert!(answer.is_err(), "a write was acknowledged without a durable majority: {answer:?}");
    for tracer in &mut tracers {
        let _ = tracer.wait();
    }
    let fallen = world.cluster.fallen().expect("processes can be looked at");
    let ids: Vec<u64> = fallen.iter().map(|(node, _)| *node).collect();
    assert_eq!(ids, broken, "exactly the nodes that could not sync have stopped: {fallen:?}\n{}", world.last_words());
    for (node, status) in fallen {
        assert!(!status.success(), "node {node} stopped with an error");
        let log = std::fs::read_to_string(world.cluster.log_path(node)).expect("a log");
        assert!(log.contains("sync"), "node {node} says why it stopped: {log}");
        world.cluster.kill(node).expect("reaped");
    }
    world.cluster.start_all().expect("the nodes start again");
    let read = world.client().await.get("before").await.expect("the group is whole again");
    assert_eq!(read.value.as_deref(), Some(b"1".as_slice()), "what was acknowledged before is there");
}
