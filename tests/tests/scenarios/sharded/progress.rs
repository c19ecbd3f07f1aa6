//! What goes on while something else does not.

use super::{appenders, keys, kill, lab, start};
use crate::lab::{Lab, User};
use quorate_core::client::Outcome as Told;
use quorate_spec::history::{Call, Outcome};
use quorate_spec::ids::{GroupId, LogIndex};
use quorate_tests::sim::disk::Outage;
use quorate_tests::sim::network::End;
use quorate_tests::sim::operator::leave;
use quorate_tests::sim::random::Random;
use std::time::Duration;

/// How many gets of keys of these shards one user gets answered in 4 s, one after the other.
fn gets_in_4_seconds(lab: &mut Lab, user: &mut User, shards: &[u64]) -> usize {
    let (keys, end) = (keys(), lab.world.now() + Duration::from_secs(4));
    let mut answered = 0;
    while lab.world.now() < end {
        let key = &keys[&shards[answered % shards.len()]];
        let operation = lab.perform(user, key, Call::Get);
        assert!(matches!(operation.outcome, Outcome::Value(_)), "{operation:?}");
        answered += usize::from(lab.world.now() < end);
    }
    println!("{answered} gets in 4 s");
    answered
}

/// Row `progress-join`: while a joining group does not get its shards, at least 100 gets are answered in 4 s by the groups
/// that give them, on shards that do not move.
#[test]
fn sharded_progress_join() {
    let mut lab = lab(131, 2);
    let (mut user, keys) = (lab.user(), keys());
    lab.serve(&mut user, keys.values());
    let before = lab.query(None);
    let (old, new): (Vec<usize>, Vec<usize>) = ((3..9).collect(), lab.servers(3));
    lab.world.network.partition(&[&old, &new]);
    lab.join(&[3]);
    let after = lab.query(None);
    let stays = |shard: &u64| before.shards[*shard as usize].owner == after.shards[*shard as usize].owner;
    let staying: Vec<u64> = (0..10).filter(stays).collect();
    assert_eq!(staying.len(), 7, "a third moves, from both groups");
    let answered = gets_in_4_seconds(&mut lab, &mut user, &staying);
    assert!(answered >= 100, "{answered} gets in 4 s");
    let adopted = |gid| lab.servers(gid).iter().any(|server| lab.statuses(*server)[0].config == after.num);
    assert!(adopted(1) && adopted(2), "both groups take part in the change");
    assert!(!lab.world.is_settled(), "the new group still waits");
    lab.world.network.heal();
    lab.settled();
    lab.serve(&mut user, keys.values());
    lab.pass();
}

/// Row `progress-shutdown`: while a group is down and its shards are to move, the others go on in the same way.
#[test]
fn sharded_progress_shutdown() {
    let mut lab = lab(132, 3);
    let (mut user, keys) = (lab.user(), keys());
    lab.serve(&mut user, keys.values());
    let dead = lab.shards_of(3);
    kill(&mut lab, 3);
    lab.leave(&[3]);
    let alive: Vec<u64> = (0..10).filter(|shard| !dead.contains(shard)).collect();
    let answered = gets_in_4_seconds(&mut lab, &mut user, &alive);
    assert!(answered >= 100, "{answered} gets in 4 s");
    assert!(!lab.world.is_settled(), "what the dead group had is awaited");
    start(&mut lab, 3);
    lab.settled();
    lab.serve(&mut user, keys.values());
    lab.pass();
}

/// Row `stale-controller-fenced`: a leader of the controllers that was cut off changes nothing, neither then nor later.
#[test]
fn sharded_stale_controller_fenced() {
    let mut lab = lab(133, 2);
    let (mut user, keys) = (lab.user(), keys());
    lab.serve(&mut user, keys.values());
    let before = lab.query(None);
    // An operator who knows the way, and from now on reaches nobody but the old leader.
    let stale = lab.world.add_client();
    lab.world.call_and_wait(stale, quorate_core::client::Operation::Query { num: None });
    let leader = lab.world.leader(GroupId::CONTROLLER).expect("the controllers have a leader");
    lab.world.isolate(leader, false, true);
    for other in (0..12).filter(|other| *other != leader) {
        lab.world.network.block(End::Client(stale), End::Process(other));
        lab.world.network.block(End::Process(other), End::Client(stale));
    }
    let call = lab.world.call(stale, leave(&[1]));
    lab.run(50);
    lab.join(&[3]);
    let after = lab.query(None);
    assert_eq!((after.num, after.groups.len()), (before.num.next(), 3));
    lab.until("the stale operator gives up", |world| world.outcome(stale, call).is_some());
    let told = lab.world.outcome(stale, call).cloned();
    assert!(matches!(told, Some(Told::Unknown { .. } | Told::NotExecuted { .. })), "nothing was promised: {told:?}");
    lab.settled();
    lab.world.network.heal();
    lab.run(2000);
    assert_eq!(lab.query(None), after, "what it had begun is gone");
    lab.serve(&mut user, keys.values());
    lab.pass();
}

/// The last index of any controller's log.
fn controllers_end(lab: &Lab) -> LogIndex {
    let ends = lab.world.nodes().filter_map(|(_, node)| Some(node.controller()?.replica().last().index));
    ends.max().expect("there are controllers")
}

/// Row `controller-crash-mid-change`: 5 times all controllers lose their power in the middle of a change. It is done once or
/// not at all. Three times that is at any moment of the first 20 ms, and twice when the change is in a log and not answered.
#[test]
fn sharded_controller_crash_mid_change() {
    let mut lab = lab(134, 1);
    let mut random = Random::new(134, 99);
    lab.work(5, &appenders());
    lab.progress(20);
    let mut in_the_middle = 0;
    for round in 0..5 {
        let before = lab.query(None);
        let gid = 2 + round % 2;
        let joins = lab.shards_of(gid).is_empty();
        let change = if joins { lab.joining(&[gid]) } else { leave(&[gid]) };
        // Nothing else is on its way to the controllers.
        lab.run(500);
        let end = controllers_end(&lab);
        let call = lab.world.call(lab.operator, change);
        if round % 2 == 0 {
            lab.world.run_for(Duration::from_micros(random.below(20_000) as u64));
        } else {
            while controllers_end(&lab) == end {
                lab.world.run_for(Duration::from_micros(50));
            }
        }
        let (appended, answered) = (controllers_end(&lab) > end, lab.world.outcome(lab.operator, call).is_some());
        println!("round {round}: the change is appended: {appended}, answered: {answered}");
        in_the_middle += usize::from(appended && !answered);
        lab.world.crash_all(0..3, Outage::Power { kept: 500 });
        lab.run(300);
        (0..3).for_each(|controller| lab.world.start(controller));
        let operator = lab.operator;
        lab.until("the operator hears what came of it", |world| world.outcome(operator, call).is_some());
        let told = lab.world.outcome(operator, call).cloned();
        assert!(matches!(told, Some(Told::Changed { changed: true, .. })), "{told:?}");
        let after = lab.query(None);
        assert_eq!(after.num, before.num.next(), "it is done once");
        assert_eq!(!lab.shards_of(gid).is_empty(), joins);
        lab.settled();
        lab.progress(20);
    }
    assert!(in_the_middle >= 2, "{in_the_middle} crashes were in the middle of a change");
    lab.pass();
}
