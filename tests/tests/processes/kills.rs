//! SIGKILL of random nodes under load: every acknowledged write is there afterwards, in order, once.

use quorate_tests::campaign::{Campaign, Figures};
use quorate_tests::load::Load;
use quorate_tests::world::{World, key_per_shard, layout};
use std::time::Duration;

async fn kill_some(seed: u64, kills: u64) -> Figures {
    let mut world = World::joined(layout(2), 2, "snapshot_log_bytes = 65536").await;
    let keys = key_per_shard(10, "k").into_values().collect();
    let load = Load::start(async || world.client().await, 12, keys, Duration::from_millis(10)).await;
    let nodes: Vec<u64> = world.cluster.layout().nodes().collect();
    let mut random = fastrand::Rng::with_seed(seed);
    for _ in 0..kills {
        let node = nodes[random.usize(..nodes.len())];
        tokio::time::sleep(Duration::from_millis(random.u64(50..400))).await;
        assert!(world.cluster.kill(node).expect("the node runs"), "node {node} ended by signal 9");
        tokio::time::sleep(Duration::from_millis(random.u64(0..300))).await;
        world.cluster.start(node).expect("the node starts again");
    }
    assert_eq!(world.cluster.kills(), kills);
    load.progress(100).await;
    world.cluster.kill_all().expect("every node is killed");
    world.cluster.start_all().expect("every node starts again");
    Figures::of(kills, &load.judge(world.client().await).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn random_kills_under_load_lose_and_repeat_nothing() {
    Campaign::new("kills", 12).run(50, kill_some).await;
}
