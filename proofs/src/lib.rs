//! # quorate-proofs
//!
//! Models of the real core for stateright, the mutants that they must catch, the traces that people read, and the inductive
//! proofs of the protocols for any size.

pub mod binding;
pub mod conform;
pub mod explorer;
pub mod inductive;
pub mod log_spec;
pub mod models;
pub mod mutants;
pub mod registry;
pub mod scenario;
pub mod trace;
pub mod verify;

pub use quorate_core as core;
pub use quorate_spec as spec;
