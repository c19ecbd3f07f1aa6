//! An open file of a simulated disk.

use super::platter::Op;
use super::{SECTOR, SimDisk, missing};
use quorate::disk::DiskFile;
use std::io;

/// An open file.
#[derive(Debug)]
pub struct SimFile {
    disk: SimDisk,
    inode: u64,
}

impl SimFile {
    pub(super) fn new(disk: SimDisk, inode: u64) -> Self {
        Self { disk, inode }
    }
}

impl DiskFile for SimFile {
    fn size(&self) -> io::Result<u64> {
        self.disk.lock().seen.get(&self.inode).map(|bytes| bytes.len() as u64).ok_or_else(missing)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let state = &mut *self.disk.lock();
        if std::mem::take(&mut state.misbehaviour.fail_read) {
            state.misdeeds.read_errors += 1;
            return Err(io::Error::other("simulated failure of a read"));
        }
        let bytes = state.seen.get(&self.inode).ok_or_else(missing)?;
        let from = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
        let count = buffer.len().min(bytes.len() - from);
        buffer[..count].copy_from_slice(&bytes[from..from + count]);
        Ok(count)
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let state = &mut *self.disk.lock();
        let misbehaviour = &mut state.misbehaviour;
        if std::mem::take(&mut misbehaviour.fail_write) {
            state.misdeeds.write_errors += 1;
            return Err(io::Error::other("simulated failure of a write"));
        }
        let (dropped, misdirected) =
            (std::mem::take(&mut misbehaviour.drop_write), std::mem::take(&mut misbehaviour.misdirect_write));
        let from = usize::try_from(offset).map_err(io::Error::other)?;
        let length = state.seen.get(&self.inode).ok_or_else(missing)?.len();
        state.check_space((from + bytes.len()).saturating_sub(length) as u64)?;
        let seen = state.seen.get_mut(&self.inode).ok_or_else(missing)?;
        seen.resize(length.max(from + bytes.len()), 0);
        seen[from..from + bytes.len()].copy_from_slice(bytes);
        let inode = self.inode;
        let (mut hit, mut at) = (inode, from);
        if misdirected {
            let other = state.other_place(inode, from, bytes.len()).filter(|_| state.misbehaviour.astray);
            state.misdeeds.astray += u64::from(other.is_some());
            // A sector too early; at the beginning of a file, one too late.
            (hit, at) = other.unwrap_or((inode, from.checked_sub(SECTOR).unwrap_or(from + SECTOR)));
            state.misdeeds.misdirected += 1;
            state.journal.push(Op::Clobber { inode: hit, at, length: bytes.len() });
        }
        if dropped || misdirected {
            state.journal.push(Op::Owe { inode, at: from, bytes: bytes.to_vec() });
        }
        match dropped {
            true => state.misdeeds.dropped += 1,
            false if misdirected => state.journal.push(Op::Stray { inode: hit, at, bytes: bytes.to_vec() }),
            false => state.journal.push(Op::Write { inode, at, bytes: bytes.to_vec() }),
        }
        Ok(())
    }

    fn sync_data(&mut self) -> io::Result<()> {
        let state = &mut *self.disk.lock();
        state.check_sync()?;
        let honest = !state.misbehaviour.lies;
        state.misdeeds.lies += u64::from(!honest);
        state.journal.push(Op::Sync { inode: self.inode, honest });
        Ok(())
    }

    fn preallocate(&mut self, length: u64) -> io::Result<()> {
        let state = &mut *self.disk.lock();
        let wanted = usize::try_from(length).map_err(io::Error::other)?;
        let now = state.seen.get(&self.inode).ok_or_else(missing)?.len();
        state.check_space(wanted.saturating_sub(now) as u64)?;
        if wanted > now {
            state.seen.get_mut(&self.inode).ok_or_else(missing)?.resize(wanted, 0);
            state.journal.push(Op::Extend { inode: self.inode, length: wanted });
        }
        Ok(())
    }
}
