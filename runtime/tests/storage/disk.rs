//! A disk in memory. What is not synced may be lost in part, by sectors; it counts steps and can stop at one.

use quorate::disk::{Disk, DiskFile};
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

const SECTOR: usize = 512;

#[derive(Debug, Default)]
struct Inode {
    data: Vec<u8>,
    synced: Vec<u8>,
    pending: Vec<(usize, Vec<u8>)>,
}

#[derive(Debug, Default)]
struct State {
    names: BTreeMap<String, Arc<Mutex<Inode>>>,
    synced_names: BTreeMap<String, Arc<Mutex<Inode>>>,
    capacity: Option<usize>,
    steps_left: Option<usize>,
    fail_syncs: bool,
    /// After so many syncs one fails, and forgets what it was to make durable.
    fail_one_after: Option<usize>,
    one_failed: bool,
    pub(crate) syncs: usize,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct MemDisk(Arc<Mutex<State>>);

#[derive(Debug)]
pub(crate) struct MemFile {
    disk: MemDisk,
    inode: Arc<Mutex<Inode>>,
}

impl MemDisk {
    /// Space in bytes for all files together.
    pub(crate) fn set_capacity(&self, bytes: Option<usize>) {
        self.0.lock().unwrap().capacity = bytes;
    }

    /// After so many changing operations, every operation fails (the last write is kept in part).
    pub(crate) fn stop_after(&self, steps: usize) {
        self.0.lock().unwrap().steps_left = Some(steps);
    }

    /// Works again, with what it has: only the process was killed.
    pub(crate) fn go_on(&self) {
        self.0.lock().unwrap().steps_left = None;
    }

    pub(crate) fn fail_syncs(&self) {
        self.0.lock().unwrap().fail_syncs = true;
    }

    /// After so many syncs one fails: what it was to make durable is still read, and a later sync does not make it durable
    /// (what Linux does with pages that it could not write). The following syncs work.
    pub(crate) fn fail_one_sync(&self, after: usize) {
        self.0.lock().unwrap().fail_one_after = Some(after);
    }

    /// Whether that has happened.
    pub(crate) fn a_sync_failed(&self) -> bool {
        self.0.lock().unwrap().one_failed
    }

    pub(crate) fn syncs(&self) -> usize {
        self.0.lock().unwrap().syncs
    }

    pub(crate) fn used(&self) -> usize {
        self.0.lock().unwrap().names.values().map(|inode| inode.lock().unwrap().data.len()).sum()
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.0.lock().unwrap().names.keys().cloned().collect()
    }

    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        self.0.lock().unwrap().names[name].lock().unwrap().data.clone()
    }

    /// Changes a file behind everybody's back, durably.
    pub(crate) fn set_bytes(&self, name: &str, bytes: Vec<u8>) {
        let inode = Inode { data: bytes.clone(), synced: bytes, pending: Vec::new() };
        let inode = Arc::new(Mutex::new(inode));
        let mut state = self.0.lock().unwrap();
        state.names.insert(name.into(), Arc::clone(&inode));
        state.synced_names.insert(name.into(), inode);
    }

    /// A copy that shares nothing, with everything durable.
    pub(crate) fn copy(&self) -> Self {
        let copy = Self::default();
        for name in self.names() {
            copy.set_bytes(&name, self.bytes(&name));
        }
        copy
    }

    /// What is there after a crash: synced names and bytes, and of the rest each name and sector as `keep` says.
    pub(crate) fn crash(&self, mut keep: impl FnMut() -> bool) -> Self {
        let after = Self::default();
        let state = self.0.lock().unwrap();
        // Directory changes reach the disk all or none: only the log's own order of syncs is relied on.
        let names = if keep() { &state.names } else { &state.synced_names };
        for (name, inode) in names {
            let inode = inode.lock().unwrap();
            let mut bytes = inode.synced.clone();
            for (offset, written) in &inode.pending {
                for (at, piece) in sectors(*offset, written) {
                    if keep() {
                        put(&mut bytes, at, piece);
                    }
                }
            }
            after.set_bytes(name, bytes);
        }
        after
    }

    fn step(&self) -> io::Result<()> {
        match &mut self.0.lock().unwrap().steps_left {
            Some(0) => Err(io::Error::other("stopped")),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }
}

/// A write cut at the borders of sectors.
fn sectors(offset: usize, bytes: &[u8]) -> Vec<(usize, &[u8])> {
    let (mut at, mut rest, mut pieces) = (offset, bytes, Vec::new());
    while !rest.is_empty() {
        let (piece, more) = rest.split_at(rest.len().min(SECTOR - at % SECTOR));
        pieces.push((at, piece));
        at += piece.len();
        rest = more;
    }
    pieces
}

fn put(bytes: &mut Vec<u8>, at: usize, piece: &[u8]) {
    bytes.resize(bytes.len().max(at + piece.len()), 0);
    bytes[at..at + piece.len()].copy_from_slice(piece);
}

impl Disk for MemDisk {
    type File = MemFile;

    fn create(&self, name: &str) -> io::Result<MemFile> {
        self.step()?;
        let inode = Arc::new(Mutex::new(Inode::default()));
        self.0.lock().unwrap().names.insert(name.into(), Arc::clone(&inode));
        Ok(MemFile { disk: self.clone(), inode })
    }

    fn open(&self, name: &str) -> io::Result<MemFile> {
        let inode = self.0.lock().unwrap().names.get(name).cloned();
        inode.map(|inode| MemFile { disk: self.clone(), inode }).ok_or(io::ErrorKind::NotFound.into())
    }

    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.names())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.step()?;
        let mut state = self.0.lock().unwrap();
        let inode = state.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
        state.names.insert(to.into(), inode);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.step()?;
        self.0.lock().unwrap().names.remove(name).map(drop).ok_or(io::ErrorKind::NotFound.into())
    }

    fn sync_dir(&self) -> io::Result<()> {
        self.step()?;
        let mut state = self.0.lock().unwrap();
        state.synced_names = state.names.clone();
        Ok(())
    }
}

impl DiskFile for MemFile {
    fn size(&self) -> io::Result<u64> {
        Ok(self.inode.lock().unwrap().data.len() as u64)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let inode = self.inode.lock().unwrap();
        let rest = inode.data.get(offset as usize..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let stopped = self.disk.step();
        let used = self.disk.used();
        let more = (offset as usize + bytes.len()).saturating_sub(self.inode.lock().unwrap().data.len());
        if more > 0 && self.disk.0.lock().unwrap().capacity.is_some_and(|capacity| used + more > capacity) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let mut inode = self.inode.lock().unwrap();
        put(&mut inode.data, offset as usize, bytes);
        inode.pending.push((offset as usize, bytes.to_vec()));
        stopped
    }

    fn sync_data(&mut self) -> io::Result<()> {
        self.disk.step()?;
        {
            let mut state = self.disk.0.lock().unwrap();
            state.syncs += 1;
            if state.fail_syncs {
                return Err(io::Error::other("the disk failed"));
            }
            if state.fail_one_after == Some(0) {
                (state.fail_one_after, state.one_failed) = (None, true);
                self.inode.lock().unwrap().pending.clear();
                return Err(io::Error::other("the disk failed once"));
            }
            state.fail_one_after = state.fail_one_after.map(|left| left - 1);
        }
        let mut inode = self.inode.lock().unwrap();
        let Inode { synced, pending, .. } = &mut *inode;
        for (offset, bytes) in pending.drain(..) {
            put(synced, offset, &bytes);
        }
        Ok(())
    }

    fn preallocate(&mut self, length: u64) -> io::Result<()> {
        self.disk.step()?;
        let more = (length as usize).saturating_sub(self.inode.lock().unwrap().data.len());
        let used = self.disk.used();
        if self.disk.0.lock().unwrap().capacity.is_some_and(|capacity| used + more > capacity) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let mut inode = self.inode.lock().unwrap();
        let length = inode.data.len().max(length as usize);
        inode.data.resize(length, 0);
        inode.synced.resize(length, 0);
        Ok(())
    }
}
