//! Snapshot files: once written, and once the thread has reported them, they outlive a crash; one that lacks parts is
//! refused.

use super::Broken;
use super::disk::MemDisk;
use super::lane::{group, options, start};
use quorate::snapshot::{SnapshotEvent, SnapshotThread, Snapshots, snapshot_name};
use quorate_core::controller::{Assignment, Command, Configuration, Controller};
use quorate_core::effect;
use quorate_core::raft::{LogPosition, Mark, SnapshotWork};
use quorate_core::shard;
use quorate_core::shard::{ReadAnswer, ShardGroup, WriteOp};
use quorate_core::spec::ids::{ClientId, ConfigNum, GroupId, LogIndex, Seq, Term};
use std::sync::{Arc, mpsc};

fn snapshots(disk: &MemDisk) -> Snapshots<MemDisk> {
    Snapshots::new(disk.clone(), options().identity, 64)
}

fn mark(index: u64) -> Mark {
    Mark { last: LogPosition { term: Term::new(1), index: LogIndex::new(index) }, ..start() }
}

fn work(seed: u64) -> SnapshotWork<Command> {
    SnapshotWork { mark: mark(1 + seed), image: Controller::genesis(64 + seed as u32) }
}

pub(super) fn check(seed: u64) -> Result<u64, Broken> {
    let work = work(seed);
    let last = work.mark.last;
    let disk = MemDisk::default();
    let name = snapshots(&disk).write(GroupId::CONTROLLER, &work).expect("the disk works");
    read_back(&disk.crash(|| false), &work, "after a crash")?;
    shortened(&disk, &name, &work)?;
    reported(seed)?;
    repeated(seed)?;
    Ok(last.index.get())
}

fn read_back(disk: &MemDisk, work: &SnapshotWork<Command>, when: &str) -> Result<(), Broken> {
    let broken = |evidence| Broken::new("SnapshotDurable", 1, evidence);
    match snapshots(disk).read::<Command>(GroupId::CONTROLLER, work.mark.last) {
        Ok((mark, image)) if (&mark, &image) == (&work.mark, &work.image) => Ok(()),
        Ok(_) => Err(broken(format!("{when} another state is read"))),
        Err(error) => Err(broken(format!("{when}: {error}"))),
    }
}

/// The file ends at the end of any of its parts.
fn shortened(disk: &MemDisk, name: &str, work: &SnapshotWork<Command>) -> Result<(), Broken> {
    let bytes = disk.bytes(name);
    let mut at = 0;
    while let Some(header) = bytes.get(at..).and_then(|rest| quorate::codec::parse_header(rest).ok()) {
        at += header.frame_len();
        if at == bytes.len() {
            break;
        }
        let short = MemDisk::default();
        short.set_bytes(name, bytes[..at].to_vec());
        let read = snapshots(&short).read::<Command>(GroupId::CONTROLLER, work.mark.last);
        if read.is_ok_and(|(_, image)| image != work.image) {
            return Err(Broken::new(
                "DamageRefused",
                1,
                format!("a snapshot that ends at byte {at} is taken for whole"),
            ));
        }
    }
    Ok(())
}

/// Within the thread's report the file is there.
fn reported(seed: u64) -> Result<(), Broken> {
    let disk = MemDisk::default();
    let (report, reports) = mpsc::channel();
    let looked_at = disk.clone();
    let look = move |event| {
        let SnapshotEvent::Written { group, last } = event else { return };
        let seen = snapshots(&looked_at.crash(|| false)).read::<shard::Command>(group, last);
        // Nobody listens any more once something is broken.
        let _ = report.send(seen.map(drop).map_err(|error| error.to_string()));
    };
    let thread = SnapshotThread::spawn(snapshots(&disk), look).expect("a thread");
    let image = ShardGroup::genesis(group(1), Arc::new(Configuration::genesis(4)));
    let work = SnapshotWork { mark: mark(1 + seed), image };
    thread.submit(effect::SnapshotWork::Data { group: group(1), work });
    let seen = reports.recv().unwrap_or_else(|_| Err("nothing is reported".to_owned()));
    thread.close();
    let name = snapshot_name(group(1), mark(1 + seed).last);
    seen.map_err(|error| Broken::new("SnapshotDurable", 1, format!("{name} is reported, and after a crash: {error}")))
}

/// A write is applied, the state goes through a snapshot, and the write comes again.
fn repeated(seed: u64) -> Result<(), Broken> {
    let group = group(1);
    let owned = Assignment { owner: Some(group), ..Assignment::default() };
    let config = Configuration { num: ConfigNum::new(1), shards: vec![owned], ..Configuration::default() };
    let op = WriteOp::Append { value: "once;".into() };
    let (client, seq) = (ClientId::new(1 + seed), Seq::new(1));
    let write = shard::Command::Write { client, seq, key: "k".into(), op, value_limit: 100 };
    let at = LogIndex::new;
    let mut image = ShardGroup::genesis(group, Arc::new(Configuration::genesis(1)));
    image.apply(at(1), &shard::Command::AdoptConfiguration { config: Arc::new(config) });
    image.apply(at(2), &write);
    let disk = MemDisk::default();
    let work: SnapshotWork<shard::Command> = SnapshotWork { mark: mark(2), image };
    snapshots(&disk).write(group, &work).expect("the disk works");
    let read = snapshots(&disk).read::<shard::Command>(group, work.mark.last);
    let (_, mut image) = read.map_err(|error| Broken::new("SnapshotDurable", 2, error.to_string()))?;
    image.apply(at(3), &write);
    match image.read(b"k", at(3)) {
        ReadAnswer::Value { value: Some(value), .. } if *value == *b"once;" => Ok(()),
        answer => Err(Broken::new("AtMostOnce", 3, format!("one append, asked for twice: {answer:?}"))),
    }
}
