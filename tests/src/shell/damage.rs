//! A log that is not as it was left: damaged before an intact frame, with frames of other places or nodes, cut short, or
//! gone. Each is refused, or makes no difference; none may quietly give less than was acknowledged.

use super::Broken;
use super::disk::MemDisk;
use super::lane::{Model, append, create_data, group, options};
use quorate::codec::Identity;
use quorate::disk::Disk;
use quorate::wal::{SECTOR, Wal, WalError, WalOptions, segment_name};
use quorate_core::controller::NodeInfo;
use quorate_core::effect::Write;
use quorate_core::spec::ids::{NodeId, Stamp};

const FRAMES: u64 = 12;

pub(super) fn check(seed: u64) -> Result<u64, Broken> {
    let log = Log::of(options().identity, seed);
    log.flipped()?;
    log.misplaced()?;
    log.cut_short()?;
    log.gone()?;
    foreign(seed)?;
    Ok(FRAMES)
}

/// A log of a few frames in one segment, and what it says.
struct Log {
    disk: MemDisk,
    name: String,
    says: Model,
    /// Where each frame begins, and where the last one ends.
    begins: Vec<usize>,
}

fn pin(number: u64) -> Write {
    let info = NodeInfo { address: format!("host:{number}").as_str().into(), stamp: Stamp::new(1) };
    Write::Pin { node: NodeId::new(2), info }
}

impl Log {
    fn of(identity: Identity, seed: u64) -> Self {
        let disk = MemDisk::default();
        let opened = Wal::open(disk.clone(), WalOptions { identity, ..options() });
        let (mut wal, _) = opened.expect("an empty directory");
        let name = segment_name(1, options().segment_bytes);
        let mut begins = Vec::new();
        for number in 0..FRAMES {
            begins.push(end(&disk.bytes(&name)));
            let write = match number {
                0 => create_data(group(1)),
                odd if odd % 2 == 1 => pin(seed + number),
                even => append(group(1), even / 2, 300),
            };
            wal.commit(&[write]).expect("a legal write");
        }
        begins.push(end(&disk.bytes(&name)));
        Self { says: Model::of(wal.fold()), disk, name, begins }
    }

    fn open(&self, bytes: Vec<u8>) -> Result<Model, WalError> {
        let disk = MemDisk::default();
        disk.set_bytes(&self.name, bytes);
        Wal::open(disk, options()).map(|(wal, _)| Model::of(wal.fold()))
    }

    /// It is refused or makes no difference.
    fn judge(&self, property: &'static str, what: &str, opened: Result<Model, WalError>) -> Result<(), Broken> {
        match opened {
            Ok(model) if model != self.says => {
                Err(Broken::new(property, FRAMES, format!("{what}: it opens and says something else")))
            }
            _ => Ok(()),
        }
    }

    /// A bit of any frame but the last.
    fn flipped(&self) -> Result<(), Broken> {
        let [.., last, _] = self.begins.as_slice() else { return Ok(()) };
        for at in (0..*last).step_by(7) {
            let mut bytes = self.disk.bytes(&self.name);
            bytes[at] ^= 1 << (at % 8);
            self.judge("DamageRefused", &format!("bit {} of byte {at} flipped", at % 8), self.open(bytes))?;
        }
        Ok(())
    }

    /// An older frame where the next one belongs: a write that went astray.
    fn misplaced(&self) -> Result<(), Broken> {
        for frame in self.begins.windows(2) {
            let [from, to] = frame else { continue };
            let mut bytes = self.disk.bytes(&self.name);
            let end = *self.begins.last().unwrap_or(to);
            bytes.copy_within(*from..*to, end);
            self.judge("OwnFramesOnly", &format!("the frame at {from} again at {end}"), self.open(bytes))?;
        }
        Ok(())
    }

    /// The file ends early, though it was made longer.
    fn cut_short(&self) -> Result<(), Broken> {
        for end in &self.begins {
            let mut bytes = self.disk.bytes(&self.name);
            bytes.truncate(*end);
            self.judge("DamageRefused", &format!("the segment ends at byte {end}"), self.open(bytes))?;
        }
        Ok(())
    }

    /// The log of a node that had one.
    fn gone(&self) -> Result<(), Broken> {
        let disk = self.disk.copy();
        disk.remove(&self.name).expect("it is there");
        match Wal::open(disk, WalOptions { must_exist: true, ..options() }) {
            Ok(_) => Err(Broken::new("LossRefused", FRAMES, "a node whose log is gone begins another one")),
            Err(_) => Ok(()),
        }
    }
}

/// The log of another node, another directory, another cluster.
fn foreign(seed: u64) -> Result<(), Broken> {
    let others = [
        Identity::new("other", NodeId::new(1), Stamp::new(7)),
        Identity::new("test", NodeId::new(2), Stamp::new(7)),
        Identity::new("test", NodeId::new(1), Stamp::new(8)),
    ];
    for identity in others {
        let log = Log::of(identity, seed);
        if log.open(log.disk.bytes(&log.name)).is_ok() {
            return Err(Broken::new(
                "OwnFramesOnly",
                FRAMES,
                format!("the log of {identity:?} is taken for one's own"),
            ));
        }
    }
    Ok(())
}

/// Where the next frame belongs.
fn end(bytes: &[u8]) -> usize {
    let used = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    used.next_multiple_of(SECTOR as usize)
}
