//! Ten users at work while groups change hands.

use super::{appenders, kill, lab, start};
use quorate_tests::sim::disk::Outage;
use quorate_tests::sim::random::Random;

/// Row `concurrent-1`: groups join, leave, die and come back.
#[test]
fn sharded_concurrent_1() {
    let mut lab = lab(111, 1);
    lab.work(10, &appenders());
    lab.progress(50);
    lab.join(&[2]);
    lab.run(500);
    lab.join(&[3]);
    lab.run(500);
    lab.leave(&[1]);
    lab.settled();
    kill(&mut lab, 1);
    lab.run(1000);
    kill(&mut lab, 2);
    kill(&mut lab, 3);
    lab.run(1000);
    (1..=3).for_each(|gid| start(&mut lab, gid));
    lab.join(&[1]);
    lab.run(1000);
    lab.leave(&[2]);
    lab.settled();
    lab.progress(50);
    lab.pass();
}

/// Row `concurrent-2`: all shards change hands at once, again and again.
#[test]
fn sharded_concurrent_2() {
    let mut lab = lab(112, 1);
    lab.work(10, &appenders());
    for (joins, leaves) in [(2, 1), (3, 2), (1, 3), (2, 1), (1, 2), (3, 1)] {
        lab.join(&[joins]);
        lab.leave(&[leaves]);
        lab.progress(50);
    }
    lab.settled();
    lab.progress(50);
    lab.pass();
}

/// Row `concurrent-3`: everything is killed and restarted while groups join and leave.
#[test]
fn sharded_concurrent_3() {
    let mut lab = lab(113, 1);
    let mut random = Random::new(113, 99);
    lab.work(10, &appenders());
    for (joins, leaves) in [(2, None), (3, Some(1)), (1, Some(2)), (2, Some(3)), (3, None), (1, None)] {
        if lab.shards_of(joins).is_empty() {
            let change = lab.joining(&[joins]);
            lab.world.call(lab.operator, change);
        }
        if let Some(gid) = leaves {
            let another = lab.world.add_client();
            lab.world.call(another, quorate_tests::sim::operator::leave(&[gid]));
        }
        lab.run(random.below(400) as u64);
        lab.world.crash_all(0..12, Outage::Power { kept: 500 });
        (0..12).for_each(|process| lab.world.start(process));
        lab.progress(20);
        lab.run(500);
    }
    lab.settled();
    lab.progress(50);
    lab.pass();
}
