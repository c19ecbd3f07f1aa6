//! Snapshot files: written and read back; every bit, every cut; what is removed and when.

use crate::disk::MemDisk;
use crate::lane::{group, options, start};
use quorate::disk::Disk;
use quorate::snapshot::{SnapshotError, Snapshots, snapshot_name};
use quorate_core::raft::{Image, LogPosition, Mark, Payload, SnapshotWork};
use quorate_core::spec::ids::{GroupId, LogIndex, NodeId, Stamp, Term};
use std::collections::BTreeSet;

/// A payload whose image is a list of numbers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Number(u64);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Numbers(Vec<u64>);

impl Payload for Number {
    type Image = Numbers;

    fn bytes(&self) -> usize {
        8
    }
}

impl Image for Numbers {
    type Chunk = Vec<u64>;
    type Cursor = usize;

    fn chunk(&self, from: &usize, limit: usize) -> (Vec<u64>, Option<usize>) {
        let end = (from + (limit / 8).max(1)).min(self.0.len());
        (self.0[*from..end].to_vec(), (end < self.0.len()).then_some(end))
    }

    fn blank() -> Self {
        Self(Vec::new())
    }

    fn absorb(&mut self, chunk: Vec<u64>) {
        self.0.extend(chunk);
    }
}

fn at(index: u64) -> LogPosition {
    LogPosition { term: Term::new(2), index: LogIndex::new(index) }
}

fn snapshots(disk: &MemDisk) -> Snapshots<MemDisk> {
    Snapshots::new(disk.clone(), options().identity, 80)
}

fn work(index: u64, count: u64) -> SnapshotWork<Number> {
    let image = Numbers((0..count).map(|number| number * 1_000_003).collect());
    SnapshotWork { mark: Mark { last: at(index), ..start() }, image }
}

fn read(disk: &MemDisk, group: GroupId, index: u64) -> Result<(Mark, Numbers), SnapshotError> {
    snapshots(disk).read::<Number>(group, at(index))
}

#[test]
fn what_is_written_is_read_back_after_a_crash() {
    for count in [0, 1, 10, 11, 500] {
        let disk = MemDisk::default();
        let work = work(9, count);
        assert_eq!(snapshots(&disk).write(group(4), &work).unwrap(), "snap-4-4-9-2");
        let (mark, image) = read(&disk.crash(|| false), group(4), 9).unwrap();
        assert_eq!((mark, image), (work.mark, work.image));
    }
}

#[test]
fn a_crash_leaves_the_whole_snapshot_or_none() {
    let mut whole = 0;
    for steps in 0..80 {
        let disk = MemDisk::default();
        disk.stop_after(steps);
        let written = snapshots(&disk).write(group(4), &work(9, 200)).is_ok();
        let after = disk.crash(|| steps % 2 == 0);
        match read(&after, group(4), 9) {
            Ok((_, image)) => assert_eq!(image, work(9, 200).image),
            Err(error) => assert!(!written && error.to_string().contains("is missing"), "{steps}: {error}"),
        }
        whole += usize::from(written);
        snapshots(&after).keep_only(&BTreeSet::new()).unwrap();
        assert_eq!(after.names(), Vec::<String>::new(), "what nothing names is removed");
    }
    assert!(whole > 0);
}

#[test]
fn every_bit_and_every_cut_is_refused_by_name() {
    let disk = MemDisk::default();
    let name = snapshots(&disk).write(group(4), &work(9, 25)).unwrap();
    let intact = disk.bytes(&name);
    let refused = |bytes: Vec<u8>, what: &str| {
        let copy = MemDisk::default();
        copy.set_bytes(&name, bytes);
        let error = read(&copy, group(4), 9).expect_err(what).to_string();
        assert!(error.contains(&name) && !error.contains('\n'), "{what}: {error}");
    };
    for bit in 0..intact.len() * 8 {
        let mut bytes = intact.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        refused(bytes, &format!("bit {bit}"));
    }
    for length in 0..intact.len() {
        refused(intact[..length].to_vec(), &format!("cut at {length}"));
    }
    refused([&intact[..], &[0]].concat(), "a byte too many");
}

#[test]
fn intact_parts_that_do_not_belong_together_are_refused() {
    let disk = MemDisk::default();
    let long = snapshots(&disk).write(group(4), &work(9, 30)).unwrap();
    let bytes = disk.bytes(&long);
    // Frames: a header of 16 bytes with the body's length at 8.
    let mut ends = vec![0];
    while *ends.last().unwrap() < bytes.len() {
        let begin = *ends.last().unwrap();
        ends.push(begin + 16 + u32::from_le_bytes(bytes[begin + 8..begin + 12].try_into().unwrap()) as usize);
    }
    let frames: Vec<&[u8]> = ends.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
    assert_eq!(frames.len(), 5, "a header, three chunks, a trailer");
    for order in [vec![0, 2, 1, 3, 4], vec![0, 1, 3, 4], vec![0, 1, 2, 4], vec![0, 1, 2, 3], vec![1, 2, 3, 4]] {
        let copy = MemDisk::default();
        copy.set_bytes(&long, order.iter().flat_map(|number| frames[*number].to_vec()).collect());
        assert!(read(&copy, group(4), 9).is_err(), "{order:?}");
    }
    let copy = MemDisk::default();
    copy.set_bytes(&snapshot_name(group(4), at(8)), bytes.clone());
    copy.set_bytes(&snapshot_name(group(5), at(9)), bytes);
    assert!(read(&copy, group(4), 8).unwrap_err().to_string().contains("another snapshot's name"));
    assert!(read(&copy, group(5), 9).unwrap_err().to_string().contains("another snapshot's name"));
    for (node, stamp) in [(2, 7), (1, 8)] {
        let identity = quorate::codec::Identity::new("test", NodeId::new(node), Stamp::new(stamp));
        let other = Snapshots::new(disk.clone(), identity, 80).read::<Number>(group(4), at(9));
        assert!(other.unwrap_err().to_string().contains("another node or data directory"));
    }
}

#[test]
fn a_full_disk_is_told_apart_and_leaves_nothing_behind() {
    let disk = MemDisk::default();
    disk.set_capacity(Some(100));
    let error = snapshots(&disk).write(group(4), &work(9, 200)).unwrap_err();
    assert!(error.is_full() && disk.names().is_empty(), "{error}");
}

#[test]
fn only_older_snapshots_of_the_group_are_removed() {
    let disk = MemDisk::default();
    for (gid, index) in [(1, 5), (1, 9), (1, 12), (2, 5), (11, 5)] {
        snapshots(&disk).write(group(gid), &work(index, 3)).unwrap();
    }
    disk.create("notes.txt").unwrap();
    snapshots(&disk).remove_older(group(1), at(9)).unwrap();
    assert_eq!(disk.names(), ["notes.txt", "snap-1-1-12-2", "snap-1-1-9-2", "snap-11-11-5-2", "snap-2-2-5-2"]);
    snapshots(&disk).remove_group(group(1)).unwrap();
    assert_eq!(disk.names(), ["notes.txt", "snap-11-11-5-2", "snap-2-2-5-2"]);
    snapshots(&disk).keep_only(&BTreeSet::from([(group(2), at(5))])).unwrap();
    assert_eq!(disk.names(), ["notes.txt", "snap-2-2-5-2"]);
}
