//! The judges, one by one: who objects to a run.

use super::faults::IDENTITY;
use super::judge::PROGRESS;
use super::steps::FRAMES;
use super::storage::RECOVERY;
use super::world::World;
use quorate_spec::history::{Verdict, at_most_once, certificate, search};
use std::collections::BTreeSet;

/// Who judges a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Judge {
    /// The order that positions claim explains the history.
    Certificate,
    /// Some order explains it.
    Search,
    /// No token is there twice.
    AtMostOnce,
    /// The specification's invariants, as it goes.
    Invariants,
    /// What was durable is found again.
    Recovery,
    /// No damaged frame is taken.
    Frames,
    /// Everybody gets on.
    Progress,
    /// Of two processes with one identity one stops.
    Identity,
}

impl Judge {
    /// Every judge.
    pub const ALL: [Self; 8] = [
        Self::Certificate,
        Self::Search,
        Self::AtMostOnce,
        Self::Invariants,
        Self::Recovery,
        Self::Frames,
        Self::Progress,
        Self::Identity,
    ];
}

/// Steps that the search may take for one key.
const BUDGET: u64 = 1_000_000;

/// The judges that object to a run.
pub fn objections(world: &World) -> BTreeSet<Judge> {
    let fails = |verdict| matches!(verdict, Verdict::Fail(_));
    let mut judges = BTreeSet::new();
    if let Some(violation) = world.violation() {
        judges.insert(match violation.property {
            RECOVERY => Judge::Recovery,
            FRAMES => Judge::Frames,
            PROGRESS => Judge::Progress,
            IDENTITY => Judge::Identity,
            _ => Judge::Invariants,
        });
    }
    let history = &world.history;
    let of_histories = [
        (Judge::Certificate, fails(certificate::judge(history).0)),
        (Judge::Search, fails(search::judge(history, BUDGET).0)),
        (Judge::AtMostOnce, fails(at_most_once::judge(history))),
    ];
    judges.extend(of_histories.into_iter().filter(|(_, fails)| *fails).map(|(judge, _)| judge));
    judges
}
