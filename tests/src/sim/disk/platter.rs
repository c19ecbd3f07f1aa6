//! What is durable, and what the system still holds in memory for it.

use super::{Misdeeds, SECTOR};
use crate::sim::random::Random;
use std::collections::{BTreeMap, BTreeSet};

/// A call that a process made.
#[derive(Clone, Debug)]
pub(super) enum Op {
    Write {
        inode: u64,
        at: usize,
        bytes: Vec<u8>,
    },
    /// The same, to a place that was not meant.
    Stray {
        inode: u64,
        at: usize,
        bytes: Vec<u8>,
    },
    /// These bytes should have been written here.
    Owe {
        inode: u64,
        at: usize,
        bytes: Vec<u8>,
    },
    /// What is here is about to be written over by mistake.
    Clobber {
        inode: u64,
        at: usize,
        length: usize,
    },
    Extend {
        inode: u64,
        length: usize,
    },
    Sync {
        inode: u64,
        honest: bool,
    },
    Name(Change),
    SyncNames {
        honest: bool,
    },
}

/// A change of names.
#[derive(Clone, Debug)]
pub(super) enum Change {
    Create { name: String, inode: u64 },
    Rename { from: String, to: String, inode: u64 },
    Remove { name: String },
}

impl Change {
    /// Makes the change, whatever other changes before it were lost.
    pub(super) fn apply(&self, names: &mut BTreeMap<String, u64>) {
        match self {
            Self::Create { name, inode } => _ = names.insert(name.clone(), *inode),
            Self::Rename { from, to, inode } => {
                names.retain(|name, named| name != from || named != inode);
                names.insert(to.clone(), *inode);
            }
            Self::Remove { name } => _ = names.remove(name),
        }
    }
}

/// One file.
#[derive(Clone, Debug, Default)]
struct Inode {
    durable: Vec<u8>,
    /// Written and not synced, in order.
    pending: Vec<(usize, Vec<u8>)>,
}

impl Inode {
    /// What a process reads.
    fn contents(&self) -> Vec<u8> {
        let mut bytes = self.durable.clone();
        self.pending.iter().for_each(|(at, piece)| put(&mut bytes, *at, piece));
        bytes
    }

    /// What was meant for another place arrives. It is durable then, whoever syncs, but no file becomes longer of it.
    fn stray(&mut self, at: usize, mut bytes: Vec<u8>) {
        bytes.truncate(self.contents().len().saturating_sub(at));
        if !bytes.is_empty() && self.pending.is_empty() {
            put(&mut self.durable, at, &bytes);
        } else if !bytes.is_empty() {
            self.pending.push((at, bytes));
        }
    }
}

/// The lower layer.
#[derive(Clone, Debug, Default)]
pub(super) struct Platter {
    inodes: BTreeMap<u64, Inode>,
    names: BTreeMap<String, u64>,
    pending_names: Vec<Change>,
    /// What should be where, in the order in which to put it right.
    owed: Vec<(u64, usize, Vec<u8>)>,
    /// A sync did nothing, and nothing that came after made up for it.
    lied: bool,
}

fn put(bytes: &mut Vec<u8>, at: usize, piece: &[u8]) {
    bytes.resize(bytes.len().max(at + piece.len()), 0);
    bytes[at..at + piece.len()].copy_from_slice(piece);
}

impl Platter {
    /// A call of a process takes its effect.
    pub(super) fn perform(&mut self, op: Op) {
        match op {
            Op::Write { inode, at, bytes } => {
                self.make_up_for(inode, at, &bytes);
                self.inodes.entry(inode).or_default().pending.push((at, bytes));
            }
            Op::Stray { inode, at, bytes } => self.inodes.entry(inode).or_default().stray(at, bytes),
            Op::Owe { inode, at, bytes } => self.owed.push((inode, at, bytes)),
            Op::Clobber { inode, at, length } => {
                let bytes = self.inodes.get(&inode).map(Inode::contents).unwrap_or_default();
                let bytes = bytes.get(at..bytes.len().min(at + length)).unwrap_or_default().to_vec();
                self.owed.push((inode, at, bytes));
            }
            Op::Extend { inode, length } => {
                let durable = &mut self.inodes.entry(inode).or_default().durable;
                durable.resize(durable.len().max(length), 0);
            }
            Op::Sync { inode, honest: true } => {
                if let Some(inode) = self.inodes.get_mut(&inode) {
                    for (at, bytes) in inode.pending.drain(..) {
                        put(&mut inode.durable, at, &bytes);
                    }
                }
                self.lied = self.lied && self.is_dirty();
            }
            Op::Name(change) => self.pending_names.push(change),
            Op::SyncNames { honest: true } => {
                for change in self.pending_names.drain(..) {
                    change.apply(&mut self.names);
                }
                self.lied = self.lied && self.is_dirty();
            }
            Op::Sync { honest: false, .. } | Op::SyncNames { honest: false } => self.lied = true,
        }
    }

    /// What is owed where something else is written now is not owed any more.
    fn make_up_for(&mut self, inode: u64, at: usize, bytes: &[u8]) {
        for (_, from, owed) in self.owed.iter_mut().filter(|(other, ..)| *other == inode) {
            for (place, byte) in owed.iter_mut().enumerate() {
                if let Some(written) = (*from + place).checked_sub(at).and_then(|place| bytes.get(place)) {
                    *byte = *written;
                }
            }
        }
    }

    /// The power fails: of what was not synced each sector and each name is kept in so many cases of a thousand.
    pub(super) fn lose(&mut self, kept: u32, random: &mut Random, misdeeds: &mut Misdeeds) {
        for inode in self.inodes.values_mut() {
            for (at, bytes) in std::mem::take(&mut inode.pending) {
                let mut place = at;
                while place < at + bytes.len() {
                    let end = ((place / SECTOR + 1) * SECTOR).min(at + bytes.len());
                    let piece = &bytes[place - at..end - at];
                    if random.per_mille(kept) {
                        put(&mut inode.durable, place, piece);
                    } else if kept > 0 && random.per_mille(200) {
                        misdeeds.torn += 1;
                        put(&mut inode.durable, place, &piece[..random.below(piece.len())]);
                    } else {
                        misdeeds.lost += 1;
                    }
                    place = end;
                }
            }
        }
        for change in std::mem::take(&mut self.pending_names) {
            match random.per_mille(kept.clamp(100, 900)) {
                true => change.apply(&mut self.names),
                false => misdeeds.lost_names += 1,
            }
        }
        self.lied = false;
    }

    /// What a process finds: the durable part, and what the system's memory still adds to it.
    pub(super) fn contents(&self) -> (BTreeMap<String, u64>, BTreeMap<u64, Vec<u8>>) {
        let mut names = self.names.clone();
        self.pending_names.iter().for_each(|change| change.apply(&mut names));
        let file = |(number, inode): (&u64, &Inode)| (*number, inode.contents());
        let mut files: BTreeMap<u64, Vec<u8>> = self.inodes.iter().map(file).collect();
        for inode in names.values() {
            files.entry(*inode).or_default();
        }
        (names, files)
    }

    /// Whether anything is not durable.
    pub(super) fn is_dirty(&self) -> bool {
        !self.pending_names.is_empty() || self.inodes.values().any(|inode| !inode.pending.is_empty())
    }

    /// Whether a crash would lose what was said to be durable.
    pub(super) fn owes(&self) -> bool {
        !self.owed.is_empty() || (self.lied && self.is_dirty())
    }

    /// Everything is durable, and where it should be.
    pub(super) fn repair(&mut self) {
        self.pending_names.drain(..).for_each(|change| change.apply(&mut self.names));
        for inode in self.inodes.values_mut() {
            (inode.durable, inode.pending) = (inode.contents(), Vec::new());
        }
        for (inode, at, bytes) in self.owed.drain(..) {
            // Nothing may ever have reached it.
            put(&mut self.inodes.entry(inode).or_default().durable, at, &bytes);
        }
        self.lied = false;
    }

    /// What is read from the disk counts from now on. What was read and is not durable, although it was said to be, may
    /// still be lost.
    pub(super) fn forgive(&mut self) {
        self.owed.clear();
    }

    /// Flips bits of a durable byte.
    pub(super) fn flip(&mut self, inode: u64, at: usize, mask: u8) {
        if let Some(byte) = self.inodes.get_mut(&inode).and_then(|inode| inode.durable.get_mut(at)) {
            self.owed.push((inode, at, vec![*byte]));
            *byte ^= mask;
        }
    }

    /// Whether a file is there.
    pub(super) fn holds(&self, inode: u64) -> bool {
        self.inodes.contains_key(&inode)
    }

    /// Drops the files that have no name and get none.
    pub(super) fn forget_nameless(&mut self) {
        self.forget_nameless_but(&BTreeMap::new());
    }

    /// The same, but for those that have one of these.
    pub(super) fn forget_nameless_but(&mut self, seen: &BTreeMap<String, u64>) {
        let pending = self.pending_names.iter().filter_map(|change| match change {
            Change::Create { inode, .. } | Change::Rename { inode, .. } => Some(*inode),
            Change::Remove { .. } => None,
        });
        let named: BTreeSet<u64> = self.names.values().chain(seen.values()).copied().chain(pending).collect();
        self.inodes.retain(|inode, _| named.contains(inode));
        self.owed.retain(|(inode, ..)| named.contains(inode));
    }
}
