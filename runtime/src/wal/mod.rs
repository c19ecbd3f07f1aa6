//! The write-ahead log: one lane of durable writes for all groups of a node, cut into segments.
//!
//! - **Frame.** One atomic batch of all writes that were pending. It names whose it is, its segment's generation and its
//!   own offset, so that a stale or misdirected one is not taken for a good one, and begins on a sector of its own, so that
//!   a torn write cannot touch the frame before it. One is in flight at a time: written, synced, then the next. Therefore
//!   damage that an intact frame follows is never a torn write, and recovery refuses it.
//! - **Segment.** A file of zeros, prepared in advance, and frames from its front. Its first frame, the *opening*, restates
//!   everything that older segments say except the log entries that they still hold, and names those segments. So an
//!   idle group's vote is in the newest segment, always.
//! - **Space.** A segment that the newest list does not name is removed, after the list is synced. A segment with few live
//!   entries has them restated in the next opening, so that a slow group does not hold on to many files.
//! - **Full disk.** Space is reserved before it is needed, one segment ahead; there alone a full disk shows, before any byte
//!   of a write, and nothing is lost by waiting. Any other failure of a write or sync is final.
//!
//! What recovery cannot tell apart: a torn last frame and later damage to the very last frame of the log. Both are cut. The
//! replicas of the other nodes are what protects against the second.

mod error;
mod fold;
mod frame;
mod lane;
mod log;
mod open;
mod record;
mod replica;
mod runs;
mod scan;
mod segment;
mod thread;
mod usage;

pub use error::WalError;
pub use fold::Fold;
pub use frame::SECTOR;
pub use lane::Lane;
pub use log::Wal;
pub use open::Recovered;
pub use record::Birth;
pub use replica::ReplicaLog;
pub use segment::{Spare, segment_name};
pub use thread::{WalEvent, WalThread};

use crate::codec::Identity;

/// What a log is opened with. Sizes in bytes.
#[derive(Clone, Debug)]
pub struct WalOptions {
    /// Whose log it is.
    pub identity: Identity,
    /// The size of a segment. A larger write gets a larger one.
    pub segment_bytes: u64,
    /// How many segments there may be before live entries of the emptiest are moved.
    pub segments: usize,
    /// How much is written at once, about; at least one write is.
    pub frame_bytes: usize,
    /// Whether there must be a log already: an empty directory is then not a new one but one that lost its log.
    pub must_exist: bool,
}

impl WalOptions {
    /// The defaults: segments of 64 MiB, 8 of them, frames of 8 MiB.
    pub fn new(identity: Identity) -> Self {
        Self { identity, segment_bytes: 64 << 20, segments: 8, frame_bytes: 8 << 20, must_exist: false }
    }
}
