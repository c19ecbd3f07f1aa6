//! The fragment lint: whether the formulas of a system stay where a solver's answer is guaranteed to come.
//!
//! An existential below a universal, and a function, make new elements of one sort from elements of another. While
//! those edges form no cycle between sorts, only finitely many elements are ever made, and satisfiability is decidable
//! (the many-sorted extension of EPR). A cycle is an error: an `unknown` some day is a proof that is not one.

use super::sexp::Sexp;
use super::system::System;
use std::collections::{BTreeMap, BTreeSet};

/// Who makes elements of the second sort from elements of the first.
type Edges = BTreeMap<(String, String), String>;

/// The sorts in an order in which elements are only made rightwards, or the cycle that prevents it.
pub(super) fn check(system: &System) -> Result<Vec<String>, String> {
    let mut edges = Edges::new();
    for (name, symbol) in &system.symbols {
        if symbol.result != "Bool" {
            for sort in &symbol.arguments {
                edges.entry((sort.clone(), symbol.result.clone())).or_insert_with(|| format!("the function {name}"));
            }
        }
    }
    let none: &[(String, String)] = &[];
    for axiom in &system.axioms {
        visit(&axiom.formula, true, none, &axiom.name, &mut edges);
    }
    for formula in &system.initial {
        visit(formula, true, none, "an initial state", &mut edges);
    }
    for invariant in &system.invariants {
        // Assumed before a step, refuted after it.
        visit(&invariant.formula, true, none, &invariant.name, &mut edges);
        visit(&invariant.formula, false, none, &invariant.name, &mut edges);
    }
    for step in &system.steps {
        visit(&step.formula, false, none, &step.name, &mut edges);
    }
    for action in &system.actions {
        visit(&action.formula, true, none, &action.name, &mut edges);
    }
    sorted(&system.sorts, &edges)
}

fn sorted(sorts: &[String], edges: &Edges) -> Result<Vec<String>, String> {
    let mut left: BTreeSet<&String> = sorts.iter().collect();
    let mut order = Vec::new();
    while !left.is_empty() {
        let made = |sort: &String| edges.keys().any(|(from, to)| to == sort && left.contains(from));
        let Some(next) = left.iter().copied().find(|sort| !made(sort)) else {
            let within = |edge: &&(String, String)| left.contains(&edge.0) && left.contains(&edge.1);
            let cycle = edges.keys().filter(within);
            let shown: Vec<String> = cycle.map(|edge| format!("{} -> {} ({})", edge.0, edge.1, edges[edge])).collect();
            return Err(format!("not decidable: {}", shown.join(", ")));
        };
        left.remove(next);
        order.push(next.clone());
    }
    Ok(order)
}

/// Follows a formula that is asserted (`positive`) or denied, under these universal variables.
fn visit(formula: &Sexp, positive: bool, universal: &[(String, String)], name: &str, edges: &mut Edges) {
    let Some(items) = formula.as_list() else { return };
    match (formula.head().unwrap_or_default(), items) {
        ("not", [_, inner]) => visit(inner, !positive, universal, name, edges),
        ("=>", [_, premises @ .., conclusion]) => {
            for premise in premises {
                visit(premise, !positive, universal, name, edges);
            }
            visit(conclusion, positive, universal, name, edges);
        }
        ("=" | "ite" | "distinct", [_, inner @ ..]) => {
            for part in inner {
                visit(part, positive, universal, name, edges);
                visit(part, !positive, universal, name, edges);
            }
        }
        (quantifier @ ("forall" | "exists"), [_, bound, body]) => {
            let bound = binders(bound);
            if (quantifier == "forall") == positive {
                let all: Vec<(String, String)> = universal.iter().cloned().chain(bound).collect();
                return visit(body, positive, &all, name, edges);
            }
            for (variable, from) in universal {
                if mentions(body, variable) {
                    for (_, to) in &bound {
                        edges.entry((from.clone(), to.clone())).or_insert_with(|| name.to_owned());
                    }
                }
            }
            visit(body, positive, universal, name, edges);
        }
        (_, inner) => inner.iter().for_each(|part| visit(part, positive, universal, name, edges)),
    }
}

/// The names and sorts of a quantifier that has been expanded.
pub(crate) fn binders(form: &Sexp) -> Vec<(String, String)> {
    let pair = |item: &Sexp| match item.as_list() {
        Some([name, sort]) => Some((name.as_word()?.to_owned(), sort.as_word()?.to_owned())),
        _ => None,
    };
    form.as_list().unwrap_or_default().iter().filter_map(pair).collect()
}

/// Expansion gives every bound variable a name of its own, so a name cannot mean another variable.
fn mentions(formula: &Sexp, name: &str) -> bool {
    match formula {
        Sexp::Word(text, _) => text == name,
        Sexp::List(items, _) => items.iter().any(|item| mentions(item, name)),
    }
}

#[cfg(test)]
mod tests {
    use super::{System, check};

    fn system(invariant: &str) -> System {
        let text = "(sort node) (sort term) (letters node N) (letters term T) (variable (voted node term))
            (initially (not (voted N T))) (action Vote ((n node) (t term)) (add voted n t)) (trace once Vote) ";
        System::load(&format!("{text}(promise p {invariant})"), &|_| None).expect("well formed")
    }

    #[test]
    fn formulas_without_a_cycle_between_sorts_are_accepted() {
        let order = check(&system("(=> (voted N T) (voted N T))")).expect("no alternation");
        assert_eq!(order, ["node", "term"]);
        check(&system("(exists (N) (forall (T) (voted N T)))")).expect("one direction only");
    }

    #[test]
    fn an_alternation_of_quantifiers_in_both_directions_is_refused() {
        let both = "(and (forall (N) (exists (T) (voted N T))) (forall (T) (exists (N) (voted N T))))";
        let refusal = check(&system(both)).expect_err("a cycle");
        assert!(refusal.contains("node -> term (p)") && refusal.contains("term -> node (p)"), "{refusal}");
    }
}
