//! Moving shards between groups, entry by entry: what each entry does, and what late, repeated and foreign ones do not.

mod shard_support;

use quorate_core::shard::{Command, Cursor, NotServed, Outcome, ReadAnswer, ShardMessage, WriteRefusal};
use quorate_core::spec::action::Action;
use quorate_core::spec::ids::{ClientId, LogIndex, Position};
use quorate_core::spec::views::RoleView;
use shard_support::*;
use std::sync::Arc;

const ONE_ITEM: usize = 1;
const ALL: usize = 1 << 20;

/// Shard 0 with group 1, served since configuration 1; group 2 is listed and has nothing.
fn two_groups(plan: &mut Plan) -> (Log, Log) {
    let (a, b) = (gid(1, 1), gid(2, 1));
    plan.publish(|draft| {
        draft.list(a);
        draft.list(b);
        draft.owners[0] = Some(a);
    });
    let mut logs = (Log::new(a, plan), Log::new(b, plan));
    logs.0.adopt(plan, 1);
    logs.1.adopt(plan, 1);
    logs
}

#[test]
fn a_shard_goes_and_comes_back_while_its_older_copies_stay() {
    let mut plan = Plan::new(1);
    let (mut a, mut b) = two_groups(&mut plan);
    let (ga, gb, s, key) = (a.state.group(), b.state.group(), shard(0), key_in(shard(0), 1, 0));
    a.done(7, 1, &key, put("first"));
    plan.give(&[(0, Some(gb))]);
    plan.give(&[(0, Some(ga))]);
    plan.give(&[(0, Some(gb))]);

    a.adopt(&plan, 2);
    let early = transfer(&a, &mut b.clone_adopted(&plan, 2), s, origin(ga, 2), ALL);
    a.adopt(&plan, 3);
    assert!(!a.try_adopt(plan.get(4)), "group 1 waits for what configuration 3 gave it");
    assert!(a.state.answer(&pull_message(ga, s, origin(gb, 3)), ALL).is_none(), "that copy is another group's");

    b.adopt(&plan, 2);
    transfer(&a, &mut b, s, origin(ga, 2), ALL);
    b.done(7, 2, &key, put("second"));
    b.adopt(&plan, 3);
    transfer(&b, &mut a, s, origin(gb, 3), ALL);
    a.done(7, 3, &key, put("third"));
    a.adopt(&plan, 4);
    let held: Vec<_> = a.state.frozen().map(|(shard, config, _)| (shard, config)).collect();
    assert_eq!(held, [(s, config_num(2)), (s, config_num(4))], "both copies are held side by side");
    assert_eq!(pull(&a.state, gb, s, origin(ga, 2), Cursor::Start, ALL), early[0], "the older one is unchanged");

    b.adopt(&plan, 4);
    let before = b.state.clone();
    assert!(b.apply(&early[0]).actions.is_empty(), "a late part of an older origin is ignored while waiting");
    assert_eq!(before, b.state);
    a.apply(&Command::Collect { shard: s, config: config_num(2) });
    a.apply(&Command::Collect { shard: s, config: config_num(2) });
    assert_eq!(a.state.frozen().count(), 1, "a stale Collect leaves the newer copy alone");
    transfer(&a, &mut b, s, origin(ga, 4), ALL);
    assert_eq!(b.value(&key).as_deref(), Some("third"));
}

impl Log {
    fn clone_adopted(&self, plan: &Plan, num: u64) -> Self {
        let mut log = self.clone();
        log.adopt(plan, num);
        log
    }
}

fn pull_message(
    target: quorate_core::spec::ids::GroupId,
    shard: quorate_core::spec::ids::ShardId,
    origin: quorate_core::spec::views::Origin,
) -> ShardMessage {
    ShardMessage::Pull { target, shard, origin, from: Cursor::Start }
}

#[test]
fn a_repeated_install_touches_nothing() {
    let mut plan = Plan::new(1);
    let (mut a, mut b) = two_groups(&mut plan);
    let key = key_in(shard(0), 1, 0);
    a.done(7, 1, &key, put("old"));
    plan.give(&[(0, Some(b.state.group()))]);
    a.adopt(&plan, 2);
    b.adopt(&plan, 2);
    let parts = transfer(&a, &mut b, shard(0), origin(a.state.group(), 2), ONE_ITEM);
    assert!(parts.len() > 1);
    b.done(7, 2, &key, put("new"));
    let before = b.state.clone();
    for part in &parts {
        assert!(b.apply(part).actions.is_empty());
    }
    assert_eq!(before, b.state, "every part again, and the newer write is still there");
}

#[test]
fn parts_are_taken_in_order_and_once() {
    let mut plan = Plan::new(1);
    let (mut a, mut b) = two_groups(&mut plan);
    for n in 0..5 {
        a.done(7 + n, 1, &key_in(shard(0), 1, n as usize), put("value"));
    }
    plan.give(&[(0, Some(b.state.group()))]);
    a.adopt(&plan, 2);
    b.adopt(&plan, 2);
    let parts = transfer(&a, &mut b.clone(), shard(0), origin(a.state.group(), 2), ONE_ITEM);
    assert_eq!(parts.len(), 10, "one item each: five keys, five sessions");
    for (n, part) in parts.iter().enumerate() {
        for other in parts.iter().enumerate().filter(|(m, _)| *m != n).map(|(_, part)| part) {
            assert!(b.apply(other).actions.is_empty(), "only part {n} is next");
        }
        assert!(!b.state.serves(shard(0)), "not served before the last part");
        let config = config_num(2);
        let expected = match n + 1 == parts.len() {
            true => Action::Install { shard: shard(0), config },
            false => Action::InstallChunk { shard: shard(0), config },
        };
        assert_eq!(b.apply(part).actions, [expected]);
    }
    assert_eq!(
        b.state.view().roles[&shard(0)],
        RoleView::Serving(a.state.view().frozen[&(shard(0), config_num(2))].clone())
    );
}

#[test]
fn all_leave_and_another_finds_the_data() {
    let mut plan = Plan::new(1);
    let (mut a, _) = two_groups(&mut plan);
    let (ga, gc) = (a.state.group(), gid(3, 4));
    let key = key_in(shard(0), 1, 0);
    a.done(7, 1, &key, put("kept"));
    plan.publish(|draft| draft.leave(ga));
    plan.publish(|draft| draft.leave(gid(2, 1)));
    plan.give(&[(0, Some(gc))]);
    a.adopt(&plan, 3);
    assert!(!a.state.finished(), "a group with a copy that nobody has taken lives on");
    let mut c = Log::new(gc, &plan);
    c.adopt(&plan, 4);
    assert_eq!(c.refused(7, 2, &key, put("x")), WriteRefusal::NotYetHere { config: config_num(4) });
    transfer(&a, &mut c, shard(0), origin(ga, 2), ALL);
    assert_eq!(c.value(&key).as_deref(), Some("kept"));
    a.adopt(&plan, 4);
    a.apply(&Command::Collect { shard: shard(0), config: config_num(2) });
    assert!(a.state.finished());
    assert!(!c.state.finished());
}

#[test]
fn the_same_group_takes_a_shard_back_from_itself() {
    let mut plan = Plan::new(1);
    let (mut a, _) = two_groups(&mut plan);
    let (ga, key) = (a.state.group(), key_in(shard(0), 1, 0));
    a.done(7, 1, &key, put("mine"));
    plan.give(&[(0, None)]);
    plan.give(&[(0, Some(ga))]);
    a.adopt(&plan, 3);
    let source = a.clone();
    transfer(&source, &mut a, shard(0), origin(ga, 2), ALL);
    assert_eq!(a.value(&key).as_deref(), Some("mine"));
    let confirm = ShardMessage::Confirm { target: ga, taken: config_num(3), shard: shard(0), origin: origin(ga, 2) };
    assert!(a.state.answer(&confirm, ALL).is_some() && source.state.answer(&confirm, ALL).is_none());
}

#[test]
fn a_gid_that_comes_back_is_another_group() {
    let mut plan = Plan::new(1);
    let (mut old, _) = two_groups(&mut plan);
    let (first, again) = (gid(1, 1), gid(1, 3));
    let key = key_in(shard(0), 1, 0);
    old.done(7, 1, &key, put("data"));
    plan.publish(|draft| draft.leave(first));
    plan.give(&[(0, Some(again))]);
    let mut new = Log::new(again, &plan);
    old.adopt(&plan, 3);
    new.adopt(&plan, 3);
    assert_eq!(old.state.serving().count() + old.state.awaiting().count(), 0, "the shard is not the old group's");
    assert_eq!(old.refused(7, 2, &key, put("x")), WriteRefusal::WrongGroup { config: config_num(3) });
    assert!(new.state.answer(&pull_message(again, shard(0), origin(first, 2)), ALL).is_none());
    let confirm =
        ShardMessage::Confirm { target: again, taken: config_num(3), shard: shard(0), origin: origin(first, 2) };
    assert!(old.state.answer(&confirm, ALL).is_none(), "the old identity does not speak for the new one");
    assert!(new.state.answer(&confirm, ALL).is_none(), "still waiting");
    transfer(&old, &mut new, shard(0), origin(first, 2), ALL);
    assert!(new.state.answer(&confirm, ALL).is_some());
    assert_eq!(new.value(&key).as_deref(), Some("data"));
    old.apply(&Command::Collect { shard: shard(0), config: config_num(2) });
    assert!(old.state.finished(), "its gid is listed again, under another identity");
}

#[test]
fn sessions_and_floor_move_with_the_shard() {
    let mut plan = Plan::new(1);
    let (mut a, mut b) = two_groups(&mut plan);
    let (ga, key) = (a.state.group(), key_in(shard(0), 1, 0));
    let first = a.done(7, 3, &key, append("x"));
    a.done(5, 1, &key, append("y"));
    plan.publish(|draft| draft.floor = ClientId::new(6));
    plan.give(&[(0, Some(b.state.group()))]);
    a.adopt(&plan, 3);
    b.adopt(&plan, 3);
    transfer(&a, &mut b, shard(0), origin(ga, 3), ONE_ITEM);
    assert_eq!(b.done(7, 3, &key, append("x")), first, "the first answer, with its first position");
    assert_eq!(b.refused(7, 3, &key, append("z")), WriteRefusal::SeqReused);
    assert_eq!(b.refused(7, 2, &key, append("x")), WriteRefusal::Superseded);
    assert_eq!(b.refused(5, 1, &key, append("y")), WriteRefusal::SessionExpired);
    assert_eq!(b.value(&key).as_deref(), Some("xy"));
    let second = b.done(7, 4, &key, append("z"));
    let (Outcome::Written { position: p, .. }, Outcome::Written { position: q, .. }) = (first, second) else {
        panic!()
    };
    assert!(p < q, "positions grow over groups");
}

#[test]
fn a_frozen_copy_keeps_ended_sessions_and_an_install_drops_them() {
    let mut plan = Plan::new(1);
    let (mut a, mut b) = two_groups(&mut plan);
    let (ga, key) = (a.state.group(), key_in(shard(0), 1, 0));
    a.done(5, 1, &key, append("x"));
    plan.publish(|draft| {
        draft.owners[0] = Some(gid(2, 1));
        draft.floor = ClientId::new(6);
    });
    plan.publish(|draft| draft.floor = ClientId::new(8));
    a.adopt(&plan, 2);
    let copy = a.state.view().frozen[&(shard(0), config_num(2))].clone();
    a.adopt(&plan, 3);
    assert_eq!(a.state.view().frozen[&(shard(0), config_num(2))], copy, "a frozen copy never changes");
    assert_eq!(copy.sessions.len(), 1);
    b.adopt(&plan, 2);
    transfer(&a, &mut b, shard(0), origin(ga, 2), ALL);
    assert_eq!(b.state.sessions(), 0);
    assert_eq!(b.refused(5, 1, &key, append("x")), WriteRefusal::SessionExpired);
}

#[test]
fn the_greater_of_both_floors_is_installed() {
    let mut plan = Plan::new(1);
    let (mut a, mut b) = two_groups(&mut plan);
    let (ga, key) = (a.state.group(), key_in(shard(0), 1, 0));
    plan.give(&[(0, Some(gid(2, 1)))]);
    a.adopt(&plan, 2);
    b.adopt(&plan, 2);
    let mut part = pull(&a.state, gid(2, 1), shard(0), origin(ga, 2), Cursor::Start, ALL);
    let Command::InstallChunk { records, next: None, .. } = &mut part else { panic!("it is one part") };
    records.floor = ClientId::new(6);
    b.apply(&part);
    assert_eq!(b.refused(5, 1, &key, append("x")), WriteRefusal::SessionExpired);
    b.done(6, 1, &key, append("x"));
}

#[test]
fn a_risen_floor_ends_sessions_of_served_shards() {
    let mut plan = Plan::new(1);
    let (mut a, _) = two_groups(&mut plan);
    let key = key_in(shard(0), 1, 0);
    a.done(5, 1, &key, append("x"));
    a.done(9, 1, &key, append("y"));
    plan.publish(|draft| draft.floor = ClientId::new(9));
    a.adopt(&plan, 2);
    assert_eq!(a.state.sessions(), 1);
    assert_eq!(a.refused(5, 2, &key, append("x")), WriteRefusal::SessionExpired);
    a.done(9, 1, &key, append("y"));
    assert_eq!(a.value(&key).as_deref(), Some("xy"));
}

#[test]
fn nobody_serves_between_the_freeze_and_the_install_and_refusals_are_not_remembered() {
    let mut plan = Plan::new(1);
    let (mut a, mut b) = two_groups(&mut plan);
    let (ga, gb, key) = (a.state.group(), b.state.group(), key_in(shard(0), 1, 0));
    assert_eq!(b.refused(7, 1, &key, put("v")), WriteRefusal::WrongGroup { config: config_num(1) });
    plan.give(&[(0, Some(gb))]);
    b.adopt(&plan, 2);
    assert_eq!(b.refused(7, 1, &key, put("v")), WriteRefusal::NotYetHere { config: config_num(2) });
    a.done(8, 1, &key, put("late, and allowed: the freeze is not applied"));
    assert_eq!(
        a.state.answer(&pull_message(gb, shard(0), origin(ga, 2)), ALL),
        Some(ShardMessage::NotHere { target: gb, shard: shard(0), origin: origin(ga, 2) }),
        "a replica that has not applied the freeze has nothing to give"
    );
    a.adopt(&plan, 2);
    assert_eq!(a.refused(7, 1, &key, put("v")), WriteRefusal::WrongGroup { config: config_num(2) });
    let wrong = NotServed::WrongGroup { config: config_num(2) };
    assert_eq!(a.state.read(&key, a.index), ReadAnswer::Refused(wrong));
    let waiting = NotServed::NotYetHere { config: config_num(2) };
    assert_eq!(b.state.read(&key, b.index), ReadAnswer::Refused(waiting));
    transfer(&a, &mut b, shard(0), origin(ga, 2), ALL);
    b.done(7, 1, &key, put("v"));
    assert_eq!(b.value(&key).as_deref(), Some("v"));
    let position = Position { config: config_num(2), index: LogIndex::new(99) };
    assert!(matches!(b.state.read(&key, LogIndex::new(99)), ReadAnswer::Value { position: p, .. } if p == position));
}

#[test]
fn configurations_are_taken_one_by_one_and_once() {
    let mut plan = Plan::new(2);
    let (mut a, mut b) = two_groups(&mut plan);
    plan.give(&[(0, Some(b.state.group())), (1, Some(a.state.group()))]);
    plan.give(&[(0, Some(a.state.group()))]);
    let third = Arc::clone(plan.get(3));
    assert!(!b.try_adopt(&third), "2 comes first");
    b.adopt(&plan, 2);
    assert!(!b.try_adopt(&Arc::clone(plan.get(2))) && !b.try_adopt(&Arc::clone(plan.get(1))));
    assert!(!b.try_adopt(&third), "shard 0 is awaited");
    a.adopt(&plan, 2);
    assert!(a.state.serves(shard(1)), "a shard that never had an owner starts empty");
    transfer(&a, &mut b, shard(0), origin(a.state.group(), 2), ALL);
    assert!(b.try_adopt(&third));
}

#[test]
fn a_target_confirms_only_what_it_has_applied() {
    let mut plan = Plan::new(1);
    let (mut a, mut b) = two_groups(&mut plan);
    let (ga, gb) = (a.state.group(), b.state.group());
    plan.give(&[(0, Some(gb))]);
    plan.give(&[(0, Some(ga))]);
    let confirm = ShardMessage::Confirm { target: gb, taken: config_num(2), shard: shard(0), origin: origin(ga, 2) };
    let confirmed = Some(ShardMessage::Confirmed { target: gb, shard: shard(0), origin: origin(ga, 2) });
    assert_eq!(b.state.answer(&confirm, ALL), None, "before the configuration that gives it the shard");
    a.adopt(&plan, 2);
    b.adopt(&plan, 2);
    assert_eq!(b.state.answer(&confirm, ALL), None, "while it waits");
    assert_eq!(a.state.answer(&confirm, ALL), None, "asked of another group");
    transfer(&a, &mut b, shard(0), origin(ga, 2), ALL);
    assert_eq!(b.state.answer(&confirm, ALL), confirmed, "installed");
    b.adopt(&plan, 3);
    assert_eq!(b.state.answer(&confirm, ALL), confirmed, "and given away again");
    b.apply(&Command::Collect { shard: shard(0), config: config_num(3) });
    assert_eq!(b.state.answer(&confirm, ALL), confirmed, "and collected");
}

#[test]
fn a_group_is_finished_when_it_has_left_and_holds_nothing() {
    let mut plan = Plan::new(1);
    plan.give(&[]);
    let group = gid(5, 2);
    plan.publish(|draft| draft.list(group));
    plan.publish(|draft| draft.leave(group));
    let mut log = Log::new(group, &plan);
    assert!(!log.state.finished(), "the configuration before its birth does not list it, and that means nothing");
    log.adopt(&plan, 2);
    assert!(!log.state.finished());
    log.adopt(&plan, 3);
    assert!(log.state.finished());
}
