//! Many seeds, on a few threads, one world on each.

use super::plan::Plan;
use super::run::{Report, run};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What a campaign is.
#[derive(Clone, Debug)]
pub struct Campaign {
    /// The seeds.
    pub seeds: Range<u64>,
    /// How long new runs are begun.
    pub time: Duration,
    /// How many worlds run at once.
    pub threads: usize,
}

/// What came of a campaign.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Runs.
    pub runs: u64,
    /// Operations judged.
    pub operations: u64,
    /// Faults that hit, by class.
    pub faults: BTreeMap<&'static str, u64>,
    /// What is counted apart from them.
    pub apart: BTreeMap<&'static str, u64>,
    /// Virtual time of all clusters.
    pub virtual_time: Duration,
    /// Events.
    pub events: u64,
    /// Starts refused because of damage.
    pub refused_starts: u64,
    /// Peers refused.
    pub refused_peers: u64,
    /// Processes that ended because their disk failed.
    pub disk_failures: u64,
    /// Losses that the others made up for.
    pub silent_losses: u64,
    /// The digest of each seed's run.
    pub digests: BTreeMap<u64, u64>,
    /// Runs that did not pass.
    pub failed: Vec<Report>,
}

impl Tally {
    /// Takes a run in.
    pub fn add(&mut self, report: Report) {
        self.runs += 1;
        self.operations += report.operations as u64;
        for (class, count) in &report.faults {
            *self.faults.entry(class).or_default() += count;
        }
        for (class, count) in &report.apart {
            *self.apart.entry(class).or_default() += count;
        }
        self.virtual_time += report.virtual_time;
        self.events += report.counts.events;
        self.refused_starts += report.counts.refused_starts;
        self.refused_peers += report.counts.refused_peers;
        self.disk_failures += report.counts.disk_failures;
        self.digests.insert(report.seed, report.digest);
        self.silent_losses += report.counts.silent_losses;
        if report.finding.word() != "pass" {
            self.failed.push(report);
        }
    }

    /// All faults. What is counted apart is none.
    pub fn fault_count(&self) -> u64 {
        self.faults.values().sum()
    }

    /// The digests as text, to be compared [by another build](Self::differs_from): a line for each seed.
    pub fn tell_digests(&self) -> String {
        self.digests.iter().map(|(seed, digest)| format!("{seed} {digest:016x}\n")).collect()
    }

    /// The seeds whose digest is another one in `told`, and those of this campaign that it does not tell are passed over.
    ///
    /// # Errors
    /// A line that is none of [`Self::tell_digests`], or no seed in common.
    pub fn differs_from(&self, told: &str) -> Result<Vec<u64>, String> {
        let (mut common, mut other) = (0, Vec::new());
        for line in told.lines() {
            let parts = line
                .split_once(' ')
                .and_then(|(seed, digest)| Some((seed.parse::<u64>().ok()?, u64::from_str_radix(digest, 16).ok()?)));
            let (seed, digest) = parts.ok_or_else(|| format!("{line:?} is not a seed and its digest"))?;
            if let Some(own) = self.digests.get(&seed) {
                common += 1;
                other.extend((*own != digest).then_some(seed));
            }
        }
        if common == 0 { Err("it tells none of these seeds".into()) } else { Ok(other) }
    }
}

impl Campaign {
    /// Runs it. `done` hears of every run.
    pub fn run(&self, plan: impl Fn(u64) -> Plan + Sync, done: impl Fn(&Report) + Sync) -> Tally {
        let begun = Instant::now();
        let (next, tally) = (AtomicU64::new(self.seeds.start), Mutex::new(Tally::default()));
        std::thread::scope(|scope| {
            for _ in 0..self.threads.max(1) {
                scope.spawn(|| {
                    while begun.elapsed() < self.time {
                        let seed = next.fetch_add(1, Ordering::Relaxed);
                        if seed >= self.seeds.end {
                            break;
                        }
                        let report = run(&plan(seed));
                        done(&report);
                        tally.lock().expect("nobody panics while adding").add(report);
                    }
                });
            }
        });
        let mut tally = tally.into_inner().expect("nobody panics while adding");
        tally.failed.sort_by_key(|report| report.seed);
        tally
    }
}
