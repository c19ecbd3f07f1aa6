//! What can be wrong with a log, in one line that says what to do.

use crate::codec::CodecError;
use std::fmt;
use std::io;

/// Why a log was not opened, or not written.
#[derive(Debug)]
pub enum WalError {
    /// The disk failed. After a failed write or sync nothing is known of what it kept: the process must end.
    Io {
        /// What was done.
        doing: String,
        /// What the operating system says.
        error: io::Error,
    },
    /// There is no space for another segment. Nothing was written and nothing is lost: try again.
    Full,
    /// A frame is damaged and what follows it is intact: no torn write does that.
    Damaged {
        /// The segment's file.
        segment: String,
        /// Where the damage begins.
        offset: u64,
        /// What is intact after it.
        intact: String,
    },
    /// A segment's file is shorter than it was made.
    CutShort {
        /// The segment's file.
        segment: String,
        /// Its length.
        length: u64,
        /// The length that it was made with.
        made: u64,
    },
    /// A segment that is still needed is not there.
    Missing {
        /// Its generation.
        generation: u64,
        /// The segment's file that names it.
        named_by: String,
    },
    /// There was a log and there is none.
    Gone,
    /// A frame belongs to another node or data directory.
    Foreign {
        /// The segment's file.
        segment: String,
    },
    /// A frame was made by another version or is not what this version writes.
    Codec {
        /// The segment's file.
        segment: String,
        /// What is wrong.
        error: CodecError,
    },
    /// The writes do not follow from each other.
    Inconsistent {
        /// What is wrong.
        what: String,
    },
}

impl WalError {
    /// An error of the disk.
    pub(super) fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        move |error| Self::Io { doing, error }
    }
}

/// What a person can do about a log that cannot be trusted.
const REMEDY: &str = "restore the data directory from a copy, or wipe it and let the node join under a new id";

impl fmt::Display for WalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { doing, error } => write!(f, "write-ahead log: {doing}: {error}; check the disk, then restart"),
            Self::Full => f.write_str("write-ahead log: the disk is full: free space on it; nothing is lost"),
            Self::Damaged { segment, offset, intact } => {
                write!(f, "write-ahead log {segment} is damaged at byte {offset}, before {intact}: {REMEDY}")
            }
            Self::CutShort { segment, length, made } => {
                write!(f, "write-ahead log {segment} was cut short, {length} bytes of {made}: {REMEDY}")
            }
            Self::Missing { generation, named_by } => {
                write!(f, "write-ahead log segment {generation:x}, needed by {named_by}, is missing: {REMEDY}")
            }
            Self::Gone => write!(
                f,
                "the log is gone: mount or put back what was in wal/; if it is lost, give the node an empty directory and \
                 a new --id, since what it promised under this one is forgotten"
            ),
            Self::Foreign { segment } => {
                write!(f, "write-ahead log {segment} belongs to another node or data directory: put its own files back")
            }
            Self::Codec { segment, error } => write!(f, "write-ahead log {segment}: {error}"),
            Self::Inconsistent { what } => write!(f, "write-ahead log contradicts itself: {what}: {REMEDY}"),
        }
    }
}

impl std::error::Error for WalError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { error, .. } => Some(error),
            _ => None,
        }
    }
}
