//! The log on a thread of its own: takes writes without ever blocking the caller, commits everything that is pending as
//! one frame, and says what is durable.
//!
//! Segments are prepared on a second thread, so that the lane does not wait for it.

use super::lane::Lane;
use super::segment::Spare;
use super::{Wal, WalError};
use crate::disk::Disk;
use crate::mutants::mutant;
use quorate_core::effect::Write;
use quorate_core::raft;
use quorate_core::spec::ids::WriteId;
use std::io;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};
use std::time::Instant;

/// What the log's thread reports.
#[derive(Debug)]
pub enum WalEvent {
    /// This write and all before it are durable.
    Synced(WriteId),
    /// There is no space for another segment (or there is again). What was submitted waits; nothing is lost.
    Full(bool),
    /// The log failed: the process must end, with nothing more acknowledged. Reported once, last.
    Failed(WalError),
}

enum Work<D: Disk> {
    Writes(Vec<(WriteId, Write)>),
    Spare(Result<Spare<D>, WalError>),
    Close,
}

/// A handle of the log's thread. Dropping it lets the thread end by itself; [`WalThread::close`] waits.
pub struct WalThread<D: Disk> {
    work: Sender<Work<D>>,
    thread: Option<JoinHandle<()>>,
}

impl<D: Disk> WalThread<D> {
    /// Starts the thread. `report` is called on it, and must not block.
    ///
    /// # Errors
    /// The operating system starts no thread.
    pub fn spawn(wal: Wal<D>, report: impl Fn(WalEvent) + Send + 'static) -> io::Result<Self> {
        let (work, todo) = mpsc::channel();
        let lane = Lane::new(wal, Instant::now());
        let maker = Maker::spawn(work.clone())?;
        let worker = Worker { lane, report: Box::new(report), todo, maker, closing: false };
        let thread = thread::Builder::new().name("quorate-wal".into()).spawn(move || worker.run())?;
        Ok(Self { work, thread: Some(thread) })
    }

    /// Submits writes, in order. Never blocks. After a failure they go nowhere.
    pub fn submit(&self, mut writes: Vec<(WriteId, Write)>) {
        if mutant!(VoteLogReorder) {
            votes_last(&mut writes);
        }
        // A closed channel means that the log failed, and that was reported.
        let _ = self.work.send(Work::Writes(writes));
    }

    /// Ends the thread when everything submitted is durable; on a full disk, without waiting for space.
    pub fn close(mut self) {
        let _ = self.work.send(Work::Close);
        if let Some(Err(panic)) = self.thread.take().map(JoinHandle::join) {
            std::panic::resume_unwind(panic);
        }
    }
}

impl<D: Disk> Drop for WalThread<D> {
    fn drop(&mut self) {
        let _ = self.work.send(Work::Close);
    }
}

/// The thread that prepares segments, one per request.
struct Maker<D: Disk> {
    ask: Sender<(D, u64)>,
    thread: JoinHandle<()>,
}

impl<D: Disk> Maker<D> {
    fn spawn(done: Sender<Work<D>>) -> io::Result<Self> {
        let (ask, requests) = mpsc::channel::<(D, u64)>();
        let thread = thread::Builder::new().name("quorate-wal-spare".into()).spawn(move || {
            for (disk, length) in requests {
                if done.send(Work::Spare(Spare::prepare(&disk, length))).is_err() {
                    break;
                }
            }
        })?;
        Ok(Self { ask, thread })
    }

    /// Waits for the end of what it does: nobody else may touch the spare until then.
    fn end(self) {
        drop(self.ask);
        if let Err(panic) = self.thread.join() {
            std::panic::resume_unwind(panic);
        }
    }
}

/// What the log's thread works with.
struct Worker<D: Disk> {
    lane: Lane<D>,
    report: Box<dyn Fn(WalEvent) + Send>,
    todo: Receiver<Work<D>>,
    maker: Maker<D>,
    closing: bool,
}

impl<D: Disk> Worker<D> {
    fn run(mut self) {
        let result = self.serve();
        self.maker.end();
        if let Err(error) = result {
            (self.report)(WalEvent::Failed(error));
        }
    }

    fn serve(&mut self) -> Result<(), WalError> {
        loop {
            if let Some(needs) = self.lane.ask_spare(Instant::now()) {
                // A closed channel means that the maker panicked, which `Maker::end` passes on.
                let _ = self.maker.ask.send(needs);
            }
            if !self.lane.is_ready() {
                if self.closing && (self.lane.is_empty() || self.lane.next_look().is_some()) {
                    return Ok(());
                }
                self.wait()?;
            }
            while let Ok(work) = self.todo.try_recv() {
                self.take(work)?;
            }
            if self.lane.is_ready() {
                let event = self.lane.commit(Instant::now())?;
                event.into_iter().for_each(&self.report);
                self.lane.free_some();
            }
        }
    }

    /// Waits for something to do, on a full disk no longer than until the next look for space.
    fn wait(&mut self) -> Result<(), WalError> {
        let work = match self.lane.next_look() {
            None => self.todo.recv().ok(),
            Some(look) => self.todo.recv_timeout(look.saturating_duration_since(Instant::now())).ok(),
        };
        work.map_or(Ok(()), |work| self.take(work))
    }

    fn take(&mut self, work: Work<D>) -> Result<(), WalError> {
        match work {
            Work::Writes(writes) => self.lane.submit(writes),
            Work::Close => self.closing = true,
            Work::Spare(made) => {
                let event = self.lane.take_spare(made, Instant::now())?;
                event.into_iter().for_each(&self.report);
            }
        }
        Ok(())
    }
}

/// The bug of `vote-log-reorder`: terms and votes go behind everything else, and the names of the writes stay in order.
fn votes_last(writes: &mut Vec<(WriteId, Write)>) {
    let (ids, mut moved): (Vec<_>, Vec<_>) = std::mem::take(writes).into_iter().unzip();
    moved.sort_by_key(|write| {
        matches!(
            write,
            Write::Controller(raft::Write::HardState(_)) | Write::Data { write: raft::Write::HardState(_), .. }
        )
    });
    *writes = ids.into_iter().zip(moved).collect();
}
