//! What a disk must hold: the fold of everything that the log reported as durable, made by the core and not by the log.
//!
//! After a crash a node must find this, and of the writes after it a prefix. Snapshot files count as they were asked for.

use quorate_core::controller::Controller;
use quorate_core::durable::{Durable, Images};
use quorate_core::effect::{SnapshotWork, Write};
use quorate_core::raft::{LogPosition, Mark};
use quorate_core::shard::ShardGroup;
use quorate_spec::ids::{GroupId, WriteId};
use std::collections::{BTreeMap, VecDeque};

/// What a disk must hold.
#[derive(Clone, Default)]
pub(super) struct Shadow {
    pub(super) durable: Durable,
    /// The same before the last frame, and that frame.
    previous: Durable,
    last_frame: Vec<Write>,
    files: Files,
    pending: VecDeque<(WriteId, Write)>,
}

#[derive(Clone, Default)]
struct Files {
    controller: BTreeMap<LogPosition, Controller>,
    data: BTreeMap<(GroupId, LogPosition), ShardGroup>,
}

impl Images for Files {
    fn controller(&mut self, mark: &Mark) -> Controller {
        self.controller.get(&mark.last).expect("a snapshot is asked for before it is marked").clone()
    }

    fn data(&mut self, group: GroupId, mark: &Mark) -> ShardGroup {
        self.data.get(&(group, mark.last)).expect("a snapshot is asked for before it is marked").clone()
    }
}

impl Shadow {
    /// Writes go to the log.
    pub(super) fn submit(&mut self, writes: &[(WriteId, Write)]) {
        self.pending.extend(writes.iter().cloned());
    }

    /// A snapshot is asked for.
    pub(super) fn snapshot(&mut self, work: &SnapshotWork) {
        match work {
            SnapshotWork::Controller(work) => {
                let mark = self.previous.controller.as_ref().map(|durable| durable.mark.last);
                self.files.controller.retain(|last, _| Some(*last) >= mark);
                self.files.controller.insert(work.mark.last, work.image.clone());
            }
            SnapshotWork::Data { group, work } => {
                let mark = self.previous.data.get(group).map(|durable| durable.mark.last);
                self.files.data.retain(|(other, last), _| other != group || Some(*last) >= mark);
                self.files.data.insert((*group, work.mark.last), work.image.clone());
            }
        }
    }

    /// All writes up to this one are durable.
    pub(super) fn synced(&mut self, write: WriteId) -> Result<(), String> {
        for write in self.last_frame.drain(..) {
            self.previous.fold(write, &mut self.files)?;
        }
        while let Some((_, write)) = self.pending.pop_front_if(|(id, _)| *id <= write) {
            self.last_frame.push(write.clone());
            self.durable.fold(write, &mut self.files)?;
        }
        Ok(())
    }

    /// What a node found after a crash becomes what the disk must hold.
    ///
    /// # Errors
    /// It is not what was durable and a prefix of what came after.
    pub(super) fn recovered(&mut self, found: &Durable) -> Result<(), String> {
        let mut pending = std::mem::take(&mut self.pending);
        if self.durable == *found {
            return Ok(());
        }
        let before = self.durable.clone();
        let mut frame = Vec::new();
        while self.durable != *found {
            let Some((_, write)) = pending.pop_front() else {
                let evidence = difference(&before, found);
                self.durable = before;
                return Err(evidence);
            };
            frame.push(write.clone());
            self.durable.fold(write, &mut self.files)?;
        }
        // One frame is in flight at a time: what is found beyond is one.
        (self.previous, self.last_frame) = (before, frame);
        Ok(())
    }

    /// Whether this is what the disk held before the last frame.
    pub(super) fn lacks_last_frame(&self, found: &Durable) -> bool {
        self.previous == *found
    }

    /// The disk lost something for good: what is found counts.
    pub(super) fn accept(&mut self, found: &Durable) {
        self.pending.clear();
        self.last_frame.clear();
        (self.durable, self.previous) = (found.clone(), found.clone());
        // The marked images stay readable, whatever came and went.
        if let Some(controller) = &found.controller {
            self.files.controller.insert(controller.mark.last, controller.image.clone());
        }
        for (group, durable) in &found.data {
            self.files.data.insert((*group, durable.mark.last), durable.image.clone());
        }
    }
}

/// In which groups two disks differ, in words.
fn difference(expected: &Durable, found: &Durable) -> String {
    let last = |durable: &Durable| {
        let data = durable.data.iter().map(|(group, replica)| {
            format!("{group}: term {} log ({}, {}]", replica.hard.term, replica.base.index, replica.last_index())
        });
        let controller = durable.controller.iter().map(|replica| {
            format!("controller: term {} log ({}, {}]", replica.hard.term, replica.base.index, replica.last_index())
        });
        controller.chain(data).collect::<Vec<_>>().join(", ")
    };
    format!("the disk held [{}] durably, and [{}] was found", last(expected), last(found))
}

#[cfg(test)]
mod tests {
    use super::*;
    use quorate_core::controller::NodeInfo;
    use quorate_spec::ids::{NodeId, Stamp};

    fn pin(number: u64) -> Write {
        let info = NodeInfo { address: b"host:7000".as_slice().into(), stamp: Stamp::new(7) };
        Write::Pin { node: NodeId::new(number), info }
    }

    #[test]
    fn the_last_frame_may_be_missing_and_no_more() {
        let mut shadow = Shadow::default();
        let mut states = vec![shadow.durable.clone()];
        for number in 1..=3 {
            let id = WriteId::new(number);
            shadow.submit(&[(id, pin(number))]);
            shadow.synced(id).expect("a pin can be written");
            states.push(shadow.durable.clone());
        }
        for (found, last_only) in [(1, false), (2, true)] {
            assert!(shadow.clone().recovered(&states[found]).is_err());
            let mut judged = shadow.clone();
            let _ = judged.recovered(&states[found]);
            assert_eq!(judged.lacks_last_frame(&states[found]), last_only);
        }
        assert!(shadow.recovered(&states[3]).is_ok());
    }
}
