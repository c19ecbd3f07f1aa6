//! What no lab tests: shards with data in them on the move, under load.

use crate::{SHARDS, load};
use quorate_spec::history::{Call, Operation};
use quorate_tests::load::Load;
use quorate_tests::recorder::Recorder;
use quorate_tests::world::{World, key_per_shard, layout};
use std::time::Duration;

const MIB: usize = 1 << 20;

/// Puts so many values of 1 MiB into the shard of `anchor`.
async fn fill(world: &World, recorder: &Recorder, process: u64, anchor: &str, values: usize) {
    let client = world.client().await;
    for number in 0..values {
        let key = format!("{{{anchor}}}:{number}");
        recorder.perform(&client, process, key.as_bytes(), Call::Put(vec![b'v'; MIB])).await;
    }
}

/// Reads them back, as part of the history.
async fn read(world: &World, recorder: &Recorder, process: u64, anchor: &str, values: usize) {
    let client = world.client().await;
    for number in 0..values {
        let key = format!("{{{anchor}}}:{number}");
        recorder.perform(&client, process, key.as_bytes(), Call::Get).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ours_move_with_live_data() {
    let world = World::joined(layout(2), 2, "").await;
    let (client, load, keys) = (world.client().await, load(&world, 6).await, key_per_shard(SHARDS, "k"));
    for (shard, key) in &keys {
        fill(&world, load.recorder(), 100 + shard, key, 1).await;
    }
    for (from, to) in [(1, 2), (2, 1), (1, 2)] {
        for shard in world.shards_of(from).await {
            client.move_shard(shard, to).await.expect("the controllers take the move");
        }
        world.settled().await;
        assert_eq!(world.shards_of(to).await.len(), SHARDS as usize);
        load.progress(50).await;
    }
    for (shard, key) in &keys {
        read(&world, load.recorder(), 100 + shard, key, 1).await;
    }
    load.judge(client).await;
}

/// The longest operation of some, in milliseconds.
fn longest<'a>(operations: impl Iterator<Item = &'a Operation>) -> u64 {
    let took = operations.filter_map(|operation| Some(operation.returned?.saturating_sub(operation.invoked)));
    took.max().unwrap_or(0) / 1_000_000
}

/// A shard of 64 MiB moves while every key is written.
#[tokio::test(flavor = "multi_thread")]
async fn ours_large_shard() {
    const VALUES: usize = 64;
    let world = World::joined(layout(2), 2, "").await;
    let client = world.client().await;
    let moving = *world.shards_of(1).await.first().expect("group 1 owns shards");
    let keys = key_per_shard(SHARDS, "k");
    // As many clients as shards, and twice that: every other one works on a key of its own.
    let shared = keys.values().cloned().collect();
    let load = Load::start(async || world.client().await, 20, shared, Duration::from_millis(10)).await;
    let anchor = &keys[&moving];
    fill(&world, load.recorder(), 100, anchor, VALUES).await;
    load.progress(100).await;
    let begun = load.recorder().now();
    client.move_shard(moving, 2).await.expect("the controller takes the move");
    world.settled().await;
    let ended = load.recorder().now();
    load.progress(100).await;
    read(&world, load.recorder(), 100, anchor, VALUES).await;
    world
        .until("the old owner has collected its copy", async |world| {
            let (_, replica) = world.leader(1).await;
            (replica.frozen.is_empty() && replica.data_bytes < 32 << 20).then_some(())
        })
        .await;
    assert!(world.shards_of(2).await.contains(&moving));
    let recording = load.judge(client).await;
    let meanwhile = |operation: &&Operation| {
        operation.invoked < ended && operation.returned.is_some_and(|returned| returned > begun)
    };
    let (moved, unmoved): (Vec<_>, Vec<_>) = recording
        .operations
        .iter()
        .filter(meanwhile)
        .partition(|operation| operation.place.is_some_and(|(shard, _)| shard.get() == moving));
    println!(
        "longest pause: {} ms on the moving shard, {} ms on the others",
        longest(moved.into_iter()),
        longest(unmoved.into_iter())
    );
}
