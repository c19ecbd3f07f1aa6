//! Formulas as a finite structure evaluates them.
//!
//! They are compiled once: in negation normal form, with every quantifier turned into a search for what makes its body
//! true (`exists`) or false (`forall`). A search is planned: it goes through the tuples of a relation that must hold
//! rather than through all elements, and tests what it can as soon as it can. That is what makes formulas with seven
//! variables cheap on the small relations of a real state.

use super::structure::{Element, Signature, Structure, Table, element, packed};

/// A term.
#[derive(Clone, Debug)]
pub(super) enum Term {
    /// A bound variable, by its slot.
    Variable(usize),
    /// A function's value.
    Value { symbol: usize, later: bool, arguments: Vec<Term> },
    /// One of two.
    Choice(Box<Formula>, Box<Term>, Box<Term>),
}

/// A formula in negation normal form: `wanted` is false where it is denied.
#[derive(Clone, Debug)]
pub(super) enum Formula {
    Constant(bool),
    Atom {
        symbol: usize,
        later: bool,
        arguments: Vec<Term>,
        wanted: bool,
    },
    Same {
        left: Term,
        right: Term,
        wanted: bool,
    },
    All(Vec<Formula>),
    Any(Vec<Formula>),
    /// Whether one of these searches finds something. `outer`: the slots that it looks at and does not bind.
    Found {
        plans: Vec<Vec<Move>>,
        wanted: bool,
        outer: u64,
    },
}

/// One step of a search.
#[derive(Clone, Debug)]
pub(super) enum Move {
    /// For each tuple of a relation.
    Scan { symbol: usize, later: bool, places: Vec<Place> },
    /// For each element of a sort.
    Each { slot: usize, sort: usize },
    /// The variable is this.
    Bind { slot: usize, term: Term },
    /// Go on only if this holds.
    Test(Formula),
}

/// What an argument of a scanned relation does.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// Binds a variable.
    Bind(usize),
    /// Must be this.
    Check(Term),
}

impl Term {
    /// The slots that it looks at, as a set of bits.
    fn slots(&self) -> u64 {
        match self {
            Self::Variable(slot) => 1 << slot,
            Self::Value { arguments, .. } => arguments.iter().fold(0, |slots, term| slots | term.slots()),
            Self::Choice(condition, yes, no) => condition.slots() | yes.slots() | no.slots(),
        }
    }
}

impl Formula {
    pub(super) fn slots(&self) -> u64 {
        match self {
            Self::Constant(_) => 0,
            Self::Atom { arguments, .. } => arguments.iter().fold(0, |slots, term| slots | term.slots()),
            Self::Same { left, right, .. } => left.slots() | right.slots(),
            Self::All(parts) | Self::Any(parts) => parts.iter().fold(0, |slots, part| slots | part.slots()),
            Self::Found { outer, .. } => *outer,
        }
    }
}

/// The most ways that a body is split into: beyond it, an alternative is tested, not searched.
const WAYS: usize = 64;

/// A formula as alternatives of things that hold together.
fn alternatives(formula: Formula) -> Vec<Vec<Formula>> {
    match formula {
        Formula::Any(parts) => parts.into_iter().flat_map(alternatives).collect(),
        Formula::All(parts) => parts.into_iter().fold(vec![Vec::new()], |ways, part| {
            let mut more = alternatives(part.clone());
            if more.len() > 1 && ways.len() * more.len() > WAYS {
                more = vec![vec![part]];
            }
            let both = |way: &Vec<Formula>| more.iter().map(|other| [way.clone(), other.clone()].concat()).collect();
            ways.iter().flat_map(|way| -> Vec<Vec<Formula>> { both(way) }).collect()
        }),
        Formula::Constant(true) => vec![Vec::new()],
        Formula::Constant(false) => Vec::new(),
        other => vec![vec![other]],
    }
}

/// The searches for variables (slot and sort) that make `body` true, when `bound` slots are known.
pub(super) fn searches(body: Formula, variables: &[(usize, usize)], bound: u64) -> Vec<Vec<Move>> {
    alternatives(body).into_iter().map(|together| plan(together, variables, bound)).collect()
}

/// Orders a search: tests at once, then what a variable must be, then the relation of which most is known, then all
/// elements of a sort.
fn plan(mut left: Vec<Formula>, variables: &[(usize, usize)], mut bound: u64) -> Vec<Move> {
    let mut moves = Vec::new();
    loop {
        let known = |formula: &Formula| formula.slots() & !bound == 0;
        if let Some(at) = left.iter().position(known) {
            moves.push(Move::Test(left.remove(at)));
            continue;
        }
        let is = |formula: &Formula| match formula {
            Formula::Same { left: Term::Variable(slot), right: term, wanted: true }
            | Formula::Same { left: term, right: Term::Variable(slot), wanted: true } => {
                (bound >> slot & 1 == 0 && term.slots() & !bound == 0).then(|| (*slot, term.clone()))
            }
            _ => None,
        };
        if let Some((at, (slot, term))) = left.iter().enumerate().find_map(|(at, formula)| Some((at, is(formula)?))) {
            left.remove(at);
            moves.push(Move::Bind { slot, term });
            bound |= 1 << slot;
            continue;
        }
        let best = left.iter().enumerate().filter_map(|(at, formula)| Some((worth(formula, bound)?, at))).max();
        if let Some((_, at)) = best {
            let Formula::Atom { symbol, later, arguments, .. } = left.remove(at) else { continue };
            let mut place = |term: Term| match term {
                Term::Variable(slot) if bound >> slot & 1 == 0 => {
                    bound |= 1 << slot;
                    Place::Bind(slot)
                }
                other => Place::Check(other),
            };
            moves.push(Move::Scan { symbol, later, places: arguments.into_iter().map(&mut place).collect() });
            continue;
        }
        // What nothing speaks of may be anything.
        let spoken = left.iter().fold(0, |slots, formula| slots | formula.slots());
        let Some((slot, sort)) = variables.iter().find(|(slot, _)| bound >> slot & 1 == 0 && spoken >> slot & 1 == 1)
        else {
            return moves;
        };
        moves.push(Move::Each { slot: *slot, sort: *sort });
        bound |= 1 << slot;
    }
}

/// How good a relation is to go through next; `None` if it cannot be.
fn worth(formula: &Formula, bound: u64) -> Option<(usize, usize)> {
    let Formula::Atom { arguments, wanted: true, .. } = formula else { return None };
    let free = |term: &&Term| matches!(term, Term::Variable(slot) if bound >> slot & 1 == 0);
    let fits = arguments.iter().all(|term| free(&term) || term.slots() & !bound == 0);
    let known = arguments.iter().filter(|term| !free(term)).count();
    fits.then_some((known, arguments.len()))
}

/// Two moments of one signature: the state before a step, and after it.
#[derive(Clone, Copy)]
pub(super) struct Moments<'a> {
    pub(super) signature: &'a Signature,
    pub(super) now: &'a Structure,
    pub(super) later: &'a Structure,
}

impl<'a> Moments<'a> {
    fn at(&self, later: bool) -> &'a Structure {
        if later { self.later } else { self.now }
    }

    pub(super) fn value(&self, term: &Term, slots: &mut [Element]) -> Element {
        match term {
            Term::Variable(slot) => slots[*slot],
            Term::Value { symbol, later, arguments } => {
                let sorts = &self.signature.symbols[*symbol].arguments;
                let mut offset = 0;
                for (argument, sort) in arguments.iter().zip(sorts) {
                    let element = self.value(argument, slots);
                    offset = offset * usize::from(self.signature.size(*sort)) + usize::from(element);
                }
                match &*self.at(*later).tables[*symbol] {
                    Table::Function(values) => values[offset],
                    Table::Relation(_) => 0,
                }
            }
            Term::Choice(condition, yes, no) => {
                let chosen = if self.holds(condition, slots) { yes } else { no };
                self.value(chosen, slots)
            }
        }
    }

    /// Whether a formula holds; slots beyond its own are scratch.
    pub(super) fn holds(&self, formula: &Formula, slots: &mut [Element]) -> bool {
        match formula {
            Formula::Constant(truth) => *truth,
            Formula::Atom { symbol, later, arguments, wanted } => {
                let mut tuple = [0; 8];
                for (place, argument) in arguments.iter().enumerate() {
                    tuple[place] = self.value(argument, slots);
                }
                self.at(*later).contains(*symbol, packed(&tuple)) == *wanted
            }
            Formula::Same { left, right, wanted } => (self.value(left, slots) == self.value(right, slots)) == *wanted,
            Formula::All(parts) => parts.iter().all(|part| self.holds(part, slots)),
            Formula::Any(parts) => parts.iter().any(|part| self.holds(part, slots)),
            Formula::Found { plans, wanted, .. } => {
                plans.iter().any(|moves| self.search(moves, slots, &mut |_| true)) == *wanted
            }
        }
    }

    /// Goes through a search. `found` says of each finding whether that is enough; so does the result.
    pub(super) fn search(
        &self,
        moves: &[Move],
        slots: &mut [Element],
        found: &mut dyn FnMut(&mut [Element]) -> bool,
    ) -> bool {
        let Some((first, rest)) = moves.split_first() else { return found(slots) };
        match first {
            Move::Test(formula) => self.holds(formula, slots) && self.search(rest, slots, found),
            Move::Bind { slot, term } => {
                slots[*slot] = self.value(term, slots);
                self.search(rest, slots, found)
            }
            Move::Each { slot, sort } => (0..self.signature.size(*sort)).any(|element| {
                slots[*slot] = element;
                self.search(rest, slots, found)
            }),
            Move::Scan { symbol, later, places } => self.at(*later).tuples(*symbol).iter().any(|tuple| {
                let fits = places.iter().enumerate().all(|(at, place)| match place {
                    Place::Bind(slot) => {
                        slots[*slot] = element(*tuple, at);
                        true
                    }
                    Place::Check(term) => self.value(term, slots) == element(*tuple, at),
                });
                fits && self.search(rest, slots, found)
            }),
        }
    }
}
