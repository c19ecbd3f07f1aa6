//! One Raft group under a test's control: transcripts that read aloud, and seeded random schedules.
//!
//! The world delivers what it likes, when it likes, and forgets what was not synced. It checks, on every step, what no
//! schedule may break.

mod elections;
mod handover;
mod pre_votes;
mod random;
mod reads;
mod replication;
mod script;
mod sending;
mod snapshots;
mod surface;
mod words;
mod world;
