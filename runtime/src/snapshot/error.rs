//! What can be wrong with a snapshot, in one line that says what to do.

use crate::codec::CodecError;
use crate::disk::is_full;
use std::fmt;
use std::io;

/// Why a snapshot was not written or not read.
#[derive(Debug)]
pub enum SnapshotError {
    /// The disk failed.
    Io {
        /// The file.
        file: String,
        /// What the operating system says.
        error: io::Error,
    },
    /// A part of the file is damaged or was made by another version.
    Codec {
        /// The file.
        file: String,
        /// What is wrong.
        error: CodecError,
    },
    /// The parts are intact and do not belong together.
    Damaged {
        /// The file.
        file: String,
        /// What is wrong.
        what: &'static str,
    },
}

impl SnapshotError {
    pub(super) fn io(file: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let file = file.into();
        move |error| Self::Io { file, error }
    }

    /// Whether there was no space: worth another try when there is.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Io { error, .. } if is_full(error))
    }
}

/// What a person can do about a snapshot that cannot be read.
const REMEDY: &str = "restore it from a copy, or wipe the data directory and let the node join under a new id";

impl fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { file, error } if error.kind() == io::ErrorKind::NotFound => {
                write!(f, "snapshot {file} is missing: {REMEDY}")
            }
            Self::Io { file, error } => write!(f, "snapshot {file}: {error}; check the disk, then restart"),
            Self::Codec { file, error } => write!(f, "snapshot {file}: {error}: {REMEDY}"),
            Self::Damaged { file, what } => write!(f, "snapshot {file} is damaged ({what}): {REMEDY}"),
        }
    }
}

impl std::error::Error for SnapshotError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { error, .. } => Some(error),
            Self::Codec { error, .. } => Some(error),
            Self::Damaged { .. } => None,
        }
    }
}
