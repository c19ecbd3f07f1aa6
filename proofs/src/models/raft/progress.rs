//! Progress, as safety: from here, a fair schedule commits something new on every node.
//!
//! The schedule is fixed and fair: nothing crashes any more, disks sync, every message that is sent from now on arrives
//! once and in order, and timers fire. All that is on its way is lost, which is the worst that the network may do. A read
//! must be answered, and then a proposal committed: with all nodes up, and with any one of three or more asleep for ever.
//! It is tried from one state in so many, chosen by hash, because it costs as much as some hundred steps.

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
pub(super) const NAME: &str = "Progress";

/// Elections that a fair schedule may need: each node stands twice in each round, and some lose to longer logs.
const ROUNDS: usize = 6;
/// Deliveries after which a world is taken to be busy with nothing.
const DELIVERIES: usize = 5_000;

/// A world in which nothing is lost any more.
struct Fair<'a> {
    model: &'a RaftModel,
    nodes: Vec<Local>,
    /// A node to which nothing happens.
    asleep: Option<usize>,
    queue: VecDeque<(NodeId, NodeId, Message<Byte>)>,
    deliveries: usize,
    /// A read was answered.
    read: bool,
    /// After that, something was proposed.
    proposed: bool,
}

impl RaftModel {
    /// Why no progress can be made from here, if so: with all nodes up, or with any one of three or more asleep.
    pub(super) fn stuck(&self, state: &RaftState) -> Option<Violation> {
        let asleep = (0..state.nodes.len()).map(Some).filter(|_| state.nodes.len() > 2);
        std::iter::once(None).chain(asleep).find_map(|asleep| self.stuck_without(state, asleep))
    }

    fn stuck_without(&self, state: &RaftState, asleep: Option<usize>) -> Option<Violation> {
        let nodes = state.nodes.iter().map(|node| node.local.clone()).collect();
        let mut fair =
            Fair { model: self, nodes, asleep, queue: VecDeque::new(), deliveries: 0, read: false, proposed: false };
        let goal = fair.awake().map(|place| fair.nodes[place].replica.commit()).max().unwrap_or_default().next();
        let awake: Vec<usize> = fair.awake().collect();
        fair.sync_all();
        for round in 0..ROUNDS {
            for place in &awake {
                if fair.serve(goal) {
                    return None;
                }
                if round > 0 || !awake.iter().any(|place| fair.nodes[*place].replica.is_leader()) {
                    fair.fire(*place, Timer::Election);
                    fair.deliver();
                }
            }
            if fair.serve(goal) {
                return None;
            }
        }
        let commits: Vec<u64> = fair.nodes.iter().map(|node| node.replica.commit().get()).collect();
        let read = if fair.read { "a read was answered" } else { "no read was answered" };
        let who = asleep.map_or_else(String::new, |place| format!(" without n{}", place + 1));
        let evidence = format!(
            "after {ROUNDS} rounds of a fair schedule{who} {read}, and the nodes have committed up to {commits:?}"
        );
        Some(Violation::new(NAME, evidence))
    }
}

impl Fair<'_> {
    fn awake(&self) -> impl Iterator<Item = usize> + use<> {
        let asleep = self.asleep;
        (0..self.nodes.len()).filter(move |place| Some(*place) != asleep)
    }

    fn input(&mut self, place: usize, input: Input<Byte>) {
        let told = self.nodes[place].feed([input], true, &self.model.manner);
        self.send(place, told);
    }

    fn send(&mut self, place: usize, told: Told) {
        self.read |= !told.ready.is_empty();
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
        for place in self.awake() {
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
            let place = to.get() as usize - 1;
            if Some(place) != self.asleep {
                self.input(place, Input::Received { from, message });
            }
        }
    }

    /// Whoever leads answers a read, without help of any proposal, and then takes a proposal in and spreads it. Returns
    /// whether that has happened and everybody awake has committed up to `goal`.
    fn serve(&mut self, goal: LogIndex) -> bool {
        let leads = |node: &Local| node.replica.role() == Role::Leader;
        let leaders: Vec<usize> = self.awake().filter(|place| leads(&self.nodes[*place])).collect();
        for place in leaders {
            self.input(place, Input::Read);
            self.beat(place);
            if self.read {
                self.proposed = true;
                self.input(place, Input::Propose { payloads: vec![Byte(u8::MAX)] });
                self.beat(place);
            }
        }
        self.read && self.proposed && self.awake().all(|place| self.nodes[place].replica.commit() >= goal)
    }

    /// What was lost before is found by heartbeats; a transfer is given up by the check of the quorum.
    fn beat(&mut self, place: usize) {
        for timer in [Timer::Heartbeat, Timer::Heartbeat, Timer::CheckQuorum, Timer::Heartbeat] {
            self.deliver();
            self.fire(place, timer);
        }
        self.deliver();
    }
}
