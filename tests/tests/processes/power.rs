//! Power cuts: all nodes stand still in the middle of whatever they do, the file system's image is copied and takes the
//! place of the old one, and the nodes start on it. What was acknowledged before the copy began must be there: SIGKILL
//! alone proves nothing about syncs.

use quorate_tests::campaign::{Campaign, Figures};
use quorate_tests::inject;
use quorate_tests::ledger::append_until;
use quorate_tests::load::Load;
use quorate_tests::loop_disk::LoopDisk;
use quorate_tests::world::{World, key_per_shard, layout};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A disk, and a cluster on it that serves.
async fn start() -> (tempfile::TempDir, LoopDisk, World) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let disk = LoopDisk::format(directory.path(), 2048);
    let world = World::start_in(disk.path(), layout(1), "snapshot_log_bytes = 65536").await;
    world.join_first(1).await;
    // So that the files of the test are there after a cut, too; those of the nodes are theirs to sync from now on.
    disk.sync();
    (directory, disk, world)
}

/// Cuts the power: nothing here syncs, or unmounts before the copy is made.
fn cut(world: &mut World, disk: &LoopDisk) {
    for node in world.cluster.layout().nodes() {
        world.cluster.pause(node).expect("the node runs");
    }
    disk.copy_image();
    world.cluster.kill_all().expect("every node is killed");
}

/// The clients are at work all the time: what they asked for before a cut they ask for again after it.
async fn cut_some(seed: u64, cuts: u64) -> Figures {
    let (_directory, disk, mut world) = start().await;
    let keys = key_per_shard(10, "k").into_values().collect();
    let load = Load::start(async || world.client().await, 10, keys, Duration::from_millis(2)).await;
    let mut random = fastrand::Rng::with_seed(seed);
    for _ in 0..cuts {
        load.progress(100).await;
        tokio::time::sleep(Duration::from_millis(random.u64(0..1000))).await;
        assert_eq!(world.cluster.fallen().expect("processes can be looked at"), [], "{}", world.last_words());
        cut(&mut world, &disk);
        disk.swap();
        world.cluster.start_all().expect("every node starts again");
    }
    Figures::of(cuts, &load.judge(world.client().await).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn power_cuts_lose_no_acknowledged_write() {
    Campaign::new("power", 2).run(10, cut_some).await;
}

/// The test above can fail: every sync is skipped and reported as done.
#[tokio::test(flavor = "multi_thread")]
async fn a_power_cut_on_lying_disks_is_noticed() {
    let (_directory, disk, mut world) = start().await;
    let mut tracers = Vec::new();
    for node in world.cluster.layout().nodes() {
        tracers.push(inject::syncs(world.cluster.pid(node).expect("the node runs"), inject::LIE));
    }
    let stop = Arc::new(AtomicBool::new(false));
    let mut writers = Vec::new();
    for number in 0..8 {
        let client = world.client_for(Duration::from_secs(5)).await;
        let pause = Duration::from_millis(2);
        writers.push(tokio::spawn(append_until(client, format!("writer{number}"), Arc::clone(&stop), pause)));
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    cut(&mut world, &disk);
    stop.store(true, Ordering::Relaxed);
    for mut tracer in tracers {
        let _ = tracer.wait();
    }
    let mut ledgers = Vec::new();
    for writer in writers {
        ledgers.push(writer.await.expect("a writer ends"));
    }
    let promises: usize = ledgers.iter().map(|ledger| ledger.acknowledged()).sum();
    assert!(promises > 50, "the cut was in mid-load: {promises}");
    drop(world);
    disk.swap();
    // A cluster that lost what it was built on need not even come up.
    let world = World::start_within(disk.path(), layout(1), "", Duration::from_secs(10)).await;
    if let Some(world) = world {
        assert!(world.kept(&ledgers).await.is_err(), "no sync was made, and yet nothing was lost: this cuts nothing");
    }
}
