//! A broken property, with the evidence that a person needs to see it.

use alloc::string::String;
use core::fmt;

/// A property that does not hold, and why.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Violation {
    /// The property's name, as in the TLA+ modules and the file under `invariants/`.
    pub property: &'static str,
    /// One sentence that names the nodes, indices and values that contradict each other.
    pub evidence: String,
}

impl Violation {
    /// A violation of `property`.
    pub const fn new(property: &'static str, evidence: String) -> Self {
        Self { property, evidence }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} violated: {}", self.property, self.evidence)
    }
}

impl core::error::Error for Violation {}
