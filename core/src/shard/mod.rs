//! A data group: client commands, migration and sessions as a pure state machine over the group's log.
//!
//! [`ShardGroup`] is what is replicated; every replica of a group applies the same commands to it. [`Migrator`] runs
//! where the group leads, decides what to propose and whom to ask next, and is derived from the replicated state: losing
//! it costs a repeated question, never data.
//!
//! A shard moves in four steps, each an entry of one group's log: the old owner *freezes* it by adopting the
//! configuration that takes it away, the new owner *awaits* it by adopting the same configuration, *installs* it in
//! parts, and the old owner *collects* its frozen copy once a replica of the new owner has applied the last part.
//!
//! What is absent: any decision that rests on a message alone, on time, or on what one leader remembers.

mod copy;
mod image;
pub mod machine;
mod migration;
pub mod migrator;
mod outcome;
mod report;
pub mod types;

pub use copy::ShardCopy;
pub use machine::{Awaiting, Frozen, ShardGroup};
pub use migrator::{Drive, Known, Migrator, Pace};
pub use outcome::{Applied, Outcome, WriteRefusal};
pub use types::{
    Chunk, Command, Cursor, FrozenHeader, Header, NotServed, Place, ReadAnswer, Records, RoleHeader, SessionRecord,
    ShardMessage, WriteAnswer, WriteOp,
};
