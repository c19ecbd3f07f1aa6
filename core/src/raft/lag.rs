//! How far followers are behind, as their leader knows: for people, never for a decision.

use super::Replica;
use super::progress::{Flow, Progress};
use super::role::State;
use super::types::Payload;
use alloc::vec::Vec;
use quorate_spec::ids::NodeId;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// How far one follower is behind. A leader that was just elected knows nothing of its followers yet: they count as far
/// behind until they have answered once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Lag {
    /// The follower.
    pub node: NodeId,
    /// How many log entries it is not known to have.
    pub entries: u64,
    /// The bytes of those entries that are still in the leader's log.
    pub bytes: u64,
    /// Whether it needs entries that are compacted away, so that the leader sends it a snapshot.
    pub by_snapshot: bool,
}

impl<P: Payload> Replica<P> {
    /// On a leader: how far each other voter is behind. Otherwise nothing. Takes time linear in the lag.
    pub fn lag(&self) -> Vec<Lag> {
        let State::Leader(leader) = &self.state else {
            return Vec::new();
        };
        leader.progress.iter().map(|(node, progress)| self.lag_of(*node, progress)).collect()
    }

    fn lag_of(&self, node: NodeId, progress: &Progress<P>) -> Lag {
        Lag {
            node,
            entries: self.log.last_index().since(progress.matched),
            bytes: self.log.bytes_after(progress.matched),
            by_snapshot: matches!(progress.flow, Flow::Snapshot { .. }),
        }
    }
}
