//! What a scenario does to a process: it is taken down, started, paused, or cut off.

use super::disk::Outage;
use super::faults::Part;
use super::network::End;
use super::process::Down;
use super::world::{Event, World};
use quorate_core::node::Node;
use quorate_spec::ids::GroupId;
use std::time::Duration;

impl World {
    /// Takes a process down, if it is up. Its clients' connections break.
    pub fn crash(&mut self, process: usize, outage: Outage) {
        self.take_down(process, outage, Down::Killed);
    }

    pub(super) fn take_down(&mut self, number: usize, outage: Outage, why: Down) {
        if !self.processes[number].is_up() {
            return;
        }
        let expendable = self.reckless || self.is_expendable(number);
        self.processes[number].running = None;
        for part in [Part::Wal, Part::Snapshots] {
            let disk = self.disk(number, part);
            // What goes wrong in the last call counts too.
            disk.interrupt(&mut self.random);
            // A snapshot that is needed is missed: there is nothing to make up for.
            let loud = part == Part::Snapshots;
            let (owes, kept) = (disk.owes(), !expendable && !loud);
            self.note_loss(&disk, outage, kept);
            if owes && kept {
                disk.repair();
            }
            self.processes[number].lossy |= owes && !kept && !loud;
        }
        let process = &mut self.processes[number];
        process.paused_until = Duration::ZERO;
        process.down = Some(why);
        self.digest.add(number as u64);
        process.directory.wal.crash(outage, &mut self.random);
        process.directory.snapshots.crash(outage, &mut self.random);
        self.break_connections(number);
    }

    /// Starts a process after a while, if it is down then.
    pub fn start_in(&mut self, process: usize, time: Duration) {
        self.queue.push(self.now + time, Event::Start { process });
    }

    /// A process stands still for a while, as if stopped by a signal; what arrives waits.
    pub fn pause(&mut self, process: usize, time: Duration) {
        self.processes[process].paused_until = self.now + time;
    }

    /// The group's leader, by process number: the one of the latest term that is up.
    pub fn leader(&self, group: GroupId) -> Option<usize> {
        let led = |(number, node): (usize, &Node)| {
            let term = if group == GroupId::CONTROLLER {
                let replica = node.controller()?.replica();
                replica.is_leader().then(|| replica.term())
            } else {
                let replica = node.groups().find(|other| other.id() == group)?.replica();
                replica.is_leader().then(|| replica.term())
            };
            term.map(|term| (term, number))
        };
        self.nodes().filter_map(led).max().map(|(_, number)| number)
    }

    /// Cuts a process off from all others, and from clients if `clients`; or lets it back.
    pub fn isolate(&mut self, number: usize, clients: bool, cut: bool) {
        let others = (0..self.processes.len()).filter(|other| *other != number).map(End::Process);
        let users = (0..self.clients.len()).filter(|_| clients).map(End::Client);
        for other in others.chain(users).collect::<Vec<_>>() {
            for (from, to) in [(End::Process(number), other), (other, End::Process(number))] {
                if cut { self.network.block(from, to) } else { self.network.unblock(from, to) }
            }
        }
    }
}
