//! What a frame holds: writes of the core as they came, and restatements when a segment opens.

use quorate_core::controller::{self, Configuration};
use quorate_core::effect::Write;
use quorate_core::raft::{Entry, HardState, LogPosition, Mark};
use quorate_core::shard;
use quorate_core::spec::ids::{GroupId, LogIndex};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What the initial image of a replica is made from; kept until a snapshot replaces it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Birth {
    /// The controller's: how many shards the cluster has.
    Controller {
        /// The number.
        shards: u32,
    },
    /// A data group's: the configuration before its creation.
    Data {
        /// The configuration.
        config: Arc<Configuration>,
    },
}

/// Everything that a replica's writes say, but for its log entries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Restated {
    /// The group.
    pub(super) group: GroupId,
    /// What its initial image is made from, while no snapshot is marked.
    pub(super) birth: Option<Birth>,
    /// Its term and vote.
    pub(super) hard: HardState,
    /// Its newest durable snapshot, and its voters.
    pub(super) mark: Mark,
    /// The position before its first entry.
    pub(super) base: LogPosition,
    /// The index of its last entry (or of the base).
    pub(super) last: LogIndex,
}

/// A record as it is read. Variants are numbered by their order: only add at the end.
#[derive(Debug, Deserialize)]
pub(super) enum Record {
    /// A write.
    Write(Write),
    /// From here on only these older segments are needed. First in an opening; later ones replace it.
    Needed(Vec<u64>),
    /// A replica as of here.
    Restated(Restated),
    /// Entries of the controller group, moved here from a segment that is no longer needed.
    ControllerEntries {
        /// The index of the first.
        first: LogIndex,
        /// The entries.
        entries: Vec<Arc<Entry<controller::Command>>>,
    },
    /// Entries of a data group, moved here likewise.
    DataEntries {
        /// The group.
        group: GroupId,
        /// The index of the first.
        first: LogIndex,
        /// The entries.
        entries: Vec<Arc<Entry<shard::Command>>>,
    },
}

/// A [`Record`] as it is written: the same bytes, nothing cloned.
#[derive(Debug, Serialize)]
pub(super) enum RecordRef<'a> {
    /// [`Record::Write`].
    Write(&'a Write),
    /// [`Record::Needed`].
    Needed(&'a [u64]),
    /// [`Record::Restated`].
    Restated(&'a Restated),
    /// [`Record::ControllerEntries`].
    ControllerEntries {
        /// The index of the first.
        first: LogIndex,
        /// The entries.
        entries: &'a [Arc<Entry<controller::Command>>],
    },
    /// [`Record::DataEntries`].
    DataEntries {
        /// The group.
        group: GroupId,
        /// The index of the first.
        first: LogIndex,
        /// The entries.
        entries: &'a [Arc<Entry<shard::Command>>],
    },
}
