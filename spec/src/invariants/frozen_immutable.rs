//! A frozen copy is what was served when it froze, and never changes while it exists.
//!
//! Lab 4 (Spring 2022), part B. TLA+ `ShardKV!FrozenImmutable`. Kept by `core/src/shard/` (copies are keyed by the
//! configuration that froze them, and are only dropped).

use crate::ids::{ConfigNum, ShardId};
use crate::views::{CopyView, GroupView, RoleView};
use crate::violation::Violation;
use alloc::format;
use alloc::vec::Vec;

/// The property's name.
pub const NAME: &str = "FrozenImmutable";

/// From `before` to `after`, two views of one group that are one applied command apart, frozen copies stayed as they
/// were, and a new one is what was served.
pub fn frozen_immutable(before: &GroupView, after: &GroupView) -> Result<(), Violation> {
    for ((shard, config), is) in &after.frozen {
        match before.frozen.get(&(*shard, *config)) {
            Some(was) if was == is => {}
            Some(was) => {
                let evidence = format!(
                    "the copy of {shard} frozen on {} by configuration {config} changed from {was:?} to {is:?}",
                    after.group
                );
                return Err(Violation::new(NAME, evidence));
            }
            None => froze_now(before, after, *shard, *config, is)?,
        }
    }
    Ok(())
}

/// A new frozen copy bears the number just adopted and is the copy served until then. The same entry may raise the floor
/// and end sessions.
fn froze_now(
    before: &GroupView,
    after: &GroupView,
    shard: ShardId,
    config: ConfigNum,
    is: &CopyView,
) -> Result<(), Violation> {
    let adopted = before.config != after.config && after.config == config;
    let same = match before.roles.get(&shard) {
        Some(RoleView::Serving(was)) => {
            let live = |copy: &CopyView| copy.sessions.range(is.floor..).map(|(c, s)| (*c, *s)).collect::<Vec<_>>();
            was.digest == is.digest && was.floor <= is.floor && live(was) == live(is)
        }
        _ => false,
    };
    if adopted && same {
        return Ok(());
    }
    let evidence = format!(
        "{} has a copy of {shard} frozen by configuration {config} that is not what it served before it adopted {}",
        after.group, after.config
    );
    Err(Violation::new(NAME, evidence))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::sample::{assert_violates, copy, group, with_frozen};

    fn serves(digest: u64) -> GroupView {
        group(1, 2, &[(0, RoleView::Serving(copy(digest, &[(3, 1), (4, 2)], 0)))])
    }

    #[test]
    fn a_copy_freezes_as_served_and_may_be_dropped() {
        let frozen = with_frozen(group(1, 3, &[]), 0, 3, copy(7, &[(4, 2)], 4));
        assert_eq!(frozen_immutable(&serves(7), &frozen), Ok(()), "the floor rose by the same entry");
        assert_eq!(frozen_immutable(&frozen, &frozen), Ok(()));
        assert_eq!(frozen_immutable(&frozen, &group(1, 3, &[])), Ok(()));
    }

    #[test]
    fn a_changed_copy_is_named() {
        let frozen = |digest| with_frozen(group(1, 3, &[]), 0, 3, copy(digest, &[], 0));
        let result = frozen_immutable(&frozen(7), &frozen(8));
        assert_violates(result, NAME, &["s0", "g1", "configuration 3", "7", "8"]);
    }

    #[test]
    fn a_copy_from_nowhere_is_named() {
        let judge = |before: &GroupView, config, is| {
            let after = with_frozen(group(1, 3, &[]), 0, config, is);
            assert_violates(frozen_immutable(before, &after), NAME, &["g1", "s0"]);
        };
        judge(&serves(7), 3, copy(8, &[(3, 1), (4, 2)], 0));
        judge(&serves(7), 3, copy(7, &[(4, 2)], 0));
        judge(&serves(7), 2, copy(7, &[(3, 1), (4, 2)], 0));
        judge(&group(1, 2, &[]), 3, copy(7, &[], 0));
    }
}
