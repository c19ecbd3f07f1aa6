//! Commands, answers, chunks and messages of data groups.

use crate::bytes::Bytes;
use crate::controller::Configuration;
use alloc::sync::Arc;
use alloc::vec::Vec;
use quorate_spec::ids::{ClientId, ConfigNum, GroupId, Position, Seq, ShardId};
use quorate_spec::views::Origin;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// A write on one key. Another one is a variant here, an apply arm and an oracle arm.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub enum WriteOp {
    /// Replace the value.
    Put {
        /// The new value.
        value: Bytes,
    },
    /// Add to the end of the value; a missing key counts as empty.
    Append {
        /// What is added.
        value: Bytes,
    },
}

impl WriteOp {
    /// The bytes that it carries.
    pub fn value(&self) -> &Bytes {
        match self {
            Self::Put { value } | Self::Append { value } => value,
        }
    }
}

/// What a write answered. The first answer is recorded in the session and given again to every retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub enum WriteAnswer {
    /// It took effect.
    Done,
    /// It was executed and has no effect: the value would grow over the limit.
    ValueTooLarge {
        /// The limit, in bytes.
        limit: u64,
    },
}

/// The record of a session's last write in a shard. Moves with the shard.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct SessionRecord {
    /// The last executed request.
    pub seq: Seq,
    /// A digest of its command, to tell a retry from a misuse.
    pub digest: u64,
    /// Its answer.
    pub answer: WriteAnswer,
    /// Where it took effect.
    pub position: Position,
}

/// A command of a data group's log.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub enum Command {
    /// A client's write.
    Write {
        /// The session.
        client: ClientId,
        /// The request's number in it.
        seq: Seq,
        /// The key.
        key: Bytes,
        /// What to do.
        op: WriteOp,
        /// The longest value, as the proposing leader is configured: every replica decides alike.
        value_limit: u64,
    },
    /// Take the next configuration: ignored unless it is the next one and nothing is awaited.
    AdoptConfiguration {
        /// The configuration.
        config: Arc<Configuration>,
    },
    /// Take in a part of an awaited shard: ignored unless it is the next part of that origin's copy. The last part
    /// installs the shard and starts serving it.
    InstallChunk {
        /// The shard.
        shard: ShardId,
        /// Whose copy.
        origin: Origin,
        /// Where the part begins.
        from: Cursor,
        /// The part.
        records: Records,
        /// Where the next part begins; `None` for the last: this entry is the Install.
        next: Option<Cursor>,
    },
    /// Drop the frozen copy: ignored if it is gone.
    Collect {
        /// The shard.
        shard: ShardId,
        /// The configuration that froze it.
        config: ConfigNum,
    },
}

/// Items of one copy of a shard, in order: first data, then sessions; the floor comes with every part.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Records {
    /// Keys and values, ascending.
    pub data: Vec<(Bytes, Bytes)>,
    /// Session records, ascending.
    pub sessions: Vec<(ClientId, SessionRecord)>,
    /// The copy's session floor.
    pub floor: ClientId,
}

/// A place in one copy of a shard.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub enum Cursor {
    /// At the beginning.
    #[default]
    Start,
    /// After this key.
    AfterKey(Bytes),
    /// All data is done; sessions from the first one on.
    Sessions,
    /// After this session.
    AfterSession(ClientId),
}

/// Which copy within a group's image a chunk belongs to. The order is the order of chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub enum Place {
    /// What the shard's role holds: the served copy, or what has been received of an awaited one.
    Role(ShardId),
    /// A frozen copy.
    Frozen(ShardId, ConfigNum),
}

/// A chunk of a data group's image.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub enum Chunk {
    /// The first chunk: everything but the contents of copies.
    Header(Header),
    /// A part of one copy.
    Part {
        /// Which copy.
        place: Place,
        /// The items.
        records: Records,
    },
}

/// Everything of a data group's image but the contents of its copies.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Header {
    /// The group.
    pub group: GroupId,
    /// The adopted configuration.
    pub config: Arc<Configuration>,
    /// The role of every shard, by its number.
    pub roles: Vec<RoleHeader>,
    /// The frozen copies, ascending.
    pub frozen: Vec<FrozenHeader>,
}

/// A shard's role without its contents.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub enum RoleHeader {
    /// Not owned.
    Absent,
    /// Served.
    Serving,
    /// Owned and waited for; parts before `next` have been received.
    Awaiting {
        /// Whose copy.
        origin: Origin,
        /// Where the next part begins.
        next: Cursor,
    },
}

/// A frozen copy without its contents.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct FrozenHeader {
    /// The shard.
    pub shard: ShardId,
    /// The configuration that froze it.
    pub config: ConfigNum,
    /// Who took the shard over, and by which configuration, once a configuration adopted here says so.
    pub target: Option<(GroupId, ConfigNum)>,
}

/// What a read found.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ReadAnswer {
    /// The shard is served here: the value, or none, and the state that it was read from.
    Value {
        /// The value; `None` for a missing key.
        value: Option<Bytes>,
        /// The state.
        position: Position,
    },
    /// The shard is not served here.
    Refused(NotServed),
}

/// Why a data group does not serve a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub enum NotServed {
    /// Another group owns it, as of this configuration.
    WrongGroup {
        /// The configuration that this group has adopted.
        config: ConfigNum,
    },
    /// This group owns it and its data has not arrived.
    NotYetHere {
        /// The configuration that this group has adopted.
        config: ConfigNum,
    },
}

/// Messages between groups about moving shards. Each names the shard and the origin.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub enum ShardMessage {
    /// The target's leader asks any replica of the origin for a part.
    Pull {
        /// The asking group.
        target: GroupId,
        /// The shard.
        shard: ShardId,
        /// The copy.
        origin: Origin,
        /// Where the part begins.
        from: Cursor,
    },
    /// The part. Only a replica that has applied the freeze and still holds the copy sends it.
    Part {
        /// The asking group.
        target: GroupId,
        /// The shard.
        shard: ShardId,
        /// The copy.
        origin: Origin,
        /// Where the part begins.
        from: Cursor,
        /// The items.
        records: Records,
        /// Where the next part begins; `None` for the last.
        next: Option<Cursor>,
        /// The size of the whole copy in bytes, for progress reports.
        total: u64,
    },
    /// This replica does not hold that copy: ask another, or later.
    NotHere {
        /// The asking group.
        target: GroupId,
        /// The shard.
        shard: ShardId,
        /// The copy.
        origin: Origin,
    },
    /// The origin's leader asks any replica of the target whether it has applied the Install of this copy.
    Confirm {
        /// The asked group.
        target: GroupId,
        /// The configuration in which the target took the shard over.
        taken: ConfigNum,
        /// The shard.
        shard: ShardId,
        /// The copy.
        origin: Origin,
    },
    /// It has: the copy may be collected.
    Confirmed {
        /// The group that has applied it.
        target: GroupId,
        /// The shard.
        shard: ShardId,
        /// The copy.
        origin: Origin,
    },
}
