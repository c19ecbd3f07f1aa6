//! Groups of three servers and three controllers.

use crate::{SHARDS, load, round};
use quorate::client_api::Client;
use quorate_spec::history::{Call, Outcome};
use quorate_tests::load::holds;
use quorate_tests::recorder::{Recorder, Recording};
use quorate_tests::world::{World, key_per_shard, layout};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// Appends to and reads a key of each of these shards, all of which must be served.
async fn serve(
    recorder: &Recorder,
    client: &Client,
    keys: &BTreeMap<u64, String>,
    shards: impl IntoIterator<Item = u64>,
) {
    for shard in shards {
        let key = keys[&shard].as_bytes();
        let token = format!("{};", recorder.now());
        recorder.perform(client, 0, key, Call::Append(token.into_bytes())).await;
        recorder.perform(client, 0, key, Call::Get).await;
    }
}

fn kill(world: &mut World, gid: u64) {
    for node in world.servers(gid) {
        world.cluster.kill(node).expect("the node runs");
    }
}

fn judged(recorder: &Recorder) -> Recording {
    let recording = recorder.finish();
    holds(&recording);
    recording
}

fn untroubled(recorder: &Recorder) {
    let recording = judged(recorder);
    assert!(recording.troubles.is_empty(), "every operation was answered: {:#?}", recording.troubles);
}

/// Reads a key of each of these shards, all at once, as the users from `first` on.
fn read(
    recorder: &Arc<Recorder>,
    client: &Client,
    keys: &BTreeMap<u64, String>,
    shards: &BTreeSet<u64>,
    first: u64,
) -> JoinSet<()> {
    let mut reads = JoinSet::new();
    for (shard, process) in shards.iter().zip(first..) {
        let (recorder, client, key) = (Arc::clone(recorder), client.clone(), keys[shard].clone());
        reads.spawn(async move { recorder.perform(&client, process, key.as_bytes(), Call::Get).await });
    }
    reads
}

/// With one of two groups dead exactly its keys fail. In place of the row's 2 s: the rest is answered while those who read
/// keys of the dead group wait, who are answered when it is back. How long the rest took is printed.
#[tokio::test(flavor = "multi_thread")]
async fn sharded_static_shards() {
    const PATIENT: u64 = 100;
    const IMPATIENT: u64 = 200;
    let mut world = World::joined(layout(2), 2, "").await;
    let (recorder, client, keys) = (Arc::<Recorder>::default(), world.client().await, key_per_shard(SHARDS, "k"));
    serve(&recorder, &client, &keys, 0..SHARDS.into()).await;
    let (alive, dead) = (world.shards_of(1).await, world.shards_of(2).await);
    assert_eq!((alive.len(), dead.len()), (5, 5));
    let (patient, impatient) = (world.client().await, world.client_for(Duration::from_secs(3)).await);
    kill(&mut world, 2);
    let killed = recorder.now();
    let waiting = read(&recorder, &patient, &keys, &dead, PATIENT);
    serve(&recorder, &client, &keys, alive.clone()).await;
    let served = recorder.now();
    read(&recorder, &impatient, &keys, &dead, IMPATIENT).join_all().await;
    let back = recorder.now();
    world.cluster.start_all().expect("the group starts again");
    waiting.join_all().await;
    serve(&recorder, &client, &keys, 0..SHARDS.into()).await;
    let recording = judged(&recorder);
    let (answered, failed): (Vec<_>, Vec<_>) = recording
        .operations
        .iter()
        .partition(|operation| matches!(operation.outcome, Outcome::Value(_) | Outcome::Done));
    assert!(failed.iter().all(|operation| operation.process >= IMPATIENT), "{:#?}", recording.troubles);
    assert_eq!(failed.len(), dead.len(), "{:#?}", recording.troubles);
    let returned = |of: &dyn Fn(u64) -> bool| {
        let of = answered.iter().filter(|operation| of(operation.process));
        of.filter_map(|operation| operation.returned).collect::<Vec<_>>()
    };
    let meanwhile = returned(&|process| process == 0).into_iter().filter(|at| (killed..served).contains(at)).count();
    assert_eq!(meanwhile, 2 * alive.len(), "every key of the group that is alive is appended to and read");
    let waited = returned(&|process| (PATIENT..IMPATIENT).contains(&process));
    assert_eq!(waited.len(), dead.len());
    assert!(
        waited.iter().all(|at| *at > back),
        "nobody answers for a dead group: back at {back}, answers at {waited:?}"
    );
    println!("with one group dead the other one answered {meanwhile} requests in {} ms", (served - killed) / 1_000_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn sharded_join_leave() {
    let mut world = World::joined(layout(2), 1, "").await;
    let (client, load) = (world.client().await, load(&world, 3).await);
    load.progress(50).await;
    client.join([(2, world.servers(2))].into()).await.expect("a group joins");
    world.settled().await;
    load.progress(50).await;
    client.leave([1].into()).await.expect("the old group leaves");
    world.settled().await;
    for node in world.servers(1) {
        world.until("it may be stopped", async |world| world.status(node).await?.may_be_stopped.then_some(())).await;
    }
    kill(&mut world, 1);
    load.progress(50).await;
    load.judge(client).await;
}

/// Everything is killed in the middle of every one of six changes, with ten users at work.
#[tokio::test(flavor = "multi_thread")]
async fn sharded_concurrent_3() {
    let mut world = World::joined(layout(3), 1, "").await;
    let load = load(&world, 10).await;
    for (joins, leaves) in [(2, None), (3, Some(1)), (1, Some(2)), (2, Some(3)), (3, Some(1)), (1, None)] {
        let (operator, servers) = (world.client().await, world.servers(joins));
        let before = operator.query(None).await.expect("the controllers answer").num;
        let change = tokio::spawn(async move {
            operator.join([(joins, servers)].into()).await.expect("a group joins");
            if let Some(leaves) = leaves {
                operator.leave([leaves].into()).await.expect("a group leaves");
            }
            operator
        });
        tokio::time::sleep(Duration::from_millis(fastrand::u64(0..400))).await;
        world.cluster.kill_all().expect("everything is killed");
        world.cluster.start_all().expect("everything starts again");
        let operator = change.await.expect("the operator's requests are answered");
        let after = operator.query(None).await.expect("the controllers answer").num;
        let changes = 1 + u64::from(leaves.is_some());
        assert_eq!(after.get(), before.get() + changes, "each change is made once");
        load.progress(20).await;
        tokio::time::sleep(round() / 4).await;
    }
    world.settled().await;
    load.judge(world.client().await).await;
}

/// Group 2 cannot get what group 1 had, because that is dead; what it has itself it serves.
#[tokio::test(flavor = "multi_thread")]
async fn sharded_challenge_2_unaffected() {
    let mut world = World::joined(layout(2), 1, "").await;
    let (recorder, client, keys) = (Recorder::default(), world.client().await, key_per_shard(SHARDS, "k"));
    serve(&recorder, &client, &keys, 0..SHARDS.into()).await;
    client.join([(2, world.servers(2))].into()).await.expect("a group joins");
    world.settled().await;
    let own = world.shards_of(2).await;
    serve(&recorder, &client, &keys, own.clone()).await;
    kill(&mut world, 1);
    client.leave([1].into()).await.expect("the controllers are alive");
    assert_eq!(world.shards_of(2).await.len(), SHARDS as usize);
    let adopted = client.query(None).await.expect("the controllers are alive").num;
    world
        .until("group 2 adopts the configuration", async |world| {
            (world.leader(2).await.1.config == adopted).then_some(())
        })
        .await;
    serve(&recorder, &client, &keys, own).await;
    world.cluster.start_all().expect("group 1 starts again");
    serve(&recorder, &client, &keys, 0..SHARDS.into()).await;
    untroubled(&recorder);
}

/// Group 2 is to get the shards of group 1, which is dead, and of group 3: what comes from group 3 it serves at once.
#[tokio::test(flavor = "multi_thread")]
async fn sharded_challenge_2_partial() {
    let mut world = World::joined(layout(3), 3, "").await;
    let (recorder, client, keys) = (Recorder::default(), world.client().await, key_per_shard(SHARDS, "k"));
    serve(&recorder, &client, &keys, 0..SHARDS.into()).await;
    let coming = world.shards_of(3).await;
    assert!(!coming.is_empty());
    kill(&mut world, 1);
    client.leave([1, 3].into()).await.expect("the controllers are alive");
    serve(&recorder, &client, &keys, coming).await;
    world.cluster.start_all().expect("group 1 starts again");
    serve(&recorder, &client, &keys, 0..SHARDS.into()).await;
    untroubled(&recorder);
}
