//! Campaigns: the long form of a test, in pieces of a cluster each, with figures.
//!
//! `QUORATE_<NAME>=N` says how much there is to do. With `QUORATE_CAMPAIGNS=DIR` the figures of every piece are a line of
//! `DIR/<name>.jsonl`, and a campaign that was interrupted goes on after the pieces that are there.

use crate::recorder::Recording;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

/// What came of a piece, or of all.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// How much of the campaign this is: kills, cuts, moves.
    pub count: u64,
    /// Operations of clients, all judged.
    pub operations: u64,
    /// Those of them that were acknowledged.
    pub acknowledged: u64,
    /// Wall-clock seconds.
    pub seconds: f64,
    /// What was waited for, in milliseconds, by what it was.
    pub waits_ms: BTreeMap<String, Vec<f64>>,
}

impl Figures {
    /// What a history says.
    pub fn of(count: u64, recording: &Recording) -> Self {
        let acknowledged = recording.operations.iter().filter(|operation| operation.over().is_some()).count() as u64;
        let longest = recording.longest.as_secs_f64() * 1e3;
        let figures = Self { count, operations: recording.operations.len() as u64, acknowledged, ..Self::default() };
        figures.waited("longest operation of a piece", vec![longest])
    }

    /// The same with what was waited for.
    pub fn waited(mut self, what: &str, waits_ms: Vec<f64>) -> Self {
        self.waits_ms.entry(what.to_owned()).or_default().extend(waits_ms);
        self
    }
}

/// A campaign of that name.
#[derive(Debug)]
pub struct Campaign {
    name: &'static str,
    goal: u64,
    file: Option<PathBuf>,
}

impl Campaign {
    /// As the environment says; `usual` is how much is done if it says nothing.
    pub fn new(name: &'static str, usual: u64) -> Self {
        let asked = std::env::var(format!("QUORATE_{}", name.to_uppercase())).ok();
        let goal = asked.map_or(usual, |goal| goal.parse().expect("a campaign's goal is a number"));
        let file = std::env::var_os("QUORATE_CAMPAIGNS").map(|directory| PathBuf::from(directory).join(name));
        Self { name, goal, file: file.map(|file| file.with_extension("jsonl")) }
    }

    /// Whether it is the long form.
    pub fn is_long(&self) -> bool {
        self.file.is_some()
    }

    /// Does what is left of it, at most `most` at a time. Every piece is told its number and how much it is to do, and
    /// panics if anything is wrong.
    pub async fn run(self, most: u64, piece: impl AsyncFn(u64, u64) -> Figures) {
        let mut pieces = self.done();
        let mut total = sum(&pieces);
        while total.count < self.goal {
            let begun = Instant::now();
            let mut figures = piece(pieces.len() as u64, most.min(self.goal - total.count)).await;
            figures.seconds = begun.elapsed().as_secs_f64();
            assert!(figures.count > 0, "a piece does something");
            self.keep(&figures);
            pieces.push(figures);
            total = sum(&pieces);
            println!("{}: {} of {}, {} operations judged", self.name, total.count, self.goal, total.operations);
        }
        println!("{}", self.report(total));
    }

    fn done(&self) -> Vec<Figures> {
        let text = self.file.as_ref().and_then(|file| fs::read_to_string(file).ok()).unwrap_or_default();
        // A last line that was cut off is a piece that is not done.
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    fn keep(&self, figures: &Figures) {
        let Some(path) = &self.file else { return };
        let file = File::options().create(true).append(true).open(path);
        let mut file = file.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let line = serde_json::to_string(figures).expect("figures are JSON");
        writeln!(file, "{line}").expect("there is space for a line");
    }

    /// Everything in one line of JSON.
    fn report(&self, total: Figures) -> serde_json::Value {
        let waits: BTreeMap<_, _> = total.waits_ms.into_iter().map(|(what, waits)| (what, spread(waits))).collect();
        serde_json::json!({
            "campaign": self.name, "count": total.count, "operations": total.operations,
            "acknowledged": total.acknowledged, "seconds": total.seconds.round(), "waits_ms": waits,
        })
    }
}

fn sum(pieces: &[Figures]) -> Figures {
    let mut total = Figures::default();
    for piece in pieces {
        total.count += piece.count;
        total.operations += piece.operations;
        total.acknowledged += piece.acknowledged;
        total.seconds += piece.seconds;
        for (what, waits) in &piece.waits_ms {
            total.waits_ms.entry(what.clone()).or_default().extend(waits);
        }
    }
    total
}

/// How many there are, their median, 99th percentile and the longest.
fn spread(mut waits: Vec<f64>) -> serde_json::Value {
    waits.sort_by(f64::total_cmp);
    let rank = |percent: usize| {
        let nth = (waits.len() * percent).div_ceil(100).saturating_sub(1);
        waits.get(nth).map(|wait| (wait * 10.0).round() / 10.0)
    };
    serde_json::json!({ "n": waits.len(), "p50": rank(50), "p99": rank(99), "max": rank(100) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    async fn run(file: &std::path::Path, goal: u64, begun: &RefCell<Vec<(u64, u64)>>) {
        let campaign = Campaign { name: "test", goal, file: Some(file.to_path_buf()) };
        let piece = async |number, count| {
            begun.borrow_mut().push((number, count));
            Figures { count, ..Figures::default() }
        };
        campaign.run(10, piece).await;
    }

    #[tokio::test]
    async fn a_campaign_goes_on_where_it_was_interrupted() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let (file, begun) = (directory.path().join("test.jsonl"), RefCell::default());
        run(&file, 25, &begun).await;
        assert_eq!(*begun.borrow(), [(0, 10), (1, 10), (2, 5)]);
        let mut text = fs::read_to_string(&file).expect("it was kept");
        text.truncate(text.len() - 5);
        fs::write(&file, text + "\n").expect("it can be written");
        run(&file, 22, &begun).await;
        assert_eq!(begun.borrow()[3..], [(2, 2)], "the piece that was cut off is done again");
    }

    #[test]
    fn a_spread_is_by_rank() {
        let of = |waits: Vec<f64>| spread(waits).to_string();
        assert_eq!(of((1..=200).map(f64::from).collect()), r#"{"max":200.0,"n":200,"p50":100.0,"p99":198.0}"#);
        assert_eq!(of(vec![3.0]), r#"{"max":3.0,"n":1,"p50":3.0,"p99":3.0}"#);
        assert_eq!(of(Vec::new()), r#"{"max":null,"n":0,"p50":null,"p99":null}"#);
    }
}
