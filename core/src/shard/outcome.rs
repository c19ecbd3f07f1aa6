//! What applying one command of a data group's log answers.

use super::types::{NotServed, WriteAnswer};
use alloc::vec::Vec;
use quorate_spec::action::Action;
use quorate_spec::ids::{ConfigNum, Position, ShardId};

/// The result of one applied command.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Applied {
    /// The answer to a client's write; nothing for any other command.
    pub outcome: Option<Outcome>,
    /// What was done, in the specification's words. Empty if the command was ignored.
    pub actions: Vec<Action>,
}

/// What a write led to when it was applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It was executed, now or by an earlier entry: the first answer and the first position, on every retry.
    Written {
        /// What it answered.
        answer: WriteAnswer,
        /// The shard.
        shard: ShardId,
        /// Where it took effect.
        position: Position,
    },
    /// This entry has no effect. Refusals are recorded nowhere (`wrong-group-cached` in the bug catalogue).
    Refused(WriteRefusal),
}

/// Why a write was refused when it was applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WriteRefusal {
    /// Another group owns the shard, as of this configuration.
    WrongGroup {
        /// The configuration that this group has adopted.
        config: ConfigNum,
    },
    /// This group owns the shard and its data has not arrived.
    NotYetHere {
        /// The configuration that this group has adopted.
        config: ConfigNum,
    },
    /// The session is below the floor.
    SessionExpired,
    /// The session executed a later request in this shard: this one is neither executed nor answered.
    Superseded,
    /// The session used this number for another command.
    SeqReused,
}

impl From<NotServed> for WriteRefusal {
    fn from(reason: NotServed) -> Self {
        match reason {
            NotServed::WrongGroup { config } => Self::WrongGroup { config },
            NotServed::NotYetHere { config } => Self::NotYetHere { config },
        }
    }
}
