//! The search judge: is there any order of the operations on a key that explains what was read?
//!
//! It believes only times and values, and shares no code with the [certificate](super::certificate). Keys are judged one
//! by one, because linearizability is composable (Herlihy and Wing, 1990). The search puts operations in order one after
//! the other (Wing and Gong, 1993) and remembers where it has been (Lowe, 2017); an operation of unknown outcome may come
//! at any time after its invocation, or never. It keeps its own stack, so a long history does not overflow ours.

mod explore;
mod pending;
mod readings;
mod sources;

use super::{Call, Operation, Outcome, Report, Verdict, show};
use crate::violation::Violation;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use explore::{Ending, Explorer};

/// The property's name.
pub const NAME: &str = "Linearizable";

/// Judges a history by its times and values. `budget` is the number of steps that may be spent on each key.
pub fn judge(operations: &[Operation], budget: u64) -> (Verdict, Report) {
    let mut report = Report::new(operations);
    let mut keys: BTreeMap<&[u8], Vec<&Operation>> = BTreeMap::new();
    for operation in operations {
        if let Err(violation) = operation.well_formed() {
            return (Verdict::Fail(violation), report);
        }
        // What certainly had no effect, and what was asked and never answered, explains nothing and needs no explanation.
        let silent = operation.outcome == Outcome::Failed
            || (operation.outcome == Outcome::Unknown && matches!(operation.call, Call::Get));
        if !silent {
            keys.entry(&operation.key).or_default().push(operation);
        }
    }
    for (key, mut operations) in keys {
        operations.sort_by_key(|operation| operation.invoked);
        let mut explorer = Explorer::new(&operations);
        let ending = explorer.run(budget);
        report.steps += explorer.steps();
        match ending {
            Ending::Explained => {}
            Ending::OutOfBudget => drop(report.out_of_budget.insert(key.into())),
            Ending::Unexplained { fitted, read } => {
                let read =
                    read.map_or_else(String::new, |read| format!(", at best up to {}", operations[read].describe()));
                let evidence = format!(
                    "no order explains key {}: {fitted} of {} operations fit{read}",
                    show(key),
                    operations.len()
                );
                return (Verdict::Fail(Violation::new(NAME, evidence)), report);
            }
        }
    }
    if report.out_of_budget.is_empty() {
        return (Verdict::Pass, report);
    }
    let names: Vec<String> = report.out_of_budget.iter().map(|key| show(key)).collect();
    (Verdict::Unknown(format!("the search ran out of its {budget} steps on the keys {}", names.join(", "))), report)
}
