//! Three groups of three servers, three controllers, ten shards.

mod changes;
mod concurrent;
mod progress;
mod unreliable;

use crate::lab::{Lab, SHARDS};
use quorate_tests::sim::disk::Outage;
use quorate_tests::sim::setup::{Setup, small_limits};
use quorate_tests::sim::workload::Workload;
use quorate_tests::world::key_per_shard;
use std::collections::BTreeMap;
use std::time::Duration;

/// Of the groups 1 to 3 the first `joined` are at work.
fn lab(seed: u64, joined: u64) -> Lab {
    Lab::sharded(3, joined, Setup { seed, ..Setup::default() })
}

/// The same with snapshots after so many bytes of log.
fn lab_with_snapshots(seed: u64, joined: u64, limit: u64) -> Lab {
    let mut limits = small_limits();
    limits.snapshot_log_bytes = limit;
    limits.raft.trailing_entries = 2;
    Lab::sharded(3, joined, Setup { seed, limits, ..Setup::default() })
}

/// A key of every shard.
fn keys() -> BTreeMap<u64, String> {
    key_per_shard(SHARDS, "k")
}

/// Users who only append to and read ten keys.
fn appenders() -> Workload {
    let era = Duration::from_secs(3600);
    Workload { keys: 10, era, gets: 200, puts: 0, ..Workload::default() }
}

/// All servers of a group lose their power.
fn kill(lab: &mut Lab, gid: u64) {
    let servers = lab.servers(gid);
    lab.world.crash_all(servers, Outage::Power { kept: 500 });
}

/// They start again.
fn start(lab: &mut Lab, gid: u64) {
    for server in lab.servers(gid) {
        lab.world.start(server);
    }
}
