//! What a campaign must reach.

use super::faults::CLASSES;
use std::collections::BTreeMap;

/// What a campaign must reach, or it proves less than it is run for.
pub(super) struct Goal {
    pub(super) operations: u64,
    pub(super) faults: u64,
}

/// So many runs meet every class of faults.
const MEETS_ALL: u64 = 200;

impl Goal {
    /// What was not reached, in words.
    pub(super) fn misses(&self, runs: u64, operations: u64, faults: &BTreeMap<String, u64>) -> Vec<String> {
        let sum: u64 = faults.values().sum();
        let mut misses = Vec::new();
        if operations < self.operations {
            misses.push(format!("{operations} operations were judged, fewer than {}", self.operations));
        }
        if sum < self.faults {
            misses.push(format!("{sum} faults hit, fewer than {}", self.faults));
        }
        let missing = CLASSES.iter().filter(|class| faults.get(**class).is_none_or(|count| *count == 0));
        let missing: Vec<&str> = missing.copied().collect();
        if runs >= MEETS_ALL && !missing.is_empty() {
            misses.push(format!("no fault of these classes hit: {}", missing.join(", ")));
        }
        misses
    }

    /// Says what was not reached. Whether all was.
    pub(super) fn is_reached(&self, runs: u64, operations: u64, faults: &BTreeMap<String, u64>) -> bool {
        let misses = self.misses(runs, operations, faults);
        misses.iter().for_each(|miss| eprintln!("error: {miss}"));
        misses.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_campaign_that_did_too_little_says_what_it_lacks() {
        let mut faults: BTreeMap<String, u64> = CLASSES.iter().map(|class| ((*class).to_owned(), 2)).collect();
        let all = 2 * CLASSES.len() as u64;
        let goal = Goal { operations: 10, faults: all };
        assert_eq!(goal.misses(200, 10, &faults), Vec::<String>::new());
        assert_eq!(goal.misses(200, 9, &faults), ["9 operations were judged, fewer than 10"]);
        faults.insert("twin".into(), 0);
        let few = format!("{} faults hit, fewer than {all}", all - 2);
        assert_eq!(goal.misses(200, 10, &faults), [few.clone(), "no fault of these classes hit: twin".into()]);
        assert_eq!(goal.misses(199, 10, &faults), [few]);
    }
}
