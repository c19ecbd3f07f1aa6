//! The inductive proofs' harness, and the mutants of the proofs.
//!
//! The proofs themselves are run by `quorate-check prove` and their mutants by the example `proof_mutants` (both are
//! `tests/deep proofs`): they take longer than a test should. z3 is needed here; where it is missing, the failure says how
//! to install it.

use quorate_proofs::inductive::{Options, Source, Verdict, mutants, prove, render};
use quorate_spec::action::Action;

/// Nodes vote at most once: provable as it stands.
const SMALL: &str = "(sort node) (sort term) (letters node N M) (letters term T)
    (variable (vote node term node))
    (initially (not (vote N T M)))
    (action HandleRequestVote ((n node) (t term) (c node)) (forall (M) (not (vote n t M))) (add vote n t c))
    (promise vote_once (forall (N T M) (forall ((L node)) (=> (and (vote N T M) (vote N T L)) (= M L)))))
    (trace once HandleRequestVote)";

fn source(text: &str) -> Source {
    Source { name: "small".to_owned(), text: text.to_owned() }
}

fn refusal(text: &str) -> String {
    prove(&[source(text)], &Options::default(), &|_| {}).expect_err("bad input")
}

#[test]
fn a_small_system_is_proved_and_its_fault_is_drawn_as_a_table() {
    let good = prove(&[source(SMALL)], &Options::default(), &|_| {}).expect("z3");
    assert!(good.holds(), "{}", render(&good));
    assert_eq!(good.files[0].obligations, 4, "axioms, init, one step, one trace");

    let faulty = SMALL.replace("(forall (M) (not (vote n t M))) (add", "(add");
    let bad = prove(&[source(&faulty)], &Options::default(), &|_| {}).expect("z3");
    assert!(!bad.holds());
    let file = &bad.files[0];
    assert_eq!((file.failed, file.unknown), (1, 0));
    let Verdict::Refuted(table) = &file.failures[0].verdict else { panic!("no counterexample") };
    assert!(table.contains("before") && table.contains("with c") && table.contains("vote"), "{table}");
    assert!(render(&bad).contains("step/HandleRequestVote/vote_once does not hold"));
}

#[test]
fn a_run_that_is_impossible_is_a_failure() {
    let stuck = SMALL.replace("(initially (not (vote N T M)))", "(initially (vote N T M))");
    let report = prove(&[source(&stuck)], &Options::default(), &|_| {}).expect("z3");
    assert!(report.files[0].failures.iter().any(|failure| failure.obligation == "trace/once"), "{}", render(&report));
}

#[test]
fn bad_files_are_refused_with_one_line_that_names_the_place() {
    assert!(refusal("").contains("nothing to prove"));
    assert!(refusal("(sort node)\n(oops)").contains("line 2"));
    assert!(refusal("(sort node)\n(relation (member knot))").contains("no sort is called knot"));
    assert!(refusal(&SMALL.replace("(add vote n t c)", "(add vote n t)")).contains("wrong arguments"));
    assert!(refusal(&SMALL.replace("(vote N T L)", "(veto N T L)")).contains("nothing is called veto"));
    assert!(refusal(&SMALL.replace("(trace once HandleRequestVote)", "")).contains("is in no trace"));
    assert!(refusal("(include nowhere)").contains("no nowhere.tsm"));
    let cycle =
        "(promise all (forall (N) (exists (T) (vote N T N)))) (promise any (forall (T) (exists (N) (vote N T N))))";
    assert!(refusal(&format!("{SMALL} {cycle}")).contains("not decidable"));
    assert!(prove(&[], &Options::default(), &|_| {}).is_err());
}

/// What stands before the dot in an action's name is the specification's name.
#[test]
fn actions_bear_the_names_of_the_specification() {
    for source in Source::all() {
        let system = source.load().expect("the project's own file");
        assert!(!system.actions.is_empty());
        for action in &system.actions {
            let base = action.name.split('.').next().unwrap_or_default();
            assert!(
                Action::NAMES.contains(&base),
                "{}: {} is no action of the specification",
                source.name,
                action.name
            );
        }
    }
}

#[test]
fn a_mutant_names_an_obligation_that_holds_without_it() {
    for mutant in mutants::all() {
        let system = Source::find(mutant.file).and_then(|source| source.load()).expect("the project's own file");
        let parts: Vec<&str> = mutant.refutes.split('/').collect();
        let [_, action, conjunct] = parts[..] else { panic!("{} is not about a step", mutant.refutes) };
        assert!(system.actions.iter().any(|known| known.name == action), "{}", mutant.refutes);
        let mut stated = system.invariants.iter().chain(&system.steps);
        assert!(stated.any(|known| known.name == conjunct), "{}", mutant.refutes);
    }
}
