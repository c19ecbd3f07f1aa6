//! Segments as files: their names, the one being written, and the one prepared in advance.

use super::WalError;
use super::frame::{SECTOR, padded};
use crate::disk::{Disk, DiskFile, is_full};
use crate::mutants::mutant;
use std::fmt;

/// The spare's name while it is prepared and until it is used.
const SPARE: &str = "spare.tmp";

/// A segment's name: its generation, which is never used again once it opened, and the length that it was made with, so
/// that a file that was cut short shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SegmentName {
    /// Counts upwards from 1.
    pub(super) generation: u64,
    /// In bytes.
    pub(super) length: u64,
}

impl fmt::Display for SegmentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&segment_name(self.generation, self.length))
    }
}

/// The file name of a segment.
pub fn segment_name(generation: u64, length: u64) -> String {
    format!("{generation:016x}-{length:x}.wal")
}

impl SegmentName {
    fn parse(name: &str) -> Option<Self> {
        let (generation, length) = name.strip_suffix(".wal")?.split_once('-')?;
        let number = |digits| u64::from_str_radix(digits, 16).ok();
        let parsed = Self { generation: number(generation)?, length: number(length)? };
        (parsed.to_string() == name).then_some(parsed)
    }

    /// The segments of a directory, ascending. An unused spare is removed: how far it was prepared is not known.
    pub(super) fn list<D: Disk>(disk: &D) -> Result<Vec<Self>, WalError> {
        let names = disk.list().map_err(WalError::io("listing the segments"))?;
        if names.iter().any(|name| name == SPARE) {
            disk.remove(SPARE).map_err(WalError::io("removing the unused spare segment"))?;
        }
        let mut segments: Vec<Self> = names.iter().filter_map(|name| Self::parse(name)).collect();
        segments.sort_unstable();
        Ok(segments)
    }
}

/// A segment prepared in advance: zeros, with its space reserved.
pub struct Spare<D: Disk> {
    file: D::File,
    length: u64,
}

impl<D: Disk> Spare<D> {
    /// Prepares one of at least `length` bytes.
    ///
    /// # Errors
    /// [`WalError::Full`] when there is no space; else the disk fails.
    pub fn prepare(disk: &D, length: u64) -> Result<Self, WalError> {
        let length = length.next_multiple_of(SECTOR);
        let made = disk.create(SPARE).and_then(|mut file| file.preallocate(length).map(|()| file));
        match made {
            Ok(file) => Ok(Self { file, length }),
            Err(error) if is_full(&error) => {
                // What was reserved so far is worth more to others than to us.
                disk.remove(SPARE).or_else(ignore_missing).map_err(WalError::io("removing a spare segment"))?;
                Err(WalError::Full)
            }
            Err(error) => Err(WalError::Io { doing: "preparing a segment".into(), error }),
        }
    }

    /// Makes it longer if it is shorter than `length`.
    pub(super) fn grow(&mut self, length: u64) -> Result<(), WalError> {
        let length = length.next_multiple_of(SECTOR);
        if length > self.length {
            self.file.preallocate(length).map_err(|error| match is_full(&error) {
                true => WalError::Full,
                false => WalError::Io { doing: "preparing a segment".into(), error },
            })?;
            self.length = length;
        }
        Ok(())
    }

    /// Gives it its name as segment `generation`, durably.
    pub(super) fn adopt(self, disk: &D, generation: u64) -> Result<Segment<D>, WalError> {
        let name = SegmentName { generation, length: self.length };
        disk.rename(SPARE, &name.to_string()).map_err(WalError::io(format!("naming {name}")))?;
        if !mutant!(SegmentNameNotSynced) {
            disk.sync_dir().map_err(WalError::io(format!("syncing the name of {name}")))?;
        }
        Ok(Segment { name, file: self.file, end: 0 })
    }
}

fn ignore_missing(error: std::io::Error) -> std::io::Result<()> {
    if error.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

/// The segment that is written.
pub(super) struct Segment<D: Disk> {
    /// Its name.
    pub(super) name: SegmentName,
    file: D::File,
    end: u64,
}

impl<D: Disk> Segment<D> {
    /// Goes on writing at `end`, where everything is zero up to the segment's length. What a process that was killed wrote
    /// without syncing was read like the rest, so it is made durable before anybody builds on it.
    pub(super) fn resume(disk: &D, name: SegmentName, end: u64) -> Result<Self, WalError> {
        let mut file = disk.open(&name.to_string()).map_err(WalError::io(format!("opening {name}")))?;
        if !mutant!(RecoveredNotSynced) {
            file.sync_data().map_err(WalError::io(format!("syncing {name}")))?;
        }
        disk.sync_dir().map_err(WalError::io(format!("syncing the name of {name}")))?;
        Ok(Self { name, file, end })
    }

    /// Where the next frame belongs.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// How many bytes are left.
    pub(super) fn room(&self) -> u64 {
        self.name.length.saturating_sub(self.end)
    }

    /// Writes a finished frame at the end and syncs it.
    pub(super) fn write(&mut self, frame: &[u8]) -> Result<(), WalError> {
        let name = self.name;
        assert!(
            frame.len() == padded(frame.len()) && frame.len() as u64 <= self.room(),
            "frame out of place in {name}"
        );
        self.file.write_at(self.end, frame).map_err(WalError::io(format!("writing to {name}")))?;
        self.sync().map_err(WalError::io(format!("syncing {name}")))?;
        self.end += frame.len() as u64;
        Ok(())
    }

    fn sync(&mut self) -> std::io::Result<()> {
        if mutant!(SyncSkipped) {
            return Ok(());
        }
        let synced = self.file.sync_data();
        if mutant!(ContinueAfterFailedSync) {
            return Ok(());
        }
        if mutant!(RetryFailedSync) && synced.is_err() {
            return self.file.sync_data();
        }
        synced
    }

    /// Overwrites a torn write with zeros, durably.
    pub(super) fn clear(&mut self, range: std::ops::Range<u64>) -> Result<(), WalError> {
        let name = self.name;
        let zeros = vec![0; usize::try_from(range.end - range.start).unwrap_or(usize::MAX)];
        self.file.write_at(range.start, &zeros).map_err(WalError::io(format!("clearing the torn end of {name}")))?;
        self.file.sync_data().map_err(WalError::io(format!("syncing {name}")))
    }
}
