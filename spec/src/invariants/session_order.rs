//! A session's last request and a shard's session floor never move back along the shard's chain of copies.
//!
//! Raft dissertation 6.3; Lab 4 (Spring 2022), part B. TLA+ `ShardKV!SessionOrder`. Kept by `core/src/shard/` (records
//! and floor are part of the copy: frozen, sent and installed with the data).

use crate::ids::{ConfigNum, ShardId};
use crate::views::{CopyView, GroupView, RoleView};
use crate::violation::Violation;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// The property's name.
pub const NAME: &str = "SessionOrder";

/// A copy in a shard's chain: its age (the configuration, and whether it is served), its name, its content.
type Link<'a> = ((ConfigNum, bool), String, &'a CopyView);

/// From `before` to `after`, two views of one group, no served session moved back.
pub fn session_step(before: &GroupView, after: &GroupView) -> Result<(), Violation> {
    for (shard, role) in &before.roles {
        if let (RoleView::Serving(was), Some(RoleView::Serving(is))) = (role, after.roles.get(shard)) {
            let name = format!("the copy served by {}", after.group);
            ordered(*shard, (&name, was), (&name, is))?;
        }
    }
    Ok(())
}

/// Over all groups, later copies of a shard know at least what earlier ones know.
///
/// A copy frozen by configuration n is older than one served under n, and newer than one served under n - 1.
pub fn session_order(groups: &[GroupView]) -> Result<(), Violation> {
    let mut chains: BTreeMap<ShardId, Vec<Link<'_>>> = BTreeMap::new();
    for view in groups {
        for ((shard, config), copy) in &view.frozen {
            let name = format!("the copy frozen by {} in configuration {config}", view.group);
            chains.entry(*shard).or_default().push(((*config, false), name, copy));
        }
        for (shard, role) in &view.roles {
            if let RoleView::Serving(copy) = role {
                let name = format!("the copy served by {} in configuration {}", view.group, view.config);
                chains.entry(*shard).or_default().push(((view.config, true), name, copy));
            }
        }
    }
    for (shard, chain) in &mut chains {
        chain.sort_by_key(|(age, _, _)| *age);
        for (place, (age, name, copy)) in chain.iter().enumerate() {
            // Replicas of one group at one configuration may lag behind each other: they are not compared.
            if let Some((_, later, newer)) = chain.iter().skip(place + 1).find(|(other, _, _)| other > age) {
                ordered(*shard, (name, copy), (later, newer))?;
            }
        }
    }
    Ok(())
}

/// `new` knows at least what `old` knows, but for sessions that have ended.
fn ordered(shard: ShardId, old: (&str, &CopyView), new: (&str, &CopyView)) -> Result<(), Violation> {
    let ((old_name, old), (new_name, new)) = (old, new);
    if new.floor < old.floor {
        let evidence = format!(
            "on {shard} the session floor moved back from {} in {old_name} to {} in {new_name}",
            old.floor, new.floor
        );
        return Err(Violation::new(NAME, evidence));
    }
    for (client, had) in old.sessions.range(new.floor..) {
        let has = new.sessions.get(client).copied().unwrap_or_default();
        if has < *had {
            let evidence =
                format!("on {shard} session {client} moved back from {had} in {old_name} to {has} in {new_name}");
            return Err(Violation::new(NAME, evidence));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::sample::{assert_violates, copy, group, with_frozen};

    fn serves(raw: u64, config: u64, sessions: &[(u64, u64)], floor: u64) -> GroupView {
        group(raw, config, &[(0, RoleView::Serving(copy(1, sessions, floor)))])
    }

    #[test]
    fn sessions_may_grow_and_end() {
        let before = serves(1, 1, &[(4, 2), (5, 1)], 0);
        assert_eq!(session_step(&before, &serves(1, 1, &[(4, 3), (5, 1), (6, 1)], 0)), Ok(()));
        assert_eq!(session_step(&before, &serves(1, 2, &[(5, 1)], 5)), Ok(()), "c4 is below the floor");
        let frozen = with_frozen(group(1, 2, &[]), 0, 2, copy(1, &[(4, 2)], 1));
        assert_eq!(session_order(&[serves(1, 1, &[(4, 1)], 0), frozen, serves(2, 2, &[(4, 3)], 1)]), Ok(()));
    }

    #[test]
    fn a_step_back_is_named() {
        let before = serves(1, 1, &[(4, 2)], 2);
        assert_violates(session_step(&before, &serves(1, 1, &[(4, 1)], 2)), NAME, &["s0", "c4", "#2", "#1", "g1"]);
        assert_violates(session_step(&before, &serves(1, 1, &[], 2)), NAME, &["c4", "#0"]);
        assert_violates(session_step(&before, &serves(1, 1, &[(4, 2)], 1)), NAME, &["floor", "c2", "c1"]);
    }

    #[test]
    fn what_was_left_behind_in_a_move_is_named() {
        let frozen = with_frozen(group(1, 2, &[]), 0, 2, copy(1, &[(4, 2)], 3));
        let result = session_order(&[serves(2, 2, &[], 3), frozen.clone()]);
        assert_violates(result, NAME, &["c4", "frozen by g1@1 in configuration 2", "served by g2@1"]);
        assert_violates(session_order(&[serves(2, 3, &[(4, 2)], 0), frozen]), NAME, &["floor", "c3", "c0"]);
    }
}
