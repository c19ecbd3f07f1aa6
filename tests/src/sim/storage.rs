//! The disk's side of a process: opening, the lane, segments, snapshots. The jobs are the runtime's, done at once; that
//! they are over comes later, and until then a crash may undo them.

use super::disk::{Misbehaviour, Outage};
use super::process::{Down, Running};
use super::world::{CLUSTER, Event, World};
use crate::story::Story;
use quorate::codec::Identity;
use quorate::recovery;
use quorate::server::retention::{Release, Retention};
use quorate::snapshot::Snapshots;
use quorate::wal::{Lane, Spare, WalEvent, WalOptions};
use quorate_core::effect::SnapshotWork;
use quorate_core::input::{Input, Restarted};
use quorate_core::message::Peer;
use quorate_core::node::Node;
use quorate_spec::ids::{Boot, GroupId, Ticket};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// The property that a directory is read back as it was made durable.
pub const RECOVERY: &str = "RecoversWhatWasDurable";
/// By how much a boot is later than the one before, at most.
const BOOT_STEPS: usize = 1 << 20;
/// How long until a snapshot that found no space is tried again.
const AGAIN: Duration = Duration::from_secs(1);

impl World {
    /// Starts a process that is down, on what its disk holds. A directory that is refused leaves it down.
    pub fn start(&mut self, number: usize) {
        if self.processes[number].running.is_some() {
            return;
        }
        let life = self.next_life();
        let process = &mut self.processes[number];
        let step = self.random.below(BOOT_STEPS) as u64 + 1;
        let directory = &mut process.directory;
        directory.boot = Boot::new(directory.boot.get() + step);
        let me = Peer { node: process.id, stamp: directory.stamp, boot: directory.boot };
        let identity = Identity::new(CLUSTER, me.node, me.stamp);
        let limits = self.setup.limits.clone();
        let snapshots = Snapshots::new(directory.snapshots.clone(), identity, limits.raft.chunk_bytes);
        let options = WalOptions {
            segment_bytes: self.setup.segment_bytes,
            segments: self.setup.segments,
            frame_bytes: 32 << 10,
            must_exist: directory.logged,
            ..WalOptions::new(identity)
        };
        let opened = match recovery::open(directory.wal.clone(), &snapshots, options) {
            Ok(opened) => opened,
            Err(error) => {
                if self.trace {
                    eprintln!("{:?} process {number} is refused: {error}", self.now);
                }
                process.down = Some(Down::Refused(error.to_string()));
                self.counts.refused_starts += 1;
                self.digest.add_bytes(error.to_string().as_bytes());
                // It may have begun to tidy up.
                directory.wal.crash(Outage::Process, &mut self.random);
                directory.snapshots.crash(Outage::Process, &mut self.random);
                return;
            }
        };
        for disk in [&directory.wal, &directory.snapshots] {
            disk.settle();
            disk.forgive();
        }
        directory.logged = true;
        let checked = process.shadow.recovered(&opened.durable);
        let excused = process.lossy || (process.rotten && process.shadow.lacks_last_frame(&opened.durable));
        (process.lossy, process.rotten) = (false, false);
        let checked = if excused && checked.is_err() {
            process.shadow.accept(&opened.durable);
            self.counts.silent_losses += 1;
            Ok(())
        } else {
            checked
        };
        let restarted = Restarted {
            me,
            address: process.address.clone(),
            controllers: self.controllers(),
            shards: self.setup.shards,
            durable: opened.durable,
        };
        if let Err(evidence) = checked {
            return self.fail(RECOVERY, format!("process {number}: {evidence}"));
        }
        if self.records {
            self.stories.insert(number, Story::begin(&restarted, &limits));
        }
        let (node, effects) = Node::new(restarted, limits);
        let now = self.instant();
        let process = &mut self.processes[number];
        process.down = None;
        process.running = Some(Running {
            life,
            node,
            lane: Lane::new(opened.wal, now),
            committing: None,
            preparing: None,
            looking: false,
            snapshots,
            waiting: VecDeque::new(),
            writing: None,
            retention: Retention::default(),
            timers: BTreeMap::new(),
            tickets: BTreeMap::new(),
            last_ticket: Ticket::ZERO,
            addresses: BTreeMap::new(),
            pins: BTreeMap::new(),
        });
        self.digest.add(life);
        self.watch.born(number);
        self.perform(number, effects);
    }

    /// The controller's members and where they are.
    fn controllers(&self) -> BTreeMap<quorate_spec::ids::NodeId, quorate_core::bytes::Bytes> {
        let members = self.processes.iter().take(self.setup.controllers);
        members.map(|process| (process.id, process.address.clone())).collect()
    }

    fn running(&mut self, number: usize, life: u64) -> Option<&mut Running> {
        self.processes[number].running.as_mut().filter(|running| running.life == life)
    }

    fn job_time(&mut self, number: usize) -> Duration {
        let (fast, slow) = self.setup.sync;
        self.random.between(fast, slow) * self.processes[number].disk_factor
    }

    /// Goes on with the log: commits what waits, prepares the next segment.
    pub(super) fn pump(&mut self, number: usize) {
        let (instant, now) = (self.instant(), self.now);
        let Some(running) = self.processes[number].running.as_mut() else { return };
        let life = running.life;
        // Asked also while one is being prepared, as the log's thread does: that says when to look for space again.
        if let Some((disk, length)) = running.lane.ask_spare(instant) {
            running.preparing = Some(Spare::prepare(&disk, length));
            let time = self.job_time(number);
            self.queue.push(now + time, Event::Prepared { process: number, life });
        }
        let Some(running) = self.running(number, life) else { return };
        if running.committing.is_none() && running.lane.is_ready() {
            match running.lane.commit(instant) {
                Ok(Some(event @ WalEvent::Synced(_))) => {
                    running.committing = Some(event);
                    let time = self.job_time(number);
                    self.queue.push(now + time, Event::Committed { process: number, life });
                }
                Ok(Some(event)) => self.lane_says(number, event),
                Ok(None) => self.pump(number),
                Err(error) => return self.disk_failed(number, error.to_string()),
            }
        }
        let Some(running) = self.running(number, life) else { return };
        if let Some(look) = running.lane.next_look().filter(|_| !running.looking) {
            running.looking = true;
            let wait = look.saturating_duration_since(instant);
            self.queue.push(now + wait, Event::Look { process: number, life });
        }
    }

    fn lane_says(&mut self, number: usize, event: WalEvent) {
        match event {
            WalEvent::Synced(write) => {
                let process = &mut self.processes[number];
                if let Err(evidence) = process.shadow.synced(write) {
                    return self.fail(RECOVERY, format!("process {number}: {evidence}"));
                }
                let Some(running) = process.running.as_mut() else { return };
                for release in running.retention.synced(write) {
                    let removed = match release {
                        Release::Older { group, keep } => running.snapshots.remove_older(group, keep),
                        Release::All { group } => running.snapshots.remove_group(group),
                    };
                    if let Err(error) = removed {
                        return self.disk_failed(number, error.to_string());
                    }
                }
                self.step(number, Input::Synced { write });
            }
            WalEvent::Full(full) => self.step(number, Input::DiskFull { full }),
            WalEvent::Failed(error) => self.disk_failed(number, error.to_string()),
        }
    }

    pub(super) fn committed(&mut self, number: usize, life: u64) {
        let Some(running) = self.running(number, life) else { return };
        let Some(event) = running.committing.take() else { return };
        running.lane.free_some();
        self.processes[number].directory.wal.settle();
        self.counts.commits += 1;
        self.lane_says(number, event);
        self.pump(number);
    }

    pub(super) fn prepared(&mut self, number: usize, life: u64) {
        let instant = self.instant();
        let Some(running) = self.running(number, life) else { return };
        let Some(made) = running.preparing.take() else { return };
        match running.lane.take_spare(made, instant) {
            Ok(None) => {}
            Ok(Some(event)) => self.lane_says(number, event),
            Err(error) => return self.disk_failed(number, error.to_string()),
        }
        self.pump(number);
    }

    pub(super) fn look(&mut self, number: usize, life: u64) {
        if let Some(running) = self.running(number, life) {
            running.looking = false;
            self.pump(number);
        }
    }

    /// Goes on with the snapshots: one at a time, in order.
    pub(super) fn pump_snapshots(&mut self, number: usize) {
        let now = self.now;
        let Some(running) = self.processes[number].running.as_mut().filter(|running| running.writing.is_none()) else {
            return;
        };
        let life = running.life;
        let Some(work) = running.waiting.front() else { return };
        let (group, last, written) = match work {
            SnapshotWork::Controller(work) => {
                (GroupId::CONTROLLER, work.mark.last, running.snapshots.write(GroupId::CONTROLLER, work))
            }
            SnapshotWork::Data { group, work } => (*group, work.mark.last, running.snapshots.write(*group, work)),
        };
        match written {
            Ok(_) => {
                running.waiting.pop_front();
                running.writing = Some((group, last));
                let time = self.job_time(number) * 3;
                self.queue.push(now + time, Event::Written { process: number, life });
            }
            Err(error) if error.is_full() => {
                self.queue.push(now + AGAIN, Event::WriteAgain { process: number, life });
            }
            Err(error) => self.disk_failed(number, error.to_string()),
        }
    }

    pub(super) fn written(&mut self, number: usize, life: u64) {
        let Some(running) = self.running(number, life) else { return };
        let Some((group, last)) = running.writing.take() else { return };
        self.processes[number].directory.snapshots.settle();
        self.counts.snapshots += 1;
        self.step(number, Input::SnapshotWritten { group, last });
        self.pump_snapshots(number);
    }

    /// A process whose disk failed ends at once: what was under way may have happened or not.
    fn disk_failed(&mut self, number: usize, why: String) {
        if self.trace {
            eprintln!("{:?} process {number} ends: {why}", self.now);
        }
        self.counts.disk_failures += 1;
        let single =
            |it: &mut Misbehaviour| *it = Misbehaviour { lies: it.lies, capacity: it.capacity, ..Default::default() };
        self.processes[number].directory.wal.misbehave(single);
        self.processes[number].directory.snapshots.misbehave(single);
        self.take_down(number, Outage::Process, Down::DiskFailed(why));
    }
}
