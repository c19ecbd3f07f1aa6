//! Injecting faults.

use super::hits::Came;
use super::mend::Mend;
use super::{Fault, Part};
use crate::sim::disk::{Misbehaviour, Outage, SimDisk};
use crate::sim::network::{End, Links};
use crate::sim::operator;
use crate::sim::process::Directory;
use crate::sim::world::{Event, World};
use quorate_core::client::Operation;
use quorate_core::controller::Change;
use quorate_core::message::Request;
use quorate_spec::ids::{Boot, Gid, ShardId};
use std::time::Duration;

/// How long it takes to replace a disk that fails.
const REPLACEMENT: Duration = Duration::from_secs(5);
/// How long a process with a refused identity is given to hear of it.
pub(super) const HEARSAY: Duration = Duration::from_secs(3);

impl World {
    /// Injects a fault, if it is possible now and changes anything. Says whether it was. It counts once it hits.
    pub fn inject(&mut self, operator: usize, fault: &Fault) -> bool {
        self.note_hits();
        if self.quiet_until > self.now {
            return false;
        }
        let came = self.try_inject(operator, fault);
        if came == Came::Hit {
            self.count_fault(fault.class());
        }
        came != Came::Nothing
    }

    fn try_inject(&mut self, operator: usize, fault: &Fault) -> Came {
        match fault {
            Fault::Crash { process, down } => self.crash_for(*process, Outage::Process, *down).into(),
            Fault::PowerCut { process, kept, down } => {
                self.crash_for(*process, Outage::Power { kept: *kept }, *down).into()
            }
            Fault::Blackout { kept, down } => {
                let up: Vec<usize> = (0..self.processes.len()).filter(|it| self.processes[*it].is_up()).collect();
                up.iter().for_each(|process| _ = self.crash_for(*process, Outage::Power { kept: *kept }, *down));
                (!up.is_empty()).into()
            }
            Fault::Pause { process, time } => self.if_at_work(*process, |world| world.pause(*process, *time)).into(),
            Fault::Partition { .. }
            | Fault::PartialPartition { .. }
            | Fault::ClientPartition { .. }
            | Fault::OneWay { .. }
            | Fault::Isolation { .. }
            | Fault::SlowLink { .. }
            | Fault::Unreliable { .. }
            | Fault::Reordering { .. }
            | Fault::DoubledFrames { .. }
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
            Fault::ClockJump { process, by } => {
                self.if_at_work(*process, |world| world.jump_clock(*process, *by)).into()
            }
            Fault::ClockDrift { process, pace, time } => {
                let wrong = self.processes[*process].clock != 1000;
                if wrong || *pace == 1000 {
                    return Came::Nothing;
                }
                let injected = self.if_at_work(*process, |world| {
                    world.processes[*process].clock = *pace;
                    world.mend_in(*time, Mend::Clock { process: *process });
                });
                injected.into()
            }
            Fault::Wiped { .. } | Fault::OldCopy { .. } | Fault::Stranger { .. } | Fault::Twin { .. } => {
                self.inject_identity(fault).into()
            }
            Fault::Join { .. }
            | Fault::Leave { .. }
            | Fault::Move { .. }
            | Fault::Transfer { .. }
            | Fault::ExpiredSessions => self.inject_operation(operator, fault),
        }
    }

    pub(super) fn if_up(&mut self, process: usize, act: impl FnOnce(&mut Self)) -> bool {
        let up = self.processes[process].is_up();
        if up {
            act(self);
        }
        up
    }

    /// The same if it does not stand still either.
    fn if_at_work(&mut self, process: usize, act: impl FnOnce(&mut Self)) -> bool {
        self.processes[process].paused_until <= self.now && self.if_up(process, act)
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

    pub(in crate::sim) fn disk(&self, process: usize, part: Part) -> SimDisk {
        let [wal, snapshots] = self.disks(process);
        match part {
            Part::Wal => wal,
            Part::Snapshots => snapshots,
        }
    }

    fn inject_network(&mut self, fault: &Fault) -> Came {
        let everybody = (0..self.processes.len()).map(End::Process);
        let (pairs, time): (Vec<(End, End)>, Duration) = match fault {
            Fault::Partition { side, time } => {
                let (here, there): (Vec<End>, Vec<End>) =
                    everybody.partition(|end| side.iter().any(|one| End::Process(*one) == *end));
                let pairs = here.iter().flat_map(|one| there.iter().flat_map(|other| [(*one, *other), (*other, *one)]));
                (pairs.collect(), *time)
            }
            Fault::PartialPartition { pairs, time } => {
                let ends = pairs.iter().map(|(one, other)| (End::Process(*one), End::Process(*other)));
                (ends.flat_map(|(one, other)| [(one, other), (other, one)]).collect(), *time)
            }
            Fault::ClientPartition { cut, time } => {
                let known = cut.iter().filter(|(client, _)| *client < self.clients.len());
                let ends = known.map(|(client, process)| (End::Client(*client), End::Process(*process)));
                (ends.flat_map(|(one, other)| [(one, other), (other, one)]).collect(), *time)
            }
            Fault::OneWay { from, to, time } => (vec![(End::Process(*from), End::Process(*to))], *time),
            Fault::Isolation { process, time } => {
                let others = everybody.chain((0..self.clients.len()).map(End::Client));
                let me = End::Process(*process);
                (others.flat_map(|it| [(me, it), (it, me)]).collect(), *time)
            }
            Fault::SlowLink { from, to, by, time } => {
                let (from, to) = (End::Process(*from), End::Process(*to));
                if from == to || self.network.hinders(from, to) {
                    return Came::Nothing;
                }
                self.network.slow_down(from, to, *by);
                self.mend_in(*time, Mend::Speed(from, to));
                return self.await_frames(fault.class(), vec![(from, to)]);
            }
            Fault::Unreliable { time } => return self.change_links(fault, Links::unreliable(), *time),
            Fault::Reordering { time } => return self.change_links(fault, Links::long_reordering(), *time),
            Fault::DoubledFrames { time } => {
                return self.change_links(fault, Links { doubled: 333, ..self.setup.links.clone() }, *time);
            }
            Fault::DamagedFrames { time } => {
                return self.change_links(fault, Links { damaged: 20, ..self.setup.links.clone() }, *time);
            }
            _ => return Came::Nothing,
        };
        self.cut(fault.class(), pairs, time)
    }

    /// Nothing gets through between these for a while, where anything does now.
    fn cut(&mut self, class: &'static str, mut pairs: Vec<(End, End)>, time: Duration) -> Came {
        pairs.retain(|(from, to)| from != to && self.network.reaches(*from, *to));
        if pairs.is_empty() {
            return Came::Nothing;
        }
        pairs.iter().for_each(|(from, to)| self.network.block(*from, *to));
        self.mend_in(time, Mend::Reach(pairs.clone()));
        self.await_frames(class, pairs)
    }

    fn change_links(&mut self, fault: &Fault, links: Links, time: Duration) -> Came {
        if self.has_odd_links() {
            return Came::Nothing;
        }
        self.network.links = links;
        self.mend_in(time, Mend::Links);
        self.await_treatment(fault.class())
    }

    fn inject_disk(&mut self, fault: &Fault) -> Came {
        let (process, disks, change, time, mend): (usize, _, fn(&mut Misbehaviour), _, _) = match fault {
            Fault::LyingSyncs { process, part, time } => {
                let disk = self.disk(*process, *part);
                let mend = Mend::expose(*process, *part, disk.clone(), Outage::Power { kept: 0 });
                (*process, vec![disk], |it| it.lies = true, *time, mend)
            }
            Fault::LostWrite { process, part, time } => {
                let disk = self.disk(*process, *part);
                let mend = Mend::expose(*process, *part, disk.clone(), Outage::Process);
                (*process, vec![disk], |it| it.drop_write = true, *time, mend)
            }
            Fault::MisdirectedWrite { process, part, astray, time } => {
                let disk = self.disk(*process, *part);
                let mend = Mend::expose(*process, *part, disk.clone(), Outage::Process);
                let change: fn(&mut Misbehaviour) = match astray {
                    true => |it| (it.misdirect_write, it.astray) = (true, true),
                    false => |it| (it.misdirect_write, it.astray) = (true, false),
                };
                (*process, vec![disk], change, *time, mend)
            }
            Fault::WriteError { process, part } => {
                let mend = Mend::Repair { process: *process };
                (*process, vec![self.disk(*process, *part)], |it| it.fail_write = true, REPLACEMENT, mend)
            }
            Fault::SyncError { process, part } => {
                let mend = Mend::Repair { process: *process };
                (*process, vec![self.disk(*process, *part)], |it| it.fail_sync = true, REPLACEMENT, mend)
            }
            Fault::Rot { process, part, bits } => return self.rot(*process, *part, *bits).into(),
            Fault::ReadError { process, part } => return self.fail_read(*process, *part),
            Fault::FullDisk { process, time } => return self.fill_disks(*process, *time),
            Fault::SlowDisk { process, factor, time } => {
                if self.processes[*process].disk_factor != 1 {
                    return Came::Nothing;
                }
                let injected = self.if_at_work(*process, |world| {
                    world.processes[*process].disk_factor = *factor;
                    world.mend_in(*time, Mend::Pace { process: *process });
                });
                return injected.into();
            }
            _ => return Came::Nothing,
        };
        if !self.processes[process].is_up() {
            return Came::Nothing;
        }
        let came = self.spoil(fault.class(), disks, change);
        if came != Came::Nothing {
            self.mend_in(time, mend);
        }
        came
    }

    /// A process is killed, and its next read fails: of a file that there is.
    fn fail_read(&mut self, process: usize, part: Part) -> Came {
        let disk = self.disk(process, part);
        if !self.processes[process].is_up() || disk.files().is_empty() {
            return Came::Nothing;
        }
        self.crash(process, Outage::Process);
        let came = self.spoil("read-error", vec![disk], |it| it.fail_read = true);
        self.start_or_repair(process);
        came
    }

    /// Both disks of a process have no more space than they use.
    fn fill_disks(&mut self, process: usize, time: Duration) -> Came {
        if !self.processes[process].is_up() {
            return Came::Nothing;
        }
        let disks = self.disks(process);
        let used = disks.each_ref().map(SimDisk::used);
        let came = self.spoil("full-disk", disks.to_vec(), |it| it.capacity = Some(0));
        if came != Came::Nothing {
            for (disk, used) in disks.iter().zip(used) {
                disk.misbehave(|it| it.capacity = Some(used));
            }
            self.mend_in(time, Mend::Space { process });
        }
        came
    }

    /// Flips bits of a process and starts it: it says so, or what was hit did not count. Of the log it may have lost its last
    /// frame, so it must be one that may; of a snapshot nothing is lost without a word.
    fn rot(&mut self, process: usize, part: Part, bits: usize) -> bool {
        let possible = self.processes[process].is_up() && (part == Part::Snapshots || self.is_expendable(process));
        if !possible || self.disk(process, part).files().is_empty() {
            return false;
        }
        self.crash(process, Outage::Process);
        if self.disk(process, part).rot(bits, &mut self.random).is_none() {
            self.start(process);
            return false;
        }
        self.processes[process].rotten |= part == Part::Wal;
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

    fn inject_operation(&mut self, operator: usize, fault: &Fault) -> Came {
        let controllers = self.nodes().filter_map(|(_, node)| node.controller());
        let Some(machine) = controllers.map(|group| group.machine()).max_by_key(|it| it.latest().num) else {
            return Came::Nothing;
        };
        let config = machine.latest();
        let known = |gid: u64| config.groups.get(&Gid::new(gid)).map(|group| group.id);
        let operation = match fault {
            Fault::Join { gid, servers } if known(*gid).is_none() => operator::join(&[(*gid, servers)]),
            Fault::Leave { gid } if known(*gid).is_some() => operator::leave(&[*gid]),
            Fault::Move { shard, gid } => {
                let owner = config.assignment(ShardId::new(*shard)).and_then(|it| it.owner);
                if known(*gid).is_none() || known(*gid) == owner {
                    return Came::Nothing;
                }
                operator::shift(*shard, *gid)
            }
            Fault::Transfer { group, to } => return self.transfer(*group, *to).into(),
            Fault::ExpiredSessions if machine.floor() < machine.next_client() => {
                Operation::Change(Change::RaiseFloor { floor: machine.next_client() })
            }
            _ => return Came::Nothing,
        };
        self.await_change(fault.class(), operator, operation)
    }

    /// A leader is asked to hand over, if there is one and it is not the one that is to lead. Says whether it began.
    fn transfer(&mut self, group: usize, to: usize) -> bool {
        let groups: Vec<_> = self.groups().into_iter().collect();
        let Some(group) = groups.get(group % groups.len().max(1)).copied() else { return false };
        let Some(leader) = self.leader(group).filter(|leader| *leader != to) else { return false };
        let to = self.processes[to].id;
        let begun = |world: &Self| world.actions().get("TransferLeadership").copied();
        let before = begun(self);
        self.ask_node(leader, Request::TransferLeadership { group, to });
        begun(self) != before
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
    pub fn replace_directories(&mut self, class: &'static str, directories: Vec<Directory>, declared: bool) {
        let count = directories.len();
        (0..count).for_each(|_| self.count_fault(class));
        self.crash_all(0..count, Outage::Process);
        for (process, directory) in directories.into_iter().enumerate() {
            let boot = self.boot(process);
            let it = &mut self.processes[process];
            it.directory = Directory { boot, ..directory };
            it.lossy = declared;
            self.start(process);
        }
    }

    /// What waits to be repaired is not.
    pub fn never_repair(&mut self) {
        self.mends.retain(|_, mend| !matches!(mend, Mend::Repair { .. }));
    }

    /// Flips a bit of the last frame of every log. All processes must be down.
    pub fn rot_last_frames(&mut self) {
        for process in &mut self.processes {
            process.directory.wal.rot_end();
            process.lossy = true;
        }
        (0..self.processes.len()).for_each(|_| self.count_fault("bit-rot"));
    }
}
