//! Images and sizes: a data group cut into chunks of any size is put together again exactly.

mod shard_support;

use quorate_core::bytes::Bytes;
use quorate_core::raft::{Image, Payload};
use quorate_core::shard::{Chunk, Command, Cursor, Outcome, ShardGroup, WriteAnswer, WriteOp};
use quorate_core::spec::ids::{ClientId, Seq};
use shard_support::*;

const SHARDS: u32 = 8;

/// A group with served, awaited (half received), absent and frozen shards, one copy of them with a target.
fn rich_group() -> ShardGroup {
    let mut plan = Plan::new(SHARDS as usize);
    let (a, b) = (gid(1, 1), gid(2, 1));
    plan.publish(|draft| {
        draft.list(a);
        draft.list(b);
        for number in 0..6 {
            draft.owners[number] = Some(if number < 4 { a } else { b });
        }
    });
    let (mut left, mut right) = (Log::new(a, &plan), Log::new(b, &plan));
    left.adopt(&plan, 1);
    right.adopt(&plan, 1);
    for (client, number) in (1..).zip([0, 1, 2, 0, 1, 2, 0]) {
        left.done(client, client, &key_in(shard(number), SHARDS, client as usize), append("some value"));
    }
    for client in 1..9 {
        right.done(client, client, &key_in(shard(4), SHARDS, client as usize), append("another value"));
    }
    plan.publish(|draft| {
        draft.owners[0] = None;
        draft.owners[1] = Some(b);
        draft.floor = ClientId::new(3);
    });
    plan.give(&[(4, Some(a)), (5, Some(a))]);
    left.adopt(&plan, 3);
    right.adopt(&plan, 2);
    transfer(&left, &mut right, shard(1), origin(a, 2), 64);
    right.adopt(&plan, 3);
    let mut from = Cursor::Start;
    for _ in 0..3 {
        let command = pull(&right.state, a, shard(4), origin(b, 3), from, 70);
        let Command::InstallChunk { next, .. } = &command else { panic!() };
        from = next.clone().expect("there is more");
        left.apply(&command);
    }
    assert_eq!((left.state.serving().count(), left.state.awaiting().count(), left.state.frozen().count()), (2, 2, 2));
    left.state
}

fn chunks(group: &ShardGroup, limit: usize) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    let mut cursor = Some(<ShardGroup as Image>::Cursor::default());
    while let Some(from) = cursor {
        let (chunk, next) = group.chunk(&from, limit);
        chunks.push(chunk);
        cursor = next;
    }
    chunks
}

#[test]
fn an_image_survives_being_cut() {
    let group = rich_group();
    for limit in [1, 40, 100, 1000, 1 << 20] {
        let mut image = ShardGroup::blank();
        for chunk in chunks(&group, limit) {
            image.absorb(chunk);
        }
        assert_eq!(image, group, "cut at {limit} bytes");
    }
}

#[test]
fn chunks_are_bounded_and_empty_copies_cost_none() {
    let group = rich_group();
    for chunk in chunks(&group, 100) {
        if let Chunk::Part { records, .. } = chunk {
            assert!(records.bytes() <= 100, "{records:?}");
        }
    }
    let mut plan = Plan::new(1000);
    let id = gid(1, 1);
    plan.publish(|draft| {
        draft.list(id);
        draft.owners.fill(Some(id));
        draft.floor = ClientId::new(4);
    });
    let mut log = Log::new(id, &plan);
    log.adopt(&plan, 1);
    assert_eq!(chunks(&log.state, 100).len(), 1, "the header says it all");
    log.done(7, 1, &key_in(shard(500), 1000, 0), put("v"));
    assert_eq!(chunks(&log.state, 100).len(), 2);
}

#[test]
fn an_item_over_the_limit_goes_alone() {
    let mut plan = Plan::new(1);
    plan.give(&[(0, Some(gid(1, 1)))]);
    let mut log = Log::new(gid(1, 1), &plan);
    log.adopt(&plan, 1);
    let long = "x".repeat(500);
    for n in 0..3 {
        log.done(n + 1, 1, &key_in(shard(0), 1, n as usize), put(&long));
    }
    for chunk in chunks(&log.state, 100) {
        if let Chunk::Part { records, .. } = chunk {
            assert!(records.data.len() <= 1);
        }
    }
}

#[test]
fn bytes_are_counted_as_they_come_and_go() {
    let mut plan = Plan::new(1);
    plan.give(&[(0, Some(gid(1, 1)))]);
    let mut log = Log::new(gid(1, 1), &plan);
    log.adopt(&plan, 1);
    let key = Bytes::from("key");
    log.done(1, 1, &key, put("12345"));
    assert_eq!(log.state.data_bytes(), 8);
    log.done(1, 2, &key, put("1"));
    assert_eq!(log.state.data_bytes(), 4);
    log.done(1, 3, &key, append("23"));
    assert_eq!(log.state.data_bytes(), 6);
    let short = write(1, 4, &key, put("1")).bytes();
    assert_eq!(write(1, 4, &key, put(&"1".repeat(100))).bytes(), short + 99);
}

#[test]
fn a_value_over_the_limit_is_an_answer_and_is_remembered() {
    let mut plan = Plan::new(1);
    plan.give(&[(0, Some(gid(1, 1)))]);
    let mut log = Log::new(gid(1, 1), &plan);
    log.adopt(&plan, 1);
    let key = Bytes::from("key");
    let attempt = |seq: u64, op: WriteOp, value_limit: u64| Command::Write {
        client: ClientId::new(1),
        seq: Seq::new(seq),
        key: key.clone(),
        op,
        value_limit,
    };
    let answer = |outcome: Option<Outcome>| match outcome {
        Some(Outcome::Written { answer, position, .. }) => (answer, position),
        other => panic!("{other:?}"),
    };
    log.apply(&attempt(1, put("1234"), 4));
    let first = answer(log.apply(&attempt(2, append("5"), 4)).outcome);
    assert_eq!(first.0, WriteAnswer::ValueTooLarge { limit: 4 });
    assert_eq!(answer(log.apply(&attempt(2, append("5"), 100)).outcome), first, "a retry under a higher limit");
    assert_eq!(log.value(&key).as_deref(), Some("1234"));
    assert_eq!(answer(log.apply(&attempt(3, put("12345"), 4)).outcome).0, WriteAnswer::ValueTooLarge { limit: 4 });
    let missing = Bytes::from("missing");
    let too_long = Command::Write {
        client: ClientId::new(1),
        seq: Seq::new(4),
        key: missing.clone(),
        op: append("12345"),
        value_limit: 4,
    };
    log.apply(&too_long);
    assert_eq!(log.value(&missing), None, "nothing was made");
    log.done(1, 5, &missing, put(""));
    assert_eq!(log.value(&missing).as_deref(), Some(""), "an empty value is not a missing one");
}
