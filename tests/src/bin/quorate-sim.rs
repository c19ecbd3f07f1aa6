//! `quorate-sim run`, `campaign`: simulated clusters. `quorate-sim judge HISTORY`: hands a recorded history (JSON lines, as the demo writes them) to every judge.
//!
//! Exit code 0 only if every judge says that it holds; 1 if one does not or cannot tell; 2 for bad usage.

use quorate::history::{describe, judge, read as read_history};
use std::fs::File;
use std::io::BufReader;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(code) = quorate_tests::sim::cli::command(&arguments) {
        return code;
    }
    let [command, file] = arguments.as_slice() else { return usage() };
    if command != "judge" {
        return usage();
    }
    let read = File::open(file).map_err(|error| error.to_string());
    let operations = match read.and_then(|file| read_history(BufReader::new(file)).map_err(|error| error.to_string())) {
        Ok(operations) => operations,
        Err(error) => {
            eprintln!("error: {file}: {error}");
            return ExitCode::FAILURE;
        }
    };
    let judgement = judge(&operations);
    println!("{} operations", operations.len());
    println!("linearizable  {}", describe(&judgement.linearizable));
    println!("at most once  {}", describe(&judgement.at_most_once));
    if judgement.linearizable() && judgement.at_most_once() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn usage() -> ExitCode {
    eprintln!(
        "usage: quorate-sim run --seed N | canaries | campaign --seeds A..B | judge HISTORY\n  for example: quorate demo --keep /tmp/demo && quorate-sim judge /tmp/demo/history.jsonl"
    );
    ExitCode::from(2)
}
