//! Balance: loads within one of each other, and the fewest possible moves, against minima computed in other ways.
//!
//! Small cases are exhausted: every assignment and every load vector. Large ones are sampled.

use proptest::prelude::*;
use quorate_core::controller::balance::rebalance;
use quorate_core::spec::ids::Gid;
use std::collections::BTreeSet;

type Assignment = Vec<Option<Gid>>;

fn gids(count: u64) -> BTreeSet<Gid> {
    (1..=count).map(Gid::new).collect()
}

fn loads(shards: &[Option<Gid>], groups: &BTreeSet<Gid>) -> Vec<usize> {
    groups.iter().map(|gid| shards.iter().filter(|owner| **owner == Some(*gid)).count()).collect()
}

fn moves(before: &[Option<Gid>], after: &[Option<Gid>]) -> usize {
    before.iter().zip(after).filter(|(old, new)| old != new).count()
}

/// The fewest moves: the best over *every* choice of the groups that hold one shard more.
fn fewest_moves(shards: &[Option<Gid>], groups: &BTreeSet<Gid>) -> usize {
    let loads = loads(shards, groups);
    let unowned = shards.len() - loads.iter().sum::<usize>();
    let (share, larger) = (shards.len() / groups.len(), shards.len() % groups.len());
    (0_u32..1 << groups.len())
        .filter(|chosen| chosen.count_ones() as usize == larger)
        .map(|chosen| {
            let quota = |group: usize| share + usize::from(chosen >> group & 1 == 1);
            unowned + loads.iter().enumerate().map(|(group, load)| load.saturating_sub(quota(group))).sum::<usize>()
        })
        .min()
        .expect("some choice has the right size")
}

/// The same for many groups: every choice saves one move per larger share that goes to a group with more than a share.
fn fewest_moves_of_many(shards: &[Option<Gid>], groups: &BTreeSet<Gid>) -> usize {
    let loads = loads(shards, groups);
    let unowned = shards.len() - loads.iter().sum::<usize>();
    let (share, larger) = (shards.len() / groups.len(), shards.len() % groups.len());
    let above: usize = loads.iter().map(|load| load.saturating_sub(share)).sum();
    let over = loads.iter().filter(|load| **load > share).count();
    unowned + above - larger.min(over)
}

#[track_caller]
fn assert_balanced(before: &[Option<Gid>], groups: &BTreeSet<Gid>, after: &[Option<Gid>]) {
    assert_eq!(after.len(), before.len());
    assert!(after.iter().all(|owner| owner.is_some_and(|gid| groups.contains(&gid))), "{before:?} -> {after:?}");
    let loads = loads(after, groups);
    let (least, most) = (loads.iter().min().expect("groups"), loads.iter().max().expect("groups"));
    assert!(most - least <= 1, "{before:?} -> {after:?}: loads {loads:?}");
}

/// Calls `visit` with every word of `length` letters below `letters`.
fn every_word(letters: usize, length: usize, mut visit: impl FnMut(&[usize])) {
    let mut word = vec![0; length];
    loop {
        visit(&word);
        let Some(place) = word.iter().position(|letter| letter + 1 < letters) else {
            return;
        };
        word[place] += 1;
        word[..place].fill(0);
    }
}

/// Letter 0 is nobody, letter g is group g.
fn assignment(word: &[usize]) -> Assignment {
    word.iter().map(|letter| (*letter > 0).then(|| Gid::new(*letter as u64))).collect()
}

#[test]
fn every_assignment_up_to_four_groups_and_eight_shards() {
    for groups in 1..=4 {
        let gids = gids(groups as u64);
        for shards in 0..=8 {
            every_word(groups + 1, shards, |word| {
                let before = assignment(word);
                let after = rebalance(&before, &gids);
                assert_balanced(&before, &gids, &after);
                assert_eq!(moves(&before, &after), fewest_moves(&before, &gids), "{before:?} -> {after:?}");
                assert_eq!(rebalance(&after, &gids), after, "a balanced assignment stays");
            });
        }
    }
}

/// The quota argument itself is checked: against every balanced assignment there is.
#[test]
fn no_balanced_assignment_is_nearer() {
    for groups in 1..=3 {
        let gids = gids(groups as u64);
        for shards in 0..=5 {
            let mut targets = Vec::new();
            every_word(groups, shards, |word| {
                let target: Assignment = word.iter().map(|letter| Some(Gid::new(*letter as u64 + 1))).collect();
                let loads = loads(&target, &gids);
                if loads.iter().max().unwrap() - loads.iter().min().unwrap() <= 1 {
                    targets.push(target);
                }
            });
            every_word(groups + 1, shards, |word| {
                let before = assignment(word);
                let nearest = targets.iter().map(|target| moves(&before, target)).min().expect("a balanced one exists");
                assert_eq!(moves(&before, &rebalance(&before, &gids)), nearest, "{before:?}");
                assert_eq!(fewest_moves(&before, &gids), nearest, "the reference minimum is right");
                assert_eq!(fewest_moves_of_many(&before, &gids), nearest, "the reference for many groups is right");
            });
        }
    }
}

#[test]
fn every_load_vector_up_to_six_groups_and_twelve_shards() {
    for groups in 1..=6 {
        let gids = gids(groups as u64);
        for shards in 0..=12 {
            every_load_vector(groups, shards, &mut Vec::new(), &mut |loads| {
                let owned =
                    loads.iter().zip(1..).flat_map(|(load, gid)| std::iter::repeat_n(Some(Gid::new(gid)), *load));
                let mut before: Assignment = owned.collect();
                before.resize(shards, None);
                let after = rebalance(&before, &gids);
                assert_balanced(&before, &gids, &after);
                assert_eq!(moves(&before, &after), fewest_moves(&before, &gids), "{loads:?}");
            });
        }
    }
}

/// Every way to give at most `left` shards to `groups` groups.
fn every_load_vector(groups: usize, left: usize, loads: &mut Vec<usize>, visit: &mut impl FnMut(&[usize])) {
    if loads.len() == groups {
        return visit(loads);
    }
    for load in 0..=left {
        loads.push(load);
        every_load_vector(groups, left - load, loads, visit);
        loads.pop();
    }
}

/// Ties fall to the lower gid; a group that is too full keeps its lowest shards; free shards are placed by number.
#[test]
fn ties_are_broken_by_gid_and_by_shard_number() {
    let before = |owners: &[u64]| owners.iter().map(|gid| (*gid > 0).then(|| Gid::new(*gid))).collect::<Assignment>();
    for (owners, groups, expected) in [
        ([0, 0, 0, 0, 0, 0, 0], 3, [1, 1, 1, 2, 2, 3, 3]),
        ([2, 2, 2, 2, 2, 2, 2], 3, [2, 2, 2, 1, 1, 3, 3]),
        ([3, 3, 3, 1, 1, 1, 1], 3, [3, 3, 2, 1, 1, 1, 2]),
        ([1, 2, 1, 2, 1, 2, 0], 3, [1, 2, 1, 2, 1, 3, 3]),
        ([9, 2, 9, 2, 9, 9, 9], 2, [1, 2, 1, 2, 1, 2, 2]),
    ] {
        assert_eq!(rebalance(&before(&owners), &gids(groups)), before(&expected), "{owners:?}");
    }
}

#[test]
fn without_groups_nobody_owns_anything() {
    assert_eq!(rebalance(&[Some(Gid::new(1)), None], &BTreeSet::new()), [None, None]);
    assert_eq!(rebalance(&[], &BTreeSet::new()), []);
}

#[test]
fn groups_that_left_count_as_nobody() {
    let gids = gids(3);
    every_word(5, 6, |word| {
        let with_departed = assignment(word);
        let unowned: Assignment = with_departed.iter().map(|owner| owner.filter(|gid| gids.contains(gid))).collect();
        assert_eq!(rebalance(&with_departed, &gids), rebalance(&unowned, &gids));
    });
}

#[test]
fn more_groups_than_shards_leaves_some_idle_and_moves_nothing() {
    let before = assignment(&[5, 3, 9]);
    assert_eq!(rebalance(&before, &gids(12)), before);
}

/// A skewed assignment from a seed: a few groups draw most of the shards, some are gone, some shards are with nobody.
fn skewed(shards: usize, owners: u64, seed: u64) -> Assignment {
    let mut state = seed | 1;
    let mut draw = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    (0..shards)
        .map(|_| {
            let bound = draw() % (owners + 1) + 1;
            let owner = draw() % bound;
            (owner > 0).then(|| Gid::new(owner))
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn sampled_up_to_64_groups_and_16384_shards(
        shards in prop_oneof![1..200_usize, 200..=16_384_usize],
        groups in 1..=64_u64,
        owners in 1..=80_u64,
        seed: u64,
    ) {
        let (before, gids) = (skewed(shards, owners, seed), gids(groups));
        let after = rebalance(&before, &gids);
        assert_balanced(&before, &gids, &after);
        prop_assert_eq!(moves(&before, &after), fewest_moves_of_many(&before, &gids));
    }
}
