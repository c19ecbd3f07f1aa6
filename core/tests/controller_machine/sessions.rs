//! At most once: retries, misuse, expiry, and the bound on live sessions.

use crate::support::*;
use quorate_core::controller::{Answer, Change, Command, Refusal};
use quorate_core::spec::action::Action;
use quorate_core::spec::ids::Seq;

fn request(session: u64, seq: u64, change: Change) -> Command {
    Command::Change { client: client(session), seq: Seq::new(seq), change }
}

/// Asserts that the command is answered so and changes nothing at all.
#[track_caller]
fn assert_inert(cluster: &mut Cluster, command: &Command, answer: &Answer) {
    let before = cluster.controller.clone();
    assert_eq!(cluster.controller.apply(command), (answer.clone(), None));
    assert_eq!(cluster.controller, before);
}

#[test]
fn a_retried_leave_does_not_act_twice() {
    let mut cluster = Cluster::new(4);
    cluster.apply(&request(1, 1, join(&[(1, &[1]), (2, &[2])])));
    let leaving = request(1, 2, leave(&[1]));
    assert_eq!(cluster.apply(&leaving), changed(2));
    let other = cluster.register_client(1_000).get();
    assert_eq!(cluster.apply(&request(other, 1, join(&[(1, &[1])]))), changed(3), "another client brings it back");
    assert_inert(&mut cluster, &leaving, &changed(2));
    assert!(cluster.latest().groups.contains_key(&gid(1)));
}

#[test]
fn a_retried_move_does_not_act_twice() {
    let mut cluster = Cluster::new(4);
    cluster.apply(&request(1, 1, join(&[(1, &[1]), (2, &[2])])));
    let moving = request(1, 2, move_shard(0, 2));
    assert_eq!(cluster.apply(&moving), changed(2));
    let other = cluster.register_client(1_000).get();
    assert_eq!(cluster.apply(&request(other, 1, move_shard(0, 1))), changed(3));
    assert_inert(&mut cluster, &moving, &changed(2));
    assert_eq!(cluster.owners(), [1, 1, 2, 2]);
}

#[test]
fn a_refusal_that_was_executed_is_the_answer_of_every_retry() {
    let mut cluster = Cluster::new(4);
    let leaving = request(1, 1, leave(&[1]));
    let answer = refused(Refusal::UnknownGroup { gid: gid(1) });
    assert_eq!(cluster.apply(&leaving), answer);
    let other = cluster.register_client(1_000).get();
    cluster.apply(&request(other, 1, join(&[(1, &[1])])));
    assert_inert(&mut cluster, &leaving, &answer);
}

#[test]
fn an_unchanged_answer_is_repeated_too() {
    let mut cluster = Cluster::new(4);
    cluster.apply(&request(1, 1, join(&[(1, &[1])])));
    let joining = request(1, 2, join(&[(1, &[1])]));
    assert_eq!(cluster.apply(&joining), unchanged(1));
    let other = cluster.register_client(1_000).get();
    cluster.apply(&request(other, 1, leave(&[1])));
    assert_inert(&mut cluster, &joining, &unchanged(1));
}

#[test]
fn older_requests_and_reused_numbers_are_neither_executed_nor_answered_from_the_record() {
    let mut cluster = Cluster::new(4);
    let first = request(1, 1, join(&[(1, &[1])]));
    cluster.apply(&first);
    cluster.apply(&request(1, 5, join(&[(2, &[2])])));
    assert_inert(&mut cluster, &first, &refused(Refusal::Superseded));
    assert_inert(&mut cluster, &request(1, 3, leave(&[1])), &refused(Refusal::Superseded));
    assert_inert(&mut cluster, &request(1, 5, leave(&[1])), &refused(Refusal::SeqReused));
    assert_inert(&mut cluster, &request(1, 5, join(&[(2, &[3])])), &refused(Refusal::SeqReused));
    assert_eq!(cluster.apply(&request(1, 6, leave(&[1]))), changed(3));
}

#[test]
fn sessions_that_were_never_issued_execute_nothing() {
    let mut cluster = Cluster::new(4);
    for session in [0, 2, u64::MAX] {
        assert_inert(&mut cluster, &request(session, 1, join(&[(1, &[1])])), &refused(Refusal::SessionExpired));
    }
}

#[test]
fn below_the_floor_nothing_is_executed_or_remembered() {
    let mut cluster = Cluster::new(4);
    let joining = request(1, 1, join(&[(1, &[1])]));
    assert_eq!(cluster.apply(&joining), changed(1));
    let other = cluster.register_client(1_000).get();
    assert_eq!(cluster.apply(&request(other, 1, raise_floor(other))), changed(2));
    assert_inert(&mut cluster, &joining, &refused(Refusal::SessionExpired));
    assert_inert(&mut cluster, &request(1, 2, leave(&[1])), &refused(Refusal::SessionExpired));
    assert_inert(&mut cluster, &request(other, 1, raise_floor(other)), &changed(2));
}

/// A client may end its own session; its record must not outlive it.
#[test]
fn a_client_that_ends_its_own_session_leaves_no_record() {
    let mut cluster = Cluster::new(4);
    let ending = request(1, 1, raise_floor(2));
    assert_eq!(cluster.apply(&ending), changed(1));
    assert_inert(&mut cluster, &ending, &refused(Refusal::SessionExpired));
    assert_eq!(crate::image::session_records(&cluster.controller), []);
}

#[test]
fn at_the_limit_the_oldest_tenth_ends_through_a_configuration() {
    let mut cluster = Cluster::new(4);
    for session in 2..=20 {
        assert_eq!(cluster.register_client(20), client(session));
    }
    cluster.apply(&request(1, 1, join(&[(1, &[1])])));
    cluster.apply(&request(3, 1, join(&[(2, &[2])])));
    assert_eq!((cluster.controller.live_sessions(), cluster.controller.floor()), (20, client(0)));
    let version = cluster.controller.directory().version;
    let (answer, action) = cluster.controller.apply(&Command::RegisterClient { limit: 20 });
    assert_eq!(answer, Answer::ClientRegistered { client: client(21) });
    assert_eq!(action, Some(Action::RegisterClient { client: client(21) }));
    assert_eq!((cluster.controller.live_sessions(), cluster.controller.floor()), (19, client(3)));
    assert_eq!((cluster.latest().num, cluster.controller.directory().version), (config(3), version.next()));
    assert_eq!(cluster.owners(), owners(&cluster.controller.query(Some(config(2)))), "no shard moves");
    assert_inert(&mut cluster, &request(1, 1, join(&[(1, &[1])])), &refused(Refusal::SessionExpired));
    assert_inert(&mut cluster, &request(3, 1, join(&[(2, &[2])])), &changed(2));
    assert_eq!(crate::image::session_records(&cluster.controller), [client(3)]);
    assert_eq!(cluster.register_client(20), client(22), "room again");
    assert_eq!(cluster.latest().num, config(3));
}

/// For every limit, however it changes, no more than `limit` sessions (at least one) are live after a registration.
#[test]
fn the_bound_on_live_sessions_holds_for_every_limit() {
    for limit in [0, 1, 2, 9, 10, 11, 25] {
        let mut cluster = Cluster::new(1);
        for _ in 0..100 {
            let newest = cluster.register_client(limit);
            let live = cluster.controller.live_sessions();
            assert!((1..=limit.max(1)).contains(&live), "limit {limit}: {live} live");
            assert!(newest >= cluster.controller.floor(), "the new session lives");
        }
    }
    let mut cluster = Cluster::new(1);
    for _ in 0..50 {
        cluster.register_client(100);
    }
    cluster.register_client(5);
    assert_eq!(cluster.controller.live_sessions(), 5, "a lowered limit holds at once");
}
