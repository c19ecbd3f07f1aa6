//! How faults end.

use super::inject::HEARSAY;
use super::{IDENTITY, Part};
use crate::sim::disk::{Misbehaviour, Outage, SimDisk};
use crate::sim::network::End;
use crate::sim::process::{Directory, Down};
use crate::sim::shadow::Shadow;
use crate::sim::world::{Event, World};
use quorate_core::durable::Durable;
use quorate_spec::views::Role;
use std::time::Duration;

/// For how long the end of a silent fault is put off.
const PUT_OFF: Duration = Duration::from_millis(100);

/// A directory that was put aside.
pub(crate) struct Kept {
    pub(super) directory: Directory,
    pub(super) shadow: Shadow,
    /// It lost something before.
    pub(super) lossy: bool,
}

/// What ends.
pub(crate) enum Mend {
    /// These get through again.
    Reach(Vec<(End, End)>),
    /// These are as fast as others.
    Speed(End, End),
    /// The network is as it was made.
    Links,
    /// A process' disks have space.
    Space { process: usize },
    /// They have their usual pace.
    Pace { process: usize },
    /// A clock is right.
    Clock { process: usize },
    /// A disk that silently kept nothing is found out: the process goes down. If it may not lose anything now, that is put
    /// off a few times; in the end the disk makes up for it.
    Exposure { process: usize, part: Part, disk: SimDisk, outage: Outage, tries: u32 },
    /// A disk that was refused is repaired, and the process started.
    Repair { process: usize },
    /// A process gets its directory back.
    Restore { process: usize, kept: Box<Kept> },
    /// A process that has an old copy by now is looked at: if it was refused it gets its directory back.
    Aged { process: usize, kept: Box<Kept>, copied: Box<Durable> },
    /// A process that had no business here goes.
    Dismiss { process: usize },
    /// The first of two processes with one identity may go on, if all others know the second.
    Meet { process: usize, other: usize },
    /// One of them must have been told to stop.
    Part { process: usize, other: usize },
}

impl Mend {
    /// A disk that is told to silently keep nothing is found out.
    pub(super) fn expose(process: usize, part: Part, disk: SimDisk, outage: Outage) -> Self {
        Self::Exposure { process, part, disk, outage, tries: 20 }
    }

    /// Whether it takes its time, however healthy everything is.
    fn is_hearsay(&self) -> bool {
        matches!(self, Self::Aged { .. } | Self::Part { .. })
    }

    /// The process that it kills or starts, or may, or whose directory or disks it makes whole.
    pub(super) fn concerns(&self) -> Option<usize> {
        match self {
            Self::Space { process }
            | Self::Pace { process }
            | Self::Exposure { process, .. }
            | Self::Repair { process }
            | Self::Restore { process, .. }
            | Self::Aged { process, .. }
            | Self::Dismiss { process }
            | Self::Meet { process, .. }
            | Self::Part { process, .. } => Some(*process),
            Self::Reach(_) | Self::Speed(..) | Self::Links | Self::Clock { .. } => None,
        }
    }
}

impl World {
    /// Has a fault end after a while.
    pub(super) fn mend_in(&mut self, time: Duration, mend: Mend) {
        self.last_mend += 1;
        self.mends.insert(self.last_mend, mend);
        self.queue.push(self.now + time, Event::Mend { number: self.last_mend });
    }

    pub(in crate::sim) fn mend(&mut self, number: u64) {
        self.note_hits();
        if let Some(mend) = self.mends.remove(&number) {
            self.end_fault(mend);
        }
    }

    /// Has everything that is still broken end now, but what a process must hear from others: that takes its time.
    pub(in crate::sim) fn mend_all(&mut self) {
        self.note_hits();
        while let Some(number) = self.mends.iter().find(|(_, mend)| !mend.is_hearsay()).map(|(number, _)| *number) {
            self.mend(number);
        }
    }

    /// Whether every process had the time to hear that it is not the one that others know.
    pub(in crate::sim) fn has_heard(&self) -> bool {
        !self.mends.values().any(Mend::is_hearsay)
    }

    fn end_fault(&mut self, mend: Mend) {
        match mend {
            Mend::Reach(pairs) => pairs.into_iter().for_each(|(from, to)| self.network.unblock(from, to)),
            Mend::Speed(from, to) => self.network.speed_up(from, to),
            Mend::Links => self.network.links = self.setup.links.clone(),
            Mend::Pace { process } => self.processes[process].disk_factor = 1,
            Mend::Space { process } => {
                for disk in self.disks(process) {
                    disk.misbehave(|it| it.capacity = None);
                }
            }
            Mend::Clock { process } => self.processes[process].clock = 1000,
            Mend::Exposure { process, part, disk, outage, tries } => self.expose(process, part, disk, outage, tries),
            Mend::Repair { process } => {
                for disk in self.disks(process) {
                    disk.misbehave(|it| *it = Misbehaviour::default());
                    disk.repair();
                }
                self.start(process);
            }
            Mend::Restore { process, kept } => self.put_back(process, *kept),
            Mend::Aged { process, kept, copied } => self.look_at_aged(process, kept, copied),
            Mend::Dismiss { process } => {
                self.take_down(process, Outage::Process, Down::Gone);
                self.processes[process].down = Some(Down::Gone);
            }
            Mend::Meet { process, other } => self.meet(process, other),
            Mend::Part { process, other } => self.part(process, other),
        }
    }

    fn expose(&mut self, process: usize, part: Part, disk: SimDisk, outage: Outage, tries: u32) {
        let owes = disk.owes() && self.disk(process, part).is(&disk) && self.processes[process].is_up();
        let waits = part == Part::Wal && !self.reckless && !self.is_expendable(process);
        if owes && waits && tries > 0 {
            let tries = tries - 1;
            return self.mend_in(PUT_OFF, Mend::Exposure { process, part, disk, outage, tries });
        }
        disk.misbehave(|it| *it = Misbehaviour { lies: false, drop_write: false, misdirect_write: false, ..*it });
        if owes {
            let kept = if self.random.per_mille(500) { 0 } else { 300 };
            let outage = if outage == Outage::Process { outage } else { Outage::Power { kept } };
            self.crash(process, outage);
            self.start_or_repair(process);
        }
    }

    /// Starts a process; if its disk is refused it is repaired after a while.
    pub(in crate::sim) fn start_or_repair(&mut self, process: usize) {
        self.start(process);
        if matches!(self.processes[process].down, Some(Down::Refused(_))) {
            self.mend_in(Duration::from_secs(2), Mend::Repair { process });
        }
    }

    fn put_back(&mut self, process: usize, kept: Kept) {
        self.take_down(process, Outage::Process, Down::Killed);
        let it = &mut self.processes[process];
        (it.directory, it.shadow, it.lossy) = (kept.directory, kept.shadow, kept.lossy);
        self.start_or_repair(process);
    }

    /// A process that was given an old copy stops if anybody remembers a later boot; then it gets its directory back.
    /// Unless others did not remember and were promised something by the copy: those promises count, so the copy stays,
    /// under a boot that is later than all that are remembered.
    fn look_at_aged(&mut self, process: usize, kept: Box<Kept>, copied: Box<Durable>) {
        match self.processes[process].down {
            // Nobody remembers a later boot, and nobody misses what it lost.
            None => {}
            Some(Down::Halted(_)) if self.processes[process].shadow.durable == *copied => self.put_back(process, *kept),
            Some(Down::Halted(_)) => {
                let boot = &mut self.processes[process].directory.boot;
                *boot = kept.directory.boot.max(*boot);
                self.start_or_repair(process);
            }
            // It is down for another reason, and starts by itself.
            Some(_) => self.mend_in(HEARSAY, Mend::Aged { process, kept, copied }),
        }
    }

    /// Two processes with one identity meet: the first goes on, and must be told that a later one is known. That is promised
    /// if all others know the second, and no answer to the second can reach the first: nothing is under way to it, and the
    /// second asks for no votes. Else both could have the same vote, or give one each; then the first goes without a word.
    fn meet(&mut self, process: usize, other: usize) {
        let (id, boot) = (self.processes[other].id, self.boot(other));
        let groups = self.groups_of(other);
        let peers = self.nodes().map(|(number, _)| number).filter(|number| ![process, other].contains(number));
        let concerned = peers.filter(|peer| self.groups_of(*peer).iter().any(|group| groups.contains(group)));
        let concerned: Vec<usize> = concerned.collect();
        let known = concerned.iter().all(|peer| self.heard.get(&(*peer, id)) >= Some(&boot)) && !self.campaigns(other);
        for peer in 0..self.processes.len() {
            self.network.end_connection((End::Process(peer), End::Process(process)), self.now);
        }
        self.processes[process].paused_until = self.now;
        if known && self.processes[other].is_up() {
            return self.mend_in(HEARSAY, Mend::Part { process, other });
        }
        self.quiet_until = self.now;
        self.take_over(process, other);
    }

    /// Whether a process asks for votes.
    fn campaigns(&self, number: usize) -> bool {
        let replicas = self.processes[number].node().map(|node| node.status().replicas);
        replicas.is_some_and(|replicas| replicas.iter().any(|it| it.role == Role::Candidate))
    }

    fn part(&mut self, process: usize, other: usize) {
        let told = matches!(self.processes[process].down, Some(Down::Halted(_)));
        if !told && self.processes[process].is_up() && self.processes[other].is_up() {
            let evidence = format!("process {process} goes on beside process {other}, a later boot of its directory");
            return self.fail(IDENTITY, evidence);
        }
        self.take_over(process, other);
    }

    /// The second of two processes goes on in the first one's place.
    fn take_over(&mut self, process: usize, other: usize) {
        self.take_down(other, Outage::Process, Down::Gone);
        let second = &mut self.processes[other];
        second.down = Some(Down::Gone);
        let (directory, shadow) = (second.directory.clone(), std::mem::take(&mut second.shadow));
        let kept = Kept { directory, shadow, lossy: second.lossy };
        self.put_back(process, kept);
    }
}
