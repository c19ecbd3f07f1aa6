//! Snapshots on a thread of their own: one at a time, in order, while the node goes on.

use super::{SnapshotError, Snapshots};
use crate::disk::Disk;
use crate::mutants::mutant;
use quorate_core::effect::SnapshotWork;
use quorate_core::raft::LogPosition;
use quorate_core::spec::ids::GroupId;
use std::collections::VecDeque;
use std::io;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How long to wait before trying again on a full disk.
const RETRY: Duration = Duration::from_secs(1);

/// What the snapshots' thread reports.
#[derive(Debug)]
pub enum SnapshotEvent {
    /// The snapshot has its final name, durably.
    Written {
        /// The group.
        group: GroupId,
        /// What it covers.
        last: LogPosition,
    },
    /// There is no space for it. It is tried again until there is; nothing is lost.
    Full {
        /// The group.
        group: GroupId,
    },
    /// The disk failed: the process must end. Reported once, last.
    Failed(SnapshotError),
}

enum Work {
    Write(Box<SnapshotWork>),
    RemoveOlder(GroupId, LogPosition),
    RemoveGroup(GroupId),
    Close,
}

/// A handle of the snapshots' thread. Dropping it lets the thread end by itself; [`SnapshotThread::close`] waits.
pub struct SnapshotThread {
    work: Sender<Work>,
    thread: Option<JoinHandle<()>>,
}

impl SnapshotThread {
    /// Starts the thread. `report` is called on it, and must not block.
    ///
    /// # Errors
    /// The operating system starts no thread.
    pub fn spawn<D: Disk>(
        snapshots: Snapshots<D>,
        report: impl Fn(SnapshotEvent) + Send + 'static,
    ) -> io::Result<Self> {
        let (work, todo) = mpsc::channel();
        let writer = Writer { snapshots, todo, queue: VecDeque::new(), full: false };
        let thread = thread::Builder::new().name("quorate-snapshot".into()).spawn(move || writer.run(&report))?;
        Ok(Self { work, thread: Some(thread) })
    }

    /// Asks for a snapshot. Never blocks.
    pub fn submit(&self, work: SnapshotWork) {
        // A closed channel means that the thread failed, and that was reported.
        let _ = self.work.send(Work::Write(Box::new(work)));
    }

    /// Removes a group's snapshots below `keep`. Only once the log's mark of `keep` is durable. Never blocks.
    pub fn remove_older(&self, group: GroupId, keep: LogPosition) {
        let _ = self.work.send(Work::RemoveOlder(group, keep));
    }

    /// Removes all snapshots of a group. Only once its tombstone is durable. Never blocks.
    pub fn remove_group(&self, group: GroupId) {
        let _ = self.work.send(Work::RemoveGroup(group));
    }

    /// Ends the thread after the snapshot that it is writing. What waits is not written: the log still has it all.
    pub fn close(mut self) {
        let _ = self.work.send(Work::Close);
        if let Some(Err(panic)) = self.thread.take().map(JoinHandle::join) {
            std::panic::resume_unwind(panic);
        }
    }
}

impl Drop for SnapshotThread {
    fn drop(&mut self) {
        let _ = self.work.send(Work::Close);
    }
}

struct Writer<D: Disk> {
    snapshots: Snapshots<D>,
    todo: Receiver<Work>,
    queue: VecDeque<Box<SnapshotWork>>,
    full: bool,
}

impl<D: Disk> Writer<D> {
    fn run(mut self, report: &impl Fn(SnapshotEvent)) {
        if let Err(error) = self.serve(report) {
            report(SnapshotEvent::Failed(error));
        }
    }

    fn serve(&mut self, report: &impl Fn(SnapshotEvent)) -> Result<(), SnapshotError> {
        loop {
            let first = match (self.queue.is_empty(), self.full) {
                (true, _) => Some(self.todo.recv().unwrap_or(Work::Close)),
                (false, true) => self.todo.recv_timeout(RETRY).ok(),
                (false, false) => None,
            };
            for work in first.into_iter().chain(self.todo.try_iter()) {
                match work {
                    Work::Write(work) => self.queue.push_back(work),
                    Work::RemoveOlder(group, keep) => self.snapshots.remove_older(group, keep)?,
                    Work::RemoveGroup(group) => self.snapshots.remove_group(group)?,
                    Work::Close => return Ok(()),
                }
            }
            if let Some(work) = self.queue.pop_front() {
                self.write(work, report)?;
            }
        }
    }

    fn write(&mut self, work: Box<SnapshotWork>, report: &impl Fn(SnapshotEvent)) -> Result<(), SnapshotError> {
        let (group, last) = match &*work {
            SnapshotWork::Controller(work) => (GroupId::CONTROLLER, work.mark.last),
            SnapshotWork::Data { group, work } => (*group, work.mark.last),
        };
        if mutant!(SnapshotBeforeDurable) {
            report(SnapshotEvent::Written { group, last });
        }
        let written = match &*work {
            SnapshotWork::Controller(work) => self.snapshots.write(group, work),
            SnapshotWork::Data { work, .. } => self.snapshots.write(group, work),
        };
        match written {
            Ok(_) => report(SnapshotEvent::Written { group, last }),
            Err(error) if error.is_full() => {
                if !self.full {
                    report(SnapshotEvent::Full { group });
                }
                self.full = true;
                self.queue.push_front(work);
                return Ok(());
            }
            Err(error) => return Err(error),
        }
        self.full = false;
        Ok(())
    }
}
