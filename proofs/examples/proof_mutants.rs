//! Puts every fault of `inductive::mutants` into the proofs: each must be refuted, with a counterexample.

use quorate_proofs::inductive::{Options, mutants};
use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    let patient = Options { limit: Duration::from_secs(300), ..Options::default() };
    let (mut rejected, mut alive) = (0, 0);
    for trial in mutants::attempt_all(&patient) {
        match trial {
            Ok(trial) if trial.rejected() => {
                rejected += 1;
                println!("rejected {:<36} {:<48} {:>6.1} s", trial.mutant.name, trial.mutant.refutes, trial.seconds);
            }
            Ok(trial) => {
                alive += 1;
                println!("ALIVE    {:<36} {:?}", trial.mutant.name, trial.verdict);
            }
            Err(why) => {
                alive += 1;
                println!("ALIVE    {why}");
            }
        }
    }
    println!("{rejected} passed, {alive} failed");
    if alive == 0 && rejected > 0 { ExitCode::SUCCESS } else { ExitCode::from(1) }
}
