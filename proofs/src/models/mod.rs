//! Small worlds around the real core. Each is a [`Scenario`](crate::scenario::Scenario) with a table of scopes.

pub mod raft;
