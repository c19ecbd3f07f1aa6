//! A transition system that can be executed on finite structures: its invariants are evaluated, its actions taken.

use super::compile::{Compiler, SLOTS};
use super::formula::{Formula, Moments, Move, Term};
use super::structure::{Element, Signature, Structure, Table, packed};
use crate::inductive::{Sexp, Step, System, binders};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A formula of the file with its name.
#[derive(Debug)]
pub(super) struct Named {
    /// The name.
    pub name: String,
    formula: Formula,
    /// The symbols that it speaks of: it cannot change where they do not.
    pub symbols: Vec<usize>,
}

/// An action, split into what must hold and what it does.
#[derive(Debug)]
struct Action {
    parameters: Vec<(String, usize)>,
    guards: Vec<Vec<Move>>,
    effects: Vec<Effect>,
}

/// What an action makes of one symbol.
#[derive(Debug)]
enum Effect {
    /// The tuples (their slots) that these searches find.
    Relation { symbol: usize, slots: Vec<usize>, ways: Vec<Vec<Move>> },
    /// This value for all arguments (their slots and sorts).
    Function { symbol: usize, slots: Vec<(usize, usize)>, value: Term },
}

/// A system over a signature.
#[derive(Debug)]
pub(super) struct Executable {
    /// The signature.
    pub signature: Signature,
    /// What is assumed of the immutable symbols.
    pub axioms: Vec<Named>,
    /// What holds in the beginning.
    pub initial: Vec<Named>,
    /// The conjuncts of the inductive invariant.
    pub invariants: Vec<Named>,
    /// What every step satisfies.
    pub steps: Vec<Named>,
    actions: BTreeMap<String, Action>,
}

impl Executable {
    /// Compiles a system. `given` names the parameters of each action that the binding always knows; the others are
    /// searched for.
    ///
    /// # Errors
    /// A form of the file that cannot be executed.
    pub(super) fn new(
        system: &System,
        signature: Signature,
        given: &dyn Fn(&str) -> &'static [&'static str],
    ) -> Result<Self, String> {
        let named = |name: &str, form: &Sexp| -> Result<Named, String> {
            let formula = Compiler::new(&signature).formula(form, true).map_err(|fault| format!("{name}: {fault}"))?;
            let mut symbols = BTreeSet::new();
            spoken(form, &signature, &mut symbols);
            Ok(Named { name: name.to_owned(), formula, symbols: symbols.into_iter().collect() })
        };
        let all = |forms: &[crate::inductive::Named]| -> Result<Vec<Named>, String> {
            forms.iter().map(|form| named(&form.name, &form.formula)).collect()
        };
        let (axioms, invariants, steps) = (all(&system.axioms)?, all(&system.invariants)?, all(&system.steps)?);
        let initial = system.initial.iter().map(|form| named("initially", form)).collect::<Result<_, _>>()?;
        let mut actions = BTreeMap::new();
        for step in &system.actions {
            let action =
                action(&signature, step, given(&step.name)).map_err(|fault| format!("{}: {fault}", step.name))?;
            actions.insert(step.name.clone(), action);
        }
        Ok(Self { signature, axioms, initial, invariants, steps, actions })
    }

    /// Whether a formula holds of a step, or of a state if `now` is `later`.
    pub(super) fn holds(&self, named: &Named, now: &Structure, later: &Structure) -> bool {
        Moments { signature: &self.signature, now, later }.holds(&named.formula, &mut [0; SLOTS])
    }

    /// Takes an action with these parameters: the state after it, if there are values for the other parameters under
    /// which its guard holds.
    ///
    /// # Errors
    /// The guard does not hold.
    pub(super) fn take(&self, state: &Structure, name: &str, given: &[(&str, Element)]) -> Result<Structure, String> {
        let action = self.actions.get(name).ok_or_else(|| format!("no action is called {name}"))?;
        let mut slots = [0; SLOTS];
        for (parameter, element) in given {
            let slot = action.parameters.iter().position(|(known, _)| known == parameter);
            slots[slot.ok_or_else(|| format!("{name} has no parameter {parameter}"))?] = *element;
        }
        let moments = Moments { signature: &self.signature, now: state, later: state };
        let mut chosen = None;
        for guards in &action.guards {
            moments.search(guards, &mut slots, &mut |slots| {
                chosen = Some(<[Element; SLOTS]>::try_from(&*slots).expect("invariant: there are so many slots"));
                true
            });
            if let Some(mut slots) = chosen {
                return Ok(self.perform(action, &moments, &mut slots));
            }
        }
        let shown = given.iter().map(|(parameter, element)| {
            let sort = action.parameters.iter().find(|(known, _)| known == parameter).map_or(0, |(_, sort)| *sort);
            format!("{parameter} = {}", self.signature.named(sort, *element))
        });
        Err(format!("{name} is not enabled for {}", shown.collect::<Vec<_>>().join(", ")))
    }

    fn perform(&self, action: &Action, moments: &Moments<'_>, slots: &mut [Element]) -> Structure {
        let mut after = moments.now.clone();
        for effect in &action.effects {
            let (symbol, table) = match effect {
                Effect::Relation { symbol, slots: places, ways } => {
                    let mut tuples = Vec::new();
                    for moves in ways {
                        moments.search(moves, slots, &mut |slots| {
                            let mut tuple = [0; 8];
                            places.iter().enumerate().for_each(|(at, slot)| tuple[at] = slots[*slot]);
                            tuples.push(packed(&tuple));
                            false
                        });
                    }
                    tuples.sort_unstable();
                    tuples.dedup();
                    (*symbol, Table::Relation(tuples))
                }
                Effect::Function { symbol, slots: places, value } => {
                    let mut values = Vec::new();
                    let moves: Vec<Move> =
                        places.iter().map(|(slot, sort)| Move::Each { slot: *slot, sort: *sort }).collect();
                    moments.search(&moves, slots, &mut |slots| {
                        values.push(moments.value(value, slots));
                        false
                    });
                    (*symbol, Table::Function(values))
                }
            };
            if *after.tables[symbol] != table {
                after.tables[symbol] = Arc::new(table);
            }
        }
        after
    }
}

/// The symbols that a formula speaks of.
fn spoken(form: &Sexp, signature: &Signature, found: &mut BTreeSet<usize>) {
    match (form.as_word(), form.as_list()) {
        (Some(word), _) => found.extend(signature.place(word.trim_end_matches('\''))),
        (None, items) => items.unwrap_or_default().iter().for_each(|item| spoken(item, signature, found)),
    }
}

/// The parts that hold together.
fn conjuncts<'a>(form: &'a Sexp, found: &mut Vec<&'a Sexp>) {
    match (form.head(), form.as_list()) {
        (Some("and"), Some([_, parts @ ..])) => parts.iter().for_each(|part| conjuncts(part, found)),
        _ => found.push(form),
    }
}

fn is_primed(form: &Sexp) -> bool {
    match (form.as_word(), form.as_list()) {
        (Some(word), _) => word.ends_with('\''),
        (None, items) => items.unwrap_or_default().iter().any(is_primed),
    }
}

fn action(signature: &Signature, step: &Step, given: &[&str]) -> Result<Action, String> {
    let mut compiler = Compiler::new(signature);
    let entered = compiler.enter(&step.parameters)?;
    let parameters: Vec<(String, usize)> =
        step.parameters.iter().zip(&entered).map(|((name, _), (_, sort))| (name.clone(), *sort)).collect();
    let mut parts = Vec::new();
    conjuncts(&step.formula, &mut parts);
    let (effects, guards): (Vec<&Sexp>, Vec<&Sexp>) = parts.into_iter().partition(|part| is_primed(part));
    let mut known = 0_u64;
    for name in given {
        let slot = parameters.iter().position(|(parameter, _)| parameter == name);
        known |= 1 << slot.ok_or_else(|| format!("there is no parameter {name}"))?;
    }
    let searched: Vec<(usize, usize)> = entered.iter().copied().filter(|(slot, _)| known >> slot & 1 == 0).collect();
    let guards = compiler.searches(&guards, &searched, known)?;
    let all = (1_u64 << entered.len()) - 1;
    let effects = effects.into_iter().map(|form| effect(&mut compiler, form, all)).collect::<Result<_, String>>()?;
    Ok(Action { parameters, guards, effects })
}

/// `(forall (x ..) (= (symbol' x ..) value))`, or without arguments `(= symbol' value)`.
fn effect(compiler: &mut Compiler<'_>, form: &Sexp, known: u64) -> Result<Effect, String> {
    let odd = || format!("cannot be executed: {form}");
    let (bound, equation) = match (form.head(), form.as_list()) {
        (Some("forall"), Some([_, bound, equation])) => (binders(bound), equation),
        _ => (Vec::new(), form),
    };
    let (Some("="), Some([_, left, right])) = (equation.head(), equation.as_list()) else { return Err(odd()) };
    let (head, arguments) = match left.as_list() {
        Some([head, arguments @ ..]) => (head, arguments),
        _ => (left, &[][..]),
    };
    let ((symbol, true), false) =
        (head.as_word().and_then(|name| compiler.symbol(name)).ok_or_else(odd)?, is_primed(right))
    else {
        return Err(odd());
    };
    if !arguments.iter().map(Sexp::as_word).eq(bound.iter().map(|(name, _)| Some(name.as_str()))) {
        return Err(odd());
    }
    let entered = compiler.enter(&bound)?;
    let effect = if compiler.is_relation(symbol) {
        let ways = compiler.searches(&[right], &entered, known)?;
        Effect::Relation { symbol, slots: entered.iter().map(|(slot, _)| *slot).collect(), ways }
    } else {
        Effect::Function { symbol, slots: entered.clone(), value: compiler.term(right)? }
    };
    compiler.leave(entered.len());
    Ok(effect)
}
