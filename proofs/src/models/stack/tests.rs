//! Walks of the stack.

use super::*;
use crate::trace::Run;

/// xorshift64*: a walk repeats by its seed.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) % bound
    }
}

fn walk(model: &StackModel, seed: u64, steps: u64) -> (State, Vec<Event>) {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut state = model.init_states().remove(0);
    let (mut taken, mut events) = (Vec::new(), Vec::new());
    for _ in 0..steps {
        events.clear();
        model.actions(&state, &mut events);
        let total: u64 = events.iter().map(|event| u64::from(event.weight())).sum();
        let mut left = random.below(total.max(1));
        let chosen = events.iter().find(|event| {
            let weight = u64::from(event.weight());
            let found = left < weight;
            left = left.saturating_sub(weight);
            found
        });
        let Some(event) = chosen else { break };
        state = model.next_state(&state, event.clone()).expect("what is offered can be done");
        taken.push(event.clone());
        if state.violation.is_some() {
            break;
        }
    }
    (state, taken)
}

#[test]
fn a_walk_goes_somewhere_and_repeats() {
    let model = StackModel::new("default").expect("it is listed");
    let steps = std::env::var("STEPS").ok().and_then(|text| text.parse().ok()).unwrap_or(4_000);
    let seed = std::env::var("SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let begun = std::time::Instant::now();
    let (state, taken) = walk(&model, seed, steps);
    println!("{:?} {:?} steps {} net {}", begun.elapsed(), model.tallies(), state.steps, state.network.len());
    println!("{:?}", model.fired.counts().filter(|(_, count)| *count > 0).collect::<Vec<_>>());
    println!("missing {:?}", model.fired.missing(model.must_fire()));
    assert_eq!(state.violation, None);
    let run = Run::replay(&model, &taken[..taken.len().min(500)]).expect("the same steps are taken again");
    assert_eq!(run.actions.len(), taken.len().min(500));
}
