//! Why a data directory was refused, in one line that says what to do.

use quorate_core::spec::ids::NodeId;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why a data directory was not opened.
#[derive(Debug)]
pub enum DataDirError {
    /// There is a file of that name.
    NotADirectory {
        /// Where.
        path: PathBuf,
    },
    /// It has contents that are not ours.
    Foreign {
        /// Where.
        path: PathBuf,
        /// One of them.
        found: String,
    },
    /// It has a log or snapshots and does not say whose.
    NoIdentity {
        /// Where.
        path: PathBuf,
    },
    /// A newer version made it.
    Newer {
        /// Where.
        path: PathBuf,
        /// Its format.
        format: u16,
    },
    /// It belongs to another cluster.
    OtherCluster {
        /// Where.
        path: PathBuf,
        /// Whose it is.
        found: String,
        /// Whose it should be.
        expected: String,
    },
    /// It belongs to another node.
    OtherNode {
        /// Where.
        path: PathBuf,
        /// Whose it is.
        found: NodeId,
        /// Whose it should be.
        expected: NodeId,
    },
    /// A process has it open.
    Locked {
        /// Where.
        path: PathBuf,
    },
    /// One of its own files is damaged or missing.
    Damaged {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The disk fails.
    Io {
        /// What was done.
        doing: &'static str,
        /// Where.
        path: PathBuf,
        /// What the operating system says.
        error: io::Error,
    },
}

impl DataDirError {
    pub(super) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |error| Self::Io { doing, path, error }
    }
}

impl fmt::Display for DataDirError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotADirectory { path } => {
                write!(f, "{} is not a directory: name another data directory", path.display())
            }
            Self::Foreign { path, found } => write!(
                f,
                "{} is not a data directory of quorate (it contains {found}): name an empty or a new one",
                path.display()
            ),
            Self::NoIdentity { path } => write!(
                f,
                "{} has data and no IDENTITY file: restore that file from a copy, or wipe the directory and use a new node id",
                path.display()
            ),
            Self::Newer { path, format } => {
                write!(f, "{} was made by a newer version (format {format}): upgrade this program", path.display())
            }
            Self::OtherCluster { path, found, expected } => write!(
                f,
                "{} belongs to cluster \"{found}\", not \"{expected}\": name its cluster, or another data directory",
                path.display()
            ),
            Self::OtherNode { path, found, expected } => write!(
                f,
                "{} belongs to node {}, not {}: start it with --id {}, or name another data directory",
                path.display(),
                found.get(),
                expected.get(),
                found.get()
            ),
            Self::Locked { path } => {
                write!(f, "{} is in use by another process: stop it, or name another data directory", path.display())
            }
            Self::Damaged { file, what } => write!(
                f,
                "{} is damaged ({what}): restore the data directory from a copy, or wipe it and use a new node id",
                file.display()
            ),
            Self::Io { doing, path, error } => {
                write!(f, "{doing} {}: {error}; check permissions, space and the disk", path.display())
            }
        }
    }
}

impl std::error::Error for DataDirError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { error, .. } => Some(error),
            _ => None,
        }
    }
}
