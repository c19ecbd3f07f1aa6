//! What must always be true, one property per file, over plain [views](crate::views).
//!
//! The core's debug assertions, the models and the simulation call the same functions. A function answers with the first
//! contradiction that it finds, and names the culprits.
//!
//! | property | source | TLA+ | kept by (core) | file |
//! |---|---|---|---|---|
//! | at most one leader per term | Raft 5.2, fig. 3 | `Raft!ElectionSafety` | `raft/election` | [election_safety] |
//! | a leader only appends to its log | Raft 5.3, fig. 3 | `Raft!LeaderAppendOnly` | `raft/` | [leader_append_only] |
//! | same index and term: same log up to there | Raft 5.3, fig. 3 | `Raft!LogMatching` | `raft/` | [log_matching] |
//! | leaders hold all that was committed | Raft 5.4, fig. 3 | `Raft!LeaderCompleteness` | `raft/` | [leader_completeness] |
//! | one entry applied per index | Raft 5.4.3, fig. 3 | `Raft!StateMachineSafety` | `raft/` | [state_machine_safety] |
//! | nothing moves back within a boot | Raft fig. 2 | `Raft!Monotonic` | `raft/` | [monotonic] |
//! | committed is durable on a majority | Raft fig. 2, 5.3 | `Raft!CommittedDurable` | `raft/` outbox | [committed_durable] |
//! | one replica makes sense by itself | Raft fig. 2 | `Raft!TypeOK` | `raft/` | [replica_well_formed] |
//! | one owner per shard and configuration | Lab 4B | `ShardKV!OneOwner` | `shard/` | [one_owner] |
//! | no shard is lost | Lab 4B, challenge 1 | `ShardKV!NoShardLost` | `shard/` | [no_shard_lost] |
//! | sessions move on with the shard | Raft diss. 6.3 | `ShardKV!SessionOrder` | `shard/` | [session_order] |
//! | an invocation takes effect at most once | Raft diss. 6.3 | `ShardKV!AtMostOnce` | `shard/`, `client/` | [at_most_once] |
//! | configurations follow each other | Lab 4A | `ShardKV!ConfigurationWellFormed` | `controller/` | [configuration_well_formed] |
//! | loads within one, fewest moves | Lab 4A | `ShardKV!ConfigurationBalanced` | `controller/balance` | [configuration_balanced] |
//! | one configuration at a time, when settled | Lab 4B | `ShardKV!ConfigStep` | `shard/` | [config_step] |
//! | frozen copies do not change | Lab 4B | `ShardKV!FrozenImmutable` | `shard/` | [frozen_immutable] |

pub mod at_most_once;
pub mod committed_durable;
pub mod config_step;
pub mod configuration_balanced;
pub mod configuration_well_formed;
pub mod election_safety;
pub mod frozen_immutable;
pub mod leader_append_only;
pub mod leader_completeness;
pub mod log_matching;
pub mod monotonic;
pub mod no_shard_lost;
pub mod one_owner;
pub mod replica_well_formed;
#[cfg(test)]
mod sample;
pub mod session_order;
pub mod state_machine_safety;

use crate::ids::{GroupId, LogIndex, NodeId, Term};
use crate::views::{ConfigurationView, DurableView, EntryView, GroupView, ReplicaView};
use crate::violation::Violation;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use core::fmt::Display;
use leader_completeness::Committed;

/// What has to be remembered of one Raft group's past to judge its present. Part of a model's hashed state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct RaftGhost {
    /// Who led each term.
    pub leaders: BTreeMap<Term, NodeId>,
    /// What was committed.
    pub committed: BTreeMap<LogIndex, Committed>,
    /// What was applied.
    pub applied: BTreeMap<LogIndex, EntryView>,
}

/// What must hold of one replica by itself.
pub fn local(replica: &ReplicaView) -> Result<(), Violation> {
    replica_well_formed::replica_well_formed(replica)
}

/// What must hold between two views of one replica within one boot, any number of steps apart.
pub fn step(before: &ReplicaView, after: &ReplicaView) -> Result<(), Violation> {
    monotonic::monotonic(before, after)?;
    leader_append_only::leader_append_only(before, after)
}

/// What must hold of one Raft group: `replicas` that are up, and the `disks` of all `voters`. Called after every step,
/// or as often as the caller can afford: it costs the length of the logs, and the ghost only knows what it was shown.
pub fn cluster(
    ghost: &mut RaftGhost,
    voters: &BTreeSet<NodeId>,
    replicas: &[ReplicaView],
    disks: &[DurableView],
) -> Result<(), Violation> {
    election_safety::observe(&mut ghost.leaders, replicas)?;
    for replica in replicas {
        state_machine_safety::observe(&mut ghost.applied, replica)?;
        leader_completeness::observe(&mut ghost.committed, replica)?;
    }
    leader_completeness::leader_completeness(&ghost.committed, replicas)?;
    committed_durable::committed_durable(&ghost.committed, voters, disks)?;
    log_matching::log_matching(replicas)
}

/// What must hold between two views of one data group (or of one replica of it) that are one applied command apart.
pub fn group_step(before: &GroupView, after: &GroupView) -> Result<(), Violation> {
    config_step::config_step(before, after)?;
    frozen_immutable::frozen_immutable(before, after)?;
    session_order::session_step(before, after)
}

/// What must hold of all data groups, seen as what their committed logs make of them, under the consecutive
/// `configurations` made so far.
pub fn groups(
    groups: &[GroupView],
    configurations: &[ConfigurationView],
    retired: &BTreeSet<GroupId>,
) -> Result<(), Violation> {
    one_owner::one_owner(groups)?;
    for view in groups {
        if let Some(adopted) = configurations.iter().find(|configuration| configuration.num == view.config) {
            one_owner::roles_follow(view, adopted)?;
        }
    }
    session_order::session_order(groups)?;
    no_shard_lost::no_shard_lost(groups, configurations, retired)
}

/// What must hold of a new configuration and the one before it.
pub fn configurations(before: &ConfigurationView, after: &ConfigurationView) -> Result<(), Violation> {
    configuration_well_formed::configuration_well_formed(after)?;
    configuration_well_formed::configuration_succession(before, after)
}

/// An entry as evidence shows it.
fn show(entry: &EntryView) -> String {
    format!("an entry of term {} (digest {:x})", entry.term, entry.digest)
}

/// Items as evidence shows them: separated by commas.
fn list<T: Display>(items: impl Iterator<Item = T>) -> String {
    let mut text = String::new();
    for item in items {
        if !text.is_empty() {
            text.push_str(", ");
        }
        text.push_str(&format!("{item}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::sample::{assert_violates, configuration, copy, group, log, node, origin, replica, voters};
    use super::*;
    use crate::views::{Role, RoleView};

    /// The disk that holds all of a replica's memory.
    fn synced(replica: &ReplicaView) -> DurableView {
        DurableView {
            node: replica.node,
            term: replica.term,
            voted_for: replica.voted_for,
            log: replica.log.clone(),
            snapshot: LogIndex::ZERO,
        }
    }

    #[test]
    fn a_healthy_group_passes_step_by_step() {
        let mut ghost = RaftGhost::default();
        let before = replica(1, 2, Role::Leader, log(&[(1, 7), (2, 8)]), 1);
        let after = replica(1, 2, Role::Leader, log(&[(1, 7), (2, 8)]), 2);
        let other = replica(2, 2, Role::Follower, log(&[(1, 7), (2, 8)]), 1);
        for leader in [&before, &after] {
            let replicas = [leader.clone(), other.clone()];
            let disks = [synced(leader), synced(&other)];
            assert_eq!(cluster(&mut ghost, &voters(), &replicas, &disks), Ok(()));
            assert_eq!(local(leader), Ok(()));
        }
        assert_eq!(step(&before, &after), Ok(()));
        assert_eq!((ghost.leaders.len(), ghost.committed.len(), ghost.applied.len()), (1, 2, 2));
        let amnesiac = replica(3, 3, Role::Leader, log(&[(1, 7)]), 1);
        let result = cluster(&mut ghost, &voters(), &[amnesiac], &[]);
        assert_violates(result, leader_completeness::NAME, &["n3", "index 2"]);
    }

    #[test]
    fn an_unsynced_commit_is_found() {
        let leader = replica(1, 2, Role::Leader, log(&[(2, 8)]), 1);
        let result = cluster(&mut RaftGhost::default(), &voters(), core::slice::from_ref(&leader), &[synced(&leader)]);
        assert_violates(result, committed_durable::NAME, &["index 1", "1 of 3"]);
    }

    #[test]
    fn groups_are_judged_against_their_configurations() {
        let chain = [
            configuration(0, 0, &[(0, None)]),
            configuration(1, 2, &[(1, None)]),
            configuration(2, 2, &[(2, Some(origin(1, 2)))]),
        ];
        chain.windows(2).for_each(|pair| assert_eq!(configurations(&pair[0], &pair[1]), Ok(())));
        let serving = || RoleView::Serving(copy(1, &[], 0));
        let none = BTreeSet::new();
        assert_eq!(groups(&[group(1, 1, &[(0, serving())])], &chain, &none), Ok(()));
        let clings = groups(&[group(1, 2, &[(0, serving())])], &chain, &none);
        assert_violates(clings, one_owner::NAME, &["g1@1", "s0", "g2@1"]);
        let gone = groups(&[group(1, 2, &[(0, RoleView::Absent)])], &chain, &none);
        assert_violates(gone, no_shard_lost::NAME, &["g1@1", "s0"]);
        assert_violates(group_step(&group(1, 1, &[]), &group(1, 3, &[])), config_step::NAME, &["g1@1"]);
    }

    #[test]
    fn lists_are_separated_by_commas() {
        assert_eq!(list([node(1), node(2)].into_iter()), "n1, n2");
    }
}
