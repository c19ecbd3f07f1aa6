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

/// The longest time between two answers for keys of a shard, of the answers from the last one before `begun` to the first
/// one after `ended`.
fn pause(operations: &[Operation], shard: u64, begun: u64, ended: u64) -> (u64, u64) {
    let of_shard = |operation: &&Operation| operation.place.is_some_and(|(place, _)| place.get() == shard);
    let mut answers: Vec<u64> = operations.iter().filter(of_shard).filter_map(|operation| operation.returned).collect();
    answers.sort_unstable();
    let pairs = answers.windows(2).map(|pair| (pair[0], pair[1]));
    let meanwhile = pairs.filter(|(from, to)| *to > begun && *from < ended);
    meanwhile.max_by_key(|(from, to)| to - from).expect("keys of the shard were asked for before and after")
}

/// A shard of 64 MiB moves while every key is written. While none of its keys is answered those of other shards are, at
/// both groups: that is what the row's time is about. How long it was is printed; on the simulator it has a bound.
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
    let (staying, mut with) = (world.shards_of(1).await, world.shards_of(2).await);
    assert!(with.remove(&moving));
    let stay = [staying, with];
    let recording = load.judge(client).await;
    let (from, to) = pause(&recording.operations, moving, begun, ended);
    let within =
        |operation: &&Operation| operation.invoked > from && operation.returned.is_some_and(|returned| returned < to);
    let others: Vec<&Operation> = recording.operations.iter().filter(within).collect();
    for shards in stay {
        let answered = others.iter().filter(|it| it.place.is_some_and(|(shard, _)| shards.contains(&shard.get())));
        let answered = answered.count();
        assert!(
            answered >= 10,
            "{answered} requests for keys of {shards:?} were answered while shard {moving} was away"
        );
    }
    let pause = (to - from) / 1_000_000;
    println!(
        "longest pause of any key that moves: {pause} ms; of the others meanwhile: {} ms",
        longest(others.into_iter())
    );
}
