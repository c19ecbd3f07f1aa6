//! Random walks through a scope of the Raft model, each with a structure that takes the same steps.

use super::labels::{Look, deeds};
use super::{STUTTERS, beginning, given, node, observe, sorts};
use crate::binding::judge::Judge;
use crate::binding::structure::{Signature, Structure};
use crate::binding::system::Executable;
use crate::binding::{Deed, Failure, Report};
use crate::inductive::Source;
use crate::models::raft::{Deed as Input, RaftAction, RaftModel, RaftState, Scope, Told};
use quorate_core::raft::{Message, Replication};
use quorate_spec::ids::NodeId;
use stateright::Model;
use std::time::Instant;

/// How many walks are taken at a scope, and how long each may be.
const WALKS: u64 = 400;
const LENGTH: usize = 60;
/// One in so many crashes is taken.
const RARE: usize = 20;

/// Walks through a scope.
///
/// # Errors
/// The transition system cannot be executed.
pub(in crate::binding) fn walk(scope: Scope) -> Result<Report, String> {
    let began = Instant::now();
    let system = Source::find("raft").and_then(|source| source.load())?;
    let signature = Signature::new(&system, &sorts(&scope));
    let system = Executable::new(&system, signature, &given)?;
    let first = beginning(&scope, &system.signature);
    let mut report = Report::new("raft", scope.name, "raft");
    report.sample = Some(format!("{WALKS} random walks of at most {LENGTH} steps"));
    report.conjuncts = system.invariants.len();
    let judge = Judge::new(system, &[], STUTTERS.iter().map(|(label, _)| *label).collect());
    let mut walker = Walker { model: RaftModel::at(scope), judge, first, report };
    let failure = walker.begin().err().or_else(|| (0..WALKS).find_map(|seed| walker.walk(seed).err()));
    Ok(walker.end(failure, began))
}

struct Walker {
    model: RaftModel,
    judge: Judge,
    first: Structure,
    report: Report,
}

impl Walker {
    fn end(self, failure: Option<Failure>, began: Instant) -> Report {
        let mut report = self.report;
        report.failure = failure;
        report.judged(self.judge, STUTTERS);
        report.seconds = began.elapsed().as_secs_f64();
        report
    }

    fn begin(&mut self) -> Result<(), Failure> {
        self.judge.begins(&self.first).map_err(|what| Failure::new(&self.model, [], what))
    }

    fn walk(&mut self, seed: u64) -> Result<(), Failure> {
        let mut random = Random(seed);
        let mut steps = Vec::new();
        let Some(mut state) = self.model.init_states().into_iter().next() else { return Ok(()) };
        let first = self.first.clone();
        let mut structure = self.judge.structure_of(first).map_err(|what| Failure::new(&self.model, [], what))?;
        self.report.states += 1;
        while let Some((action, next)) = self.chosen(&state, &mut random, steps.len()) {
            steps.push(action.clone());
            self.report.steps += 1;
            self.report.states += 1;
            structure = match self.step(structure, &state, &action, &next) {
                Ok(structure) => structure,
                Err(what) => return Err(Failure::new(&self.model, steps, what)),
            };
            state = next;
        }
        Ok(())
    }

    /// A step at random that changes something. Crashes are rare, or all of them would come before there is much to lose.
    fn chosen(&self, state: &RaftState, random: &mut Random, taken: usize) -> Option<(RaftAction, RaftState)> {
        let mut actions = Vec::new();
        if taken < LENGTH {
            self.model.actions(state, &mut actions);
        }
        while !actions.is_empty() {
            let action = actions.swap_remove(random.below(actions.len()));
            let pending = state.nodes[usize::from(node(action.node))].local.pending.len();
            let torn = matches!(action.deed, Input::Crash(kept) if 0 < kept && kept < pending);
            let rare = action.deed.is_crash() && random.below(RARE) > 0;
            if let Some(next) = (!torn && !rare).then(|| self.model.next_state(state, action.clone())).flatten() {
                return Some((action, next));
            }
        }
        None
    }

    /// The structure takes the step too, and shows what the replicas show after it.
    fn step(
        &mut self,
        mut now: usize,
        before: &RaftState,
        action: &RaftAction,
        after: &RaftState,
    ) -> Result<usize, String> {
        if matches!(action.deed, Input::Crash(kept) if kept > 0) {
            now = self.judge.follow(now, "SyncWrites", &[sync(action.node)])?;
        }
        let (who, told) = (action.node, self.model.told(before, action));
        now = self.part(now, who, &told, &action.deed)?;
        // What rests on no write that is still pending left at once.
        let pending = &after.nodes[usize::from(node(who))].local.pending;
        if pending.is_empty() && self.holds_back(now, who) {
            now = self.judge.follow(now, "SyncWrites", &[sync(who)])?;
        }
        for (to, message) in &told.sends {
            observe::sent(&self.judge.system.signature, self.judge.structure(now), who, *to, message)?;
        }
        observe::state(&self.judge.system.signature, self.judge.structure(now), after)?;
        after.violation.as_ref().map_or(Ok(now), |violation| Err(violation.to_string()))
    }

    fn part(&mut self, mut now: usize, who: NodeId, told: &Told, input: &Input) -> Result<usize, String> {
        for label in &told.labels {
            let deeds = deeds(&self.judge.system.signature, self.judge.structure(now), who, label, input)
                .map_err(|why| format!("labelled {}: {why}", label.name()))?;
            now = self.judge.follow(now, label.name(), &deeds)?;
        }
        for (to, message) in &told.sends {
            if let Message::Replication(Replication::Heartbeat { commit, .. }) = message
                && commit.index.get() > 0
            {
                let given = vec![("n", node(who)), ("m", node(*to)), ("i", super::index(commit.index))];
                now = self.judge.follow(now, "SendAppend", &[Deed { action: "SendAppend.heartbeat", given }])?;
            }
        }
        Ok(now)
    }

    fn holds_back(&self, now: usize, who: NodeId) -> bool {
        let look = Look { signature: &self.judge.system.signature, now: self.judge.structure(now), n: node(who) };
        ["held_request", "held_vote", "held_ack"].iter().any(|relation| look.with(relation).next().is_some())
    }
}

fn sync(who: NodeId) -> Deed {
    Deed { action: "SyncWrites", given: vec![("n", node(who))] }
}

/// SplitMix64: one walk for each seed.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % bound as u64) as usize
    }
}
