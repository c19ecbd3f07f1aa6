//! Small worlds around the real core. Each is a [`Scenario`](crate::scenario::Scenario) with a table of scopes.

/// What a model judges: the names, and a property for each, which looks at the violation that a step found.
macro_rules! judged {
    ($model:ty: $($name:expr),* $(,)?) => {
        const JUDGED: &[&str] = &[$($name),*];

        fn properties() -> Vec<stateright::Property<$model>> {
            vec![$(stateright::Property::always($name, |model: &$model, state| {
                crate::scenario::Scenario::violation(model, state).is_none_or(|violation| violation.property != $name)
            })),*]
        }
    };
}

/// The names of the scopes in a table and what each is for.
macro_rules! named {
    ($scopes:expr) => {{
        let mut names = [("", ""); $scopes.len()];
        let mut place = 0;
        while place < names.len() {
            names[place] = ($scopes[place].name, $scopes[place].purpose);
            place += 1;
        }
        &{ names }
    }};
}

pub mod client;
pub mod controller;
#[cfg(test)]
mod explore;
pub mod identity;
pub mod pool;
pub mod raft;
pub mod record;
pub mod shards;
pub mod stack;

use {judged, named};
