//! Every shard that ever had an owner has a live authoritative copy: served, or frozen and not yet taken over.
//!
//! Lab 4 (Spring 2022), challenge 1. TLA+ `ShardKV!NoShardLost`. Kept by `core/src/shard/` (a copy is collected only when
//! a replica of the target has applied its installation) and by the controller (origins are kept while nobody owns).

use crate::ids::{ConfigNum, GroupId, ShardId};
use crate::views::{ConfigurationView, GroupView, RoleView};
use crate::violation::Violation;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::vec::Vec;

/// The property's name.
pub const NAME: &str = "NoShardLost";

/// A time during which one group owned a shard.
struct Reign {
    group: GroupId,
    from: ConfigNum,
    /// The configuration that took the shard away, if any did: the group's frozen copy bears its number.
    until: Option<ConfigNum>,
}

/// No shard is lost.
///
/// `groups` are views of what each group's committed log makes of it (a restarted replica that has yet to apply again
/// does not speak for its group). `configurations` are consecutive. A group without a view has not started yet, unless
/// it is `retired`: then it passed through all its reigns and holds nothing.
pub fn no_shard_lost(
    groups: &[GroupView],
    configurations: &[ConfigurationView],
    retired: &BTreeSet<GroupId>,
) -> Result<(), Violation> {
    let shards = configurations.first().map_or(0, |configuration| configuration.shards.len());
    (0..shards).try_for_each(|place| judge_shard(ShardId::new(place as u64), groups, configurations, retired))
}

/// The newest reign that had the data must still have it, or have frozen it for the next.
fn judge_shard(
    shard: ShardId,
    groups: &[GroupView],
    configurations: &[ConfigurationView],
    retired: &BTreeSet<GroupId>,
) -> Result<(), Violation> {
    for Reign { group, from, until } in reigns(shard, configurations).iter().rev() {
        let views = || groups.iter().filter(|view| view.group == *group);
        let reached = views().map(|view| view.config).max();
        if let Some(until) = until.filter(|until| retired.contains(group) || reached.is_some_and(|at| at >= *until)) {
            if views().any(|view| view.frozen.contains_key(&(shard, until))) {
                return Ok(());
            }
            let evidence = format!("{group} dropped {shard}, frozen by configuration {until}, and nobody took it over");
            return Err(Violation::new(NAME, evidence));
        }
        if views().any(|view| view.config >= *from && matches!(view.roles.get(&shard), Some(RoleView::Serving(_)))) {
            return Ok(());
        }
        let awaits = views().any(|view| matches!(view.roles.get(&shard), Some(RoleView::Awaiting(_))));
        if retired.contains(group) || (reached.is_some_and(|at| at >= *from) && !awaits) {
            let evidence = format!("{group} owns {shard} since configuration {from} and neither serves nor awaits it");
            return Err(Violation::new(NAME, evidence));
        }
    }
    Ok(())
}

fn reigns(shard: ShardId, configurations: &[ConfigurationView]) -> Vec<Reign> {
    let mut reigns: Vec<Reign> = Vec::new();
    let mut owner = None;
    for configuration in configurations {
        let next = configuration.shards.get(shard.get() as usize).and_then(|(owner, _)| *owner);
        if next != owner {
            if let (Some(_), Some(reign)) = (owner, reigns.last_mut()) {
                reign.until = Some(configuration.num);
            }
            reigns.extend(next.map(|group| Reign { group, from: configuration.num, until: None }));
            owner = next;
        }
    }
    reigns
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::sample::{assert_violates, configuration, copy, gid, group, origin, with_frozen};

    /// s0: nobody, then g1, then g2 (by configuration 2), then nobody (by 3).
    fn chain() -> [ConfigurationView; 4] {
        [
            configuration(0, 0, &[(0, None)]),
            configuration(1, 2, &[(1, None)]),
            configuration(2, 2, &[(2, Some(origin(1, 2)))]),
            configuration(3, 2, &[(0, Some(origin(2, 3)))]),
        ]
    }

    fn judge(groups: &[GroupView]) -> Result<(), Violation> {
        no_shard_lost(groups, &chain(), &BTreeSet::new())
    }

    fn serves(raw: u64, config: u64) -> GroupView {
        group(raw, config, &[(0, RoleView::Serving(copy(1, &[], 0)))])
    }

    fn absent(raw: u64, config: u64) -> GroupView {
        group(raw, config, &[(0, RoleView::Absent)])
    }

    #[test]
    fn each_stage_of_a_move_has_a_copy() {
        let awaits = || group(2, 2, &[(0, RoleView::Awaiting(origin(1, 2)))]);
        let frozen = |raw, config| with_frozen(absent(raw, config), 0, config, copy(1, &[], 0));
        assert_eq!(judge(&[]), Ok(()), "no group has started");
        assert_eq!(judge(&[serves(1, 1), absent(2, 1)]), Ok(()));
        assert_eq!(judge(&[serves(1, 1), awaits()]), Ok(()), "the target is ahead");
        assert_eq!(judge(&[frozen(1, 2), awaits()]), Ok(()));
        assert_eq!(judge(&[absent(1, 2), serves(2, 2)]), Ok(()), "collected after the installation");
        assert_eq!(judge(&[absent(1, 3), frozen(2, 3)]), Ok(()), "nobody owns it, and it is kept");
        let first_has_retired = no_shard_lost(&[frozen(2, 3)], &chain(), &[gid(1)].into());
        assert_eq!(first_has_retired, Ok(()));
    }

    #[test]
    fn a_copy_collected_too_early_is_named() {
        let awaits = group(2, 2, &[(0, RoleView::Awaiting(origin(1, 2)))]);
        assert_violates(judge(&[absent(1, 2), awaits.clone()]), NAME, &["g1", "s0", "configuration 2"]);
        let retired = no_shard_lost(&[awaits], &chain(), &[gid(1)].into());
        assert_violates(retired, NAME, &["g1", "s0"]);
        let older_copy = with_frozen(absent(1, 3), 0, 2, copy(1, &[], 0));
        assert_violates(judge(&[older_copy, absent(2, 3)]), NAME, &["g2", "configuration 3"]);
    }

    #[test]
    fn an_owner_without_the_shard_is_named() {
        assert_violates(judge(&[absent(1, 1)]), NAME, &["g1", "s0", "neither serves nor awaits"]);
    }
}
