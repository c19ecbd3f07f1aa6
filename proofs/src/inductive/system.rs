//! A transition system, as a file states it: sorts, symbols, axioms, initial states, actions, invariants, traces.
//!
//! Formulas are kept expanded: no definition and no abbreviation is left in them, every quantifier names its sorts.

use super::expand::{self, Scope};
use super::sexp::{Fault, Sexp, fault, parse};
use std::collections::{BTreeMap, BTreeSet};

/// A relation (result `Bool`) or a function.
#[derive(Clone, Debug)]
pub struct Symbol {
    /// The sorts of its arguments.
    pub arguments: Vec<String>,
    /// The sort of its result.
    pub result: String,
    /// Whether steps may change it.
    pub mutable: bool,
}

/// A formula with its name.
#[derive(Clone, Debug)]
pub struct Named {
    /// The name.
    pub name: String,
    /// The formula.
    pub formula: Sexp,
    /// Whether it comes from an included file.
    pub included: bool,
}

/// An action: a formula over the state before and, with a prime, after.
#[derive(Clone, Debug)]
pub struct Step {
    /// The name; what follows a dot tells cases of one action apart.
    pub name: String,
    /// Parameters and their sorts.
    pub parameters: Vec<(String, String)>,
    /// Guard and effect.
    pub formula: Sexp,
    /// The symbols that it may change.
    pub changes: BTreeSet<String>,
    /// Whether it comes from an included file.
    pub included: bool,
}

/// Actions that can follow each other from an initial state.
#[derive(Clone, Debug)]
pub struct Trace {
    /// The name.
    pub name: String,
    /// The actions, in order.
    pub actions: Vec<String>,
    /// Where it is stated.
    pub line: usize,
}

/// A file's transition system.
#[derive(Clone, Debug, Default)]
pub struct System {
    /// The sorts, in the order of the file.
    pub sorts: Vec<String>,
    /// Relations and functions.
    pub symbols: BTreeMap<String, Symbol>,
    /// What is assumed of the immutable symbols.
    pub axioms: Vec<Named>,
    /// The initial states.
    pub initial: Vec<Sexp>,
    /// The actions.
    pub actions: Vec<Step>,
    /// The conjuncts of the inductive invariant, those that are promised and those that help.
    pub invariants: Vec<Named>,
    /// How many of the conjuncts are promised.
    pub promised: usize,
    /// What every step must satisfy.
    pub steps: Vec<Named>,
    /// Runs that must be possible.
    pub traces: Vec<Trace>,
}

impl System {
    /// Reads a file's text. What it includes is found by `library`; an included file includes nothing.
    pub fn load(text: &str, library: &dyn Fn(&str) -> Option<String>) -> Result<Self, Fault> {
        let own = parse(text)?;
        let mut included = Vec::new();
        for form in own.iter().filter(|form| form.head() == Some("include")) {
            included.extend(include(form, library)?);
        }
        let mut system = Self::default();
        let mut scope = Scope::default();
        for form in included.iter().chain(&own) {
            system.declare(form, &mut scope)?;
        }
        scope.symbols.clone_from(&system.symbols);
        for form in &included {
            system.state(form, &scope)?;
        }
        system.mark_included();
        for form in &own {
            system.state(form, &scope)?;
        }
        system.check_whole()?;
        Ok(system)
    }

    /// What has been stated so far is proved, and shown to happen, where it was stated.
    fn mark_included(&mut self) {
        self.promised = 0;
        self.traces.clear();
        self.invariants.iter_mut().chain(&mut self.steps).for_each(|named| named.included = true);
        self.actions.iter_mut().for_each(|action| action.included = true);
    }

    fn declare(&mut self, form: &Sexp, scope: &mut Scope) -> Result<(), Fault> {
        let items = form.need_list("a form")?;
        match (form.head().unwrap_or_default(), items) {
            ("sort", [_, name]) => self.sorts.push(name.need_word("a sort")?.to_owned()),
            ("letters", [_, sort, letters @ ..]) => {
                for letter in letters {
                    scope.letters.insert(letter.need_word("a letter")?.to_owned(), self.sort(sort)?);
                }
            }
            ("relation", [_, symbol]) => self.symbol(symbol, None, false)?,
            ("function", [_, symbol, result]) => self.symbol(symbol, Some(result), false)?,
            ("variable", [_, symbol]) => self.symbol(symbol, None, true)?,
            ("variable", [_, symbol, result]) => self.symbol(symbol, Some(result), true)?,
            ("define", [_, header, body]) => scope.define(header, body)?,
            _ => {}
        }
        Ok(())
    }

    fn sort(&self, name: &Sexp) -> Result<String, Fault> {
        let text = name.need_word("a sort")?;
        match self.sorts.iter().any(|sort| sort == text) {
            true => Ok(text.to_owned()),
            false => fault(name.line(), format!("no sort is called {text}")),
        }
    }

    fn symbol(&mut self, form: &Sexp, result: Option<&Sexp>, mutable: bool) -> Result<(), Fault> {
        let (name, arguments) = match form {
            Sexp::Word(name, _) => (name.as_str(), &[][..]),
            Sexp::List(items, line) => match items.split_first() {
                Some((name, arguments)) => (name.need_word("a name")?, arguments),
                None => return fault(*line, "a symbol without a name"),
            },
        };
        let arguments = arguments.iter().map(|sort| self.sort(sort)).collect::<Result<_, _>>()?;
        let result = result.map_or(Ok("Bool".to_owned()), |sort| self.sort(sort))?;
        match self.symbols.insert(name.to_owned(), Symbol { arguments, result, mutable }) {
            Some(_) => fault(form.line(), format!("{name} is declared twice")),
            None => Ok(()),
        }
    }

    fn state(&mut self, form: &Sexp, scope: &Scope) -> Result<(), Fault> {
        let items = form.need_list("a form")?;
        let closed = |formula: &Sexp| scope.closed(formula);
        match (form.head().unwrap_or_default(), items) {
            ("include" | "sort" | "letters" | "relation" | "function" | "variable" | "define", [_, _, ..]) => {}
            ("axiom", [_, name, body]) => self.axioms.push(named(name, closed(body)?)?),
            ("initially", [_, body]) => self.initial.push(closed(body)?),
            ("promise", [_, name, body]) => {
                self.invariants.push(named(name, closed(body)?)?);
                self.promised += 1;
            }
            ("invariant", [_, name, body]) => self.invariants.push(named(name, closed(body)?)?),
            ("every-step", [_, name, body]) => self.steps.push(named(name, closed(body)?)?),
            ("action", [_, name, parameters, body @ ..]) => self.action(name, parameters, body, scope)?,
            ("trace", [_, name, actions @ ..]) => self.traces.push(Trace {
                name: name.need_word("a name")?.to_owned(),
                actions: actions
                    .iter()
                    .map(|action| action.need_word("an action").map(str::to_owned))
                    .collect::<Result<_, _>>()?,
                line: form.line(),
            }),
            (head, _) => return fault(form.line(), format!("what is ({head} ..) with {} parts?", items.len())),
        }
        Ok(())
    }

    fn action(&mut self, name: &Sexp, parameters: &Sexp, body: &[Sexp], scope: &Scope) -> Result<(), Fault> {
        let parameters = expand::binders(parameters, scope)?;
        let mut conjuncts = vec![super::sexp::word("and")];
        for part in body {
            conjuncts.push(scope.expand(part, &parameters)?);
        }
        let formula = super::sexp::list(conjuncts);
        let mut changes = BTreeSet::new();
        expand::primed(&formula, &mut changes);
        if let Some(odd) = changes.iter().find(|name| !self.symbols.get(*name).is_some_and(|symbol| symbol.mutable)) {
            return fault(name.line(), format!("{odd} is no variable, so an action cannot change it"));
        }
        let name = name.need_word("an action's name")?.to_owned();
        self.actions.push(Step { name, parameters, formula, changes, included: false });
        Ok(())
    }

    /// What no single form shows: that there is something to prove, and that every action can happen.
    fn check_whole(&self) -> Result<(), Fault> {
        if self.actions.is_empty() || self.invariants.is_empty() || self.promised == 0 || self.initial.is_empty() {
            return fault(0, "nothing to prove: initial states, actions and a promise are needed");
        }
        let mut names = BTreeSet::new();
        let formulas = self.invariants.iter().chain(&self.steps).map(|named| &named.name);
        if let Some(twice) =
            formulas.chain(self.actions.iter().map(|action| &action.name)).find(|name| !names.insert((*name).clone()))
        {
            return fault(0, format!("{twice} is stated twice"));
        }
        for trace in &self.traces {
            for name in &trace.actions {
                if !self.actions.iter().any(|action| action.name == *name) {
                    return fault(trace.line, format!("no action is called {name}"));
                }
            }
        }
        let traced: BTreeSet<&String> = self.traces.iter().flat_map(|trace| &trace.actions).collect();
        match self.actions.iter().find(|action| !action.included && !traced.contains(&action.name)) {
            Some(idle) => fault(0, format!("the action {} is in no trace: it may never happen", idle.name)),
            None => Ok(()),
        }
    }
}

fn named(name: &Sexp, formula: Sexp) -> Result<Named, Fault> {
    Ok(Named { name: name.need_word("a name")?.to_owned(), formula, included: false })
}

/// The forms of the file that `(include NAME)` names.
fn include(form: &Sexp, library: &dyn Fn(&str) -> Option<String>) -> Result<Vec<Sexp>, Fault> {
    let Some([_, name]) = form.as_list() else { return fault(form.line(), "one file is included at a time") };
    let name = name.need_word("a file's name")?;
    let Some(text) = library(name) else { return fault(form.line(), format!("there is no {name}.tsm to include")) };
    let forms = parse(&text).map_err(|Fault { line, what }| Fault { line, what: format!("in {name}.tsm: {what}") })?;
    match forms.iter().find(|form| form.head() == Some("include")) {
        Some(inner) => fault(inner.line(), format!("{name}.tsm is included and includes another")),
        None => Ok(forms),
    }
}
