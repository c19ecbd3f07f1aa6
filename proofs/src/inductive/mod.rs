//! Inductive proofs of the protocols for any size, discharged by a solver outside.
//!
//! A file states a transition system and its invariant (see `proofs/inductive/README.md`); here it becomes obligations,
//! each a text of its own, each with its own time limit. Nothing is proved here: what a solver answers is what counts,
//! and anything but the expected answer is a failure.

mod expand;
mod fragment;
mod obligations;
mod sexp;
mod solver;
mod system;

pub use obligations::{Expected, Obligation};
pub use sexp::Fault;
pub use solver::{Answer, Solver};
pub use system::System; pub use obligations::all; pub use fragment::check as frag;
