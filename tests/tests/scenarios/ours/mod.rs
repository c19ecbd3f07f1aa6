//! What no lab tests: live data on the move, lost disks, sleeping groups, sessions that end.

mod disks;
mod migrations;
mod moves;
mod sessions;

use crate::lab::{Lab, SHARDS};
use quorate_tests::sim::setup::Setup;
use quorate_tests::sim::workload::Workload;
use quorate_tests::world::key_per_shard;
use std::collections::BTreeMap;

/// Of three groups of three servers the first `joined` are at work.
fn lab(seed: u64, joined: u64) -> Lab {
    Lab::sharded(3, joined, Setup { seed, ..Setup::default() })
}

/// A key of every shard.
fn keys() -> BTreeMap<u64, String> {
    key_per_shard(SHARDS, "k")
}

/// Users who get, put and append, about 40 times a second each.
fn users() -> Workload {
    Workload { keys: 10, ..Workload::default() }
}

/// Puts so many values of so many bytes beside a key, in its shard.
fn fill(lab: &mut Lab, anchor: &str, values: usize, bytes: usize) {
    let mut user = lab.user();
    for number in 0..values {
        let mut value = lab.token(&user);
        value.splice(0..0, std::iter::repeat_n(b'v', bytes));
        lab.put(&mut user, &format!("{{{anchor}}}:{number}"), &value);
    }
}
