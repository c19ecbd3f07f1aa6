//! Limits and defaults: each is configurable, enforced before allocation, and named in the refusal.

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// Limits of a node. Sizes in bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Limits {
    /// The longest key.
    pub key_bytes: usize,
    /// The longest value.
    pub value_bytes: usize,
    /// The most live sessions per cluster. When it is reached the oldest tenth ends (the floor rises).
    pub sessions: u64,
    /// Per-group Raft limits.
    pub raft: RaftLimits,
    /// The size of a chunk of a moving shard.
    pub shard_chunk_bytes: usize,
    /// Log bytes since the last snapshot that make a new one worth it.
    pub snapshot_log_bytes: u64,
}

/// Limits of one replica. Sizes in bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct RaftLimits {
    /// The most entries' bytes in one append (at least one entry goes).
    pub append_bytes: usize,
    /// The most appends in flight to one follower.
    pub inflight_appends: usize,
    /// The most bytes of proposals not yet committed; more is refused. One proposal always goes.
    pub uncommitted_bytes: u64,
    /// The size of a snapshot chunk.
    pub chunk_bytes: usize,
    /// Entries kept below a snapshot, for followers that are a little behind.
    pub trailing_entries: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            key_bytes: 4 << 10,
            value_bytes: 1 << 20,
            sessions: 100_000,
            raft: RaftLimits::default(),
            shard_chunk_bytes: 1 << 20,
            snapshot_log_bytes: 32 << 20,
        }
    }
}

impl Default for RaftLimits {
    fn default() -> Self {
        Self {
            append_bytes: 1 << 20,
            inflight_appends: 64,
            uncommitted_bytes: 64 << 20,
            chunk_bytes: 1 << 20,
            trailing_entries: 1024,
        }
    }
}
