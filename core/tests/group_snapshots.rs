//! When a group writes a snapshot: when that saves as much as it writes, or as large a part of it as the limits say.

mod shard_support;

use quorate_core::bytes::Bytes;
use quorate_core::group::{Group, Machine, Outcome};
use quorate_core::limits::Limits;
use quorate_core::raft::{Durable, Payload, Timer};
use quorate_core::shard::{Command, ShardGroup, WriteOp};
use quorate_core::spec::ids::NodeId;
use shard_support::{Plan, config_num, gid, key_in, shard, write};
use std::collections::VecDeque;
use std::sync::Arc;

/// A group of one server, whose writes and snapshots are durable at once.
struct Alone {
    group: Group<ShardGroup>,
    limits: Limits,
    snapshots: usize,
    /// Bytes of keys and values in the last of them.
    saved: u64,
}

impl Alone {
    fn new(plan: &Plan, snapshot_log_bytes: u64) -> Self {
        Self::within(plan, Limits { snapshot_log_bytes, ..Limits::default() })
    }

    fn within(plan: &Plan, limits: Limits) -> Self {
        let (id, me) = (gid(1, 1), NodeId::new(1));
        let durable = Durable::genesis([me].into(), ShardGroup::genesis(id, Arc::clone(plan.get(0))));
        let (group, outcome) = Group::new(id, me, durable, &limits);
        let mut alone = Self { group, limits, snapshots: 0, saved: 0 };
        alone.follow(outcome);
        let outcome = alone.group.fired(Timer::Election, &alone.limits);
        alone.follow(outcome);
        alone
    }

    fn follow(&mut self, outcome: Outcome<Command>) {
        let mut outcomes = VecDeque::from([outcome]);
        while let Some(outcome) = outcomes.pop_front() {
            if let Some((write, _)) = outcome.writes.last() {
                outcomes.push_back(self.group.synced(*write, &self.limits));
            }
            for work in outcome.snapshots {
                (self.snapshots, self.saved) = (self.snapshots + 1, work.image.data_bytes());
                outcomes.push_back(self.group.snapshot_written(work.mark.last, &self.limits));
            }
        }
    }

    fn commit(&mut self, command: Command) {
        let outcome = self.group.propose(vec![(None, command)], &self.limits);
        self.follow(outcome);
    }
}

/// Found by the scenario `sharded_challenge_1_delete`: a group gave away two thirds of its data, and its snapshot held them
/// until the log had grown by as much as what was left, for ever if nobody wrote.
#[test]
fn what_is_given_away_leaves_the_snapshot_too() {
    const VALUE: usize = 1000;
    let (here, there) = (gid(1, 1), gid(2, 2));
    let mut plan = Plan::new(3);
    plan.give(&[(0, Some(here)), (1, Some(here)), (2, Some(here))]);
    plan.give(&[(0, Some(there)), (1, Some(there))]);
    let mut alone = Alone::new(&plan, 900);
    alone.commit(Command::AdoptConfiguration { config: Arc::clone(plan.get(1)) });
    let value = Bytes::from([b'v'; VALUE].as_slice());
    for number in 0..3 {
        let key = key_in(shard(number), 3, 0);
        alone.commit(write(1, number + 1, &key, WriteOp::Put { value: value.clone() }));
    }
    alone.commit(Command::AdoptConfiguration { config: Arc::clone(plan.get(2)) });
    for number in 0..2 {
        alone.commit(Command::Collect { shard: shard(number), config: config_num(2) });
    }
    let left = alone.group.machine().data_bytes();
    assert!((VALUE as u64..2 * VALUE as u64).contains(&left), "one value of three is left: {left} bytes");
    assert_eq!(alone.saved, left, "the snapshot holds what is left, and no more");
    let snapshots = alone.snapshots;
    alone.commit(Command::Collect { shard: shard(1), config: config_num(2) });
    assert_eq!(alone.snapshots, snapshots, "what is repeated frees nothing");
}

/// A snapshot waits for as much log as the limits say of the state, no less and no more: with 0 for none of it.
#[test]
fn a_snapshot_waits_for_its_part_of_the_state() {
    const VALUE: usize = 1000;
    const WRITES: u64 = 90;
    let here = gid(1, 1);
    let mut plan = Plan::new(1);
    plan.give(&[(0, Some(here))]);
    let keys = [0, 1, 2].map(|number| key_in(shard(0), 1, number));
    let value = Bytes::from([b'v'; VALUE].as_slice());
    // The same keys written over and over: the state stays as it is, and the log grows by as much each time.
    let put = |seq| write(1, seq, &keys[seq as usize % keys.len()], WriteOp::Put { value: value.clone() });
    let logged = put(1).bytes() as u64;
    let snapshots = |snapshot_state_percent| {
        let mut alone =
            Alone::within(&plan, Limits { snapshot_log_bytes: 1, snapshot_state_percent, ..Limits::default() });
        alone.commit(Command::AdoptConfiguration { config: Arc::clone(plan.get(1)) });
        (1..4).for_each(|seq| alone.commit(put(seq)));
        let (before, state) = (alone.snapshots, alone.group.machine().bytes());
        (4..4 + WRITES).for_each(|seq| alone.commit(put(seq)));
        assert_eq!(alone.group.machine().bytes(), state, "the state is as large as before");
        ((alone.snapshots - before) as u64, state)
    };
    let (always, state) = snapshots(0);
    assert_eq!(always, WRITES, "at 0 one after every write");
    // After as many writes as exceed the state, and those that exceed three times it.
    let [once, thrice] = [state / logged + 1, 3 * state / logged + 1];
    assert!(once > 1 && thrice > once, "they differ: {once} and {thrice}");
    for (percent, writes) in [(100, once), (300, thrice)] {
        let taken = snapshots(percent).0;
        assert!(
            taken.abs_diff(WRITES / writes) <= 1,
            "at {percent} one after every {writes} writes: {taken} of {WRITES}"
        );
    }
    assert_eq!(snapshots(u64::MAX).0, 0, "no product is too large");
}
