//! A node's record: what it was constructed from and every input that its core took, with a digest of what each step
//! wanted done. Whoever steps the core through the file again must come to the same effects, all of them.
//!
//! One file is one run of the process: `node-ID-BOOT.record`, a row of checked frames. It begins with the whole start (the
//! durable state too, so that it needs no other file) and is at most so many bytes long: after that nothing more is
//! recorded, because a record with a gap says nothing about what follows it. Of older runs the newest few are kept.
//!
//! A record is for finding out, not for keeping data: a failure to write it is logged once and ends the record, never the
//! node. What a step did is written together with the input of the next one, so the last input of a process that was
//! killed may be there without its effects.

mod digest;
mod read;
mod write;

pub use digest::{Digest, PARTS};
pub use read::{Reader, RecordError};
pub use write::{Recorded, Recorder};

use quorate_core::input::{Input, Restarted};
use quorate_core::limits::Limits;
use serde::{Deserialize, Serialize};

/// What a core is constructed from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Start {
    /// The version that recorded it: another one may decide otherwise.
    pub version: String,
    /// Who it is and what its disk kept.
    pub restarted: Restarted,
    /// Its limits.
    pub limits: Limits,
}

/// One frame of a record. Variants are numbered by their order: only add at the end.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Item {
    /// The first frame.
    Start(Box<Start>),
    /// The core is given this.
    Input(Input),
    /// What the construction or the input before it wanted done.
    Effects(Digest),
    /// The file is as long as it may be: nothing after this was recorded.
    Full,
}

/// An [`Item`] as it is written: the same bytes, nothing cloned.
#[derive(Debug, Serialize)]
enum ItemRef<'a> {
    Start(&'a Start),
    Input(&'a Input),
    Effects(&'a Digest),
    Full,
}

#[cfg(test)]
mod tests;
