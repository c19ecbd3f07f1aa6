//! The shard controller: a pure state machine over numbered configurations, replicated by group 0.
//!
//! [`Controller`] applies commands; [balance] says which shards move; every configuration that was ever made is kept.
//!
//! What is absent: Raft, messages, nodes that fail. The controller never knows whether a group is alive, where data is or
//! how far a migration has come: a configuration says who *should* serve a shard, and from where its data comes.

pub mod balance;
mod change;
mod image;
pub mod machine;
mod sessions;
pub mod types;

pub use image::{Chunk, Cursor, Item};
pub use machine::Controller;
pub use sessions::SessionRecord;
pub use types::{Answer, Assignment, Change, Command, Configuration, Directory, GroupInfo, NodeInfo, Refusal};
