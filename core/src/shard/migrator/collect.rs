//! Collecting frozen copies: asking the taker whether it has the shard, and dropping the copy when it has.

use super::{Age, Asked, Drive, Pace, next_member};
use crate::controller::Directory;
use crate::mutants::mutant;
use crate::shard::machine::ShardGroup;
use crate::shard::types::{Command, ShardMessage};
use alloc::collections::BTreeMap;
use core::ops::Bound;
use quorate_spec::ids::{ConfigNum, GroupId, ShardId};
use quorate_spec::views::Origin;

/// A frozen copy's name.
type Copy = (ShardId, ConfigNum);

/// The frozen copies that are being given up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Collecting {
    /// Copies whose Collect was proposed lately.
    proposed: BTreeMap<Copy, Age>,
    /// Whom each target's copies are asked about in this round.
    asked: Asked,
    /// The last copy looked at, if the round goes on.
    looked: Option<Copy>,
}

impl Collecting {
    /// At a tick: asks the takers of the frozen copies, a bounded number of them, one member each. Every round asks
    /// other members, so one that is down or behind does not keep a copy alive.
    pub(super) fn look(&mut self, group: &ShardGroup, directory: &Directory, pace: Pace, drive: &mut Drive) {
        self.proposed.retain(|_, age| age.older().map(|older| *age = older).is_some());
        if self.looked.is_none() {
            self.next_round(group, directory);
        }
        let looks = pace.looks.max(1);
        let after = self.looked.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
        let mut seen = group.frozen.range_from(after);
        let mut last = None;
        for (copy, frozen) in seen.by_ref().take(looks) {
            last = Some(*copy);
            let Some((target, taken)) = frozen.target.filter(|_| !self.proposed.contains_key(copy)) else {
                continue;
            };
            if has_retired(directory, target, taken) || mutant!(GcBeforeAck) {
                self.proposed.insert(*copy, propose(*copy, drive));
                continue;
            }
            let members = directory.groups.get(&target).map_or([].as_slice(), |members| members);
            let Some(member) = self.asked.get(&target).copied().or_else(|| next_member(members, None)) else {
                continue;
            };
            self.asked.insert(target, member);
            let (shard, config) = *copy;
            let origin = Origin { group: group.group, config };
            drive.sends.push((target, member, ShardMessage::Confirm { target, taken, shard, origin }));
        }
        self.looked = last.filter(|_| seen.next().is_some());
    }

    fn next_round(&mut self, group: &ShardGroup, directory: &Directory) {
        if group.frozen.is_empty() {
            self.asked.clear();
        }
        self.asked.retain(|target, member| {
            let next = directory.groups.get(target).and_then(|members| next_member(members, Some(*member)));
            next.map(|next| *member = next).is_some()
        });
    }

    /// A replica of `target` has applied the Install of the copy, or says so for another reason. Believed only for a
    /// copy that this group knows to be taken over by exactly that group.
    pub(super) fn confirmed(
        &mut self,
        group: &ShardGroup,
        target: GroupId,
        shard: ShardId,
        config: ConfigNum,
        drive: &mut Drive,
    ) {
        let copy = (shard, config);
        let taker = group.frozen.get(&copy).and_then(|frozen| frozen.target).map(|(taker, _)| taker);
        if taker == Some(target) {
            self.proposed.entry(copy).or_insert_with(|| propose(copy, drive));
        }
    }
}

fn propose((shard, config): Copy, drive: &mut Drive) -> Age {
    drive.propose.push(Command::Collect { shard, config });
    Age::New
}

/// Whether the group that took a shard over in `taken` is gone for good.
///
/// The directory lists every group that was born by its configuration and has not retired; the taker was born by
/// `taken`. A group retires only when it has adopted a configuration that no longer lists it and holds no shard and no
/// copy. `taken` lists it, so that configuration is a later one, and it was reached by installing everything that
/// `taken` gave; and holding no copy, it has handed on everything that it ever installed. So nobody will ask for this
/// copy again.
fn has_retired(directory: &Directory, target: GroupId, taken: ConfigNum) -> bool {
    directory.config >= taken && !directory.groups.contains_key(&target)
}
