//! One group of five servers.

use crate::{load, round};
use quorate::cluster::{Layout, watch};
use quorate_spec::history::Call;
use quorate_spec::ids::Gid;
use quorate_tests::load::{Load, holds};
use quorate_tests::recorder::Recorder;
use quorate_tests::world::World;

/// The lab's five servers. One controller, which is not what is tested here.
pub(crate) const SERVERS: Layout = Layout { controllers: 1, groups: 1, nodes_per_group: 5, shards: crate::SHARDS };
/// How many rounds a scenario has.
pub(crate) const ROUNDS: usize = 3;
/// What clients must get answered between two rounds.
const SOME: usize = 20;

/// The usual scenario: at the end of every round all processes are killed at once and started again, if `crash`.
async fn rounds(world: &mut World, load: &Load, crash: bool) {
    for _ in 0..ROUNDS {
        tokio::time::sleep(round()).await;
        if crash {
            world.cluster.kill_all().expect("every process can be killed");
            world.cluster.start_all().expect("every process starts again");
        }
        load.progress(SOME).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn replicated_kv_basic() {
    let mut world = World::joined(SERVERS, 1, "").await;
    let load = load(&world, 1).await;
    rounds(&mut world, &load, false).await;
    load.judge(world.client().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replicated_kv_concurrent() {
    let mut world = World::joined(SERVERS, 1, "").await;
    let load = load(&world, 5).await;
    rounds(&mut world, &load, false).await;
    load.judge(world.client().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replicated_kv_persist_concurrent() {
    let mut world = World::joined(SERVERS, 1, "").await;
    let load = load(&world, 5).await;
    rounds(&mut world, &load, true).await;
    load.judge(world.client().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replicated_kv_speed() {
    let world = World::joined(SERVERS, 1, "").await;
    let (recorder, client) = (Recorder::default(), world.client().await);
    let begun = std::time::Instant::now();
    let mut expected = String::new();
    for number in 0..1000 {
        let token = format!("{number};");
        expected += &token;
        recorder.perform(&client, 0, b"k", Call::Append(token.into_bytes())).await;
    }
    println!("1000 appends by one client in {:?}", begun.elapsed());
    let read = client.get("k").await.expect("the group serves");
    assert_eq!(read.value, Some(expected.into_bytes()));
    recorder.perform(&client, 0, b"k", Call::Get).await;
    let recording = recorder.finish();
    assert!(recording.troubles.is_empty(), "{:#?}", recording.troubles);
    holds(&recording);
}

#[tokio::test(flavor = "multi_thread")]
async fn replicated_kv_snapshot_recover() {
    const LIMIT: u64 = 1000;
    let mut world = World::joined(SERVERS, 1, &format!("snapshot_log_bytes = {LIMIT}\ntrailing_entries = 2")).await;
    let mut load = load(&world, 1).await;
    rounds(&mut world, &load, true).await;
    load.stop().await;
    let client = world.client().await;
    world
        .until("every server has compacted its log", async |world| {
            let statuses = watch::statuses(&client, world.cluster.addresses()).await;
            let replicas = statuses.values().flat_map(|status| &status.replicas);
            let servers = replicas.filter(|replica| replica.group.gid == Gid::new(1));
            let compacted = servers.filter(|replica| replica.log_bytes <= 8 * LIMIT && replica.snapshot.get() > 0);
            (compacted.count() == world.servers(1).len()).then_some(())
        })
        .await;
    load.judge(client).await;
}
