//! Placeholder of the data directory, for this branch to run: a disk that keeps nothing and is always in sync.
use crate::config::NodeConfig;
use crate::driver::{Event, Storage};
use quorate_core::effect::{SnapshotWork, Write};
use quorate_core::input::Durable;
use quorate_core::message::Peer;
use quorate_core::raft::LogPosition;
use quorate_spec::ids::{Boot, GroupId, Stamp, WriteId};
use std::sync::mpsc::Sender;

pub(super) struct Opened {
    pub(super) me: Peer,
    pub(super) durable: Durable,
    pub(super) storage: NodeDisk,
}

pub(super) struct NodeDisk(Sender<Event>);

pub(super) fn open(config: &NodeConfig, events: &Sender<Event>) -> Result<Opened, String> {
    let me = Peer {
        node: config.id,
        stamp: Stamp::new(1),
        boot: Boot::new(1),
    };
    Ok(Opened {
        me,
        durable: Durable::default(),
        storage: NodeDisk(events.clone()),
    })
}

impl NodeDisk {
    pub(super) fn close(self) {}
}

impl Storage for NodeDisk {
    fn submit(&mut self, writes: Vec<(WriteId, Write)>) {
        if let Some((last, _)) = writes.last() {
            drop(self.0.send(Event::Synced(*last)));
        }
    }

    fn write_snapshot(&mut self, _work: SnapshotWork) {}

    fn remove_snapshots_before(&mut self, _group: GroupId, _last: LogPosition) {}

    fn remove_snapshots(&mut self, _group: GroupId) {}
}
