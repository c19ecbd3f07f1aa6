//! Opening a log: which segments count, their fold, and the torn end cut off. It changes nothing before everything is
//! read and makes sense.

use super::fold::Fold;
use super::log::Wal;
use super::scan::Scan;
use super::segment::{Segment, SegmentName, Spare};
use super::{WalError, WalOptions};
use crate::disk::Disk;
use crate::mutants::mutant;

/// What was done to open a log. What it says is [`Wal::fold`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// How many bytes of a torn last write were cut off.
    pub cut: u64,
}

impl<D: Disk> Wal<D> {
    /// Opens the log of a directory, or makes it.
    ///
    /// # Errors
    /// The disk fails or is full; the log is damaged elsewhere than at its end, incomplete, or not ours.
    pub fn open(disk: D, options: WalOptions) -> Result<(Self, Recovered), WalError> {
        let segments = SegmentName::list(&disk)?;
        let Some(Newest { scan: newest, cut }) = newest(&disk, &options, &segments)? else {
            if options.must_exist && !mutant!(WipedDiskVotes) {
                return Err(WalError::Gone);
            }
            return Self::create(disk, options, &segments);
        };
        let needed = needed(&newest, &segments)?;
        let mut fold = Fold::default();
        for name in &needed {
            let scan = Scan::read(&disk, options.identity, *name)?;
            check_sealed(&scan, newest.name)?;
            scan.each_record(|record, placed| fold.absorb(record, placed))?;
        }
        newest.each_record(|record, placed| fold.absorb(record, placed))?;
        fold.check_whole().map_err(|what| WalError::Inconsistent { what })?;

        let mut segment = Segment::resume(&disk, newest.name, newest.end)?;
        remove(&disk, segments.into_iter().filter(|name| *name != newest.name && !needed.contains(name)))?;
        if let Some(torn) = newest.torn {
            segment.clear(torn)?;
        }
        Ok((Self::resume(disk, options, segment, needed, fold), Recovered { cut }))
    }

    /// A new log. A first segment whose opening was torn held nothing yet.
    fn create(disk: D, options: WalOptions, unopened: &[SegmentName]) -> Result<(Self, Recovered), WalError> {
        remove(&disk, unopened.iter().copied())?;
        let spare = Spare::prepare(&disk, options.segment_bytes)?;
        let wal = Self::begin(disk, options, spare)?;
        Ok((wal, Recovered { cut: 0 }))
    }
}

/// The newest segment that opened.
struct Newest {
    scan: Scan,
    /// How many bytes were torn, of it or of a newer one that did not open.
    cut: u64,
}

/// Finds the newest segment that opened; `None` for a log that never was. A newer one that did not open was hit by a
/// crash while it was made, when its predecessor was whole and still there, and nothing else was written to it.
fn newest<D: Disk>(disk: &D, options: &WalOptions, segments: &[SegmentName]) -> Result<Option<Newest>, WalError> {
    let Some((last, older)) = segments.split_last() else {
        return Ok(None);
    };
    let scan = Scan::read(disk, options.identity, *last)?;
    let cut = scan.torn.as_ref().map_or(0, |torn| torn.end - torn.start);
    if scan.is_open() {
        return Ok(Some(Newest { scan, cut }));
    }
    match older.last() {
        Some(before) if before.generation + 1 == last.generation => {
            let scan = Scan::read(disk, options.identity, *before)?;
            check_sealed(&scan, *last)?;
            Ok(Some(Newest { scan, cut }))
        }
        None if last.generation == FIRST => Ok(None),
        _ => Err(WalError::Missing { generation: last.generation - 1, named_by: last.to_string() }),
    }
}

/// The files of the older segments that the newest one needs.
fn needed(newest: &Scan, segments: &[SegmentName]) -> Result<Vec<SegmentName>, WalError> {
    let find = |generation| {
        let found = segments.iter().find(|name| name.generation == generation).copied();
        found.ok_or_else(|| WalError::Missing { generation, named_by: newest.name.to_string() })
    };
    newest.needed()?.into_iter().map(find).collect()
}

/// The first generation.
pub(super) const FIRST: u64 = 1;

/// A segment that has a successor was whole before the successor was made.
fn check_sealed(scan: &Scan, later: SegmentName) -> Result<(), WalError> {
    match (&scan.torn, scan.is_open()) {
        (None, true) => Ok(()),
        _ => Err(WalError::Damaged {
            segment: scan.name.to_string(),
            offset: scan.torn.as_ref().map_or(0, |torn| torn.start),
            intact: format!("the later segment {later}"),
        }),
    }
}

/// Removes segments that nothing needs, durably.
pub(super) fn remove<D: Disk>(disk: &D, names: impl Iterator<Item = SegmentName>) -> Result<(), WalError> {
    let mut any = false;
    for name in names {
        disk.remove(&name.to_string()).map_err(WalError::io(format!("removing {name}")))?;
        any = true;
    }
    if any { disk.sync_dir().map_err(WalError::io("syncing the directory")) } else { Ok(()) }
}
