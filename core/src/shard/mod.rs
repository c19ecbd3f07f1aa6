//! A data group: client commands, migration and sessions as a pure state machine over the group's log.

pub mod machine;
pub mod types;

pub use machine::ShardGroup;
pub use types::{
    Chunk, Command, Cursor, FrozenHeader, Header, Place, NotServed, ReadAnswer, Records, RoleHeader, SessionRecord, ShardMessage, WriteAnswer, WriteOp,
};
