//! A data group's replicated state and how commands change it.

use super::types::{Chunk, Command, Cursor, Place};
use crate::controller::Configuration;
use crate::raft::{Image, Payload};
use alloc::sync::Arc;
use quorate_spec::ids::GroupId;

/// A data group's replicated state.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ShardGroup {}

impl ShardGroup {
    /// The state of a new group: at the configuration before its creation, every shard Absent.
    pub fn genesis(_group: GroupId, _before: Arc<Configuration>) -> Self {
        todo!()
    }
}

impl Payload for Command {
    type Image = ShardGroup;

    fn bytes(&self) -> usize {
        todo!()
    }
}

impl Image for ShardGroup {
    type Chunk = Chunk;
    type Cursor = Option<(Place, Cursor)>;

    fn chunk(&self, _from: &Self::Cursor, _limit: usize) -> (Chunk, Option<Self::Cursor>) {
        todo!()
    }

    fn blank() -> Self {
        todo!()
    }

    fn absorb(&mut self, _chunk: Chunk) {
        todo!()
    }
}
