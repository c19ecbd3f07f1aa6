//! What Raft costs each group: requests and bytes, counted as they are sent, whether they arrive or not.

use quorate_core::message::Message;
use quorate_core::raft::{self, Election, Payload, Replication, Transfer};
use quorate_spec::ids::GroupId;

/// The Raft messages of one group. Answers are no requests, but their bytes count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Requests for votes, pre-votes among them, and calls to campaign.
    pub elections: u64,
    /// Appends, probes among them.
    pub appends: u64,
    /// Heartbeats.
    pub heartbeats: u64,
    /// Parts of snapshots.
    pub chunks: u64,
    /// Bytes of all messages.
    pub bytes: u64,
}

impl Tally {
    /// All requests.
    pub fn requests(&self) -> u64 {
        self.elections + self.appends + self.heartbeats + self.chunks
    }

    /// What came after `earlier`.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            elections: self.elections - earlier.elections,
            appends: self.appends - earlier.appends,
            heartbeats: self.heartbeats - earlier.heartbeats,
            chunks: self.chunks - earlier.chunks,
            bytes: self.bytes - earlier.bytes,
        }
    }

    /// Counts a message of a group.
    pub(super) fn count<P: Payload>(&mut self, message: &raft::Message<P>, bytes: usize) {
        self.bytes += bytes as u64;
        match message {
            raft::Message::Election(
                Election::PreVote { .. } | Election::RequestVote { .. } | Election::TimeoutNow { .. },
            ) => self.elections += 1,
            raft::Message::Replication(Replication::Append { .. }) => self.appends += 1,
            raft::Message::Replication(Replication::Heartbeat { .. }) => self.heartbeats += 1,
            raft::Message::Transfer(Transfer::Chunk { .. }) => self.chunks += 1,
            raft::Message::Election(
                Election::PreVoteGranted { .. }
                | Election::PreVoteRefused { .. }
                | Election::VoteGranted { .. }
                | Election::VoteRefused { .. },
            )
            | raft::Message::Replication(
                Replication::Appended { .. } | Replication::AppendRefused { .. } | Replication::HeartbeatAck { .. },
            )
            | raft::Message::Transfer(Transfer::Accepted { .. } | Transfer::Installed { .. }) => {}
        }
    }
}

impl super::world::World {
    /// What Raft has cost a group so far.
    pub fn tally(&self, group: GroupId) -> Tally {
        self.tallies.get(&group).copied().unwrap_or_default()
    }

    /// Counts a message that goes out, if it is one of Raft's.
    pub(super) fn count(&mut self, message: &Message, bytes: usize) {
        match message {
            Message::Controller(message) => {
                self.tallies.entry(GroupId::CONTROLLER).or_default().count(message, bytes);
            }
            Message::Data { group, message } => self.tallies.entry(*group).or_default().count(message, bytes),
            Message::Shard(_) | Message::Directory(_) | Message::Refused { .. } => {}
        }
    }
}
