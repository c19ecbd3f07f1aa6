//! A node's storage opened again: the log's fold with the images of its marks; and the snapshots' thread that writes them.

use crate::disk::MemDisk;
use crate::lane::{append, create_controller, create_data, group, options, start};
use quorate::disk::Disk;
use quorate::recovery::{self, Opened, RecoveryError};
use quorate::snapshot::{SnapshotEvent, SnapshotThread, Snapshots};
use quorate_core::controller::{Configuration, Controller};
use quorate_core::effect::{SnapshotWork, Write};
use quorate_core::raft::{self, LogPosition, Mark};
use quorate_core::shard::{self, ShardGroup};
use quorate_core::spec::ids::{GroupId, LogIndex, Term};
use std::sync::Arc;
use std::sync::mpsc;

/// A node's two directories.
#[derive(Clone, Default)]
struct Disks {
    wal: MemDisk,
    snapshots: MemDisk,
}

impl Disks {
    fn snapshots(&self) -> Snapshots<MemDisk> {
        Snapshots::new(self.snapshots.clone(), options().identity, 1 << 10)
    }

    fn open(&self) -> Result<Opened<MemDisk>, RecoveryError> {
        recovery::open(self.wal.clone(), &self.snapshots(), options())
    }

    fn crash(&self) -> Self {
        Self { wal: self.wal.crash(|| false), snapshots: self.snapshots.crash(|| false) }
    }
}

fn mark(index: u64) -> Mark {
    Mark { last: LogPosition { term: Term::new(1), index: LogIndex::new(index) }, ..start() }
}

fn image() -> ShardGroup {
    ShardGroup::genesis(group(1), Arc::new(Configuration::genesis(4)))
}

fn work(index: u64) -> raft::SnapshotWork<shard::Command> {
    raft::SnapshotWork { mark: mark(index), image: image() }
}

#[test]
fn a_new_node_has_nothing_and_a_created_replica_its_first_image() {
    let disks = Disks::default();
    let mut opened = disks.open().unwrap();
    assert!(opened.durable.controller.is_none() && opened.durable.data.is_empty());
    let config = Arc::new(Configuration::genesis(4));
    let create = Write::CreateData { group: group(1), mark: start(), config };
    opened.wal.commit(&[create_controller(), create, append(group(1), 1, 5)]).unwrap();
    let durable = disks.crash().open().unwrap().durable;
    assert_eq!(durable.controller.unwrap().image, Controller::genesis(64));
    let replica = &durable.data[&group(1)];
    assert_eq!((&replica.image, replica.entries.len(), &replica.mark), (&image(), 1, &start()));
}

#[test]
fn the_image_is_that_of_the_durable_mark_and_the_rest_goes() {
    let disks = Disks::default();
    let mut opened = disks.open().unwrap();
    opened.wal.commit(&[create_data(group(1)), append(group(1), 1, 5), append(group(1), 2, 5)]).unwrap();
    for index in [1, 2] {
        disks.snapshots().write(group(1), &work(index)).unwrap();
    }
    opened.wal.commit(&[Write::Data { group: group(1), write: raft::Write::Mark(mark(1)) }]).unwrap();
    disks.snapshots.create("snap-1-1-3-1.tmp").unwrap();

    let disks = disks.crash();
    let durable = disks.open().unwrap().durable;
    assert_eq!((&durable.data[&group(1)].mark, &durable.data[&group(1)].image), (&mark(1), &image()));
    assert_eq!(disks.snapshots.names(), ["snap-1-1-1-1"], "the mark of the other was not durable");

    disks.snapshots.remove("snap-1-1-1-1").unwrap();
    let error = disks.open().map(drop).unwrap_err().to_string();
    assert!(error.contains("snap-1-1-1-1 is missing"), "{error}");
}

#[test]
fn the_thread_writes_reports_and_removes_in_order() {
    let disks = Disks::default();
    let (report, events) = mpsc::channel();
    let thread = SnapshotThread::spawn(disks.snapshots(), move |event| report.send(event).unwrap()).unwrap();
    let controller = raft::SnapshotWork { mark: mark(7), image: Controller::genesis(64) };
    thread.submit(SnapshotWork::Controller(controller));
    for index in [3, 5] {
        thread.submit(SnapshotWork::Data { group: group(1), work: work(index) });
    }
    for expected in [(GroupId::CONTROLLER, mark(7).last), (group(1), mark(3).last), (group(1), mark(5).last)] {
        let SnapshotEvent::Written { group, last } = events.recv().unwrap() else { panic!("written") };
        assert_eq!((group, last), expected);
    }
    thread.remove_older(group(1), mark(5).last);
    thread.remove_group(GroupId::CONTROLLER);
    thread.close();
    assert_eq!(disks.snapshots.crash(|| false).names(), ["snap-1-1-5-1"]);
}

#[test]
fn the_thread_waits_for_space() {
    let disks = Disks::default();
    disks.snapshots.set_capacity(Some(10));
    let (report, events) = mpsc::channel();
    let thread = SnapshotThread::spawn(disks.snapshots(), move |event| report.send(event).unwrap()).unwrap();
    thread.submit(SnapshotWork::Data { group: group(1), work: work(3) });
    assert!(matches!(events.recv().unwrap(), SnapshotEvent::Full { .. }));
    disks.snapshots.set_capacity(None);
    assert!(matches!(events.recv().unwrap(), SnapshotEvent::Written { .. }));
    thread.close();
}

#[test]
fn a_failing_disk_is_reported_once_and_last() {
    let disks = Disks::default();
    disks.snapshots.fail_syncs();
    let (report, events) = mpsc::channel();
    let thread = SnapshotThread::spawn(disks.snapshots(), move |event| report.send(event).unwrap()).unwrap();
    for index in [3, 5] {
        thread.submit(SnapshotWork::Data { group: group(1), work: work(index) });
    }
    let events: Vec<_> = events.into_iter().collect();
    assert!(matches!(events[..], [SnapshotEvent::Failed(_)]), "{events:?}");
    thread.close();
}
