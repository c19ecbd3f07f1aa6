//! Running a plan, and what came of it.

use super::faults::CLASSES;
use super::judge::{Finding, PROGRESS};
use super::operator::join;
use super::plan::Plan;
use super::setup::Setup;
use super::world::{Counts, World};
use quorate_spec::Violation;
use serde_json::Value;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

/// How late a frame is at most, and a change that nobody waits for any more.
const LATE: Duration = Duration::from_secs(3);

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// The digest of everything that happened.
    pub digest: u64,
    /// How many operations were judged.
    pub operations: usize,
    /// How many faults of each class were injected and hit.
    pub faults: BTreeMap<&'static str, u64>,
    /// What happened to single frames, sectors, names and values.
    pub apart: BTreeMap<&'static str, u64>,
    /// How much virtual time went by.
    pub virtual_time: Duration,
    /// How much happened.
    pub counts: Counts,
    /// What is said of it.
    pub finding: Finding,
    /// The last life of every process as a trace, if they were kept.
    pub traces: BTreeMap<usize, Value>,
}

impl Report {
    /// All faults. What is counted apart is none.
    pub fn fault_count(&self) -> u64 {
        self.faults.values().sum()
    }
}

/// Runs a plan. A panic of the core or the runtime is a finding.
pub fn run(plan: &Plan) -> Report {
    let mut world = World::new(Setup { records: plan.records, ..plan.setup.clone() });
    world.reckless = plan.reckless;
    world.trace = plan.trace;
    let panicked = catch_unwind(AssertUnwindSafe(|| live(&mut world, plan))).err();
    let finding = match panicked {
        None => world.judge(),
        Some(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("without words");
            Finding::Fail(Violation::new("NoPanic", text.to_owned()))
        }
    };
    world.note_hits();
    report(&world, finding)
}

fn live(world: &mut World, plan: &Plan) {
    let operator = world.add_client();
    let groups: Vec<(u64, &[usize])> = plan.groups.iter().map(|(gid, servers)| (*gid, servers.as_slice())).collect();
    if !world.found(operator, &groups) {
        return world.fail(PROGRESS, "the cluster does not begin".into());
    }
    let start = world.now();
    for _ in 0..plan.users {
        let client = world.add_client();
        world.put_to_work(client, plan.workload.clone());
    }
    for scheduled in &plan.faults {
        world.advance(start + scheduled.at);
        if world.violation().is_some() {
            return;
        }
        let injected = world.inject(operator, &scheduled.fault);
        if world.trace {
            eprintln!("{:?} {} {:?}", world.now(), if injected { "FAULT" } else { "not possible:" }, scheduled.fault);
        }
    }
    world.advance(start + plan.length);
    world.heal();
    // All groups may have left; keys are served only if there is one. No change that is still under way, or late, may take
    // it away again.
    world.run_until(plan.setup.deadline * 2, |world| world.is_answered(operator));
    world.run_for(LATE);
    let operator = world.add_client();
    world.call_and_wait(operator, join(groups.get(..1).unwrap_or_default()));
    world.settle();
}

fn report(world: &World, finding: Finding) -> Report {
    let traces = world.traces(&finding);
    let mut faults: BTreeMap<&'static str, u64> = CLASSES.into_iter().map(|class| (class, 0)).collect();
    faults.extend(world.faults.iter().map(|(class, count)| (*class, *count)));
    Report {
        seed: world.setup.seed,
        digest: world.digest(),
        operations: world.history.len(),
        faults,
        apart: world.counted_apart(),
        virtual_time: world.now(),
        counts: world.counts,
        finding,
        traces,
    }
}
