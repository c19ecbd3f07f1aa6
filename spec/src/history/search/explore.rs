//! The search itself, for the operations on one key.
//!
//! Three observations keep it small, each without losing an order that would explain the history:
//! - a read that fits the state may be put in order at once: it changes nothing, and waiting gains nothing;
//! - once no read is pending, whatever is left fits in any order;
//! - a write that no read sees is needed only when it holds others up. It then goes just before the last put if it was
//!   invoked early enough (it is *hidden*), or else here, in a state that no read may see and only a put can end (*dead*).

use super::super::{Call, Operation, Outcome};
use super::pending::{NEVER, Pending};
use super::readings::{Prefix, Readings};
use super::sources::Sources;
use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;

/// How a search ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// There is an order.
    Explained,
    /// There is none. At best, `fitted` operations could be put in order; `read` was then the first to be over.
    Unexplained { fitted: usize, read: Option<usize> },
    /// The budget was spent first.
    OutOfBudget,
}

/// What an operation does to the search.
#[derive(Clone, Copy)]
enum Kind<'a> {
    /// It read the value at this place of the readings.
    Read(usize),
    /// It found no value.
    ReadMissing,
    /// A put, and the values read that begin with it.
    Put(Option<Prefix>),
    /// An append of these bytes.
    Append(&'a [u8]),
}

/// The key's state after the operations put in order so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    /// Never written.
    Missing,
    /// Some pending read may see it, or what becomes of it by appending.
    Live(Prefix),
    /// No read may see it: only a put can be seen next.
    Dead,
}

/// Where the search stands, apart from which operations are pending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Stand {
    state: State,
    /// A write invoked by then may still be put just before the last put: the earliest return of that put and of all
    /// that came after it. `None` if no put came.
    hides: Option<u64>,
}

/// Put `operation` in order next, which leads to `stand`.
struct Choice {
    operation: usize,
    stand: Stand,
}

/// One place on the path of the search.
struct Frame {
    stand: Stand,
    /// The choice that led here and the reads that followed at once, in order.
    taken: Vec<usize>,
    /// What may still be tried from here; the best is last.
    choices: Vec<Choice>,
}

/// A place where the search has been. Everything not among the candidates is settled by who returned first: what was
/// invoked later is pending, and all else is in order.
type Been = (Option<usize>, Box<[usize]>, Stand);

/// The search over one key.
pub(super) struct Explorer<'a> {
    kinds: Vec<Kind<'a>>,
    pending: Pending,
    readings: Readings<'a>,
    sources: Sources,
    reads_left: usize,
    missing_left: usize,
    fitted: usize,
    best: (usize, Option<usize>),
    been: BTreeSet<Been>,
    steps: u64,
}

impl<'a> Explorer<'a> {
    /// The operations on one key, in order of invocation; none failed, and unknown ones are writes.
    pub(super) fn new(operations: &[&'a Operation]) -> Self {
        let times = operations.iter().map(|operation| (operation.invoked, operation.over().unwrap_or(NEVER))).collect();
        let mut read: Vec<(&[u8], usize)> = Vec::new();
        for (place, operation) in operations.iter().enumerate() {
            if let Outcome::Value(Some(value)) = &operation.outcome {
                read.push((value, place));
            }
        }
        read.sort_unstable();
        let readings = Readings::new(read.iter().map(|(value, _)| *value).collect());
        let mut kinds: Vec<Kind<'a>> = operations.iter().map(|operation| Kind::of(operation, &readings)).collect();
        for (rank, (_, place)) in read.iter().enumerate() {
            kinds[*place] = Kind::Read(rank);
        }
        let mut explorer = Self {
            kinds,
            pending: Pending::new(times),
            readings,
            sources: Sources::new(read.len()),
            reads_left: 0,
            missing_left: 0,
            fitted: 0,
            best: (0, None),
            been: BTreeSet::new(),
            steps: 0,
        };
        (0..explorer.kinds.len()).for_each(|operation| explorer.count(operation, true));
        explorer
    }

    /// What was spent so far.
    pub(super) fn steps(&self) -> u64 {
        self.steps
    }

    /// Searches for an order, spending at most about `budget` steps.
    pub(super) fn run(&mut self, budget: u64) -> Ending {
        let mut path = Vec::new();
        let mut next =
            Some(Frame { stand: Stand { state: State::Missing, hides: None }, taken: Vec::new(), choices: Vec::new() });
        loop {
            if let Some(frame) = next.take() {
                path.push(self.enter(frame));
                if self.reads_left == 0 {
                    return Ending::Explained;
                }
            }
            if self.steps > budget {
                return Ending::OutOfBudget;
            }
            let Some(frame) = path.last_mut() else {
                return Ending::Unexplained { fitted: self.best.0, read: self.best.1 };
            };
            match frame.choices.pop() {
                Some(Choice { operation, stand }) => {
                    self.take(operation);
                    next = Some(Frame { stand, taken: Vec::from([operation]), choices: Vec::new() });
                }
                None => {
                    frame.taken.iter().rev().for_each(|operation| self.put_back(*operation));
                    path.pop();
                }
            }
        }
    }

    /// Takes in the reads that fit, and finds what may be tried next.
    fn enter(&mut self, mut frame: Frame) -> Frame {
        while let Some(read) = self.fitting_read(frame.stand.state) {
            self.take(read);
            frame.taken.push(read);
            frame.stand.hides = frame.stand.hides.map(|hides| hides.min(self.pending.over(read)));
        }
        let hopeless = self.is_hopeless(frame.stand.state);
        if self.fitted > self.best.0 || self.best.1.is_none() {
            self.best = (self.fitted, self.stuck_read(frame.stand.state, hopeless));
        }
        let candidates: Box<[usize]> = self.pending.candidates().collect();
        self.steps += 1 + candidates.len() as u64;
        let first = self.pending.returned().next();
        if !hopeless && self.been.insert((first, candidates.clone(), frame.stand)) {
            frame.choices = self.choices(frame.stand, &candidates);
        }
        frame
    }

    fn fitting_read(&self, state: State) -> Option<usize> {
        self.pending.candidates().find(|operation| match (self.kinds[*operation], state) {
            (Kind::Read(place), State::Live(prefix)) => self.readings.is_at(place, prefix),
            (Kind::ReadMissing, State::Missing) => true,
            _ => false,
        })
    }

    /// Whether some pending read can certainly never fit any more: it is of the time before the first write, or of a
    /// value that neither grows out of the state nor out of a pending put.
    fn is_hopeless(&self, state: State) -> bool {
        match state {
            State::Missing => false,
            _ if self.missing_left > 0 => true,
            State::Live(prefix) => {
                let places = prefix.places();
                self.sources.lacks(0..places.start) || self.sources.lacks(places.end..self.readings.len())
            }
            State::Dead => self.sources.lacks(0..self.readings.len()),
        }
    }

    /// The read to name in evidence: the first to be over, of those that make `state` hopeless if it is.
    fn stuck_read(&self, state: State, hopeless: bool) -> Option<usize> {
        self.pending.returned().find(|operation| match (self.kinds[*operation], state) {
            (Kind::Put(_) | Kind::Append(_), _) => false,
            (Kind::Read(place), State::Live(prefix)) if hopeless => {
                !prefix.places().contains(&place) && self.sources.lacks(place..place + 1)
            }
            (Kind::Read(place), State::Dead) if hopeless => self.sources.lacks(place..place + 1),
            (Kind::Read(_) | Kind::ReadMissing, _) => true,
        })
    }

    /// What may be tried from `stand`: first what the first pending read wants.
    fn choices(&self, stand: Stand, candidates: &[usize]) -> Vec<Choice> {
        let mut ranked: Vec<((u64, u64), Choice)> = Vec::new();
        for operation in candidates.iter().copied() {
            if let Some(prefix) = self.seen_after(operation, stand.state) {
                let over = self.pending.over(operation);
                let hides = match self.kinds[operation] {
                    Kind::Put(_) => Some(over),
                    _ => stand.hides.map(|hides| hides.min(over)),
                };
                let stand = Stand { state: State::Live(prefix), hides };
                ranked.push(((self.readings.soonest(prefix), over), Choice { operation, stand }));
            }
        }
        // The first to return holds the others up: it can be seen as above, or hidden, or dead.
        let holds_up = self.pending.returned().next();
        if let Some(operation) = holds_up.filter(|first| matches!(self.kinds[*first], Kind::Put(_) | Kind::Append(_))) {
            if let State::Live(prefix) = stand.state
                && stand.hides.is_some_and(|hides| self.pending.invoked(operation) <= hides)
            {
                ranked.push(((self.readings.soonest(prefix), NEVER), Choice { operation, stand }));
            }
            let dead = Stand { state: State::Dead, hides: None };
            ranked.push(((NEVER, NEVER), Choice { operation, stand: dead }));
        }
        ranked.sort_by(|(one, _), (other, _)| other.cmp(one));
        ranked.into_iter().map(|(_, choice)| choice).collect()
    }

    /// The state after a write, if a pending read may see it.
    fn seen_after(&self, operation: usize, state: State) -> Option<Prefix> {
        let prefix = match (self.kinds[operation], state) {
            (Kind::Put(prefix), _) => prefix,
            (Kind::Append(value), State::Missing) => self.readings.extend(self.readings.root(), value),
            (Kind::Append(value), State::Live(prefix)) => self.readings.extend(prefix, value),
            (Kind::Append(_), State::Dead) | (Kind::Read(_) | Kind::ReadMissing, _) => None,
        };
        prefix.filter(|prefix| self.readings.soonest(*prefix) != NEVER)
    }

    fn take(&mut self, operation: usize) {
        self.pending.take(operation);
        self.count(operation, false);
        self.fitted += 1;
    }

    fn put_back(&mut self, operation: usize) {
        self.pending.put_back(operation);
        self.count(operation, true);
        self.fitted -= 1;
    }

    /// Counts an operation in as pending, or out.
    fn count(&mut self, operation: usize, pending: bool) {
        let step = |count: &mut usize| if pending { *count += 1 } else { *count -= 1 };
        match self.kinds[operation] {
            Kind::Read(place) => {
                step(&mut self.reads_left);
                let over = if pending { self.pending.over(operation) } else { NEVER };
                self.readings.set(place, over);
                self.sources.set_read(place, pending);
            }
            Kind::ReadMissing => {
                step(&mut self.reads_left);
                step(&mut self.missing_left);
            }
            Kind::Put(Some(prefix)) => self.sources.set_put(prefix, pending),
            Kind::Put(None) | Kind::Append(_) => {}
        }
    }
}

impl<'a> Kind<'a> {
    /// The kind of an operation; the place of a value read is filled in later.
    fn of(operation: &'a Operation, readings: &Readings<'_>) -> Self {
        match (&operation.call, &operation.outcome) {
            (Call::Get, Outcome::Value(Some(_))) => Self::Read(0),
            (Call::Get, _) => Self::ReadMissing,
            (Call::Put(value), _) => Self::Put(readings.extend(readings.root(), value)),
            (Call::Append(value), _) => Self::Append(value),
        }
    }
}
