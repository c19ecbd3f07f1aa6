//! The file of `--config`: the same names as the flags, in TOML. What it does not know it refuses.

use super::args::{LogFormat, LogLevel};
use super::{ConfigError, members};
use quorate_core::limits::{Limits, RaftLimits};
use quorate_spec::ids::NodeId;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Every setting, for the example that is to name them all.
#[cfg(test)]
pub(super) const SETTINGS: [&str; 22] = [
    "data",
    "listen",
    "advertise",
    "id",
    "cluster",
    "shards",
    "election_ms",
    "log",
    "log_level",
    "record",
    "record_bytes",
    "key_bytes",
    "value_bytes",
    "sessions",
    "shard_chunk_bytes",
    "snapshot_log_bytes",
    "snapshot_state_percent",
    "append_bytes",
    "inflight_appends",
    "uncommitted_bytes",
    "chunk_bytes",
    "trailing_entries",
];

/// What the file may say.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileConfig {
    pub(super) data: Option<PathBuf>,
    pub(super) listen: Option<String>,
    pub(super) advertise: Option<String>,
    pub(super) id: Option<u64>,
    /// Keys are node ids; TOML has them as text.
    controllers: Option<BTreeMap<String, String>>,
    pub(super) cluster: Option<String>,
    pub(super) shards: Option<u32>,
    pub(super) election_ms: Option<u64>,
    pub(super) log: Option<LogFormat>,
    pub(super) log_level: Option<LogLevel>,
    pub(super) record: Option<PathBuf>,
    pub(super) record_bytes: Option<u64>,
    #[serde(default)]
    pub(super) limits: FileLimits,
}

/// The table `limits`: what differs from the defaults.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileLimits {
    key_bytes: Option<usize>,
    value_bytes: Option<usize>,
    sessions: Option<u64>,
    shard_chunk_bytes: Option<usize>,
    snapshot_log_bytes: Option<u64>,
    snapshot_state_percent: Option<u64>,
    append_bytes: Option<usize>,
    inflight_appends: Option<usize>,
    uncommitted_bytes: Option<u64>,
    chunk_bytes: Option<usize>,
    trailing_entries: Option<u64>,
}

impl FileConfig {
    /// Reads and understands a file.
    pub(super) fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| ConfigError(format!("cannot read the configuration {}: {error}", path.display())))?;
        toml::from_str(&text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            let what = error.message().replace('\n', "; ");
            ConfigError(format!("line {line} of the configuration {}: {what}", path.display()))
        })
    }

    /// The controller's members that it names.
    pub(super) fn controllers(&self) -> Result<BTreeMap<NodeId, String>, ConfigError> {
        let parse = |(id, address): (&String, &String)| match id.parse() {
            Ok(id) => Ok((id, address.clone())),
            Err(_) => Err(ConfigError(format!("controllers: {id:?} is not a node's id: write 1 = \"HOST:PORT\""))),
        };
        let named: Vec<_> = self.controllers.iter().flatten().map(parse).collect::<Result<_, _>>()?;
        members(named.into_iter())
    }
}

impl FileLimits {
    /// The limits with what the file says put over `base`.
    pub(super) fn over(&self, base: Limits) -> Limits {
        Limits {
            key_bytes: self.key_bytes.unwrap_or(base.key_bytes),
            value_bytes: self.value_bytes.unwrap_or(base.value_bytes),
            sessions: self.sessions.unwrap_or(base.sessions),
            raft: RaftLimits {
                append_bytes: self.append_bytes.unwrap_or(base.raft.append_bytes),
                inflight_appends: self.inflight_appends.unwrap_or(base.raft.inflight_appends),
                uncommitted_bytes: self.uncommitted_bytes.unwrap_or(base.raft.uncommitted_bytes),
                chunk_bytes: self.chunk_bytes.unwrap_or(base.raft.chunk_bytes),
                trailing_entries: self.trailing_entries.unwrap_or(base.raft.trailing_entries),
            },
            shard_chunk_bytes: self.shard_chunk_bytes.unwrap_or(base.shard_chunk_bytes),
            snapshot_log_bytes: self.snapshot_log_bytes.unwrap_or(base.snapshot_log_bytes),
            snapshot_state_percent: self.snapshot_state_percent.unwrap_or(base.snapshot_state_percent),
        }
    }
}
