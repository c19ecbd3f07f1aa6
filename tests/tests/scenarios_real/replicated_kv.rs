//! One group of five servers.

use crate::{load, round};
use quorate::client_api::Client;
use quorate::cluster::{Layout, watch};
use quorate_core::status::ReplicaStatus;
use quorate_spec::history::Call;
use quorate_spec::ids::Gid;
use quorate_tests::load::holds;
use quorate_tests::recorder::Recorder;
use quorate_tests::world::World;
use std::time::{Duration, Instant};

/// The lab's five servers. One controller, which is not what is tested here.
pub(crate) const SERVERS: Layout = Layout { controllers: 1, groups: 1, nodes_per_group: 5, shards: crate::SHARDS };
/// How many rounds a scenario has.
pub(crate) const ROUNDS: usize = 3;
/// What clients must get answered between two rounds.
const SOME: usize = 20;

/// The log may be so many times as long as what makes a snapshot worth it.
const LOG_FACTOR: u64 = 8;
/// After how many bytes of log a snapshot is worth it: little enough that without one a log grows beyond its bound, and
/// more than an eighth of what so many users append, because a snapshot also waits until the log is longer than the state.
pub(crate) const fn limit(users: u64) -> u64 {
    if users == 1 { 4 << 10 } else { 12 << 10 }
}

/// The lines of the configuration that say so.
pub(crate) fn limits(limit: u64) -> String {
    format!("snapshot_log_bytes = {limit}\ntrailing_entries = 16")
}

/// The logs of the group's servers, looked at again and again: none is ever longer than its bound.
pub(crate) struct Logs {
    client: Client,
    bound: u64,
    longest: u64,
}

impl Logs {
    pub(crate) async fn of(world: &World, limit: u64) -> Self {
        Self { client: world.client().await, bound: LOG_FACTOR * limit, longest: 0 }
    }

    /// The servers that answer.
    async fn servers(&self, world: &World) -> Vec<ReplicaStatus> {
        let statuses = watch::statuses(&self.client, world.cluster.addresses()).await;
        let replicas = statuses.values().flat_map(|status| &status.replicas);
        replicas.filter(|replica| replica.group.gid == Gid::new(1)).cloned().collect()
    }

    pub(crate) async fn look(&mut self, world: &World) {
        let longest = self.servers(world).await.iter().map(|replica| replica.log_bytes).max().unwrap_or(0);
        assert!(longest <= self.bound, "a log of {longest} bytes; the bound is {}", self.bound);
        self.longest = self.longest.max(longest);
    }

    /// Looks for so long.
    pub(crate) async fn watch(&mut self, world: &World, time: Duration) {
        let begun = Instant::now();
        while begun.elapsed() < time {
            self.look(world).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// In the end every server has compacted its log, and that was seen to be of some length.
    pub(crate) async fn compacted(mut self, world: &World) {
        world
            .until("every server has compacted its log", async |world| {
                let servers = self.servers(world).await;
                let compacted = servers.iter().filter(|replica| replica.snapshot.get() > 0);
                (compacted.count() == world.servers(1).len()).then_some(())
            })
            .await;
        self.look(world).await;
        println!("the longest log: {} bytes; the bound is {}", self.longest, self.bound);
        assert!(self.longest > 0, "logs were looked at");
    }
}

/// The usual scenario: so many users, and at the end of every round all processes are killed at once and started again, if
/// `crash`.
async fn rounds(users: u64, crash: bool) {
    let limit = limit(users);
    let mut world = World::joined(SERVERS, 1, &limits(limit)).await;
    let (mut logs, load) = (Logs::of(&world, limit).await, load(&world, users).await);
    for _ in 0..ROUNDS {
        logs.watch(&world, round()).await;
        if crash {
            world.cluster.kill_all().expect("every process can be killed");
            world.cluster.start_all().expect("every process starts again");
        }
        load.progress(SOME).await;
    }
    logs.compacted(&world).await;
    load.judge(world.client().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replicated_kv_basic() {
    rounds(1, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replicated_kv_concurrent() {
    rounds(5, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replicated_kv_persist_concurrent() {
    rounds(5, true).await;
}

/// The snapshots are what the servers come back from.
#[tokio::test(flavor = "multi_thread")]
async fn replicated_kv_snapshot_recover() {
    rounds(1, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replicated_kv_speed() {
    let world = World::joined(SERVERS, 1, &limits(limit(1))).await;
    let (recorder, client, mut logs) = (Recorder::default(), world.client().await, Logs::of(&world, limit(1)).await);
    let begun = Instant::now();
    let mut expected = String::new();
    for number in 0..1000 {
        let token = format!("{number};");
        expected += &token;
        recorder.perform(&client, 0, b"k", Call::Append(token.into_bytes())).await;
        if number % 50 == 0 {
            logs.look(&world).await;
        }
    }
    println!("1000 appends by one client in {:?}", begun.elapsed());
    logs.compacted(&world).await;
    let read = client.get("k").await.expect("the group serves");
    assert_eq!(read.value, Some(expected.into_bytes()));
    recorder.perform(&client, 0, b"k", Call::Get).await;
    let recording = recorder.finish();
    assert!(recording.troubles.is_empty(), "{:#?}", recording.troubles);
    holds(&recording);
}
