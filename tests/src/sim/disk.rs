//! A directory in memory that loses what real disks lose, and lies as they do.
//!
//! There are two layers. A process sees its own writes and names at once; what the *platter* holds follows. Each call is
//! put down in a journal and reaches the platter when the job that made it is over ([`SimDisk::settle`]). A crash in the
//! middle of a job keeps the calls up to a random one, and of what those did without a sync any subset: whole sectors of
//! 512 bytes, a part of one, names.
//!
//! Faults: a sync that does nothing and says that it did (a lying one), a write that never arrives or arrives elsewhere,
//! flipped bits, errors on reading, writing and syncing, no more space. Slowness is time, and so the process's affair.

mod file;
mod platter;
#[cfg(test)]
mod tests;

use super::random::Random;
pub use file::SimFile;
use platter::{Change, Op, Platter};
use quorate::disk::Disk;
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The unit in which a disk writes.
pub const SECTOR: usize = 512;

/// What a disk does wrong, while it does. Single faults are for the next call of their kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Misbehaviour {
    /// Syncs do nothing.
    pub lies: bool,
    /// The next write never reaches the platter.
    pub drop_write: bool,
    /// The next write reaches the platter elsewhere.
    pub misdirect_write: bool,
    /// Elsewhere is another file, if there is one; else another place of the same.
    pub astray: bool,
    /// The next write fails.
    pub fail_write: bool,
    /// The next sync fails.
    pub fail_sync: bool,
    /// The next read fails.
    pub fail_read: bool,
    /// Space in bytes for all files together; `None`: as much as one likes.
    pub capacity: Option<u64>,
}

/// How often a disk did what it should not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Misdeeds {
    /// Syncs that did nothing.
    pub lies: u64,
    /// Writes that never arrived.
    pub dropped: u64,
    /// Writes that went elsewhere.
    pub misdirected: u64,
    /// Those of them that went into other files.
    pub astray: u64,
    /// Writes that failed.
    pub write_errors: u64,
    /// Syncs that failed.
    pub sync_errors: u64,
    /// Reads that failed.
    pub read_errors: u64,
    /// Calls that found no space.
    pub full: u64,
    /// Sectors that a crash tore.
    pub torn: u64,
    /// Sectors that a crash lost.
    pub lost: u64,
    /// Names that a crash lost.
    pub lost_names: u64,
}

/// How a machine goes down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outage {
    /// The process ends; what it wrote stays.
    Process,
    /// The power fails: what was not synced is lost, kept or torn. Each sector is kept in so many cases of a thousand; in
    /// none, if that is 0, and then none is torn either.
    Power {
        /// How many.
        kept: u32,
    },
}

/// A handle of a simulated directory.
#[derive(Clone, Debug, Default)]
pub struct SimDisk(Arc<Mutex<State>>);

#[derive(Clone, Debug, Default)]
struct State {
    /// What the process sees, by inode.
    seen: BTreeMap<u64, Vec<u8>>,
    names: BTreeMap<String, u64>,
    journal: Vec<Op>,
    platter: Platter,
    /// What the platter would hold if the disk had kept its word, after a crash in which that made a difference.
    mirror: Option<Platter>,
    last_inode: u64,
    misbehaviour: Misbehaviour,
    misdeeds: Misdeeds,
}

impl SimDisk {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether both are handles of the same disk.
    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// A copy of what the platter holds, on a disk of its own that behaves.
    #[must_use]
    pub fn copy(&self) -> Self {
        let platter = self.lock().platter.clone();
        let mut state = State { last_inode: self.lock().last_inode, platter, ..State::default() };
        state.reread();
        Self(Arc::new(Mutex::new(state)))
    }

    /// The jobs at work are over: all that they asked for was done.
    pub fn settle(&self) {
        let state = &mut *self.lock();
        let mut removed = false;
        for op in state.journal.drain(..) {
            removed |= matches!(op, Op::Name(Change::Remove { .. } | Change::Create { .. }));
            state.platter.perform(op);
        }
        if removed {
            state.forget_nameless();
        }
    }

    /// The machine goes down in the middle of whatever it does. What is there afterwards is what the next process finds.
    pub fn crash(&self, outage: Outage, random: &mut Random) {
        self.interrupt(random);
        let state = &mut *self.lock();
        if let Outage::Power { kept } = outage {
            if state.mirror.is_none() && state.platter.owes() {
                let mut mirror = state.platter.clone();
                mirror.repair();
                state.mirror = Some(mirror);
            }
            state.platter.lose(kept, random, &mut state.misdeeds);
        }
        state.reread();
    }

    /// The jobs at work end: the calls up to a random one took their effect, the rest were not made.
    pub fn interrupt(&self, random: &mut Random) {
        let state = &mut *self.lock();
        let done = random.below(state.journal.len() + 1);
        for op in state.journal.drain(..).take(done) {
            state.platter.perform(op);
        }
        state.reread();
    }

    /// Has the disk misbehave from now on.
    pub fn misbehave(&self, change: impl FnOnce(&mut Misbehaviour)) {
        change(&mut self.lock().misbehaviour);
    }

    /// Whether a crash would lose what was said to be durable.
    pub fn owes(&self) -> bool {
        let state = self.lock();
        state.platter.owes()
    }

    /// The disk makes up for all lies, lost and misdirected writes and flipped bits, as if they had not been.
    pub fn repair(&self) {
        let state = &mut *self.lock();
        match state.mirror.take() {
            Some(mirror) => state.platter = mirror,
            None => state.platter.repair(),
        }
        if state.journal.is_empty() {
            state.reread();
        }
    }

    /// What is on the disk counts from now on.
    pub fn forgive(&self) {
        let state = &mut *self.lock();
        state.platter.forgive();
        state.mirror = None;
    }

    /// What the disk does wrong now.
    pub fn misbehaviour(&self) -> Misbehaviour {
        self.lock().misbehaviour
    }

    /// What it did wrong so far.
    pub fn misdeeds(&self) -> Misdeeds {
        self.lock().misdeeds
    }

    /// Whether a crash of the power could lose anything now.
    pub fn is_dirty(&self) -> bool {
        let state = self.lock();
        !state.journal.is_empty() || state.platter.is_dirty()
    }

    /// Flips `bits` bits of the bytes that are not zero, on the platter, and says in which file. `None` if there are none.
    /// Nothing may be under way.
    pub fn rot(&self, bits: usize, random: &mut Random) -> Option<String> {
        let state = &mut *self.lock();
        let files: Vec<(&String, u64)> = state.names.iter().map(|(name, inode)| (name, *inode)).collect();
        let sized = |inode: &u64| state.seen.get(inode).map_or(0, |bytes| used(bytes));
        let total: usize = files.iter().map(|(_, inode)| sized(inode)).sum();
        if total == 0 {
            return None;
        }
        let mut place = random.below(total);
        let (name, inode) = files.iter().find(|(_, inode)| match place.checked_sub(sized(inode)) {
            Some(rest) => {
                place = rest;
                false
            }
            None => true,
        })?;
        let (name, inode) = ((*name).clone(), *inode);
        for _ in 0..bits {
            state.platter.flip(inode, place, 1 << random.below(8));
            place += 1;
        }
        state.reread();
        Some(name)
    }

    /// Flips a bit in the last sector of the newest file (the one whose name comes last) that is not all zeros.
    pub fn rot_end(&self) {
        let state = &mut *self.lock();
        let newest = state.names.iter().rev().find(|(_, inode)| state.seen.get(inode).is_some_and(|it| used(it) > 0));
        if let Some((_, inode)) = newest {
            let last = state.seen.get(inode).map_or(0, |bytes| used(bytes).saturating_sub(1));
            let inode = *inode;
            state.platter.flip(inode, last, 1);
            state.platter.forgive();
        }
        state.reread();
    }

    /// Bytes of all files that have names.
    pub fn used(&self) -> u64 {
        self.lock().used()
    }

    /// Length of each file that has a name.
    pub fn files(&self) -> Vec<(String, u64)> {
        let state = self.lock();
        let length = |inode| state.seen.get(inode).map_or(0, |bytes| bytes.len() as u64);
        state.names.iter().map(|(name, inode)| (name.clone(), length(inode))).collect()
    }

    /// A checksum of everything on it.
    pub fn checksum(&self) -> u64 {
        let state = self.lock();
        let mut digest = super::digest::Digest::default();
        for (name, inode) in &state.names {
            digest.add_bytes(name.as_bytes());
            digest.add_bytes(state.seen.get(inode).map_or(&[], Vec::as_slice));
        }
        digest.value()
    }
}

/// How many bytes of a file count: up to the last that is not zero.
fn used(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1)
}

impl State {
    /// The process sees what the platter and the system's memory hold.
    fn reread(&mut self) {
        self.platter.forget_nameless();
        (self.names, self.seen) = self.platter.contents();
    }

    fn forget_nameless(&mut self) {
        self.platter.forget_nameless_but(&self.names);
        let (platter, names) = (&self.platter, &self.names);
        self.seen.retain(|inode, _| platter.holds(*inode) || names.values().any(|named| named == inode));
    }

    fn used(&self) -> u64 {
        self.names.values().filter_map(|inode| self.seen.get(inode)).map(|bytes| bytes.len() as u64).sum()
    }

    /// Where in which other file a write arrives that goes astray: at its offset, or before the end. Of all files that
    /// there are, writes of different places hit different ones.
    fn other_place(&self, inode: u64, from: usize, length: usize) -> Option<(u64, usize)> {
        let size = |other: &u64| self.seen.get(other).map_or(0, Vec::len);
        let others: Vec<u64> =
            self.names.values().copied().filter(|other| *other != inode && size(other) > 0).collect();
        let other = *others.get((from / SECTOR) % others.len().max(1))?;
        Some((other, from.min(size(&other).saturating_sub(length)) / SECTOR * SECTOR))
    }

    fn check_space(&mut self, more: u64) -> io::Result<()> {
        match self.misbehaviour.capacity {
            Some(capacity) if self.used() + more > capacity => {
                self.misdeeds.full += 1;
                Err(io::ErrorKind::StorageFull.into())
            }
            _ => Ok(()),
        }
    }

    fn name(&mut self, change: Change) {
        change.apply(&mut self.names);
        self.journal.push(Op::Name(change));
    }
}

fn missing() -> io::Error {
    io::ErrorKind::NotFound.into()
}

impl Disk for SimDisk {
    type File = SimFile;

    fn create(&self, name: &str) -> io::Result<SimFile> {
        let state = &mut *self.lock();
        state.last_inode += 1;
        let inode = state.last_inode;
        state.seen.insert(inode, Vec::new());
        state.name(Change::Create { name: name.into(), inode });
        Ok(SimFile::new(self.clone(), inode))
    }

    fn open(&self, name: &str) -> io::Result<SimFile> {
        let inode = self.lock().names.get(name).copied();
        inode.map(|inode| SimFile::new(self.clone(), inode)).ok_or_else(missing)
    }

    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.lock().names.keys().cloned().collect())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let state = &mut *self.lock();
        let inode = *state.names.get(from).ok_or_else(missing)?;
        state.name(Change::Rename { from: from.into(), to: to.into(), inode });
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let state = &mut *self.lock();
        if !state.names.contains_key(name) {
            return Err(missing());
        }
        state.name(Change::Remove { name: name.into() });
        Ok(())
    }

    fn sync_dir(&self) -> io::Result<()> {
        let state = &mut *self.lock();
        state.check_sync()?;
        let honest = !state.misbehaviour.lies;
        state.misdeeds.lies += u64::from(!honest);
        state.journal.push(Op::SyncNames { honest });
        Ok(())
    }
}

impl State {
    fn check_sync(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.misbehaviour.fail_sync) {
            self.misdeeds.sync_errors += 1;
            return Err(io::Error::other("simulated failure of a sync"));
        }
        Ok(())
    }
}
