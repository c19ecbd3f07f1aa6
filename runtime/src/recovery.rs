//! What a node is after a restart: the log's fold and the snapshots that its marks name. Nothing else is remembered.

use crate::disk::Disk;
use crate::mutants::mutant;
use crate::snapshot::{SnapshotError, Snapshots};
use crate::wal::{Birth, ReplicaLog, Wal, WalError, WalOptions};
use quorate_core::controller::Controller;
use quorate_core::input::Durable;
use quorate_core::raft::{self, HardState, Image, Payload};
use quorate_core::shard::ShardGroup;
use quorate_core::spec::ids::{GroupId, LogIndex};
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

/// A node's storage, opened.
pub struct Opened<D: Disk> {
    /// What the disk kept.
    pub durable: Durable,
    /// The log, open for writing.
    pub wal: Wal<D>,
    /// How many bytes of a torn last write were cut off.
    pub cut: u64,
}

/// Opens a node's log and reads the snapshots that it marks. Snapshots that no mark names are removed.
///
/// # Errors
/// The log or a snapshot cannot be trusted.
pub fn open<D: Disk>(wal_disk: D, snapshots: &Snapshots<D>, options: WalOptions) -> Result<Opened<D>, RecoveryError> {
    let (wal, recovered) = Wal::open(wal_disk, options).map_err(RecoveryError::Wal)?;
    let fold = wal.fold();
    let mut durable = Durable { peers: fold.peers.clone(), tombstones: fold.tombstones.clone(), ..Durable::default() };
    let mut marks = BTreeSet::new();
    if let Some(replica) = &fold.controller {
        marks.insert((GroupId::CONTROLLER, replica.mark.last));
        durable.controller = Some(restore(snapshots, GroupId::CONTROLLER, replica, first_controller)?);
    }
    for (group, replica) in &fold.data {
        marks.insert((*group, replica.mark.last));
        durable.data.insert(*group, restore(snapshots, *group, replica, |birth| first_data(*group, birth))?);
    }
    snapshots.keep_only(&marks).map_err(RecoveryError::Snapshot)?;
    Ok(Opened { durable, wal, cut: recovered.cut })
}

fn first_controller(birth: &Birth) -> Option<Controller> {
    match birth {
        Birth::Controller { shards } => Some(Controller::genesis(*shards)),
        Birth::Data { .. } => None,
    }
}

fn first_data(group: GroupId, birth: &Birth) -> Option<ShardGroup> {
    match birth {
        Birth::Controller { .. } => None,
        Birth::Data { config } => Some(ShardGroup::genesis(group, Arc::clone(config))),
    }
}

/// A replica with the image of its mark: the first one, made from what its creation says, or a snapshot's.
fn restore<D: Disk, P: Payload>(
    snapshots: &Snapshots<D>,
    group: GroupId,
    replica: &ReplicaLog<P>,
    first: impl FnOnce(&Birth) -> Option<P::Image>,
) -> Result<raft::Durable<P>, RecoveryError>
where
    <P::Image as Image>::Chunk: DeserializeOwned,
{
    let contradiction = |what| RecoveryError::Wal(WalError::Inconsistent { what });
    let image = if replica.mark.last.index == LogIndex::ZERO {
        let born = replica.birth.as_ref().and_then(first);
        born.ok_or_else(|| contradiction(format!("group {group} has neither a beginning nor a snapshot")))?
    } else {
        let marked = replica.mark.last;
        let last = match () {
            () if mutant!(AppliedOutsideTransaction) => snapshots.newest(group).unwrap_or(marked),
            () if mutant!(SnapshotRewindsApplied) => snapshots.oldest(group).unwrap_or(marked),
            () => marked,
        };
        let (mark, image) = snapshots.read::<P>(group, last).map_err(RecoveryError::Snapshot)?;
        if last == marked && mark != replica.mark {
            return Err(contradiction(format!("group {group}'s snapshot names other voters")));
        }
        image
    };
    let entries = replica.entries().cloned().collect();
    let hard = if mutant!(TermVoteVolatile) { HardState::default() } else { replica.hard };
    Ok(raft::Durable { hard, mark: replica.mark.clone(), image, base: replica.base, entries })
}

/// Why a node's storage was not opened.
#[derive(Debug)]
pub enum RecoveryError {
    /// The log.
    Wal(WalError),
    /// A snapshot.
    Snapshot(SnapshotError),
}

impl fmt::Display for RecoveryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wal(error) => error.fmt(f),
            Self::Snapshot(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for RecoveryError {}
