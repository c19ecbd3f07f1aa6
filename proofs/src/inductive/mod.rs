//! Inductive proofs of the protocols for any size, discharged by a solver outside.
//!
//! A file states a transition system and its invariant (see `proofs/inductive/README.md`); here it becomes obligations,
//! each a text of its own, each with its own time limit. Nothing is proved here: what a solver answers is what counts,
//! and anything but the expected answer is a failure.

mod expand;
mod fragment;
mod model;
pub mod mutants;
mod obligations;
mod report;
mod run;
mod sexp;
mod solver;
mod system;
mod table;

pub use report::{FileReport, Outcome, Report, Slowest, Verdict, render};
pub use run::{Options, Progress, prove};
pub use sexp::{Fault, Sexp};
pub use solver::{Answer, Solver};
pub use system::{Named, Step, System};

pub(crate) use fragment::binders;

use std::path::Path;

/// A file of a proof: its name without the ending, and its text.
#[derive(Clone, Debug)]
pub struct Source {
    /// The name, as `include` names it.
    pub name: String,
    /// The text.
    pub text: String,
}

impl Source {
    /// The project's own proofs.
    pub fn all() -> Vec<Self> {
        let own = |name: &str, text: &str| Self { name: name.to_owned(), text: text.to_owned() };
        vec![
            own("raft", include_str!("../../inductive/raft.tsm")),
            own("reads", include_str!("../../inductive/reads.tsm")),
            own("shards", include_str!("../../inductive/shards.tsm")),
        ]
    }

    /// One of the project's own by its name, or a file by its path.
    pub fn find(name: &str) -> Result<Self, String> {
        if let Some(own) = Self::all().into_iter().find(|source| source.name == name) {
            return Ok(own);
        }
        let path = Path::new(name);
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("{name}: {error}; the project's proofs are raft, reads and shards"))?;
        let stem = path.file_stem().map_or_else(|| name.to_owned(), |stem| stem.to_string_lossy().into_owned());
        Ok(Self { name: stem, text })
    }

    /// Reads it as a transition system; what it includes is one of the project's own.
    pub fn load(&self) -> Result<System, String> {
        let library = |name: &str| Self::all().into_iter().find(|source| source.name == name).map(|source| source.text);
        System::load(&self.text, &library).map_err(|fault| format!("{}: {fault}", self.name))
    }
}
