//! The asynchronous client.

use quorate_core::controller::{Configuration, Directory};
use quorate_core::status::NodeStatus;
use quorate_spec::ids::Position;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// How to connect.
#[derive(Clone, Debug)]
pub struct Options {
    pub seeds: Vec<String>,
    pub cluster: Option<String>,
    pub deadline: Duration,
    pub attempt_timeout: Duration,
}

impl Options {
    pub fn new(seeds: Vec<String>) -> Self {
        Self {
            seeds,
            cluster: None,
            deadline: Duration::from_secs(10),
            attempt_timeout: Duration::from_secs(1),
        }
    }
}

/// A session.
#[derive(Clone, Debug)]
pub struct Client;

#[derive(Clone, Debug)]
pub struct Read {
    pub value: Option<Vec<u8>>,
    pub shard: u64,
    pub position: Position,
}

#[derive(Clone, Debug)]
pub struct Written {
    pub shard: u64,
    pub position: Position,
}

#[derive(Clone, Debug)]
pub struct Changed {
    pub config: u64,
    pub changed: bool,
}

/// Why it did not work.
#[derive(Clone, Debug)]
pub struct Error;

impl Error {
    pub fn is_unknown(&self) -> bool {
        false
    }

    pub fn definitely_not_executed(&self) -> bool {
        true
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no cluster is connected")
    }
}

impl std::error::Error for Error {}

impl Client {
    pub async fn connect(_: Options) -> Result<Self, Error> {
        Err(Error)
    }

    pub async fn get(&self, _: impl AsRef<[u8]>) -> Result<Read, Error> {
        Err(Error)
    }

    pub async fn put(&self, _: impl AsRef<[u8]>, _: impl AsRef<[u8]>) -> Result<Written, Error> {
        Err(Error)
    }

    pub async fn append(&self, _: impl AsRef<[u8]>, _: impl AsRef<[u8]>) -> Result<Written, Error> {
        Err(Error)
    }

    pub async fn join(&self, _: BTreeMap<u64, Vec<u64>>) -> Result<Changed, Error> {
        Err(Error)
    }

    pub async fn leave(&self, _: BTreeSet<u64>) -> Result<Changed, Error> {
        Err(Error)
    }

    pub async fn move_shard(&self, _: u64, _: u64) -> Result<Changed, Error> {
        Err(Error)
    }

    pub async fn query(&self, _: Option<u64>) -> Result<Arc<Configuration>, Error> {
        Err(Error)
    }

    pub async fn transfer(&self, _: u64, _: u64) -> Result<(), Error> {
        Err(Error)
    }

    pub async fn map(&self) -> (Arc<Configuration>, Arc<Directory>) {
        Default::default()
    }

    pub async fn status(&self, _: &str) -> Result<Arc<NodeStatus>, Error> {
        Err(Error)
    }
}
