//! From the formulas of a file, the very ones that the solver is given, to formulas that a finite structure evaluates.

use super::formula::{Formula, Move, Term, searches};
use super::structure::Signature;
use crate::inductive::{Sexp, binders};

/// The most variables in scope at once.
pub(super) const SLOTS: usize = 48;

/// Compiles formulas over a signature.
#[derive(Clone)]
pub(super) struct Compiler<'a> {
    signature: &'a Signature,
    /// The variables in scope, each with its sort; its place is its slot.
    scope: Vec<(String, usize)>,
}

/// A fault of a file, which the solver's harness would have refused, or a limit of the evaluator.
type Result<T> = std::result::Result<T, String>;

impl<'a> Compiler<'a> {
    pub(super) fn new(signature: &'a Signature) -> Self {
        Self { signature, scope: Vec::new() }
    }

    /// Variables come into scope. Returns their slots and sorts.
    pub(super) fn enter(&mut self, variables: &[(String, String)]) -> Result<Vec<(usize, usize)>> {
        let mut entered = Vec::new();
        for (name, sort) in variables {
            let place = self.signature.sorts.iter().position(|(known, _)| known == sort);
            let sort = place.ok_or_else(|| format!("no sort is called {sort}"))?;
            entered.push((self.scope.len(), sort));
            self.scope.push((name.clone(), sort));
        }
        if self.scope.len() > SLOTS { Err("too many variables at once".to_owned()) } else { Ok(entered) }
    }

    /// Variables go out of scope again.
    pub(super) fn leave(&mut self, count: usize) {
        self.scope.truncate(self.scope.len() - count);
    }

    /// A symbol, and whether it is meant after the step.
    pub(super) fn symbol(&self, name: &str) -> Option<(usize, bool)> {
        match name.strip_suffix('\'') {
            Some(base) => Some((self.signature.place(base)?, true)),
            None => Some((self.signature.place(name)?, false)),
        }
    }

    pub(super) fn term(&mut self, form: &Sexp) -> Result<Term> {
        let unknown = || format!("what is {form}?");
        let Some(items) = form.as_list() else {
            let name = form.as_word().ok_or_else(unknown)?;
            if let Some(slot) = self.scope.iter().rposition(|(known, _)| known == name) {
                return Ok(Term::Variable(slot));
            }
            let (symbol, later) = self.symbol(name).ok_or_else(unknown)?;
            return Ok(Term::Value { symbol, later, arguments: Vec::new() });
        };
        match (form.head().ok_or_else(unknown)?, items) {
            ("ite", [_, condition, yes, no]) => {
                let condition = Box::new(self.formula(condition, true)?);
                Ok(Term::Choice(condition, Box::new(self.term(yes)?), Box::new(self.term(no)?)))
            }
            (head, [_, arguments @ ..]) => {
                let (symbol, later) = self.symbol(head).ok_or_else(unknown)?;
                let arguments = arguments.iter().map(|argument| self.term(argument)).collect::<Result<_>>()?;
                Ok(Term::Value { symbol, later, arguments })
            }
            (_, []) => Err(unknown()),
        }
    }

    /// The formula, or with `wanted` false its denial.
    pub(super) fn formula(&mut self, form: &Sexp, wanted: bool) -> Result<Formula> {
        let unknown = || format!("what is {form}?");
        let Some(items) = form.as_list() else {
            return match form.as_word() {
                Some("true") => Ok(Formula::Constant(wanted)),
                Some("false") => Ok(Formula::Constant(!wanted)),
                _ => Err(unknown()),
            };
        };
        let each = |it: &mut Self, parts: &[Sexp], wanted| -> Result<Vec<Formula>> {
            parts.iter().map(|part| it.formula(part, wanted)).collect()
        };
        match (form.head().ok_or_else(unknown)?, items) {
            ("not", [_, inner]) => self.formula(inner, !wanted),
            (head @ ("and" | "or"), [_, parts @ ..]) => {
                let parts = each(self, parts, wanted)?;
                Ok(if (head == "and") == wanted { Formula::All(parts) } else { Formula::Any(parts) })
            }
            ("=>", [_, premises @ .., conclusion]) => {
                let mut parts = each(self, premises, !wanted)?;
                parts.push(self.formula(conclusion, wanted)?);
                Ok(if wanted { Formula::Any(parts) } else { Formula::All(parts) })
            }
            ("ite", [_, condition, yes, no]) => Ok(Formula::Any(vec![
                Formula::All(vec![self.formula(condition, true)?, self.formula(yes, wanted)?]),
                Formula::All(vec![self.formula(condition, false)?, self.formula(no, wanted)?]),
            ])),
            ("=", [_, left, right]) if self.is_formula(left) => Ok(Formula::Any(vec![
                Formula::All(vec![self.formula(left, true)?, self.formula(right, wanted)?]),
                Formula::All(vec![self.formula(left, false)?, self.formula(right, !wanted)?]),
            ])),
            ("=", [_, left, right]) => Ok(Formula::Same { left: self.term(left)?, right: self.term(right)?, wanted }),
            ("forall", [_, bound, body]) => self.quantifier(bound, body, false, !wanted),
            ("exists", [_, bound, body]) => self.quantifier(bound, body, true, wanted),
            (head, [_, arguments @ ..]) => {
                let (symbol, later) = self.symbol(head).ok_or_else(unknown)?;
                let arguments = arguments.iter().map(|argument| self.term(argument)).collect::<Result<_>>()?;
                Ok(Formula::Atom { symbol, later, arguments, wanted })
            }
            (_, []) => Err(unknown()),
        }
    }

    /// Whether something makes the body what is looked for.
    fn quantifier(&mut self, bound: &Sexp, body: &Sexp, looked_for: bool, wanted: bool) -> Result<Formula> {
        let outside = (1_u64 << self.scope.len()) - 1;
        let bound = self.enter(&binders(bound))?;
        let body = self.formula(body, looked_for)?;
        let outer = body.slots() & outside;
        let plans = searches(body, &bound, outside);
        self.leave(bound.len());
        Ok(Formula::Found { plans, wanted, outer })
    }

    /// The searches for values of these variables that make all parts true; the first `known` of them are given.
    pub(super) fn searches(&mut self, parts: &[&Sexp], bound: &[(usize, usize)], known: u64) -> Result<Vec<Vec<Move>>> {
        let parts = parts.iter().map(|part| self.formula(part, true)).collect::<Result<_>>()?;
        Ok(searches(Formula::All(parts), bound, known))
    }

    pub(super) fn is_relation(&self, symbol: usize) -> bool {
        self.signature.symbols[symbol].result.is_none()
    }

    fn is_formula(&self, form: &Sexp) -> bool {
        match (form.as_word(), form.head()) {
            (Some(word), _) => matches!(word, "true" | "false"),
            (None, Some("and" | "or" | "not" | "=>" | "=" | "forall" | "exists")) => true,
            (None, Some("ite")) => {
                form.as_list().and_then(|items| items.get(2)).is_some_and(|yes| self.is_formula(yes))
            }
            (None, Some(head)) => self.symbol(head).is_some_and(|(symbol, _)| self.is_relation(symbol)),
            (None, None) => false,
        }
    }
}
