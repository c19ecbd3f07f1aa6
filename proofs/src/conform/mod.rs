//! Trace validation: is a run of one group a behaviour of `Raft.tla`, or a run of data groups one of `ShardKV.tla`?
//!
//! The events become a generated TLA+ module, and `TraceRaft.tla` or `TraceShardKV.tla`, which says what each of them may
//! stand for, is explored by `tla-checker`. Nothing is judged here: a run is accepted if the checker reaches the end of it. What is refused is
//! asked again in parts, so that a person is told the first event that no step explains.

mod checker;
pub mod corrupt;
mod module;
pub mod shards;

pub use checker::Checker;
pub use module::Generated;

use quorate_spec::ids::GroupId;
use quorate_spec::trace::Event;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

/// What the specification says of a run.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// Some behaviour takes all events.
    Accepted,
    /// No behaviour takes all.
    Refused {
        /// How many events are explained: the next one is not.
        explained: usize,
        /// The specification's state after those.
        state: Value,
        /// The property that the next event breaks, if a step explains it.
        broken: Option<String>,
    },
}

/// A run that the specification can be asked about, whole or in part from its beginning.
pub trait Run {
    /// How many events it has.
    fn events(&self) -> usize;
    /// So many of them, from the beginning.
    fn module(&self, events: usize) -> Generated;
}

/// A run of one group.
impl Run for Vec<Event> {
    fn events(&self) -> usize {
        self.len()
    }

    fn module(&self, events: usize) -> Generated {
        module::generate(&self[..events])
    }
}

/// Reads traces, an event a line, and puts the events of each group in order. A line that was cut short at the end of a
/// file is left out: its process was killed while it wrote.
///
/// # Errors
/// A file cannot be read, or has a line that is no event.
pub fn read(files: &[impl AsRef<Path>]) -> io::Result<BTreeMap<GroupId, Vec<Event>>> {
    let mut groups: BTreeMap<GroupId, Vec<Event>> = BTreeMap::new();
    for file in files {
        let text = fs::read_to_string(file)?;
        for (number, line) in (1..).zip(text.split_inclusive('\n').filter(|line| line.ends_with('\n'))) {
            let event: Event = serde_json::from_str(line).map_err(|error| {
                io::Error::other(format!("{}:{number}: not an event: {error}", file.as_ref().display()))
            })?;
            groups.entry(event.group).or_default().push(event);
        }
    }
    // Stable: the events of one step keep their order.
    groups.values_mut().for_each(|events| events.sort_by_key(|event| event.at));
    Ok(groups)
}

/// Asks the specification about a run, from its beginning.
///
/// # Errors
/// The checker cannot be run, or cannot read what it is given.
pub fn conform(checker: &Checker, run: &impl Run) -> io::Result<Verdict> {
    let mut refusal = checker.explore(&run.module(run.events()))?;
    if refusal.is_accepted() {
        return Ok(Verdict::Accepted);
    }
    // The longest part from the beginning that is accepted.
    let (mut explained, mut refused, mut state) = (0, run.events(), Value::Null);
    while explained + 1 < refused {
        let middle = explained.midpoint(refused);
        let found = checker.explore(&run.module(middle))?;
        if found.is_accepted() {
            (explained, state) = (middle, found.last);
        } else {
            (refused, refusal) = (middle, found);
        }
    }
    Ok(Verdict::Refused { explained, state, broken: refusal.broken })
}

/// Whether the specification accepts a run: one exploration, and no answer to why not.
///
/// # Errors
/// The checker cannot be run, or cannot read what it is given.
pub fn accepts(checker: &Checker, run: &impl Run) -> io::Result<bool> {
    Ok(checker.explore(&run.module(run.events()))?.is_accepted())
}
