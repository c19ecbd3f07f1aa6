//! A node's steps as a trace for the specification: what its replicas did, and the state after it.
//!
//! It watches and decides nothing. A shell that wants a trace asks it after every step of the node; it costs time linear in
//! the logs of the replicas that did something.

use crate::durable::Durable;
use crate::effect::{Effects, Write};
use crate::node::Node;
use crate::raft::{self, Image, Payload, Replica};
use crate::{controller, shard};
use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use quorate_spec::action::Action;
use quorate_spec::ids::{GroupId, WriteId};
use quorate_spec::trace::{After, Event, events};

/// One replica as it was last seen, and its disk.
#[derive(Clone, Debug)]
struct Watched<P: Payload> {
    last: Option<After>,
    disk: raft::Durable<P>,
    /// Writes that are not known to be durable.
    pending: VecDeque<raft::Write<P>>,
    /// How many are durable: a replica numbers its writes from 1 on.
    synced: WriteId,
}

impl<P: Payload> Watched<P> {
    const fn new(disk: raft::Durable<P>) -> Self {
        Self { last: None, disk, pending: VecDeque::new(), synced: WriteId::ZERO }
    }

    fn told(&mut self, group: GroupId, labels: Vec<Action>, replica: &Replica<P>) -> Vec<Event> {
        for label in &labels {
            if let Action::SyncWrites { write } = label {
                self.sync(*write);
            }
        }
        let after = replica.told();
        let events = events(group, labels, self.last.as_ref(), &after, &self.disk.view(replica.me()));
        self.last = Some(after);
        events
    }

    fn sync(&mut self, write: WriteId) {
        while self.synced < write
            && let Some(next) = self.pending.pop_front()
        {
            self.synced = self.synced.next();
            // A lane that contradicts itself ends the node at its next start; here it shows as a disk that stays behind.
            let _ = self.disk.fold(next, |_| P::Image::blank());
        }
    }
}

/// Watches the replicas of one node, from its start on.
#[derive(Clone, Debug)]
pub struct Recorder {
    controller: Option<Watched<controller::Command>>,
    data: BTreeMap<GroupId, Watched<shard::Command>>,
}

impl Recorder {
    /// For a node that starts from what its disk kept.
    pub fn new(durable: &Durable) -> Self {
        Self {
            controller: durable.controller.clone().map(Watched::new),
            data: durable.data.iter().map(|(group, disk)| (*group, Watched::new(disk.clone()))).collect(),
        }
    }

    /// What the node's replicas did in the step that had these effects. To be asked after each step, the start included.
    pub fn told(&mut self, node: &Node, effects: &Effects) -> Vec<Event> {
        for (_, write) in &effects.writes {
            self.note(write);
        }
        let mut labels: BTreeMap<GroupId, Vec<Action>> = BTreeMap::new();
        for label in &effects.labels {
            if let Some(group) = label.group {
                labels.entry(group).or_default().push(label.action);
            }
        }
        let mut told = Vec::new();
        if let (Some(group), Some(watched)) = (node.controller(), &mut self.controller)
            && let Some(labels) = labels.remove(&group.id())
        {
            told.extend(watched.told(group.id(), labels, group.replica()));
        }
        for group in node.groups() {
            if let (Some(labels), Some(watched)) = (labels.remove(&group.id()), self.data.get_mut(&group.id())) {
                told.extend(watched.told(group.id(), labels, group.replica()));
            }
        }
        told
    }

    fn note(&mut self, write: &Write) {
        match write {
            Write::CreateController { mark, .. } => {
                let genesis = raft::Durable::genesis(mark.voters.clone(), Image::blank());
                self.controller = Some(Watched::new(genesis));
            }
            Write::CreateData { group, mark, .. } => {
                let genesis = raft::Durable::genesis(mark.voters.clone(), Image::blank());
                self.data.insert(*group, Watched::new(genesis));
            }
            Write::Controller(write) => {
                if let Some(watched) = &mut self.controller {
                    watched.pending.push_back(write.clone());
                }
            }
            Write::Data { group, write } => {
                if let Some(watched) = self.data.get_mut(group) {
                    watched.pending.push_back(write.clone());
                }
            }
            Write::Tombstone { group } => {
                self.data.remove(group);
            }
            Write::Pin { .. } => {}
        }
    }
}
