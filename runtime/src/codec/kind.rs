//! What a frame can be, and how long each may be.

use std::fmt;

/// What a frame is. The number is what its header holds: never reuse one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u16)]
pub enum Kind {
    /// The first frame of a connection: who calls.
    Hello = 1,
    /// The answer to it.
    HelloReply = 2,
    /// A message between nodes.
    Peer = 3,
    /// What a client asks.
    Request = 4,
    /// What a node answers a client.
    Reply = 5,
    /// One atomic batch of the write-ahead log.
    WalFrame = 6,
    /// The beginning of a snapshot file.
    SnapshotHeader = 7,
    /// A part of a snapshot's image.
    SnapshotChunk = 8,
    /// The end of a snapshot file.
    SnapshotTrailer = 9,
    /// A part of a node's record of its inputs.
    Record = 10,
}

const KIB: u32 = 1 << 10;
const MIB: u32 = 1 << 20;

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::Hello,
        Self::HelloReply,
        Self::Peer,
        Self::Request,
        Self::Reply,
        Self::WalFrame,
        Self::SnapshotHeader,
        Self::SnapshotChunk,
        Self::SnapshotTrailer,
        Self::Record,
    ];

    /// The longest body, in bytes. Bounds of hostile or damaged input, not of what is sensible: those are the core's
    /// `Limits`, which are smaller.
    pub const fn limit(self) -> u32 {
        match self {
            Self::Hello | Self::HelloReply | Self::SnapshotTrailer => 4 * KIB,
            Self::SnapshotHeader => 64 * KIB,
            Self::Request => 4 * MIB,
            Self::Peer | Self::Reply | Self::SnapshotChunk => 32 * MIB,
            Self::WalFrame | Self::Record => 256 * MIB,
        }
    }

    /// The kind that a header's number stands for.
    pub fn from_number(number: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u16 == number)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}
