//! The real disk: one directory of the operating system.

use super::{Disk, DiskFile};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How much is synced at a time while space is prepared: small enough not to hold up the log's own syncs.
const PREPARE_BYTES: u64 = 1 << 20;
/// How much is written at a time while space is prepared. The page cache keeps what one write brought as one folio: a
/// small write and its sync have to look through all of it (in one of 1 MiB they took half as much time again), and a
/// large write touches many of them if they are too small.
const FOLIO: usize = 64 << 10;

/// A directory of the operating system.
#[derive(Clone, Debug)]
pub struct RealDisk {
    path: Arc<PathBuf>,
}

impl RealDisk {
    /// The directory at `path`, which exists.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: Arc::new(path.into()) }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Disk for RealDisk {
    type File = RealFile;

    fn create(&self, name: &str) -> io::Result<RealFile> {
        let options = OpenOptions::new().read(true).write(true).create(true).truncate(true).clone();
        options.open(self.path.join(name)).map(RealFile)
    }

    fn open(&self, name: &str) -> io::Result<RealFile> {
        OpenOptions::new().read(true).write(true).open(self.path.join(name)).map(RealFile)
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&*self.path)? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                names.extend(entry.file_name().into_string().ok());
            }
        }
        Ok(names)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path.join(from), self.path.join(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path.join(name))
    }

    fn sync_dir(&self) -> io::Result<()> {
        File::open(&*self.path)?.sync_all()
    }
}

/// A file of the operating system.
#[derive(Debug)]
pub struct RealFile(File);

impl DiskFile for RealFile {
    fn size(&self) -> io::Result<u64> {
        self.0.metadata().map(|metadata| metadata.len())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.0.read_at(rest, offset + filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all_at(bytes, offset)
    }

    fn sync_data(&mut self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn preallocate(&mut self, length: u64) -> io::Result<()> {
        let old = self.size()?;
        if old >= length {
            return Ok(());
        }
        reserve(&self.0, old, length - old)?;
        // Reserved extents alone would cost every later sync a journal commit to mark them written (a third of its
        // time on ext4); zeros written now do not.
        let zeros = [0; FOLIO];
        let mut at = old;
        while at < length {
            let piece = usize::try_from(length - at).ok().and_then(|rest| zeros.get(..rest)).unwrap_or(&zeros);
            self.0.write_all_at(piece, at)?;
            at += piece.len() as u64;
            if at.is_multiple_of(PREPARE_BYTES) {
                self.0.sync_data()?;
            }
        }
        self.0.sync_all()
    }
}

/// Asks the file system for the space at once, so that a full disk is noticed before anything is written. A file system
/// that cannot reserve is asked by writing.
fn reserve(file: &File, offset: u64, length: u64) -> io::Result<()> {
    use rustix::fs::{FallocateFlags, fallocate};
    use rustix::io::Errno;
    match fallocate(file, FallocateFlags::empty(), offset, length) {
        Ok(()) | Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INTR) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}
