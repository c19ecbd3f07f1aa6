//! A shard is served by one group under each configuration, and by the group that the configuration says.
//!
//! Lab 4 (Spring 2022), part B. TLA+ `ShardKV!OneOwner`. Kept by `core/src/shard/` (adoption through the log freezes what
//! goes away in the same entry; ownership is checked when a command is applied).

use crate::ids::{ConfigNum, GroupId, ShardId};
use crate::views::{ConfigurationView, GroupView, RoleView};
use crate::violation::Violation;
use alloc::collections::BTreeMap;
use alloc::format;

/// The property's name.
pub const NAME: &str = "OneOwner";

/// Under each configuration at most one group serves a shard. The views may be of replicas that lag behind.
pub fn one_owner(groups: &[GroupView]) -> Result<(), Violation> {
    observe(&mut BTreeMap::new(), groups)
}

/// The same over time: `owners` remembers who served a shard under a configuration.
pub fn observe(owners: &mut BTreeMap<(ShardId, ConfigNum), GroupId>, groups: &[GroupView]) -> Result<(), Violation> {
    for (view, shard) in groups.iter().flat_map(serving) {
        let first = *owners.entry((shard, view.config)).or_insert(view.group);
        if first != view.group {
            let evidence = format!("{first} and {} serve {shard} under configuration {}", view.group, view.config);
            return Err(Violation::new(NAME, evidence));
        }
    }
    Ok(())
}

/// At most one group serves a shard at all: true of groups seen as atomic logs, not of replicas that lag behind.
pub fn one_server(groups: &[GroupView]) -> Result<(), Violation> {
    let mut servers: BTreeMap<ShardId, GroupId> = BTreeMap::new();
    for (view, shard) in groups.iter().flat_map(serving) {
        let first = *servers.entry(shard).or_insert(view.group);
        if first != view.group {
            let evidence = format!("{first} and {} serve {shard} at the same time", view.group);
            return Err(Violation::new(NAME, evidence));
        }
    }
    Ok(())
}

/// A group serves or awaits exactly the shards that its adopted configuration gives it.
pub fn roles_follow(view: &GroupView, adopted: &ConfigurationView) -> Result<(), Violation> {
    for (place, (owner, _)) in adopted.shards.iter().enumerate() {
        let shard = ShardId::new(place as u64);
        let holds = !matches!(view.roles.get(&shard), None | Some(RoleView::Absent));
        if holds != (*owner == Some(view.group)) {
            let verb = if holds { "serves or awaits" } else { "has no role for" };
            let owner = owner.map_or_else(|| "nobody".into(), |owner| format!("{owner}"));
            let evidence = format!("{} {verb} {shard}, owned by {owner} in configuration {}", view.group, adopted.num);
            return Err(Violation::new(NAME, evidence));
        }
    }
    Ok(())
}

fn serving(view: &GroupView) -> impl Iterator<Item = (&GroupView, ShardId)> {
    view.roles.iter().filter(|(_, role)| matches!(role, RoleView::Serving(_))).map(move |(shard, _)| (view, *shard))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::sample::{assert_violates, configuration, copy, group, origin};
    use crate::views::CopyView;

    fn serving(raw: u64, config: u64) -> GroupView {
        group(raw, config, &[(0, RoleView::Serving(CopyView::default())), (1, RoleView::Absent)])
    }

    #[test]
    fn a_lagging_replica_may_serve_under_an_older_configuration() {
        assert_eq!(one_owner(&[serving(1, 2), serving(2, 3), serving(2, 3)]), Ok(()));
        assert_violates(one_server(&[serving(1, 2), serving(2, 3)]), NAME, &["g1", "g2", "s0"]);
    }

    #[test]
    fn two_owners_under_one_configuration_are_named() {
        assert_violates(one_owner(&[serving(1, 3), serving(2, 3)]), NAME, &["g1", "g2", "s0", "configuration 3"]);
        let mut owners = BTreeMap::new();
        assert_eq!(observe(&mut owners, &[serving(1, 3)]), Ok(()));
        assert_violates(observe(&mut owners, &[serving(2, 3)]), NAME, &["g1", "g2"]);
    }

    #[test]
    fn roles_are_those_of_the_configuration() {
        let adopted = configuration(2, 2, &[(1, None), (2, Some(origin(1, 2)))]);
        assert_eq!(roles_follow(&serving(1, 2), &adopted), Ok(()));
        let also_the_other = [(0, RoleView::Serving(copy(1, &[], 0))), (1, RoleView::Awaiting(origin(1, 2)))];
        assert_violates(roles_follow(&group(1, 2, &also_the_other), &adopted), NAME, &["g1", "s1", "g2"]);
        assert_violates(roles_follow(&group(1, 2, &[]), &adopted), NAME, &["g1", "s0", "no role"]);
    }
}
