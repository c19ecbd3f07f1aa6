//! Walks of the stack.

use super::*;
use crate::trace::{Run, tell};
use crate::verify::{Budget, Outcome, Strategy, verify};
use std::sync::Arc;

#[test]
fn walks_go_everywhere_and_find_nothing() {
    let model = Arc::new(StackModel::new("default").expect("it is listed"));
    let budget = Budget::of(Strategy::Walk { seeds: 1..5, steps: 30_000 });
    let report = verify(&model, &budget, |_| {});
    if let Outcome::Violated { trace } = &report.outcome {
        let run = Run::replay(&model, trace.initial, &trace.actions).expect("a counterexample can be replayed");
        panic!("{}", tell(model.as_ref(), &run));
    }
    assert_eq!(report.outcome, Outcome::Sampled { walks: 4 });
    assert_eq!(report.missing_actions, Vec::<&str>::new());
    for (name, count) in model.tallies() {
        assert!(count > 0, "no {name} in {} steps", report.generated_states);
    }
}
