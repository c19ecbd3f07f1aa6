//! Configurations are numbered without gaps, list their owners among their groups, and hand origins on.
//!
//! Lab 4 (Spring 2022), part A. TLA+ `ShardKV!ConfigurationWellFormed`. Kept by `core/src/controller/`.

use crate::ids::{GroupId, ShardId};
use crate::views::{ConfigurationView, Origin};
use crate::violation::Violation;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;

/// The property's name.
pub const NAME: &str = "ConfigurationWellFormed";

fn broken(evidence: String) -> Result<(), Violation> {
    Err(Violation::new(NAME, evidence))
}

/// One configuration makes sense by itself.
pub fn configuration_well_formed(view: &ConfigurationView) -> Result<(), Violation> {
    let num = view.num;
    for (gid, (group, servers)) in &view.groups {
        if group.gid != *gid || group.gid == GroupId::CONTROLLER.gid || group.born > num {
            return broken(format!("configuration {num} lists {group} under {gid}"));
        }
        let distinct: BTreeSet<_> = servers.iter().collect();
        if servers.is_empty() || distinct.len() != servers.len() {
            return broken(format!("in configuration {num} {group} names no server, or one twice: {servers:?}"));
        }
    }
    if view.shards.is_empty() {
        return broken(format!("configuration {num} has no shards"));
    }
    for (place, (owner, origin)) in view.shards.iter().enumerate() {
        let shard = ShardId::new(place as u64);
        if let Some(owner) = owner.filter(|owner| view.groups.get(&owner.gid).is_none_or(|(id, _)| id != owner)) {
            return broken(format!("configuration {num} gives {shard} to {owner}, which is not one of its groups"));
        }
        if let Some(origin) = origin.filter(|origin| origin.config > num) {
            let Origin { group, config } = origin;
            return broken(format!("configuration {num} has {shard} frozen on {group} by the later {config}"));
        }
    }
    Ok(())
}

/// `after` may follow `before`: the next number, the same shards, new groups born now, origins handed on.
pub fn configuration_succession(before: &ConfigurationView, after: &ConfigurationView) -> Result<(), Violation> {
    let num = after.num;
    if num != before.num.next() || after.shards.len() != before.shards.len() || after.floor < before.floor {
        return broken(format!(
            "{} shards and floor {} of configuration {} became {} and {} of {num}",
            before.shards.len(),
            before.floor,
            before.num,
            after.shards.len(),
            after.floor
        ));
    }
    for (gid, (group, servers)) in &after.groups {
        let kept = before.groups.get(gid).is_some_and(|(id, nodes)| id == group && nodes == servers);
        let joined = !before.groups.contains_key(gid) && group.born == num;
        if !kept && !joined {
            return broken(format!("{group} of configuration {num} neither was in {} nor is born now", before.num));
        }
    }
    for (place, (was, is)) in before.shards.iter().zip(&after.shards).enumerate() {
        let handed_over = was.0.filter(|owner| is.0 != Some(*owner));
        let expected = handed_over.map(|group| Origin { group, config: num }).or(was.1);
        if is.1 != expected {
            let shard = ShardId::new(place as u64);
            let show = |origin: Option<Origin>| {
                origin.map_or_else(|| "none".into(), |origin| format!("{} by {}", origin.group, origin.config))
            };
            let (got, wanted) = (show(is.1), show(expected));
            return broken(format!("configuration {num} has the origin of {shard} as {got}, not {wanted}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{ClientId, Gid};
    use crate::invariants::sample::{assert_violates, configuration, gid, node, num, origin};

    #[test]
    fn a_chain_of_configurations_passes() {
        let chain = [
            configuration(0, 0, &[(0, None), (0, None)]),
            configuration(1, 2, &[(1, None), (2, None)]),
            configuration(2, 2, &[(2, Some(origin(1, 2))), (2, None)]),
            configuration(3, 2, &[(0, Some(origin(2, 3))), (2, None)]),
            configuration(4, 2, &[(1, Some(origin(2, 3))), (2, None)]),
        ];
        chain.iter().for_each(|one| assert_eq!(configuration_well_formed(one), Ok(())));
        chain.windows(2).for_each(|pair| assert_eq!(configuration_succession(&pair[0], &pair[1]), Ok(())));
    }

    #[test]
    fn each_fault_of_one_configuration_is_named() {
        let judge = |change: fn(&mut ConfigurationView), culprits: &[&str]| {
            let mut view = configuration(2, 2, &[(1, None)]);
            change(&mut view);
            assert_violates(configuration_well_formed(&view), NAME, culprits);
        };
        judge(|view| view.shards[0].0 = Some(gid(3)), &["configuration 2", "s0", "g3@1"]);
        judge(|view| view.shards[0].0 = Some(GroupId::new(Gid::new(1), num(2))), &["s0", "g1@2"]);
        judge(|view| view.shards[0].1 = Some(origin(2, 3)), &["s0", "g2@1", "later 3"]);
        judge(|view| view.shards.clear(), &["no shards"]);
        judge(|view| view.groups.values_mut().for_each(|group| group.1.clear()), &["g1@1", "no server"]);
        judge(|view| view.groups.values_mut().for_each(|group| group.1.push(node(2))), &["g2@1", "twice"]);
        judge(|view| view.groups.values_mut().for_each(|group| group.0 = gid(2)), &["g2@1 under g1"]);
    }

    #[test]
    fn each_fault_of_succession_is_named() {
        let judge = |change: fn(&mut ConfigurationView), culprits: &[&str]| {
            let before = configuration(2, 2, &[(1, None), (2, None)]);
            let mut after = configuration(3, 2, &[(2, Some(origin(1, 3))), (2, None)]);
            assert_eq!(configuration_succession(&before, &after), Ok(()));
            change(&mut after);
            assert_violates(configuration_succession(&before, &after), NAME, culprits);
        };
        judge(|after| after.num = num(4), &["configuration 2", "of 4"]);
        judge(|after| after.shards[0].1 = None, &["s0", "none", "g1@1 by 3"]);
        judge(|after| after.shards[1].1 = Some(origin(2, 3)), &["s1", "g2@1 by 3", "not none"]);
        judge(|after| after.groups.values_mut().for_each(|group| group.1 = [node(9)].into()), &["g1@1"]);
        judge(|after| drop(after.groups.insert(Gid::new(3), (gid(3), [node(1)].into()))), &["g3@1"]);
        let before = ConfigurationView { floor: ClientId::new(5), ..configuration(2, 1, &[(1, None)]) };
        let after = configuration(3, 1, &[(1, None)]);
        assert_violates(configuration_succession(&before, &after), NAME, &["floor c5", "c0"]);
    }
}
