//! The shipped binary as real processes on real sockets and disks: killed, paused, cut off from their disks.
//!
//! Run one after the other (`--test-threads=1`): each test is a whole cluster. Names of lab scenarios are kept.

mod bad_input;
mod demo;
mod full_disk;
mod hostile;
mod identity;
mod kills;
mod leaders;
mod migration;
mod nemesis;
mod pauses;
mod power;
mod recovery;
mod shipped;
mod syncs;
mod traces;
