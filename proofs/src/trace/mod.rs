//! Runs that people read: a counterexample as a file, as sentences, as a drawing.
//!
//! A trace names its model, scope, mutant and actions; states are not in it. Whoever opens it steps the real core through
//! the actions again, so a trace of another version cannot show what this version would not do.

mod file;
mod run;
mod svg;
mod tell;
#[cfg(test)]
mod toy;

pub use file::{FORMAT, RECORD, Trace, TraceError, TraceStep};
pub use run::{Run, drawing_of, outcome_of};
pub use svg::draw;
pub use tell::tell;
