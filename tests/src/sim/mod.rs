//! The simulator: whole clusters of the real core with the runtime's real log, snapshots and codec, on simulated disks and
//! a simulated network, in virtual time, in one thread. One seed is one run, bit for bit.
//!
//! What is absent: a wall clock, threads, sockets, files, the order of a hash map, and any decision of the protocol.

pub mod campaign;
pub mod canaries;
pub mod cli;
pub mod clients;
pub mod digest;
pub mod disk;
pub mod faults;
mod goal;
pub mod judge;
pub mod network;
pub mod operator;
mod outages;
pub mod pieces;
pub mod plan;
pub mod process;
pub mod random;
pub mod run;
pub mod setup;
mod shadow;
pub mod shrink;
pub mod steps;
pub mod storage;
pub mod tally;
pub mod time;
pub mod verdicts;
mod watch;
pub mod workload;
pub mod world;
