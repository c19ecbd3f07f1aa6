//! A solver's model, read and evaluated: which tuples a relation holds, what a function gives.
//!
//! Only for showing a counterexample to a person; no verdict rests on it.

use super::sexp::{Sexp, parse, word};
use std::collections::BTreeMap;

/// More tuples than these are not listed.
const TUPLES: usize = 200_000;

#[derive(Clone, Debug)]
struct Definition {
    parameters: Vec<(String, String)>,
    body: Sexp,
}

/// A finite structure.
#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    universe: BTreeMap<String, Vec<String>>,
    definitions: BTreeMap<String, Definition>,
    shown: BTreeMap<String, String>,
}

impl Model {
    /// Reads what a solver answers to `(get-model)`.
    pub(super) fn read(text: &str) -> Option<Self> {
        let forms = parse(text).ok()?;
        let mut model = Self::default();
        for item in forms.iter().filter_map(Sexp::as_list).flatten() {
            model.collect(item);
            if let (Some("define-fun"), Some([_, name, parameters, _, body])) = (item.head(), item.as_list()) {
                let parameters = super::fragment::binders(parameters);
                let definition = Definition { parameters, body: body.clone() };
                model.definitions.insert(name.as_word()?.to_owned(), definition);
            }
        }
        model.universe.values_mut().for_each(|elements| elements.sort());
        model.name_elements();
        Some(model)
    }

    /// Notes the elements of sorts: `(declare-fun X () sort)` of z3, `(as X sort)` of cvc5.
    fn collect(&mut self, form: &Sexp) {
        let Some(items) = form.as_list() else { return };
        let (element, sort) = match (form.head(), items) {
            (Some("declare-fun"), [_, element, _, sort]) | (Some("as"), [_, element, sort]) => (element, sort),
            _ => return items.iter().for_each(|item| self.collect(item)),
        };
        if let (Some(element), Some(sort)) = (element.as_word(), sort.as_word()) {
            let elements = self.universe.entry(sort.to_owned()).or_default();
            if !elements.iter().any(|known| known == element) {
                elements.push(element.to_owned());
            }
        }
    }

    /// `term0`, `term1` and so on, in their order if the sort has one (a relation whose name ends in `<=`).
    fn name_elements(&mut self) {
        for (sort, elements) in &self.universe {
            let order = self.definitions.iter().find(|(name, definition)| {
                name.ends_with("<=") && definition.parameters.iter().all(|(_, of)| of == sort)
            });
            for (place, element) in elements.iter().enumerate() {
                let rank = order.map_or(place, |(name, _)| {
                    let below = |other: &&String| {
                        *other != element && self.call(name, &[(*other).clone(), element.clone()]) == "true"
                    };
                    elements.iter().filter(below).count()
                });
                self.shown.insert(element.clone(), format!("{sort}{rank}"));
            }
        }
    }

    /// What a relation holds or a function gives, one line per tuple; `None` if it would be too much.
    pub(super) fn lines(&self, symbol: &str, sorts: &[String], relation: bool) -> Option<Vec<String>> {
        let domains: Vec<&[String]> =
            sorts.iter().map(|sort| self.universe.get(sort).map_or(&[][..], Vec::as_slice)).collect();
        if domains.iter().map(|domain| domain.len()).try_fold(1, usize::checked_mul)? > TUPLES {
            return None;
        }
        let mut lines = Vec::new();
        let mut tuples: Vec<Vec<String>> = vec![Vec::new()];
        for domain in domains {
            let longer =
                |tuple: &Vec<String>, element: &String| [tuple.as_slice(), std::slice::from_ref(element)].concat();
            tuples = tuples.iter().flat_map(|tuple| domain.iter().map(move |item| longer(tuple, item))).collect();
        }
        for tuple in tuples {
            let value = self.call(symbol, &tuple);
            let names: Vec<&str> = tuple.iter().map(|element| self.name(element)).collect();
            match (relation, value.as_str()) {
                (true, "true") => lines.push(names.join(" ")),
                (true, _) => {}
                (false, value) if names.is_empty() => lines.push(self.name(value).to_owned()),
                (false, value) => lines.push(format!("{} = {}", names.join(" "), self.name(value))),
            }
        }
        lines.sort();
        Some(lines)
    }

    fn name<'a>(&'a self, element: &'a str) -> &'a str {
        self.shown.get(element).map_or(element, String::as_str)
    }

    fn call(&self, symbol: &str, arguments: &[String]) -> String {
        let Some(definition) = self.definitions.get(symbol) else { return symbol.to_owned() };
        let names = definition.parameters.iter().map(|(name, _)| name.clone()).zip(arguments.iter().cloned()).collect();
        self.evaluate(&definition.body, &names)
    }

    fn evaluate(&self, term: &Sexp, names: &BTreeMap<String, String>) -> String {
        let items = match term {
            Sexp::Word(text, _) => return names.get(text).cloned().unwrap_or_else(|| self.call(text, &[])),
            Sexp::List(items, _) => items,
        };
        let value = |term: &Sexp| self.evaluate(term, names);
        let truth = |holds: bool| holds.to_string();
        match (term.head().unwrap_or_default(), items.as_slice()) {
            ("as", [_, element, _]) => element.to_string(),
            ("not", [_, inner]) => truth(value(inner) != "true"),
            ("and", [_, inner @ ..]) => truth(inner.iter().all(|part| value(part) == "true")),
            ("or", [_, inner @ ..]) => truth(inner.iter().any(|part| value(part) == "true")),
            ("=>", [_, premise, conclusion]) => truth(value(premise) != "true" || value(conclusion) == "true"),
            ("=", [_, left, right]) => truth(value(left) == value(right)),
            ("ite", [_, condition, yes, no]) => value(if value(condition) == "true" { yes } else { no }),
            ("let", [_, bindings, body]) => {
                let mut inner = names.clone();
                for binding in bindings.as_list().unwrap_or_default() {
                    if let Some([name, term]) = binding.as_list() {
                        inner.insert(name.to_string(), value(term));
                    }
                }
                self.evaluate(body, &inner)
            }
            (symbol, [_, arguments @ ..]) => {
                let arguments: Vec<String> = arguments.iter().map(value).collect();
                self.call(symbol, &arguments)
            }
            (_, []) => word("").to_string(),
        }
    }
}
