//! Every byte cut, every bit flipped, every frame torn: what recovery keeps, cuts and refuses.

use crate::disk::MemDisk;
use crate::lane::{Choices, Model, append, compact, create_data, group, lane, options};
use quorate::codec::Identity;
use quorate::wal::{SECTOR, Wal, WalError, segment_name};
use quorate_core::spec::ids::{NodeId, Stamp};

/// A log of a few frames in one segment: the disk, the segment's name, the states after each frame (the opening is the
/// first), and where each frame begins and ends (without padding).
struct Small {
    disk: MemDisk,
    name: String,
    states: Vec<Model>,
    frames: Vec<(usize, usize)>,
}

fn small() -> Small {
    let disk = MemDisk::default();
    let (mut wal, _) = Wal::open(disk.clone(), options()).unwrap();
    let name = segment_name(1, options().segment_bytes);
    let (writes, states) = lane(5, 9);
    let mut frames = vec![(0, frame_end(&disk.bytes(&name), 0))];
    let mut kept = vec![Model::default()];
    for (number, pair) in writes.chunks(2).enumerate() {
        wal.commit(pair).unwrap();
        let begin = frames.last().unwrap().1.next_multiple_of(SECTOR as usize);
        frames.push((begin, frame_end(&disk.bytes(&name), begin)));
        kept.push(states[(2 * number + 2).min(writes.len())].clone());
    }
    assert!(frames.last().unwrap().1 > 0 && disk.names() == [name.clone()], "all in one segment");
    Small { disk, name, states: kept, frames }
}

/// Where the frame at `begin` ends, by the length in its header.
fn frame_end(bytes: &[u8], begin: usize) -> usize {
    begin + 16 + u32::from_le_bytes(bytes[begin + 8..begin + 12].try_into().unwrap()) as usize
}

impl Small {
    /// Opens a copy whose segment holds these bytes.
    fn open(&self, bytes: Vec<u8>) -> Result<Model, WalError> {
        let disk = MemDisk::default();
        disk.set_bytes(&self.name, bytes);
        Wal::open(disk, options()).map(|(wal, _)| Model::of(wal.fold()))
    }

    /// Opens a copy whose segment holds these bytes, then appends, and opens again.
    fn reopen(&self, bytes: Vec<u8>) -> Result<Model, WalError> {
        let disk = self.disk.copy();
        disk.set_bytes(&self.name, bytes);
        let (mut wal, _) = Wal::open(disk.clone(), options())?;
        let model = Model::of(wal.fold());
        let group = group(77);
        wal.commit(&[create_data(group), append(group, 1, 10)]).unwrap();
        let (again, recovered) = Wal::open(disk, options()).expect("a log that was repaired opens");
        assert_eq!(recovered.cut, 0, "what was cut once is clean");
        let mut after = Model::of(again.fold());
        assert_eq!(after.data.remove(&group).map(|replica| replica.entries.len()), Some(1));
        assert_eq!(after, model, "what was recovered is what is there next time");
        Ok(model)
    }
}

#[test]
fn nothing_damaged_nothing_lost() {
    let small = small();
    let bytes = small.disk.bytes(&small.name);
    assert_eq!(small.reopen(bytes).unwrap(), *small.states.last().unwrap());
}

#[test]
fn every_bit_flipped() {
    let small = small();
    let intact = small.disk.bytes(&small.name);
    let last = small.frames.len() - 1;
    for bit in 0..intact.len() * 8 {
        let hit = small.frames.iter().position(|(begin, end)| (*begin..*end).contains(&(bit / 8)));
        if hit.is_none() && bit % 8 != bit / 8 % 8 {
            // Padding and the empty rest: one bit of each byte will do.
            continue;
        }
        let mut bytes = intact.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        match (hit, small.open(bytes)) {
            (None, result) => assert_eq!(result.unwrap(), small.states[last], "bit {bit}"),
            // Cannot be told apart from a write that was torn, and is cut.
            (Some(frame), result) if frame == last => assert_eq!(result.unwrap(), small.states[last - 1], "bit {bit}"),
            (Some(frame), Err(WalError::Damaged { offset, .. })) => {
                assert_eq!(offset as usize, small.frames[frame].0, "bit {bit}");
            }
            (Some(frame), result) => panic!("bit {bit} of frame {frame}: {result:?}"),
        }
    }
}

/// From every byte on, the log was never written, or garbage came instead: a prefix is recovered.
#[test]
fn every_tear() {
    let small = small();
    let intact = small.disk.bytes(&small.name);
    let end = small.frames.last().unwrap().1;
    let mut choices = Choices::new(1);
    for from in 0..=end {
        for garbage in [false, true] {
            let mut bytes = intact.clone();
            bytes[from..end].fill_with(|| if garbage { choices.below(255) as u8 + 1 } else { 0 });
            let whole = small.frames.iter().filter(|(_, end)| *end <= from).count();
            // A frame may end in zeros of its own.
            let whole = whole
                + small.frames[whole..]
                    .iter()
                    .filter(|(begin, end)| bytes[*begin..*end] == intact[*begin..*end])
                    .count();
            let expected = if whole == 0 { &Model::default() } else { &small.states[whole - 1] };
            assert_eq!(small.reopen(bytes).unwrap(), *expected, "from byte {from}, garbage: {garbage}");
        }
    }
}

/// Any subset of a frame's sectors reaches the disk: the frames before it are untouched.
#[test]
fn torn_by_sectors() {
    let disk = MemDisk::default();
    let (mut wal, _) = Wal::open(disk.clone(), options()).unwrap();
    let group = group(1);
    wal.commit(&[create_data(group), append(group, 1, 100)]).unwrap();
    let before = Model::of(wal.fold());
    disk.stop_after(1);
    assert!(wal.commit(&[append(group, 2, 2_000)]).is_err(), "written, not synced");
    let after = Model::of(wal.fold());
    let mut seen = [false; 2];
    for seed in 0..64 {
        let mut choices = Choices::new(seed);
        let (wal, _) = Wal::open(disk.crash(|| choices.below(4) != 0), options()).unwrap();
        let model = Model::of(wal.fold());
        assert!(model == before || model == after);
        seen[usize::from(model == after)] = true;
    }
    assert_eq!(seen, [true; 2], "both outcomes were reached");
}

#[test]
fn a_file_that_was_cut_short_is_refused() {
    let small = small();
    let bytes = small.disk.bytes(&small.name);
    for length in [0, 511, small.frames[1].1, bytes.len() - 1] {
        assert!(matches!(small.reopen(bytes[..length].to_vec()), Err(WalError::CutShort { .. })), "{length} bytes");
    }
}

#[test]
fn the_log_of_another_directory_is_refused() {
    let small = small();
    for identity in [
        Identity::new("other", NodeId::new(1), Stamp::new(7)),
        Identity::new("test", NodeId::new(2), Stamp::new(7)),
        Identity::new("test", NodeId::new(1), Stamp::new(8)),
    ] {
        let options = quorate::wal::WalOptions { identity, ..options() };
        assert!(matches!(Wal::open(small.disk.copy(), options), Err(WalError::Foreign { .. })));
    }
}

/// A frame of another place, put where the next one belongs, is not taken for it.
#[test]
fn misdirected_and_stale_frames_are_not_taken() {
    let small = small();
    let mut bytes = small.disk.bytes(&small.name);
    let ((from, to), (last, end)) = (small.frames[1], *small.frames.last().unwrap());
    let next = end.next_multiple_of(SECTOR as usize);
    bytes.copy_within(from..to, next);
    assert_eq!(small.reopen(bytes.clone()).unwrap(), *small.states.last().unwrap(), "a frame of another offset");
    bytes[last] ^= 1;
    assert_eq!(
        small.reopen(bytes).unwrap(),
        small.states[small.states.len() - 2],
        "nor does it prove that no write was torn"
    );

    let disk = MemDisk::default();
    disk.set_bytes(&segment_name(2, options().segment_bytes), small.disk.bytes(&small.name));
    assert!(Wal::open(disk, options()).is_err(), "a segment under another generation's name");
}

/// A log that goes over several segments.
fn long() -> (MemDisk, Model) {
    let disk = MemDisk::default();
    let (mut wal, _) = Wal::open(disk.clone(), options()).unwrap();
    let group = group(1);
    wal.commit(&[create_data(group)]).unwrap();
    for index in 1..=40 {
        wal.commit(&[append(group, index, 900)]).unwrap();
    }
    assert!(wal.segments() >= 3);
    let model = Model::of(wal.fold());
    (disk, model)
}

#[test]
fn a_sealed_segment_is_never_cut() {
    let (disk, _) = long();
    let segments: Vec<_> = disk.names().into_iter().filter(|name| name.ends_with(".wal")).collect();
    for name in &segments[..segments.len() - 1] {
        let intact = disk.bytes(name);
        for at in (0..intact.len()).step_by(512) {
            let mut bytes = intact.clone();
            bytes[at] ^= 0x55;
            let copy = disk.copy();
            copy.set_bytes(name, bytes);
            let result = Wal::open(copy, options()).map(|(wal, _)| Model::of(wal.fold()));
            assert!(matches!(result, Err(WalError::Damaged { .. })), "{name} at {at}");
        }
        let copy = disk.copy();
        quorate::disk::Disk::remove(&copy, name).unwrap();
        assert!(matches!(Wal::open(copy, options()), Err(WalError::Missing { .. })), "{name} gone");
    }
}

#[test]
fn an_opening_that_was_torn_falls_back_only_to_its_predecessor() {
    let (disk, model) = long();
    let mut segments: Vec<_> = disk.names().into_iter().filter(|name| name.ends_with(".wal")).collect();
    let newest = segments.pop().unwrap();
    let generation = u64::from_str_radix(newest.split('-').next().unwrap(), 16).unwrap();
    let unopened = segment_name(generation + 1, options().segment_bytes);
    let mut torn = vec![0; options().segment_bytes as usize];
    torn[100] = 1;
    disk.set_bytes(&unopened, torn.clone());
    let (wal, recovered) = Wal::open(disk.copy(), options()).unwrap();
    assert_eq!((Model::of(wal.fold()), recovered.cut), (model, 1), "nothing was in it yet");

    let gap = disk.copy();
    quorate::disk::Disk::remove(&gap, &newest).unwrap();
    let result = Wal::open(gap, options()).map(drop);
    assert!(matches!(result, Err(WalError::Missing { .. })), "what its predecessor said is nowhere else");

    let other = MemDisk::default();
    other.set_bytes(&unopened, torn);
    assert!(matches!(Wal::open(other, options()), Err(WalError::Missing { .. })), "nor does a log begin so");
}

/// The only record of a vote is never in a segment that goes (`idle-group-vote-purged`).
#[test]
fn an_idle_groups_vote_outlives_every_segment() {
    use quorate_core::raft::{HardState, Write};
    use quorate_core::spec::ids::Term;
    let disk = MemDisk::default();
    let (mut wal, _) = Wal::open(disk.clone(), options()).unwrap();
    let (idle, busy) = (group(1), group(2));
    let hard = HardState { term: Term::new(9), voted_for: Some(NodeId::new(3)) };
    let vote = quorate_core::effect::Write::Data { group: idle, write: Write::HardState(hard) };
    wal.commit(&[create_data(idle), vote, create_data(busy)]).unwrap();
    for index in 1..=200 {
        wal.commit(&[append(busy, index, 900)]).unwrap();
        wal.commit(&compact(busy, index)).unwrap();
    }
    assert!(disk.names().iter().all(|name| !name.starts_with("0000000000000001-")), "the first segment is gone");
    let (wal, _) = Wal::open(disk.copy(), options()).unwrap();
    assert_eq!(wal.fold().data[&idle].hard, hard);
    assert!(wal.fold().data[&idle].birth.is_some() && wal.fold().data[&busy].birth.is_none());
}
