//! Nodes that were away: a follower that missed compacted entries, and a leader that slept through its succession.

use quorate::client_api::Client;
use quorate::codec::Kind;
use quorate::transport::wire::{ClientFrame, ReplyFrame};
use quorate_core::bytes::Bytes;
use quorate_core::message::{Reply, Request};
use quorate_tests::raw::Raw;
use quorate_tests::world::{World, layout};
use std::time::Duration;

async fn put_many(client: &Client, numbers: std::ops::Range<u64>) {
    for number in numbers {
        client.put(format!("key{}", number % 50), format!("{number}").repeat(200)).await.expect("a majority is up");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_behind_the_compacted_log_comes_back_by_snapshot() {
    let limits = "snapshot_log_bytes = 20000\ntrailing_entries = 10";
    let mut world = World::joined(layout(1), 1, limits).await;
    let client = world.client().await;
    let (leader, _) = world.leader(1).await;
    let follower = world.servers(1).into_iter().find(|node| *node != leader).expect("a follower");
    world.cluster.kill(follower).expect("the follower runs");
    put_many(&client, 0..400).await;
    world.cluster.start(follower).expect("the follower starts again");
    let (_, lead) = world.leader(1).await;
    let caught_up = world
        .until("the follower catches up", async |world| {
            let status = world.status(follower).await?;
            status.replicas.iter().find(|replica| replica.commit >= lead.commit).cloned()
        })
        .await;
    assert!(caught_up.snapshot.get() > 300, "it took a snapshot, not 400 entries: {caught_up:?}");
    let log = std::fs::read_to_string(world.cluster.log_path(follower)).expect("a log");
    assert!(log.contains("InstallSnapshot"), "the log names the step: {log}");
    // It holds the data itself: with the old leader gone the two others answer.
    world.cluster.kill(leader).expect("the leader runs");
    let read = client.get("key49").await.expect("a majority is up").value.expect("key49 was written");
    assert_eq!(read, "399".repeat(200).into_bytes());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_leader_that_wakes_answers_nothing_stale() {
    let mut world = World::joined(layout(1), 1, "").await;
    let client = world.client().await;
    client.put("x", "old").await.expect("the group serves");
    let (leader, replica) = world.leader(1).await;
    let mut raw = Raw::open(&world.cluster.addresses()[&leader]);
    world.cluster.pause(leader).expect("the leader runs");
    client.put("x", "new").await.expect("the others elect a successor");
    // The question waits in the sleeper's socket: it is the first thing that it hears when it wakes.
    let request = Request::Get { group: replica.group, key: Bytes::from("x") };
    raw.send(Kind::Request, &ClientFrame { ticket: 1, request });
    world.cluster.resume(leader).expect("the leader wakes");
    let answer: ReplyFrame = raw.receive(Kind::Reply);
    match answer.reply {
        Reply::Refused(_) => {}
        Reply::Value { value, .. } => {
            assert_eq!(value, Some(Bytes::from("new")), "a deposed leader answered from its past")
        }
        other => panic!("not an answer to a read: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_asked_to_stop_hands_over_and_exits_with_0() {
    let mut world = World::joined(layout(1), 1, "").await;
    let client = world.client().await;
    let (leader, _) = world.leader(1).await;
    client.put("x", "1").await.expect("the group serves");
    let status = world.cluster.stop(leader).expect("the leader runs");
    assert!(status.success(), "it exited with {status}: {}", world.last_words());
    client.put("x", "2").await.expect("the others serve on");
    let (successor, _) = world.leader(1).await;
    assert_ne!(successor, leader);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_lost_its_log_refuses_to_start() {
    let mut world = World::joined(layout(1), 1, "").await;
    let client = world.client().await;
    client.put("x", "1").await.expect("the group serves");
    let node = world.servers(1)[0];
    world.cluster.kill(node).expect("the node runs");
    let log = world.cluster.data_path(node).join("wal");
    for entry in std::fs::read_dir(&log).expect("it has a log").flatten() {
        std::fs::remove_file(entry.path()).expect("a segment can be removed");
    }
    world.cluster.start(node).expect("the process starts");
    let mut refused = false;
    for _ in 0..200 {
        refused = world.cluster.fallen().expect("processes can be looked at").iter().any(|(fallen, _)| *fallen == node);
        if refused {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let words = std::fs::read_to_string(world.cluster.log_path(node)).expect("a log");
    assert!(refused && words.contains("the log is gone"), "it must not vote again under its old name: {words}");
    client.put("x", "2").await.expect("the others serve on");
}
