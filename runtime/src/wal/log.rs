//! The running log: commits batches, opens segments, lets go of old ones.

use super::fold::Fold;
use super::frame::{self, Place, SECTOR};
use super::open::{FIRST, remove};
use super::record::RecordRef;
use super::replica::Placed;
use super::segment::{Segment, SegmentName, Spare};
use super::{WalError, WalOptions};
use crate::codec::{self, CodecError};
use crate::disk::Disk;
use crate::mutants::mutant;
use quorate_core::effect::Write;
use quorate_core::raft::{self, HardState};

/// Kept free at the end of a segment for lists of needed segments, with which space is won back on a full disk.
const RESERVE: u64 = 16 * SECTOR;

/// A log that is open for writing. Every error but [`WalError::Full`] is final: the process must end.
pub struct Wal<D: Disk> {
    disk: D,
    options: WalOptions,
    fold: Fold,
    segment: Segment<D>,
    /// Older segments that are needed, as the newest list says.
    sealed: Vec<SegmentName>,
    spare: Option<Spare<D>>,
    /// The frame that is made, kept for its capacity.
    buffer: Vec<u8>,
}

impl<D: Disk> Wal<D> {
    /// Goes on with a log that was read back.
    pub(super) fn resume(
        disk: D,
        options: WalOptions,
        segment: Segment<D>,
        sealed: Vec<SegmentName>,
        fold: Fold,
    ) -> Self {
        Self { disk, options, fold, segment, sealed, spare: None, buffer: Vec::new() }
    }

    /// Begins a log with its first segment.
    pub(super) fn begin(disk: D, options: WalOptions, spare: Spare<D>) -> Result<Self, WalError> {
        let segment = spare.adopt(&disk, FIRST)?;
        let mut wal = Self::resume(disk, options, segment, Vec::new(), Fold::default());
        let mut opening = wal.opening(&[], &[])?;
        wal.write(&mut opening)?;
        Ok(wal)
    }

    /// The fold of everything committed.
    pub fn fold(&self) -> &Fold {
        &self.fold
    }

    /// How many segments there are, the spare not counted.
    pub fn segments(&self) -> usize {
        self.sealed.len() + 1
    }

    /// Makes all of these durable, in order, preparing segments as needed.
    ///
    /// # Errors
    /// [`WalError::Full`] before a byte is written; an unknown number of the writes may be durable already, so this is for
    /// those who do not go on. Else final.
    pub fn commit(&mut self, writes: &[Write]) -> Result<(), WalError> {
        let mut rest = writes;
        while !rest.is_empty() {
            let count = self.commit_some(rest)?;
            rest = rest.get(count..).unwrap_or_default();
        }
        Ok(())
    }

    /// Makes the first of these durable as one frame, as many as a frame takes (at least one), and says how many.
    ///
    /// # Errors
    /// [`WalError::Full`]: nothing was written; the same call may be made again. Else final.
    pub fn commit_some(&mut self, writes: &[Write]) -> Result<usize, WalError> {
        loop {
            match self.commit_ready(writes)? {
                Some(count) => return Ok(count),
                None => self.prepare_spare()?,
            }
        }
    }

    /// As [`Wal::commit_some`], but prepares no segment: `None` if there must be one first.
    ///
    /// # Errors
    /// Those of [`Wal::commit_some`].
    pub fn commit_ready(&mut self, writes: &[Write]) -> Result<Option<usize>, WalError> {
        let mut buffer = std::mem::take(&mut self.buffer);
        let result = self.commit_frame(writes, &mut buffer);
        self.buffer = buffer;
        result
    }

    fn commit_frame(&mut self, writes: &[Write], buffer: &mut Vec<u8>) -> Result<Option<usize>, WalError> {
        frame::begin(buffer);
        let mut lengths = Vec::with_capacity(writes.len());
        for write in writes {
            if !lengths.is_empty() && buffer.len() >= self.options.frame_bytes {
                break;
            }
            let before = buffer.len();
            append(&RecordRef::Write(write), buffer)?;
            lengths.push((buffer.len() - before) as u64);
        }
        let length = frame::padded(buffer.len()) as u64;
        if self.segment.room() < length + RESERVE {
            match self.spare.take() {
                Some(spare) => self.open_segment(spare, length)?,
                None => return Ok(None),
            }
        }
        if mutant!(VoteNonatomic) {
            self.write_term_alone(writes)?;
        }
        let segment = self.segment.name.generation;
        for (write, bytes) in writes.iter().zip(&lengths) {
            let placed = Placed { segment, bytes: *bytes };
            self.fold.apply(write, placed).map_err(|what| WalError::Inconsistent { what })?;
        }
        self.write(buffer)?;
        Ok(Some(if mutant!(FrameCountsForAll) { writes.len() } else { lengths.len() }))
    }

    /// The bug of `vote-nonatomic`: a frame with the new term and no vote before the frame with both.
    fn write_term_alone(&mut self, writes: &[Write]) -> Result<(), WalError> {
        let Some(Write::Data { group, write: raft::Write::HardState(hard) }) = writes.first() else { return Ok(()) };
        let term = HardState { term: hard.term, voted_for: None };
        let alone = Write::Data { group: *group, write: raft::Write::HardState(term) };
        let mut buffer = Vec::new();
        frame::begin(&mut buffer);
        append(&RecordRef::Write(&alone), &mut buffer)?;
        if frame::padded(buffer.len()) as u64 > RESERVE { Ok(()) } else { self.write(&mut buffer) }
    }

    /// Frees some of the entries that were let go of: to be called when what was committed has been reported.
    pub fn free_some(&mut self) {
        self.fold.free_some();
    }

    /// Whether the next segment is prepared.
    pub fn has_spare(&self) -> bool {
        self.spare.is_some()
    }

    /// Whether it is time to prepare the next segment: none is, and a quarter of this one is used. Not at once, because a
    /// node that has just started, or whose segment has just opened, then competes with itself for the disk.
    pub fn wants_spare(&self) -> bool {
        self.spare.is_none() && self.segment.room() <= self.segment.name.length / 4 * 3
    }

    /// What is needed to prepare the next segment elsewhere: the disk and the length.
    pub fn spare_needs(&self) -> (D, u64) {
        (self.disk.clone(), self.options.segment_bytes)
    }

    /// Takes the next segment, prepared elsewhere.
    pub fn give_spare(&mut self, spare: Spare<D>) {
        self.spare = Some(spare);
    }

    /// Prepares the next segment here, if it is not; wins space back when there is too little.
    ///
    /// # Errors
    /// [`WalError::Full`]; else final.
    pub fn prepare_spare(&mut self) -> Result<(), WalError> {
        if self.spare.is_some() {
            return Ok(());
        }
        let made = match Spare::prepare(&self.disk, self.options.segment_bytes) {
            Err(WalError::Full) if self.reclaim()? > 0 => Spare::prepare(&self.disk, self.options.segment_bytes),
            made => made,
        };
        self.spare = Some(made?);
        Ok(())
    }

    /// Removes the older segments in which nothing lives, without waiting for the next opening. Says how many.
    ///
    /// # Errors
    /// Final.
    pub fn reclaim(&mut self) -> Result<usize, WalError> {
        let (dead, kept): (Vec<_>, Vec<_>) =
            self.sealed.iter().copied().partition(|name| self.fold.live(name.generation).entries == 0);
        if dead.is_empty() {
            return Ok(0);
        }
        let mut buffer = Vec::new();
        frame::begin(&mut buffer);
        append(&RecordRef::Needed(&generations(&kept)), &mut buffer)?;
        if frame::padded(buffer.len()) as u64 > self.segment.room() {
            return Ok(0);
        }
        self.write(&mut buffer)?;
        let count = dead.len();
        self.keep_only(kept, dead)?;
        Ok(count)
    }

    /// Opens the next segment, with room for a frame of `length` after its opening. On a full disk nothing is changed.
    fn open_segment(&mut self, mut spare: Spare<D>, length: u64) -> Result<(), WalError> {
        let sealed: Vec<_> = self.sealed.iter().copied().chain([self.segment.name]).collect();
        let moved = self.choose_moved(&sealed);
        let stays =
            |name: &SegmentName| !moved.contains(&name.generation) && self.fold.live(name.generation).entries > 0;
        let (kept, gone): (Vec<_>, Vec<_>) = sealed.into_iter().partition(stays);
        let mut opening = self.opening(&generations(&kept), &moved)?;
        if let Err(error) = spare.grow(frame::padded(opening.len()) as u64 + length + RESERVE) {
            self.spare = Some(spare);
            return Err(error);
        }
        self.segment = spare.adopt(&self.disk, self.segment.name.generation + 1)?;
        if mutant!(DeleteThenAppendCrash) {
            remove(&self.disk, gone.iter().copied())?;
            self.write(&mut opening)?;
            self.fold.relocate(&moved, self.segment.name.generation);
            return self.keep_only(kept, Vec::new());
        }
        self.write(&mut opening)?;
        self.fold.relocate(&moved, self.segment.name.generation);
        self.keep_only(kept, gone)
    }

    /// The records of an opening, in a frame that is not finished.
    fn opening(&self, kept: &[u64], moved: &[u64]) -> Result<Vec<u8>, WalError> {
        let mut opening = Vec::new();
        frame::begin(&mut opening);
        let encoded = self.fold.encode_opening(kept, moved, &mut opening);
        encoded.map_err(|what| WalError::Inconsistent { what })?;
        Ok(opening)
    }

    /// The segments whose live entries go into the next opening: when there are too many segments, the emptiest ones, as
    /// long as that costs at most half a segment. What stays is then a quarter full at least.
    fn choose_moved(&self, sealed: &[SegmentName]) -> Vec<u64> {
        if sealed.len() < self.options.segments {
            return Vec::new();
        }
        let live = sealed.iter().map(|name| (self.fold.live(name.generation).bytes, name.generation));
        let mut candidates: Vec<_> = live.filter(|(bytes, _)| *bytes <= self.options.segment_bytes / 4).collect();
        candidates.sort_unstable();
        let mut budget = self.options.segment_bytes / 2;
        let affordable = candidates.into_iter().take_while(|(bytes, _)| match budget.checked_sub(*bytes) {
            Some(rest) => {
                budget = rest;
                true
            }
            None => false,
        });
        affordable.map(|(_, generation)| generation).collect()
    }

    fn keep_only(&mut self, kept: Vec<SegmentName>, gone: Vec<SegmentName>) -> Result<(), WalError> {
        remove(&self.disk, gone.into_iter())?;
        let current = self.segment.name.generation;
        self.fold.forget_segments(|segment| segment == current || kept.iter().any(|name| name.generation == segment));
        self.sealed = kept;
        Ok(())
    }

    /// Finishes a frame for the end of the segment, writes it and syncs it.
    fn write(&mut self, buffer: &mut Vec<u8>) -> Result<(), WalError> {
        let Segment { name, .. } = &self.segment;
        let place = Place { identity: self.options.identity, generation: name.generation, offset: self.segment.end() };
        let error = |error: CodecError| WalError::Codec { segment: name.to_string(), error };
        frame::finish(buffer, place).map_err(error)?;
        self.segment.write(buffer)
    }
}

fn append(record: &RecordRef<'_>, buffer: &mut Vec<u8>) -> Result<(), WalError> {
    codec::append_value(record, buffer).map_err(|what| WalError::Inconsistent { what })
}

fn generations(names: &[SegmentName]) -> Vec<u64> {
    names.iter().map(|name| name.generation).collect()
}
