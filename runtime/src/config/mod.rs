//! A node's configuration: flags over a file over defaults, checked as a whole before anything is opened.
//!
//! Every refusal is one line that names the flag and says what to write.

mod args;
mod file;

pub use args::{LogFormat, LogLevel, NodeArgs};

use crate::codec::Kind;
use file::FileConfig;
use quorate_core::keyspace::SLOTS;
use quorate_core::limits::Limits;
use quorate_spec::ids::NodeId;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// The cluster's name, unless another is given.
pub const DEFAULT_CLUSTER: &str = "quorate";
/// How many shards a cluster has, unless another number is given.
pub const DEFAULT_SHARDS: u32 = 64;
/// The election time-out in milliseconds, unless another is given.
pub const DEFAULT_ELECTION_MS: u64 = 300;
/// How long the record of one run may be, in bytes, unless another length is given.
pub const DEFAULT_RECORD_BYTES: u64 = 64 << 20;
/// What an election time-out may be, in milliseconds.
const ELECTION_MS: std::ops::RangeInclusive<u64> = 50..=60_000;
/// How much log a group may gather before it writes its state again, in hundredths of the state: up to a hundred times it.
const SNAPSHOT_STATE_PERCENT: std::ops::RangeInclusive<u64> = 0..=10_000;
/// The longest name of a cluster, in bytes: it is part of every hello.
const CLUSTER_BYTES: usize = 255;
/// The largest chunk or append batch, in bytes: with one more entry it stays below the limit of a frame.
const CHUNK_BYTES: usize = Kind::Peer.limit() as usize / 4;
/// The largest key and value together, in bytes: with what is around them they stay below the limit of a frame.
const ENTRY_BYTES: usize = Kind::Request.limit() as usize - (64 << 10);

/// How a node is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeConfig {
    /// Its data directory.
    pub data: PathBuf,
    /// Where it listens: `host:port`.
    pub listen: String,
    /// Where others reach it: `host:port`; where it listens, if not given.
    pub advertise: Option<String>,
    /// Its id, at least 1.
    pub id: NodeId,
    /// The cluster's name.
    pub cluster: String,
    /// The controller's members and their addresses.
    pub controllers: BTreeMap<NodeId, String>,
    /// How many shards the cluster has.
    pub shards: u32,
    /// The election time-out.
    pub election: Duration,
    /// How log lines look.
    pub log: LogFormat,
    /// Which log lines are written.
    pub log_level: LogLevel,
    /// Where its inputs are recorded, if they are.
    pub record: Option<PathBuf>,
    /// How long the record of one run may be, in bytes.
    pub record_bytes: u64,
    /// The folder where the steps of the protocol are written down, if anywhere.
    pub trace: Option<PathBuf>,
    /// The core's limits.
    pub limits: Limits,
}

/// What is wrong with a configuration, in one line that says what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError(pub String);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}

impl NodeConfig {
    /// From flags, and from the file that they name: a flag overrides the same setting of the file.
    ///
    /// # Errors
    /// The file cannot be read or understood, a setting is missing, or one is out of its range.
    pub fn from_args(args: NodeArgs) -> Result<Self, ConfigError> {
        let file = args.config.as_deref().map(FileConfig::read).transpose()?.unwrap_or_default();
        let controllers = if args.controllers.is_empty() {
            file.controllers()?
        } else {
            members(args.controllers.iter().map(|member| (member.node, member.address.clone())))?
        };
        let config = Self {
            data: args.data.or(file.data).ok_or_else(|| missing("data", "DIR", "data = \"DIR\""))?,
            listen: args
                .listen
                .or(file.listen)
                .ok_or_else(|| missing("listen", "HOST:PORT", "listen = \"HOST:PORT\""))?,
            advertise: args.advertise.or(file.advertise),
            id: NodeId::new(args.id.or(file.id).ok_or_else(|| missing("id", "N", "id = N"))?),
            cluster: args.cluster.or(file.cluster).unwrap_or_else(|| DEFAULT_CLUSTER.to_owned()),
            controllers,
            shards: args.shards.or(file.shards).unwrap_or(DEFAULT_SHARDS),
            election: Duration::from_millis(args.election_ms.or(file.election_ms).unwrap_or(DEFAULT_ELECTION_MS)),
            log: args.log.or(file.log).unwrap_or_default(),
            log_level: args.log_level.or(file.log_level).unwrap_or_default(),
            record: args.record.or(file.record),
            record_bytes: args.record_bytes.or(file.record_bytes).unwrap_or(DEFAULT_RECORD_BYTES),
            trace: args.trace,
            limits: file.limits.over(Limits::default()),
        };
        config.check()?;
        Ok(config)
    }

    /// Refuses what cannot work, before anything is opened.
    fn check(&self) -> Result<(), ConfigError> {
        let refuse = |what: String| Err(ConfigError(what));
        if self.id == NodeId::ZERO {
            return refuse("--id 0 is not a node: ids begin at 1".to_owned());
        }
        if self.cluster.is_empty() || self.cluster.len() > CLUSTER_BYTES {
            return refuse(format!("--cluster needs a name of 1 to {CLUSTER_BYTES} bytes"));
        }
        if self.shards == 0 || u64::from(self.shards) > SLOTS {
            return refuse(format!("--shards {} is out of range: give 1 to {SLOTS}", self.shards));
        }
        let election = u64::try_from(self.election.as_millis()).unwrap_or(u64::MAX);
        if !ELECTION_MS.contains(&election) {
            let (least, most) = (ELECTION_MS.start(), ELECTION_MS.end());
            return refuse(format!("--election-ms {election} is out of range: give {least} to {most}"));
        }
        if self.controllers.is_empty() {
            return refuse(
                "who holds the controller? Give --controllers 1=HOST:PORT,2=HOST:PORT,3=HOST:PORT, the same on every node"
                    .to_owned(),
            );
        }
        check_address("--listen", &self.listen)?;
        for address in self.advertise.iter().chain(self.controllers.values()) {
            check_reachable(address)?;
        }
        self.check_own_entry()?;
        self.check_limits()
    }

    /// A controller's member is reached where `--controllers` says, whatever else it may say of itself.
    fn check_own_entry(&self) -> Result<(), ConfigError> {
        match (self.controllers.get(&self.id), &self.advertise) {
            (Some(named), Some(advertised)) if named != advertised => Err(ConfigError(format!(
                "--controllers says that node {} is at {named}, --advertise says {advertised}: give the same address, or \
                 leave --advertise out",
                self.id.get()
            ))),
            _ => Ok(()),
        }
    }

    fn check_limits(&self) -> Result<(), ConfigError> {
        let Limits { key_bytes, value_bytes, shard_chunk_bytes, raft, .. } = &self.limits;
        if *key_bytes == 0 || key_bytes.saturating_add(*value_bytes) > ENTRY_BYTES {
            return Err(ConfigError(format!(
                "limits.key_bytes and limits.value_bytes may be {ENTRY_BYTES} bytes together, and a key at least 1: lower them"
            )));
        }
        let chunks = [
            ("append_bytes", raft.append_bytes),
            ("chunk_bytes", raft.chunk_bytes),
            ("shard_chunk_bytes", *shard_chunk_bytes),
        ];
        for (name, bytes) in chunks {
            if !(1024..=CHUNK_BYTES).contains(&bytes) {
                return Err(ConfigError(format!(
                    "limits.{name} = {bytes} is out of range: give 1024 to {CHUNK_BYTES}"
                )));
            }
        }
        if raft.inflight_appends == 0 || self.limits.sessions == 0 {
            return Err(ConfigError("limits.inflight_appends and limits.sessions must be at least 1".to_owned()));
        }
        let percent = self.limits.snapshot_state_percent;
        if !SNAPSHOT_STATE_PERCENT.contains(&percent) {
            let (least, most) = (SNAPSHOT_STATE_PERCENT.start(), SNAPSHOT_STATE_PERCENT.end());
            return Err(ConfigError(format!(
                "limits.snapshot_state_percent = {percent} is out of range: give {least} to {most} (100 is as much log as data)"
            )));
        }
        Ok(())
    }
}

fn missing(flag: &str, value: &str, line: &str) -> ConfigError {
    ConfigError(format!("--{flag} is missing: give --{flag} {value}, or {line} in the file of --config"))
}

/// The controller's members, each once.
fn members(named: impl Iterator<Item = (u64, String)>) -> Result<BTreeMap<NodeId, String>, ConfigError> {
    let mut members = BTreeMap::new();
    for (node, address) in named {
        if node == 0 {
            return Err(ConfigError("--controllers names node 0: ids begin at 1".to_owned()));
        }
        if members.insert(NodeId::new(node), address).is_some() {
            return Err(ConfigError(format!("--controllers names node {node} twice: name each once")));
        }
    }
    Ok(members)
}

/// `host:port`, as far as it can be told without asking for the host.
fn check_address(what: &str, address: &str) -> Result<(), ConfigError> {
    match address.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => Ok(()),
        _ => Err(ConfigError(format!("{what} {address:?} is not an address: write HOST:PORT, as in 10.0.0.1:7001"))),
    }
}

/// An address that others can dial.
fn check_reachable(address: &str) -> Result<(), ConfigError> {
    check_address("the address", address)?;
    let unspecified = address.parse::<std::net::SocketAddr>().is_ok_and(|address| address.ip().is_unspecified());
    if unspecified || address.ends_with(":0") {
        return Err(ConfigError(format!(
            "nobody can dial {address}: in --advertise and --controllers give addresses that other nodes can reach"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
