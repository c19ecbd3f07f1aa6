//! Which shard goes to which group: a pure function of the assignment and the groups.
//!
//! Loads differ by at most one and no assignment that achieves this moves fewer shards. Why it is the fewest: with
//! `n` shards and `k` groups, `n mod k` groups must hold `n / k + 1` shards and the others `n / k`. Once it is settled
//! which groups hold the larger share, every shard above a group's quota must leave it and every unowned shard must be
//! placed, and nothing else moves. A larger share saves a move exactly for a group that holds more than `n / k` shards,
//! so the fullest groups get it.
//!
//! It must never look at anything but its arguments, and never iterate in an order that two replicas could see
//! differently (`rebalance-by-hash-order`): ties fall to the lower gid, and shards are taken by number.

use crate::mutants::mutant;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec;
use alloc::vec::Vec;
use core::cmp::Reverse;
use quorate_spec::ids::Gid;

/// The balanced assignment of shards (by number) to `groups` that moves the fewest. A shard whose owner is not among
/// `groups` counts as unowned. Without groups nobody owns anything.
pub fn rebalance(shards: &[Option<Gid>], groups: &BTreeSet<Gid>) -> Vec<Option<Gid>> {
    if groups.is_empty() {
        return vec![None; shards.len()];
    }
    // What each group may still take: first by the shards that stay, then by those that are placed.
    let mut room = quotas(shards, groups);
    let mut balanced: Vec<Option<Gid>> = shards.iter().map(|owner| owner.filter(|gid| take(&mut room, *gid))).collect();
    let mut places = room.into_iter().flat_map(|(gid, left)| core::iter::repeat_n(gid, left));
    for owner in balanced.iter_mut().filter(|owner| owner.is_none()) {
        *owner = Some(places.next().expect("the quotas add up to the number of shards"));
    }
    assert!(places.next().is_none(), "the quotas add up to the number of shards");
    balanced
}

/// How many shards each group is to hold: the fullest groups get the larger share.
fn quotas(shards: &[Option<Gid>], groups: &BTreeSet<Gid>) -> BTreeMap<Gid, usize> {
    let mut loads: BTreeMap<Gid, usize> = groups.iter().map(|gid| (*gid, 0)).collect();
    for gid in shards.iter().flatten() {
        if let Some(load) = loads.get_mut(gid) {
            *load += 1;
        }
    }
    let (share, larger) = (shards.len() / groups.len(), shards.len() % groups.len());
    let mut fullest: Vec<(Gid, usize)> = loads.into_iter().collect();
    fullest.sort_by_key(|(gid, load)| (Reverse(if mutant!(LargerShareByGid) { 0 } else { *load }), *gid));
    fullest.into_iter().enumerate().map(|(rank, (gid, _))| (gid, share + usize::from(rank < larger))).collect()
}

/// Whether the group has room for one more shard; if so, it has one less afterwards.
fn take(room: &mut BTreeMap<Gid, usize>, gid: Gid) -> bool {
    match room.get_mut(&gid) {
        Some(left) if *left > 0 => {
            *left -= 1;
            true
        }
        Some(_) | None => false,
    }
}
