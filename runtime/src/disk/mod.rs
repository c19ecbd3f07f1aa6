//! One directory of files, as the write-ahead log and the snapshots see it: what a simulated disk implements too.
//!
//! What is relied on, and nothing more: a synced file keeps its bytes and its length; a synced directory keeps its names;
//! an unsynced write may be kept, lost or kept in part; a rename is atomic.

mod real;

pub use real::RealDisk;

use std::io;

/// A directory. Clones are handles of the same one.
pub trait Disk: Clone + Send + 'static {
    /// An open file of it.
    type File: DiskFile;

    /// Makes an empty file for reading and writing; an existing one of that name is emptied.
    ///
    /// # Errors
    /// What the operating system says.
    fn create(&self, name: &str) -> io::Result<Self::File>;

    /// Opens an existing file for reading and writing.
    ///
    /// # Errors
    /// What the operating system says.
    fn open(&self, name: &str) -> io::Result<Self::File>;

    /// The names of the files, in any order.
    ///
    /// # Errors
    /// What the operating system says.
    fn list(&self) -> io::Result<Vec<String>>;

    /// Gives a file another name, atomically; a file that has it is replaced. Durable after [`Disk::sync_dir`].
    ///
    /// # Errors
    /// What the operating system says.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file. Durable after [`Disk::sync_dir`].
    ///
    /// # Errors
    /// What the operating system says.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Makes all names durable.
    ///
    /// # Errors
    /// What the operating system says.
    fn sync_dir(&self) -> io::Result<()>;
}

/// An open file.
pub trait DiskFile: Send + 'static {
    /// Its length in bytes.
    ///
    /// # Errors
    /// What the operating system says.
    fn size(&self) -> io::Result<u64>;

    /// Reads at `offset` up to the buffer's length; fewer bytes only at the end of the file.
    ///
    /// # Errors
    /// What the operating system says.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;

    /// Writes all bytes at `offset`.
    ///
    /// # Errors
    /// What the operating system says. Any part may have been written then.
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Makes bytes and length durable.
    ///
    /// # Errors
    /// What the operating system says. Nothing is known then of what was written since the last sync.
    fn sync_data(&mut self) -> io::Result<()>;

    /// Makes the file at least `length` bytes long, of zeros where it is new, with its space reserved and the length
    /// durable: a later write inside it cannot run out of space.
    ///
    /// # Errors
    /// `StorageFull` when there is no space; else what the operating system says.
    fn preallocate(&mut self, length: u64) -> io::Result<()>;
}

/// Whether an error says that there is no space left.
pub fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// Reads a whole file.
///
/// # Errors
/// Those of the file.
pub fn read_all(file: &impl DiskFile) -> io::Result<Vec<u8>> {
    let length = usize::try_from(file.size()?).map_err(io::Error::other)?;
    let mut bytes = vec![0; length];
    let read = file.read_at(0, &mut bytes)?;
    bytes.truncate(read);
    Ok(bytes)
}
