//! SIGKILL of random nodes under load: every acknowledged write is there afterwards, in order, once.
//!
//! `QUORATE_KILLS=100 cargo test -p quorate-tests --test processes kills::` is the long form; the default is short.

use quorate_tests::ledger::append_until;
use quorate_tests::world::{World, layout};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn random_kills_under_load_lose_and_repeat_nothing() {
    let kills = std::env::var("QUORATE_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(12_u64);
    let mut world = World::joined(layout(2), 2, "snapshot_log_bytes = 65536").await;
    let stop = Arc::new(AtomicBool::new(false));
    let mut writers = Vec::new();
    for number in 0..12 {
        let client = world.client().await;
        let pause = Duration::from_millis(5 + kills / 10);
        writers.push(tokio::spawn(append_until(client, format!("writer{number}"), Arc::clone(&stop), pause)));
    }
    let nodes: Vec<u64> = world.cluster.layout().nodes().collect();
    let mut random = fastrand::Rng::with_seed(4);
    for _ in 0..kills {
        let node = nodes[random.usize(..nodes.len())];
        tokio::time::sleep(Duration::from_millis(random.u64(50..400))).await;
        assert!(world.cluster.kill(node).expect("the node runs"), "node {node} ended by signal 9");
        tokio::time::sleep(Duration::from_millis(random.u64(0..300))).await;
        world.cluster.start(node).expect("the node starts again");
    }
    stop.store(true, Ordering::Relaxed);
    let mut ledgers = Vec::new();
    for writer in writers {
        ledgers.push(writer.await.expect("a writer ends"));
    }
    world.cluster.kill_all().expect("every node is killed");
    world.cluster.start_all().expect("every node starts again");
    world.check(&ledgers).await;
    let acknowledged: usize = ledgers.iter().map(|ledger| ledger.acknowledged()).sum();
    let longest = ledgers.iter().map(|ledger| ledger.longest).max().unwrap_or_default();
    println!("{} kills, {acknowledged} acknowledged appends, longest {longest:?}", world.cluster.kills());
    assert!(acknowledged > ledgers.len() * 10, "the writers got somewhere: {acknowledged}");
    assert!(world.cluster.kills() >= kills);
}
