//! The asynchronous client: [`Client::connect`], then [`get`](Client::get), [`put`](Client::put),
//! [`append`](Client::append), and what operators need.
//!
//! Every write takes effect at most once, however often it is sent: the client keeps a session, finds the leader of
//! each key's shard, and asks again until it is answered or the deadline passes. What then cannot be known is said so
//! ([`Error::is_unknown`]) and not tried again. Reads are linearizable.
//!
//! A [`Client`] is a handle; clones share its session, its connections and the task that looks after them. Writes to one
//! shard go one after another within a session, writes to different shards and all reads go side by side. Dropping a
//! call's future does not withdraw the call; dropping the last handle ends the task and closes the connections.
//!
//! It decides nothing: `quorate_core::client` does.

mod connection;
mod contact;
mod driver;
mod error;
mod handle;
#[cfg(test)]
mod tests;
mod timers;

pub use error::Error;
pub use quorate_core::client::Trouble;

use driver::Command;
use handle::Handle;
use quorate_core::bytes::Bytes;
use quorate_core::client::{Operation, Outcome};
use quorate_core::controller::{Change, Configuration, Directory};
use quorate_core::shard::{WriteAnswer, WriteOp};
use quorate_core::status::NodeStatus;
use quorate_spec::ids::{ConfigNum, Gid, NodeId, Position, ShardId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// How to reach a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Addresses (`host:port`) of some nodes of the cluster; any one that answers is enough.
    pub seeds: Vec<String>,
    /// The cluster's name, if nodes of another are to be refused.
    pub cluster: Option<String>,
    /// How long a call may take with all its retries. 10 s by default.
    pub deadline: Duration,
    /// How long one server may take to answer before another is asked. 1 s by default; the controller gets twice
    /// as long, but never more than 5 s.
    pub attempt_timeout: Duration,
}

impl Options {
    /// The defaults, with these seeds.
    pub fn new(seeds: Vec<String>) -> Self {
        Self { seeds, cluster: None, deadline: Duration::from_secs(10), attempt_timeout: Duration::from_secs(1) }
    }
}

/// What a read found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// The value; `None` if the key is missing.
    pub value: Option<Vec<u8>>,
    /// The key's shard.
    pub shard: u64,
    /// The state that was read.
    pub position: Position,
}

/// A write that took effect, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// The key's shard.
    pub shard: u64,
    /// Where in the shard's history it took effect.
    pub position: Position,
}

/// A change of the configuration that was executed, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Changed {
    /// The configuration that it made, or the latest if it was so already.
    pub config: u64,
    /// Whether it made one.
    pub changed: bool,
}

/// A handle to a client of one cluster. Cheap to clone; clones share one session.
#[derive(Clone, Debug)]
pub struct Client {
    handle: Arc<Handle>,
}

impl Client {
    /// Reaches the cluster through one of its nodes. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// [`Error::Unreachable`] with what happened at each seed, as soon as all have failed or when the deadline passes;
    /// [`Error::OtherCluster`] if it bears another name.
    pub async fn connect(options: Options) -> Result<Self, Error> {
        let client = Self { handle: Arc::new(Handle::start(options)) };
        client.ask(|answer| Command::Connect { answer }).await??;
        Ok(client)
    }

    /// Reads a key: its value at some moment between this call and its answer.
    ///
    /// # Errors
    /// [`Error::Timeout`], [`Error::KeyTooLarge`].
    pub async fn get(&self, key: impl AsRef<[u8]>) -> Result<Read, Error> {
        match self.call(Operation::Get { key: Bytes::from(key.as_ref()) }).await? {
            Outcome::Value { value, shard, position } => {
                Ok(Read { value: value.map(|value| value.to_vec()), shard: shard.get(), position })
            }
            other => Err(failed(other)),
        }
    }

    /// Replaces the value of a key.
    ///
    /// # Errors
    /// [`Error::Unknown`] (it may have taken effect), [`Error::NotExecuted`], [`Error::KeyTooLarge`],
    /// [`Error::ValueTooLarge`] (it has none).
    pub async fn put(&self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<Written, Error> {
        self.write(key.as_ref(), WriteOp::Put { value: Bytes::from(value.as_ref()) }).await
    }

    /// Adds to the end of the value of a key; a missing key counts as empty.
    ///
    /// # Errors
    /// As [`Self::put`].
    pub async fn append(&self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<Written, Error> {
        self.write(key.as_ref(), WriteOp::Append { value: Bytes::from(value.as_ref()) }).await
    }

    async fn write(&self, key: &[u8], op: WriteOp) -> Result<Written, Error> {
        match self.call(Operation::Write { key: Bytes::from(key), op }).await? {
            Outcome::Written { answer: WriteAnswer::Done, shard, position } => {
                Ok(Written { shard: shard.get(), position })
            }
            Outcome::Written { answer: WriteAnswer::ValueTooLarge { limit }, .. } => {
                Err(Error::ValueTooLarge { limit })
            }
            other => Err(failed(other)),
        }
    }

    /// Adds groups, each with the nodes that serve it, and spreads the shards over all.
    ///
    /// # Errors
    /// [`Error::Refused`] with the reason; [`Error::Unknown`], [`Error::NotExecuted`].
    pub async fn join(&self, groups: BTreeMap<u64, Vec<u64>>) -> Result<Changed, Error> {
        let servers = |nodes: Vec<u64>| nodes.into_iter().map(NodeId::new).collect();
        let groups = groups.into_iter().map(|(gid, nodes)| (Gid::new(gid), servers(nodes))).collect();
        self.change(Change::Join { groups }).await
    }

    /// Takes groups out; their shards move to the others, with their data.
    ///
    /// # Errors
    /// As [`Self::join`].
    pub async fn leave(&self, gids: BTreeSet<u64>) -> Result<Changed, Error> {
        self.change(Change::Leave { gids: gids.into_iter().map(Gid::new).collect() }).await
    }

    /// Gives one shard to one group, without spreading the others anew.
    ///
    /// # Errors
    /// As [`Self::join`].
    pub async fn move_shard(&self, shard: u64, gid: u64) -> Result<Changed, Error> {
        self.change(Change::Move { shard: ShardId::new(shard), gid: Gid::new(gid) }).await
    }

    async fn change(&self, change: Change) -> Result<Changed, Error> {
        match self.call(Operation::Change(change)).await? {
            Outcome::Changed { config, changed } => Ok(Changed { config: config.get(), changed }),
            other => Err(failed(other)),
        }
    }

    /// The configuration of this number; the latest for `None` or a number beyond it. Linearizable.
    ///
    /// # Errors
    /// [`Error::Timeout`].
    pub async fn query(&self, num: Option<u64>) -> Result<Arc<Configuration>, Error> {
        match self
            .call(Operation::Query { num: num.map(|num| ConfigNum::new(num.min(ConfigNum::LARGEST.get()))) })
            .await?
        {
            Outcome::Configuration(config) => Ok(config),
            other => Err(failed(other)),
        }
    }

    /// Hands the leadership of a group (0: the controller) over to one of its nodes. Only begins it: `status` shows
    /// when it is done.
    ///
    /// # Errors
    /// [`Error::Refused`] if that node has no vote in the group; [`Error::Unknown`], [`Error::NotExecuted`].
    pub async fn transfer(&self, gid: u64, to: u64) -> Result<(), Error> {
        let operation = Operation::TransferLeadership { gid: Gid::new(gid), to: NodeId::new(to) };
        match self.call(operation).await? {
            Outcome::TransferStarted => Ok(()),
            other => Err(failed(other)),
        }
    }

    /// The newest configuration and directory that this client knows, after asking one node for newer ones. Not
    /// linearizable: [`Self::query`] is. Both are empty if no node has answered yet.
    pub async fn map(&self) -> (Arc<Configuration>, Arc<Directory>) {
        let answered = self.ask(|answer| Command::Map { answer }).await;
        answered.unwrap_or_default()
    }

    /// The state of the node at an address.
    ///
    /// # Errors
    /// [`Error::Unreachable`], [`Error::OtherCluster`].
    pub async fn status(&self, address: &str) -> Result<Arc<NodeStatus>, Error> {
        self.ask(|answer| Command::Status { address: address.to_owned(), answer }).await?
    }

    async fn call(&self, operation: Operation) -> Result<Outcome, Error> {
        self.ask(|answer| Command::Call { operation, answer }).await
    }

    /// Has a command done and waits for its answer.
    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Result<T, Error> {
        let (answer, answered) = oneshot::channel();
        self.handle.take(command(answer))?;
        answered.await.map_err(|_| Error::Closed)
    }
}

/// An outcome that is not the one asked for.
fn failed(outcome: Outcome) -> Error {
    match outcome {
        Outcome::Unknown { trouble: why } => Error::Unknown { why },
        Outcome::NotExecuted { trouble: why } => Error::NotExecuted { why },
        Outcome::Timeout { trouble: why } => Error::Timeout { why },
        Outcome::Refused(refusal) => refusal.into(),
        Outcome::RefusedByController(refusal) => refusal.into(),
        Outcome::Value { .. }
        | Outcome::Written { .. }
        | Outcome::Changed { .. }
        | Outcome::Configuration(_)
        | Outcome::TransferStarted
        | Outcome::Map { .. } => unreachable!("the machine ends a call by an outcome of its operation"),
    }
}
