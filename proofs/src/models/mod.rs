//! Small worlds around the real core. Each is a [`Scenario`](crate::scenario::Scenario) with a table of scopes.

pub mod client;
pub mod controller;
#[cfg(test)]
mod explore;
pub mod identity;
pub mod pool;
pub mod raft;
pub mod shards;
pub mod stack;
