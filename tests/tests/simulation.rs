//! Whole clusters on simulated disks and networks: a fixed range of seeds, determinism, and the runs that must fail.

use quorate_tests::sim::campaign::{Campaign, Tally};
use quorate_tests::sim::canaries::CANARIES;
use quorate_tests::sim::cli::tell_failed;
use quorate_tests::sim::faults::{APART, CLASSES};
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
    if !failed.is_empty() {
        tell_failed(&tally.failed, Plan::of, &tempfile::tempdir().expect("a temporary directory").keep());
    }
    assert!(failed.is_empty(), "{failed:?}");
    for class in CLASSES {
        let count = tally.faults.get(class).copied().unwrap_or(0);
        println!("{class:<22} {count:>8}");
        assert!(count > 0, "no {class} in {} runs", tally.runs);
    }
    // Another build has to come to the same: see tests/run.
    let digests = concat!(env!("CARGO_TARGET_TMPDIR"), "/simulation.digests");
    std::fs::write(digests, tally.tell_digests()).expect("the directory of the tests is writable");
    println!("{} operations, {} faults, {:?}", tally.operations, tally.fault_count(), tally.virtual_time);
    for class in APART {
        let count = tally.apart.get(class).copied().unwrap_or(0);
        println!("{class:<22} {count:>8} (apart)");
        assert!(count > 0, "no {class} in {} runs", tally.runs);
    }
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
fn digests_are_compared_seed_by_seed() {
    let digests = |pairs: &[(u64, u64)]| Tally { digests: pairs.iter().copied().collect(), ..Tally::default() };
    let tally = digests(&[(1, 0xa), (2, 0xb), (3, 0xc)]);
    let differs = |pairs| tally.differs_from(&digests(pairs).tell_digests());
    assert_eq!(differs(&[(1, 0xa), (3, 0xc)]), Ok(vec![]));
    assert_eq!(differs(&[(0, 0xa), (1, 0xa), (2, 0xa)]), Ok(vec![2]));
    assert!(differs(&[(7, 0xa)]).is_err() && tally.differs_from("1: a").is_err());
}

#[test]
fn every_canary_fails() {
    let survivors = CANARIES.iter().map(|canary| (canary, canary.sing())).filter(|(it, song)| !it.is_dead(song));
    let survivors: Vec<_> = survivors.map(|(it, song)| (it.name, song.objections, song.missing)).collect();
    assert!(survivors.is_empty(), "not noticed, or something else: {survivors:?}");
}

#[test]
fn no_canary_fails_without_what_is_broken() {
    let controls = CANARIES.iter().map(|canary| (canary.name, canary.control())).filter(|(_, song)| !song.is_alive());
    let failed: Vec<_> = controls.map(|(name, song)| (name, song.objections, song.violation)).collect();
    assert!(failed.is_empty(), "{failed:?}");
}

#[test]
fn every_judge_and_every_class_has_a_canary() {
    let judges: BTreeSet<Judge> = CANARIES.iter().flat_map(|canary| canary.judges).copied().collect();
    assert_eq!(judges, BTreeSet::from(Judge::ALL));
    let classes: BTreeSet<&str> = CANARIES.iter().flat_map(|canary| canary.classes).copied().collect();
    assert_eq!(classes, CLASSES.into_iter().chain(APART).collect());
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
