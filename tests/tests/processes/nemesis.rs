//! Everything at once, at random, under load and while shards move: nodes are killed, stopped, cut off from each other,
//! told that their syncs fail, or left without space. Every history is judged.

use quorate_tests::campaign::{Campaign, Figures};
use quorate_tests::inject;
use quorate_tests::islands::Islands;
use quorate_tests::load::Load;
use quorate_tests::place::Place;
use quorate_tests::small_disk::SmallDisk;
use quorate_tests::world::{PATIENCE, World, key_per_shard, layout};
use std::time::{Duration, Instant};

/// The node whose disk is small enough to be filled.
const SMALL: u64 = 4;
/// What that disk holds, in MiB.
const SPACE: u64 = 256;

/// What goes wrong for a while. Whatever it is, it is over when it has been healed.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Kill,
    KillAll,
    Pause,
    Cut,
    FailingSync,
    FullDisk,
}

const FAULTS: [Fault; 6] = [Fault::Kill, Fault::KillAll, Fault::Pause, Fault::Cut, Fault::FailingSync, Fault::FullDisk];

/// A cluster at the mercy of chance.
struct Nemesis<'a> {
    world: World,
    islands: &'a Islands,
    disk: &'a SmallDisk,
    random: fastrand::Rng,
}

impl Nemesis<'_> {
    /// How long a fault lasts.
    async fn last(&mut self) {
        tokio::time::sleep(Duration::from_millis(self.random.u64(200..2500))).await;
    }

    async fn commit(&mut self, fault: Fault) {
        let nodes: Vec<u64> = self.world.cluster.layout().nodes().collect();
        let node = nodes[self.random.usize(..nodes.len())];
        match fault {
            Fault::Kill => {
                assert!(self.world.cluster.kill(node).expect("the node runs"), "{}", self.world.last_words());
                self.last().await;
            }
            Fault::KillAll => {
                let killed = self.world.cluster.kill_all().expect("every node is killed");
                assert_eq!(killed, nodes.len() as u64, "nobody had ended before: {}", self.world.last_words());
            }
            Fault::Pause => {
                self.world.cluster.pause(node).expect("the node runs");
                self.last().await;
                self.world.cluster.resume(node).expect("the node runs");
            }
            Fault::Cut => {
                let (one, other) = nodes.iter().partition(|_| self.random.bool());
                self.islands.cut(&[one, other]);
                self.last().await;
                self.islands.heal();
            }
            Fault::FailingSync => self.fail_syncs(node).await,
            Fault::FullDisk => {
                let ballast = self.disk.fill();
                self.last().await;
                std::fs::remove_file(ballast).expect("space is made");
            }
        }
        self.world.cluster.start_all().expect("whoever is down starts again");
    }

    /// The node ends by itself at the next sync.
    async fn fail_syncs(&mut self, node: u64) {
        let mut tracer = inject::syncs(self.world.cluster.pid(node).expect("the node runs"), inject::FAIL);
        let deadline = Instant::now() + PATIENCE;
        while self.world.cluster.fallen().expect("processes can be looked at").is_empty() {
            assert!(Instant::now() < deadline, "node {node} syncs now and then, and cannot");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let _ = tracer.wait();
        assert!(!self.world.cluster.kill(node).expect("the node was started"), "node {node} ended by itself");
    }
}

/// An operator who moves shards to and fro until told that it is enough.
async fn shuffle(world: &World) -> tokio::task::JoinHandle<()> {
    let operator = world.client().await;
    tokio::spawn(async move {
        for shard in (0..10).cycle() {
            let gid = fastrand::u64(1..=2);
            // It may not be known whether it was done; it does not matter.
            let _ = operator.move_shard(shard, gid).await;
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    })
}

async fn torment(islands: &Islands, seed: u64, faults: u64) -> Figures {
    let directory = Place::default();
    let disk = SmallDisk::mount(directory.path().join(format!("node-{SMALL}")), SPACE);
    let limits = "snapshot_log_bytes = 65536\ntrailing_entries = 16\nshard_chunk_bytes = 4096";
    let world = World::on_in(directory.path(), islands, 2, limits).await;
    let keys = key_per_shard(10, "k").into_values().collect();
    let load = Load::start(async || world.client().await, 10, keys, Duration::from_millis(10)).await;
    let operator = shuffle(&world).await;
    let mut nemesis = Nemesis { world, islands, disk: &disk, random: fastrand::Rng::with_seed(seed) };
    let first = nemesis.random.usize(..FAULTS.len());
    for fault in FAULTS.iter().cycle().skip(first).take(faults as usize) {
        nemesis.commit(*fault).await;
        load.progress(20).await;
    }
    operator.abort();
    let world = nemesis.world;
    world.settled().await;
    Figures::of(faults, &load.judge(world.client().await).await)
}

#[test]
fn faults_of_every_kind_lose_and_repeat_nothing() {
    let islands = Islands::new(layout(2));
    islands.inhabit(async || {
        Campaign::new("nemesis", 6).run(24, async |seed, faults| torment(&islands, seed, faults).await).await
    });
}
