//! The fair schedule: from here nothing fails any more, everything that can happen happens in turn, and in the end
//! everybody has been answered and all that was begun is finished.
//!
//! It goes in rounds. In each, every message that is on its way arrives, the oldest first, every disk syncs, and every
//! timer fires that has been armed for its time: as in a cluster, an election waits for several heartbeats, not equally
//! long everywhere, and who gives up on an answer has given it time to come. Users are patient: no deadline passes. The
//! same schedule brings a walk to where it begins.

use super::actions::Event;
use super::ghost;
use super::scopes::Start;
use super::state::{ClientSide, State};
use super::step::{Tallies, World};
use crate::scenario::Fired;
use quorate_core::client;
use quorate_core::input::Timer;
use quorate_core::raft;
use quorate_spec::Violation;
use quorate_spec::ids::{GroupId, NodeId};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The most rounds that anything needs, with much to spare.
const ROUNDS: u64 = 600;

/// The rounds after which a timer of a node fires.
fn patience(timer: &Timer, node: u64) -> u64 {
    match timer {
        Timer::Raft { timer: raft::Timer::Heartbeat, .. } | Timer::Drive { .. } | Timer::Poll => 2,
        Timer::Raft { timer: raft::Timer::CheckQuorum, .. } => 12,
        Timer::Raft { timer: raft::Timer::Election, .. } => 12 + 6 * (node % 3),
    }
}

/// The same for a client. A deadline never passes.
const fn patience_of_client(timer: &client::Timer) -> u64 {
    match timer {
        client::Timer::Retry { .. } => 2,
        client::Timer::Attempt { .. } => 12,
        client::Timer::Deadline { .. } => u64::MAX,
    }
}

/// The armed timers whose time is over.
fn due<T: Copy>(timers: &BTreeMap<T, u64>, round: u64, patience: impl Fn(&T) -> u64) -> Vec<T> {
    let due = timers.iter().filter(|(timer, armed)| round - **armed >= patience(timer));
    due.map(|(timer, _)| *timer).collect()
}

impl World<'_> {
    /// The state in which walks begin.
    pub(super) fn start(&self) -> State {
        let mut state = self.begin();
        match self.scope.start {
            Start::Boot => {}
            Start::Changed(changes) => self.change_so_often(&mut state, changes),
            Start::Divided => self.divide(&mut state),
        }
        state.steps = 0;
        state
    }

    /// Why a fair schedule does not get everything done from here, if so.
    pub(super) fn stuck(&self, state: &State) -> Option<Violation> {
        let mut state = state.clone();
        let owed: Vec<u64> = state.clients.iter().map(|side| side.answered + 2 * self.scope.keys as u64).collect();
        let open = |state: &State| -> Vec<String> { unanswered(state, &owed).chain(state.unfinished()).collect() };
        let (fired, tallies) = (&Fired::default(), &Tallies::default());
        let uncounted = World { scope: self.scope, fired, tallies };
        uncounted.rounds(&mut state, Some(&owed), None, |state| open(state).is_empty());
        let open = open(&state);
        state.violation.clone().or_else(|| {
            let first = open.first()?;
            let evidence =
                format!("{ROUNDS} rounds of a fair schedule are not enough: {first}, and {} more", open.len() - 1);
            Some(Violation::new(ghost::PROGRESS, evidence))
        })
    }

    fn change_so_often(&self, state: &mut State, changes: usize) {
        self.rounds(state, None, None, |state| state.unfinished().is_none());
        for change in 1..=changes {
            self.apply(state, &Event::Operate);
            self.rounds(state, None, None, |state| state.script == change && state.unfinished().is_none());
        }
    }

    fn divide(&self, state: &mut State) {
        self.change_so_often(state, 1);
        // Everybody has appended, for which it takes a session, and read, and has found the leader.
        let both: Vec<u64> = state.clients.iter().map(|_| 2).collect();
        self.rounds(state, Some(&both), None, |state| unanswered(state, &both).next().is_none());
        let Some((group, old)) = state.leading().next() else { return };
        for client in [1, 2] {
            self.apply(state, &Event::Submit { client, key: 0, append: true });
            self.apply(state, &Event::Deliver { place: state.network.len() - 1 });
        }
        state.network.clear();
        let another = |state: &State| state.leading().any(|(other, node)| other == group && node != old);
        self.rounds(state, None, Some(old), another);
    }

    /// Rounds until it is `done`. Users call until they have been answered so often; the network of `apart` is down.
    fn rounds(&self, state: &mut State, owed: Option<&[u64]>, apart: Option<NodeId>, done: impl Fn(&State) -> bool) {
        for _ in 0..ROUNDS {
            if state.violation.is_some() || done(state) {
                return;
            }
            state.round += 1;
            for _ in 0..state.network.len() {
                let cut = state.network.front().is_some_and(|envelope| envelope.parcel.touches(apart));
                self.apply(state, &if cut { Event::Lose { place: 0 } } else { Event::Deliver { place: 0 } });
            }
            let awake = (1..=state.processes.len() as u64).filter(|node| Some(NodeId::new(*node)) != apart);
            awake.for_each(|node| self.node_round(state, node));
            if let Some(owed) = owed {
                (0..owed.len()).for_each(|client| self.client_round(state, client, owed[client]));
            } else if apart.is_none() {
                self.client_round(state, 0, 0);
            }
        }
    }

    fn node_round(&self, state: &mut State, node: u64) {
        self.apply(state, &Event::Sync { node });
        self.apply(state, &Event::WriteSnapshot { node });
        let Some(process) = state.process(NodeId::new(node)) else { return };
        for timer in due(&process.timers, state.round, |timer| patience(timer, node)) {
            self.apply(state, &Event::Fire { node, timer });
        }
    }

    fn client_round(&self, state: &mut State, client: usize, owed: u64) {
        for timer in due(&state.clients[client].timers, state.round, patience_of_client) {
            // An earlier one may have disarmed it.
            if let Some(place) = state.clients[client].timers.keys().position(|armed| *armed == timer) {
                self.apply(state, &Event::FireClient { client, place });
            }
        }
        let side = &state.clients[client];
        if side.call.is_some() {
            return;
        }
        if client == 0 && owed > 0 {
            // Where nobody serves anything, nobody can be answered: the operator goes on to the next join.
            if state.latest().is_some_and(|config| config.groups.is_empty()) {
                self.apply(state, &Event::Operate);
            }
        } else if client > 0 && side.answered < owed {
            let left = (owed - side.answered) as usize;
            let (key, append) = (left / 2 % self.scope.keys, left.is_multiple_of(2));
            self.apply(state, &Event::Submit { client, key, append });
        }
    }
}

/// Who still waits for answers.
fn unanswered(state: &State, owed: &[u64]) -> impl Iterator<Item = String> {
    let waits = |(place, (side, owed)): (usize, (&Arc<ClientSide>, &u64))| match place {
        0 => side.call.is_some().then(|| "the operator waits".to_owned()),
        _ => (side.answered < *owed).then(|| format!("user {place} waits")),
    };
    state.clients.iter().zip(owed).enumerate().filter_map(waits)
}

impl State {
    /// The newest configuration that any controller member has applied.
    pub(super) fn latest(&self) -> Option<&quorate_core::controller::Configuration> {
        let members = self.processes.iter().filter_map(|process| process.node.controller());
        members.map(|group| group.machine().latest().as_ref()).max_by_key(|config| config.num)
    }

    /// The data groups that have a leader, and who that is.
    fn leading(&self) -> impl Iterator<Item = (GroupId, NodeId)> {
        self.processes.iter().flat_map(|process| {
            let leads = process.node.groups().filter(|group| group.replica().is_leader());
            leads.map(|group| (group.id(), process.node.me().node))
        })
    }

    /// What of the last configuration is not carried out everywhere.
    fn unfinished(&self) -> Option<String> {
        let Some(latest) = self.latest().filter(|_| self.is_registered()) else {
            return Some("the controller has not begun, or does not know all nodes".to_owned());
        };
        for (gid, info) in &latest.groups {
            let lacks = |server: &&NodeId| {
                self.process(**server).is_none_or(|process| !process.node.groups().any(|group| group.id() == info.id))
            };
            if let Some(server) = info.servers.iter().find(lacks) {
                return Some(format!("{server} has no replica of {gid}"));
            }
        }
        for process in &self.processes {
            for group in process.node.groups() {
                let (node, id, machine) = (process.node.me().node, group.id(), group.machine());
                if machine.config().num < latest.num || !machine.settled() {
                    let (at, of) = (machine.config().num, latest.num);
                    return Some(format!("{node}'s replica of {id} is at configuration {at} of {of}"));
                }
                if machine.finished() {
                    return Some(format!("{id} has nothing left to do and does not end"));
                }
            }
        }
        None
    }

    fn is_registered(&self) -> bool {
        let known = |group: &quorate_core::group::Group<quorate_core::controller::Controller>| {
            group.machine().directory().nodes.len() == self.processes.len()
        };
        self.processes.iter().filter_map(|process| process.node.controller()).any(known)
    }
}
