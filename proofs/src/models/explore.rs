//! A small exhaustive search for the models' own tests.

use stateright::Model;
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

/// A fingerprint.
pub(crate) fn print_of(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Every state of a model, nearest first, each shown once; fails beyond `limit`.
pub(crate) fn explore<M: Model<State: Hash>>(model: &M, limit: usize, mut visit: impl FnMut(&M::State)) -> usize {
    let mut layer = model.init_states();
    let mut known: HashSet<u64> = layer.iter().map(print_of).collect();
    while !layer.is_empty() {
        let mut following = Vec::new();
        for state in &layer {
            visit(state);
            let mut steps = Vec::new();
            model.actions(state, &mut steps);
            for next in steps.into_iter().filter_map(|step| model.next_state(state, step)) {
                if known.insert(print_of(&next)) {
                    following.push(next);
                }
            }
            assert!(known.len() <= limit, "more than {limit} states");
        }
        layer = following;
    }
    known.len()
}
