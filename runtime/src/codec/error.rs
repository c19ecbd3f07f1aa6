//! Why bytes were refused, in one line that says what to do.

use super::{FORMAT_VERSION, Kind};
use std::fmt;

/// Why a frame was not taken, or not made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CodecError {
    /// There are fewer bytes than the frame needs.
    Short {
        /// How many there are.
        have: usize,
        /// How many it needs.
        need: usize,
    },
    /// The first bytes are not a frame's.
    BadMagic,
    /// The frame was made by another format version.
    OtherVersion {
        /// Its version.
        found: u16,
    },
    /// No such kind.
    UnknownKind {
        /// Its number.
        found: u16,
    },
    /// Another kind of frame is expected here.
    WrongKind {
        /// What is expected.
        expected: Kind,
        /// What came.
        found: Kind,
    },
    /// The body is over its kind's limit.
    TooLong {
        /// The kind.
        kind: Kind,
        /// The body's length in bytes.
        length: u64,
    },
    /// The checksum does not match: the bytes were damaged.
    Checksum {
        /// What the header says it is.
        kind: Kind,
    },
    /// The checksum matches and the body is not what its kind says: made by something else than this program.
    Malformed {
        /// The kind.
        kind: Kind,
        /// What the decoder says.
        what: String,
    },
    /// Bytes are left over after the body's value.
    TrailingBytes {
        /// The kind.
        kind: Kind,
        /// How many.
        extra: usize,
    },
}

/// Bytes for people: exact when small, else in MiB.
struct Size(u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            bytes if bytes < 1 << 10 => write!(f, "{bytes} bytes"),
            bytes if bytes < 1 << 20 => write!(f, "{} KiB", bytes.div_ceil(1 << 10)),
            bytes => write!(f, "{} MiB", bytes.div_ceil(1 << 20)),
        }
    }
}

impl fmt::Display for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short { have, need } => write!(f, "frame is cut short: {have} bytes of {need}"),
            Self::BadMagic => f.write_str("not a frame of this protocol: is the other end, or the file, quorate's?"),
            Self::OtherVersion { found } if *found > FORMAT_VERSION => {
                write!(f, "made by format version {found}, this is {FORMAT_VERSION}: upgrade this program")
            }
            Self::OtherVersion { found } => {
                write!(f, "made by format version {found}, this is {FORMAT_VERSION}: upgrade the one that made it")
            }
            Self::UnknownKind { found } => write!(f, "frame of unknown kind {found}: upgrade this program"),
            Self::WrongKind { expected, found } => {
                write!(f, "frame of kind {found} where {expected} is expected: connect to the right port")
            }
            Self::TooLong { kind, length } => {
                let limit = Size(u64::from(kind.limit()));
                write!(f, "frame of kind {kind} is {}, limit {limit}: send less at once", Size(*length))
            }
            Self::Checksum { kind } => write!(f, "frame of kind {kind} is damaged: its checksum does not match"),
            Self::Malformed { kind, what } => {
                write!(f, "frame of kind {kind} is not understood ({what}): was it made by another version?")
            }
            Self::TrailingBytes { kind, extra } => {
                write!(f, "frame of kind {kind} has {extra} bytes too many: was it made by another version?")
            }
        }
    }
}

impl std::error::Error for CodecError {}
