//! Finite structures: what a transition system's sorts, relations and functions are in one state of the running code.
//!
//! An element is a number below the size of its sort. A relation is the sorted list of its tuples, each packed into one
//! number, so that structures are compared, hashed and shared cheaply.

use crate::inductive::System;
use std::collections::BTreeMap;
use std::sync::Arc;

/// An element of a sort.
pub(super) type Element = u8;
/// The most arguments of a relation.
const WIDTH: usize = 8;

/// A symbol of a signature.
#[derive(Clone, Debug)]
pub(super) struct Symbol {
    /// Its name.
    pub name: String,
    /// The sorts of its arguments.
    pub arguments: Vec<usize>,
    /// The sort of its result; `None` for a relation.
    pub result: Option<usize>,
}

/// The sorts and symbols of a transition system, with the elements that each sort has here.
#[derive(Clone, Debug)]
pub(super) struct Signature {
    /// Per sort, its name and the names of its elements.
    pub sorts: Vec<(String, Vec<String>)>,
    /// The symbols.
    pub symbols: Vec<Symbol>,
    places: BTreeMap<String, usize>,
}

impl Signature {
    /// The signature of a system whose sorts have these elements.
    ///
    /// # Panics
    /// On a sort without elements, or a relation that is too wide: both are faults of the binding.
    pub(super) fn new(system: &System, elements: &BTreeMap<&str, Vec<String>>) -> Self {
        let sorts: Vec<(String, Vec<String>)> = system
            .sorts
            .iter()
            .map(|sort| (sort.clone(), elements.get(sort.as_str()).cloned().unwrap_or_default()))
            .collect();
        for (sort, elements) in &sorts {
            assert!((1..=250).contains(&elements.len()), "{sort} has {} elements", elements.len());
        }
        let place = |name: &String| sorts.iter().position(|(sort, _)| sort == name);
        let symbols: Vec<Symbol> = system
            .symbols
            .iter()
            .map(|(name, symbol)| Symbol {
                name: name.clone(),
                arguments: symbol.arguments.iter().filter_map(place).collect(),
                result: place(&symbol.result),
            })
            .collect();
        assert!(
            symbols.iter().all(|symbol| symbol.arguments.len() <= WIDTH),
            "a relation of {WIDTH} arguments at most"
        );
        let places = symbols.iter().enumerate().map(|(place, symbol)| (symbol.name.clone(), place)).collect();
        Self { sorts, symbols, places }
    }

    /// How many elements a sort has.
    pub(super) fn size(&self, sort: usize) -> Element {
        self.sorts[sort].1.len() as Element
    }

    /// Where a symbol stands.
    pub(super) fn place(&self, name: &str) -> Option<usize> {
        self.places.get(name).copied()
    }

    /// Where a function's value for these arguments stands.
    pub(super) fn offset(&self, symbol: usize, arguments: impl IntoIterator<Item = Element>) -> usize {
        let sorts = &self.symbols[symbol].arguments;
        arguments
            .into_iter()
            .zip(sorts)
            .fold(0, |offset, (element, sort)| offset * usize::from(self.size(*sort)) + usize::from(element))
    }

    /// A structure in which relations are empty and functions give the first element.
    pub(super) fn blank(&self) -> Structure {
        let table = |symbol: &Symbol| match symbol.result {
            None => Table::Relation(Vec::new()),
            Some(_) => {
                let sizes = symbol.arguments.iter().map(|sort| usize::from(self.size(*sort)));
                Table::Function(vec![0; sizes.product()])
            }
        };
        Structure { tables: self.symbols.iter().map(|symbol| Arc::new(table(symbol))).collect() }
    }

    /// What differs between two structures, in words.
    pub(super) fn difference(&self, expected: &Structure, found: &Structure) -> Vec<String> {
        let mut lines = Vec::new();
        for place in 0..self.symbols.len() {
            if expected.tables[place] == found.tables[place] {
                continue;
            }
            match (&*expected.tables[place], &*found.tables[place]) {
                (Table::Relation(expected), Table::Relation(found)) => {
                    let missing =
                        expected.iter().filter(|tuple| !found.contains(tuple)).map(|tuple| (tuple, "missing"));
                    let extra = found.iter().filter(|tuple| !expected.contains(tuple)).map(|tuple| (tuple, "too much"));
                    lines.extend(
                        missing.chain(extra).map(|(tuple, what)| format!("{}: {what}", self.told(place, *tuple))),
                    );
                }
                (Table::Function(expected), Table::Function(found)) => {
                    let pairs = expected.iter().zip(found).enumerate().filter(|(_, (one, other))| one != other);
                    lines.extend(pairs.map(|(offset, (one, other))| self.changed(place, offset, *one, *other)));
                }
                _ => {}
            }
        }
        lines
    }

    fn told(&self, symbol: usize, tuple: u64) -> String {
        let Symbol { name, arguments, .. } = &self.symbols[symbol];
        let elements = arguments.iter().enumerate().map(|(place, sort)| self.named(*sort, element(tuple, place)));
        format!("{name}({})", elements.collect::<Vec<_>>().join(", "))
    }

    fn changed(&self, symbol: usize, mut offset: usize, expected: Element, found: Element) -> String {
        let Symbol { name, arguments, result } = &self.symbols[symbol];
        let mut elements = Vec::new();
        for sort in arguments.iter().rev() {
            let size = usize::from(self.size(*sort));
            elements.insert(0, self.named(*sort, (offset % size) as Element));
            offset /= size;
        }
        let shown = |element| result.map_or_else(String::new, |sort| self.named(sort, element).to_owned());
        format!("{name}({}): {} expected, {} found", elements.join(", "), shown(expected), shown(found))
    }

    /// An element's name.
    pub(super) fn named(&self, sort: usize, element: Element) -> &str {
        self.sorts[sort].1.get(usize::from(element)).map_or("?", String::as_str)
    }
}

/// The tuples of a relation, or the values of a function.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Table {
    /// The tuples, ascending.
    Relation(Vec<u64>),
    /// A value for each combination of arguments.
    Function(Vec<Element>),
}

/// An interpretation of every symbol. Tables that a step leaves alone are shared.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Structure {
    /// One table per symbol of the signature.
    pub tables: Vec<Arc<Table>>,
}

impl Structure {
    /// Makes a tuple true.
    ///
    /// # Panics
    /// If the symbol is no relation: a fault of the binding.
    pub(super) fn add(&mut self, signature: &Signature, relation: &str, tuple: &[Element]) {
        let place = signature.place(relation).unwrap_or_else(|| panic!("no relation is called {relation}"));
        assert_eq!(signature.symbols[place].arguments.len(), tuple.len(), "{relation} takes other arguments");
        let Table::Relation(tuples) = Arc::make_mut(&mut self.tables[place]) else {
            panic!("{relation} is a function")
        };
        if let Err(at) = tuples.binary_search(&packed(tuple)) {
            tuples.insert(at, packed(tuple));
        }
    }

    /// Sets a function's value.
    ///
    /// # Panics
    /// If the symbol is no function: a fault of the binding.
    pub(super) fn set(&mut self, signature: &Signature, function: &str, arguments: &[Element], value: Element) {
        let place = signature.place(function).unwrap_or_else(|| panic!("no function is called {function}"));
        let offset = signature.offset(place, arguments.iter().copied());
        match Arc::make_mut(&mut self.tables[place]) {
            Table::Function(values) => values[offset] = value,
            Table::Relation(_) => panic!("{function} is a relation"),
        }
    }

    /// Whether a tuple is in a relation.
    pub(super) fn holds(&self, signature: &Signature, relation: &str, tuple: &[Element]) -> bool {
        signature.place(relation).is_some_and(|place| self.contains(place, packed(tuple)))
    }

    /// The same, by the relation's place.
    pub(super) fn contains(&self, place: usize, tuple: u64) -> bool {
        match &*self.tables[place] {
            Table::Relation(tuples) => tuples.binary_search(&tuple).is_ok(),
            Table::Function(_) => false,
        }
    }

    /// The tuples of a relation.
    pub(super) fn tuples(&self, place: usize) -> &[u64] {
        match &*self.tables[place] {
            Table::Relation(tuples) => tuples,
            Table::Function(_) => &[],
        }
    }
}

/// A tuple as one number: the first element is the most significant.
pub(super) fn packed(tuple: &[Element]) -> u64 {
    tuple.iter().enumerate().fold(0, |packed, (place, element)| packed | u64::from(*element) << (56 - 8 * place))
}

/// One element of a packed tuple.
pub(super) const fn element(tuple: u64, place: usize) -> Element {
    (tuple >> (56 - 8 * place)) as Element
}
