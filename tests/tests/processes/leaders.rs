//! A group's leader is killed: how long until the next write is acknowledged?

use quorate::cluster::watch;
use quorate_spec::history::{Call, Operation, Outcome};
use quorate_tests::campaign::{Campaign, Figures};
use quorate_tests::load::Load;
use quorate_tests::world::{PATIENCE, World, key_per_shard, layout};
use std::time::Duration;

/// From `killed` to the end of the first write that was invoked later, in milliseconds.
fn wait(operations: &[Operation], killed: u64) -> f64 {
    let later = operations.iter().filter(|operation| operation.invoked > killed && operation.call != Call::Get);
    let first = later.filter_map(|operation| operation.returned).min().expect("the clients went on");
    (first - killed) as f64 / 1e6
}

async fn kill_leaders(seed: u64, kills: u64) -> Figures {
    let mut world = World::joined(layout(1), 1, "").await;
    let admin = world.client().await;
    let keys = key_per_shard(10, "k").into_values().collect();
    let load = Load::start(async || world.client().await, 8, keys, Duration::from_millis(5)).await;
    let mut random = fastrand::Rng::with_seed(seed);
    let mut killed = Vec::new();
    for _ in 0..kills {
        tokio::time::sleep(Duration::from_millis(random.u64(300..800))).await;
        let (leader, _) = world.leader(1).await;
        killed.push(load.recorder().now());
        assert!(world.cluster.kill(leader).expect("the node runs"));
        load.progress(40).await;
        world.cluster.start(leader).expect("the node starts again");
        watch::all_answer(&admin, world.cluster.addresses(), PATIENCE).await.expect("it comes back");
    }
    let recording = load.judge(world.client().await).await;
    let waits = killed.iter().map(|killed| wait(&recording.operations, *killed)).collect();
    Figures::of(kills, &recording).waited("next acknowledged write", waits)
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_leaders_death_the_others_go_on() {
    Campaign::new("leaders", 2).run(20, kill_leaders).await;
}

#[test]
fn a_wait_ends_with_the_first_write_that_was_invoked_later() {
    let operation = |call: Call, invoked, returned| Operation {
        process: 0,
        key: b"k".to_vec(),
        call,
        outcome: Outcome::Done,
        invoked,
        returned: Some(returned),
        place: None,
    };
    let append = || Call::Append(b"t;".to_vec());
    let operations = [
        operation(append(), 900_000, 2_000_000), // It was under way, and may have been acknowledged by the dead.
        operation(Call::Get, 1_100_000, 2_500_000),
        operation(append(), 1_200_000, 9_000_000),
        operation(append(), 1_300_000, 5_000_000),
    ];
    assert_eq!(wait(&operations, 1_000_000), 4.0);
}
