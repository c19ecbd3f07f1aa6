//! `quorate-sim run` and `quorate-sim campaign`.

use super::campaign::{Campaign, Tally};
use super::canaries::CANARIES;
use super::goal::Goal;
use super::judge::Finding;
use super::pieces;
use super::plan::Plan;
use super::run::{Report, run};
use super::shrink::shrink;
use super::verdicts::Judge;
use crate::say;
use clap::Parser;
use quorate_spec::Violation;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// A simulated cluster under faults, one seed or many.
#[derive(Debug, Parser)]
#[command(name = "quorate-sim")]
enum Command {
    /// Runs one seed.
    Run {
        /// The seed: it decides everything.
        #[arg(long)]
        seed: u64,
        /// About three times as many faults, so that more of them overlap.
        #[arg(long)]
        dense: bool,
        /// Standard output is one JSON value.
        #[arg(long)]
        json: bool,
        /// Leave faults out as long as the run still fails, and show the rest.
        #[arg(long)]
        shrink: bool,
        /// Tell every step of every node on standard error.
        #[arg(long)]
        trace: bool,
        /// Write the last life of every process into this directory, for `quorate-check show` and `explore`.
        #[arg(long, value_name = "DIR")]
        traces: Option<PathBuf>,
        /// Only these faults of its schedule, by their numbers: what `--shrink` found.
        #[arg(long, value_delimiter = ',', num_args = 0..)]
        only: Option<Vec<usize>>,
    },
    /// Runs worlds that are broken on purpose: all must fail.
    Canaries {
        /// Standard output is one JSON value.
        #[arg(long)]
        json: bool,
    },
    /// Runs many seeds.
    Campaign {
        /// The seeds, as in 0..100.
        #[arg(long, value_parser = parse_range)]
        seeds: (u64, u64),
        /// About three times as many faults in each run, so that more of them overlap.
        #[arg(long)]
        dense: bool,
        /// For how many seconds new runs are begun.
        #[arg(long, default_value_t = u64::MAX)]
        seconds: u64,
        /// How many worlds run at once.
        #[arg(long, default_value_t = 2)]
        threads: usize,
        /// Fail if a seed's digest is another one in this file, which the test `simulation` writes: one seed is one run,
        /// whatever the build.
        #[arg(long, value_name = "FILE", conflicts_with = "resume")]
        same_as: Option<PathBuf>,
        /// Keep what passes in this file, a line for every hundred seeds, and do not run it again.
        #[arg(long)]
        resume: Option<PathBuf>,
        /// Fail if fewer operations were judged.
        #[arg(long, default_value_t = 0)]
        at_least_operations: u64,
        /// Fail if fewer faults hit.
        #[arg(long, default_value_t = 0)]
        at_least_faults: u64,
        /// Standard output is one JSON value.
        #[arg(long)]
        json: bool,
    },
}

fn parse_range(text: &str) -> Result<(u64, u64), String> {
    let (from, to) = text.split_once("..").ok_or("seeds are given as in 0..100")?;
    let number = |digits: &str| digits.parse::<u64>().map_err(|error| format!("{digits}: {error}"));
    let (from, to) = (number(from)?, number(to)?);
    if from < to { Ok((from, to)) } else { Err("there is no seed in that range".into()) }
}

/// Does what the arguments say, if they name one of this module's commands.
pub fn command(arguments: &[String]) -> Option<ExitCode> {
    if !matches!(arguments.first().map(String::as_str), Some("run" | "canaries" | "campaign")) {
        return None;
    }
    let arguments = std::iter::once("quorate-sim").chain(arguments.iter().map(String::as_str));
    Some(match Command::try_parse_from(arguments) {
        Ok(Command::Run { seed, dense, json, shrink, trace, traces, only }) => {
            let plan = Plan { trace, records: traces.is_some(), ..plan_of(dense)(seed) };
            run_plan(&only.map_or(plan.clone(), |only| plan.only(&only)), json, shrink, traces.as_deref())
        }
        Ok(Command::Canaries { json }) => run_canaries(json),
        Ok(Command::Campaign {
            seeds,
            dense,
            seconds,
            threads,
            same_as,
            resume,
            at_least_operations,
            at_least_faults,
            json,
        }) => {
            let time = Duration::from_secs(seconds);
            let campaign = Campaign { seeds: seeds.0..seeds.1, time, threads };
            let goal = Goal { operations: at_least_operations, faults: at_least_faults };
            match resume {
                Some(file) => resume_campaign(&campaign, &goal, &file, plan_of(dense), Path::new("")),
                None => run_campaign(&campaign, plan_of(dense), &goal, same_as.as_deref(), json),
            }
        }
        Err(error) => {
            let _ = error.print();
            ExitCode::from(2)
        }
    })
}

fn plan_of(dense: bool) -> fn(u64) -> Plan {
    if dense { Plan::dense } else { Plan::of }
}

fn exit(passed: bool) -> ExitCode {
    if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run_plan(plan: &Plan, json: bool, shrinks: bool, traces: Option<&Path>) -> ExitCode {
    let report = run(plan);
    if let Some(directory) = traces.filter(|_| !shrinks) {
        write_traces(&report.traces, directory);
    }
    if json {
        say!("{}", to_json(&report));
    } else {
        tell(plan, &report);
    }
    let passed = matches!(report.finding, Finding::Pass);
    if shrinks && !passed {
        tell_shrunk(plan, traces);
    }
    exit(passed)
}

fn to_json(report: &Report) -> Value {
    json!({
        "seed": report.seed,
        "digest": format!("{:016x}", report.digest),
        "operations": report.operations,
        "faults": report.faults,
        "apart": report.apart,
        "virtual_seconds": report.virtual_time.as_secs_f64(),
        "events": report.counts.events,
        "verdict": report.finding.word(),
        "evidence": evidence(&report.finding),
    })
}

fn evidence(finding: &Finding) -> String {
    match finding {
        Finding::Pass => String::new(),
        Finding::Fail(violation) => format!("{}: {}", violation.property, violation.evidence),
        Finding::Unknown(why) => why.clone(),
    }
}

fn tell(plan: &Plan, report: &Report) {
    let Report { seed, digest, operations, finding, .. } = report;
    say!("seed {seed}: {}  digest {digest:016x}", finding.word());
    say!("{operations} operations, {} faults, {:.1?} of virtual time", report.fault_count(), report.virtual_time);
    if !matches!(finding, Finding::Pass) {
        say!("{}", evidence(finding));
        say!("again: quorate-sim run {} --shrink", plan.name());
    }
}

/// Writes a trace for each process, and says where and how to open it.
pub fn write_traces(traces: &BTreeMap<usize, Value>, directory: &Path) {
    for (process, trace) in traces {
        let file = directory.join(format!("process-{process}.trace.json"));
        let written = std::fs::create_dir_all(directory).and_then(|()| std::fs::write(&file, trace.to_string()));
        if let Err(error) = written {
            eprintln!("error: {}: {error}", file.display());
            return;
        }
    }
    let file = directory.join("process-N.trace.json");
    let file = file.display();
    eprintln!("the last life of every process: quorate-check show {file}, or explore --trace {file}");
}

fn tell_shrunk(plan: &Plan, traces: Option<&Path>) {
    let plan = &Plan { trace: false, records: false, ..plan.clone() };
    let Some((plan, report)) = shrink(plan) else { return };
    eprintln!("with these faults it still fails ({}):", evidence(&report.finding));
    for scheduled in &plan.faults {
        eprintln!("  {:>10.3?}  {:?}", scheduled.at, scheduled.fault);
    }
    let numbers: Vec<String> = plan.faults.iter().map(|scheduled| scheduled.number.to_string()).collect();
    let seed = plan.setup.seed;
    eprintln!("again: quorate-sim run {} --only {}", plan.name(), numbers.join(","));
    let directory = traces.map_or_else(|| PathBuf::from(format!("seed-{seed}")), Path::to_owned);
    write_traces(&run(&Plan { records: true, ..plan }).traces, &directory);
}

/// Of every run that failed: the command that repeats it, the faults that it needs, and its traces in `seed-N` below
/// `directory`.
pub fn tell_failed(failed: &[Report], plan: fn(u64) -> Plan, directory: &Path) {
    for Report { seed, .. } in failed {
        let plan = plan(*seed);
        eprintln!("again: quorate-sim run {}", plan.name());
        tell_shrunk(&plan, Some(&directory.join(format!("seed-{seed}"))));
    }
}

fn run_canaries(json: bool) -> ExitCode {
    let (mut all, mut rows) = (true, Vec::new());
    for canary in CANARIES {
        let begun = Instant::now();
        let song = canary.sing();
        let seconds = begun.elapsed().as_secs_f64();
        let control = canary.control();
        let (fails, passes) = (canary.is_dead(&song), control.is_alive());
        all &= fails && passes;
        let judges = |judges: &mut dyn Iterator<Item = &Judge>| -> Vec<String> {
            judges.map(|judge| format!("{judge:?}")).collect()
        };
        let (wanted, objected) = (judges(&mut canary.judges.iter()), judges(&mut song.objections.iter()));
        if json {
            let (name, classes) = (canary.name, canary.classes);
            rows.push(json!({ "name": name, "classes": classes, "wanted": wanted, "objected": objected, "fails": fails, "missing": song.missing, "control_passes": passes, "seconds": seconds }));
        } else {
            let sign = if fails { "fails" } else { "SURVIVES" };
            say!("{:<36} {sign:<8} {:<44} {seconds:.2} s", canary.name, objected.join(", "));
            if !song.missing.is_empty() {
                say!("    it never happened: {}", song.missing.join(", "));
            }
            if let Some(Violation { property, evidence }) = song.violation.filter(|_| !fails) {
                say!("    {property}: {evidence}");
            }
            if !passes {
                let objected = judges(&mut control.objections.iter()).join(", ");
                say!("    without what is broken it must pass, but: {objected} {:?}", control.violation);
            }
        }
    }
    if json {
        say!("{}", Value::Array(rows));
    }
    exit(all)
}

fn measure(campaign: &Campaign, plan: fn(u64) -> Plan) -> (Tally, f64) {
    let cpu = cpu_seconds();
    let tally = campaign.run(plan, |report| {
        if report.finding.word() != "pass" {
            eprintln!("seed {} {}: {}", report.seed, report.finding.word(), evidence(&report.finding));
        }
    });
    (tally, (cpu_seconds() - cpu).max(0.01))
}

fn resume_campaign(campaign: &Campaign, goal: &Goal, file: &Path, plan: fn(u64) -> Plan, traces: &Path) -> ExitCode {
    let run = |piece: &Campaign| {
        let (tally, cpu) = measure(piece, plan);
        tell_failed(&tally.failed, plan, traces);
        // One that ran out of time is not whole.
        let whole = tally.runs == piece.seeds.end - piece.seeds.start;
        (whole && tally.failed.is_empty(), tally_to_json(&tally, cpu))
    };
    match pieces::resume(campaign, file, run) {
        Ok(sums) => {
            let [runs, operations, faults] = ["runs", "operations", "fault_count"].map(|number| sums.of(number));
            let [hours, cpu] = ["virtual_hours", "cpu_seconds"].map(|number| sums.of(number));
            say!(
                "{runs} runs, {operations} operations judged, {faults} faults, {hours:.1} cluster-hours, {cpu:.1} s of CPU"
            );
            let of_classes = sums.of_each("faults").into_iter().map(|(class, count)| (class, count as u64)).collect();
            let reached = goal.is_reached(runs as u64, operations as u64, &of_classes);
            exit(sums.passed && reached)
        }
        Err(error) => {
            eprintln!("error: {}: {error}", file.display());
            ExitCode::FAILURE
        }
    }
}

fn run_campaign(
    campaign: &Campaign,
    plan: fn(u64) -> Plan,
    goal: &Goal,
    same_as: Option<&Path>,
    json: bool,
) -> ExitCode {
    let (tally, cpu) = measure(campaign, plan);
    let same = same_as.is_none_or(|file| is_same(&tally, file));
    let passed = tally.failed.is_empty() && same;
    if json {
        say!("{}", tally_to_json(&tally, cpu));
    } else {
        tell_tally(&tally, cpu);
    }
    tell_failed(&tally.failed, plan, Path::new(""));
    let of_classes = tally.faults.iter().map(|(class, count)| ((*class).to_owned(), *count)).collect();
    let reached = goal.is_reached(tally.runs, tally.operations, &of_classes);
    exit(passed && reached)
}

/// Whether all digests are those in a file; says so if not.
fn is_same(tally: &Tally, file: &Path) -> bool {
    let told = std::fs::read_to_string(file).map_err(|error| error.to_string());
    match told.and_then(|told| tally.differs_from(&told)) {
        Ok(other) if other.is_empty() => return true,
        Ok(other) => eprintln!("error: not the runs of {}: the seeds {other:?} have other digests", file.display()),
        Err(error) => eprintln!("error: {}: {error}", file.display()),
    }
    false
}

fn tally_to_json(tally: &Tally, cpu: f64) -> Value {
    json!({
        "runs": tally.runs,
        "operations": tally.operations,
        "faults": tally.faults,
        "fault_count": tally.fault_count(),
        "apart": tally.apart,
        "virtual_hours": tally.virtual_time.as_secs_f64() / 3600.0,
        "cpu_seconds": cpu,
        "hours_per_cpu_hour": tally.virtual_time.as_secs_f64() / cpu,
        "operations_per_cpu_second": tally.operations as f64 / cpu,
        "events_per_cpu_second": tally.events as f64 / cpu,
        "faults_per_cpu_second": tally.fault_count() as f64 / cpu,
        "refused_starts": tally.refused_starts,
        "refused_peers": tally.refused_peers,
        "disk_failures": tally.disk_failures,
        "silent_losses": tally.silent_losses,
        "failed": tally.failed.iter().map(|report| report.seed).collect::<Vec<_>>(),
    })
}

fn tell_tally(tally: &Tally, cpu: f64) {
    for (class, count) in &tally.faults {
        say!("{class:<22} {count:>10}");
    }
    say!("counted apart, as what faults bring about or chance does:");
    for (name, count) in &tally.apart {
        say!("{name:<22} {count:>10}");
    }
    say!(
        "{} runs, {} operations judged, {} faults that hit, {} failed",
        tally.runs,
        tally.operations,
        tally.fault_count(),
        tally.failed.len()
    );
    let hours = tally.virtual_time.as_secs_f64() / 3600.0;
    say!(
        "{hours:.1} cluster-hours in {cpu:.1} s of CPU: {:.0} per CPU-hour; per CPU-second {:.0} events, {:.0} operations, \
         {:.0} faults",
        hours / (cpu / 3600.0),
        tally.events as f64 / cpu,
        tally.operations as f64 / cpu,
        tally.fault_count() as f64 / cpu
    );
    say!(
        "{} starts refused for damage, {} processes ended by their disk, {} peers refused, {} losses made up for",
        tally.refused_starts,
        tally.disk_failures,
        tally.refused_peers,
        tally.silent_losses
    );
}

/// The time that this process has worked, in seconds.
fn cpu_seconds() -> f64 {
    let usage = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Fields 14 and 15, in hundredths; the name before may have spaces, and ends with a bracket.
    let fields = usage.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u64 = fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    ticks as f64 / 100.0
}

#[cfg(test)]
mod tests {
    use super::super::network::Links;
    use super::*;

    /// Of three seeds the middle one cannot begin: no frame arrives whole.
    fn plan(seed: u64) -> Plan {
        let mut plan = Plan { users: 0, length: Duration::ZERO, faults: Vec::new(), ..Plan::of(seed) };
        if seed == 1 {
            plan.setup.links = Links { damaged: 1000, ..plan.setup.links };
        }
        plan
    }

    #[test]
    fn a_resumed_campaign_leaves_traces_of_the_seeds_that_fail() {
        let directory = tempfile::tempdir().expect("there is room");
        let file = directory.path().join("pieces.jsonl");
        let campaign = Campaign { seeds: 0..3, time: Duration::MAX, threads: 1 };
        resume_campaign(&campaign, &Goal { operations: 0, faults: 0 }, &file, plan, directory.path());
        let names = std::fs::read_dir(directory.path()).expect("it is there").flatten().map(|entry| entry.file_name());
        assert_eq!(names.collect::<Vec<_>>(), ["seed-1"], "nothing of what passed, and no line for the piece");
        for process in 0..Plan::of(1).setup.nodes {
            let file = directory.path().join(format!("seed-1/process-{process}.trace.json"));
            let text = std::fs::read_to_string(file).expect("every process left a trace");
            let trace: Value = serde_json::from_str(&text).expect("it is JSON");
            assert_eq!(trace["property"], "WholeRun");
        }
    }

    #[test]
    fn a_run_that_fails_without_any_fault_can_be_repeated() {
        let parsed =
            Command::try_parse_from(["quorate-sim", "run", "--seed", "3", "--only"]).expect("it is understood");
        assert!(matches!(parsed, Command::Run { seed: 3, only: Some(only), .. } if only.is_empty()));
    }
}
