//! Injecting faults.

use super::mend::{Kept, Mend};
use super::{Fault, Part};
use crate::sim::disk::{Misbehaviour, Outage, SimDisk};
use crate::sim::network::{End, Links};
use crate::sim::operator;
use crate::sim::process::{Directory, Down};
use crate::sim::shadow::Shadow;
use crate::sim::world::{Event, World};
use quorate_core::client::Operation;
use quorate_core::controller::Change;
use quorate_core::message::Request;
use quorate_spec::ids::{Boot, NodeId};
use std::time::Duration;

/// How long it takes to replace a disk that fails.
const REPLACEMENT: Duration = Duration::from_secs(5);
/// How long a process with a refused identity is given to hear of it.
pub(super) const HEARSAY: Duration = Duration::from_secs(3);

impl World {
    /// Injects a fault, if it is possible now. Says whether it was.
    pub fn inject(&mut self, operator: usize, fault: &Fault) -> bool {
        let injected = self.quiet_until <= self.now && self.try_inject(operator, fault);
        if injected {
            *self.faults.entry(fault.class()).or_default() += 1;
        }
        injected
    }

    fn try_inject(&mut self, operator: usize, fault: &Fault) -> bool {
        match fault {
            Fault::Crash { process, down } => self.crash_for(*process, Outage::Process, *down),
            Fault::PowerCut { process, kept, down } => self.crash_for(*process, Outage::Power { kept: *kept }, *down),
            Fault::Blackout { kept, down } => {
                let up: Vec<usize> = (0..self.processes.len()).filter(|it| self.processes[*it].is_up()).collect();
                up.iter().for_each(|process| _ = self.crash_for(*process, Outage::Power { kept: *kept }, *down));
                !up.is_empty()
            }
            Fault::Pause { process, time } => self.if_up(*process, |world| world.pause(*process, *time)),
            Fault::Partition { .. }
            | Fault::OneWay { .. }
            | Fault::Isolation { .. }
            | Fault::SlowLink { .. }
            | Fault::Unreliable { .. }
            | Fault::Reordering { .. }
            | Fault::DamagedFrames { .. } => self.inject_network(fault),
            Fault::LyingSyncs { .. }
            | Fault::LostWrite { .. }
            | Fault::MisdirectedWrite { .. }
            | Fault::Rot { .. }
            | Fault::ReadError { .. }
            | Fault::WriteError { .. }
            | Fault::SyncError { .. }
            | Fault::FullDisk { .. }
            | Fault::SlowDisk { .. } => self.inject_disk(fault),
            Fault::ClockJump { process, by } => self.if_up(*process, |world| world.jump_clock(*process, *by)),
            Fault::ClockDrift { process, pace, time } => {
                self.processes[*process].clock = *pace;
                self.mend_in(*time, Mend::Clock { process: *process });
                true
            }
            Fault::Wiped { .. } | Fault::OldCopy { .. } | Fault::Stranger { .. } | Fault::Twin { .. } => {
                self.inject_identity(fault)
            }
            Fault::Join { .. }
            | Fault::Leave { .. }
            | Fault::Move { .. }
            | Fault::Transfer { .. }
            | Fault::ExpiredSessions => self.inject_operation(operator, fault),
        }
    }

    fn if_up(&mut self, process: usize, act: impl FnOnce(&mut Self)) -> bool {
        let up = self.processes[process].is_up();
        if up {
            act(self);
        }
        up
    }

    fn crash_for(&mut self, process: usize, outage: Outage, down: Duration) -> bool {
        self.if_up(process, |world| {
            world.crash(process, outage);
            world.start_in(process, down);
        })
    }

    /// A process' two disks.
    pub(super) fn disks(&self, process: usize) -> [SimDisk; 2] {
        let directory = &self.processes[process].directory;
        [directory.wal.clone(), directory.snapshots.clone()]
    }

    fn disk(&self, process: usize, part: Part) -> SimDisk {
        let [wal, snapshots] = self.disks(process);
        match part {
            Part::Wal => wal,
            Part::Snapshots => snapshots,
        }
    }

    fn inject_network(&mut self, fault: &Fault) -> bool {
        let everybody = (0..self.processes.len()).map(End::Process);
        let (pairs, time): (Vec<(End, End)>, Duration) = match fault {
            Fault::Partition { side, time } => {
                let (here, there): (Vec<End>, Vec<End>) =
                    everybody.partition(|end| side.iter().any(|one| End::Process(*one) == *end));
                let pairs = here.iter().flat_map(|one| there.iter().flat_map(|other| [(*one, *other), (*other, *one)]));
                (pairs.collect(), *time)
            }
            Fault::OneWay { from, to, time } => (vec![(End::Process(*from), End::Process(*to))], *time),
            Fault::Isolation { process, time } => {
                let others = everybody.chain((0..self.clients.len()).map(End::Client));
                let me = End::Process(*process);
                (others.filter(|other| *other != me).flat_map(|it| [(me, it), (it, me)]).collect(), *time)
            }
            Fault::SlowLink { from, to, by, time } => {
                let (from, to) = (End::Process(*from), End::Process(*to));
                self.network.slow_down(from, to, *by);
                self.mend_in(*time, Mend::Speed(from, to));
                return true;
            }
            Fault::Unreliable { time } => return self.change_links(Links::unreliable(), *time),
            Fault::Reordering { time } => return self.change_links(Links::long_reordering(), *time),
            Fault::DamagedFrames { time } => {
                return self.change_links(Links { damaged: 20, ..self.setup.links.clone() }, *time);
            }
            _ => return false,
        };
        pairs.iter().for_each(|(from, to)| self.network.block(*from, *to));
        self.mend_in(time, Mend::Reach(pairs));
        true
    }

    fn change_links(&mut self, links: Links, time: Duration) -> bool {
        self.network.links = links;
        self.mend_in(time, Mend::Links);
        true
    }

    fn inject_disk(&mut self, fault: &Fault) -> bool {
        let single = |world: &mut Self, process, part, change: fn(&mut Misbehaviour)| {
            world.if_up(process, |world| world.disk(process, part).misbehave(change))
        };
        match fault {
            Fault::LyingSyncs { process, time } => {
                let injected = single(self, *process, Part::Wal, |it| it.lies = true);
                if injected {
                    self.mend_in(*time, Mend::Lies { process: *process });
                }
                injected
            }
            Fault::LostWrite { process, time } => {
                let injected = single(self, *process, Part::Wal, |it| it.drop_write = true);
                self.mend_in(*time, Mend::Exposure { process: *process });
                injected
            }
            Fault::MisdirectedWrite { process, time } => {
                let injected = single(self, *process, Part::Wal, |it| it.misdirect_write = true);
                self.mend_in(*time, Mend::Exposure { process: *process });
                injected
            }
            Fault::Rot { process, part, bits } => self.rot(*process, *part, *bits),
            Fault::ReadError { process, part } => self.if_up(*process, |world| {
                world.crash(*process, Outage::Process);
                world.disk(*process, *part).misbehave(|it| it.fail_read = true);
                world.start_or_repair(*process);
            }),
            Fault::WriteError { process, part } => {
                self.mend_in(REPLACEMENT, Mend::Repair { process: *process });
                single(self, *process, *part, |it| it.fail_write = true)
            }
            Fault::SyncError { process, part } => {
                self.mend_in(REPLACEMENT, Mend::Repair { process: *process });
                single(self, *process, *part, |it| it.fail_sync = true)
            }
            Fault::FullDisk { process, time } => {
                for disk in self.disks(*process) {
                    let used = disk.used();
                    disk.misbehave(|it| it.capacity = Some(used));
                }
                self.mend_in(*time, Mend::Disk { process: *process });
                true
            }
            Fault::SlowDisk { process, factor, time } => {
                self.processes[*process].disk_factor = *factor;
                self.mend_in(*time, Mend::Disk { process: *process });
                true
            }
            _ => false,
        }
    }

    /// Flips bits of a process that may lose something, and starts it: it says so, or has lost its last frame at most.
    fn rot(&mut self, process: usize, part: Part, bits: usize) -> bool {
        if !self.is_expendable(process) {
            return false;
        }
        self.crash(process, Outage::Process);
        if self.disk(process, part).rot(bits, &mut self.random).is_none() {
            self.start(process);
            return false;
        }
        self.processes[process].rotten = true;
        self.start_or_repair(process);
        true
    }

    fn jump_clock(&mut self, process: usize, by: Duration) {
        let now = self.now;
        let Some(running) = self.processes[process].running.as_mut() else { return };
        let life = running.life;
        for (timer, armed) in &mut running.timers {
            if let Some(due) = armed.due {
                let due = due.saturating_sub(by).max(now);
                (armed.due, armed.queued) = (Some(due), Some(due));
                self.queue.push(due, Event::Due { process, life, timer: *timer });
            }
        }
    }

    /// Whether an earlier fault of a process has not ended: what ends it would meet another directory than the one that the
    /// fault was about, or put that one back in the place of another.
    fn is_to_be_mended(&self, process: usize) -> bool {
        self.mends.values().any(|mend| mend.concerns() == Some(process))
    }

    fn inject_identity(&mut self, fault: &Fault) -> bool {
        let (Fault::Wiped { process, .. }
        | Fault::OldCopy { process, .. }
        | Fault::Stranger { process, .. }
        | Fault::Twin { process, .. }) = fault
        else {
            return false;
        };
        if self.is_to_be_mended(*process) {
            return false;
        }
        match fault {
            Fault::Wiped { process, time } => self.if_up(*process, |world| {
                world.crash(*process, Outage::Process);
                let fresh = Directory::new(&mut world.random);
                let kept = world.exchange(*process, fresh, Shadow::default());
                world.start(*process);
                world.mend_in(*time, Mend::Restore { process: *process, kept: Box::new(kept) });
            }),
            Fault::OldCopy { process, age } => {
                // The copy is made now and put in later, by the same fault a second time.
                let Some(copy) = self.processes[*process].copy.take() else {
                    let it = &mut self.processes[*process];
                    if it.is_up() && !it.directory.wal.owes() {
                        it.copy = Some(Box::new((it.directory.copy(), it.shadow.clone())));
                        let fault = Box::new(fault.clone());
                        self.queue.push(self.now + *age, Event::Fault { fault });
                    }
                    return false;
                };
                if !self.is_expendable(*process) || self.boot(*process) <= copy.0.boot {
                    return false;
                }
                self.crash(*process, Outage::Process);
                let copied = Box::new(copy.1.durable.clone());
                let kept = Box::new(self.exchange(*process, copy.0, copy.1));
                self.processes[*process].lossy = true;
                self.start_or_repair(*process);
                self.mend_in(HEARSAY, Mend::Aged { process: *process, kept, copied });
                true
            }
            Fault::Stranger { process, time } => {
                let fresh = Directory::new(&mut self.random);
                let id = self.processes[*process].id;
                let other = self.spare_process(id, fresh, Shadow::default());
                self.start(other);
                self.mend_in(*time, Mend::Dismiss { process: other });
                true
            }
            Fault::Twin { process, time } => self.twin(*process, *time),
            _ => false,
        }
    }

    /// The first of the two stands still while the others get to know the second, which they are asked to let lead. Nothing
    /// starts it again meanwhile: then it would have the later boot, or speak beside the second.
    fn twin(&mut self, process: usize, time: Duration) -> bool {
        if !self.is_expendable(process) || self.processes[process].directory.wal.owes() {
            return false;
        }
        self.pause(process, time);
        self.quiet_until = self.now + time + HEARSAY;
        let it = &self.processes[process];
        let (id, directory, shadow) = (it.id, it.directory.copy(), it.shadow.clone());
        let other = self.spare_process(id, directory, shadow);
        self.start(other);
        for group in self.groups_of(other) {
            if let Some(leader) = self.leader(group) {
                self.ask_node(leader, Request::TransferLeadership { group, to: id });
            }
        }
        self.mend_in(time, Mend::Meet { process, other });
        true
    }

    /// Gives a process another directory, and says which it had.
    fn exchange(&mut self, process: usize, directory: Directory, shadow: Shadow) -> Kept {
        let it = &mut self.processes[process];
        Kept {
            directory: std::mem::replace(&mut it.directory, directory),
            shadow: std::mem::replace(&mut it.shadow, shadow),
            lossy: std::mem::take(&mut it.lossy),
        }
    }

    /// A process beside those of the setup; one that is gone is used again.
    fn spare_process(&mut self, id: NodeId, directory: Directory, shadow: Shadow) -> usize {
        let gone = (self.setup.nodes..self.processes.len()).find(|it| self.processes[*it].down == Some(Down::Gone));
        let number = match gone {
            None => self.add_process(id, directory),
            Some(number) => {
                let it = &mut self.processes[number];
                (it.id, it.directory, it.down) = (id, directory, Some(Down::Killed));
                number
            }
        };
        self.processes[number].shadow = shadow;
        number
    }

    fn inject_operation(&mut self, operator: usize, fault: &Fault) -> bool {
        let operation = match fault {
            Fault::Join { gid, servers } => operator::join(&[(*gid, servers)]),
            Fault::Leave { gid } => operator::leave(&[*gid]),
            Fault::Move { shard, gid } => operator::shift(*shard, *gid),
            Fault::Transfer { group, to } => {
                let groups: Vec<_> = self.groups().into_iter().collect();
                let Some(group) = groups.get(group % groups.len().max(1)).copied() else { return false };
                let Some(leader) = self.leader(group) else { return false };
                let to = self.processes[*to].id;
                self.ask_node(leader, Request::TransferLeadership { group, to });
                return true;
            }
            Fault::ExpiredSessions => {
                let controllers = self.nodes().filter_map(|(_, node)| node.controller());
                let floor = controllers.map(|group| group.machine().next_client()).max();
                let Some(floor) = floor else { return false };
                Operation::Change(Change::RaiseFloor { floor })
            }
            _ => return false,
        };
        self.call(operator, operation);
        true
    }

    /// The groups of which a process has replicas.
    pub(super) fn groups_of(&self, process: usize) -> Vec<quorate_spec::ids::GroupId> {
        let Some(node) = self.processes[process].node() else { return Vec::new() };
        let controller = node.controller().map(|group| group.id());
        controller.into_iter().chain(node.groups().map(|group| group.id())).collect()
    }

    /// The boot that a process is in, or had last.
    pub fn boot(&self, process: usize) -> Boot {
        self.processes[process].directory.boot
    }
}

/// What no correct node makes up for: for canaries.
impl World {
    /// Kills all processes and starts them on other directories. Whether what they lack is known to be lost decides
    /// whether their recovery is judged.
    pub fn replace_directories(&mut self, directories: Vec<Directory>, declared: bool) {
        let count = directories.len();
        self.crash_all(0..count, Outage::Process);
        for (process, directory) in directories.into_iter().enumerate() {
            let boot = self.boot(process);
            let it = &mut self.processes[process];
            it.directory = Directory { boot, ..directory };
            it.lossy = declared;
            self.start(process);
        }
    }

    /// Flips a bit of the last frame of every log. All processes must be down.
    pub fn rot_last_frames(&mut self) {
        for process in &mut self.processes {
            process.directory.wal.rot_end();
            process.lossy = true;
        }
    }
}
