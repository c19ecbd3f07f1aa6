//! # quorate-core: every protocol decision, and no I/O
//!
//! Machines with one way in and one way out: `step(Input) -> Effects`. A step cannot fail, block, read a clock or draw a
//! random number. [`raft::Replica`] replicates a log; the [controller] and the data groups of [shard] are what is
//! replicated; the [client] is the other end; a [`node`] only routes between them. The model checker, the simulation and
//! the deployed runtime drive the same structs.
//!
//! # The contract with whoever drives it
//!
//! 1. Perform `writes` in the order given, all groups in one lane, and report `Synced` for a write only when it and all
//!    before it are durable. A failed write or sync ends the process; it is never retried.
//! 2. `sends` may go at once, in any order, late, twice or never; they have already waited for the disk.
//! 3. A timer fires at most once per arming. When it fires is the driver's choice.
//! 4. `snapshots` are written in the background; `SnapshotWritten` is reported when the file has its final name and the
//!    directory is synced. Older snapshots stay until the write that marks the new one is durable.
//! 5. After a crash, construct from the fold of the durable writes. Nothing else is remembered.
//!
//! What is absent: sockets, files, clocks, randomness, threads, floating point, hash-map iteration, unsafe code.
#![no_std]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

extern crate alloc;

pub mod bytes;
pub mod client;
pub mod controller;
pub mod digest;
pub mod durable;
pub mod effect;
pub mod group;
pub mod input;
pub mod keyspace;
pub mod limits;
pub mod message;
pub mod mutants;
pub mod node;
pub mod raft;
pub mod record;
pub mod shard;
pub mod shared_map;
pub mod status;

pub use quorate_spec as spec;

/// The optional features that were compiled in: `quorate --version` names them.
pub const FEATURES: &[&str] = &[
    #[cfg(feature = "serde")]
    "serde",
    #[cfg(feature = "mutants")]
    "mutants",
];
