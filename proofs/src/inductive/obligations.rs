//! What has to be shown of a system, as stand-alone SMT-LIB 2 texts.
//!
//! - *init*: every conjunct holds in every initial state;
//! - *step*: if all conjuncts hold before an action, each that it could break holds after it;
//! - *refine*: every action, from a state in which all conjuncts hold, satisfies every formula about steps;
//! - *trace*: the stated runs are possible, so no action and no assumption is empty;
//! - *axioms*: what is assumed has a model.

use super::expand;
use super::sexp::Sexp;
use super::system::{Named, Step, System};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// What a solver must answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    /// There is no counterexample.
    Unsat,
    /// There is an example.
    Sat,
}

/// One thing to show.
#[derive(Clone, Debug)]
pub(super) struct Obligation {
    /// Which: `init/NAME`, `step/ACTION/NAME`, `refine/ACTION/NAME`, `trace/NAME` or `axioms`.
    pub name: String,
    /// The text for the solver, up to `(check-sat)`.
    pub text: String,
    /// The answer that discharges it.
    pub expected: Expected,
}

/// All that has to be shown.
pub(super) fn all(system: &System) -> Vec<Obligation> {
    let mut found =
        vec![Obligation { name: "axioms".to_owned(), text: finish(prelude(system)), expected: Expected::Sat }];
    found.extend(initiation(system));
    for action in &system.actions {
        found.extend(consecution(system, action));
    }
    found.extend(system.traces.iter().map(|trace| run(system, &trace.name, &trace.actions)));
    found
}

/// How a symbol is written for the solver: the name, and for a variable the moment.
fn write(formula: &Sexp, moment: &dyn Fn(&str) -> Option<String>) -> String {
    match formula {
        Sexp::Word(text, _) => moment(text).unwrap_or_else(|| text.clone()),
        Sexp::List(items, _) => {
            let parts: Vec<String> = items.iter().map(|item| write(item, moment)).collect();
            format!("({})", parts.join(" "))
        }
    }
}

/// A primed word is the state after; if the action leaves the variable alone, it is the state before.
fn after(text: &str, changes: &BTreeSet<String>) -> Option<String> {
    let base = text.strip_suffix('\'')?;
    Some(if changes.contains(base) { format!("{base}.after") } else { base.to_owned() })
}

fn plain(formula: &Sexp) -> String {
    write(formula, &|_| None)
}

fn declare(text: &mut String, system: &System, symbol: &str, name: &str) {
    let declared = &system.symbols[symbol];
    let _ = writeln!(text, "(declare-fun {name} ({}) {})", declared.arguments.join(" "), declared.result);
}

fn assert(text: &mut String, formula: &str) {
    let _ = writeln!(text, "(assert {formula})");
}

fn finish(mut text: String) -> String {
    text.push_str("(check-sat)\n");
    text
}

fn prelude(system: &System) -> String {
    let mut text = String::from("(set-logic UF)\n");
    for sort in &system.sorts {
        let _ = writeln!(text, "(declare-sort {sort} 0)");
    }
    for (name, symbol) in &system.symbols {
        if !symbol.mutable {
            declare(&mut text, system, name, name);
        }
    }
    for axiom in &system.axioms {
        assert(&mut text, &plain(&axiom.formula));
    }
    text
}

fn with_variables(system: &System) -> String {
    let mut text = prelude(system);
    for (name, symbol) in &system.symbols {
        if symbol.mutable {
            declare(&mut text, system, name, name);
        }
    }
    text
}

fn initiation(system: &System) -> Vec<Obligation> {
    let mut context = with_variables(system);
    for formula in &system.initial {
        assert(&mut context, &plain(formula));
    }
    let show = |invariant: &Named| Obligation {
        name: format!("init/{}", invariant.name),
        text: finish(format!("{context}(assert (not {}))\n", plain(&invariant.formula))),
        expected: Expected::Unsat,
    };
    system.invariants.iter().filter(|invariant| !invariant.included).map(show).collect()
}

fn consecution(system: &System, action: &Step) -> Vec<Obligation> {
    let mut context = with_variables(system);
    for invariant in &system.invariants {
        assert(&mut context, &plain(&invariant.formula));
    }
    for name in &action.changes {
        declare(&mut context, system, name, &format!("{name}.after"));
    }
    for (name, sort) in &action.parameters {
        let _ = writeln!(context, "(declare-fun {name} () {sort})");
    }
    let moment = |text: &str| after(text, &action.changes);
    assert(&mut context, &write(&action.formula, &moment));
    let deny = |kind: &str, name: &str, formula: &Sexp| Obligation {
        name: format!("{kind}/{}/{name}", action.name),
        text: finish(format!("{context}(assert (not {}))\n", write(formula, &moment))),
        expected: Expected::Unsat,
    };
    let mut found = Vec::new();
    // A file that is included is proved on its own: its actions leave the variables of this one alone, and need no
    // conjunct of this one to keep their own.
    let proved = |named: &&Named| !(action.included && named.included);
    for invariant in system.invariants.iter().filter(proved) {
        let later = later(system, &invariant.formula);
        let mut spoken = BTreeSet::new();
        expand::primed(&later, &mut spoken);
        // A conjunct about nothing that the action changes holds after it as it did before.
        if !spoken.is_disjoint(&action.changes) {
            found.push(deny("step", &invariant.name, &later));
        }
    }
    found.extend(system.steps.iter().filter(proved).map(|step| deny("refine", &step.name, &step.formula)));
    found
}

fn later(system: &System, formula: &Sexp) -> Sexp {
    let mutable = system.symbols.iter().filter(|(_, symbol)| symbol.mutable);
    expand::rename(formula, &mutable.map(|(name, _)| (name.clone(), super::sexp::word(&format!("{name}'")))).collect())
}

/// A run from an initial state through these actions.
fn run(system: &System, name: &str, actions: &[String]) -> Obligation {
    let mut text = prelude(system);
    let mutable = system.symbols.iter().filter(|(_, symbol)| symbol.mutable);
    let mut version: BTreeMap<&str, usize> = mutable.map(|(name, _)| (name.as_str(), 0)).collect();
    for symbol in version.keys() {
        declare(&mut text, system, symbol, &format!("{symbol}.0"));
    }
    for formula in &system.initial {
        assert(&mut text, &write(formula, &|word| version.get(word).map(|moment| format!("{word}.{moment}"))));
    }
    for (place, wanted) in actions.iter().enumerate() {
        let action = system.actions.iter().find(|action| action.name == *wanted);
        let action = action.expect("invariant: loading checks that a trace names actions");
        let before = version.clone();
        for (symbol, moment) in &mut version {
            if action.changes.contains(*symbol) {
                *moment = place + 1;
                declare(&mut text, system, symbol, &format!("{symbol}.{moment}"));
            }
        }
        for (parameter, sort) in &action.parameters {
            let _ = writeln!(text, "(declare-fun {parameter}.{place} () {sort})");
        }
        let moment = |word: &str| {
            if action.parameters.iter().any(|(parameter, _)| parameter == word) {
                return Some(format!("{word}.{place}"));
            }
            let (base, moments) = word.strip_suffix('\'').map_or((word, &before), |base| (base, &version));
            moments.get(base).map(|moment| format!("{base}.{moment}"))
        };
        assert(&mut text, &write(&action.formula, &moment));
    }
    Obligation { name: format!("trace/{name}"), text: finish(text), expected: Expected::Sat }
}
