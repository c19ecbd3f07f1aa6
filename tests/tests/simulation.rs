//! Whole clusters on simulated disks and networks: a fixed range of seeds, determinism, and the runs that must fail.

use quorate_tests::sim::campaign::Campaign;
use quorate_tests::sim::canaries::CANARIES;
use quorate_tests::sim::faults::CLASSES;
use quorate_tests::sim::plan::Plan;
use quorate_tests::sim::run::run;
use quorate_tests::sim::verdicts::Judge;
use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::time::Duration;

#[test]
fn a_range_of_seeds_passes_and_meets_every_class_of_faults() {
    let campaign = Campaign { seeds: 0..40, time: Duration::MAX, threads: 2 };
    let tally = campaign.run(Plan::of, |_| {});
    let failed: Vec<_> = tally.failed.iter().map(|report| (report.seed, report.finding.clone())).collect();
    assert!(failed.is_empty(), "{failed:?}: look closer with quorate-sim run --seed N --shrink");
    for class in CLASSES {
        let count = tally.faults.get(class).copied().unwrap_or(0);
        println!("{class:<22} {count:>8}");
        assert!(count > 0, "no {class} in {} runs", tally.runs);
    }
    println!("{} operations, {} faults, {:?}", tally.operations, tally.fault_count(), tally.virtual_time);
    assert!(tally.messages.iter().all(|count| *count > 0), "{:?}", tally.messages);
    assert!(tally.refused_starts > 0 && tally.refused_peers > 0 && tally.disk_failures > 0);
}

#[test]
fn one_seed_is_one_run() {
    let reports = [(), ()].map(|()| run(&Plan::of(7)));
    assert_eq!(reports[0].digest, reports[1].digest);
    assert_eq!(reports[0].counts, reports[1].counts);
    assert_ne!(reports[0].digest, run(&Plan::of(8)).digest);
}

/// 179: on a full and slow disk the world looked for space again and again at one moment. 181: two faults put one process's
/// directory aside, and the wrong one came back. 233: a segment of the log was prepared over one that was in use.
#[test]
fn denser_runs_that_failed_once_pass() {
    for seed in [179, 181, 233] {
        let report = run(&Plan::dense(seed));
        assert_eq!(report.finding.word(), "pass", "quorate-sim run --dense --seed {seed}: {:?}", report.finding);
    }
}

#[test]
fn every_canary_fails() {
    let survivors: Vec<_> = CANARIES.iter().filter(|canary| !canary.is_dead()).map(|canary| canary.name).collect();
    assert!(survivors.is_empty(), "not noticed: {survivors:?}");
}

#[test]
fn every_judge_and_every_class_has_a_canary() {
    let judges: BTreeSet<Judge> = CANARIES.iter().flat_map(|canary| canary.judges).copied().collect();
    assert_eq!(judges, BTreeSet::from(Judge::ALL));
    let classes: BTreeSet<&str> = CANARIES.iter().flat_map(|canary| canary.classes).copied().collect();
    assert_eq!(classes, BTreeSet::from(CLASSES));
}

/// A reader that has gone away (`| head`) changes nothing but what it reads: no panic, and the exit code is that of the run.
#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let history = tempfile::NamedTempFile::new().expect("an empty history");
    let history = history.path().to_str().expect("its name is text");
    let cases: [&[&str]; 5] = [
        &["run", "--seed", "1"],
        &["run", "--seed", "1", "--json"],
        &["campaign", "--seeds", "0..1"],
        &["campaign", "--seeds", "0..1", "--json"],
        &["judge", history],
    ];
    for arguments in cases {
        let mut command = Command::new(env!("CARGO_BIN_EXE_quorate-sim"));
        let mut child =
            command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        drop(child.stdout.take());
        let ended = child.wait_with_output().expect("it ends");
        let told = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.success() && !told.contains("panicked"), "{arguments:?}: {}: {told}", ended.status);
    }
}
