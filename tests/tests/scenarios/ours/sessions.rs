//! Sessions that end.

use super::{keys, lab};
use crate::lab::{Lab, ms};
use quorate_core::bytes::Bytes;
use quorate_core::client::{Operation as Asked, Outcome as Told};
use quorate_core::controller::Change;
use quorate_core::message::{Refusal, Reply, Request};
use quorate_core::shard::WriteOp;
use quorate_spec::ids::{ClientId, GroupId, Seq};

/// Row `session-expiry`: what is asked under a session that has ended is not executed, not even what was executed before
/// it ended, and not at a group that the shard moved to. Its user goes on under another session.
#[test]
fn ours_session_expiry() {
    let (mut lab, keys) = (lab(148, 2), keys());
    let mut user = lab.user();
    let moving = lab.shards_of(1)[0];
    lab.serve(&mut user, keys.values());
    let session = lab.world.client_machine(user.client).session().expect("who wrote has a session");
    // A key of the same shard that is no part of the history.
    let key = format!("{{{}}}:direct", keys[&moving]);
    let ask = |lab: &mut Lab, group: GroupId, seq: u64| {
        let server = lab.world.leader(group).expect("the group has a leader");
        let (key, op) = (Bytes::from(key.as_str()), WriteOp::Append { value: Bytes::from("again;") });
        let request = Request::Write { group, client: session, seq: Seq::new(seq), key, op };
        lab.world.answer_of(server, request, ms(2000)).expect("it is answered")
    };
    let once = Some(Bytes::from("again;"));
    let value = |lab: &mut Lab| match lab.world.peek(lab.operator, key.as_bytes()) {
        Some(Told::Value { value, .. }) => value,
        told => panic!("the read is answered: {told:?}"),
    };
    let here = lab.id(1);
    // Before the end it is executed, and a retry answered: the questions are good ones.
    assert!(matches!(ask(&mut lab, here, 500), Reply::Written { .. }));
    assert!(matches!(ask(&mut lab, here, 500), Reply::Written { .. }));
    assert_eq!(value(&mut lab), once);
    lab.change(Asked::Change(Change::RaiseFloor { floor: ClientId::new(session.get() + 1) }));
    lab.settled();
    let expired = |reply: Reply| matches!(reply, Reply::Refused(Refusal::SessionExpired));
    assert!(expired(ask(&mut lab, here, 500)) && expired(ask(&mut lab, here, 501)));
    lab.shift(moving, 2);
    lab.settled();
    let there = lab.id(2);
    assert!(expired(ask(&mut lab, there, 500)) && expired(ask(&mut lab, there, 502)), "the floor moves with the shard");
    assert_eq!(value(&mut lab), once, "nothing was executed");
    lab.append(&mut user, &keys[&moving]);
    assert!(lab.world.client_machine(user.client).session() > Some(session), "the user goes on under another session");
    lab.pass();
}
