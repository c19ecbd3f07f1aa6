//! Random walks: far beyond what can be exhausted, and the same for a seed each time.

use super::Budget;
use super::judged::{Judged, Node};
use super::progress::{Progress, memory_in_use};
use super::replay::confirmed;
use super::report::{Bound, Outcome, Report};
use super::search::{fired, properties};
use crate::scenario::Scenario;
use stateright::Model;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// SplitMix64 (Steele, Lea, Flood, 2014): small, and the same everywhere for ever.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which is small against 2^64.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.roll() % bound
    }
}

/// What all threads share.
struct Shared<A> {
    next: AtomicU64,
    steps: AtomicU64,
    walked: AtomicU64,
    depth: AtomicUsize,
    halted: AtomicBool,
    /// The violation of the lowest seed so far.
    found: Mutex<Option<(u64, usize, Vec<A>)>>,
}

impl<A> Shared<A> {
    /// Whether a lower seed has found something already.
    fn is_settled(&self, seed: u64) -> bool {
        let found = self.found.lock().expect("no thread panics while it reports");
        found.as_ref().is_some_and(|(lowest, ..)| *lowest < seed)
    }

    fn report(&self, seed: u64, initial: usize, actions: Vec<A>) {
        let mut found = self.found.lock().expect("no thread panics while it reports");
        if found.as_ref().is_none_or(|(lowest, ..)| seed < *lowest) {
            *found = Some((seed, initial, actions));
        }
    }
}

/// One walk for each seed.
pub(super) fn walk<S: Scenario>(
    scenario: &Arc<S>,
    budget: &Budget,
    seeds: Range<u64>,
    steps: usize,
    mut progress: impl FnMut(&Progress),
) -> Report<S::Action> {
    let judged = Judged::within(scenario, budget);
    judged.end();
    assert!(!judged.init_states().is_empty(), "{} has no initial state", scenario.model());
    let steps = budget.max_depth.map_or(steps, |most| steps.min(most));
    let shared = Shared {
        next: AtomicU64::new(seeds.start),
        steps: AtomicU64::new(0),
        walked: AtomicU64::new(0),
        depth: AtomicUsize::new(0),
        halted: AtomicBool::new(false),
        found: Mutex::new(None),
    };
    let started = Instant::now();
    let (hit, memory) = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..budget.threads.max(1))
            .map(|_| scope.spawn(|| walk_seeds(&judged, &shared, seeds.end, steps)))
            .collect();
        let ended = || threads.iter().all(std::thread::ScopedJoinHandle::is_finished);
        watch(&shared, budget, started, ended, &mut progress)
    });
    let seconds = started.elapsed().as_secs_f64();
    let (fired, missing_actions) = fired(scenario.as_ref());
    let found = shared.found.into_inner().expect("no thread panics while it reports");
    let walks = shared.walked.load(Ordering::Relaxed);
    let outcome = match (found, hit) {
        (Some((_, initial, actions)), _) => Outcome::Violated { trace: confirmed(&judged, initial, &actions) },
        (None, Some(bound)) => Outcome::Truncated { bound },
        (None, None) => Outcome::Sampled { walks },
    };
    Report {
        properties: properties(&judged, &outcome),
        outcome,
        unique_states: 0,
        generated_states: shared.steps.load(Ordering::Relaxed),
        depth: shared.depth.load(Ordering::Relaxed),
        seconds,
        threads: budget.threads.max(1),
        memory,
        passed_over: judged.passed_over(),
        collision_probability: 0.0,
        fired,
        missing_actions,
    }
}

/// Tells how far it is until `ended`, and stops it at a bound. Returns the bound and the most memory seen.
fn watch<A>(
    shared: &Shared<A>,
    budget: &Budget,
    started: Instant,
    ended: impl Fn() -> bool,
    progress: &mut impl FnMut(&Progress),
) -> (Option<Bound>, u64) {
    let (mut hit, mut memory) = (None, memory_in_use());
    let mut last = (Duration::ZERO, 0_u64);
    let mut pause = Duration::from_millis(1);
    while !ended() {
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
        let (elapsed, steps) = (started.elapsed(), shared.steps.load(Ordering::Relaxed));
        if budget.time.is_some_and(|time| elapsed >= time) {
            hit.get_or_insert(Bound::Seconds);
        } else if budget.max_states.is_some_and(|most| steps >= most) {
            hit.get_or_insert(Bound::States);
        } else if budget.max_memory.is_some_and(|most| memory >= most) {
            hit.get_or_insert(Bound::Memory);
        }
        if hit.is_some() {
            shared.halted.store(true, Ordering::Relaxed);
        }
        if (elapsed - last.0).as_secs_f64() >= 1.0 {
            memory = memory.max(memory_in_use());
            let rate = (steps - last.1) as f64 / (elapsed - last.0).as_secs_f64();
            let depth = shared.depth.load(Ordering::Relaxed);
            progress(&Progress { elapsed, unique_states: 0, generated_states: steps, rate, depth, memory });
            last = (elapsed, steps);
        }
    }
    (hit, memory.max(memory_in_use()))
}

/// Takes seeds until there are no more, or a lower one has found something.
fn walk_seeds<S: Scenario>(judged: &Judged<S>, shared: &Shared<S::Action>, end: u64, steps: usize) {
    loop {
        let seed = shared.next.fetch_add(1, Ordering::Relaxed);
        if seed >= end || shared.halted.load(Ordering::Relaxed) || shared.is_settled(seed) {
            return;
        }
        let (initial, actions, violated, complete) = walk_one(judged, shared, seed, steps);
        shared.depth.fetch_max(actions.len(), Ordering::Relaxed);
        if violated {
            shared.report(seed, initial, actions);
        }
        if complete {
            shared.walked.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// One walk: from an initial state, an action at a time, until there is none, something is wrong, or it is long enough.
fn walk_one<S: Scenario>(
    judged: &Judged<S>,
    shared: &Shared<S::Action>,
    seed: u64,
    steps: usize,
) -> (usize, Vec<S::Action>, bool, bool) {
    let mut dice = Dice::new(seed);
    let mut states = judged.init_states();
    let initial = dice.below(states.len() as u64) as usize;
    let mut node = states.swap_remove(initial);
    let (mut taken, mut enabled) = (Vec::new(), Vec::new());
    loop {
        if let Node::Live(state) = &node {
            judged.note_goals(state);
        }
        if judged.is_violated(&node) {
            return (initial, taken, true, true);
        }
        if taken.len() == steps {
            return (initial, taken, false, true);
        }
        // Often enough to stop soon, seldom enough to cost nothing.
        if taken.len().is_multiple_of(64) && shared.halted.load(Ordering::Relaxed) {
            return (initial, taken, false, false);
        }
        enabled.clear();
        judged.actions(&node, &mut enabled);
        let Some((action, next)) = choose(judged, &node, &mut enabled, &mut dice) else {
            return (initial, taken, false, true);
        };
        shared.steps.fetch_add(1, Ordering::Relaxed);
        taken.push(action);
        node = next;
    }
}

/// One of the actions that lead somewhere, by weight.
#[allow(clippy::type_complexity, reason = "an action and where it leads")]
fn choose<S: Scenario>(
    judged: &Judged<S>,
    node: &Node<S::State>,
    enabled: &mut Vec<S::Action>,
    dice: &mut Dice,
) -> Option<(S::Action, Node<S::State>)> {
    let Node::Live(state) = node else { return None };
    let weight = |action: &S::Action| u64::from(judged.scenario().weight(state, action).max(1));
    while !enabled.is_empty() {
        let mut rest = dice.below(enabled.iter().map(weight).sum());
        let mut chosen = 0;
        while rest >= weight(&enabled[chosen]) {
            rest -= weight(&enabled[chosen]);
            chosen += 1;
        }
        let action = enabled.remove(chosen);
        if let Some(next) = judged.next_state(node, action.clone()).filter(|next| judged.within_boundary(next)) {
            return Some((action, next));
        }
    }
    None
}
