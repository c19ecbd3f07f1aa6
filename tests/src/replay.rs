//! A node's record stepped through the core again: every effect must be the same. Where the core's debug assertions are
//! on, every recorded state is judged by the specification's local invariants on the way.

use crate::story::{Story, tell};
use quorate::record::{Digest, Item, Reader, RecordError};
use quorate_core::input::Input;
use quorate_core::node::Node;
use quorate_spec::ids::{Boot, NodeId};
use serde::Serialize;
use serde_json::Value;
use std::fmt;
use std::path::Path;

/// A record that the core followed to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Replayed {
    /// Whose it is.
    pub node: NodeId,
    /// Which run.
    pub boot: Boot,
    /// How many inputs the core was given.
    pub inputs: u64,
    /// How many effects were compared.
    pub effects: u64,
    /// How the record ends.
    pub end: End,
}

/// How a record ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum End {
    /// With the last step of the run.
    Whole,
    /// Between an input and its effects, or within a frame: the process was killed there.
    Cut,
    /// At its bound: the run went on.
    Full,
}

/// Why a record does not stand.
#[derive(Debug)]
pub enum ReplayError {
    /// It cannot be read.
    Record(RecordError),
    /// The core of this program does otherwise.
    Differs {
        /// Which input, counted from 1; 0 is the construction.
        step: u64,
        /// The input.
        input: String,
        /// Which effects differ.
        what: String,
        /// The version that recorded it.
        version: String,
    },
    /// Its frames do not follow from each other.
    OutOfOrder {
        /// After which input.
        step: u64,
    },
}

impl fmt::Display for ReplayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Record(error) => error.fmt(f),
            Self::Differs { step, input, what, version } => {
                write!(f, "step {step} ({input}) does otherwise than version {version} recorded: {what}")
            }
            Self::OutOfOrder { step } => write!(f, "the record makes no sense after step {step}"),
        }
    }
}

impl std::error::Error for ReplayError {}

impl From<RecordError> for ReplayError {
    fn from(error: RecordError) -> Self {
        Self::Record(error)
    }
}

/// Steps the core through a record.
///
/// # Errors
/// It cannot be read, or an effect differs: the first step that does.
pub fn replay(path: &Path) -> Result<Replayed, ReplayError> {
    replay_with(path, |_| {})
}

/// The same, and `watch` is shown every input that the core took.
///
/// # Errors
/// Those of [`replay`].
pub fn replay_with(path: &Path, mut watch: impl FnMut(&Input)) -> Result<Replayed, ReplayError> {
    let mut reader = Reader::open(path)?;
    let start = reader.start().clone();
    let me = start.restarted.me;
    let (mut node, effects) = Node::new(start.restarted, start.limits);
    let mut replayed = Replayed { node: me.node, boot: me.boot, inputs: 0, effects: 0, end: End::Whole };
    // What the last step did here, until what it did then was compared with it.
    let mut unproved = Some((Digest::of(&effects), "the construction".to_owned()));
    loop {
        let out_of_order = ReplayError::OutOfOrder { step: replayed.inputs };
        match reader.read()? {
            Some(Item::Effects(recorded)) => {
                let (now, input) = unproved.take().ok_or(out_of_order)?;
                if let Some(what) = now.difference(&recorded) {
                    return Err(ReplayError::Differs { step: replayed.inputs, input, what, version: start.version });
                }
                replayed.effects += now.effects();
            }
            Some(Item::Input(input)) if unproved.is_none() => {
                let told = tell(&input);
                replayed.inputs += 1;
                let effects = node.step(input.clone());
                watch(&input);
                unproved = Some((Digest::of(&effects), told));
            }
            Some(Item::Full) => {
                replayed.end = End::Full;
                return Ok(replayed);
            }
            None => {
                if reader.is_torn() || unproved.is_some() {
                    replayed.end = End::Cut;
                }
                return Ok(replayed);
            }
            Some(Item::Start(_) | Item::Input(_)) => return Err(out_of_order),
        }
    }
}

/// Replays a record, and makes it a trace file for `quorate-check show` and `explore`: how the node began, and a sentence
/// for each input, with the steps of the specification that it led to.
///
/// # Errors
/// The record cannot be read at all.
pub fn trace(path: &Path) -> Result<(Value, Result<Replayed, ReplayError>), RecordError> {
    let start = Reader::open(path)?.start().clone();
    let mut story = Story::begin(&start.restarted, &start.limits);
    let replayed = replay_with(path, |input| story.took(input.clone()));
    let verdict = replayed.as_ref().err().map(|error| ("SameEffects", error.to_string()));
    let trace = story.trace(&start.version, &path.display().to_string(), verdict);
    Ok((trace, replayed))
}

/// Replays every record below a directory. Says how many there are, or the first that does not stand, with its name.
///
/// # Errors
/// A record cannot be read or does not stand.
pub fn replay_all(directory: &Path) -> Result<Vec<Replayed>, String> {
    let entries = std::fs::read_dir(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    let mut replayed = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| error.to_string())?.path();
        if path.is_dir() {
            replayed.extend(replay_all(&path)?);
            continue;
        }
        replayed.push(replay(&path).map_err(|error| format!("{}: {error}", path.display()))?);
    }
    Ok(replayed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use quorate::driver::Machine;
    use quorate::record::{Recorded, Recorder};
    use quorate_core::effect::Effects;
    use quorate_core::input::{Durable, Restarted, Timer};
    use quorate_core::limits::Limits;
    use quorate_core::message::Peer;
    use quorate_spec::ids::Stamp;
    use std::collections::BTreeMap;

    /// A record of a node that elects itself; it claims that its construction wanted `initial` done, if that is given.
    fn record(directory: &Path, initial: Option<Effects>) -> Result<Replayed, String> {
        let restarted = Restarted {
            me: Peer { node: NodeId::new(1), stamp: Stamp::new(7), boot: Boot::new(1) },
            address: "a:1".into(),
            controllers: BTreeMap::from([(NodeId::new(1), "a:1".into())]),
            shards: 4,
            durable: Durable::default(),
        };
        let recorder = Recorder::begin(directory, 1 << 20, &restarted, &Limits::default()).expect("a record");
        let (node, effects) = Node::new(restarted, Limits::default());
        let mut node = Recorded::new(node, &initial.unwrap_or(effects), Some(recorder));
        for _ in 0..5 {
            let _ = node.step(Input::Fired { timer: Timer::Poll });
        }
        drop(node);
        replay_all(directory).map(|mut replayed| replayed.pop().expect("one record"))
    }

    /// The one record of a directory.
    fn replayed_path(directory: &Path) -> std::path::PathBuf {
        let entry = std::fs::read_dir(directory).expect("there").next().expect("a record");
        entry.expect("an entry").path()
    }

    #[test]
    fn the_same_steps_are_the_same_effects() {
        let directory = tempfile::tempdir().expect("a directory");
        let replayed = record(directory.path(), None).expect("it stands");
        let path = replayed_path(directory.path());
        let (trace, again) = trace(&path).expect("it can be read");
        assert_eq!(again.expect("it stands"), replayed);
        let steps = trace["steps"].as_array().expect("steps");
        assert_eq!((steps.len(), &steps[0]["action"]), (5, &Value::from("AgI=")));
        let told = steps[0]["sentence"].as_str().expect("a sentence");
        assert!(told.starts_with("Fired { timer: Poll }: "), "{told}");
        assert!(trace["start"].as_str().is_some_and(|start| start.len() > 20), "{trace}");
        assert_eq!((replayed.inputs, replayed.end), (5, End::Whole));
        assert!(replayed.effects > 5, "{replayed:?}");
    }

    #[test]
    fn another_effect_is_named() {
        let directory = tempfile::tempdir().expect("a directory");
        let error = record(directory.path(), Some(Effects::default())).expect_err("it did want something");
        assert!(error.contains("step 0 (the construction)") && error.contains("instead of 0"), "{error}");
    }

    #[test]
    fn a_cut_record_is_followed_as_far_as_it_goes() {
        let directory = tempfile::tempdir().expect("a directory");
        record(directory.path(), None).expect("it stands");
        let path = replayed_path(directory.path());
        let bytes = std::fs::read(&path).expect("it can be read");
        std::fs::write(&path, &bytes[..bytes.len() - 1]).expect("it can be written");
        let replayed = replay(&path).expect("the rest stands");
        assert_eq!((replayed.inputs, replayed.end), (5, End::Cut));
    }
}
