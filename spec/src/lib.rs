//! # quorate-spec: the trusted part of Quorate, read first
//!
//! What the system is supposed to do, said without saying how: [identifiers](ids), the [vocabulary of steps](action),
//! [views] of state, [traces](trace) of them, [invariants] over views, the sequential [oracle] and the judges of [histories](history).
//! The model checker, the simulation, the running node's debug assertions and the demo all call the same functions.
//!
//! What is absent: any protocol. Nothing here decides anything; it only says whether what was decided is right.
#![no_std]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

extern crate alloc;

pub mod action;
pub mod history;
pub mod ids;
pub mod invariants;
pub mod oracle;
pub mod trace;
pub mod views;
mod violation;

pub use violation::Violation;
