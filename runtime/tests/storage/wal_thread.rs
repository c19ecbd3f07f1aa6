//! The log's thread: everything submitted is reported once durable; a failure once; a full disk waits.

use crate::disk::MemDisk;
use crate::lane::{Model, append, create_data, group, lane, options};
use quorate::wal::{Wal, WalEvent, WalThread};
use quorate_core::effect::Write;
use quorate_core::spec::ids::WriteId;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

fn spawn(disk: &MemDisk) -> (WalThread<MemDisk>, Receiver<WalEvent>) {
    let (wal, _) = Wal::open(disk.clone(), options()).unwrap();
    let (report, events) = mpsc::channel();
    (WalThread::spawn(wal, move |event| report.send(event).unwrap()).unwrap(), events)
}

fn numbered(first: u64, writes: Vec<Write>) -> Vec<(WriteId, Write)> {
    (first..).map(WriteId::new).zip(writes).collect()
}

#[test]
fn everything_submitted_is_reported_in_order() {
    let disk = MemDisk::default();
    let (thread, events) = spawn(&disk);
    let (writes, mut states) = lane(3, 500);
    for (number, batch) in writes.chunks(7).enumerate() {
        thread.submit(numbered(1 + 7 * number as u64, batch.to_vec()));
    }
    thread.close();
    let mut last = 0;
    for event in events {
        let WalEvent::Synced(id) = event else { panic!("{event:?}") };
        assert!(id.get() > last);
        last = id.get();
    }
    assert_eq!(last, 500);
    let (wal, _) = Wal::open(disk.crash(|| false), options()).unwrap();
    assert_eq!(Model::of(wal.fold()), states.pop().unwrap());
}

/// No segment is in store yet when the first write asks for one.
#[test]
fn a_first_write_that_needs_another_segment_gets_it() {
    let disk = MemDisk::default();
    let (thread, events) = spawn(&disk);
    let large = vec![create_data(group(1)), append(group(1), 1, 12 << 10), append(group(1), 2, 40 << 10)];
    thread.submit(numbered(1, large));
    let mut synced = 0;
    while synced < 3 {
        match events.recv_timeout(Duration::from_secs(60)) {
            Ok(WalEvent::Synced(id)) => synced = id.get(),
            other => panic!("{other:?}"),
        }
    }
    thread.close();
    let (wal, _) = Wal::open(disk.crash(|| false), options()).unwrap();
    assert_eq!(wal.fold().data[&group(1)].entries().count(), 2);
}

/// A failed sync is reported once, and nothing is acknowledged after it (`continue-after-failed-sync`).
#[test]
fn a_failed_sync_is_the_end() {
    let disk = MemDisk::default();
    let (thread, events) = spawn(&disk);
    thread.submit(numbered(1, vec![create_data(group(1))]));
    assert!(matches!(events.recv(), Ok(WalEvent::Synced(id)) if id.get() == 1));
    disk.fail_syncs();
    thread.submit(numbered(2, vec![append(group(1), 1, 10)]));
    assert!(matches!(events.recv(), Ok(WalEvent::Failed(_))));
    thread.submit(numbered(3, vec![append(group(1), 2, 10)]));
    thread.close();
    assert!(events.recv().is_err(), "nothing is reported after it");
}

#[test]
fn a_full_disk_is_reported_and_waited_out() {
    let disk = MemDisk::default();
    disk.set_capacity(Some(2 * (16 << 10)));
    let (thread, events) = spawn(&disk);
    let writes: Vec<_> =
        [create_data(group(1))].into_iter().chain((1..=60).map(|i| append(group(1), i, 900))).collect();
    thread.submit(numbered(1, writes));
    let mut synced = 0;
    loop {
        match events.recv().unwrap() {
            WalEvent::Synced(id) => synced = id.get(),
            WalEvent::Full(full) => break assert!(full),
            WalEvent::Failed(error) => panic!("{error}"),
        }
    }
    assert!(synced < 61, "not all of it fits");
    disk.set_capacity(None);
    let mut went_on = false;
    while synced < 61 {
        match events.recv().unwrap() {
            WalEvent::Synced(id) => synced = id.get(),
            WalEvent::Full(full) => {
                assert!(!full);
                went_on = true;
            }
            WalEvent::Failed(error) => panic!("{error}"),
        }
    }
    assert!(went_on);
    thread.close();
    let (wal, _) = Wal::open(disk, options()).unwrap();
    assert_eq!(wal.fold().data[&group(1)].entries().count(), 60);
}

#[test]
fn a_full_disk_does_not_hold_up_the_end() {
    let disk = MemDisk::default();
    disk.set_capacity(Some(16 << 10));
    let (thread, events) = spawn(&disk);
    let writes: Vec<_> =
        [create_data(group(1))].into_iter().chain((1..=60).map(|i| append(group(1), i, 900))).collect();
    thread.submit(numbered(1, writes));
    thread.close();
    let synced = events.into_iter().filter_map(|event| match event {
        WalEvent::Synced(id) => Some(id.get()),
        WalEvent::Full(_) => None,
        WalEvent::Failed(error) => panic!("{error}"),
    });
    let acknowledged = synced.last().unwrap_or(0);
    let (wal, _) = Wal::open(disk.crash(|| false), options()).unwrap();
    let kept = wal.fold().data.get(&group(1)).map_or(0, |replica| 1 + replica.entries().count() as u64);
    assert_eq!(kept, acknowledged, "what was acknowledged is there");
}
