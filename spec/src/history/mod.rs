//! Histories and their judges.

use crate::Violation;
use crate::ids::{Position, ShardId};
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Report {}

/// By positions.
pub mod certificate {
    use super::{Operation, Report, Verdict};

    /// Judges.
    pub fn judge(_: &[Operation]) -> (Verdict, Report) {
        (Verdict::Pass, Report {})
    }
}

/// By search.
pub mod search {
    use super::{Operation, Report, Verdict};

    /// Judges.
    pub fn judge(_: &[Operation]) -> (Verdict, Report) {
        (Verdict::Pass, Report {})
    }
}

/// Tokens appear once.
pub fn at_most_once(_: &[Operation]) -> Verdict {
    Verdict::Pass
}
