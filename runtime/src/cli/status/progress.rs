//! How far shards on their way have come.
//!
//! Only the leader of the target is told how large a copy is, and only with its first part. But every replica of the
//! origin holds that very copy, frozen: so the size is known from the moment of the freeze, and to followers too.

use super::Answer;
use crate::cli::table;
use quorate_core::status::{NodeStatus, ReplicaStatus};
use quorate_spec::ids::ShardId;
use quorate_spec::views::Origin;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A shard on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Migration {
    pub(super) shard: u64,
    /// The group that froze it.
    pub(super) from: u64,
    /// The group that waits for it.
    pub(super) to: u64,
    pub(super) received_bytes: u64,
    /// `None`: neither the origin nor the leader of the target answers.
    pub(super) total_bytes: Option<u64>,
}

/// The sizes of all copies that anybody knows.
fn totals<'a>(nodes: impl Iterator<Item = &'a NodeStatus>) -> BTreeMap<(ShardId, Origin), u64> {
    let mut totals = BTreeMap::new();
    for replica in nodes.flat_map(|node| &node.replicas) {
        for copy in &replica.frozen {
            totals.insert((copy.shard, Origin { group: replica.group, config: copy.config }), copy.bytes);
        }
        for awaited in &replica.awaiting {
            totals.extend(awaited.total_bytes.map(|bytes| ((awaited.shard, awaited.origin), bytes)));
        }
    }
    totals
}

/// Everybody's answer, with the sizes of awaited shards filled in where anybody knows them.
pub(super) fn completed(answers: &BTreeMap<u64, Answer>) -> BTreeMap<u64, Answer> {
    let totals = totals(answers.values().flatten().map(|status| &**status));
    let mut completed = answers.clone();
    for status in completed.values_mut().flatten() {
        for awaited in Arc::make_mut(status).replicas.iter_mut().flat_map(|replica| &mut replica.awaiting) {
            let known = totals.get(&(awaited.shard, awaited.origin)).copied();
            awaited.total_bytes = awaited.total_bytes.or(known);
        }
    }
    completed
}

/// The shards that a replica waits for.
pub(super) fn migrations(replica: &ReplicaStatus) -> impl Iterator<Item = Migration> + '_ {
    replica.awaiting.iter().map(|awaited| Migration {
        shard: awaited.shard.get(),
        from: awaited.origin.group.gid.get(),
        to: replica.group.gid.get(),
        received_bytes: awaited.received_bytes,
        total_bytes: awaited.total_bytes,
    })
}

/// `12.0 MiB of 64.0 MiB (18 %)` for several shards together.
pub(super) fn received(migrations: &[Migration]) -> String {
    let received: u64 = migrations.iter().map(|shard| shard.received_bytes).sum();
    let total: Option<u64> = migrations.iter().map(|shard| shard.total_bytes).sum();
    match total {
        Some(total) => {
            let percent = received.saturating_mul(100).checked_div(total).unwrap_or(0).min(100);
            format!("{} of {} ({percent} %)", table::size(received), table::size(total))
        }
        None => format!("{} (the whole size is not known: no node of the origin answers)", table::size(received)),
    }
}
