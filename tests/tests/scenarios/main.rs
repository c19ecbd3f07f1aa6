//! The lab's scenarios under their names, on simulated clusters in virtual time, with the lab's numbers; and those that no
//! lab has. Rows that are marked R run on real processes too, in `scenarios_real`.
//!
//! At the end of each everything is healed, every key is read back, the specification's invariants have held at every step,
//! and both judges have passed what users were told.

mod controller;
mod lab;
mod ours;
mod raft;
mod replicated_kv;
mod rows;
mod sharded;
