//! Scripts of writes: one number from the first attempt to the end, and no certainty that was not earned.

use crate::support::*;
use quorate_core::client::{CallId, Input, Operation, Outcome, Task, Timer, Trouble};
use quorate_core::controller::{Answer, Change, Refusal as ControllerRefusal};
use quorate_core::message::{Refusal, Reply, Request};
use quorate_core::shard::WriteAnswer;
use quorate_spec::ids::{ConfigNum, Gid, ShardId};
use std::collections::BTreeSet;

fn refused(refusal: Refusal) -> Reply {
    Reply::Refused(refusal)
}

#[test]
fn the_first_write_asks_for_a_session_once() {
    let mut script = Script::mapped();
    script.submit(append(0, "a"));
    script.submit(append(2, "b"));
    let ask = script.take_one();
    assert_eq!((ask.to.clone(), ask.request.clone()), (endpoint(1), Request::RegisterClient));
    script.answer(&ask, not_leader(Some(3)));
    let ask = script.take_one();
    assert_eq!(ask.to, endpoint(3));
    script.answer(&ask, registered(9));
    let writes = script.take_sent();
    assert_eq!(writes.iter().map(Sent::stamp).collect::<Vec<_>>(), [(9, 1), (9, 2)]);
}

#[test]
fn writes_of_a_shard_queue_and_gets_do_not() {
    let mut script = Script::with_session();
    let first = script.submit(append(0, "a"));
    script.submit(append(0, "b"));
    script.submit(append(1, "c"));
    script.submit(get(0));
    let sent = script.take_sent();
    assert_eq!(sent.len(), 3, "the second write of shard 0 waits: {sent:?}");
    assert_eq!((sent[0].stamp(), sent[1].stamp()), ((1, 2), (1, 3)));
    script.answer(&sent[0], written(0));
    assert!(script.outcome(first).is_some());
    assert_eq!(script.take_one().stamp(), (1, 4), "its number is greater than all before it");
}

#[test]
fn an_unanswered_write_is_sent_again_under_its_number_and_its_answer_counts() {
    let mut script = Script::with_session();
    let call = script.submit(append(0, "a"));
    let first = script.take_one();
    script.time_out(&first);
    let second = script.take_one();
    assert_eq!(first.stamp(), second.stamp());
    script.step(Input::Disconnected { endpoint: second.to.clone() });
    let third = script.take_one();
    assert_eq!(first.stamp(), third.stamp());
    script.answer(&first, written(0));
    assert!(matches!(script.outcome(call), Some(Outcome::Written { .. })), "the late answer is the answer");
    script.answer(&third, written(0));
    assert!(script.armed.is_empty(), "{:?}", script.armed);
}

#[test]
fn at_the_deadline_an_unanswered_write_is_unknown_and_its_number_spent() {
    let mut script = Script::with_session();
    let call = script.submit(append(0, "a"));
    let next = script.submit(append(0, "b"));
    let sent = script.take_one();
    script.deadline(call);
    assert!(script.is_unknown(call), "an attempt is on its way");
    let later = script.take_one();
    assert!(later.stamp() > sent.stamp());
    script.answer(&sent, written(0));
    assert_eq!(script.outcome(next), None, "an answer to an ended call answers nothing else");
    script.answer(&later, written(0));
    assert!(matches!(script.outcome(next), Some(Outcome::Written { .. })));
}

#[test]
fn a_refused_attempt_after_an_unanswered_one_leaves_the_write_unknown() {
    let mut script = Script::with_session();
    let call = script.submit(append(0, "a"));
    let first = script.take_one();
    script.time_out(&first);
    let second = script.take_one();
    script.answer(&second, refused(Refusal::Overloaded));
    script.deadline(call);
    assert!(script.is_unknown(call));
}

#[test]
fn lost_leadership_is_no_answer() {
    let mut script = Script::with_session();
    let call = script.submit(append(0, "a"));
    let first = script.take_one();
    script.answer(&first, refused(Refusal::LeadershipLost));
    script.retry(call);
    let second = script.take_one();
    assert_eq!((second.stamp(), second.to.clone()), (first.stamp(), endpoint(12)));
    script.answer(&second, refused(Refusal::Overloaded));
    script.deadline(call);
    assert!(script.is_unknown(call));
}

#[test]
fn a_write_that_was_only_ever_refused_is_certainly_not_executed() {
    let mut script = Script::with_session();
    let call = script.submit(append(0, "a"));
    for _ in 0..3 {
        let sent = script.take_one();
        script.answer(&sent, refused(Refusal::Overloaded));
        script.retry(call);
    }
    let sent = script.take_one();
    script.answer(&sent, refused(Refusal::DiskFull));
    script.deadline(call);
    assert_eq!(script.outcome(call), Some(&Outcome::NotExecuted { trouble: Trouble::DiskFull }));
}

#[test]
fn a_write_that_never_left_is_certainly_not_executed() {
    let mut script = Script::with_session();
    let first = script.submit(append(0, "a"));
    let queued = script.submit(append(0, "b"));
    let behind = script.submit(append(0, "c"));
    let sent = script.take_one();
    script.deadline(queued);
    assert!(matches!(script.outcome(queued), Some(Outcome::NotExecuted { .. })));
    script.answer(&sent, written(0));
    assert!(script.outcome(first).is_some());
    let sent = script.take_one();
    script.answer(&sent, written(0));
    assert!(script.outcome(behind).is_some(), "the queue goes on behind the one that left");
}

#[test]
fn a_connection_that_never_opened_leaves_a_write_certain() {
    let mut script = Script::with_session();
    let call = script.submit(append(0, "a"));
    while !script.backs_off(call) {
        let sent = script.take_one();
        script.step(Input::Unreachable { endpoint: sent.to });
    }
    script.deadline(call);
    assert_eq!(script.outcome(call), Some(&Outcome::NotExecuted { trouble: Trouble::Unreachable }));
}

#[test]
fn an_expired_session_is_replaced_for_writes_that_were_always_answered() {
    let mut script = Script::with_session();
    let call = script.submit(append(0, "a"));
    let queued = script.submit(append(0, "b"));
    let sent = script.take_one();
    script.answer(&sent, refused(Refusal::SessionExpired));
    let ask = script.take_one();
    assert_eq!(ask.request, Request::RegisterClient);
    assert_eq!(script.stamp(call), None, "the old number is given up");
    script.answer(&ask, registered(2));
    let again = script.take_one();
    assert!(again.stamp() > (2, sent.stamp().1));
    script.answer(&again, written(0));
    assert!(matches!(script.outcome(call), Some(Outcome::Written { .. })));
    assert_eq!(script.take_one().stamp().0, 2, "the queue moves to the new session");
    assert_eq!(script.outcome(queued), None);
}

#[test]
fn an_expired_session_leaves_an_unanswered_write_unknown_and_unsent() {
    for refusal in [Refusal::SessionExpired, Refusal::Superseded] {
        let mut script = Script::with_session();
        let call = script.submit(append(0, "a"));
        let first = script.take_one();
        script.time_out(&first);
        let second = script.take_one();
        script.answer(&second, refused(refusal));
        assert!(script.is_unknown(call));
        script.assert_nothing_sent();
    }
}

#[test]
fn a_write_still_out_under_an_expired_session_keeps_its_number() {
    let mut script = Script::with_session();
    let slow = script.submit(append(0, "a"));
    let told = script.submit(append(2, "b"));
    let sent = script.take_sent();
    script.answer(&sent[1], refused(Refusal::SessionExpired));
    let ask = script.take_one();
    script.answer(&ask, registered(2));
    assert_eq!(script.take_one().stamp().0, 2);
    assert_eq!(script.stamp(told).map(|stamp| stamp.0), Some(2));
    script.time_out(&sent[0]);
    let again = script.take_one();
    assert_eq!(again.stamp(), sent[0].stamp(), "never under another id");
    script.answer(&again, refused(Refusal::SessionExpired));
    assert!(script.is_unknown(slow));
    assert_eq!(script.client.session().map(|it| it.get()), Some(2), "the new session lives on");
}

#[test]
fn a_session_that_was_asked_for_earlier_and_comes_late_is_not_taken() {
    let mut script = Script::mapped();
    script.submit(append(0, "a"));
    let first = script.take_one();
    script.time_out(&first);
    let second = script.take_one();
    script.answer(&second, registered(5));
    script.answer(&first, registered(4));
    assert_eq!(script.take_one().stamp(), (5, 1));
    assert_eq!(script.client.session().map(|it| it.get()), Some(5));
}

#[test]
fn sizes_over_the_limit_are_final() {
    let mut script = Script::with_session();
    let limit = Refusal::ValueTooLarge { limit: 10 };
    let call = script.submit(append(0, "a"));
    let sent = script.take_one();
    script.answer(&sent, refused(limit.clone()));
    assert_eq!(script.outcome(call), Some(&Outcome::Refused(limit.clone())));

    let call = script.submit(append(0, "a"));
    let sent = script.take_one();
    script.time_out(&sent);
    let again = script.take_one();
    script.answer(&again, refused(limit));
    assert!(script.is_unknown(call), "unless an attempt went unanswered");

    let call = script.submit(append(0, "a"));
    let sent = script.take_one();
    let answer = WriteAnswer::ValueTooLarge { limit: 10 };
    script.answer(&sent, Reply::Written { answer, shard: ShardId::ZERO, position: position(3) });
    assert!(matches!(script.outcome(call), Some(Outcome::Written { answer: it, .. }) if *it == answer));
}

#[test]
fn changes_are_numbered_and_one_at_a_time() {
    let mut script = Script::with_session();
    let leave = Operation::Change(Change::Leave { gids: BTreeSet::from([Gid::new(1)]) });
    let first = script.submit(leave.clone());
    let second = script.submit(leave);
    let sent = script.take_one();
    script.time_out(&sent);
    let again = script.take_one();
    assert_eq!(again.stamp(), sent.stamp());
    assert_ne!(again.to, sent.to);
    script.answer(&again, Reply::Controller(Answer::Changed { config: ConfigNum::new(2) }));
    let changed = Outcome::Changed { config: ConfigNum::new(2), changed: true };
    assert_eq!(script.outcome(first), Some(&changed));
    assert!(script.sent.iter().any(|sent| sent.is_map() && sent.to == again.to), "the new map is asked for");
    let sent = script.take_one();
    script.time_out(&sent);
    let again = script.take_one();
    let refusal = ControllerRefusal::UnknownGroup { gid: Gid::new(1) };
    script.answer(&again, Reply::Controller(Answer::Refused(refusal.clone())));
    assert_eq!(
        script.outcome(second),
        Some(&Outcome::RefusedByController(refusal)),
        "a recorded refusal is the change's own answer"
    );
}

#[test]
fn nobody_asks_for_a_session_that_nobody_wants() {
    let mut script = Script::mapped();
    let call = script.submit(append(0, "a"));
    for node in CONTROLLERS {
        script.step(Input::Unreachable { endpoint: endpoint(node) });
    }
    script.take_sent();
    script.step(Input::Unreachable { endpoint: endpoint(1) });
    script.deadline(call);
    assert!(matches!(script.outcome(call), Some(Outcome::NotExecuted { .. })));
    let retry = script.armed.iter().find(|timer| format!("{timer:?}").contains("Register")).copied();
    script.fire(retry.expect("the registration backs off"));
    script.assert_nothing_sent();
    assert_eq!(script.outcome(CallId::new(9)), None);
}

/// Found by the model of the client: the attempts of a registration that nobody wanted any more outlived it, and a late
/// answer or a broken connection found no task for them.
#[test]
fn a_registration_that_nobody_wants_takes_its_attempts_along() {
    let mut script = Script::mapped();
    let call = script.submit(append(0, "a"));
    let silent = script.take_one();
    script.time_out(&silent);
    let busy = script.take_one();
    script.answer(&busy, refused(Refusal::Overloaded));
    script.deadline(call);
    script.fire(Timer::Retry { task: Task::Register });
    script.step(Input::Disconnected { endpoint: silent.to.clone() });
    script.answer(&silent, registered(1));
    script.submit(append(0, "b"));
    let asks = script.take_sent();
    assert!(asks.iter().any(|ask| ask.request == Request::RegisterClient), "the next write asks anew: {asks:?}");
}
