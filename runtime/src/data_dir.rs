//! A node's data directory: whose it is, which opening this is, and that only one process has it open.
//!
//! ```text
//! LOCK        held while the process runs
//! IDENTITY    format, cluster, node, stamp; written last when the directory is made, never changed
//! BOOT        a number for the last opening; grows durably, by a random step, before anything else is read
//! LOGGED      there since the log was first opened: from then on an empty wal/ is a loss, not a beginning
//! wal/        the write-ahead log
//! snapshots/  the snapshots
//! ```
//! A wrong, foreign, newer or damaged directory is refused, with the remedy; nothing in it is touched then.

mod error;
mod files;

pub use error::DataDirError;

use crate::codec::{FORMAT_VERSION, Identity};
use crate::disk::RealDisk;
use crate::mutants::mutant;
use files::{IdentityFile, read_boot, write_durably};
use quorate_core::spec::ids::{Boot, NodeId, Stamp};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

const LOCK: &str = "LOCK";
const IDENTITY: &str = "IDENTITY";
const BOOT: &str = "BOOT";
const LOGGED: &str = "LOGGED";
const WAL: &str = "wal";
const SNAPSHOTS: &str = "snapshots";
/// By how much a boot is later than the one before, at most.
const BOOT_STEPS: u128 = 1 << 20;

/// An open data directory. It is unlocked when this is dropped or the process ends.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    /// What every durable frame in it names.
    pub identity: Identity,
    /// Drawn at random when it was made.
    pub stamp: Stamp,
    /// This opening: later than every one before it.
    pub boot: Boot,
    /// Whether this is the first time.
    pub is_new: bool,
    _lock: File,
}

impl DataDir {
    /// Opens the data directory of a node, or makes it.
    ///
    /// # Errors
    /// It is not a directory, or has other contents, or belongs to another cluster or node, or is newer, damaged or in
    /// use; or the disk fails.
    pub fn open_or_create(path: &Path, cluster: &str, node: NodeId) -> Result<Self, DataDirError> {
        match fs::metadata(path) {
            Ok(metadata) if !metadata.is_dir() => return Err(DataDirError::NotADirectory { path: path.into() }),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(path).map_err(DataDirError::io("creating", path))?;
                sync_parents(path)?;
            }
            Err(error) => return Err(DataDirError::io("opening", path)(error)),
        }
        check_ours(path)?;
        let lock = lock(path)?;
        // Once more, now that nobody else can change it.
        check_ours(path)?;
        let is_new = !exists(&path.join(IDENTITY))?;
        if is_new {
            create(path, cluster, node)?;
        }
        let identity = IdentityFile::read(&path.join(IDENTITY))?;
        identity.check_expected(path, cluster, node)?;
        let boot = later(read_boot(&path.join(BOOT))?)?;
        write_durably(path, BOOT, &files::boot_text(boot))?;
        let stamp = identity.stamp()?;
        Ok(Self { path: path.into(), identity: Identity::new(cluster, node, stamp), stamp, boot, is_new, _lock: lock })
    }

    /// Whether the log was opened before, so that it must be there.
    ///
    /// # Errors
    /// The disk fails.
    pub fn was_logged(&self) -> Result<bool, DataDirError> {
        exists(&self.path.join(LOGGED))
    }

    /// The log is open: from now on it must be there. Durable when this returns; nothing may be promised before.
    ///
    /// # Errors
    /// The disk fails.
    pub fn note_logged(&self) -> Result<(), DataDirError> {
        if self.was_logged()? { Ok(()) } else { write_durably(&self.path, LOGGED, "") }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The log's directory.
    pub fn wal(&self) -> RealDisk {
        RealDisk::new(wal_path(&self.path))
    }

    /// The snapshots' directory.
    pub fn snapshots(&self) -> RealDisk {
        RealDisk::new(snapshots_path(&self.path))
    }
}

/// Where the log of a data directory is.
pub(crate) fn wal_path(data: &Path) -> PathBuf {
    data.join(WAL)
}

/// Where the snapshots of a data directory are.
pub(crate) fn snapshots_path(data: &Path) -> PathBuf {
    data.join(SNAPSHOTS)
}

fn exists(path: &Path) -> Result<bool, DataDirError> {
    path.try_exists().map_err(DataDirError::io("looking for", path))
}

/// A directory without an identity is ours only if it is empty or its making was interrupted.
fn check_ours(path: &Path) -> Result<(), DataDirError> {
    if exists(&path.join(IDENTITY))? {
        return Ok(());
    }
    for entry in fs::read_dir(path).map_err(DataDirError::io("listing", path))? {
        let entry = entry.map_err(DataDirError::io("listing", path))?;
        let name = entry.file_name();
        match name.to_str() {
            Some(LOCK | BOOT) => {}
            Some(name) if name == files::unfinished(IDENTITY) || name == files::unfinished(BOOT) => {}
            Some(WAL | SNAPSHOTS) if is_empty(&entry.path())? => {}
            Some(WAL | SNAPSHOTS) => return Err(DataDirError::NoIdentity { path: path.into() }),
            _ => {
                return Err(DataDirError::Foreign { path: path.into(), found: name.to_string_lossy().into_owned() });
            }
        }
    }
    Ok(())
}

fn is_empty(path: &Path) -> Result<bool, DataDirError> {
    let mut entries = fs::read_dir(path).map_err(DataDirError::io("listing", path))?;
    Ok(entries.next().is_none())
}

fn lock(path: &Path) -> Result<File, DataDirError> {
    let file = path.join(LOCK);
    let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&file);
    let opened = opened.map_err(DataDirError::io("opening", &file))?;
    match opened.try_lock() {
        Ok(()) => Ok(opened),
        Err(TryLockError::WouldBlock) if mutant!(LockNotTaken) => Ok(opened),
        Err(TryLockError::WouldBlock) => Err(DataDirError::Locked { path: path.into() }),
        Err(TryLockError::Error(error)) => Err(DataDirError::io("locking", &file)(error)),
    }
}

/// Makes an empty directory a node's. The identity comes last: before it, nothing counts.
fn create(path: &Path, cluster: &str, node: NodeId) -> Result<(), DataDirError> {
    for name in [WAL, SNAPSHOTS] {
        fs::create_dir_all(path.join(name)).map_err(DataDirError::io("creating", &path.join(name)))?;
    }
    write_durably(path, BOOT, &files::boot_text(Boot::ZERO))?;
    let stamp = if mutant!(StampRepeated) { Stamp::new(node.get().into()) } else { draw_stamp()? };
    let identity = IdentityFile::new(cluster, node, stamp);
    write_durably(path, IDENTITY, &identity.to_text())
}

/// A boot after `last`, by a random step: of two copies of a directory that are opened, each for itself, one is the older,
/// so that the nodes that meet both refuse it.
fn later(last: Boot) -> Result<Boot, DataDirError> {
    let step = if mutant!(BootRepeated) { 0 } else { draw()? % BOOT_STEPS + 1 };
    Ok(Boot::new(last.get().saturating_add(u64::try_from(step).unwrap_or(1))))
}

/// 128 bits from the operating system: two directories never have the same.
fn draw_stamp() -> Result<Stamp, DataDirError> {
    draw().map(Stamp::new)
}

/// 128 random bits.
fn draw() -> Result<u128, DataDirError> {
    let source = Path::new("/dev/urandom");
    let mut bytes = [0; 16];
    let read = File::open(source).and_then(|mut file| file.read_exact(&mut bytes));
    read.map_err(DataDirError::io("reading", source))?;
    Ok(u128::from_le_bytes(bytes))
}

/// Makes the names on the way to a new directory durable.
fn sync_parents(path: &Path) -> Result<(), DataDirError> {
    let path = fs::canonicalize(path).map_err(DataDirError::io("opening", path))?;
    for parent in path.ancestors().skip(1) {
        // A parent that we may not open was not made by us.
        match File::open(parent).and_then(|directory| directory.sync_all()) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(()),
            result => result.map_err(DataDirError::io("syncing", parent))?,
        }
    }
    Ok(())
}
