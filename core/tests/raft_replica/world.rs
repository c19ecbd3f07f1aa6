//! A group of replicas, their disks and the network between them, under control of a test.
//!
//! A disk keeps what was synced; a crash keeps a prefix of what was not. Whatever the schedule, the world checks: one
//! leader per term; every node applies the same entries in order; what is committed is durable on a quorum; a read is
//! answered at an index not before anything committed when it was asked.

use crate::words::{Text, Word};
use quorate_core::limits::RaftLimits;
use quorate_core::raft::{
    Durable, Effects, Entry, Input, LogPosition, Message, Proposed, Replica, SnapshotWork, Timer, TimerChange, Write,
};
use quorate_core::spec::ids::{LogIndex, NodeId, ReadContext, Term, WriteId};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// One machine: what its disk holds, and what runs on it.
pub(crate) struct Machine {
    pub(crate) durable: Durable<Word>,
    /// Issued and not synced.
    pub(crate) pending: VecDeque<(WriteId, Write<Word>)>,
    /// Snapshot files, durable ones only.
    files: BTreeMap<LogPosition, Text>,
    /// The snapshot that is being written.
    pub(crate) writing: Option<SnapshotWork<Word>>,
    /// `None` while it is down.
    pub(crate) replica: Option<Replica<Word>>,
    pub(crate) text: Text,
    applied: LogIndex,
    pub(crate) armed: BTreeSet<Timer>,
    /// What was committed anywhere when a read was asked for.
    reads: BTreeMap<ReadContext, LogIndex>,
    pub(crate) isolated: bool,
}

/// A message on its way.
#[derive(Clone, Debug)]
pub(crate) struct Envelope {
    pub(crate) from: NodeId,
    pub(crate) to: NodeId,
    pub(crate) message: Message<Word>,
}

/// What a step told the caller.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    Leads(NodeId, Term),
    SteppedDown(NodeId),
    Proposed(NodeId, Proposed),
    Read(NodeId, Result<ReadContext, Option<NodeId>>),
    Ready(NodeId, ReadContext, LogIndex),
    Installed(NodeId, LogPosition),
}

pub(crate) struct World {
    limits: RaftLimits,
    pub(crate) machines: BTreeMap<NodeId, Machine>,
    pub(crate) network: Vec<Envelope>,
    pub(crate) events: Vec<Event>,
    /// What was committed, by index: the same for everybody.
    pub(crate) committed: BTreeMap<LogIndex, Arc<Entry<Word>>>,
    /// The term in which it was: all later leaders have it.
    pub(crate) committed_in: BTreeMap<LogIndex, Term>,
    leaders: BTreeMap<Term, NodeId>,
    /// The names of the actions that fired.
    pub(crate) fired: BTreeSet<&'static str>,
}

impl World {
    /// A new group of nodes `1..=size`, all up.
    pub(crate) fn new(size: u64, limits: RaftLimits) -> Self {
        let voters: BTreeSet<_> = (1..=size).map(NodeId::new).collect();
        let machine = || Machine {
            durable: Durable::genesis(voters.clone(), Text::default()),
            pending: VecDeque::new(),
            files: BTreeMap::new(),
            writing: None,
            replica: None,
            text: Text::default(),
            applied: LogIndex::ZERO,
            armed: BTreeSet::new(),
            reads: BTreeMap::new(),
            isolated: false,
        };
        let mut world = Self {
            limits,
            machines: voters.iter().map(|node| (*node, machine())).collect(),
            network: Vec::new(),
            events: Vec::new(),
            committed: BTreeMap::new(),
            committed_in: BTreeMap::new(),
            leaders: BTreeMap::new(),
            fired: BTreeSet::new(),
        };
        voters.iter().for_each(|node| world.restart(*node));
        world
    }

    pub(crate) fn machine(&mut self, node: NodeId) -> &mut Machine {
        self.machines.get_mut(&node).expect("a node of this world")
    }

    pub(crate) fn replica(&self, node: NodeId) -> &Replica<Word> {
        self.machines[&node].replica.as_ref().expect("the node is up")
    }

    /// One step of a node that is up, and everything that it wants done.
    pub(crate) fn step(&mut self, node: NodeId, input: Input<Word>) {
        let Some(replica) = self.machine(node).replica.as_mut() else {
            return;
        };
        let (led, led_term, known) = (replica.is_leader(), replica.term(), matched(replica));
        let effects = replica.step(input);
        let (leads, term) = (replica.is_leader(), replica.term());
        if led && leads && led_term == term {
            let grown = known.iter().zip(matched(replica)).all(|(before, after)| *before <= after);
            assert!(grown, "MonotonicMatch: {node} forgets how far its followers are");
        }
        if leads && !led {
            let first = *self.leaders.entry(term).or_insert(node);
            assert_eq!(first, node, "ElectionSafety: two leaders of term {term}");
            self.events.push(Event::Leads(node, term));
        }
        self.perform(node, effects);
    }

    fn perform(&mut self, node: NodeId, effects: Effects<Word>) {
        self.fired.extend(effects.labels.iter().map(|action| action.name()));
        let cut = self.machine(node).isolated;
        for (to, message) in effects.sends {
            if !cut && !self.machine(to).isolated {
                self.network.push(Envelope { from: node, to, message });
            }
        }
        let machine = self.machine(node);
        machine.pending.extend(effects.writes);
        for change in effects.timers {
            match change {
                TimerChange::Arm(timer) => machine.armed.insert(timer),
                TimerChange::Disarm(timer) => machine.armed.remove(&timer),
            };
        }
        if let Some(work) = effects.snapshot {
            assert!(machine.writing.replace(work).is_none(), "two snapshots are written at a time");
        }
        if let Some((position, text)) = effects.installed {
            assert!(position.index > machine.applied, "SnapshotNeverRewinds: {position:?} at {}", machine.applied);
            (machine.text, machine.applied) = (text, position.index);
            self.events.push(Event::Installed(node, position));
        }
        effects.committed.into_iter().for_each(|(index, entry)| self.apply(node, index, entry));
        assert_eq!(self.machines[&node].applied, self.replica(node).commit(), "all that is committed is handed out");
        self.answer(node, effects.proposed, effects.read, effects.reads_ready, effects.stepped_down);
        if effects.image_wanted {
            let image = self.machines[&node].text.clone();
            self.step(node, Input::Image { image, persist: false });
        }
    }

    fn answer(
        &mut self,
        node: NodeId,
        proposed: Option<Proposed>,
        read: Option<Result<ReadContext, Option<NodeId>>>,
        ready: Vec<(ReadContext, LogIndex)>,
        stepped_down: bool,
    ) {
        self.events.extend(proposed.map(|proposed| Event::Proposed(node, proposed)));
        if let Some(read) = read {
            let floor = self.committed.keys().next_back().copied().unwrap_or_default();
            if let Ok(context) = read {
                let reused = self.machine(node).reads.insert(context, floor).is_some();
                assert!(!reused, "{context} is used twice");
            }
            self.events.push(Event::Read(node, read));
        }
        for (context, index) in ready {
            let floor = self.machine(node).reads[&context];
            assert!(index >= floor, "ReadsAreFresh: {context} at {index}, but {floor} was committed when it was asked");
            assert!(index <= self.machine(node).applied, "a read is ready before the state is");
            self.events.push(Event::Ready(node, context, index));
        }
        if stepped_down {
            self.machine(node).reads.clear();
            self.events.push(Event::SteppedDown(node));
        }
    }

    fn apply(&mut self, node: NodeId, index: LogIndex, entry: Arc<Entry<Word>>) {
        let machine = self.machine(node);
        assert_eq!(index, machine.applied.next(), "entries are applied without gaps");
        machine.applied = index;
        machine.text.0.extend(entry.payload().map(|word| word.0.clone()));
        if let Some(first) = self.committed.get(&index) {
            assert_eq!(first, &entry, "StateMachineSafety: two entries are committed at {index}");
            return;
        }
        let durable = |machine: &&Machine| {
            machine.durable.mark.last.index >= index || machine.durable.term_at(index) == Some(entry.term)
        };
        let copies = self.machines.values().filter(durable).count();
        assert!(copies > self.machines.len() / 2, "Durability: {index} is committed with {copies} durable copies");
        self.committed_in.insert(index, self.replica(node).term());
        self.committed.insert(index, entry);
    }

    /// The first `count` pending writes of a node become durable.
    pub(crate) fn sync(&mut self, node: NodeId, count: usize) {
        let machine = self.machine(node);
        let mut last = None;
        for (id, write) in machine.pending.drain(..count.min(machine.pending.len())).collect::<Vec<_>>() {
            machine.fold(write);
            last = Some(id);
        }
        if let Some(write) = last {
            self.step(node, Input::Synced { write });
        }
    }

    /// Delivers the message at this place in the network, and keeps a copy on the way if it is to come twice.
    pub(crate) fn deliver(&mut self, at: usize, again: bool) {
        let Envelope { from, to, message } = if again { self.network[at].clone() } else { self.network.remove(at) };
        if !self.machine(to).isolated {
            self.step(to, Input::Received { from, message });
        }
    }

    /// An armed timer fires.
    pub(crate) fn fire(&mut self, node: NodeId, timer: Timer) {
        if self.machine(node).armed.remove(&timer) {
            self.step(node, Input::Fired { timer });
        }
    }

    /// The caller wants a snapshot of what a node has applied.
    pub(crate) fn snapshot(&mut self, node: NodeId) {
        let image = self.machine(node).text.clone();
        self.step(node, Input::Image { image, persist: true });
    }

    /// The snapshot file that a node is writing becomes durable.
    pub(crate) fn written(&mut self, node: NodeId) {
        let machine = self.machine(node);
        if let Some(SnapshotWork { mark, image }) = machine.writing.take() {
            machine.files.insert(mark.last, image);
            self.step(node, Input::SnapshotWritten { last: mark.last });
        }
    }

    /// A node stops: the first `kept` of its pending writes turn out to be durable, the rest is lost.
    pub(crate) fn crash(&mut self, node: NodeId, kept: usize) {
        let machine = self.machine(node);
        let kept = machine.pending.drain(..).take(kept).collect::<Vec<_>>();
        kept.into_iter().for_each(|(_, write)| machine.fold(write));
        (machine.replica, machine.writing) = (None, None);
        machine.armed.clear();
        machine.reads.clear();
    }

    pub(crate) fn restart(&mut self, node: NodeId) {
        let limits = self.limits.clone();
        let machine = self.machine(node);
        let (replica, effects) = Replica::new(node, machine.durable.clone(), limits);
        (machine.text, machine.applied) = (machine.durable.image.clone(), machine.durable.mark.last.index);
        machine.replica = Some(replica);
        self.perform(node, effects);
    }

    /// Everything that can happen without a timer happens, in order, until nothing is left to happen.
    pub(crate) fn settle(&mut self) {
        let nodes: Vec<_> = self.machines.keys().copied().collect();
        for _ in 0..100_000 {
            for node in &nodes {
                self.sync(*node, usize::MAX);
                self.written(*node);
            }
            if self.network.is_empty() {
                if self.machines.values().all(|machine| machine.pending.is_empty() && machine.writing.is_none()) {
                    return;
                }
                continue;
            }
            self.deliver(0, false);
        }
        panic!("the group does not come to rest: {:?}", self.network);
    }

    /// What the disk of a node would hold if everything issued were synced: what the node itself believes.
    pub(crate) fn folded(&self, node: NodeId) -> Durable<Word> {
        let machine = &self.machines[&node];
        let mut durable = machine.durable.clone();
        for (_, write) in &machine.pending {
            durable.fold(write.clone(), |_| Text::default()).expect("the lane is consistent");
        }
        durable
    }

    /// What a node believes is what its disk was told, no more and no less.
    pub(crate) fn compare_with_disk(&self, node: NodeId) {
        let (told, believed) = (self.folded(node).view(node), self.replica(node).view());
        assert_eq!(told.log, believed.log, "the log of {node}");
        assert_eq!((told.term, told.voted_for), (believed.term, believed.voted_for), "the vote of {node}");
    }

    /// The leader of the newest term that has one up.
    pub(crate) fn leader(&self) -> Option<NodeId> {
        let up = self.machines.values().filter_map(|machine| machine.replica.as_ref());
        up.filter(|replica| replica.is_leader()).max_by_key(|replica| replica.term()).map(Replica::me)
    }
}

/// How far each follower of a leader matches it.
fn matched(replica: &Replica<Word>) -> Vec<u64> {
    replica.lag().iter().map(|lag| replica.last().index.get() - lag.entries).collect()
}

impl Machine {
    fn fold(&mut self, write: Write<Word>) {
        let files = &self.files;
        let image = |mark: &quorate_core::raft::Mark| files[&mark.last].clone();
        self.durable.fold(write, image).expect("the lane is consistent");
    }
}
