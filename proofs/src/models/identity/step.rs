//! One step of the world: a process acts, the network takes what it says, and the whole is judged.

use super::IdentityModel;
use super::actions::{ELECTION, IdentityAction};
use super::state::{DOUBLED, Envelope, IdentityState, NoImages, Process, stamp};
use quorate_core::durable::Durable;
use quorate_core::effect::{Effects, TimerChange};
use quorate_core::input::{Input, Timer};
use quorate_core::message::{DirectoryMessage, Message, Peer};
use quorate_core::raft::{self, Election};
use quorate_spec::ids::{Boot, NodeId};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// An envelope under its hash.
pub(super) fn keyed(envelope: Envelope) -> (u64, Arc<Envelope>) {
    let mut hasher = DefaultHasher::new();
    envelope.hash(&mut hasher);
    (hasher.finish(), Arc::new(envelope))
}

impl IdentityModel {
    /// The state after an action; `None` if it changes nothing.
    pub(super) fn take(&self, before: &IdentityState, action: IdentityAction) -> Option<IdentityState> {
        let mut state = before.clone();
        match action {
            IdentityAction::Deliver { place, envelope } => self.receive(&mut state, place, &envelope),
            IdentityAction::Sync { place } => self.sync(&mut state, place),
            IdentityAction::Poll { place } => {
                self.fire(&mut state, place, Timer::Poll);
                // A poll that says nothing new only turns to the next controller.
                if state.network == before.network {
                    return None;
                }
            }
            IdentityAction::Campaign { place } => {
                state.spent.campaigns += 1;
                self.campaign(&mut state, place);
            }
            IdentityAction::Crash { place, kept } => {
                state.spent.crashes += 1;
                self.crash(&mut state, place, kept);
            }
            IdentityAction::StartTwin => {
                state.spent.twins += 1;
                let copy = state.spent.twins;
                let me = Peer { node: NodeId::new(DOUBLED), stamp: stamp(DOUBLED, copy), boot: Boot::new(1) };
                self.start(&mut state, me, Durable::default());
            }
            IdentityAction::StartCopy => {
                state.spent.copies += 1;
                let me = Peer { node: NodeId::new(DOUBLED), stamp: stamp(DOUBLED, 0), boot: Boot::new(2) };
                let durable = self.begin().at(0).disk.clone();
                self.start(&mut state, me, durable);
            }
        }
        if state.spent.crashes >= self.scope.crashes {
            (0..state.processes.len()).for_each(|place| self.sync_all(&mut state, place as u8));
        }
        self.judge(before, &mut state);
        (state != *before).then_some(state)
    }

    /// A message reaches a process.
    pub(super) fn receive(&self, state: &mut IdentityState, place: u8, envelope: &Envelope) {
        let before = state.at(place).clone();
        let Envelope { from, message, .. } = envelope;
        let mut process = before.clone();
        let effects = process.node.step(Input::Received { from: *from, message: message.clone() });
        let taken = process.node != before.node || !effects.sends.is_empty();
        // A refusal goes back by the way that the message came, so it names the very run that it is for.
        if let Some(reason) = effects.refused {
            let answer = Message::Refused { whom: *from, reason };
            let (key, value) = keyed(Envelope { from: process.node.me(), to: from.node, message: answer });
            state.network.insert(key, value);
        }
        self.perform(state, &mut process, effects);
        state.processes[usize::from(place)] = Arc::new(process);
        if taken && !matches!(message, Message::Refused { .. }) {
            self.took_message(state, place, *from);
        }
    }

    /// All that a process wrote becomes durable.
    pub(super) fn sync(&self, state: &mut IdentityState, place: u8) {
        let mut process = state.at(place).clone();
        let Some((write, _)) = process.pending.back().cloned() else { return };
        for (_, write) in process.pending.drain(..) {
            process.disk.fold(write, &mut NoImages).expect("a node's lane is consistent");
        }
        self.input(state, place, process, Input::Synced { write });
    }

    fn sync_all(&self, state: &mut IdentityState, place: u8) {
        while !state.at(place).pending.is_empty() {
            self.sync(state, place);
        }
    }

    /// A timer fires, if it is armed.
    pub(super) fn fire(&self, state: &mut IdentityState, place: u8, timer: Timer) {
        let mut process = state.at(place).clone();
        if process.timers.remove(&timer) {
            self.input(state, place, process, Input::Fired { timer });
        }
    }

    fn input(&self, state: &mut IdentityState, place: u8, mut process: Process, input: Input) {
        let effects = process.node.step(input);
        self.perform(state, &mut process, effects);
        state.processes[usize::from(place)] = Arc::new(process);
    }

    /// The election timer fires, and every other process says that the member could win.
    fn campaign(&self, state: &mut IdentityState, place: u8) {
        self.fire(state, place, ELECTION);
        let me = state.at(place).node.me();
        let Some(term) = state.at(place).node.controller().map(|group| group.replica().term().next()) else { return };
        let others: Vec<Peer> = state.processes.iter().map(|process| process.node.me()).collect();
        for from in others.into_iter().filter(|other| other.node != me.node) {
            let granted = raft::Message::Election(Election::PreVoteGranted { term });
            let process = state.at(place).clone();
            self.input(state, place, process, Input::Received { from, message: Message::Controller(granted) });
        }
    }

    fn crash(&self, state: &mut IdentityState, place: u8, kept: usize) {
        let Process { node, mut disk, mut pending, .. } = state.at(place).clone();
        for (_, write) in pending.drain(..kept) {
            disk.fold(write, &mut NoImages).expect("a node's lane is consistent");
        }
        let me = node.me();
        let me = Peer { boot: me.boot.next(), ..me };
        state.heard.retain(|(hearer, _, _), _| *hearer != place);
        let process = self.boot(state, me, disk);
        state.processes[usize::from(place)] = Arc::new(process);
    }

    /// What a process wants done is done.
    pub(super) fn perform(&self, state: &mut IdentityState, process: &mut Process, effects: Effects) {
        let actions: Vec<_> = effects.labels.iter().map(|label| label.action).collect();
        self.fired.count(&actions);
        process.pending.extend(effects.writes);
        for change in effects.timers {
            match change {
                TimerChange::Arm(timer) => _ = process.timers.insert(timer),
                TimerChange::Disarm(timer) => _ = process.timers.remove(&timer),
            }
        }
        let from = process.node.me();
        let told = effects.sends.into_iter().filter(|(_, message)| carries(message));
        state.network.extend(told.map(|(to, message)| keyed(Envelope { from, to, message })));
        self.judge_replicas(state, process, &actions);
        process.stopped |= effects.halt.is_some();
    }
}

/// Whether the network of this model carries a message: who is who, and who votes for whom. Everything else is lost.
fn carries(message: &Message) -> bool {
    match message {
        Message::Directory(DirectoryMessage::Greet(_) | DirectoryMessage::Greeted(_)) | Message::Refused { .. } => true,
        Message::Controller(raft::Message::Election(election)) => {
            matches!(election, Election::RequestVote { .. } | Election::VoteGranted { .. })
        }
        Message::Controller(_) | Message::Data { .. } | Message::Shard(_) | Message::Directory(_) => false,
    }
}
