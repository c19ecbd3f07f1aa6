//! The log on a thread of its own: takes writes without ever blocking the caller, commits everything that is pending as
//! one frame, and says what is durable.
//!
//! Segments are prepared on a second thread, so that the lane does not wait for it.

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
use std::time::{Duration, Instant};

/// How long to wait before looking for space again on a full disk.
const RETRY: Duration = Duration::from_millis(250);

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
        let lane = Lane {
            wal,
            report: Box::new(report),
            todo,
            maker: Maker::spawn(work.clone())?,
            full: false,
            next_look: Instant::now(),
            blocked: false,
            closing: false,
            ids: Vec::new(),
            writes: Vec::new(),
        };
        let thread = thread::Builder::new().name("quorate-wal".into()).spawn(move || lane.run())?;
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
    /// One is on its way.
    asked: bool,
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
        Ok(Self { ask, asked: false, thread })
    }

    fn ask(&mut self, needs: (D, u64)) {
        self.asked = self.asked || self.ask.send(needs).is_ok();
    }

    /// Waits for the end of what it does: nobody else may touch the spare until then.
    fn end(self) {
        drop(self.ask);
        if let Err(panic) = self.thread.join() {
            std::panic::resume_unwind(panic);
        }
    }
}

/// The lane's state.
struct Lane<D: Disk> {
    wal: Wal<D>,
    report: Box<dyn Fn(WalEvent) + Send>,
    todo: Receiver<Work<D>>,
    maker: Maker<D>,
    /// The disk is full, as far as is known.
    full: bool,
    /// When to look for space again, if it is.
    next_look: Instant,
    /// The next frame waits for a segment.
    blocked: bool,
    closing: bool,
    ids: Vec<WriteId>,
    writes: Vec<Write>,
}

impl<D: Disk> Lane<D> {
    fn run(mut self) {
        let result = self.serve();
        self.maker.end();
        if let Err(error) = result {
            (self.report)(WalEvent::Failed(error));
        }
    }

    fn serve(&mut self) -> Result<(), WalError> {
        loop {
            let wanted = self.wal.wants_spare() || (self.blocked && !self.wal.has_spare());
            if wanted && !self.full {
                self.maker.ask(self.wal.spare_needs());
            }
            self.look_for_space();
            if self.writes.is_empty() || self.blocked {
                if self.closing && (self.writes.is_empty() || self.full) {
                    return Ok(());
                }
                self.wait()?;
            }
            while let Ok(work) = self.todo.try_recv() {
                self.take(work)?;
            }
            if !self.writes.is_empty() && !self.blocked {
                self.commit()?;
            }
        }
    }

    /// On a full disk, looks for space again now and then, however busy the lane is.
    fn look_for_space(&mut self) {
        if !self.full || self.next_look > Instant::now() {
            return;
        }
        self.next_look = Instant::now() + RETRY;
        if self.wal.has_spare() {
            self.blocked = false;
        } else {
            self.maker.ask(self.wal.spare_needs());
        }
    }

    /// Waits for something to do, on a full disk no longer than until the next look for space.
    fn wait(&mut self) -> Result<(), WalError> {
        if !self.full {
            return self.todo.recv().map_or(Ok(()), |work| self.take(work));
        }
        match self.todo.recv_timeout(self.next_look.saturating_duration_since(Instant::now())) {
            Ok(work) => self.take(work),
            Err(_) => Ok(()),
        }
    }

    fn take(&mut self, work: Work<D>) -> Result<(), WalError> {
        match work {
            Work::Writes(writes) => {
                for (id, write) in writes {
                    self.ids.push(id);
                    self.writes.push(write);
                }
            }
            Work::Close => self.closing = true,
            Work::Spare(made) => {
                self.maker.asked = false;
                self.take_spare(made)?;
            }
        }
        Ok(())
    }

    fn take_spare(&mut self, made: Result<Spare<D>, WalError>) -> Result<(), WalError> {
        match made {
            Ok(spare) => {
                self.wal.give_spare(spare);
                self.blocked = false;
                self.set_full(false);
            }
            Err(WalError::Full) if self.wal.reclaim()? > 0 => self.maker.ask(self.wal.spare_needs()),
            Err(WalError::Full) => self.set_full(true),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<(), WalError> {
        match self.wal.commit_ready(&self.writes) {
            Ok(Some(count)) => {
                self.writes.drain(..count);
                if let Some(last) = self.ids.drain(..count).next_back() {
                    (self.report)(WalEvent::Synced(last));
                }
            }
            Ok(None) => self.blocked = true,
            Err(WalError::Full) => {
                self.blocked = true;
                self.set_full(true);
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn set_full(&mut self, full: bool) {
        if self.full != full {
            self.full = full;
            self.next_look = Instant::now() + RETRY;
            (self.report)(WalEvent::Full(full));
        }
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
