//! The stores that can be measured, and what is asked of each of them.

use crate::{etcd, ours, redis, syncs};
use bytes::Bytes;
use std::fmt;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::Command;

/// Something that will be there.
pub(crate) type Later<'a, T> = Pin<Box<dyn Future<Output = Result<T, String>> + Send + 'a>>;

/// One client's connection.
pub(crate) trait Connection: Send {
    /// Writes and waits until it is durable.
    fn put<'a>(&'a mut self, key: &'a [u8], value: &'a [u8]) -> Later<'a, ()>;
    /// Reads, linearizably.
    fn get<'a>(&'a mut self, key: &'a [u8]) -> Later<'a, Option<Bytes>>;
}

/// A running cluster. Ends when dropped.
pub(crate) trait Target {
    /// A connection of its own for one client.
    fn connect(&self) -> Later<'_, Box<dyn Connection>>;
    /// All its server processes.
    fn processes(&self) -> Vec<u32>;
    /// The end of what the servers said.
    fn last_words(&self) -> String;
}

/// What Quorate is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum Peer {
    /// Three members.
    Etcd,
    /// One server.
    Redis,
}

/// A store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Store {
    /// Three nodes that hold both the controller and one group.
    Quorate,
    /// The other one.
    Peer(Peer),
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Quorate => "quorate",
            Self::Peer(Peer::Etcd) => "etcd",
            Self::Peer(Peer::Redis) => "redis",
        })
    }
}

impl Store {
    /// On how many disks an answered write must be.
    pub(crate) fn disks_per_write(self) -> u64 {
        match self {
            Self::Quorate | Self::Peer(Peer::Etcd) => 2,
            Self::Peer(Peer::Redis) => 1,
        }
    }

    /// What it calls itself, or how to get it.
    pub(crate) fn version(self) -> Result<String, String> {
        match self {
            Self::Quorate => version(&quorate_tests::world::find_binary()?, "quorate"),
            Self::Peer(Peer::Etcd) => version(Path::new("etcd"), "etcd-server"),
            Self::Peer(Peer::Redis) => version(Path::new("redis-server"), "redis-server"),
        }
    }

    /// Starts a cluster whose data and logs go to `directory`; with its sync calls written down there if they are to be
    /// `counted`.
    pub(crate) async fn start(self, directory: &Path, counted: bool) -> Result<Box<dyn Target>, String> {
        let program = match self {
            Self::Quorate => quorate_tests::world::find_binary()?,
            Self::Peer(Peer::Etcd) => PathBuf::from("etcd"),
            Self::Peer(Peer::Redis) => PathBuf::from("redis-server"),
        };
        let program = if counted { syncs::counted(&program, directory)? } else { program };
        Ok(match self {
            Self::Quorate => Box::new(ours::Cluster::start(program, directory).await?),
            Self::Peer(Peer::Etcd) => Box::new(etcd::Cluster::start(&program, directory).await?),
            Self::Peer(Peer::Redis) => Box::new(redis::Single::start(&program, directory).await?),
        })
    }
}

/// The first line that `program --version` prints; if there is no such program, how to install its Debian `package`.
pub(crate) fn version(program: &Path, package: &str) -> Result<String, String> {
    let shown = program.display();
    let output = Command::new(program).arg("--version").output().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => format!("{shown} is missing: install it with 'apt-get install {package}'"),
        _ => format!("{shown} cannot be run: {error}"),
    })?;
    let said = String::from_utf8_lossy(&output.stdout);
    Ok(said.lines().next().unwrap_or_default().trim().to_owned())
}
