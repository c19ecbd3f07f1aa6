//! Checks of the shell around the core: the real write-ahead log, snapshots, recovery, codec, data directory and driver,
//! on disks in memory that crash at any step. Each scope is a function of a seed and repeats bit for bit, but for the two
//! that run real threads, which claim nothing about when.
//!
//! What is judged is what a node may rely on: acknowledged writes survive, a directory opens again, nothing foreign or
//! damaged is taken. The storage's own tests look closer; this is where deliberate bugs ([`mutants`]) must show.

#[cfg(feature = "mutants")]
pub mod mutants;

mod codec;
mod damage;
mod directory;
mod driver;
mod node;
mod restarts;
mod snapshots;
mod thread;
mod wal;

/// The disk in memory of the storage's own tests.
#[path = "../../../runtime/tests/storage/disk.rs"]
#[allow(dead_code, reason = "the storage's tests ask it more")]
mod disk;
/// Their random lanes of writes.
#[path = "../../../runtime/tests/storage/lane.rs"]
#[allow(dead_code, reason = "the storage's tests ask it more")]
mod lane;

use quorate_spec::Violation;

/// What a scope checks, with one seed: how many steps it took, or what is broken and after how many steps.
pub type Check = fn(u64) -> Result<u64, Broken>;

/// A property that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Which, and how.
    pub violation: Violation,
    /// After how many steps.
    pub steps: u64,
}

impl Broken {
    fn new(property: &'static str, steps: u64, evidence: impl Into<String>) -> Self {
        Self { violation: Violation::new(property, evidence.into()), steps }
    }
}

/// A scope: its name, its check, and how many seeds are enough.
#[derive(Clone, Copy, Debug)]
pub struct Scope {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub about: &'static str,
    /// How many seeds are tried.
    pub seeds: u64,
    /// The check.
    pub check: Check,
}

/// All scopes.
pub const SCOPES: &[Scope] = &[
    Scope { name: "wal", about: "a lane of writes, cut by crashes and failing syncs", seeds: 150, check: wal::check },
    Scope { name: "thread", about: "the log's thread: what is reported is durable", seeds: 4, check: thread::check },
    Scope { name: "damage", about: "a log damaged, misplaced, cut short or gone", seeds: 4, check: damage::check },
    Scope {
        name: "snapshots",
        about: "snapshot files, cut by crashes and shortened",
        seeds: 40,
        check: snapshots::check,
    },
    Scope { name: "node", about: "a whole node of one voter, crashing at any step", seeds: 120, check: node::check },
    Scope {
        name: "restarts",
        about: "a voter between two candidates, and a destroyed replica, restarted",
        seeds: 2,
        check: restarts::check,
    },
    Scope { name: "codec", about: "frames that are not what they should be", seeds: 20, check: codec::check },
    Scope {
        name: "directory",
        about: "data directories wiped, reopened and shared",
        seeds: 1,
        check: directory::check,
    },
    Scope { name: "driver", about: "the driver between real sockets and a held disk", seeds: 2, check: driver::check },
];

/// The scope of this name.
pub fn scope(name: &str) -> Option<&'static Scope> {
    SCOPES.iter().find(|scope| scope.name == name)
}

impl Scope {
    /// Tries every seed. The number of steps of all, or the first broken property.
    ///
    /// # Errors
    /// A property that does not hold.
    pub fn pass(&self) -> Result<u64, Broken> {
        (0..self.seeds).map(self.check).sum()
    }
}
