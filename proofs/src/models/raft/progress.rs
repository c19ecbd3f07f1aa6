//! Progress, as safety: from here, a fair schedule commits something new on every node.
//!
//! The schedule is fixed and fair: nothing crashes any more, disks sync, every message that is sent from now on arrives
//! once and in order, and timers fire. All that is on its way is lost, which is the worst that the network may do. It is
//! tried from one state in so many, chosen by hash, because it costs as much as a hundred steps.

use super::RaftModel;
use super::local::{Local, Told};
use super::payload::Byte;
use super::state::RaftState;
use quorate_core::raft::{Input, Message, Timer};
use quorate_spec::Violation;
use quorate_spec::ids::{LogIndex, NodeId};
use quorate_spec::views::Role;
use std::collections::VecDeque;

/// The property's name.
pub const NAME: &str = "Progress";

/// Elections that a fair schedule may need: each node stands twice in each round, and some lose to longer logs.
const ROUNDS: usize = 6;
/// Deliveries after which a world is taken to be busy with nothing.
const DELIVERIES: usize = 5_000;

/// A world in which nothing is lost any more.
struct Fair<'a> {
    model: &'a RaftModel,
    nodes: Vec<Local>,
    queue: VecDeque<(NodeId, NodeId, Message<Byte>)>,
    deliveries: usize,
}

impl RaftModel {
    /// Why no progress can be made from here, if so.
    pub(super) fn stuck(&self, state: &RaftState) -> Option<Violation> {
        let nodes = state.nodes.iter().map(|node| node.local.clone()).collect();
        let mut fair = Fair { model: self, nodes, queue: VecDeque::new(), deliveries: 0 };
        let goal = fair.nodes.iter().map(|node| node.replica.commit()).max().unwrap_or_default().next();
        fair.sync_all();
        for round in 0..ROUNDS {
            for place in 0..fair.nodes.len() {
                if fair.serve(goal) {
                    return None;
                }
                if round > 0 || !fair.nodes.iter().any(|node| node.replica.is_leader()) {
                    fair.fire(place, Timer::Election);
                    fair.deliver();
                }
            }
            if fair.serve(goal) {
                return None;
            }
        }
        let commits: Vec<u64> = fair.nodes.iter().map(|node| node.replica.commit().get()).collect();
        let evidence = format!("after {ROUNDS} rounds of a fair schedule the nodes have committed up to {commits:?}");
        Some(Violation::new(NAME, evidence))
    }
}

impl Fair<'_> {
    fn input(&mut self, place: usize, input: Input<Byte>) {
        let told = self.nodes[place].feed([input], true, &self.model.manner);
        self.send(place, told);
    }

    fn send(&mut self, place: usize, told: Told) {
        let from = self.nodes[place].replica.me();
        self.queue.extend(told.sends.into_iter().map(|(to, message)| (from, to, message)));
        while let Some(written) = self.nodes[place].file_written() {
            self.input(place, written);
        }
    }

    fn fire(&mut self, place: usize, timer: Timer) {
        if self.nodes[place].is_armed(timer) {
            self.input(place, Input::Fired { timer });
        }
    }

    fn sync_all(&mut self) {
        for place in 0..self.nodes.len() {
            let mut told = Told::default();
            let pending = self.nodes[place].pending.len();
            let synced = self.nodes[place].sync(pending, &mut told);
            let told = self.nodes[place].feed(synced, true, &self.model.manner);
            self.send(place, told);
        }
        self.deliver();
    }

    /// Everything sent arrives, and so does what that makes others send.
    fn deliver(&mut self) {
        while let Some((from, to, message)) = self.queue.pop_front() {
            self.deliveries += 1;
            if self.deliveries > DELIVERIES {
                self.queue.clear();
                return;
            }
            self.input(to.get() as usize - 1, Input::Received { from, message });
        }
    }

    /// Whoever leads takes a proposal in and spreads it. Returns whether everybody has committed up to `goal`.
    fn serve(&mut self, goal: LogIndex) -> bool {
        let leads = |node: &Local| node.replica.role() == Role::Leader;
        let leaders: Vec<usize> = (0..self.nodes.len()).filter(|place| leads(&self.nodes[*place])).collect();
        for place in leaders {
            self.input(place, Input::Propose { payloads: vec![Byte(u8::MAX)] });
            // What was lost before is found by heartbeats; a transfer is given up by the check of the quorum.
            for timer in [Timer::Heartbeat, Timer::Heartbeat, Timer::CheckQuorum, Timer::Heartbeat] {
                self.deliver();
                self.fire(place, timer);
            }
            self.deliver();
        }
        self.nodes.iter().all(|node| node.replica.commit() >= goal)
    }
}
