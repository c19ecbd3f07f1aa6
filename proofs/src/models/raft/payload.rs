//! What the replicas replicate: one byte each, and the bytes so far as the state.

use quorate_core::raft::{Image, Payload};
use serde::{Deserialize, Serialize};

/// One command: the number of its proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Byte(pub u8);

/// The commands applied so far, in order. A chunk is one of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Bytes(pub Vec<u8>);

impl Payload for Byte {
    type Image = Bytes;

    fn bytes(&self) -> usize {
        1
    }
}

impl Image for Bytes {
    type Chunk = Option<u8>;
    type Cursor = u8;

    fn chunk(&self, from: &u8, _: usize) -> (Option<u8>, Option<u8>) {
        let next = from + 1;
        (self.0.get(usize::from(*from)).copied(), (usize::from(next) < self.0.len()).then_some(next))
    }

    fn blank() -> Self {
        Self::default()
    }

    fn absorb(&mut self, chunk: Option<u8>) {
        self.0.extend(chunk);
    }
}
