//! Histories of what clients saw, and the judges that say whether one store could have shown it.
//!
//! Two judges share nothing but these types. The [certificate] believes the positions that answers carry, and checks that
//! they explain everything; it is linear in the length of the history, up to sorting. The [search] believes nothing but
//! times and values, and looks for any order that explains them. [`at_most_once`] only counts tokens.
//!
//! What is absent: a judge that runs out of budget and calls it a pass.

pub mod at_most_once;
pub mod certificate;
#[cfg(test)]
mod corpus;
#[cfg(test)]
mod random;
pub mod search;

use crate::ids::{Position, ShardId};
use crate::violation::Violation;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// What a user called.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Call {
    /// Read the value.
    Get,
    /// Replace the value.
    Put(Vec<u8>),
    /// Add to the end of the value.
    Append(Vec<u8>),
}

/// What the user was told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Outcome {
    /// A read found this value, or none.
    Value(Option<Vec<u8>>),
    /// A write took effect.
    Done,
    /// It certainly had and will have no effect.
    Failed,
    /// Nobody knows: it may take effect at any time after its invocation, or never.
    Unknown,
}

/// One operation of one user, from its invocation to its answer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Operation {
    /// Who called.
    pub process: u64,
    /// The key.
    pub key: Vec<u8>,
    /// What was called.
    pub call: Call,
    /// What came of it.
    pub outcome: Outcome,
    /// When it was called, in nanoseconds of the judge's one clock.
    pub invoked: u64,
    /// When the answer came, on the same clock; `None` if none came.
    pub returned: Option<u64>,
    /// Where it took effect, or from where it was read; for an unknown write, if it was seen to be applied.
    pub place: Option<(ShardId, Position)>,
}

impl Operation {
    /// When it was certainly over: an operation of unknown outcome never is.
    pub fn over(&self) -> Option<u64> {
        if self.outcome == Outcome::Unknown { None } else { self.returned }
    }

    /// A recording that contradicts itself proves nothing: the answer must fit the call and not come before it.
    pub fn well_formed(&self) -> Result<(), Violation> {
        let fits = match (&self.call, &self.outcome) {
            (_, Outcome::Failed | Outcome::Unknown) => true,
            (Call::Get, Outcome::Value(_)) | (Call::Put(_) | Call::Append(_), Outcome::Done) => {
                self.returned.is_some_and(|returned| returned >= self.invoked)
            }
            (Call::Get, Outcome::Done) | (Call::Put(_) | Call::Append(_), Outcome::Value(_)) => false,
        };
        if fits { Ok(()) } else { Err(Violation::new("WellFormedHistory", self.describe())) }
    }

    /// The operation as evidence shows it.
    pub fn describe(&self) -> String {
        let call = match &self.call {
            Call::Get => "get".into(),
            Call::Put(value) => format!("put {}", show(value)),
            Call::Append(value) => format!("append {}", show(value)),
        };
        let outcome = match &self.outcome {
            Outcome::Value(Some(value)) => show(value),
            Outcome::Value(None) => "nothing".into(),
            Outcome::Done => "done".into(),
            Outcome::Failed => "failed".into(),
            Outcome::Unknown => "unknown".into(),
        };
        let returned = self.returned.map_or_else(|| "never".into(), |at| format!("{at}"));
        let place = self.place.map_or_else(String::new, |(shard, position)| format!(" at {shard} {position}"));
        let Self { process, key, invoked, .. } = self;
        format!("[process {process}: {call} of key {} -> {outcome}, time {invoked} to {returned}{place}]", show(key))
    }
}

/// Bytes as evidence shows them: escaped, and cut in the middle if long.
fn show(bytes: &[u8]) -> String {
    const EDGE: usize = 24;
    match (bytes.get(..EDGE), bytes.get(bytes.len().saturating_sub(EDGE)..)) {
        (Some(head), Some(tail)) if bytes.len() > 3 * EDGE => {
            format!("\"{}..{}\" ({} bytes)", head.escape_ascii(), tail.escape_ascii(), bytes.len())
        }
        _ => format!("\"{}\"", bytes.escape_ascii()),
    }
}

/// What a judge says of a history.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub enum Verdict {
    /// One store could have shown it.
    Pass,
    /// No store could, or the recording contradicts itself.
    Fail(Violation),
    /// The judge cannot tell, and why. Not a pass.
    Unknown(String),
}

/// How much a judge looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Report {
    /// Operations in the history.
    pub operations: usize,
    /// Different keys among them.
    pub keys: usize,
    /// Operations of unknown outcome.
    pub unknown: usize,
    /// Operations that the certificate placed in their shard's order.
    pub placed: usize,
    /// Keys that the certificate cannot decide: a write, or a read's answer, has no position.
    pub left_to_search: BTreeSet<Vec<u8>>,
    /// Keys on which the search ran out of its budget.
    pub out_of_budget: BTreeSet<Vec<u8>>,
    /// What the search spent.
    pub steps: u64,
}

impl Report {
    fn new(operations: &[Operation]) -> Self {
        let keys: BTreeSet<&[u8]> = operations.iter().map(|operation| operation.key.as_slice()).collect();
        let unknown = operations.iter().filter(|operation| operation.outcome == Outcome::Unknown).count();
        Self { operations: operations.len(), keys: keys.len(), unknown, ..Self::default() }
    }
}

/// Both judges: a failure of either is a failure, and a pass means that each key was passed by at least one of them.
/// `budget` is the number of steps that the search may take for each key.
pub fn judge(operations: &[Operation], budget: u64) -> (Verdict, Report) {
    let (certified, mut report) = certificate::judge(operations);
    let (searched, search) = search::judge(operations, budget);
    report.out_of_budget = search.out_of_budget;
    report.steps = search.steps;
    if let Some(failed) = [certified, searched].into_iter().find(|verdict| matches!(verdict, Verdict::Fail(_))) {
        return (failed, report);
    }
    let undecided: Vec<String> =
        report.left_to_search.intersection(&report.out_of_budget).map(|key| show(key)).collect();
    if undecided.is_empty() {
        return (Verdict::Pass, report);
    }
    (Verdict::Unknown(format!("no judge could decide the keys {}", undecided.join(", "))), report)
}
