//! Where a demo leaves its data, its logs and its history.

use crate::cli::Failure;
use std::io;
use std::path::{Path, PathBuf};

/// The directory of one demo.
#[derive(Debug)]
pub(super) struct Place {
    directory: PathBuf,
    kept: bool,
}

impl Place {
    /// A new directory among the temporary ones, or the given one, which must hold nothing.
    pub(super) fn make(keep: Option<&Path>) -> Result<Self, Failure> {
        let name = format!("quorate-demo-{}-{:08x}", std::process::id(), fastrand::u32(..));
        let directory = keep.map_or_else(|| std::env::temp_dir().join(name), Path::to_path_buf);
        let made = std::fs::create_dir_all(&directory).and_then(|()| {
            if std::fs::read_dir(&directory)?.next().is_some() {
                return Err(io::Error::other("it is not empty"));
            }
            // Whoever reads the report may be elsewhere.
            directory.canonicalize()
        });
        let directory = made.map_err(|error| {
            let next = "name a new or empty directory with --keep DIR";
            Failure::new(format!("{}: {error}", directory.display()), next)
        })?;
        Ok(Self { directory, kept: keep.is_some() })
    }

    /// Everything is in here.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// The history file.
    pub(super) fn history(&self) -> PathBuf {
        self.directory.join("history.jsonl")
    }

    /// Where what the nodes were given is kept, if the directory is.
    pub(super) fn records(&self) -> PathBuf {
        self.directory.join("records")
    }

    /// After an interruption nobody needs anything.
    pub(super) fn abandon(&self) {
        if !self.kept {
            let _ = std::fs::remove_dir_all(&self.directory); // Best effort, as below.
        }
    }

    /// After a success nobody needs the data and the logs; the history stays.
    pub(super) fn tidy_up(&self) {
        if self.kept {
            return;
        }
        for entry in std::fs::read_dir(&self.directory).into_iter().flatten().flatten() {
            let path = entry.path();
            if path != self.history() {
                // Best effort: it is in the directory for temporary files.
                let _ = if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_holds_something_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let place = Place::make(Some(directory.path())).unwrap();
        std::fs::write(place.history(), "").unwrap();
        assert!(Place::make(Some(directory.path())).is_err());
        place.tidy_up();
        assert!(place.history().exists());
    }

    #[test]
    fn of_a_temporary_directory_the_history_stays() {
        let place = Place::make(None).unwrap();
        std::fs::write(place.history(), "").unwrap();
        std::fs::create_dir(place.directory().join("node-1")).unwrap();
        place.tidy_up();
        assert_eq!(std::fs::read_dir(place.directory()).unwrap().count(), 1);
        std::fs::remove_dir_all(place.directory()).unwrap();
    }
}
