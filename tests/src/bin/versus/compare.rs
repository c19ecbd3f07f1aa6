//! The order of a comparison: one cluster at a time, first a pass that counts syncs, then the rounds in turn.

use crate::Arguments;
use crate::figures::Figures;
use crate::load::{self, Cell, Data, Mix, Window};
use crate::store::{Store, Target};
use crate::usage::Disk;
use crate::{store, syncs, usage};
use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

/// The longest window of the pass that counts.
const COUNTED: u64 = 2;

/// Connections of the clients and what else is open; both the clients and the servers need that many.
const OPEN_FILES: u64 = 16_384;

/// Sync calls in a window of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Syncs {
    pub(crate) calls: u64,
    pub(crate) operations: u64,
}

impl Syncs {
    /// Calls per operation.
    pub(crate) fn each(self) -> f64 {
        self.calls as f64 / self.operations as f64
    }
}

/// All that was measured of one store and cell.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    pub(crate) syncs: Syncs,
    /// One per round.
    pub(crate) rounds: Vec<Figures>,
}

/// A whole comparison.
#[derive(Debug)]
pub(crate) struct Compared {
    /// Ours and theirs.
    pub(crate) stores: [Store; 2],
    /// What each calls itself.
    pub(crate) versions: [String; 2],
    /// Where the data was.
    pub(crate) directory: PathBuf,
    /// On what kind of file system.
    pub(crate) file_system: String,
    pub(crate) disk: Disk,
    pub(crate) cells: Vec<Cell>,
    pub(crate) measured: BTreeMap<(Store, Cell), Measured>,
}

/// Compares.
///
/// # Errors
/// A program or a directory is missing, a store does not start, a request fails, a store answers writes that it has not
/// synced.
pub(crate) async fn run(arguments: &Arguments) -> Result<Compared, String> {
    let stores = [Store::Quorate, Store::Peer(arguments.against)];
    let versions = [stores[0].version()?, stores[1].version()?];
    store::version(Path::new("strace"), "strace")?;
    let base = arguments.dir.clone().unwrap_or_else(std::env::temp_dir);
    let file_system = usage::file_system(&base)?;
    raise_open_files();
    let data = Data::new(arguments.keys, arguments.value_bytes);
    let bench = Bench { data, disk: Disk::of(&base), base, cells: cells(arguments) };
    let mut measured = BTreeMap::new();
    for store in stores {
        let syncs = bench.count(store, Duration::from_secs(arguments.seconds.min(COUNTED))).await?;
        for (cell, syncs) in bench.cells.iter().zip(syncs) {
            measured.insert((store, *cell), Measured { syncs, rounds: Vec::new() });
        }
    }
    for round in 1..=arguments.rounds {
        for store in stores {
            let name = format!("round {round} of {}: {store}", arguments.rounds);
            let (cluster, _directory) = bench.start(store, &name, false).await?;
            for cell in &bench.cells {
                let length = Duration::from_secs(arguments.seconds);
                let window = bench.measure(cluster.as_ref(), *cell, &name, length).await?;
                if let Some(measured) = measured.get_mut(&(store, *cell)) {
                    measured.rounds.push(window.figures);
                }
            }
        }
    }
    if std::io::stderr().is_terminal() {
        eprintln!();
    }
    let Bench { disk, base: directory, cells, .. } = bench;
    Ok(Compared { stores, versions, directory, file_system, disk, cells, measured })
}

/// What is measured, each once and in the order in which it was asked for.
fn cells(arguments: &Arguments) -> Vec<Cell> {
    let mut cells = Vec::new();
    for mix in &arguments.mix {
        for clients in &arguments.clients {
            let cell = Cell { mix: *mix, clients: *clients };
            if !cells.contains(&cell) {
                cells.push(cell);
            }
        }
    }
    cells
}

/// What both stores are measured with.
struct Bench {
    data: Arc<Data>,
    base: PathBuf,
    disk: Disk,
    cells: Vec<Cell>,
}

impl Bench {
    /// A cluster that holds all the data, in a directory of its own.
    async fn start(&self, store: Store, name: &str, counted: bool) -> Result<(Box<dyn Target>, TempDir), String> {
        progress(&format!("{name} starts"));
        let directory = tempfile::Builder::new().prefix("versus-").tempdir_in(&self.base);
        let directory =
            directory.map_err(|error| format!("no directory for data: {error}: name another with --dir"))?;
        let cluster = store.start(directory.path(), counted).await?;
        let filled = load::fill(cluster.as_ref(), &self.data).await;
        filled.map_err(|error| format!("{name}: writing the data: {error}; {}", cluster.last_words()))?;
        Ok((cluster, directory))
    }

    async fn measure(&self, cluster: &dyn Target, cell: Cell, name: &str, length: Duration) -> Result<Window, String> {
        let name = format!("{name}, {cell}");
        progress(&name);
        let window = load::measure(cluster, cell, &self.data, &self.disk, length).await;
        window.map_err(|error| format!("{name}: {error}; {}", cluster.last_words()))
    }

    /// Counts the syncs of every cell.
    async fn count(&self, store: Store, length: Duration) -> Result<Vec<Syncs>, String> {
        let name = format!("counting syncs: {store}");
        let (cluster, directory) = self.start(store, &name, true).await?;
        let mut counted = Vec::new();
        for cell in &self.cells {
            let window = self.measure(cluster.as_ref(), *cell, &name, length).await?;
            let calls = syncs::count(directory.path(), window.time.0, window.time.1)?;
            let counts = Syncs { calls, operations: window.operations };
            check(store, *cell, counts)?;
            counted.push(counts);
        }
        Ok(counted)
    }
}

/// Writes must have been synced before they were answered, or the comparison is void.
fn check(store: Store, cell: Cell, syncs: Syncs) -> Result<(), String> {
    let needed = syncs::needed(syncs.operations, cell.clients as u64, store.disks_per_write());
    if cell.mix == Mix::Put && syncs.calls < needed {
        return Err(format!(
            "the comparison is void: {store} answered {} puts of {} clients with {} syncs, where durable answers need {needed}",
            syncs.operations, cell.clients, syncs.calls
        ));
    }
    Ok(())
}

/// Says what is being done, on one line of a terminal.
fn progress(what: &str) {
    if std::io::stderr().is_terminal() { eprint!("\r\x1b[K{what}") } else { eprintln!("{what}") }
}

/// Lets this program and the servers, which inherit it, open as many files as the system allows, within reason.
fn raise_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = maximum.map_or(OPEN_FILES, |most| most.min(OPEN_FILES));
    if current.is_some_and(|current| current < wanted) {
        // If it is refused, whoever then cannot open a connection says so.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Peer;

    #[test]
    fn answers_without_syncs_void_the_comparison() {
        let put = Cell { mix: Mix::Put, clients: 2 };
        let redis = Store::Peer(Peer::Redis);
        let syncs = |calls| Syncs { calls, operations: 1_004 };
        assert_eq!(check(redis, put, syncs(500)), Ok(()));
        let error = check(redis, put, syncs(499)).unwrap_err();
        assert!(error.contains("void: redis answered 1004 puts of 2 clients with 499 syncs"), "{error}");
        assert!(check(Store::Quorate, put, syncs(999)).is_err(), "two disks of three");
        assert!(check(Store::Quorate, put, syncs(1_000)).is_ok());
        assert_eq!(check(redis, Cell { mix: Mix::Get, ..put }, syncs(0)), Ok(()));
        assert!(check(redis, put, Syncs { calls: 0, operations: 1 }).is_err());
    }
}
