//! Small views for the invariants' unit tests.

use crate::ids::{ClientId, ConfigNum, Gid, GroupId, LogIndex, NodeId, Seq, ShardId, Term};
use crate::views::{ConfigurationView, CopyView, EntryView, GroupView, LogView, Origin, ReplicaView, Role, RoleView};
use crate::violation::Violation;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

pub(crate) const fn node(raw: u64) -> NodeId {
    NodeId::new(raw)
}

pub(crate) const fn index(raw: u64) -> LogIndex {
    LogIndex::new(raw)
}

pub(crate) const fn num(raw: u64) -> ConfigNum {
    ConfigNum::new(raw)
}

pub(crate) const fn shard(raw: u64) -> ShardId {
    ShardId::new(raw)
}

/// Group `gid`, born by configuration 1.
pub(crate) const fn gid(raw: u64) -> GroupId {
    GroupId::new(Gid::new(raw), ConfigNum::new(1))
}

pub(crate) fn voters() -> BTreeSet<NodeId> {
    (1..=3).map(node).collect()
}

/// A log from index 1 on: pairs of term and digest.
pub(crate) fn log(entries: &[(u64, u64)]) -> LogView {
    let entries = entries.iter().map(|&(term, digest)| EntryView { term: Term::new(term), digest }).collect();
    LogView { base_index: LogIndex::ZERO, base_term: Term::ZERO, entries }
}

/// The same log with its first `count` entries compacted away.
pub(crate) fn compacted(mut log: LogView, count: usize) -> LogView {
    let rest = log.entries.split_off(count);
    LogView { base_index: log.last_index(), base_term: log.last_term(), entries: rest }
}

/// A replica of three voters with everything up to `commit` applied.
pub(crate) fn replica(id: u64, term: u64, role: Role, log: LogView, commit: u64) -> ReplicaView {
    ReplicaView {
        node: node(id),
        voters: voters(),
        term: Term::new(term),
        voted_for: (role == Role::Leader || role == Role::Candidate).then(|| node(id)),
        role,
        commit: index(commit),
        applied: index(commit),
        log,
        matched: BTreeMap::new(),
    }
}

/// A shard's copy: its digest, its sessions and its floor.
pub(crate) fn copy(digest: u64, sessions: &[(u64, u64)], floor: u64) -> CopyView {
    let sessions = sessions.iter().map(|&(client, seq)| (ClientId::new(client), Seq::new(seq))).collect();
    CopyView { digest, sessions, floor: ClientId::new(floor) }
}

/// A data group's state.
pub(crate) fn group(raw: u64, config: u64, roles: &[(u64, RoleView)]) -> GroupView {
    let roles = roles.iter().map(|(id, role)| (shard(*id), role.clone())).collect();
    GroupView { group: gid(raw), config: num(config), roles, frozen: BTreeMap::new() }
}

/// The same group with one more frozen copy.
pub(crate) fn with_frozen(mut group: GroupView, shard_id: u64, config: u64, copy: CopyView) -> GroupView {
    group.frozen.insert((shard(shard_id), num(config)), copy);
    group
}

pub(crate) const fn origin(raw: u64, config: u64) -> Origin {
    Origin { group: gid(raw), config: num(config) }
}

/// One configuration: per shard the owner's gid (0 for nobody) and the origin, over the groups 1 to `groups`.
pub(crate) fn configuration(number: u64, groups: u64, shards: &[(u64, Option<Origin>)]) -> ConfigurationView {
    let server = |raw: u64| (Gid::new(raw), (gid(raw), Vec::from([node(raw)])));
    ConfigurationView {
        num: num(number),
        shards: shards.iter().map(|&(owner, from)| ((owner != 0).then(|| gid(owner)), from)).collect(),
        groups: (1..=groups).map(server).collect(),
        floor: ClientId::ZERO,
    }
}

/// Asserts that `result` is a violation whose evidence names every one of `culprits`.
#[track_caller]
pub(crate) fn assert_violates(result: Result<(), Violation>, property: &str, culprits: &[&str]) {
    let violation = result.expect_err("the example violates the property");
    assert_eq!(violation.property, property);
    for culprit in culprits {
        assert!(violation.evidence.contains(culprit), "`{}` does not name `{culprit}`", violation.evidence);
    }
}
