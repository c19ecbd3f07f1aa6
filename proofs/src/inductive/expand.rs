//! From the notation to plain first-order formulas: definitions, quantifiers without sorts, updates.
//!
//! `(update log (N I T) rhs)` is `forall N I T: log'(N, I, T) = rhs`; `(add vote n t c)` makes one more tuple true;
//! a letter that no quantifier binds is bound at the outside by `forall`.

use super::sexp::{Fault, Sexp, fault, list, word};
use super::system::Symbol;
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

/// The words that the solver knows.
const LOGIC: &[&str] = &["and", "or", "not", "=>", "=", "ite", "forall", "exists", "true", "false", "distinct"];

#[derive(Clone, Debug)]
struct Definition {
    parameters: Vec<String>,
    body: Sexp,
}

/// What a word may stand for.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    /// Sorts of the letters that stand for variables.
    pub letters: BTreeMap<String, String>,
    /// Relations and functions.
    pub symbols: BTreeMap<String, Symbol>,
    definitions: BTreeMap<String, Definition>,
    fresh: Cell<usize>,
}

/// Names and their sorts, from `(N T)` or `((n node) (t term))`.
pub(super) fn binders(form: &Sexp, scope: &Scope) -> Result<Vec<(String, String)>, Fault> {
    let items = form.need_list("a list of variables")?;
    items.iter().map(|item| binder(item, scope)).collect()
}

fn binder(item: &Sexp, scope: &Scope) -> Result<(String, String), Fault> {
    if let Some([name, sort]) = item.as_list() {
        return Ok((name.need_word("a variable")?.to_owned(), sort.need_word("a sort")?.to_owned()));
    }
    let name = item.need_word("a variable")?;
    match scope.letters.get(name) {
        Some(sort) => Ok((name.to_owned(), sort.clone())),
        None => fault(item.line(), format!("the sort of {name} is not known: (letters SORT {name})")),
    }
}

/// The variables that a formula speaks of after a step.
pub(super) fn primed(formula: &Sexp, found: &mut BTreeSet<String>) {
    match formula {
        Sexp::Word(text, _) => found.extend(text.strip_suffix('\'').map(str::to_owned)),
        Sexp::List(items, _) => items.iter().for_each(|item| primed(item, found)),
    }
}

/// Replaces words.
pub(super) fn rename(formula: &Sexp, names: &BTreeMap<String, Sexp>) -> Sexp {
    match formula {
        Sexp::Word(text, _) => names.get(text).unwrap_or(formula).clone(),
        Sexp::List(items, line) => Sexp::List(items.iter().map(|item| rename(item, names)).collect(), *line),
    }
}

fn quantifier(names: &str, bound: &[(String, String)], body: Sexp) -> Sexp {
    let binders = bound.iter().map(|(name, sort)| list([word(name), word(sort)]));
    list([word(names), list(binders), body])
}

impl Scope {
    /// Notes a definition.
    pub(super) fn define(&mut self, header: &Sexp, body: &Sexp) -> Result<(), Fault> {
        let words: Vec<String> = match header {
            Sexp::Word(name, _) => vec![name.clone()],
            Sexp::List(items, _) => {
                items.iter().map(|item| item.need_word("a name").map(str::to_owned)).collect::<Result<_, _>>()?
            }
        };
        let Some((name, parameters)) = words.split_first() else { return fault(header.line(), "nothing is defined") };
        let definition = Definition { parameters: parameters.to_vec(), body: body.clone() };
        match self.definitions.insert(name.clone(), definition) {
            Some(_) => fault(header.line(), format!("{name} is defined twice")),
            None => Ok(()),
        }
    }

    /// Expands a formula and binds the letters that are free in it.
    pub(super) fn closed(&self, formula: &Sexp) -> Result<Sexp, Fault> {
        let mut free = BTreeMap::new();
        let expanded = self.walk(formula, &BTreeMap::new(), &mut free)?;
        let bound: Vec<(String, String)> = free.into_iter().collect();
        Ok(if bound.is_empty() { expanded } else { quantifier("forall", &bound, expanded) })
    }

    /// Expands a part of an action, in which its parameters may stand. A free letter is bound by `forall`.
    pub(super) fn expand(&self, formula: &Sexp, parameters: &[(String, String)]) -> Result<Sexp, Fault> {
        let names = parameters.iter().map(|(name, _)| (name.clone(), word(name))).collect();
        let mut free = BTreeMap::new();
        let expanded = self.walk(formula, &names, &mut free)?;
        let bound: Vec<(String, String)> = free.into_iter().collect();
        Ok(if bound.is_empty() { expanded } else { quantifier("forall", &bound, expanded) })
    }

    /// `names`: what the variables in scope stand for. `free`: letters met that nothing binds.
    fn walk(
        &self,
        formula: &Sexp,
        names: &BTreeMap<String, Sexp>,
        free: &mut BTreeMap<String, String>,
    ) -> Result<Sexp, Fault> {
        let (items, line) = match formula {
            Sexp::Word(text, line) => return self.resolve(text, *line, names, free),
            Sexp::List(items, line) => (items, *line),
        };
        match (formula.head().unwrap_or_default(), items.as_slice()) {
            ("forall" | "exists", [head, bound, body]) => {
                let bound = binders(bound, self)?;
                let (inner, bound) = self.rebind(&bound, names);
                let body = self.walk(body, &inner, free)?;
                Ok(quantifier(head.need_word("a quantifier")?, &bound, body))
            }
            ("update", [_, symbol, bound, rhs]) => self.update(symbol, bound, rhs, names, free),
            ("add", [_, symbol, arguments @ ..]) => self.add(symbol, arguments, names, free),
            (head, [_, arguments @ ..]) => {
                let arguments: Vec<Sexp> =
                    arguments.iter().map(|item| self.walk(item, names, free)).collect::<Result<_, _>>()?;
                self.apply(head, arguments, line)
            }
            (_, []) => fault(line, "an empty list is no formula"),
        }
    }

    /// Fresh names for bound variables: nothing is captured when a definition is put in place.
    fn rebind(
        &self,
        bound: &[(String, String)],
        names: &BTreeMap<String, Sexp>,
    ) -> (BTreeMap<String, Sexp>, Vec<(String, String)>) {
        let mut inner = names.clone();
        let mut fresh = Vec::new();
        for (name, sort) in bound {
            let number = self.fresh.replace(self.fresh.get() + 1);
            let new = format!("{name}_{number}");
            inner.insert(name.clone(), word(&new));
            fresh.push((new, sort.clone()));
        }
        (inner, fresh)
    }

    fn resolve(
        &self,
        text: &str,
        line: usize,
        names: &BTreeMap<String, Sexp>,
        free: &mut BTreeMap<String, String>,
    ) -> Result<Sexp, Fault> {
        if let Some(meaning) = names.get(text) {
            return Ok(meaning.clone());
        }
        if let Some(sort) = self.letters.get(text) {
            free.insert(text.to_owned(), sort.clone());
            return Ok(word(text));
        }
        self.apply(text, Vec::new(), line)
    }

    /// A word with arguments: logic, a symbol, or a definition to be put in place. A prime after a definition primes
    /// every variable in it.
    fn apply(&self, head: &str, arguments: Vec<Sexp>, line: usize) -> Result<Sexp, Fault> {
        let (base, prime) = head.strip_suffix('\'').map_or((head, false), |base| (base, true));
        let wanted = if LOGIC.contains(&base) && !prime {
            arguments.len()
        } else if let Some(symbol) = self.symbols.get(base) {
            symbol.arguments.len()
        } else if let Some(definition) = self.definitions.get(base) {
            definition.parameters.len()
        } else {
            return fault(line, format!("nothing is called {head}"));
        };
        if wanted != arguments.len() {
            return fault(line, format!("{head} takes {wanted} arguments, not {}", arguments.len()));
        }
        if let Some(definition) = self.definitions.get(base) {
            let names = definition.parameters.iter().cloned().zip(arguments).collect();
            let mut free = BTreeMap::new();
            let body = self.walk(&definition.body, &names, &mut free)?;
            return match free.keys().next() {
                Some(letter) => fault(line, format!("{letter} is bound by nothing in the definition of {base}")),
                None => Ok(if prime { self.prime(&body) } else { body }),
            };
        }
        let head = Sexp::Word(head.to_owned(), line);
        Ok(if arguments.is_empty() { head } else { list(std::iter::once(head).chain(arguments)) })
    }

    /// The same formula about the state after a step.
    pub(super) fn prime(&self, formula: &Sexp) -> Sexp {
        let mutable = self.symbols.iter().filter(|(_, symbol)| symbol.mutable);
        rename(formula, &mutable.map(|(name, _)| (name.clone(), word(&format!("{name}'")))).collect())
    }

    fn update(
        &self,
        symbol: &Sexp,
        bound: &Sexp,
        rhs: &Sexp,
        names: &BTreeMap<String, Sexp>,
        free: &mut BTreeMap<String, String>,
    ) -> Result<Sexp, Fault> {
        let name = symbol.need_word("a variable of the state")?;
        let Some(declared) = self.symbols.get(name) else {
            return fault(symbol.line(), format!("nothing is called {name}"));
        };
        let bound = binders(bound, self)?;
        if bound.len() != declared.arguments.len() {
            return fault(symbol.line(), format!("{name} takes {} arguments", declared.arguments.len()));
        }
        let (inner, bound) = self.rebind(&bound, names);
        let rhs = self.walk(rhs, &inner, free)?;
        let left = list(std::iter::once(word(&format!("{name}'"))).chain(bound.iter().map(|(name, _)| word(name))));
        Ok(quantifier("forall", &bound, list([word("="), left, rhs])))
    }

    fn add(
        &self,
        symbol: &Sexp,
        arguments: &[Sexp],
        names: &BTreeMap<String, Sexp>,
        free: &mut BTreeMap<String, String>,
    ) -> Result<Sexp, Fault> {
        let name = symbol.need_word("a relation of the state")?;
        let sorts = match self.symbols.get(name) {
            Some(declared) if declared.arguments.len() == arguments.len() && !arguments.is_empty() => {
                declared.arguments.clone()
            }
            _ => return fault(symbol.line(), format!("(add {name} ..) has the wrong arguments")),
        };
        let bound: Vec<(String, String)> = sorts.into_iter().map(|sort| ("X".to_owned(), sort)).collect();
        let (_, bound) = self.rebind(&bound, names);
        let places = || bound.iter().map(|(name, _)| word(name));
        let mut here = vec![word("and")];
        for (place, argument) in places().zip(arguments) {
            here.push(list([word("="), place, self.walk(argument, names, free)?]));
        }
        let old = list(std::iter::once(word(name)).chain(places()));
        let new = list(std::iter::once(word(&format!("{name}'"))).chain(places()));
        Ok(quantifier("forall", &bound, list([word("="), new, list([word("or"), old, list(here)])])))
    }
}
