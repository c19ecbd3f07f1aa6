//! Whole clusters on simulated disks and networks: a fixed range of seeds, determinism, and the runs that must fail.

use quorate_tests::sim::campaign::Campaign;
use quorate_tests::sim::canaries::CANARIES;
use quorate_tests::sim::faults::{APART, CLASSES};
use quorate_tests::sim::plan::Plan;
use quorate_tests::sim::run::run;
use quorate_tests::sim::verdicts::Judge;
use std::collections::BTreeSet;
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
