//! Walks of the stack.

use super::*;
use crate::trace::{Run, tell};
use crate::verify::{Budget, Outcome, Report, Strategy, verify};
use quorate_spec::views::Role;
use std::sync::Arc;

/// Walks a scope and finds nothing.
fn walk(scope: &str, seeds: Range<u64>, threads: usize) -> (Arc<StackModel>, Report<Event>) {
    let model = Arc::new(StackModel::new(scope).expect("it is listed"));
    let budget = Budget { threads, ..Budget::of(Strategy::Walk { seeds, steps: usize::MAX }) };
    let report = verify(&model, &budget, |_| {});
    if let Outcome::Violated { trace } = &report.outcome {
        let run = Run::replay(&model, trace.initial, &trace.actions).expect("a counterexample can be replayed");
        panic!("{}", tell(model.as_ref(), &run));
    }
    (model, report)
}

#[test]
fn walks_go_everywhere_and_find_nothing() {
    let (model, report) = walk("default", 1..5, 2);
    assert_eq!(report.outcome, Outcome::Sampled { walks: 4 });
    assert_eq!(report.missing_actions, Vec::<&str>::new());
    for (name, count) in model.tallies() {
        assert!(count > 0, "no {name} in {} steps", report.generated_states);
    }
}

#[test]
fn a_seed_names_one_walk_bit_for_bit() {
    let digest = |seeds: Range<u64>, threads| {
        let (model, report) = walk("joins", seeds, threads);
        (report.generated_states, report.fired, model.tallies.digest.load(Ordering::Relaxed))
    };
    let once = digest(3..7, 1);
    assert_eq!(once, digest(3..7, 2), "whatever the threads");
    assert_ne!(once.2, digest(4..8, 1).2, "and another walk ends elsewhere");
}

#[test]
fn a_fair_schedule_that_cannot_finish_is_no_progress() {
    let model = StackModel::new("floor").expect("it is listed");
    let state = model.start().clone();
    assert_eq!(model.world().stuck(&state), None, "where two groups serve, all is done");
    let mut stuck = state;
    model.world().apply(&mut stuck, &Event::Operate);
    stuck.network.clear();
    Arc::make_mut(&mut stuck.clients[0]).timers.clear();
    let verdict = model.world().stuck(&stuck).map(|violation| violation.property);
    assert_eq!(verdict, Some(ghost::PROGRESS), "what the operator asked is lost, and no timer will ask again");
}

#[test]
fn a_divided_group_has_a_leader_that_does_not_know_better() {
    let model = StackModel::new("divided").expect("it is listed");
    let leaders: Vec<_> = model
        .start()
        .processes
        .iter()
        .flat_map(|process| process.node.groups())
        .map(|group| group.replica().view())
        .filter(|view| view.role == Role::Leader)
        .collect();
    let [old, new] = &leaders[..] else { panic!("the old leader and the new one: {leaders:?}") };
    let (old, new) = if old.term < new.term { (old, new) } else { (new, old) };
    assert!(old.term < new.term, "of different terms");
    assert_eq!(old.log.last_index(), old.commit.plus(2), "the old one holds the appends of two users");
}
