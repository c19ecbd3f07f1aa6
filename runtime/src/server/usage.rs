//! What the process and its data directory take: measured now and then on a thread of its own, for `status`.
//!
//! A failing disk may hold up whoever looks at it; the driver must never wait for one, so it only ever reads what was
//! measured last. A measure that fails keeps the one before: it is for people, nothing depends on it.

use crate::data_dir::{snapshots_path, wal_path};
use crate::snapshot::parse_name;
use quorate_core::spec::ids::GroupId;
use quorate_core::status::{HostStatus, SnapshotFile};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// Between two measures.
const EVERY: Duration = Duration::from_secs(2);

/// The last measure, and the thread that renews it until this is dropped.
pub(super) struct Usage {
    last: Arc<Mutex<HostStatus>>,
    _until_dropped: Sender<()>,
}

impl Usage {
    /// Begins to watch a node's data directory.
    ///
    /// # Errors
    /// The operating system starts no thread.
    pub(super) fn watch(data: &Path, cluster: &str) -> io::Result<Self> {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let mut status = HostStatus { cluster: cluster.to_owned(), version, ..HostStatus::default() };
        measure(data, &mut status);
        let last = Arc::new(Mutex::new(status.clone()));
        let (until_dropped, dropped) = mpsc::channel::<()>();
        let (renewed, data): (_, PathBuf) = (Arc::clone(&last), data.into());
        thread::Builder::new().name("quorate-usage".into()).spawn(move || {
            while dropped.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
                measure(&data, &mut status);
                *renewed.lock().unwrap_or_else(PoisonError::into_inner) = status.clone();
            }
        })?;
        Ok(Self { last, _until_dropped: until_dropped })
    }

    /// What was measured last.
    pub(super) fn last(&self) -> HostStatus {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn measure(data: &Path, status: &mut HostStatus) {
    status.memory_bytes = resident_bytes();
    status.free_bytes = rustix::fs::statvfs(data).ok().map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize));
    if let Ok(files) = files(&wal_path(data)) {
        status.wal_bytes = files.into_iter().map(|(_, bytes)| bytes).sum();
    }
    if let Ok(files) = files(&snapshots_path(data)) {
        status.snapshots = newest(files);
    }
}

/// The newest snapshot of each group: an older one is about to go.
fn newest(files: Vec<(String, u64)>) -> Vec<SnapshotFile> {
    let mut newest: BTreeMap<GroupId, SnapshotFile> = BTreeMap::new();
    for (name, bytes) in files {
        let Some((group, position)) = parse_name(&name) else { continue };
        let file = SnapshotFile { group, last: position.index, bytes };
        let known = newest.entry(group).or_insert(file);
        if known.last < file.last {
            *known = file;
        }
    }
    newest.into_values().collect()
}

/// The files of a directory and their lengths. One that goes meanwhile is none.
fn files(directory: &Path) -> io::Result<Vec<(String, u64)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if let (Ok(name), Ok(metadata)) = (entry.file_name().into_string(), entry.metadata()) {
            files.push((name, metadata.len()));
        }
    }
    Ok(files)
}

/// What Linux says of this process (`VmRSS`).
fn resident_bytes() -> Option<u64> {
    let text = fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes.saturating_mul(1024))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::snapshot_name;
    use quorate_core::raft::LogPosition;
    use quorate_core::spec::ids::{ConfigNum, Gid, LogIndex, Term};

    #[test]
    fn logs_snapshots_and_memory_are_measured() {
        let data = tempfile::tempdir().expect("a directory");
        fs::create_dir(wal_path(data.path())).expect("made");
        fs::create_dir(snapshots_path(data.path())).expect("made");
        fs::write(wal_path(data.path()).join("1.wal"), [0; 100]).expect("written");
        fs::write(wal_path(data.path()).join("2.wal"), [0; 23]).expect("written");
        let group = GroupId::new(Gid::new(7), ConfigNum::new(2));
        for (index, bytes) in [(9, 5), (12, 6)] {
            let last = LogPosition { term: Term::new(1), index: LogIndex::new(index) };
            fs::write(snapshots_path(data.path()).join(snapshot_name(group, last)), vec![0; bytes]).expect("written");
        }
        fs::write(snapshots_path(data.path()).join("other"), [0; 50]).expect("written");
        let status = Usage::watch(data.path(), "name").expect("a thread").last();
        assert_eq!((status.cluster.as_str(), status.wal_bytes), ("name", 123));
        assert_eq!(status.snapshots, [SnapshotFile { group, last: LogIndex::new(12), bytes: 6 }]);
        assert!(status.memory_bytes > Some(1 << 20) && status.free_bytes.is_some(), "{status:?}");
    }
}
