//! Goes through every state of a scope, nearest first, and judges each state and each step.

use super::judge::Judge;
use super::structure::{Signature, Structure};
use super::system::Executable;
use super::{Binding, Failure, Meaning, Report};
use crate::inductive::Source;
use crate::scenario::Scenario;
use stateright::Model;
use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Instant;

type State<B> = <<B as Binding>::Model as Model>::State;
type Action<B> = <<B as Binding>::Model as Model>::Action;

/// A search in progress.
struct Search<'a, B: Binding> {
    binding: &'a B,
    model: B::Model,
    judge: Judge,
    base: Structure,
    /// The places of states, by fingerprint.
    seen: HashMap<u64, usize>,
    visited: Vec<Visited<Action<B>>>,
    report: Report,
}

/// A state: its structure's number, and the state before with the step from it.
struct Visited<A> {
    structure: usize,
    parent: Option<(usize, A)>,
}

/// Binds a model's scope to its transition system.
///
/// # Errors
/// What cannot be bound at all: a file that cannot be read, a binding that does not fit it.
pub(super) fn search<B: Binding>(binding: &B) -> Result<Report, String> {
    let began = Instant::now();
    let model = binding.model().ok_or("there is no such scope")?;
    let system = Source::find(binding.source()).and_then(|source| source.load())?;
    let signature = Signature::new(&system, &binding.sorts());
    let system = Executable::new(&system, signature, &B::given)?;
    let (first, history) = binding.beginning(&system.signature);
    let stutters = binding.stutters();
    let judge = Judge::new(system, binding.unobserved(), stutters.iter().map(|(label, _)| *label).collect());
    let mut report = Report::new(model.model(), model.scope(), binding.source());
    report.conjuncts = judge.system.invariants.len();
    let base = binding.immutable(&judge.system.signature);
    let mut search = Search { binding, model, judge, base, seen: HashMap::new(), visited: Vec::new(), report };
    let failure = search.begin(&first, &history).err().or_else(|| search.run().err());
    let Search { judge, mut report, visited, .. } = search;
    report.failure = failure;
    report.states = visited.len();
    report.judged(judge, stutters);
    report.seconds = began.elapsed().as_secs_f64();
    Ok(report)
}

impl<B: Binding> Search<'_, B> {
    /// What led to the model's initial state is a run of the system.
    fn begin(&mut self, first: &Structure, history: &[Meaning]) -> Result<(), Failure> {
        self.begins(first, history).map_err(|what| Failure::new(&self.model, [], what))
    }

    fn begins(&mut self, first: &Structure, history: &[Meaning]) -> Result<(), String> {
        self.judge.begins(first)?;
        let number = self.judge.structure_of(first.clone())?;
        for state in self.model.init_states() {
            let structure = self.structure(&state)?;
            self.judge.step(number, history, structure)?;
        }
        Ok(())
    }

    fn structure(&mut self, state: &State<B>) -> Result<usize, String> {
        let made = self.binding.abstraction(state, &self.judge.system.signature, &self.base);
        self.judge.structure_of(made)
    }

    fn run(&mut self) -> Result<(), Failure> {
        let mut open = VecDeque::new();
        for state in self.model.init_states() {
            let known = self.visited.len();
            let place = self.visit(&state, None)?;
            open.extend((place == known).then_some((place, state)));
        }
        let mut actions = Vec::new();
        while let Some((place, state)) = open.pop_front() {
            for probe in self.binding.probes(&state) {
                self.judge
                    .probe(self.visited[place].structure, probe)
                    .map_err(|what| self.failure(place, None, what))?;
            }
            actions.clear();
            self.model.actions(&state, &mut actions);
            for action in actions.drain(..) {
                let next = self.model.next_state(&state, action.clone());
                self.report.steps += 1;
                let meaning = self.binding.meaning(&state, &action, next.as_ref());
                let before = self.visited[place].structure;
                let known = self.visited.len();
                let reached = match &next {
                    None => place,
                    Some(next) => self.visit(next, Some((place, &action)))?,
                };
                self.judge
                    .step(before, &meaning, self.visited[reached].structure)
                    .map_err(|what| self.failure(place, Some(&action), what))?;
                if let Some(next) = next.filter(|_| reached == known) {
                    open.push_back((reached, next));
                }
            }
        }
        Ok(())
    }

    /// The place of a state, the next one if it is new.
    fn visit(&mut self, state: &State<B>, parent: Option<(usize, &Action<B>)>) -> Result<usize, Failure> {
        let key = fingerprint(state);
        if let Some(place) = self.seen.get(&key) {
            return Ok(*place);
        }
        let place = self.visited.len();
        let structure = self.structure(state);
        let parent = parent.map(|(place, action)| (place, action.clone()));
        self.visited.push(Visited { structure: *structure.as_ref().unwrap_or(&0), parent });
        self.seen.insert(key, place);
        structure.map(|_| place).map_err(|what| self.failure(place, None, what))
    }

    /// The way to a state, and the step from it that is wrong.
    fn failure(&self, mut place: usize, last: Option<&Action<B>>, what: String) -> Failure {
        let mut actions: Vec<_> = last.cloned().into_iter().collect();
        while let Some((parent, action)) = &self.visited[place].parent {
            actions.push(action.clone());
            place = *parent;
        }
        Failure::new(&self.model, actions.into_iter().rev(), what)
    }
}

fn fingerprint<T: Hash>(state: &T) -> u64 {
    let mut hasher = DefaultHasher::new();
    state.hash(&mut hasher);
    hasher.finish()
}
