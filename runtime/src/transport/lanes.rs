//! What waits for one peer: three lanes, each bounded, the urgent one always first.
//!
//! Elections, heartbeats and acknowledgements never wait behind log entries, and log entries never behind more than one
//! part of a snapshot or of a moving shard. Appends, empty ones included, keep their order among each other: one that
//! overtook another would be refused for a gap. A full lane drops what comes: the core expects losses.

use quorate_core::message::{DirectoryMessage, Message};
use quorate_core::raft::{Entry, EntryKind, Message as Raft, Payload, Replication, Transfer};
use quorate_core::shard::ShardMessage;
use std::collections::VecDeque;
use std::sync::Arc;

/// The lanes, most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lane {
    Urgent,
    Log,
    Bulk,
}

/// The most bytes that wait in each lane.
const URGENT_BYTES: usize = 4 << 20;
const LOG_BYTES: usize = 64 << 20;
const BULK_BYTES: usize = 32 << 20;
/// What a message without content weighs.
const SMALL: usize = 96;
/// What a part of a snapshot or of a shard is taken to weigh, and news of the directory: about the default limits.
const PART: usize = 1 << 20;

/// One bounded queue.
#[derive(Debug)]
struct Queue {
    messages: VecDeque<(Message, usize)>,
    bytes: usize,
    limit: usize,
}

impl Queue {
    fn new(limit: usize) -> Self {
        Self { messages: VecDeque::new(), bytes: 0, limit }
    }

    fn push(&mut self, message: Message, weight: usize) -> bool {
        if self.bytes + weight > self.limit && !self.messages.is_empty() {
            return false;
        }
        self.bytes += weight;
        self.messages.push_back((message, weight));
        true
    }

    /// Moves messages to `out` until `budget` bytes are used up: the first one always goes.
    fn take(&mut self, out: &mut Vec<Message>, mut budget: usize) {
        while budget > 0 {
            let Some((message, weight)) = self.messages.pop_front() else {
                return;
            };
            self.bytes -= weight;
            budget = budget.saturating_sub(weight);
            out.push(message);
        }
    }
}

/// What waits for one peer.
#[derive(Debug)]
pub(super) struct Lanes {
    urgent: Queue,
    log: Queue,
    bulk: Queue,
}

impl Default for Lanes {
    fn default() -> Self {
        Self { urgent: Queue::new(URGENT_BYTES), log: Queue::new(LOG_BYTES), bulk: Queue::new(BULK_BYTES) }
    }
}

impl Lanes {
    /// Lets a message wait. `false`: its lane is full and it was dropped.
    pub(super) fn push(&mut self, message: Message) -> bool {
        let (lane, weight) = classify(&message);
        match lane {
            Lane::Urgent => self.urgent.push(message, weight),
            Lane::Log => self.log.push(message, weight),
            Lane::Bulk => self.bulk.push(message, weight),
        }
    }

    /// Takes what goes next: all that is urgent, log entries up to about `budget` bytes, one bulk message.
    pub(super) fn take(&mut self, out: &mut Vec<Message>, budget: usize) {
        self.urgent.take(out, usize::MAX);
        self.log.take(out, budget.max(1));
        self.bulk.take(out, 1);
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.urgent.messages.is_empty() && self.log.messages.is_empty() && self.bulk.messages.is_empty()
    }

    /// Drops everything.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

/// A message's lane and about its size in bytes.
fn classify(message: &Message) -> (Lane, usize) {
    match message {
        Message::Controller(message) => classify_raft(message),
        Message::Data { message, .. } => classify_raft(message),
        Message::Shard(message) => match message {
            ShardMessage::Part { records, .. } => {
                let data: usize = records.data.iter().map(|(key, value)| key.len() + value.len() + 16).sum();
                (Lane::Bulk, SMALL + data + records.sessions.len() * 64)
            }
            ShardMessage::Pull { .. }
            | ShardMessage::NotHere { .. }
            | ShardMessage::Confirm { .. }
            | ShardMessage::Confirmed { .. } => (Lane::Urgent, SMALL),
        },
        Message::Directory(message) => match message {
            DirectoryMessage::News { .. } => (Lane::Bulk, PART),
            DirectoryMessage::Fetch { .. }
            | DirectoryMessage::Changed { .. }
            | DirectoryMessage::Register { .. }
            | DirectoryMessage::Retire { .. }
            | DirectoryMessage::Greet(_)
            | DirectoryMessage::Greeted(_) => (Lane::Urgent, SMALL),
        },
        Message::Refused { .. } => (Lane::Urgent, SMALL),
    }
}

fn classify_raft<P: Payload>(message: &Raft<P>) -> (Lane, usize) {
    match message {
        Raft::Election(_) => (Lane::Urgent, SMALL),
        Raft::Replication(message) => match message {
            Replication::Append { entries, .. } => (Lane::Log, SMALL + entries.iter().map(weigh).sum::<usize>()),
            Replication::Appended { .. }
            | Replication::AppendRefused { .. }
            | Replication::Heartbeat { .. }
            | Replication::HeartbeatAck { .. } => (Lane::Urgent, SMALL),
        },
        Raft::Transfer(message) => classify_transfer(message),
    }
}

fn classify_transfer<P: Payload>(message: &Transfer<P>) -> (Lane, usize) {
    match message {
        Transfer::Chunk { .. } => (Lane::Bulk, PART),
        Transfer::Accepted { .. } | Transfer::Installed { .. } => (Lane::Urgent, SMALL),
    }
}

fn weigh<P: Payload>(entry: &Arc<Entry<P>>) -> usize {
    match &entry.kind {
        EntryKind::Noop => 16,
        EntryKind::Command(payload) => payload.bytes() + 16,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quorate_core::controller::NodeInfo;
    use quorate_core::message::{Peer, PeerRefusal};
    use quorate_core::raft::LogPosition;
    use quorate_spec::ids::{GroupId, LogIndex, NodeId, ReadContext, Term};

    fn append(prev: u64, entries: usize) -> Message {
        let entry = Arc::new(Entry { term: Term::new(1), kind: EntryKind::Noop });
        Message::Data {
            group: GroupId::CONTROLLER,
            message: Raft::Replication(Replication::Append {
                term: Term::new(1),
                prev: LogPosition { term: Term::new(1), index: LogIndex::new(prev) },
                entries: vec![entry; entries],
                commit: LogIndex::ZERO,
            }),
        }
    }

    fn heartbeat() -> Message {
        Message::Data {
            group: GroupId::CONTROLLER,
            message: Raft::Replication(Replication::Heartbeat {
                term: Term::new(1),
                commit: LogPosition::default(),
                read: ReadContext::ZERO,
            }),
        }
    }

    fn news() -> Message {
        Message::Directory(DirectoryMessage::News { configs: Vec::new(), directory: None })
    }

    fn take_all(lanes: &mut Lanes, budget: usize) -> Vec<Message> {
        let mut out = Vec::new();
        lanes.take(&mut out, budget);
        out
    }

    #[test]
    fn heartbeats_overtake_appends_and_appends_overtake_bulk() {
        let mut lanes = Lanes::default();
        for message in [news(), append(1, 3), append(4, 0), heartbeat()] {
            assert!(lanes.push(message));
        }
        assert_eq!(take_all(&mut lanes, 1 << 20), vec![heartbeat(), append(1, 3), append(4, 0), news()]);
        assert!(lanes.is_empty());
        assert_eq!((lanes.urgent.bytes, lanes.log.bytes, lanes.bulk.bytes), (0, 0, 0));
    }

    #[test]
    fn bulk_goes_one_at_a_time_and_is_not_starved() {
        let mut lanes = Lanes::default();
        for message in [news(), news(), append(1, 100), append(101, 100)] {
            assert!(lanes.push(message));
        }
        assert_eq!(take_all(&mut lanes, 100), vec![append(1, 100), news()], "the budget, then one of bulk");
        assert_eq!(take_all(&mut lanes, 100), vec![append(101, 100), news()]);
    }

    #[test]
    fn every_lane_is_bounded_and_full_ones_do_not_block_the_others() {
        let mut lanes = Lanes::default();
        let accepted = (0..1000).take_while(|_| lanes.push(news())).count();
        assert_eq!(accepted, BULK_BYTES / PART);
        let accepted = (0..10_000_000).take_while(|_| lanes.push(heartbeat())).count();
        assert_eq!(accepted, URGENT_BYTES / SMALL);
        assert!(lanes.push(append(1, 1)), "the log lane is free");
        let accepted = (0..10_000_000).take_while(|_| lanes.push(append(1, 1000))).count();
        assert!(accepted > 0 && lanes.log.bytes <= LOG_BYTES);
    }

    #[test]
    fn what_is_small_is_urgent() {
        let register = DirectoryMessage::Register {
            node: NodeId::new(1),
            info: NodeInfo { address: "a:1".into(), stamp: Default::default() },
        };
        assert_eq!(classify(&Message::Directory(register)).0, Lane::Urgent);
        let whom = Peer { node: NodeId::new(1), stamp: Default::default(), boot: Default::default() };
        let refused = Message::Refused { whom, reason: PeerRefusal::OtherBootstrap };
        assert_eq!(classify(&refused).0, Lane::Urgent);
    }
}
