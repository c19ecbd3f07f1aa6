//! Shards on the move between disjoint processes.

use quorate_core::keyspace::shard_of;
use quorate_tests::world::{World, key_per_shard, layout};
use std::collections::BTreeSet;

const SHARDS: u32 = 10;

#[tokio::test(flavor = "multi_thread")]
async fn a_shard_goes_there_and_back_while_the_other_group_sleeps() {
    let mut world = World::joined(layout(2), 2, "").await;
    let client = world.client().await;
    let keys = key_per_shard(SHARDS, "k");
    for key in keys.values() {
        client.put(key, format!("{key}=1")).await.expect("the groups serve");
    }
    let moving: BTreeSet<u64> = world.shards_of(1).await.into_iter().take(2).collect();
    for node in world.servers(2) {
        world.cluster.pause(node).expect("the node runs");
    }
    for _ in 0..2 {
        for shard in &moving {
            client.move_shard(*shard, 2).await.expect("the controllers are awake");
        }
        for shard in &moving {
            client.move_shard(*shard, 1).await.expect("the controllers are awake");
        }
    }
    for node in world.servers(2) {
        world.cluster.resume(node).expect("the node wakes");
    }
    world.settled().await;
    assert!(world.shards_of(1).await.is_superset(&moving));
    for key in keys.values() {
        client.append(key, ";2").await.expect("every shard is served");
        let read = client.get(key).await.expect("every shard is served");
        assert_eq!(read.value, Some(format!("{key}=1;2").into_bytes()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_groups_leave_and_another_returns_and_finds_the_data() {
    let world = World::joined(layout(3), 2, "").await;
    let client = world.client().await;
    let keys = key_per_shard(SHARDS, "k");
    for key in keys.values() {
        client.put(key, format!("{key}=1")).await.expect("the groups serve");
    }
    client.leave([1, 2].into()).await.expect("all groups leave");
    let config = client.query(None).await.expect("the controllers answer");
    assert!(config.shards.iter().all(|shard| shard.owner.is_none() && shard.origin.is_some()));
    client.join([(3, world.servers(3))].into()).await.expect("another group joins");
    world.settled().await;
    for key in keys.values() {
        let read = client.get(key).await.expect("the new group serves");
        assert_eq!(read.value, Some(format!("{key}=1").into_bytes()));
    }
    // The old groups end when nothing is left with them, and come back under the same numbers as new ones.
    for gid in [1, 2] {
        for node in world.servers(gid) {
            world
                .until("a retired group's replica is gone", async |world| {
                    world.status(node).await?.may_be_stopped.then_some(())
                })
                .await;
        }
    }
    client.join([(1, world.servers(2))].into()).await.expect("a gid returns with other servers");
    world.settled().await;
    assert!(!world.shards_of(1).await.is_empty());
    for key in keys.values() {
        client.append(key, ";2").await.expect("every shard is served");
        let read = client.get(key).await.expect("every shard is served");
        assert_eq!(read.value, Some(format!("{key}=1;2").into_bytes()));
    }
    assert!(keys.values().any(|key| shard_of(key.as_bytes(), SHARDS).get() == 0));
}
