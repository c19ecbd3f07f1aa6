//! The shard controller: a pure state machine over numbered configurations, replicated by group 0.

pub mod machine;
pub mod types;

pub use machine::Controller;
pub use types::{Answer, Assignment, Change, Command, Configuration, Directory, GroupInfo, NodeInfo, Refusal};
