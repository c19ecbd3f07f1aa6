//! One node's part of the world: the real replica, its disk, the writes on their way there, its snapshots and timers.
//!
//! A node does with the effects of a step what a driver would. What concerns nobody else it does at once: committed
//! entries are applied, an image that is wanted is given. Either could be late in a real process, but its lateness shows
//! only in messages that leave later, and every message of this world may be late anyway.

use super::payload::{Byte, Bytes};
use quorate_core::limits::RaftLimits;
use quorate_core::raft::{Durable, Effects, Hints, Input, LogPosition, Message, Replica, Timer, TimerChange, Write};
use quorate_spec::Violation;
use quorate_spec::action::Action;
use quorate_spec::ids::{LogIndex, NodeId, ReadContext, WriteId};
use std::collections::VecDeque;

/// The property that a disk judges: no write contradicts those before it.
pub(super) const LANE: &str = "DurableLane";

/// A committed entry: its index, its term, and its command if it has one.
pub(super) type Committed = (LogIndex, quorate_spec::ids::Term, Option<Byte>);

/// One node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Local {
    /// The deployed replica.
    pub replica: Replica<Byte>,
    /// What a crash would leave at least.
    pub disk: Durable<Byte>,
    /// Writes issued and not yet synced, numbered from 1.
    pub pending: Vec<(WriteId, Write<Byte>)>,
    /// How many of them were issued by the first step that left any.
    pub first: usize,
    /// The applied state.
    pub image: Bytes,
    /// Which timers may fire: election, heartbeat, check of the quorum.
    pub armed: [bool; 3],
    /// Complete snapshot files that no durable mark names yet.
    pub files: Vec<(LogPosition, Bytes)>,
    /// The snapshot file that is being written.
    pub work: Option<(LogPosition, Bytes)>,
}

/// What others see of what a node did.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// Messages that left.
    pub sends: Vec<(NodeId, Message<Byte>)>,
    /// The steps taken, in the specification's words.
    pub labels: Vec<Action>,
    /// Entries that became committed here, in order.
    pub committed: Vec<Committed>,
    /// The context of a read that was taken in.
    pub read: Option<ReadContext>,
    /// Reads that may be answered.
    pub ready: Vec<(ReadContext, LogIndex)>,
    /// Leadership was lost.
    pub stepped_down: bool,
    /// Whether a proposal was taken in.
    pub proposed: bool,
    /// What the disk refused.
    pub violation: Option<Violation>,
}

/// How nodes behave in a scope.
#[derive(Clone, Debug)]
pub struct Manner {
    /// The replica's limits.
    pub limits: RaftLimits,
    /// What nothing in the scope ever asks for.
    pub hints: Hints,
}

impl Local {
    /// A node with an empty disk.
    pub fn genesis(node: NodeId, voters: impl Iterator<Item = NodeId>, manner: &Manner) -> Self {
        Self::boot(node, Durable::genesis(voters.collect(), Bytes::default()), manner, &mut Told::default())
    }

    /// A node as its disk remembers it.
    fn boot(node: NodeId, disk: Durable<Byte>, manner: &Manner, told: &mut Told) -> Self {
        let (replica, effects) = Replica::new(node, disk.clone(), manner.limits.clone());
        let image = disk.image.clone();
        let (pending, files) = (Vec::new(), Vec::new());
        let mut local = Self { replica, disk, pending, first: 0, image, armed: [false; 3], files, work: None };
        local.perform(effects, &mut VecDeque::new(), told);
        local.settle(manner);
        local
    }

    /// Handles inputs one after the other, with everything that follows within the node. With `at_once`, all writes are
    /// synced before it returns.
    pub fn feed(&mut self, inputs: impl IntoIterator<Item = Input<Byte>>, at_once: bool, manner: &Manner) -> Told {
        let mut told = Told::default();
        let mut queue: VecDeque<Input<Byte>> = inputs.into_iter().collect();
        loop {
            while let Some(input) = queue.pop_front() {
                if let Input::Fired { timer } = &input {
                    self.armed[*timer as usize] = false;
                }
                let effects = self.replica.step(input);
                self.perform(effects, &mut queue, &mut told);
            }
            if !at_once || self.pending.is_empty() || told.violation.is_some() {
                break;
            }
            queue.extend(self.sync(self.pending.len(), &mut told));
        }
        self.settle(manner);
        told
    }

    /// The first `count` writes become durable. Returns what the replica is to be told.
    pub fn sync(&mut self, count: usize, told: &mut Told) -> Option<Input<Byte>> {
        let mut last = None;
        for (write, content) in self.pending.drain(..count).collect::<Vec<_>>() {
            last = last.max(Some(write));
            if let Err(error) = fold(&mut self.disk, &self.files, content) {
                told.violation = Some(Violation::new(LANE, format!("on {}: {error}", self.replica.me())));
                return None;
            }
        }
        self.files.retain(|(position, _)| position.index > self.disk.mark.last.index);
        last.map(|write| Input::Synced { write })
    }

    /// The power goes, and comes back: `keep` of the pending writes had reached the disk. Nobody was told, and all that
    /// was only promised is forgotten.
    pub fn crash(&self, keep: usize, manner: &Manner) -> (Self, Told) {
        let (mut disk, mut told) = (self.disk.clone(), Told::default());
        for (_, write) in self.pending.iter().take(keep) {
            if let Err(error) = fold(&mut disk, &self.files, write.clone()) {
                told.violation = Some(Violation::new(LANE, format!("on {}: {error}", self.replica.me())));
            }
        }
        (Self::boot(self.replica.me(), disk, manner, &mut told), told)
    }

    /// The file of the snapshot that is being written is complete.
    pub fn file_written(&mut self) -> Option<Input<Byte>> {
        let (last, image) = self.work.take()?;
        self.files.push((last, image));
        Some(Input::SnapshotWritten { last })
    }

    /// Whether writes wait for the disk.
    pub const fn waits(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Whether a timer may fire.
    pub const fn is_armed(&self, timer: Timer) -> bool {
        self.armed[timer as usize]
    }

    fn perform(&mut self, effects: Effects<Byte>, queue: &mut VecDeque<Input<Byte>>, told: &mut Told) {
        self.pending.extend(effects.writes);
        told.sends.extend(effects.sends);
        for change in effects.timers {
            match change {
                TimerChange::Arm(timer) => self.armed[timer as usize] = true,
                TimerChange::Disarm(timer) => self.armed[timer as usize] = false,
            }
        }
        if let Some((_, image)) = effects.installed {
            self.image = image;
        }
        for (index, entry) in effects.committed {
            self.image.0.extend(entry.payload().map(|byte| byte.0));
            told.committed.push((index, entry.term, entry.payload().copied()));
        }
        if let Some(work) = effects.snapshot {
            self.work = Some((work.mark.last, work.image));
        }
        if effects.image_wanted {
            queue.push_back(Input::Image { image: self.image.clone(), persist: false });
        }
        told.proposed |= matches!(effects.proposed, Some(quorate_core::raft::Proposed::Accepted { count: 1.., .. }));
        told.read = told.read.or(effects.read.and_then(Result::ok));
        told.ready.extend(effects.reads_ready);
        told.stepped_down |= effects.stepped_down;
        told.labels.extend(effects.labels);
    }

    /// Numbers writes from the last synced one on: only their order matters, and only within the node. Forgets what the
    /// scope never asks for.
    fn settle(&mut self, manner: &Manner) {
        let pending = self.pending.len();
        self.first = if self.first == 0 { pending } else { self.first.min(pending) };
        let zero = self.replica.renumber_writes();
        for (write, _) in &mut self.pending {
            *write = WriteId::new(write.get() - zero);
        }
        self.replica.forget(manner.hints);
    }

    /// This node in a world whose nodes bear other names.
    pub fn renamed(&self, name: &impl Fn(NodeId) -> NodeId) -> Self {
        let mut disk = self.disk.clone();
        disk.hard.voted_for = disk.hard.voted_for.map(name);
        let pending = self.pending.iter().map(|(write, content)| {
            let mut content = content.clone();
            if let Write::HardState(hard) = &mut content {
                hard.voted_for = hard.voted_for.map(name);
            }
            (*write, content)
        });
        Self { replica: self.replica.renamed(name), disk, pending: pending.collect(), ..self.clone() }
    }
}

/// Takes a write to a disk. The image of a mark comes from its file.
fn fold(disk: &mut Durable<Byte>, files: &[(LogPosition, Bytes)], write: Write<Byte>) -> Result<(), String> {
    let kept = disk.image.clone();
    let mut missing = None;
    disk.fold(write, |mark| {
        let file = files.iter().find(|(position, _)| *position == mark.last);
        file.map(|(_, image)| image.clone()).unwrap_or_else(|| {
            missing = Some(mark.last);
            kept
        })
    })?;
    match missing {
        Some(position) => Err(format!("a mark at {} before its snapshot file", position.index)),
        None => Ok(()),
    }
}
