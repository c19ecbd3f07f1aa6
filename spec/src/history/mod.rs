//! Histories and their judges.

use crate::Violation;
use crate::ids::{Position, ShardId};
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

/// What was asked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// Read.
    Get,
    /// Replace.
    Put(Vec<u8>),
    /// Add to the end.
    Append(Vec<u8>),
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// A value.
    Value(Option<Vec<u8>>),
    /// Done.
    Done,
    /// Not executed.
    Failed,
    /// Nobody knows.
    Unknown,
}

/// One operation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Operation {
    /// Who.
    pub process: u64,
    /// On what.
    pub key: Vec<u8>,
    /// What.
    pub call: Call,
    /// With what result.
    pub outcome: Outcome,
    /// From when.
    pub invoked: u64,
    /// Until when.
    pub returned: Option<u64>,
    /// Where.
    pub place: Option<(ShardId, Position)>,
}

/// What a judge says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// All is well.
    Pass,
    /// It is not.
    Fail(Violation),
    /// It cannot say.
    Unknown(String),
}

/// What was looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Keys.
    pub keys: usize,
    /// Keys that the certificate leaves.
    pub left_to_search: BTreeSet<Vec<u8>>,
    /// Keys that the search leaves.
    pub out_of_budget: BTreeSet<Vec<u8>>,
}

/// Judges.
pub fn judge(_: &[Operation], _: u64) -> (Verdict, Report) {
    (Verdict::Unknown("there is no judge".into()), Report::default())
}

/// Tokens appear once.
pub mod at_most_once {
    use super::{Operation, Verdict};

    /// Judges.
    pub fn judge(_: &[Operation]) -> Verdict {
        Verdict::Unknown("there is no judge".into())
    }
}
