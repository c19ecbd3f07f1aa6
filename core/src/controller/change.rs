//! What a change makes of the latest configuration: the next one, nothing, or a refusal. Pure functions; no state moves
//! here, so a refused change can have left nothing behind.

use super::balance::rebalance;
use super::types::{Assignment, Change, Configuration, Directory, GroupInfo, Refusal};
use crate::mutants::mutant;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use quorate_spec::action::Action;
use quorate_spec::ids::{ClientId, ConfigNum, Gid, GroupId, NodeId, ShardId};
use quorate_spec::views::Origin;

/// What a change comes to: the next configuration and the step's name, or `None` if everything is already so.
pub(super) type Plan = Result<Option<(Configuration, Action)>, Refusal>;

/// Plans a change. `next_client` is the id that the next registration gets.
pub(super) fn plan(change: &Change, latest: &Configuration, directory: &Directory, next_client: ClientId) -> Plan {
    match change {
        Change::Join { groups } => join(groups, latest, directory),
        Change::Leave { gids } => leave(gids, latest),
        Change::Move { shard, gid } => move_shard(*shard, *gid, latest),
        Change::RaiseFloor { floor } => {
            if *floor <= latest.floor || *floor > next_client {
                return Err(Refusal::BadFloor);
            }
            let config = raise_floor(*floor, latest);
            let action = Action::RaiseFloor { config: config.num, floor: *floor };
            Ok(Some((config, action)))
        }
    }
}

/// The next configuration with a higher floor and nothing else changed.
pub(super) fn raise_floor(floor: ClientId, latest: &Configuration) -> Configuration {
    Configuration { floor, ..successor(latest) }
}

/// Adds the groups that are not there yet. Each is a *new* group, born by the next configuration, even under a gid that
/// was there before and with the same servers (`rejoined-gid-mistaken`).
fn join(groups: &BTreeMap<Gid, Vec<NodeId>>, latest: &Configuration, directory: &Directory) -> Plan {
    if groups.is_empty() {
        return Err(Refusal::NothingNamed);
    }
    let mut next = successor(latest);
    for (gid, named) in groups {
        let servers = checked_servers(*gid, named, directory)?;
        match latest.groups.get(gid) {
            Some(group) if group.servers == servers => {}
            Some(_) => return Err(Refusal::GroupExists { gid: *gid }),
            None => {
                next.groups.insert(*gid, GroupInfo { id: GroupId::new(*gid, next.num), servers });
            }
        }
    }
    if next.groups.len() == latest.groups.len() {
        return Ok(None);
    }
    let action = Action::Join { config: next.num };
    Ok(Some((rebalanced(next), action)))
}

/// The servers of a joining group in ascending order, if they are at least one, each once, each registered.
fn checked_servers(gid: Gid, named: &[NodeId], directory: &Directory) -> Result<Vec<NodeId>, Refusal> {
    if gid == GroupId::CONTROLLER.gid {
        return Err(Refusal::ReservedGid);
    }
    let mut servers = BTreeSet::new();
    for node in named {
        if !directory.nodes.contains_key(node) {
            return Err(Refusal::UnknownServer { gid, node: *node });
        }
        if !servers.insert(*node) {
            return Err(Refusal::ServerTwice { gid, node: *node });
        }
    }
    if servers.is_empty() { Err(Refusal::NoServers { gid }) } else { Ok(servers.into_iter().collect()) }
}

/// Takes groups out. Their shards go to the least loaded of the others; if none is left, to nobody, each keeping the
/// place where its data froze.
fn leave(gids: &BTreeSet<Gid>, latest: &Configuration) -> Plan {
    if gids.is_empty() {
        return Err(Refusal::NothingNamed);
    }
    let mut next = successor(latest);
    for gid in gids {
        next.groups.remove(gid).ok_or(Refusal::UnknownGroup { gid: *gid })?;
    }
    let action = Action::Leave { config: next.num };
    Ok(Some((rebalanced(next), action)))
}

/// Gives one shard to one group and leaves every other where it is.
fn move_shard(shard: ShardId, gid: Gid, latest: &Configuration) -> Plan {
    let mut next = successor(latest);
    let num = next.num;
    let place = usize::try_from(shard.get()).ok().and_then(|index| next.shards.get_mut(index));
    let assignment = place.ok_or(Refusal::UnknownShard { shard })?;
    let group = latest.groups.get(&gid).ok_or(Refusal::UnknownGroup { gid })?;
    if assignment.owner == Some(group.id) {
        return Ok(None);
    }
    *assignment = handed_over(*assignment, Some(group.id), num);
    let next = if mutant!(MoveRebalances) { rebalanced(next) } else { next };
    Ok(Some((next, Action::Move { config: num, shard, gid })))
}

/// The configuration after `latest` with nothing changed but its number.
fn successor(latest: &Configuration) -> Configuration {
    Configuration { num: latest.num.next(), ..latest.clone() }
}

/// The configuration with its shards balanced over its groups.
fn rebalanced(mut next: Configuration) -> Configuration {
    let owners: Vec<Option<Gid>> = next.shards.iter().map(|shard| shard.owner.map(|group| group.gid)).collect();
    let gids: BTreeSet<Gid> = next.groups.keys().copied().collect();
    for (assignment, gid) in next.shards.iter_mut().zip(rebalance(&owners, &gids)) {
        let owner = gid.and_then(|gid| next.groups.get(&gid)).map(|group| group.id);
        *assignment = handed_over(*assignment, owner, next.num);
    }
    next
}

/// A shard's assignment after configuration `num` gives it to `owner`. Taken from somebody, its data freezes there
/// under `num`; taken from nobody, its data is still where it last froze, or nowhere.
fn handed_over(from: Assignment, owner: Option<GroupId>, num: ConfigNum) -> Assignment {
    if from.owner == owner {
        return from;
    }
    let froze = from.owner.map(|group| Origin { group, config: num });
    let kept = from.origin.filter(|_| !mutant!(OriginForgotten));
    Assignment { owner, origin: froze.or(kept) }
}

/// The mutant `rebalance-by-hash-order`: of the shards that a group had to give away it gives another one.
#[cfg(feature = "mutants")]
pub(super) fn in_other_order(latest: &Configuration, mut next: Configuration) -> Configuration {
    let owners = || latest.shards.iter().zip(&next.shards).enumerate();
    let given = owners().find(|(_, (was, is))| was.owner.is_some() && was.owner != is.owner);
    let Some((first, (was, is))) = given else { return next };
    let kept = owners().find(|(_, (other, now))| other.owner == was.owner && now.owner == was.owner);
    if let Some((other, (kept, _))) = kept {
        let (was, owner, kept) = (*was, is.owner, *kept);
        let num = next.num;
        for (place, assignment) in [(first, was), (other, handed_over(kept, owner, num))] {
            if let Some(shard) = next.shards.get_mut(place) {
                *shard = assignment;
            }
        }
    }
    next
}
