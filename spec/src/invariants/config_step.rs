//! A group's configuration moves by one, only when nothing is awaited, and roles change only so.
//!
//! Lab 4 (Spring 2022), part B ("process re-configurations one at a time, in order"). TLA+ `ShardKV!ConfigStep`. Kept by
//! `core/src/shard/` (an adoption is ignored unless it is the next one and the group is settled).

use crate::views::{GroupView, RoleView};
use crate::violation::Violation;
use alloc::format;

/// The property's name.
pub const NAME: &str = "ConfigStep";

/// From `before` to `after`, two views of one group that are one applied command apart, the configuration stayed, or
/// moved on by one with every shard settled.
pub fn config_step(before: &GroupView, after: &GroupView) -> Result<(), Violation> {
    let group = after.group;
    if after.config == before.config {
        return same_roles(before, after);
    }
    if after.config != before.config.next() {
        let evidence = format!("{group} went from configuration {} to {}", before.config, after.config);
        return Err(Violation::new(NAME, evidence));
    }
    let awaited = before.roles.iter().find(|(_, role)| matches!(role, RoleView::Awaiting(_)));
    if let Some((shard, _)) = awaited {
        let evidence = format!("{group} adopted configuration {} while it awaited {shard}", after.config);
        return Err(Violation::new(NAME, evidence));
    }
    Ok(())
}

/// Under one configuration a role changes only from awaiting to serving.
fn same_roles(before: &GroupView, after: &GroupView) -> Result<(), Violation> {
    for shard in before.roles.keys().chain(after.roles.keys()) {
        let (was, is) = (before.roles.get(shard), after.roles.get(shard));
        let stays = match (was, is) {
            (None | Some(RoleView::Absent), None | Some(RoleView::Absent)) => true,
            (Some(RoleView::Serving(_)), Some(RoleView::Serving(_))) => true,
            (Some(RoleView::Awaiting(_)), Some(RoleView::Serving(_))) => true,
            (Some(RoleView::Awaiting(was)), Some(RoleView::Awaiting(is))) => was == is,
            _ => false,
        };
        if !stays {
            let evidence = format!(
                "{} changed its role for {shard} under configuration {}: {was:?} became {is:?}",
                after.group, after.config
            );
            return Err(Violation::new(NAME, evidence));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::sample::{assert_violates, copy, group, origin};

    fn serving() -> RoleView {
        RoleView::Serving(copy(1, &[], 0))
    }

    #[test]
    fn a_settled_group_may_take_the_next() {
        let before = group(1, 2, &[(0, serving()), (1, RoleView::Absent)]);
        let after = group(1, 3, &[(0, RoleView::Absent), (1, RoleView::Awaiting(origin(2, 3)))]);
        assert_eq!(config_step(&before, &after), Ok(()));
        assert_eq!(config_step(&after, &group(1, 3, &[(1, serving())])), Ok(()), "the installation");
    }

    #[test]
    fn skipped_and_hasty_adoptions_are_named() {
        let settled = group(1, 2, &[(0, serving())]);
        assert_violates(config_step(&settled, &group(1, 4, &[])), NAME, &["g1", "from configuration 2 to 4"]);
        assert_violates(config_step(&settled, &group(1, 1, &[])), NAME, &["g1", "from configuration 2 to 1"]);
        let waits = group(1, 2, &[(0, RoleView::Awaiting(origin(2, 2)))]);
        assert_violates(config_step(&waits, &group(1, 3, &[])), NAME, &["g1", "configuration 3", "s0"]);
    }

    #[test]
    fn roles_do_not_change_by_themselves() {
        let waits = group(1, 2, &[(0, RoleView::Awaiting(origin(2, 2)))]);
        let absent = group(1, 2, &[(0, RoleView::Absent)]);
        let served = group(1, 2, &[(0, serving())]);
        assert_violates(config_step(&absent, &served), NAME, &["g1", "s0", "configuration 2"]);
        assert_violates(config_step(&served, &absent), NAME, &["g1", "s0"]);
        assert_violates(config_step(&waits, &absent), NAME, &["g1", "s0"]);
    }
}
