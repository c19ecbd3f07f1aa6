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
    /// How much log a group gathers before it writes its state again, in hundredths of the state: the log since the last
    /// snapshot stays within that and [`snapshot_log_bytes`](Self::snapshot_log_bytes) together, but for what comes while
    /// a snapshot is written. 0 is a snapshot whenever the log is longer than `snapshot_log_bytes`, however large the
    /// state. More costs disk, memory and time to recover; less writes the state more often: at 100 a snapshot writes
    /// about as much as was logged since the last, at 25 four times that.
    pub snapshot_state_percent: u64,
}

impl Limits {
    /// Whether a state of so many bytes is worth writing again after so many bytes of log.
    pub fn is_snapshot_worth(&self, log: u64, state: u64) -> bool {
        // Both sides in hundredths of a byte: no product of two numbers of 64 bits is too long for 128.
        let (log_hundredths, wanted) =
            (u128::from(log) * 100, u128::from(state) * u128::from(self.snapshot_state_percent));
        log > self.snapshot_log_bytes && log_hundredths > wanted
    }
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
            snapshot_state_percent: 100,
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
