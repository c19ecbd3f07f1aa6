//! What is durable, and what the system still holds in memory for it.

use super::{Misdeeds, SECTOR};
use crate::sim::random::Random;
use std::collections::{BTreeMap, BTreeSet};

/// A call that a process made.
#[derive(Clone, Debug)]
pub(super) enum Op {
    Write { inode: u64, at: usize, bytes: Vec<u8> },
    Extend { inode: u64, length: usize },
    Sync { inode: u64, honest: bool },
    Name(Change),
    SyncNames { honest: bool },
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

/// The lower layer.
#[derive(Clone, Debug, Default)]
pub(super) struct Platter {
    inodes: BTreeMap<u64, Inode>,
    names: BTreeMap<String, u64>,
    pending_names: Vec<Change>,
}

fn put(bytes: &mut Vec<u8>, at: usize, piece: &[u8]) {
    bytes.resize(bytes.len().max(at + piece.len()), 0);
    bytes[at..at + piece.len()].copy_from_slice(piece);
}

impl Platter {
    /// A call of a process takes its effect.
    pub(super) fn perform(&mut self, op: Op) {
        match op {
            Op::Write { inode, at, bytes } => self.inodes.entry(inode).or_default().pending.push((at, bytes)),
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
            }
            Op::Name(change) => self.pending_names.push(change),
            Op::SyncNames { honest: true } => {
                for change in self.pending_names.drain(..) {
                    change.apply(&mut self.names);
                }
            }
            Op::Sync { honest: false, .. } | Op::SyncNames { honest: false } => {}
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
                    } else if random.per_mille(200) {
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
    }

    /// What a process finds: the durable part, and what the system's memory still adds to it.
    pub(super) fn contents(&self) -> (BTreeMap<String, u64>, BTreeMap<u64, Vec<u8>>) {
        let mut names = self.names.clone();
        self.pending_names.iter().for_each(|change| change.apply(&mut names));
        let file = |(number, inode): (&u64, &Inode)| {
            let mut bytes = inode.durable.clone();
            inode.pending.iter().for_each(|(at, piece)| put(&mut bytes, *at, piece));
            (*number, bytes)
        };
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

    /// Flips bits of a durable byte.
    pub(super) fn flip(&mut self, inode: u64, at: usize, mask: u8) {
        if let Some(byte) = self.inodes.get_mut(&inode).and_then(|inode| inode.durable.get_mut(at)) {
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
    }
}
