//! `--trace`: the node's protocol steps, an event of the specification a line, for `quorate-check conform`.
//!
//! An event is written before its step has any effect, so whoever answers to it writes later: the clock of one machine puts
//! the files of its nodes in order. A file holds a bounded number of bytes; what would come after is left out.

use super::ServerError;
use crate::driver::Machine;
use crate::record::Recorded;
use quorate_core::durable::Durable;
use quorate_core::effect::Effects;
use quorate_core::input::Input;
use quorate_core::node::Node;
use quorate_core::record::Recorder;
use quorate_core::status::NodeStatus;
use quorate_spec::ids::NodeId;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// How large a file may grow, in bytes: far more than the specification can judge.
const LARGEST: u64 = 64 << 20;

/// A file of events, and what makes them.
pub(super) struct Trace {
    recorder: Recorder,
    file: File,
    left: u64,
    /// When the last event happened, in nanoseconds. A clock that is set back does not change the order.
    last: u64,
}

impl Trace {
    /// A trace of a node that starts from what its disk kept, at the end of what an earlier run of it wrote.
    pub(super) fn open(folder: &Path, node: NodeId, durable: &Durable) -> Result<Self, ServerError> {
        let path = folder.join(format!("node-{}.trace", node.get()));
        let opened = OpenOptions::new().create(true).append(true).open(&path);
        let opened = opened.and_then(|file| file.metadata().map(|about| (file, about.len())));
        let (file, length) = opened
            .map_err(|error| ServerError(format!("--trace: {}: {error}: give another folder", path.display())))?;
        Ok(Self { recorder: Recorder::new(durable), file, left: LARGEST.saturating_sub(length), last: 0 })
    }

    fn tell(&mut self, node: &Node, effects: &Effects) {
        let events = self.recorder.told(node, effects);
        if events.is_empty() || self.left == 0 {
            return;
        }
        let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.last = u64::try_from(clock.as_nanos()).unwrap_or(u64::MAX).max(self.last);
        let mut lines = Vec::new();
        for mut event in events {
            event.at = self.last;
            // The events are plain data, and memory takes everything.
            let _ = serde_json::to_writer(&mut lines, &event);
            lines.push(b'\n');
        }
        if let Err(error) = self.write(&lines) {
            tracing::warn!(%error, "the trace ends here");
            self.left = 0;
        }
    }

    fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        let length = lines.len() as u64;
        self.left = self.left.checked_sub(length).ok_or_else(|| io::Error::other("it is as long as it may be"))?;
        self.file.write_all(lines)
    }
}

/// A node whose steps may be written down.
pub(super) struct Traced {
    node: Recorded,
    trace: Option<Trace>,
}

impl Traced {
    /// `initial` is what the node wanted done when it started.
    pub(super) fn new(node: Recorded, initial: &Effects, mut trace: Option<Trace>) -> Self {
        if let Some(trace) = &mut trace {
            trace.tell(node.node(), initial);
        }
        Self { node, trace }
    }
}

impl Machine for Traced {
    fn step(&mut self, input: Input) -> Effects {
        let effects = self.node.step(input);
        if let Some(trace) = &mut self.trace {
            trace.tell(self.node.node(), &effects);
        }
        effects
    }

    fn status(&self) -> NodeStatus {
        self.node.status()
    }
}
