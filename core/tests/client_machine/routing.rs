//! Scripts of the client's routing: where an attempt goes, and when it waits.

use crate::support::*;
use quorate_core::client::{Input, Operation, Outcome, Task, Timer, Trouble};
use quorate_core::message::{Refusal, Reply, Request};
use quorate_spec::ids::{ConfigNum, Gid, GroupId, NodeId};

#[test]
fn a_get_goes_to_the_owner_and_waits_for_nothing() {
    let mut script = Script::mapped();
    let call = script.submit(get(2));
    let sent = script.take_one();
    assert_eq!(sent.to, endpoint(21));
    assert_eq!(sent.request, Request::Get { group: group(2), key: key(2) });
    script.answer(&sent, value(2, "x"));
    assert!(matches!(script.outcome(call), Some(Outcome::Value { value: Some(it), .. }) if **it == *b"x"));
    assert!(script.armed.is_empty(), "nothing is left armed: {:?}", script.armed);
}

#[test]
fn without_a_map_calls_wait_for_it_in_order() {
    let mut script = Script::unmapped(&[1]);
    let first = script.submit(append(0, "a"));
    let second = script.submit(append(0, "b"));
    script.assert_nothing_sent();
    script.answer_map(configuration(1, [1, 1, 2, 2]), directory(1));
    let ask = script.take_one();
    script.answer(&ask, registered(1));
    let write = script.take_one();
    script.answer(&write, written(0));
    assert!(script.outcome(first).is_some() && script.outcome(second).is_none());
    assert_eq!(script.take_one().stamp(), (1, 2));
}

#[test]
fn a_node_that_knows_nothing_yet_is_asked_again() {
    let mut script = Script::unmapped(&[1]);
    let call = script.submit(get(0));
    let at = script.sent.iter().position(Sent::is_map).expect("it is asked for");
    let ask = script.sent.remove(at);
    script.answer(&ask, Reply::Map { config: None, directory: None });
    script.fire(Timer::Retry { task: Task::Refresh });
    script.answer_map(configuration(1, [1, 1, 2, 2]), directory(1));
    let sent = script.take_one();
    script.answer(&sent, value(0, "x"));
    assert!(matches!(script.outcome(call), Some(Outcome::Value { .. })));
}

#[test]
fn a_redirection_is_followed_at_once_and_remembered() {
    let mut script = Script::mapped();
    let call = script.submit(get(0));
    let sent = script.take_one();
    script.answer(&sent, not_leader(Some(13)));
    let sent = script.take_one();
    assert_eq!(sent.to, endpoint(13));
    script.answer(&sent, value(0, "x"));
    assert!(script.outcome(call).is_some());
    script.submit(get(1));
    assert_eq!(script.take_one().to, endpoint(13), "the leader is known now");
}

#[test]
fn servers_that_name_each_other_are_not_asked_without_end() {
    let mut script = Script::mapped();
    let call = script.submit(get(0));
    for hops in 1.. {
        assert!(hops <= 4, "the fourth redirection ends in a back-off");
        let sent = script.take_one();
        let other = if sent.to == endpoint(11) { 12 } else { 11 };
        script.answer(&sent, not_leader(Some(other)));
        if script.backs_off(call) {
            break;
        }
    }
    script.assert_nothing_sent();
    for _ in 0..10 {
        if script.backs_off(call) {
            script.retry(call);
        }
        let sent = script.take_one();
        if sent.to == endpoint(13) {
            return;
        }
        let other = if sent.to == endpoint(11) { 12 } else { 11 };
        script.answer(&sent, not_leader(Some(other)));
    }
    panic!("the third server is never asked");
}

#[test]
fn without_a_leader_each_server_is_asked_and_then_time_is_given() {
    let mut script = Script::mapped();
    let call = script.submit(get(0));
    let mut asked = Vec::new();
    while !script.backs_off(call) {
        let sent = script.take_one();
        asked.push(sent.to.clone());
        script.answer(&sent, not_leader(None));
    }
    assert_eq!(asked, [11, 12, 13, 11].map(endpoint));
}

#[test]
fn a_silent_leader_is_left_and_not_returned_to_on_hearsay() {
    let mut script = Script::mapped();
    let call = script.submit(get(0));
    let sent = script.take_one();
    script.time_out(&sent);
    let second = script.take_one();
    assert_eq!(second.to, endpoint(12));
    script.answer(&second, not_leader(Some(11)));
    script.assert_nothing_sent();
    assert!(script.backs_off(call), "the group gets time to elect another");
    script.retry(call);
    let third = script.take_one();
    assert_eq!(third.to, endpoint(13));
    script.answer(&third, value(0, "x"));
    assert!(script.outcome(call).is_some());
    script.submit(get(0));
    assert_eq!(script.take_one().to, endpoint(13));
}

#[test]
fn hearsay_is_believed_again_after_some_time() {
    let mut script = Script::mapped();
    let call = script.submit(get(0));
    let sent = script.take_one();
    script.time_out(&sent);
    for _ in 0..20 {
        let sent = script.take_one();
        if sent.to == endpoint(11) {
            return;
        }
        script.answer(&sent, not_leader(Some(11)));
        if script.backs_off(call) {
            script.retry(call);
        }
    }
    panic!("the silent server is never asked again");
}

#[test]
fn a_late_value_of_an_older_attempt_is_an_answer() {
    let mut script = Script::mapped();
    let call = script.submit(get(0));
    let first = script.take_one();
    script.time_out(&first);
    let second = script.take_one();
    script.answer(&first, value(0, "late"));
    assert!(matches!(script.outcome(call), Some(Outcome::Value { .. })));
    script.answer(&second, value(0, "later"));
    assert!(script.armed.is_empty(), "{:?}", script.armed);
}

#[test]
fn a_late_refusal_of_an_older_attempt_changes_nothing() {
    let mut script = Script::mapped();
    let call = script.submit(get(0));
    let first = script.take_one();
    script.time_out(&first);
    let second = script.take_one();
    script.answer(&first, Reply::Refused(Refusal::Overloaded));
    assert!(!script.backs_off(call));
    script.answer(&second, value(0, "x"));
    assert!(script.outcome(call).is_some());
}

#[test]
fn the_wrong_group_is_asked_again_only_after_a_wait_or_with_a_newer_map() {
    let mut script = Script::mapped();
    let call = script.submit(get(0));
    let sent = script.take_one();
    script.answer(&sent, Reply::Refused(Refusal::WrongGroup { config: ConfigNum::new(2) }));
    script.assert_nothing_sent();
    assert!(script.backs_off(call));
    let ask = script.sent.iter().find(|sent| sent.is_map()).expect("the map is asked for");
    assert_eq!(ask.to, endpoint(11), "where the newer configuration is known");
    script.answer_map(configuration(2, [2, 1, 2, 2]), directory(2));
    let sent = script.take_one();
    assert_eq!(sent.request, Request::Get { group: group(2), key: key(0) });
    assert!(!script.backs_off(call), "its timer is stopped");
    script.answer(&sent, Reply::Refused(Refusal::NotYetHere { config: ConfigNum::new(2) }));
    script.assert_nothing_sent();
    script.retry(call);
    assert_eq!(script.take_one().to, endpoint(21), "the same server: the data is on its way to its group");
}

#[test]
fn a_shard_of_nobody_waits_for_an_owner() {
    let mut script = Script::unmapped(&[1]);
    script.answer_map(configuration(1, [0, 0, 0, 0]), directory(1));
    let call = script.submit(get(0));
    script.assert_nothing_sent();
    assert!(script.backs_off(call));
    script.deadline(call);
    assert_eq!(script.outcome(call), Some(&Outcome::Timeout { trouble: Trouble::NoOwner }));
    assert!(!script.backs_off(call));
}

#[test]
fn only_one_question_for_the_map_is_out() {
    let mut script = Script::mapped();
    for shard in 0..4 {
        script.submit(get(shard));
    }
    for sent in script.take_sent() {
        script.answer(&sent, Reply::Refused(Refusal::Overloaded));
    }
    assert_eq!(script.sent.iter().filter(|sent| sent.is_map()).count(), 1);
}

#[test]
fn with_no_node_up_the_map_is_asked_for_with_back_off() {
    let mut script = Script::unmapped(&[1, 2]);
    script.step(Input::Unreachable { endpoint: endpoint(1) });
    assert_eq!(script.sent.pop().expect("the other seed is asked").to, endpoint(2));
    script.sent.clear();
    script.step(Input::Unreachable { endpoint: endpoint(2) });
    assert!(script.sent.is_empty());
    script.fire(Timer::Retry { task: Task::Refresh });
    assert_eq!(script.sent.pop().expect("the first seed again").to, endpoint(1));
}

#[test]
fn an_idle_client_with_a_map_leaves_dead_nodes_alone() {
    let mut script = Script::mapped();
    let call = script.submit(Operation::Map);
    for node in [1, 2, 3, 11, 12, 13, 21, 22, 23] {
        script.step(Input::Unreachable { endpoint: endpoint(node) });
    }
    script.deadline(call);
    script.sent.clear();
    script.fire(Timer::Retry { task: Task::Refresh });
    assert!(script.sent.is_empty() && script.armed.is_empty());
}

#[test]
fn a_broken_connection_moves_its_calls_to_another_server() {
    let mut script = Script::mapped();
    let calls = [script.submit(get(0)), script.submit(get(1)), script.submit(get(2))];
    script.take_sent();
    script.step(Input::Disconnected { endpoint: endpoint(11) });
    let moved = script.take_sent();
    assert_eq!(moved.iter().map(|sent| sent.to.clone()).collect::<Vec<_>>(), [endpoint(12), endpoint(12)]);
    assert!(calls.iter().all(|call| script.outcome(*call).is_none()));
}

#[test]
fn queries_go_to_the_controller_and_teach_the_map() {
    let mut script = Script::mapped();
    let call = script.submit(Operation::Query { num: None });
    let sent = script.take_one();
    assert_eq!(sent.to, endpoint(1));
    script.answer(&sent, not_leader(Some(2)));
    let sent = script.take_one();
    assert_eq!(sent.to, endpoint(2));
    let config = configuration(5, [2, 2, 2, 2]);
    script.answer(&sent, Reply::Controller(quorate_core::controller::Answer::Configuration(config.clone())));
    assert_eq!(script.outcome(call), Some(&Outcome::Configuration(config)));
    script.submit(get(0));
    assert_eq!(script.take_one().to, endpoint(21));
}

#[test]
fn before_the_directory_the_controller_is_looked_for_among_the_seeds() {
    let mut script = Script::unmapped(&[11, 2]);
    let call = script.submit(Operation::Query { num: None });
    let sent = script.take_one();
    assert_eq!(sent.to, endpoint(11));
    script.answer(&sent, Reply::Refused(Refusal::NoSuchGroup));
    script.retry(call);
    assert_eq!(script.take_one().to, endpoint(2));
}

#[test]
fn a_transfer_to_the_node_that_leads_is_done() {
    let mut script = Script::mapped();
    let call = script.submit(Operation::TransferLeadership { gid: Gid::new(1), to: NodeId::new(12) });
    let sent = script.take_one();
    assert_eq!(sent.request, Request::TransferLeadership { group: group(1), to: NodeId::new(12) });
    script.step(Input::Disconnected { endpoint: sent.to.clone() });
    let sent = script.take_one();
    assert_eq!(sent.to, endpoint(12));
    script.answer(&sent, Reply::Refused(Refusal::BadTransferTarget));
    assert_eq!(script.outcome(call), Some(&Outcome::TransferStarted));

    let call = script.submit(Operation::TransferLeadership { gid: Gid::ZERO, to: NodeId::new(99) });
    let sent = script.take_one();
    assert_eq!(sent.request, Request::TransferLeadership { group: GroupId::CONTROLLER, to: NodeId::new(99) });
    script.answer(&sent, Reply::Refused(Refusal::BadTransferTarget));
    assert_eq!(script.outcome(call), Some(&Outcome::Refused(Refusal::BadTransferTarget)));
}

#[test]
fn the_map_is_told_as_far_as_it_is_known() {
    let mut script = Script::mapped();
    let call = script.submit(Operation::Map);
    let at = script.sent.iter().position(Sent::is_map).expect("it is asked for");
    let ask = script.sent.remove(at);
    script.answer(&ask, Reply::Map { config: None, directory: None });
    let expected = Outcome::Map { config: configuration(1, [1, 1, 2, 2]), directory: directory(1) };
    assert_eq!(script.outcome(call), Some(&expected));
}

#[test]
fn an_older_map_is_not_taken_for_a_newer_one() {
    let mut script = Script::mapped();
    let config = configuration(5, [2, 2, 2, 2]);
    for config in [config.clone(), configuration(3, [1, 1, 1, 1])] {
        script.submit(Operation::Map);
        script.answer_map(config, directory(1));
    }
    assert_eq!(script.client.map().0, config);
}

#[test]
fn an_answer_that_does_not_fit_is_no_answer() {
    let mut script = Script::mapped();
    let call = script.submit(get(0));
    let sent = script.take_one();
    script.answer(&sent, written(0));
    assert!(script.backs_off(call));
    script.deadline(call);
    assert_eq!(script.outcome(call), Some(&Outcome::Timeout { trouble: Trouble::Nonsense }));
}
