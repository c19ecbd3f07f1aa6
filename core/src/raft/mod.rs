//! Raft for one replica group, as a machine with a step of its own: [`Replica<P>`].
//!
//! It decides elections, replication, commitment, reads and snapshots. It knows nothing of what it replicates beyond
//! [`Payload`], nothing of other groups, of disks, of sockets or of time: timers are named, writes are counted, and what
//! speaks for the disk waits in the [outbox] until the disk has answered.

pub mod types;

pub use types::{
    Conflict, Durable, Effects, Election, Entry, EntryKind, HardState, Image, Input, LogPosition, Mark, Message,
    Payload, Proposed, Replication, SnapshotWork, Timer, TimerChange, Transfer, Write,
};
