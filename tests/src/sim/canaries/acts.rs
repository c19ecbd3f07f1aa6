//! What several canaries do.

use super::{EVER, SECOND};
use crate::sim::disk::Outage;
use crate::sim::faults::{Fault, Part};
use crate::sim::world::{Sabotage, World};
use quorate_core::client::Operation as Asked;
use quorate_core::message::{Reply, Request};
use quorate_core::shard::WriteOp;
use quorate_spec::history::Call;

pub(super) fn start_all(world: &mut World) {
    (0..world.process_count()).for_each(|process| world.start(process));
}

/// A fault for each of these, if anything is to be broken.
pub(super) fn each(world: &mut World, broken: bool, whom: std::ops::Range<usize>, fault: impl Fn(usize) -> Fault) {
    whom.filter(|_| broken).for_each(|process| _ = world.inject(0, &fault(process)));
}

/// All syncs lie for a while; then all power fails.
pub(super) fn lie(world: &mut World, broken: bool) {
    each(world, broken, 0..3, |process| Fault::LyingSyncs { process, part: Part::Wal, time: EVER });
    world.run_for(SECOND / 2);
    world.crash_all([0, 1, 2], Outage::Power { kept: 0 });
    world.settle();
}

/// Users stop; one last, long write is made while every disk has this fault; then all processes go down.
pub(super) fn lose_last(world: &mut World, fault: Option<fn(usize) -> Fault>, outage: Outage, after: fn(&mut World)) {
    world.stop_work();
    let client = world.add_client();
    world.operate(client, 900, b"last", Call::Append(b"900.1;".to_vec()));
    world.run_until(30 * SECOND, |world| world.is_quiet());
    world.run_for(SECOND);
    if let Some(fault) = fault {
        each(world, true, 0..3, fault);
    }
    world.operate(client, 900, b"last", Call::Append(format!("{}900.2;", "x".repeat(3000)).into_bytes()));
    world.run_until(30 * SECOND, |world| world.is_quiet());
    world.run_for(SECOND);
    world.crash_all([0, 1, 2], outage);
    after(world);
    world.settle();
}

pub(super) fn sabotage(world: &mut World, sabotage: Option<Sabotage>) {
    world.sabotage = sabotage;
    world.run_for(3 * SECOND);
    world.sabotage = None;
    world.settle();
}

/// A user makes a write and misses the answer; after something else the user asks the same node once more. A careful one
/// is told the first answer, or else asks others in the same session. This one takes a refusal for a write that was never
/// made, and makes it in a new session.
pub(super) fn send_again(world: &mut World, between: impl FnOnce(&mut World, usize)) {
    let (one, other) = (world.add_client(), world.add_client());
    world.operate(one, 901, b"first", Call::Append(b"901.1;".to_vec()));
    world.run_for(2 * SECOND);
    let call = world.operate(one, 901, b"twice", Call::Append(b"901.2;".to_vec()));
    let (client, seq) = world.client_machine(one).stamp(call).expect("it has a session since the first write");
    world.run_for(2 * SECOND);
    let group = *world.groups().first().expect("a group was founded");
    let leader = world.leader(group).expect("it has a leader");
    between(world, leader);
    world.run_for(2 * SECOND);
    let (key, value) = (b"twice".as_slice(), b"901.2;".as_slice());
    let op = WriteOp::Append { value: value.into() };
    let again = Request::Write { group, client, seq, key: key.into(), op: op.clone() };
    if !matches!(world.answer_of(leader, again, 5 * SECOND), Some(Reply::Written { .. })) {
        world.call_and_wait(other, Asked::Write { key: key.into(), op });
    }
    world.settle();
}
