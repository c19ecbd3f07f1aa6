//! What a disk keeps of a replica: the fold of its writes, in one place for recovery, for models and for tests.
//!
//! It says what a write means after a crash and refuses a lane that cannot have come from one replica. It never repairs:
//! a gap, a truncation of committed entries or a lost term is an error for whoever opens the directory.

use super::types::{Durable, HardState, LogPosition, Mark, Payload, Write};
use crate::mutants;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use quorate_spec::ids::{LogIndex, NodeId, Term};

impl<P: Payload> Durable<P> {
    /// A replica that has not written anything: the initial image at index 0.
    pub fn genesis(voters: BTreeSet<NodeId>, image: P::Image) -> Self {
        Self {
            hard: HardState::default(),
            mark: Mark { last: LogPosition::default(), voters },
            image,
            base: LogPosition::default(),
            entries: Vec::new(),
        }
    }

    /// The index of the last entry, or of the base.
    pub fn last_index(&self) -> LogIndex {
        self.base.index.plus(self.entries.len() as u64)
    }

    /// The term at an index, the base included; `None` if it is compacted or not there.
    pub fn term_at(&self, index: LogIndex) -> Option<Term> {
        if index == self.base.index {
            return Some(self.base.term);
        }
        let offset = usize::try_from(index.since(self.base.index).checked_sub(1)?).ok()?;
        self.entries.get(offset).map(|entry| entry.term)
    }

    /// Takes in the next write of the lane. `image` reads the snapshot file of a mark that becomes the newest; recovery
    /// may give a blank one and read the last file only.
    ///
    /// # Errors
    /// What in the lane contradicts what came before it. Nothing is changed then.
    pub fn fold(&mut self, write: Write<P>, image: impl FnOnce(&Mark) -> P::Image) -> Result<(), String> {
        match write {
            Write::HardState(hard) => {
                if hard.term < self.hard.term && !mutants::any_selected() {
                    return Err(format!("term {} is written after term {}", hard.term, self.hard.term));
                }
                self.hard = hard;
            }
            Write::Truncate { from } => {
                let floor = self.base.index.max(self.mark.last.index);
                if (from <= floor || from > self.last_index()) && !mutants::any_selected() {
                    return Err(format!("truncation from {from} of a log that is ({floor}, {}]", self.last_index()));
                }
                let kept = usize::try_from(from.prev().since(self.base.index)).map_err(|_| "log too long")?;
                self.entries.truncate(kept);
            }
            Write::Append { first, entries } => {
                if first != self.last_index().next() {
                    return Err(format!("entries from {first} on after a log that ends at {}", self.last_index()));
                }
                self.entries.extend(entries);
            }
            Write::Mark(mark) => {
                if self.term_at(mark.last.index) != Some(mark.last.term) && !mutants::any_selected() {
                    let LogPosition { term, index } = mark.last;
                    return Err(format!("a snapshot mark at index {index} of term {term}, which is not in the log"));
                }
                self.image = image(&mark);
                self.mark = mark;
            }
            Write::Purge { base } => self.purge(base)?,
            Write::Install(mark) => {
                self.image = image(&mark);
                self.base = mark.last;
                self.mark = mark;
                self.entries.clear();
            }
        }
        Ok(())
    }

    /// Removes the entries up to `base`, which a durable mark must cover.
    fn purge(&mut self, base: LogPosition) -> Result<(), String> {
        let LogPosition { term, index } = base;
        if self.mark.last.index < index && !mutants::any_selected() {
            return Err(format!("purge up to {index} beyond the durable snapshot at {}", self.mark.last.index));
        }
        if self.term_at(index) != Some(term) {
            return Err(format!("purge up to index {index} of term {term}, which is not in the log"));
        }
        let removed = usize::try_from(index.since(self.base.index)).map_err(|_| "log too long")?;
        self.entries.drain(..removed);
        self.base = base;
        Ok(())
    }
}
