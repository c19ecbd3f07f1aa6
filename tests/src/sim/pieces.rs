//! A campaign in pieces, each a line of a file: one that was interrupted goes on after the pieces that passed.

use super::campaign::Campaign;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::ops::Range;
use std::path::Path;

/// How many seeds a piece has.
const PIECE: u64 = 100;

/// What a line says of its seeds.
const SEEDS: &str = "seeds";

/// Runs what the file does not say of a campaign, and adds it. `run` runs a piece and says what came of it; a piece that
/// does not pass is not kept. Says whether all passed, and the sums of all numbers of all pieces.
///
/// # Errors
/// The file cannot be read or written.
pub fn resume(campaign: &Campaign, file: &Path, mut run: impl FnMut(&Campaign) -> (bool, Value)) -> io::Result<Sums> {
    let mut known: Vec<Value> = match fs::read_to_string(file) {
        // The last line may be cut: its piece is run again.
        Ok(text) => text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    let mut sums = Sums { passed: true, pieces: Vec::new() };
    for seeds in pieces(&campaign.seeds) {
        let name = format!("{}..{}", seeds.start, seeds.end);
        if let Some(place) = known.iter().position(|line| line[SEEDS] == name.as_str()) {
            sums.pieces.push(known.swap_remove(place));
            continue;
        }
        let (passed, mut line) = run(&Campaign { seeds, ..campaign.clone() });
        line[SEEDS] = name.clone().into();
        eprintln!("seeds {name}: {}", if passed { "pass" } else { "fail" });
        sums.passed &= passed;
        if passed {
            let mut out = OpenOptions::new().create(true).append(true).open(file)?;
            writeln!(out, "{line}")?;
        }
        sums.pieces.push(line);
    }
    Ok(sums)
}

fn pieces(seeds: &Range<u64>) -> impl Iterator<Item = Range<u64>> {
    let end = seeds.end;
    (seeds.start..end).step_by(PIECE as usize).map(move |start| start..end.min(start + PIECE))
}

/// What came of all pieces.
pub struct Sums {
    /// Whether all passed.
    pub passed: bool,
    pieces: Vec<Value>,
}

impl Sums {
    /// The sums of the numbers of an object of all pieces, by their names.
    pub fn of_each(&self, object: &str) -> BTreeMap<String, f64> {
        let mut sums = BTreeMap::new();
        for (name, value) in self.pieces.iter().filter_map(|piece| piece[object].as_object()).flatten() {
            *sums.entry(name.clone()).or_default() += value.as_f64().unwrap_or_default();
        }
        sums
    }

    /// The sum of a number of all pieces.
    pub fn of(&self, number: &str) -> f64 {
        self.pieces.iter().filter_map(|piece| piece[number].as_f64()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn what_passed_is_not_run_again() {
        let directory = tempfile::tempdir().expect("there is room");
        let file = directory.path().join("pieces.jsonl");
        let campaign = Campaign { seeds: 0..250, time: Duration::MAX, threads: 1 };
        let mut ran = Vec::new();
        let once = |fails: u64, ran: &mut Vec<Range<u64>>| {
            resume(&campaign, &file, |piece| {
                ran.push(piece.seeds.clone());
                let runs = piece.seeds.end - piece.seeds.start;
                (piece.seeds.start != fails, serde_json::json!({ "runs": runs, "faults": { "crash": runs } }))
            })
            .expect("it can be written")
        };
        let first = once(100, &mut ran);
        assert!(!first.passed);
        assert_eq!(ran, [0..100, 100..200, 200..250]);
        ran.clear();
        let second = once(u64::MAX, &mut ran);
        assert!(second.passed && second.of("runs") == 250.0);
        assert_eq!(second.of_each("faults"), BTreeMap::from([("crash".to_owned(), 250.0)]));
        assert_eq!(ran.as_slice(), std::slice::from_ref(&(100..200)));
    }
}
