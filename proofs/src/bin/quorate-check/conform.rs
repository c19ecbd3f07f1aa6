//! `conform`: recorded runs of real nodes, judged by the specification.

use crate::Refusal;
use quorate_proofs::conform::{Checker, Verdict, conform as judge, read};
use quorate_spec::trace::Event;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::ExitCode;

/// What is shown of a state: the rest follows from it.
const SHOWN: [&str; 7] = ["memory", "disk", "role", "commit", "told", "committed", "lane"];

pub(crate) fn conform(files: &[PathBuf], as_json: bool) -> Result<ExitCode, Refusal> {
    let checker = Checker::find()?;
    let (mut answers, mut refused) = (Vec::new(), false);
    for (group, events) in read(files)? {
        let verdict = judge(&checker, &events)?;
        refused |= verdict != Verdict::Accepted;
        if as_json {
            answers.push(answer(&group.to_string(), &events, &verdict));
        } else {
            tell(&group.to_string(), &events, &verdict);
        }
    }
    if as_json {
        say!("{}", Value::Array(answers));
    }
    Ok(if refused { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

fn answer(group: &str, events: &[Event], verdict: &Verdict) -> Value {
    match verdict {
        Verdict::Accepted => json!({ "group": group, "events": events.len(), "accepted": true }),
        Verdict::Refused { explained, state, broken } => json!({
            "group": group, "events": events.len(), "accepted": false, "explained": explained,
            "event": events[*explained], "before": state, "breaks": broken,
        }),
    }
}

fn tell(group: &str, events: &[Event], verdict: &Verdict) {
    let count = events.len();
    let Verdict::Refused { explained, state, broken } = verdict else {
        say!("group {group}: accepted, all {count} events");
        return;
    };
    say!("group {group}: refused, {explained} of {count} events are explained and the next one is not:");
    say!("  {}", json!(events[*explained]));
    if let Some(property) = broken {
        say!("it breaks {property}");
    }
    say!("before it:");
    for name in SHOWN {
        say!("  {name} {}", state.get(name).unwrap_or(&Value::Null));
    }
}
