//! The log's thread: at the moment at which it reports a write, that write and all before it are on the disk, whatever
//! was submitted meanwhile. The power is cut, in a copy, within every report.

use super::Broken;
use super::disk::MemDisk;
use super::lane::{Model, lane, options};
use quorate::wal::{Wal, WalEvent, WalThread};
use quorate_core::spec::ids::WriteId;
use std::sync::mpsc;

const LANE: usize = 120;

pub(super) fn check(seed: u64) -> Result<u64, Broken> {
    let (writes, states) = lane(seed, LANE);
    let disk = MemDisk::default();
    let opened = Wal::open(disk.clone(), options());
    let (wal, _) = opened.map_err(|error| Broken::new("Recovers", 0, error.to_string()))?;
    let (report, reports) = mpsc::channel();
    let looked_at = disk.clone();
    let look = move |event| {
        let seen = Wal::open(looked_at.crash(|| false), options()).map(|(wal, _)| Model::of(wal.fold()));
        // Nobody listens any more once something is broken.
        let _ = report.send((event, seen.map_err(|error| error.to_string())));
    };
    let thread = WalThread::spawn(wal, look).expect("a thread");
    // All at once: it takes many frames, and each is reported.
    thread.submit((1..).map(WriteId::new).zip(writes).collect());
    thread.close();
    let mut synced = 0;
    for (event, seen) in reports {
        let id = match event {
            WalEvent::Synced(id) => id.get(),
            other => return Err(Broken::new("Legal", synced, format!("{other:?}"))),
        };
        let seen = seen.map_err(|error| Broken::new("Recovers", id, error))?;
        if !states.iter().skip(id as usize).any(|state| *state == seen) {
            let evidence = format!("write {id} is reported durable, and is not there after a crash");
            return Err(Broken::new("Durability", id, evidence));
        }
        synced = id;
    }
    let all = synced == LANE as u64;
    if all { Ok(synced) } else { Err(Broken::new("Reported", synced, "not everything submitted is reported")) }
}
