//! The lab's scenarios on real processes, and those that no lab has: the rows marked R, under their names.
//!
//! Whatever clients were told is recorded and handed to both judges. What a row counts (bytes of logs, users, changes) is
//! asserted with its own numbers. What it times is asserted on the simulator, in virtual time; here the waits are generous,
//! because a busy machine may hold up any process, and in place of a time stands an order: who must not wait is answered
//! while who must wait still waits. The times are printed. `QUORATE_ROUND=5` is the lab's own length of a round, in seconds.
//! Run one after the other (`--test-threads=1`): each is a whole cluster.

mod controller;
mod ours;
mod partitions;
mod replicated_kv;
mod sharded;

use quorate_tests::load::Load;
use quorate_tests::world::{World, key_per_shard};
use std::time::Duration;

/// Shards of every cluster here, as in the lab.
const SHARDS: u32 = 10;

/// Clients of `world` at work on a key of every shard, and on keys of their own.
async fn load(world: &World, clients: u64) -> Load {
    let keys = key_per_shard(SHARDS, "k").into_values().collect();
    Load::start(async || world.client().await, clients, keys, Duration::from_millis(4)).await
}

/// How long a round is.
fn round() -> Duration {
    let seconds = std::env::var("QUORATE_ROUND").ok();
    Duration::from_secs(seconds.map_or(2, |seconds| seconds.parse().expect("a round is whole seconds")))
}
