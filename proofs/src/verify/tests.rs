//! Every trap once, on a world small enough to count by hand: a walker on a grid.

use super::*;
use crate::scenario::{Fired, Lane, Stroke};
use quorate_spec::Violation;
use quorate_spec::action::Action;
use quorate_spec::ids::Term;
use serde::{Deserialize, Serialize};
use stateright::{Model, Property};

/// From (0, 0) right and up, as far as `size`.
#[derive(Default)]
struct Grid {
    size: Option<u64>,
    /// Standing there is a violation.
    bad: Option<(u64, u64)>,
    /// Arriving there panics.
    hole: Option<(u64, u64)>,
    goal: Goal,
    fired: Fired,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Goal {
    #[default]
    None,
    Reachable,
    Unreachable,
    Eventually,
    NothingAtAll,
}

#[derive(Clone, Debug, PartialEq, Hash)]
struct Place {
    x: u64,
    y: u64,
    violation: Option<Violation>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Walk {
    Right,
    Up,
    /// Leads nowhere.
    Nowhere,
}

impl Grid {
    fn judge(&self, x: u64, y: u64) -> Place {
        let bad = self.bad.is_some_and(|bad| bad == (x, y));
        Place { x, y, violation: bad.then(|| Violation::new("NoBadPlace", format!("stands on ({x}, {y})"))) }
    }
}

impl Model for Grid {
    type State = Place;
    type Action = Walk;

    fn init_states(&self) -> Vec<Place> {
        vec![self.judge(0, 0), self.judge(0, 0)]
    }

    fn actions(&self, place: &Place, actions: &mut Vec<Walk>) {
        let room = |at| self.size.is_none_or(|size| at < size);
        actions.push(Walk::Nowhere);
        actions.extend(room(place.x).then_some(Walk::Right));
        actions.extend(room(place.y).then_some(Walk::Up));
    }

    fn next_state(&self, place: &Place, action: Walk) -> Option<Place> {
        let (x, y) = match action {
            Walk::Nowhere => return None,
            Walk::Right => (place.x + 1, place.y),
            Walk::Up => (place.x, place.y + 1),
        };
        self.fired.count(&[Action::StepDown { term: Term::new(x) }]);
        assert!(self.hole != Some((x, y)), "fell into ({x}, {y})");
        Some(self.judge(x, y))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let safe = Property::always("NoBadPlace", |_: &Self, place: &Place| place.violation.is_none());
        match self.goal {
            Goal::None => vec![safe],
            Goal::Reachable => {
                vec![safe, Property::sometimes("Corner", |_: &Self, place: &Place| (place.x, place.y) == (3, 3))]
            }
            Goal::Unreachable => vec![safe, Property::sometimes("Beyond", |_: &Self, place: &Place| place.x > 3)],
            Goal::Eventually => vec![safe, Property::eventually("Corner", |_: &Self, place: &Place| place.x == 3)],
            Goal::NothingAtAll => vec![],
        }
    }
}

impl Scenario for Grid {
    fn model(&self) -> &'static str {
        "grid"
    }
    fn scope(&self) -> &'static str {
        "test"
    }
    fn bounds(&self) -> String {
        format!("{:?}", self.size)
    }
    fn properties_judged(&self) -> &'static [&'static str] {
        &["NoBadPlace"]
    }
    fn violation<'a>(&self, place: &'a Place) -> Option<&'a Violation> {
        place.violation.as_ref()
    }
    fn must_fire(&self) -> &'static [&'static str] {
        if self.size == Some(5) { &["BecomeLeader"] } else { &["StepDown"] }
    }
    fn fired(&self) -> &Fired {
        &self.fired
    }
    fn lanes(&self) -> Vec<Lane> {
        Vec::new()
    }
    fn sentence(&self, _: &Place, action: &Walk) -> String {
        format!("{action:?}")
    }
    fn changes(&self, _: &Place, _: &Place) -> Vec<String> {
        Vec::new()
    }
    fn strokes(&self, _: &Place, _: &Walk, _: &Place) -> Vec<Stroke> {
        Vec::new()
    }
}

const SMALL: Option<u64> = Some(3);

fn run(grid: Grid, budget: &Budget) -> Report<Walk> {
    verify(&Arc::new(grid), budget, |_| {})
}

fn exhaustive() -> Vec<Budget> {
    let with = |strategy, threads| Budget { threads, ..Budget::of(strategy) };
    vec![with(Strategy::Bfs, 1), with(Strategy::Bfs, 2), with(Strategy::Dfs, 1), with(Strategy::Dfs, 2)]
}

fn walks(seeds: Range<u64>, steps: usize) -> Budget {
    Budget::of(Strategy::Walk { seeds, steps })
}

#[test]
fn a_small_world_is_exhausted_and_counted() {
    for budget in exhaustive() {
        let report = run(Grid { size: SMALL, ..Grid::default() }, &budget);
        assert_eq!((report.outcome.clone(), report.unique_states, report.depth), (Outcome::Exhausted, 16, 6));
        // 3 x 4 steps right and as many up, and the initial state, which stateright counts once.
        assert_eq!((report.generated_states, &report.fired), (25, &vec![("StepDown", 24)]));
        assert!(report.passed() && report.collision_probability < 1e-15);
    }
}

#[test]
fn a_search_that_was_cut_off_is_not_exhausted() {
    for budget in exhaustive() {
        let cut = |max_states| run(Grid { size: SMALL, ..Grid::default() }, &Budget { max_states, ..budget.clone() });
        assert_eq!(cut(Some(15)).outcome, Outcome::Truncated { bound: Bound::States });
        assert!(!cut(Some(15)).passed());
        assert_eq!(cut(Some(16)).outcome, Outcome::Exhausted);
        let memory = run(Grid::default(), &Budget { max_memory: Some(1), ..budget.clone() });
        assert_eq!(memory.outcome, Outcome::Truncated { bound: Bound::Memory });
    }
}

#[test]
fn a_greatest_depth_cuts_only_what_is_deeper() {
    let cut =
        |depth| run(Grid { size: SMALL, ..Grid::default() }, &Budget { max_depth: Some(depth), ..Budget::default() });
    assert_eq!(cut(5).outcome, Outcome::Truncated { bound: Bound::Depth });
    assert_eq!(cut(6).outcome, Outcome::Exhausted);
    let at = |depth| {
        let grid = Grid { bad: Some((1, 1)), ..Grid::default() };
        run(grid, &Budget { threads: 1, max_depth: Some(depth), ..Budget::default() })
    };
    assert_eq!((at(2).word(), at(1).word()), ("violated", "truncated"));
}

#[test]
fn time_is_up_also_with_one_thread() {
    for budget in exhaustive() {
        let time = Some(Duration::from_millis(20));
        assert_eq!(
            run(Grid::default(), &Budget { time, ..budget }).outcome,
            Outcome::Truncated { bound: Bound::Seconds }
        );
    }
    let time = Some(Duration::from_millis(20));
    let report = run(Grid::default(), &Budget { time, threads: 1, ..walks(0..1, usize::MAX) });
    assert_eq!(report.outcome, Outcome::Truncated { bound: Bound::Seconds });
}

#[test]
fn a_violation_comes_with_a_short_trace_that_can_be_replayed() {
    let all = exhaustive().into_iter().chain([walks(0..100, 6)]);
    for budget in all {
        let grid = Arc::new(Grid { size: Some(9), bad: Some((2, 1)), ..Grid::default() });
        let report = verify(&grid, &budget, |_| {});
        let trace = report.trace().unwrap_or_else(|| panic!("{budget:?} found nothing"));
        assert_eq!((trace.actions.len(), trace.violation.evidence.as_str()), (3, "stands on (2, 1)"));
        assert_eq!(replay(&grid, trace.initial, &trace.actions), Ok(Some(trace.violation.clone())));
        assert_eq!(replay(&grid, 0, &[Walk::Right, Walk::Nowhere]), Err(1), "what leads nowhere is not enabled");
        let taken = steps(&grid, 0, &trace.actions).unwrap();
        assert_eq!(taken.iter().map(|step| step.violation.is_some()).collect::<Vec<_>>(), [false, false, true]);
        assert!(!report.passed());
        assert_eq!(report.properties[0], PropertyReport { name: "NoBadPlace", kind: "always", holds: false });
    }
}

#[test]
fn what_is_wrong_from_the_beginning_is_found() {
    for budget in exhaustive().into_iter().chain([walks(0..1, 5)]) {
        let report = run(Grid { size: SMALL, bad: Some((0, 0)), ..Grid::default() }, &budget);
        assert_eq!(report.trace().map(|trace| trace.actions.len()), Some(0));
    }
}

#[test]
fn the_violations_of_other_properties_are_passed_over_and_counted() {
    for budget in exhaustive().into_iter().chain([walks(0..100, 6)]) {
        let grid = || Grid { size: SMALL, bad: Some((1, 0)), hole: Some((1, 2)), ..Grid::default() };
        let budget = Budget { property: Some(CORE_PANIC.to_owned()), ..budget };
        let trace = run(grid(), &budget).trace().cloned().expect("the hole is reached past the bad place");
        assert_eq!((trace.violation.property, trace.actions.len()), (CORE_PANIC, 3));
        let report = run(Grid { hole: None, ..grid() }, &budget);
        assert!(report.passed() && report.passed_over > 0, "{report:?}");
        assert_eq!(report.properties.iter().map(|property| property.name).collect::<Vec<_>>(), [CORE_PANIC]);
    }
}

#[test]
fn detours_of_a_long_walk_are_taken_out() {
    let report = run(Grid { size: Some(200), bad: Some((150, 0)), ..Grid::default() }, &Budget::of(Strategy::Dfs));
    assert_eq!(report.trace().map(|trace| trace.actions.len()), Some(150));
    let report = run(Grid { size: Some(4), hole: Some((4, 4)), ..Grid::default() }, &walks(7..8, 100));
    assert_eq!(report.trace().map(|trace| trace.actions.len()), Some(8));
}

#[test]
fn a_panic_is_a_counterexample() {
    for budget in exhaustive().into_iter().chain([walks(0..100, 6)]) {
        let report = run(Grid { size: SMALL, hole: Some((1, 2)), ..Grid::default() }, &budget);
        let trace = report.trace().expect("it falls into the hole");
        assert_eq!((trace.violation.property, trace.actions.len()), (CORE_PANIC, 3));
        assert!(trace.violation.evidence.contains("fell into (1, 2)"), "{}", trace.violation);
        let panic = report.properties.iter().find(|property| property.name == CORE_PANIC);
        assert!(panic.is_some_and(|property| !property.holds));
    }
}

#[test]
fn what_never_fired_and_goals_not_met_are_no_success() {
    let report = run(Grid { size: Some(5), ..Grid::default() }, &Budget::default());
    assert_eq!((report.word(), &report.missing_actions), ("exhausted", &vec!["BecomeLeader"]));
    assert!(!report.passed());
    let met = run(Grid { size: SMALL, goal: Goal::Reachable, ..Grid::default() }, &Budget::default());
    assert!(met.passed());
    let unmet = run(Grid { size: SMALL, goal: Goal::Unreachable, ..Grid::default() }, &Budget::default());
    assert!(unmet.word() == "exhausted" && !unmet.passed());
}

#[test]
#[should_panic(expected = "`eventually` is not checked soundly")]
fn eventually_is_refused() {
    let _ = run(Grid { size: SMALL, goal: Goal::Eventually, ..Grid::default() }, &Budget::default());
}

#[test]
#[should_panic(expected = "grid judges nothing")]
fn a_model_without_properties_is_refused() {
    let _ = run(Grid { size: SMALL, goal: Goal::NothingAtAll, ..Grid::default() }, &Budget::default());
}

#[test]
fn a_seed_names_one_walk() {
    let walk = |seed: u64| {
        let report = run(Grid { bad: None, size: Some(40), ..Grid::default() }, &walks(seed..seed + 1, 30));
        assert_eq!((report.outcome.clone(), report.generated_states), (Outcome::Sampled { walks: 1 }, 30));
        report.fired
    };
    assert_eq!(walk(1), walk(1));
    let long = run(Grid { size: SMALL, ..Grid::default() }, &walks(0..50, 100));
    assert_eq!((long.outcome, long.generated_states, long.depth), (Outcome::Sampled { walks: 50 }, 300, 6));
    // The lowest seed that finds something is the one reported, however many threads there are.
    let found = |threads| {
        let grid = Grid { size: Some(12), bad: Some((5, 5)), ..Grid::default() };
        run(grid, &Budget { threads, ..walks(0..200, 24) }).trace().cloned()
    };
    assert!(found(1).is_some());
    assert_eq!(found(1), found(2));
}

#[test]
fn progress_is_told_while_it_lasts() {
    let mut told = 0;
    let budget = Budget { time: Some(Duration::from_millis(1500)), ..Budget::default() };
    let _ = verify(&Arc::new(Grid::default()), &budget, |progress| {
        told += 1;
        assert!(progress.unique_states > 0 && progress.rate > 0.0 && progress.memory > 0);
    });
    assert!(told >= 1);
}
