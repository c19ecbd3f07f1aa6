//! After a Join or a Leave, loads differ by at most one, and no more shards moved than that takes.
//!
//! Lab 4 (Spring 2022), part A. TLA+ `ShardKV!ConfigurationBalanced`. Kept by `core/src/controller/balance.rs`. A Move
//! does not balance and is not judged here.

use crate::ids::GroupId;
use crate::views::ConfigurationView;
use crate::violation::Violation;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::vec::Vec;

/// The property's name.
pub const NAME: &str = "ConfigurationBalanced";

/// Every shard has an owner, if there is a group, and the loads of any two groups differ by at most one.
pub fn configuration_balanced(view: &ConfigurationView) -> Result<(), Violation> {
    let loads = loads(view, view);
    let unowned = view.shards.iter().filter(|(owner, _)| owner.is_none()).count();
    if unowned > 0 && !loads.is_empty() {
        let evidence = format!("configuration {} leaves {unowned} shards to nobody", view.num);
        return Err(Violation::new(NAME, evidence));
    }
    let least = loads.iter().min_by_key(|(_, load)| **load);
    let most = loads.iter().max_by_key(|(_, load)| **load);
    if let (Some((idle, least)), Some((busy, most))) = (least, most)
        && most - least > 1
    {
        let num = view.num;
        let evidence = format!("in configuration {num} {busy} has {most} shards and {idle} only {least}");
        return Err(Violation::new(NAME, evidence));
    }
    Ok(())
}

/// From `before` to a balanced `after`, only as many shards changed hands as balance takes: those of groups that are
/// gone, and of each group that stays what exceeds its even share, where the fullest groups keep the larger shares.
pub fn fewest_moves(before: &ConfigurationView, after: &ConfigurationView) -> Result<(), Violation> {
    let mut loads: Vec<usize> = loads(before, after).into_values().collect();
    loads.sort_unstable_by(|one, other| other.cmp(one));
    if loads.is_empty() {
        return Ok(());
    }
    let (share, larger) = (after.shards.len() / loads.len(), after.shards.len() % loads.len());
    let kept: usize =
        loads.iter().enumerate().map(|(rank, load)| (*load).min(share + usize::from(rank < larger))).sum();
    let needed = after.shards.len() - kept;
    let moved = before.shards.iter().zip(&after.shards).filter(|(was, is)| was.0 != is.0).count();
    if moved > needed {
        let evidence = format!("configuration {} moved {moved} shards where {needed} were enough", after.num);
        return Err(Violation::new(NAME, evidence));
    }
    Ok(())
}

/// How many shards `view` gives to each group of `members`.
fn loads(view: &ConfigurationView, members: &ConfigurationView) -> BTreeMap<GroupId, usize> {
    let mut loads: BTreeMap<GroupId, usize> = members.groups.values().map(|(group, _)| (*group, 0)).collect();
    for owner in view.shards.iter().filter_map(|(owner, _)| *owner) {
        loads.entry(owner).and_modify(|load| *load += 1);
    }
    loads
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::sample::{assert_violates, configuration};

    fn owned_by(num: u64, groups: u64, owners: &[u64]) -> ConfigurationView {
        let shards: Vec<_> = owners.iter().map(|owner| (*owner, None)).collect();
        configuration(num, groups, &shards)
    }

    #[test]
    fn even_loads_pass() {
        assert_eq!(configuration_balanced(&owned_by(0, 0, &[0, 0])), Ok(()), "nobody is there to own");
        assert_eq!(configuration_balanced(&owned_by(1, 2, &[1, 2, 1])), Ok(()));
        assert_eq!(configuration_balanced(&owned_by(1, 3, &[1, 2])), Ok(()), "more groups than shards");
    }

    #[test]
    fn uneven_loads_are_named() {
        let result = configuration_balanced(&owned_by(4, 2, &[1, 1, 1, 2]));
        assert_violates(result, NAME, &["configuration 4", "g1@1 has 3", "g2@1 only 1"]);
        assert_violates(configuration_balanced(&owned_by(4, 1, &[1, 0])), NAME, &["1 shards to nobody"]);
    }

    #[test]
    fn only_what_balance_takes_may_move() {
        let before = owned_by(1, 2, &[1, 1, 1, 2, 2]);
        assert_eq!(fewest_moves(&before, &owned_by(2, 3, &[1, 1, 3, 2, 2])), Ok(()));
        let result = fewest_moves(&before, &owned_by(2, 3, &[1, 2, 1, 2, 3]));
        assert_violates(result, NAME, &["configuration 2", "moved 2", "1 were enough"]);
        let leave = owned_by(2, 1, &[1, 1, 1, 1, 1]);
        assert_eq!(fewest_moves(&before, &leave), Ok(()));
        assert_eq!(fewest_moves(&owned_by(0, 0, &[0, 0]), &owned_by(1, 2, &[1, 2])), Ok(()));
    }
}
