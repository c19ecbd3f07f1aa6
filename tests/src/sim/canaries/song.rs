//! What came of a canary's run.

use crate::sim::verdicts::Judge;
use quorate_spec::Violation;
use std::collections::BTreeSet;

/// A canary's run, or its control's.
pub struct Song {
    /// The judges that object.
    pub objections: BTreeSet<Judge>,
    /// What was found to be wrong as the world went.
    pub violation: Option<Violation>,
    /// Which of its classes never happened.
    pub missing: Vec<&'static str>,
    /// Whether the whole run passes.
    pub passes: bool,
}

impl Song {
    /// Whether nobody objects.
    pub fn is_alive(&self) -> bool {
        self.passes && self.objections.is_empty()
    }
}
