//! What a world begins with.

use super::network::Links;
use quorate_core::limits::{Limits, RaftLimits};
use std::time::Duration;

/// The shape and the pace of a world.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Everything that happens by chance follows from it.
    pub seed: u64,
    /// How many processes there are; their node ids are 1 and following, their numbers in the world 0 and following.
    pub nodes: usize,
    /// How many of them, from the first on, are the controller's members.
    pub controllers: usize,
    /// How many shards the cluster has.
    pub shards: u32,
    /// The limits of every node.
    pub limits: Limits,
    /// The size of a segment of the write-ahead log, in bytes.
    pub segment_bytes: u64,
    /// How many segments there may be before live entries are moved.
    pub segments: usize,
    /// The election time-out. Heartbeats come five times in it.
    pub election: Duration,
    /// How often a node asks the controller for news.
    pub poll: Duration,
    /// How often a leader looks after its migrations.
    pub drive: Duration,
    /// How links behave.
    pub links: Links,
    /// How long a job of a disk takes, at least and at most.
    pub sync: (Duration, Duration),
    /// How long a client waits for one answer of a data group.
    pub attempt: Duration,
    /// How long a client tries in all.
    pub deadline: Duration,
    /// Whether the specification's invariants are checked as it goes.
    pub watch: bool,
    /// Whether what every process was given in its last life is kept.
    pub records: bool,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            seed: 1,
            nodes: 6,
            controllers: 3,
            shards: 10,
            limits: small_limits(),
            segment_bytes: 64 << 10,
            segments: 4,
            election: Duration::from_millis(300),
            poll: Duration::from_millis(250),
            drive: Duration::from_millis(50),
            links: Links::reliable(),
            sync: (Duration::from_micros(200), Duration::from_millis(4)),
            attempt: Duration::from_millis(500),
            deadline: Duration::from_secs(10),
            watch: true,
            records: false,
        }
    }
}

/// Limits small enough that snapshots, chunks, windows and segments all come into play.
pub fn small_limits() -> Limits {
    let raft = RaftLimits {
        append_bytes: 4 << 10,
        inflight_appends: 8,
        chunk_bytes: 2 << 10,
        trailing_entries: 16,
        ..RaftLimits::default()
    };
    Limits { raft, shard_chunk_bytes: 1 << 10, snapshot_log_bytes: 16 << 10, ..Limits::default() }
}
