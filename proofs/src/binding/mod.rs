//! Binds the running core to the inductive proofs: the very formulas that the solver proved, evaluated on states of real
//! machines, and every real step matched with the action that its label names.
//!
//! An *abstraction* gives, for a state of a model, a finite structure of the transition system: what its sorts, relations
//! and functions are there. On every explored state every conjunct of the invariant holds. Every real step, seen through
//! the abstraction, is the sequence of actions that the step's labels name, with their parameters, or leaves the structure
//! alone: then it is a *stutter*. A step whose labels name other actions than happened is "not a step of the
//! specification", and so is a label that stutters though it is not declared to.

mod compile;
mod formula;
mod judge;
mod raft;
mod search;
mod shards;
mod structure;
mod system;

use shards::Shards;
use structure::{Element, Signature, Structure};

use crate::scenario::Scenario;
use crate::trace::{FORMAT, Trace, TraceStep};
use judge::Judge;
use quorate_core::mutants::selected;
use serde::Serialize;
use stateright::Model;
use std::collections::BTreeMap;

/// An action of the transition system with the parameters that are known.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Deed {
    /// The action's name.
    action: &'static str,
    /// Parameters and their values; the others are searched for.
    given: Vec<(&'static str, Element)>,
}

/// What a label means: the actions that it stands for, in order; none for a stutter.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Meaning {
    /// The label's name.
    label: &'static str,
    /// The actions.
    deeds: Vec<Deed>,
}

/// A read that a state could answer: the actions, and the tuple that must be true after them; `None` if it is refused.
type Probe = (Vec<Deed>, Option<(&'static str, Vec<Element>)>);

/// How a model is bound to a transition system.
trait Binding {
    /// The model.
    type Model: Scenario;

    /// The model at this scope.
    fn model(&self) -> Option<Self::Model>;
    /// The name of the file.
    fn source(&self) -> &'static str;
    /// The elements of the sorts.
    fn sorts(&self) -> BTreeMap<&'static str, Vec<String>>;
    /// The parameters of an action that a label tells.
    fn given(action: &str) -> &'static [&'static str];
    /// Symbols that only name what a step did: no state shows them, nothing reads them.
    fn unobserved(&self) -> &'static [&'static str];
    /// The labels that may leave the structure alone, each with its reason.
    fn stutters(&self) -> &'static [(&'static str, &'static str)];
    /// What no step changes; all else as empty as it can be.
    fn immutable(&self, signature: &Signature) -> Structure;
    /// An initial structure, and what led from there to the model's initial state.
    fn beginning(&self, signature: &Signature) -> (Structure, Vec<Meaning>);
    /// The structure of a state; `base` holds what never changes.
    fn abstraction(&self, state: &<Self::Model as Model>::State, signature: &Signature, base: &Structure) -> Structure;
    /// What the labels of a step mean. `next` is `None` if it changes nothing of the model's state.
    fn meaning(
        &self,
        state: &<Self::Model as Model>::State,
        step: &<Self::Model as Model>::Action,
        next: Option<&<Self::Model as Model>::State>,
    ) -> Vec<Meaning>;
    /// The reads that a state answers or refuses.
    fn probes(&self, state: &<Self::Model as Model>::State) -> Vec<Probe>;
}

/// How often a label was met.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Steps that bore it.
    pub steps: u64,
    /// Those of them that left the structure alone.
    pub stutters: u64,
    /// Why it may; `None` if it may not.
    pub may_stutter: Option<&'static str>,
}

impl Tally {
    /// The share of stutters.
    pub fn share(&self) -> f64 {
        self.stutters as f64 / self.steps.max(1) as f64
    }
}

/// What is not as the specification says, and how to get there.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Failure {
    /// What.
    pub what: String,
    /// The steps to it, the wrong one last.
    pub steps: Vec<String>,
    /// The same for a file, without the last step if it changes nothing.
    #[serde(skip)]
    pub trace: Box<Trace>,
}

impl Failure {
    fn new<S: Scenario>(model: &S, actions: impl IntoIterator<Item = S::Action>, what: String) -> Self {
        let mut state = model.init_states().into_iter().next();
        let mut steps = Vec::new();
        for action in actions {
            let Some(now) = state else { break };
            let plain = serde_json::to_value(&action).expect("an action is plain data");
            steps.push(TraceStep { sentence: model.sentence(&now, &action), action: plain });
            state = model.next_state(&now, action);
        }
        let told = steps.iter().map(|step| step.sentence.clone()).collect();
        let idle = steps
            .pop_if(|_| state.is_none())
            .map(|step| format!("{what}; the step, which changes nothing: {}", step.sentence));
        let trace = Trace {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            model: model.model().to_owned(),
            scope: model.scope().to_owned(),
            mutant: selected().map(|mutant| mutant.name().to_owned()),
            property: Some(NAME.to_owned()),
            evidence: Some(idle.unwrap_or_else(|| what.clone())),
            initial: 0,
            start: None,
            steps,
        };
        Self { what, steps: told, trace: Box::new(trace) }
    }
}

/// What a binding showed.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The model.
    pub model: &'static str,
    /// The scope.
    pub scope: &'static str,
    /// The transition system.
    pub system: &'static str,
    /// Conjuncts of its invariant.
    pub conjuncts: usize,
    /// How the states were chosen; `None` if they are all that the scope has.
    pub sample: Option<String>,
    /// States of the model.
    pub states: usize,
    /// Different structures that they are.
    pub structures: usize,
    /// Steps of the model, those that change nothing among them.
    pub steps: u64,
    /// Different steps that they are.
    pub different_steps: usize,
    /// How often a conjunct was evaluated.
    pub evaluations: u64,
    /// Per label, how often it was met.
    pub actions: BTreeMap<&'static str, Tally>,
    /// The first thing that is wrong.
    pub failure: Option<Failure>,
    /// How long it took, the model's own work included.
    pub seconds: f64,
}

impl Report {
    fn new(model: &'static str, scope: &'static str, system: &'static str) -> Self {
        Self {
            model,
            scope,
            system,
            conjuncts: 0,
            sample: None,
            states: 0,
            structures: 0,
            steps: 0,
            different_steps: 0,
            evaluations: 0,
            actions: BTreeMap::new(),
            failure: None,
            seconds: 0.0,
        }
    }

    fn judged(&mut self, judge: Judge, stutters: &[(&'static str, &'static str)]) {
        (self.structures, self.different_steps) = judge.different();
        self.evaluations = judge.evaluations;
        self.actions = judge.tallies;
        for (label, reason) in stutters {
            if let Some(tally) = self.actions.get_mut(label) {
                tally.may_stutter = Some(reason);
            }
        }
    }

    /// Whether there was something to judge, and all of it is as the specification says.
    pub fn holds(&self) -> bool {
        self.failure.is_none() && self.states > 0 && self.steps > 0 && self.conjuncts > 0
    }
}

/// What a binding judges: the property that a step breaks which is not one of the specification.
pub const NAME: &str = "Specification";

/// The models that are bound, and the scope of each that is bound by default.
pub const MODELS: &[(&str, &str)] =
    &[("shards", "default"), ("raft", "default"), ("raft", "deep2"), ("raft", "heartbeats"), ("raft", "prevote")];

/// Binds a model at a scope.
///
/// # Errors
/// There is no such model or scope, or the transition system cannot be executed.
pub fn bind(model: &str, scope: &str) -> Result<Report, String> {
    match model {
        "shards" => search::search(&Shards::new(scope).ok_or_else(|| no_scope(model, scope))?),
        "raft" => raft::walk(raft::scope(scope).ok_or_else(|| no_scope(model, scope))?),
        _ => Err(format!("the model '{model}' is not bound to a proof: choose one of {}", names())),
    }
}

/// What the binding of a model judges at a scope; `None` if there is no such model or scope.
pub fn judged(model: &str, scope: &str) -> Option<&'static [&'static str]> {
    let known = match model {
        "shards" => Shards::new(scope).is_some(),
        "raft" => raft::scope(scope).is_some(),
        _ => false,
    };
    known.then_some(&[NAME])
}

fn no_scope(model: &str, scope: &str) -> String {
    format!("no scope of model '{model}' that can be bound is called '{scope}'")
}

fn names() -> String {
    let mut names: Vec<&str> = MODELS.iter().map(|(model, _)| *model).collect();
    names.dedup();
    names.join(", ")
}
