//! Writing a record while the node runs.

use super::{Digest, ItemRef, Start};
use crate::codec::{self, Kind};
use crate::driver::Machine;
use quorate_core::effect::Effects;
use quorate_core::input::{Input, Restarted};
use quorate_core::limits::Limits;
use quorate_core::node::Node;
use quorate_core::status::NodeStatus;
use quorate_spec::ids::NodeId;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// How many runs of a node are kept, the new one among them.
const RUNS: usize = 16;

/// A record that is being written.
#[derive(Debug)]
pub struct Recorder {
    path: PathBuf,
    file: File,
    /// How many bytes may still be written.
    left: u64,
    /// What the last step did: written with what comes next.
    pending: Vec<u8>,
    /// The last frame was written, or cannot be.
    over: bool,
}

impl Recorder {
    /// Begins the record of a run in `directory`, of at most `limit` bytes, and removes the oldest ones of this node.
    ///
    /// # Errors
    /// The directory or the file cannot be written; the start alone is too long.
    pub fn begin(directory: &Path, limit: u64, restarted: &Restarted, limits: &Limits) -> io::Result<Self> {
        fs::create_dir_all(directory)?;
        let prefix = prefix(restarted.me.node);
        remove_oldest(directory, &prefix)?;
        let path = directory.join(format!("{prefix}{:020}.record", restarted.me.boot.get()));
        let start = Start {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            restarted: restarted.clone(),
            limits: limits.clone(),
        };
        let mut recorder = Self { file: File::create(&path)?, path, left: limit, pending: Vec::new(), over: false };
        let begun = recorder.append(&ItemRef::Start(&start)).and_then(|()| recorder.flush());
        if begun.is_err() {
            recorder.over = true;
            fs::remove_file(&recorder.path)?;
        }
        begun.map(|()| recorder)
    }

    /// Notes what the core is about to be given, before it is: should the step not return, its input is on record.
    fn input(&mut self, input: &Input) {
        self.note(|recorder| {
            recorder.append(&ItemRef::Input(input))?;
            recorder.flush()
        });
    }

    /// Notes what the step did.
    fn effects(&mut self, effects: &Effects) {
        self.note(|recorder| recorder.append(&ItemRef::Effects(&Digest::of(effects))));
    }

    fn note(&mut self, write: impl FnOnce(&mut Self) -> io::Result<()>) {
        if self.over {
            return;
        }
        if let Err(error) = write(self) {
            tracing::warn!(%error, file = %self.path.display(), "the record of this run ends here; the node goes on");
            self.over = true;
        }
    }

    fn append(&mut self, item: &ItemRef<'_>) -> io::Result<()> {
        codec::encode_into(Kind::Record, item, &mut self.pending).map_err(io::Error::other)
    }

    /// Writes what is pending, or that it no longer fits.
    fn flush(&mut self) -> io::Result<()> {
        if self.pending.len() as u64 > self.left {
            self.pending.clear();
            self.append(&ItemRef::Full)?;
            self.file.write_all(&self.pending)?;
            return Err(io::Error::other("it is as long as it may be (--record-bytes)"));
        }
        self.left -= self.pending.len() as u64;
        self.file.write_all(&self.pending)?;
        self.pending.clear();
        Ok(())
    }
}

impl Drop for Recorder {
    /// The last step's effects.
    fn drop(&mut self) {
        self.note(Self::flush);
    }
}

/// How the names of a node's records begin.
fn prefix(node: NodeId) -> String {
    format!("node-{}-", node.get())
}

/// Makes room for one more record. Names sort by boot, and boots grow.
fn remove_oldest(directory: &Path, prefix: &str) -> io::Result<()> {
    let mut records = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        if name.to_str().is_some_and(|name| name.starts_with(prefix) && name.ends_with(".record")) {
            records.push(entry.path());
        }
    }
    records.sort();
    let kept = records.len().min(RUNS - 1);
    records.truncate(records.len() - kept);
    records.into_iter().try_for_each(fs::remove_file)
}

/// A node with its record, if it has one.
#[derive(Debug)]
pub struct Recorded {
    node: Node,
    recorder: Option<Recorder>,
}

impl Recorded {
    /// A node as it was constructed, which wanted `initial` done.
    pub fn new(node: Node, initial: &Effects, recorder: Option<Recorder>) -> Self {
        let mut recorded = Self { node, recorder };
        if let Some(recorder) = &mut recorded.recorder {
            recorder.effects(initial);
        }
        recorded
    }

    /// The node itself.
    pub fn node(&self) -> &Node {
        &self.node
    }
}

impl Machine for Recorded {
    fn step(&mut self, input: Input) -> Effects {
        let Some(recorder) = &mut self.recorder else { return self.node.step(input) };
        recorder.input(&input);
        let effects = self.node.step(input);
        recorder.effects(&effects);
        effects
    }

    fn status(&self) -> NodeStatus {
        self.node.status()
    }
}
