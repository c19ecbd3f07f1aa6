//! Reading a segment back: its intact frames from the front, and what comes after them.

use super::WalError;
use super::frame::{self, Found, Place, SECTOR};
use super::record::Record;
use super::replica::Placed;
use super::segment::SegmentName;
use crate::codec::{self, CodecError, Identity, Kind};
use crate::disk::{Disk, DiskFile, read_all};
use crate::mutants::mutant;
use std::ops::Range;

/// A segment read back.
pub(super) struct Scan {
    /// The segment.
    pub(super) name: SegmentName,
    bytes: Vec<u8>,
    frames: Vec<Range<usize>>,
    /// Where the next frame belongs.
    pub(super) end: u64,
    /// What is not zero after that, with no intact frame in it: a torn write, if this is the last segment.
    pub(super) torn: Option<Range<u64>>,
}

impl Scan {
    /// Reads a segment.
    ///
    /// # Errors
    /// The disk fails; the file was cut short; damage before an intact frame; a frame of another directory or version.
    pub(super) fn read<D: Disk>(disk: &D, identity: Identity, name: SegmentName) -> Result<Self, WalError> {
        let file = disk.open(&name.to_string()).map_err(WalError::io(format!("opening {name}")))?;
        let length = file.size().map_err(WalError::io(format!("measuring {name}")))?;
        if length < name.length && !mutant!(CutShortUnnoticed) {
            return Err(WalError::CutShort { segment: name.to_string(), length, made: name.length });
        }
        let bytes = read_all(&file).map_err(WalError::io(format!("reading {name}")))?;
        Self::parse(bytes, identity, name)
    }

    fn parse(bytes: Vec<u8>, identity: Identity, name: SegmentName) -> Result<Self, WalError> {
        let mut frames = Vec::new();
        let mut at = 0;
        while let Some((records, length)) = find(&bytes, at, identity, name)? {
            frames.push(records);
            at += frame::padded(length);
        }
        let mut later = at + SECTOR as usize;
        while later < bytes.len() && !mutant!(TornTailMidLog) {
            // What only looks like another's frame may be part of a client's value: it proves nothing here.
            if matches!(find(&bytes, later, identity, name), Ok(Some(_))) {
                let intact = format!("an intact frame at byte {later}");
                return Err(WalError::Damaged { segment: name.to_string(), offset: at as u64, intact });
            }
            later += SECTOR as usize;
        }
        let rest = bytes.get(at..).unwrap_or_default();
        let torn = rest.iter().position(|byte| *byte != 0).zip(rest.iter().rposition(|byte| *byte != 0));
        let torn = torn.map(|(first, last)| (at + first) as u64..(at + last + 1) as u64);
        Ok(Self { name, bytes, frames, end: at as u64, torn })
    }

    /// Whether the opening is there.
    pub(super) fn is_open(&self) -> bool {
        !self.frames.is_empty()
    }

    /// Hands every record to `take`, in order.
    ///
    /// # Errors
    /// A record is not understood; `take` says no.
    pub(super) fn each_record(
        &self,
        mut take: impl FnMut(Record, Placed) -> Result<(), String>,
    ) -> Result<(), WalError> {
        for range in &self.frames {
            let mut rest = self.bytes.get(range.clone()).unwrap_or_default();
            while !rest.is_empty() {
                let before = rest.len();
                let record = codec::take_value(&mut rest).map_err(|what| {
                    let error = CodecError::Malformed { kind: Kind::WalFrame, what };
                    WalError::Codec { segment: self.name.to_string(), error }
                })?;
                let placed = Placed { segment: self.name.generation, bytes: (before - rest.len()) as u64 };
                take(record, placed).map_err(|what| WalError::Inconsistent { what })?;
            }
        }
        Ok(())
    }

    /// The older segments that this one needs: the last list in it.
    pub(super) fn needed(&self) -> Result<Vec<u64>, WalError> {
        let mut needed = Vec::new();
        self.each_record(|record, _| {
            if let Record::Needed(segments) = record {
                needed = segments;
            }
            Ok(())
        })?;
        Ok(needed)
    }
}

/// The frame at `at`: where its records are, and its length.
fn find(
    bytes: &[u8],
    at: usize,
    identity: Identity,
    name: SegmentName,
) -> Result<Option<(Range<usize>, usize)>, WalError> {
    let place = Place { identity, generation: name.generation, offset: at as u64 };
    match frame::find(bytes.get(at..).unwrap_or_default(), place) {
        Found::Frame { records, length } => Ok(Some((at + length - records.len()..at + length, length))),
        Found::Nothing => Ok(None),
        Found::Foreign => Err(WalError::Foreign { segment: name.to_string() }),
        Found::OtherVersion(error) => Err(WalError::Codec { segment: name.to_string(), error }),
    }
}
