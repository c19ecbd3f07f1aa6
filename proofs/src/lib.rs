//! # quorate-proofs
//!
//! The place of the models that explore the real core, of the inductive proofs and of the core's mutants. It holds none of
//! them yet, and nothing is claimed in its name: what is checked today is in the tests of `core`, `runtime` and `tests`.

pub use quorate_core as core;
pub use quorate_spec as spec;
