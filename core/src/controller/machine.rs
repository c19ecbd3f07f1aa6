//! The controller's state and how commands change it.

use super::types::Command;
use crate::raft::{Image, Payload};

/// The controller's replicated state.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Controller {}

impl Controller {
    /// The state before any command: configuration 0, without groups.
    pub fn genesis(_shards: u32) -> Self {
        todo!()
    }
}

/// A part of the controller's state.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Chunk {}

impl Payload for Command {
    type Image = Controller;

    fn bytes(&self) -> usize {
        todo!()
    }
}

impl Image for Controller {
    type Chunk = Chunk;
    type Cursor = u64;

    fn chunk(&self, _from: &u64, _limit: usize) -> (Chunk, Option<u64>) {
        todo!()
    }

    fn blank() -> Self {
        todo!()
    }

    fn absorb(&mut self, _chunk: Chunk) {
        todo!()
    }
}
