//! `quorate-sim run`, `campaign`: simulated clusters, each from one seed.
//! `quorate-sim judge HISTORY`: hands a recorded history (JSON lines, as the demo writes them) to every judge.
//! `quorate-sim replay RECORD`: steps the core through what a node recorded (`quorate node --record`).
//! `quorate-sim mutants`: hunts every deliberate bug of the shell, in a build that has them.
//!
//! Exit code 0 only if every judge says that it holds, or every effect is the same; 1 if not, or if that cannot be told;
//! 2 for bad usage. With `--json` standard output is one JSON value.

use quorate::history::{describe, judge, read as read_history};
use quorate_tests::replay::{self, replay};
use quorate_tests::say;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(code) = quorate_tests::sim::cli::command(&arguments) {
        return code;
    }
    let given = arguments.len();
    arguments.retain(|argument| argument != "--json");
    let json = arguments.len() < given;
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["judge", file] if !json => judge_history(file),
        ["replay", file] => replay_record(file, None, json),
        ["replay", file, "--trace", trace] => replay_record(file, Some(trace), json),
        ["mutants"] => mutants(json),
        _ => usage(),
    }
}

fn judge_history(file: &str) -> ExitCode {
    let read = File::open(file).map_err(|error| error.to_string());
    let operations = match read.and_then(|file| read_history(BufReader::new(file)).map_err(|error| error.to_string())) {
        Ok(operations) => operations,
        Err(error) => {
            eprintln!("error: {file}: {error}");
            return ExitCode::FAILURE;
        }
    };
    let judgement = judge(&operations);
    say!("{} operations", operations.len());
    say!("linearizable  {}", describe(&judgement.linearizable));
    say!("at most once  {}", describe(&judgement.at_most_once));
    if judgement.linearizable() && judgement.at_most_once() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn replay_record(file: &str, trace: Option<&str>, json: bool) -> ExitCode {
    let replayed = match trace {
        None => replay(Path::new(file)),
        Some(trace) => match replay::trace(Path::new(file)) {
            Err(error) => Err(error.into()),
            Ok((told, replayed)) => {
                if let Err(error) = std::fs::write(trace, told.to_string()) {
                    eprintln!("error: {trace}: {error}");
                    return ExitCode::FAILURE;
                }
                replayed
            }
        },
    };
    match replayed {
        Ok(replayed) if json => say!("{}", serde_json::json!({ "same": true, "record": replayed })),
        Ok(replayed) => say!(
            "node {}, boot {}: {} inputs, {} effects, all the same (the record is {:?})",
            replayed.node.get(),
            replayed.boot.get(),
            replayed.inputs,
            replayed.effects,
            replayed.end
        ),
        Err(error) => {
            if json {
                say!("{}", serde_json::json!({ "same": false, "error": error.to_string() }));
            }
            eprintln!("error: {file}: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// Exit code 0 only if every mutant is killed and every scope passes without one.
#[cfg(feature = "mutants")]
fn mutants(json: bool) -> ExitCode {
    use quorate_tests::shell::{SCOPES, mutants};
    // Mutants may panic, which is no kill; nobody wants to read it.
    std::panic::set_hook(Box::new(|_| {}));
    let mut good = true;
    for scope in SCOPES {
        let begun = std::time::Instant::now();
        let passed = mutants::passes(scope);
        let seconds = begun.elapsed().as_secs_f64();
        match &passed {
            Ok(steps) if !json => say!("{:<28} passes  {steps} steps, {seconds:.2} s", scope.name),
            Ok(_) => {}
            Err(broken) => eprintln!("error: {} is broken without any mutant: {broken:?}", scope.name),
        }
        good &= passed.is_ok();
    }
    let mut verdicts = Vec::new();
    for row in mutants::TABLE {
        let verdict = mutants::hunt(row);
        let fate = if verdict.killed_by.is_some() { "killed" } else { "ALIVE" };
        if !json {
            let mutants::Verdict { name, property, scope, seconds, evidence, .. } = &verdict;
            say!("{name:<28} {fate:<7} {property} in {scope}, {seconds:.2} s: {evidence}");
            if !row.stands_for.is_empty() {
                say!("{:<28} is in the shell the same as {}", "", row.stands_for.join(", "));
            }
        }
        good &= verdict.killed_by.is_some();
        verdicts.push(verdict);
    }
    if json {
        say!("{}", serde_json::json!(verdicts));
    }
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[cfg(not(feature = "mutants"))]
fn mutants(_json: bool) -> ExitCode {
    eprintln!(
        "error: this build has no deliberate bugs in it: cargo run -p quorate-tests --features mutants --bin quorate-sim -- mutants"
    );
    ExitCode::FAILURE
}

fn usage() -> ExitCode {
    eprintln!(
        "usage: quorate-sim run --seed N [--json]\n       quorate-sim campaign --seeds A..B [--seconds S] \
         [--at-least-operations N] [--at-least-faults N] [--json]\n       \
         quorate-sim canaries [--json]\n       quorate-sim judge HISTORY\n       \
         quorate-sim replay RECORD [--trace FILE] [--json]\n       quorate-sim mutants [--json]\n  \
         for example: quorate demo --keep /tmp/demo && quorate-sim judge /tmp/demo/history.jsonl"
    );
    ExitCode::from(2)
}
