//! The data directory of a running node: opened, read back, and behind the driver's [`Storage`].
//!
//! A failed write ends the process here, on the thread that met it: nothing that rests on it can have been said, and
//! nothing will be.

use super::retention::{Release, Retention};
use super::usage::Usage;
use crate::config::NodeConfig;
use crate::data_dir::DataDir;
use crate::disk::RealDisk;
use crate::driver::{Event, Storage};
use crate::recovery;
use crate::snapshot::{SnapshotEvent, SnapshotThread, Snapshots};
use crate::wal::{WalEvent, WalOptions, WalThread};
use quorate_core::durable::Durable;
use quorate_core::effect::{SnapshotWork, Write};
use quorate_core::message::Peer;
use quorate_core::status::HostStatus;
use quorate_spec::ids::WriteId;
use std::fmt::Display;
use std::io::Write as _;
use tokio::sync::mpsc::UnboundedSender;

/// A node's disk, opened.
pub(super) struct Opened {
    /// Whose directory it is, and the boot that began.
    pub(super) me: Peer,
    /// What it kept.
    pub(super) durable: Durable,
    /// Where what comes next goes.
    pub(super) storage: NodeDisk,
}

/// The threads that write to a data directory.
pub(super) struct NodeDisk {
    wal: WalThread<RealDisk>,
    snapshots: SnapshotThread,
    retention: Retention,
    usage: Usage,
    /// Locked until the end.
    _directory: DataDir,
}

/// Locks and reads a node's data directory, and starts the threads that write to it. What they finish becomes `events`.
///
/// # Errors
/// One line that says what to do.
pub(super) fn open(config: &NodeConfig, events: &UnboundedSender<Event>) -> Result<Opened, String> {
    let directory =
        DataDir::open_or_create(&config.data, &config.cluster, config.id).map_err(|error| error.to_string())?;
    let identity = directory.identity;
    let snapshots = Snapshots::new(directory.snapshots(), identity, config.limits.raft.chunk_bytes);
    let must_exist = directory.was_logged().map_err(|error| error.to_string())?;
    let options = WalOptions { must_exist, ..WalOptions::new(identity) };
    let opened = recovery::open(directory.wal(), &snapshots, options)
        .map_err(|error| format!("{}: {error}", config.data.display()))?;
    directory.note_logged().map_err(|error| error.to_string())?;
    if opened.cut > 0 {
        tracing::info!(bytes = opened.cut, "the last write was torn by a crash and was cut off: nothing rested on it");
    }
    let threads = |error| format!("cannot start a thread: {error}; raise the limit of processes (ulimit -u)");
    let me = Peer { node: config.id, stamp: directory.stamp, boot: directory.boot };
    let storage = NodeDisk {
        wal: WalThread::spawn(opened.wal, report_wal(events.clone())).map_err(threads)?,
        snapshots: SnapshotThread::spawn(snapshots, report_snapshots(events.clone())).map_err(threads)?,
        retention: Retention::default(),
        usage: Usage::watch(&config.data, &config.cluster).map_err(threads)?,
        _directory: directory,
    };
    Ok(Opened { me, durable: opened.durable, storage })
}

impl NodeDisk {
    /// Finishes what was submitted.
    pub(super) fn close(self) {
        self.wal.close();
        self.snapshots.close();
    }
}

impl Storage for NodeDisk {
    fn submit(&mut self, writes: Vec<(WriteId, Write)>) {
        for (id, write) in &writes {
            self.retention.note(*id, write);
        }
        self.wal.submit(writes);
    }

    fn synced(&mut self, write: WriteId) {
        for release in self.retention.synced(write) {
            match release {
                Release::Older { group, keep } => self.snapshots.remove_older(group, keep),
                Release::All { group } => self.snapshots.remove_group(group),
            }
        }
    }

    fn write_snapshot(&mut self, work: SnapshotWork) {
        self.snapshots.submit(work);
    }

    fn host(&self) -> HostStatus {
        self.usage.last()
    }
}

/// What the log's thread reports, as events. A closed channel means that the driver has ended: nobody waits.
fn report_wal(events: UnboundedSender<Event>) -> impl Fn(WalEvent) + Send + 'static {
    move |event| match event {
        WalEvent::Synced(write) => drop(events.send(Event::Synced(write))),
        WalEvent::Full(full) => {
            if full {
                tracing::warn!("the disk is full: writes are refused until there is space; free some");
            } else {
                tracing::info!("the disk has space again");
            }
            drop(events.send(Event::DiskFull(full)));
        }
        WalEvent::Failed(error) => die(&error),
    }
}

/// What the snapshots' thread reports, as events.
fn report_snapshots(events: UnboundedSender<Event>) -> impl Fn(SnapshotEvent) + Send + 'static {
    move |event| match event {
        SnapshotEvent::Written { group, last } => drop(events.send(Event::SnapshotWritten { group, last })),
        SnapshotEvent::Full { group } => {
            tracing::warn!(%group, "no space for a snapshot: it is tried again; free some space");
        }
        SnapshotEvent::Failed(error) => die(&error),
    }
}

/// How a process ends whose disk failed: not to be started again before somebody has looked, since what the operating
/// system shows of a file after a failed write need not be what is on the disk.
const DISK_FAILED: i32 = 3;

/// Ends the process at once. The log may be off, so the reason goes to standard error in any case.
fn die(error: &dyn Display) -> ! {
    tracing::error!(%error, "the disk failed");
    // Nobody may be left to read it; that must not keep the process from ending in order.
    let _ = writeln!(std::io::stderr(), "error: {error}");
    std::process::exit(DISK_FAILED);
}
