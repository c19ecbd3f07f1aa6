//! # quorate-proofs
//!
//! Models of the real core for stateright, the mutants that they must catch, and the traces that people read.

pub mod inductive;
pub mod scenario;

pub use quorate_core as core;
pub use quorate_spec as spec;
