//! What a model of the real core offers beyond stateright's `Model`: what it judges, which steps it must take, and how a
//! person reads its runs.
//!
//! A scenario is a model at one scope. Its state carries the first violation that a step found, hashed like the rest, so
//! that a run that broke a property never looks like one that did not.

use quorate_spec::Violation;
use quorate_spec::action::Action;
use serde::Serialize;
use serde::de::DeserializeOwned;
use stateright::Model;
use std::fmt::Debug;
use std::hash::Hash;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

/// A model at one scope.
pub trait Scenario:
    Model<
        State: Clone + Debug + PartialEq + Hash + Send + Sync,
        Action: Clone + Debug + PartialEq + Serialize + DeserializeOwned + Send + Sync,
    > + Send
    + Sync
    + 'static
{
    /// The model's name on the command line.
    fn model(&self) -> &'static str;

    /// The scope's name.
    fn scope(&self) -> &'static str;

    /// The bounds of the scope in one line: nodes, terms, entries, crashes and so on.
    fn bounds(&self) -> String;

    /// The properties that every state is judged by, by the names that a [`Violation`] carries.
    fn properties_judged(&self) -> &'static [&'static str];

    /// The violation that the run to this state met, if any.
    fn violation<'a>(&self, state: &'a Self::State) -> Option<&'a Violation>;

    /// The names of the [`Action`]s that this scope enables: each must have fired when the scope is exhausted.
    fn must_fire(&self) -> &'static [&'static str];

    /// How often each [`Action`] fired so far in this search.
    fn fired(&self) -> &Fired;

    /// The seeds of the random walks by which the scope is sampled, unless somebody asks for others; `None` if all its
    /// states are visited instead.
    fn walks(&self) -> Option<Range<u64>> {
        None
    }

    /// How much likelier than others a random walk takes this action here; at least 1.
    fn weight(&self, state: &Self::State, action: &Self::Action) -> u32 {
        let _ = (state, action);
        1
    }

    /// Rare things that were counted in this search beside the actions: name and count.
    fn tallies(&self) -> Vec<(&'static str, u64)> {
        Vec::new()
    }

    /// The lanes of a drawing, grouped by replica group.
    fn lanes(&self) -> Vec<Lane>;

    /// One sentence about the step, in the domain's words, with what it meant in this state.
    fn sentence(&self, before: &Self::State, action: &Self::Action) -> String;

    /// What the step changed, one line each: nodes, logs, disks, ghosts; the violation last.
    fn changes(&self, before: &Self::State, after: &Self::State) -> Vec<String>;

    /// What the step draws into the lanes.
    fn strokes(&self, before: &Self::State, action: &Self::Action, after: &Self::State) -> Vec<Stroke>;
}

/// One column of a drawing: a node, a client, a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lane {
    /// What stands at its head.
    pub name: String,
    /// The lanes of one group stand together under this heading; empty for none.
    pub group: String,
}

/// A part of a drawing, in the row of one step. Lanes are counted from 0 in the order of [`Scenario::lanes`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stroke {
    /// A message leaves. It is drawn dashed if no later step receives it.
    Send {
        /// Names this message among those of the run.
        message: u64,
        /// The sender's lane.
        from: usize,
        /// The receiver's lane.
        to: usize,
        /// What it says, in a few words.
        label: String,
    },
    /// A message arrives, maybe again.
    Receive {
        /// Which one.
        message: u64,
    },
    /// Something happens in one lane.
    Note {
        /// Where.
        lane: usize,
        /// What, in a few words.
        label: String,
        /// How it is marked.
        tone: Tone,
    },
}

/// How a note is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// A step like others.
    Plain,
    /// A step that matters: a leader, a commit, a freeze, an install.
    Strong,
    /// A crash or another fault.
    Fault,
}

/// How often each step of the vocabulary was taken, over all threads of a search.
#[derive(Debug)]
pub struct Fired {
    counts: Vec<AtomicU64>,
}

impl Default for Fired {
    fn default() -> Self {
        Self { counts: Action::NAMES.iter().map(|_| AtomicU64::new(0)).collect() }
    }
}

impl Fired {
    /// Counts the labels of one step.
    pub fn count<'a>(&self, actions: impl IntoIterator<Item = &'a Action>) {
        for action in actions {
            self.counts[action.ordinal()].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Every name with its count.
    pub fn counts(&self) -> impl Iterator<Item = (&'static str, u64)> {
        Action::NAMES.iter().copied().zip(self.counts.iter().map(|count| count.load(Ordering::Relaxed)))
    }

    /// The names among these that never fired.
    pub fn missing(&self, names: &[&'static str]) -> Vec<&'static str> {
        let never = |name: &str| self.counts().any(|(fired, count)| fired == name && count == 0);
        names.iter().copied().filter(|name| never(name)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quorate_spec::ids::Term;

    #[test]
    fn what_never_fired_is_told() {
        let fired = Fired::default();
        fired.count(&[Action::StepDown { term: Term::new(1) }]);
        assert_eq!(fired.missing(&["StepDown", "BecomeLeader"]), ["BecomeLeader"]);
        assert_eq!(fired.counts().map(|(_, count)| count).sum::<u64>(), 1);
    }
}
