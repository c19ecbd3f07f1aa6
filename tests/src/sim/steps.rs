//! Steps of nodes, and what they want done: the driver's part, by events. As there, nothing is decided here.

use super::disk::Outage;
use super::judge::Finding;
use super::network::{Arrival, End};
use super::process::{Armed, Asker, Down};
use super::world::{Event, Frame, World};
use crate::story::Story;
use quorate::codec::{self, Kind};
use quorate::transport::wire::{PeerFrame, PeerFrameRef};
use quorate_core::effect::{Effects, TimerChange};
use quorate_core::input::{Input, Timer};
use quorate_core::message::{Message, Peer, PeerRefusal};
use quorate_core::raft;
use quorate_spec::ids::Stamp;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// The property that a damaged frame is never taken for a message.
pub const FRAMES: &str = "DamagedFramesRefused";

impl World {
    /// One step of a node that is up.
    pub(super) fn step(&mut self, number: usize, input: Input) {
        let Some(running) = self.processes[number].running.as_mut() else { return };
        self.counts.steps += 1;
        let kept = self.setup.records.then(|| input.clone());
        let effects = running.node.step(input);
        self.tell_story(number, kept);
        self.perform(number, effects);
    }

    /// Keeps what a process was given.
    fn tell_story(&mut self, number: usize, kept: Option<Input>) {
        if let (Some(input), Some(story)) = (kept, self.stories.get_mut(&number)) {
            story.took(input);
        }
    }

    /// The last life of every process as a trace, if they were kept.
    pub fn traces(&self, finding: &Finding) -> BTreeMap<usize, Value> {
        let verdict = match finding {
            Finding::Pass => None,
            Finding::Fail(violation) => Some(("WholeRun", violation.to_string())),
            Finding::Unknown(why) => Some(("WholeRun", why.clone())),
        };
        let scope = |number: usize| format!("seed {}, process {number}", self.setup.seed);
        let trace = |number, story: &Story| story.trace(env!("CARGO_PKG_VERSION"), &scope(number), verdict.clone());
        self.stories.iter().map(|(number, story)| (*number, trace(*number, story))).collect()
    }

    /// Does what a step wants done.
    pub(super) fn perform(&mut self, number: usize, effects: Effects) {
        let Effects { writes, sends, timers, replies, snapshots, addresses, pins, refused: _, halt, labels } = effects;
        if self.trace {
            for label in &labels {
                let group = label.group.map_or_else(String::new, |group| group.to_string());
                eprintln!("{:?} process {number} {group} {:?}", self.now, label.action);
            }
        }
        let process = &mut self.processes[number];
        if let Err(violation) = self.watch.labels(number, &labels) {
            self.violation.get_or_insert(violation);
        }
        process.shadow.submit(&writes);
        snapshots.iter().for_each(|work| process.shadow.snapshot(work));
        let Some(running) = process.running.as_mut() else { return };
        writes.iter().for_each(|(id, write)| running.retention.note(*id, write));
        let (wrote, snapshot) = (!writes.is_empty(), !snapshots.is_empty());
        running.lane.submit(writes);
        running.waiting.extend(snapshots);
        running.addresses.extend(addresses);
        running.pins.extend(pins);
        let me = running.node.me();
        for (to, message) in sends {
            let Some(running) = self.processes[number].running.as_ref() else { return };
            let target = running.addresses.get(&to).and_then(|address| self.addresses.get(address));
            if let Some(target) = target.copied() {
                let pinned = running.pins.get(&to).copied();
                self.send(number, target, me, pinned, false, &message);
            }
        }
        for change in timers {
            match change {
                TimerChange::Arm(timer) => self.arm(number, timer),
                TimerChange::Disarm(timer) => {
                    let timers = self.processes[number].running.as_mut().map(|running| &mut running.timers);
                    if let Some(armed) = timers.and_then(|timers| timers.get_mut(&timer)) {
                        armed.due = None;
                    }
                }
            }
        }
        for (ticket, reply) in replies {
            self.reply(number, ticket, reply);
        }
        if let Err(violation) = self.watch.judge(&self.processes, number, &labels) {
            self.violation.get_or_insert(violation);
        }
        if let Some(halt) = halt {
            return self.take_down(number, Outage::Process, Down::Halted(halt));
        }
        if wrote {
            self.pump(number);
        }
        if snapshot {
            self.pump_snapshots(number);
        }
    }

    fn send(&mut self, from: usize, to: usize, sender: Peer, pinned: Option<Stamp>, back: bool, message: &Message) {
        let mut bytes = Vec::with_capacity(128);
        if let Err(error) = codec::encode_into(Kind::Peer, &PeerFrameRef::Message(message), &mut bytes) {
            return self.fail("MessagesFitFrames", error.to_string());
        }
        self.count(message, bytes.len());
        let arrivals = self.network.send(End::Process(from), End::Process(to), bytes.len());
        for Arrival { delay, damage, .. } in arrivals {
            let (damaged, bytes) = (damage.is_some(), self.network.carry(bytes.clone(), damage));
            let frame = Frame { from, to, sender, pinned, back, sent: self.now, damaged, bytes };
            self.queue.push(self.now + delay, Event::Frame(frame));
        }
    }

    pub(super) fn frame_arrives(&mut self, frame: Frame) {
        let Frame { from, to, sender, pinned, back, sent, damaged, bytes } = frame;
        let process = &self.processes[to];
        if process.running.is_none() || pinned.is_some_and(|stamp| stamp != process.directory.stamp) {
            return;
        }
        let link = (End::Process(from), End::Process(to));
        if self.network.broke_since(link, sent) {
            return;
        }
        let decoded = codec::decode::<PeerFrame>(Kind::Peer, &bytes);
        self.digest.add(u64::from(crc32fast::hash(&bytes)));
        let message = match decoded {
            Ok(PeerFrame::Message(message)) => message,
            Ok(PeerFrame::Ping | PeerFrame::Pong) => return,
            Err(_) => {
                self.counts.refused_frames += 1;
                self.network.end_connection(link, self.now);
                return;
            }
        };
        if damaged {
            return self.fail(FRAMES, format!("process {to} takes a damaged frame for {message:?}"));
        }
        // A refusal only ever goes back.
        if matches!(message, Message::Refused { .. }) != back {
            return;
        }
        if self.processes.len() > self.setup.nodes {
            let heard = self.heard.entry((to, sender.node)).or_default();
            *heard = sender.boot.max(*heard);
        }
        let Some(running) = self.processes[to].running.as_mut() else { return };
        self.counts.steps += 1;
        let input = Input::Received { from: sender, message };
        let kept = self.setup.records.then(|| input.clone());
        let effects = running.node.step(input);
        let (refused, me) = (effects.refused, running.node.me());
        self.tell_story(to, kept);
        self.perform(to, effects);
        if let Some(reason) = refused {
            self.refuse(to, from, me, sender, reason);
        }
    }

    /// A peer is not believed: it is told so by the way that its message came.
    fn refuse(&mut self, number: usize, back_to: usize, me: Peer, whom: Peer, reason: PeerRefusal) {
        self.counts.refused_peers += 1;
        self.send(number, back_to, me, Some(whom.stamp), true, &Message::Refused { whom, reason });
    }

    fn arm(&mut self, number: usize, timer: Timer) {
        let time = self.timer_time(timer);
        let now = self.now;
        let process = &mut self.processes[number];
        let Some(running) = process.running.as_mut() else { return };
        let due = now + time * process.clock / 1000;
        let armed = running.timers.entry(timer).or_insert(Armed { due: None, queued: None });
        armed.due = Some(due);
        if armed.queued.is_none_or(|queued| due < queued) {
            armed.queued = Some(due);
            let life = running.life;
            self.queue.push(due, Event::Due { process: number, life, timer });
        }
    }

    fn timer_time(&mut self, timer: Timer) -> Duration {
        let election = self.setup.election;
        match timer {
            Timer::Raft { timer: raft::Timer::Election, .. } => self.random.between(election, election * 2),
            Timer::Raft { timer: raft::Timer::Heartbeat, .. } => election / 5,
            Timer::Raft { timer: raft::Timer::CheckQuorum, .. } => election,
            Timer::Drive { .. } => self.setup.drive,
            Timer::Poll => self.setup.poll,
        }
    }

    pub(super) fn due(&mut self, number: usize, life: u64, timer: Timer) {
        let now = self.now;
        let running = self.processes[number].running.as_mut().filter(|running| running.life == life);
        let Some(running) = running else { return };
        let Some(armed) = running.timers.get_mut(&timer) else { return };
        // After a pause an event comes late: then it counts all the same.
        if armed.queued.is_none_or(|queued| queued > now) {
            return;
        }
        armed.queued = None;
        match armed.due {
            None => _ = running.timers.remove(&timer),
            Some(due) if due > now => {
                armed.queued = Some(due);
                self.queue.push(due, Event::Due { process: number, life, timer });
            }
            Some(_) => {
                running.timers.remove(&timer);
                self.step(number, Input::Fired { timer });
            }
        }
    }

    /// A ticket for a client's request, never used in this life.
    pub(super) fn ticket(&mut self, number: usize, asker: Asker) -> Option<quorate_spec::ids::Ticket> {
        let running = self.processes[number].running.as_mut()?;
        running.last_ticket = running.last_ticket.next();
        running.tickets.insert(running.last_ticket, asker);
        Some(running.last_ticket)
    }
}
