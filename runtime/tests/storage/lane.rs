//! A random lane of writes of several groups, each legal after the ones before it, and a plain model of what it means.

use quorate::codec::Identity;
use quorate::wal::{Fold, ReplicaLog, WalOptions};
use quorate_core::controller::{self, Configuration, NodeInfo};
use quorate_core::effect::Write;
use quorate_core::raft::{self, Entry, EntryKind, HardState, LogPosition, Mark};
use quorate_core::shard::{self, WriteOp};
use quorate_core::spec::ids::{ClientId, ConfigNum, Gid, GroupId, LogIndex, NodeId, Seq, Stamp, Term};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(crate) fn options() -> WalOptions {
    let identity = Identity::new("test", NodeId::new(1), Stamp::new(7));
    WalOptions { segment_bytes: 16 << 10, segments: 4, frame_bytes: 2 << 10, ..WalOptions::new(identity) }
}

/// A small, seeded source of choices.
pub(crate) struct Choices(fastrand::Rng);

impl Choices {
    pub(crate) fn new(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0.u64(..limit)
    }

    pub(crate) fn coin(&mut self) -> bool {
        self.below(2) == 0
    }
}

/// What the writes of one replica mean.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Replica<P> {
    pub(crate) hard: HardState,
    pub(crate) mark: Mark2,
    pub(crate) base: LogPosition,
    pub(crate) entries: Vec<Arc<Entry<P>>>,
}

type Mark2 = Option<Mark>;

/// What the writes of a node mean.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Model {
    pub(crate) peers: BTreeMap<NodeId, NodeInfo>,
    pub(crate) tombstones: BTreeSet<GroupId>,
    pub(crate) controller: Option<Replica<controller::Command>>,
    pub(crate) data: BTreeMap<GroupId, Replica<shard::Command>>,
}

impl<P: Clone> Replica<P> {
    fn new(mark: &Mark) -> Self {
        Self { hard: HardState::default(), mark: Some(mark.clone()), base: mark.last, entries: Vec::new() }
    }

    fn of(replica: &ReplicaLog<P>) -> Self {
        let entries = replica.entries().cloned().collect();
        Self { hard: replica.hard, mark: Some(replica.mark.clone()), base: replica.base, entries }
    }

    fn last(&self) -> LogIndex {
        self.base.index.plus(self.entries.len() as u64)
    }

    fn apply(&mut self, write: &raft::Write<P>) {
        match write {
            raft::Write::HardState(hard) => self.hard = *hard,
            raft::Write::Truncate { from } => self.entries.truncate((from.since(self.base.index) - 1) as usize),
            raft::Write::Append { entries, .. } => self.entries.extend(entries.iter().cloned()),
            raft::Write::Mark(mark) => self.mark = Some(mark.clone()),
            raft::Write::Purge { base } => {
                self.entries.drain(..base.index.since(self.base.index) as usize);
                self.base = *base;
            }
            raft::Write::Install(mark) => {
                self.base = mark.last;
                self.mark = Some(mark.clone());
                self.entries.clear();
            }
        }
    }

    /// A legal next write.
    fn random(&self, choices: &mut Choices, mut command: impl FnMut(&mut Choices) -> P) -> raft::Write<P> {
        let mark = self.mark.as_ref().map_or(LogIndex::ZERO, |mark| mark.last.index);
        let term = Term::new(self.hard.term.get().max(1));
        let at = |index| LogPosition { term, index };
        let voters = BTreeSet::from([NodeId::new(1), NodeId::new(2)]);
        match choices.below(12) {
            0 => raft::Write::HardState(HardState { term: self.hard.term.next(), voted_for: Some(NodeId::new(2)) }),
            1 if self.last() > mark => {
                raft::Write::Truncate { from: mark.plus(1 + choices.below(self.last().since(mark))) }
            }
            2 if self.last() > mark => {
                let last = at(mark.plus(1 + choices.below(self.last().since(mark))));
                raft::Write::Mark(Mark { last, voters })
            }
            3 | 4 if mark > self.base.index => raft::Write::Purge { base: at(mark) },
            5 if choices.below(4) == 0 => raft::Write::Install(Mark { last: at(self.last().plus(5)), voters }),
            _ => {
                let count = 1 + choices.below(3);
                let mut entry = |choices: &mut Choices| Entry { term, kind: EntryKind::Command(command(choices)) };
                let entries = (0..count).map(|_| Arc::new(entry(choices))).collect();
                raft::Write::Append { first: self.last().next(), entries }
            }
        }
    }
}

impl Model {
    pub(crate) fn of(fold: &Fold) -> Self {
        Self {
            peers: fold.peers.clone(),
            tombstones: fold.tombstones.clone(),
            controller: fold.controller.as_ref().map(Replica::of),
            data: fold.data.iter().map(|(group, replica)| (*group, Replica::of(replica))).collect(),
        }
    }

    pub(crate) fn apply(&mut self, write: &Write) {
        match write {
            Write::CreateController { mark, .. } => self.controller = Some(Replica::new(mark)),
            Write::Controller(write) => self.controller.as_mut().unwrap().apply(write),
            Write::CreateData { group, mark, .. } => drop(self.data.insert(*group, Replica::new(mark))),
            Write::Data { group, write } => self.data.get_mut(group).unwrap().apply(write),
            Write::Tombstone { group } => {
                self.data.remove(group);
                self.tombstones.insert(*group);
            }
            Write::Pin { node, info } => drop(self.peers.insert(*node, info.clone())),
        }
    }

    /// A legal next write.
    pub(crate) fn random(&self, choices: &mut Choices) -> Write {
        let group = group(1 + choices.below(3));
        match choices.below(40) {
            0 => {
                let info = NodeInfo { address: "host:1".into(), stamp: Stamp::new(choices.below(9).into()) };
                return Write::Pin { node: NodeId::new(choices.below(5)), info };
            }
            1 if choices.below(8) == 0 && self.data.contains_key(&group) => return Write::Tombstone { group },
            2..=12 => match &self.controller {
                None => return create_controller(),
                Some(replica) => {
                    let command =
                        |choices: &mut Choices| controller::Command::RegisterClient { limit: choices.below(99) };
                    return Write::Controller(replica.random(choices, command));
                }
            },
            _ => {}
        }
        match self.data.get(&group) {
            Some(replica) => Write::Data { group, write: replica.random(choices, put) },
            None if self.tombstones.contains(&group) => {
                Write::Pin { node: NodeId::new(9), info: NodeInfo { address: "a:1".into(), stamp: Stamp::new(1) } }
            }
            None => create_data(group),
        }
    }
}

/// All states that the lane passes through, and its writes.
pub(crate) fn lane(seed: u64, length: usize) -> (Vec<Write>, Vec<Model>) {
    let (mut choices, mut model) = (Choices::new(seed), Model::default());
    let (mut writes, mut states) = (Vec::new(), vec![model.clone()]);
    for _ in 0..length {
        let write = model.random(&mut choices);
        model.apply(&write);
        writes.push(write);
        states.push(model.clone());
    }
    (writes, states)
}

pub(crate) fn group(gid: u64) -> GroupId {
    GroupId::new(Gid::new(gid), ConfigNum::new(gid))
}

pub(crate) fn start() -> Mark {
    Mark { last: LogPosition::default(), voters: BTreeSet::from([NodeId::new(1), NodeId::new(2), NodeId::new(3)]) }
}

pub(crate) fn create_controller() -> Write {
    Write::CreateController { mark: start(), shards: 64 }
}

pub(crate) fn create_data(group: GroupId) -> Write {
    Write::CreateData { group, mark: start(), config: Arc::new(Configuration::default()) }
}

fn put(choices: &mut Choices) -> shard::Command {
    put_bytes(choices.below(900) as usize)
}

/// A command with a value of so many bytes.
pub(crate) fn put_bytes(bytes: usize) -> shard::Command {
    let op = WriteOp::Put { value: vec![bytes as u8; bytes].into() };
    let (client, seq) = (ClientId::new(3), Seq::new(bytes as u64));
    shard::Command::Write { client, seq, key: "key".into(), op, value_limit: 1 << 20 }
}

/// An append of one entry of `bytes` at `index`.
pub(crate) fn append(group: GroupId, index: u64, bytes: usize) -> Write {
    let entry = Arc::new(Entry { term: Term::new(1), kind: EntryKind::Command(put_bytes(bytes)) });
    Write::Data { group, write: raft::Write::Append { first: LogIndex::new(index), entries: vec![entry] } }
}

/// A snapshot mark and a purge up to `index`.
pub(crate) fn compact(group: GroupId, index: u64) -> [Write; 2] {
    let last = LogPosition { term: Term::new(1), index: LogIndex::new(index) };
    let mark = Mark { last, ..start() };
    [raft::Write::Mark(mark), raft::Write::Purge { base: last }].map(|write| Write::Data { group, write })
}
