//! A temporary directory that stays when the test fails: what nodes wrote is evidence.

use std::path::Path;

/// Removed when dropped, unless the thread panics.
#[derive(Debug)]
pub struct Place(Option<tempfile::TempDir>);

impl Default for Place {
    fn default() -> Self {
        Self(Some(tempfile::tempdir().expect("a temporary directory")))
    }
}

impl Place {
    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.as_ref().expect("it is taken out when it is dropped").path()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(directory) = self.0.take()
            && std::thread::panicking()
        {
            println!("kept: {}", directory.keep().display());
        }
    }
}
