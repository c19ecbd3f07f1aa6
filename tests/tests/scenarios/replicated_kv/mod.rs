//! One group of five servers that users work on in rounds, while it is cut into parts, or killed, or both.

mod persistence;
mod single;
mod snapshots;
mod steady;

use crate::lab::Lab;
use quorate_tests::sim::disk::Outage;
use quorate_tests::sim::network::Links;
use quorate_tests::sim::random::Random;
use quorate_tests::sim::setup::{Setup, small_limits};
use quorate_tests::sim::workload::Workload;
use std::time::Duration;

/// How many rounds a scenario has, and how many seconds a round.
const ROUNDS: usize = 3;
const ROUND: u64 = 5;
/// The log may be so many times as long as what makes a snapshot worth it.
const LOG_FACTOR: u64 = 8;
/// So many appends must be there in their users' order at the end.
const ORDERED: usize = 20;
/// What users must get answered between two rounds.
const SOME: usize = 20;

/// What a scenario is made of. The usual one has one user and nothing fails.
pub(crate) struct Kv {
    pub(crate) seed: u64,
    pub(crate) users: usize,
    pub(crate) servers: usize,
    /// The network is the lab's unreliable one.
    pub(crate) unreliable: bool,
    /// At the end of every round all servers lose their power and start again.
    pub(crate) crash: bool,
    /// Every second the servers are cut into two parts anew.
    pub(crate) partitions: bool,
    /// After how many bytes of log a snapshot is worth it, if not as usual.
    pub(crate) limit: Option<u64>,
    pub(crate) workload: Workload,
}

impl Default for Kv {
    fn default() -> Self {
        let era = Duration::from_secs(3600);
        let workload = Workload { keys: 5, era, gets: 300, puts: 0, ..Workload::default() };
        let (unreliable, crash, partitions) = (false, false, false);
        Self { seed: 1, users: 1, servers: 5, unreliable, crash, partitions, limit: None, workload }
    }
}

/// A group whose snapshots are worth it after so many bytes, and its limits.
pub(crate) fn setup(seed: u64, limit: Option<u64>) -> Setup {
    let mut limits = small_limits();
    if let Some(bytes) = limit {
        limits.snapshot_log_bytes = bytes;
        limits.raft.trailing_entries = 2;
    }
    Setup { seed, limits, ..Setup::default() }
}

impl Kv {
    /// Runs it. Throughout, the log of every server stays within its bound.
    pub(crate) fn run(self) {
        let mut lab = Lab::one_group(self.servers, setup(self.seed, self.limit));
        let mut random = Random::new(self.seed, 99);
        let servers = lab.servers(1);
        let bound = LOG_FACTOR * lab.world.setup.limits.snapshot_log_bytes;
        let mut longest = 0;
        lab.work(self.users, &self.workload);
        for _ in 0..ROUNDS {
            if self.unreliable {
                lab.world.network.links = Links::unreliable();
            }
            for _ in 0..ROUND {
                if self.partitions {
                    cut_in_two(&mut lab, &servers, &mut random);
                }
                for _ in 0..20 {
                    lab.run(50);
                    longest = longest.max(servers.iter().map(|server| lab.log_bytes(*server)).max().unwrap_or(0));
                }
            }
            lab.world.network.heal();
            if self.crash {
                lab.world.crash_all(servers.iter().copied(), Outage::Power { kept: 500 });
                lab.run(600);
                servers.iter().for_each(|server| lab.world.start(*server));
            }
            lab.progress(SOME);
        }
        println!("the longest log: {longest} bytes, {} snapshots", lab.world.counts.snapshots);
        assert!(longest <= bound, "a log of {longest} bytes; the bound is {bound}");
        if self.limit.is_some() {
            lab.until("every server has compacted its log", |world| {
                let mut replicas = world.nodes().flat_map(|(_, node)| node.groups());
                replicas.all(|group| group.replica().mark().last.index.get() > 0)
            });
        }
        let ordered = lab.pass();
        assert!(ordered >= ORDERED, "only {ordered} appends are there to be found in order");
    }
}

/// Every server is in one of two parts, by chance; all of them in one is possible, too.
fn cut_in_two(lab: &mut Lab, servers: &[usize], random: &mut Random) {
    let (one, other): (Vec<usize>, Vec<usize>) = servers.iter().partition(|_| random.per_mille(500));
    lab.world.network.heal();
    lab.world.network.partition(&[&one, &other]);
}
