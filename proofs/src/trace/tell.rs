//! A run in sentences, each with what it changed.

use super::Run;
use super::run::changes;
use crate::scenario::Scenario;

/// The run as numbered sentences, what each changed below it, and the violation at the end.
pub fn tell<S: Scenario>(scenario: &S, run: &Run<S>) -> String {
    let mut text = format!("{} / {}: {}\n", scenario.model(), scenario.scope(), scenario.bounds());
    for (place, step) in run.steps.iter().enumerate() {
        text.push_str(&format!("\n{:>3}. {}\n", place + 1, scenario.sentence(&step.before, &step.action)));
        for line in changes(scenario, step) {
            text.push_str(&format!("       {line}\n"));
        }
    }
    match run.violation() {
        Some(violation) => text.push_str(&format!("\n{violation}\n")),
        None => text.push_str("\nno property is violated\n"),
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::toy::{Say, Toy};
    use super::*;
    use std::sync::Arc;

    #[test]
    fn a_run_reads_aloud() {
        let toy = Arc::new(Toy::default());
        let run = Run::replay(&toy, 0, &[Say::Send, Say::Lose, Say::Break]).expect("the toy takes these");
        let told = "toy / default: none\n\n  1. n1 sends message 1\n       sent: 0 -> 1\n\n  2. it is lost\n\n  3. the toy breaks\n\
                    \nToy violated: it broke <here> & now\n";
        assert_eq!(tell(toy.as_ref(), &run), told);
    }
}
