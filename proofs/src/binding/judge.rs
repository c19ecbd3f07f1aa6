//! Judges structures and steps, each different one once.

use super::structure::{Element, Structure, Table};
use super::system::{Executable, Named};
use super::{Deed, Meaning, Probe, Tally};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// A system, with what has been judged so far. Structures are told apart by number.
#[derive(Debug)]
pub(super) struct Judge {
    pub(super) system: Executable,
    unobserved: Vec<usize>,
    /// What unobserved symbols are in every structure that is kept.
    blank: Structure,
    may_stutter: Vec<&'static str>,
    tables: HashMap<(usize, Arc<Table>), u32>,
    known: HashMap<Vec<u32>, usize>,
    structures: Vec<Structure>,
    /// The structure that was looked up last, and its tables' numbers: the next one shares most of its tables.
    last: (Structure, Vec<u32>),
    sound: HashSet<(usize, Vec<u32>)>,
    /// By the structure before, and what the labels mean.
    steps: HashMap<usize, HashMap<Vec<Meaning>, Arc<Step>>>,
    probes: HashSet<(usize, Probe)>,
    pub(super) tallies: BTreeMap<&'static str, Tally>,
    pub(super) evaluations: u64,
}

/// Where the actions that some labels name lead.
#[derive(Debug)]
struct Step {
    after: usize,
    /// Per label, whether it left the structure alone.
    stutters: Vec<bool>,
}

impl Judge {
    pub(super) fn new(system: Executable, unobserved: &[&str], may_stutter: Vec<&'static str>) -> Self {
        let blank = system.signature.blank();
        let unobserved = unobserved.iter().filter_map(|name| system.signature.place(name)).collect();
        Self {
            last: (Structure { tables: Vec::new() }, Vec::new()),
            system,
            unobserved,
            blank,
            may_stutter,
            tables: HashMap::new(),
            known: HashMap::new(),
            structures: Vec::new(),
            sound: HashSet::new(),
            steps: HashMap::new(),
            probes: HashSet::new(),
            tallies: BTreeMap::new(),
            evaluations: 0,
        }
    }

    /// How many different structures and steps were judged.
    pub(super) fn different(&self) -> (usize, usize) {
        (self.structures.len(), self.steps.values().map(HashMap::len).sum())
    }

    pub(super) fn structure(&self, number: usize) -> &Structure {
        &self.structures[number]
    }

    /// The number of a structure; one that is new must satisfy every conjunct of the invariant.
    pub(super) fn structure_of(&mut self, mut structure: Structure) -> Result<usize, String> {
        for symbol in &self.unobserved {
            structure.tables[*symbol] = Arc::clone(&self.blank.tables[*symbol]);
        }
        let mut ids = Vec::with_capacity(structure.tables.len());
        for (symbol, table) in structure.tables.iter().enumerate() {
            let fresh = self.tables.len() as u32;
            ids.push(match self.last.0.tables.get(symbol) {
                Some(last) if Arc::ptr_eq(last, table) => self.last.1[symbol],
                _ => *self.tables.entry((symbol, Arc::clone(table))).or_insert(fresh),
            });
        }
        self.last = (structure.clone(), ids.clone());
        if let Some(number) = self.known.get(&ids) {
            return Ok(*number);
        }
        for (place, invariant) in self.system.invariants.iter().enumerate() {
            let spoken: Vec<u32> = invariant.symbols.iter().map(|symbol| ids[*symbol]).collect();
            if self.sound.contains(&(place, spoken.clone())) {
                continue;
            }
            self.evaluations += 1;
            if !self.system.holds(invariant, &structure, &structure) {
                return Err(format!("the invariant {} does not hold", invariant.name));
            }
            self.sound.insert((place, spoken));
        }
        let number = self.structures.len();
        self.structures.push(structure);
        self.known.insert(ids, number);
        Ok(number)
    }

    /// What is assumed holds, and what holds in the beginning.
    pub(super) fn begins(&self, structure: &Structure) -> Result<(), String> {
        let wrong = |named: &&Named| !self.system.holds(named, structure, structure);
        match self.system.axioms.iter().chain(&self.system.initial).find(wrong) {
            Some(named) => Err(format!("{} does not hold in the beginning", named.name)),
            None => Ok(()),
        }
    }

    /// From a structure, the actions that the labels name lead to `found`.
    pub(super) fn step(&mut self, before: usize, meaning: &[Meaning], found: usize) -> Result<(), String> {
        if meaning.is_empty() && before == found {
            return Ok(());
        }
        let step = self.led(before, meaning)?;
        self.count(meaning, &step);
        if step.after == found {
            return Ok(());
        }
        let labels: Vec<&str> = meaning.iter().map(|meaning| meaning.label).collect();
        let named = if labels.is_empty() { "without a label".to_owned() } else { labels.join(", ") };
        let differs =
            self.system.signature.difference(&self.structures[step.after], &self.structures[found]).join("\n  ");
        Err(format!("labelled {named}, which leads elsewhere:\n  {differs}"))
    }

    fn led(&mut self, before: usize, meaning: &[Meaning]) -> Result<Arc<Step>, String> {
        if let Some(step) = self.steps.get(&before).and_then(|steps| steps.get(meaning)) {
            return Ok(Arc::clone(step));
        }
        let step = Arc::new(self.taken(before, meaning)?);
        self.steps.entry(before).or_default().insert(meaning.to_vec(), Arc::clone(&step));
        Ok(step)
    }

    fn taken(&mut self, before: usize, meaning: &[Meaning]) -> Result<Step, String> {
        let mut now = self.structures[before].clone();
        let mut stutters = Vec::new();
        for Meaning { label, deeds } in meaning {
            let began = now.clone();
            for deed in deeds {
                now = self.act(&now, deed).map_err(|why| format!("labelled {label}: {why}"))?;
            }
            let stutter = now == began;
            if stutter && !self.may_stutter.contains(label) {
                return Err(format!("labelled {label}, which is to do something, and nothing happened"));
            }
            stutters.push(stutter);
        }
        Ok(Step { after: self.structure_of(now)?, stutters })
    }

    /// Where the actions that one label names lead, for who carries a structure along.
    pub(super) fn follow(&mut self, before: usize, label: &'static str, deeds: &[Deed]) -> Result<usize, String> {
        let meaning = vec![Meaning { label, deeds: deeds.to_vec() }];
        let step = self.led(before, &meaning)?;
        self.count(&meaning, &step);
        Ok(step.after)
    }

    fn count(&mut self, meaning: &[Meaning], step: &Step) {
        for (meaning, stutters) in meaning.iter().zip(&step.stutters) {
            let tally = self.tallies.entry(meaning.label).or_default();
            tally.steps += 1;
            tally.stutters += u64::from(*stutters);
        }
    }

    fn act(&self, now: &Structure, Deed { action, given }: &Deed) -> Result<Structure, String> {
        let after = self.system.take(now, action, given)?;
        match self.system.steps.iter().find(|named| !self.system.holds(named, now, &after)) {
            Some(named) => Err(format!("{action} breaks {}", named.name)),
            None => Ok(after),
        }
    }

    /// A read is possible exactly if the code answers it, and gives what the code gives.
    pub(super) fn probe(&mut self, state: usize, probe: Probe) -> Result<(), String> {
        if self.probes.contains(&(state, probe.clone())) {
            return Ok(());
        }
        let (deeds, found) = &probe;
        let taken = deeds.iter().try_fold(self.structures[state].clone(), |now, deed| self.act(&now, deed));
        let holds = |after: &Structure, (relation, tuple): &(&'static str, Vec<Element>)| {
            after.holds(&self.system.signature, relation, tuple)
        };
        match (taken, found) {
            (Ok(after), Some(expected)) if holds(&after, expected) => {}
            (Err(_), None) => {}
            (Ok(_), Some(_)) => return Err("a read is answered with another value than the specification's".to_owned()),
            (Ok(_), None) => return Err("a read is refused that the specification answers".to_owned()),
            (Err(why), Some(_)) => return Err(format!("a read is answered that the specification refuses: {why}")),
        }
        self.probes.insert((state, probe));
        Ok(())
    }
}
