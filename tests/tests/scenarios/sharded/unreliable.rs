//! The lab's unreliable network.

use super::{appenders, keys, lab};
use quorate_tests::sim::network::Links;
use quorate_tests::sim::workload::Workload;

/// Row `unreliable-1`: one user.
#[test]
fn sharded_unreliable_1() {
    let (mut lab, keys) = (lab(121, 1), keys());
    let mut user = lab.user();
    lab.world.network.links = Links::unreliable();
    lab.serve(&mut user, keys.values());
    lab.join(&[2, 3]);
    lab.leave(&[1]);
    for _ in 0..2 {
        lab.serve(&mut user, keys.values());
    }
    lab.join(&[1]);
    for _ in 0..2 {
        lab.serve(&mut user, keys.values());
    }
    lab.pass();
}

/// Groups join and leave while ten users are at work.
fn rotate(seed: u64, workload: &Workload) {
    let mut lab = lab(seed, 1);
    lab.world.network.links = Links::unreliable();
    lab.work(10, workload);
    for gids in [[2, 3], [1, 2], [1, 2]] {
        for gid in gids {
            if lab.shards_of(gid).is_empty() {
                lab.join(&[gid])
            } else {
                lab.leave(&[gid])
            }
            lab.run(1500);
        }
        lab.progress(20);
    }
    lab.settled();
    lab.progress(50);
    lab.pass();
}

/// Row `unreliable-2`: ten users append.
#[test]
fn sharded_unreliable_2() {
    rotate(122, &appenders());
}

/// Row `unreliable-3`: ten users get, put and append, and the judges of linearizability have most to do.
#[test]
fn sharded_unreliable_3() {
    rotate(123, &Workload { gets: 350, puts: 350, ..appenders() });
}
