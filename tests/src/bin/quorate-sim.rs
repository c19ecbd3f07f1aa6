//! `quorate-sim judge HISTORY`: hands a recorded history (JSON lines, as the demo writes them) to every judge.
//!
//! Exit code 0 only if every judge says that it holds; 1 if one does not or cannot tell; 2 for bad usage.

use quorate::history::{describe, judge, read};
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [command, file] = arguments.as_slice() else { return usage() };
    if command != "judge" {
        return usage();
    }
    let operations = match read(Path::new(file)) {
        Ok(operations) => operations,
        Err(error) => {
            eprintln!("error: {file}: {error}");
            return ExitCode::FAILURE;
        }
    };
    let judgement = judge(&operations);
    println!("{} operations", operations.len());
    println!("by log positions      {}", describe(&judgement.certificate));
    println!("by independent search {}", describe(&judgement.search));
    println!("at most once          {}", describe(&judgement.at_most_once));
    if judgement.linearizable() && judgement.at_most_once() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn usage() -> ExitCode {
    eprintln!("usage: quorate-sim judge HISTORY\n  for example: quorate demo --keep /tmp/demo && quorate-sim judge /tmp/demo/history.jsonl");
    ExitCode::from(2)
}
