//! Lab `minimal`: only the necessary shards move, for every pair of consecutive configurations.
//!
//! The bound, exactly, with `n` shards and a balanced configuration of `k` groups before:
//! - the `k+1`-th group joins: `n / (k + 1)` shards change owner, rounded down, all of them to the new group;
//! - a group leaves: exactly the shards that it owned change owner;
//! - the first groups join, or the last ones leave: all `n`.

use crate::support::*;
use quorate_core::controller::Configuration;

/// The shards whose owner differs, with the new owner's gid.
fn moved(before: &Configuration, after: &Configuration) -> Vec<u64> {
    owners(before).into_iter().zip(owners(after)).filter(|(old, new)| old != new).map(|(_, new)| new).collect()
}

fn load(config: &Configuration, gid: u64) -> usize {
    owners(config).iter().filter(|owner| **owner == gid).count()
}

#[track_caller]
fn assert_even(config: &Configuration) {
    let loads: Vec<usize> = config.groups.keys().map(|gid| load(config, gid.get())).collect();
    let (least, most) = (loads.iter().min().copied(), loads.iter().max().copied());
    assert!(most.unwrap_or(0) - least.unwrap_or(0) <= 1, "configuration {}: {loads:?}", config.num);
}

#[test]
fn each_join_and_each_leave_moves_only_what_it_must() {
    for shards in 1..=40_u32 {
        for groups in 1..=12_u64 {
            let mut cluster = Cluster::new(shards);
            for gid in 1..=groups {
                let before = cluster.latest();
                cluster.change(join(&[(gid, &[gid])]));
                let after = cluster.latest();
                assert_even(&after);
                let moved = moved(&before, &after);
                assert_eq!(moved.len(), shards as usize / gid as usize, "{shards} shards, group {gid} joins");
                assert!(moved.iter().all(|owner| *owner == gid), "only to the new group");
            }
            // An order that is neither that of the joins nor its reverse.
            for gid in (1..=groups).map(|rank| rank * 5 % 13).filter(|gid| (1..=groups).contains(gid)) {
                let before = cluster.latest();
                cluster.change(leave(&[gid]));
                let after = cluster.latest();
                assert_even(&after);
                assert_eq!(moved(&before, &after).len(), load(&before, gid), "{shards} shards, group {gid} leaves");
            }
        }
    }
}

#[test]
fn the_first_to_join_take_all_and_the_last_to_leave_lose_all() {
    let mut cluster = Cluster::new(10);
    let empty = cluster.latest();
    cluster.change(join(&[(1, &[1]), (2, &[2]), (3, &[3])]));
    let full = cluster.latest();
    assert_eq!(moved(&empty, &full).len(), 10);
    cluster.change(leave(&[1, 2, 3]));
    assert_eq!(moved(&full, &cluster.latest()), [0; 10]);
}
