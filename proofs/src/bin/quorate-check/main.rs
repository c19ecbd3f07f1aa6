//! `quorate-check`: explores the deployed core, tells what it found, and shows counterexamples.
//!
//! Standard output holds the answer (one JSON value with `--json`), standard error the progress. Exit codes: 0 done and
//! nothing wrong, 1 a violation, 2 it could not be done (bad usage, a file, a port, no solver), 3 a search that stopped at a
//! limit.

/// Prints a line.
macro_rules! say {
    ($($text:tt)*) => { $crate::say_all(&format!("{}\n", format_args!($($text)*))) };
}

mod bind;
mod check;
mod conform;
mod look;
mod mutants;
mod prove;

use clap::{Args, Parser, Subcommand};
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

/// Explores every state of Quorate's protocol core within stated bounds.
#[derive(Parser)]
#[command(
    name = "quorate-check",
    version,
    arg_required_else_help = true,
    after_help = "\
Examples:
  quorate-check list
  quorate-check check raft
  quorate-check check shards --mutant install-twice --scope return --save twice.json
  quorate-check show twice.json
  quorate-check explore --trace twice.json
  quorate-check mutants
  quorate-check conform node-1.trace node-2.trace node-3.trace

Exit codes: 0 nothing wrong, 1 violated, 2 could not be done (bad usage, a file, a port, a missing tool), 3 stopped at
a limit before all states were seen."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Answer with one JSON value on standard output.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Command {
    /// List models, scopes and deliberate bugs, and what each is for.
    #[command(after_help = "Examples:\n  quorate-check list\n  quorate-check list --json")]
    List,
    /// Explore a model at a scope and judge every state.
    #[command(after_help = "\
Examples:
  quorate-check check raft
  quorate-check check raft --scope deep --threads 2 --timeout 900
  quorate-check check stack --seeds 0..50 --steps 20000
  quorate-check check raft --scope figure8 --mutant figure-8 --save figure8.json
  quorate-check check shards --scope return --mutant dedupe-at-propose-only --property Linearizability")]
    Check(CheckArgs),
    /// Open stateright's Explorer, at a counterexample if one is given.
    #[command(after_help = "\
Examples:
  quorate-check explore raft --scope election
  quorate-check explore --trace figure8.json --addr 127.0.0.1:3017")]
    Explore(ExploreArgs),
    /// Select each deliberate bug in turn and see that its check catches it.
    #[command(after_help = "\
Examples:
  quorate-check mutants
  quorate-check mutants figure-8 install-twice
  quorate-check mutants --json")]
    Mutants(MutantsArgs),
    /// Prove the protocols for any size: discharge the obligations of the inductive proofs with a solver.
    #[command(after_help = "\
Examples:
  quorate-check prove
  quorate-check prove shards --solver cvc5
  quorate-check prove raft --dump obligations")]
    Prove(ProveArgs),
    /// Bind the running code to the proofs: every state satisfies what was proved, every step is one of the specification.
    #[command(after_help = "\
Examples:
  quorate-check bind
  quorate-check bind shards --scope return
  quorate-check bind shards --scope return --mutant copy-dropped-at-return")]
    Bind(BindArgs),
    /// Ask the specification whether a recorded run of real nodes is one of its behaviours.
    #[command(after_help = "\
Examples:
  quorate-check conform node-1.trace node-2.trace node-3.trace

A node writes node-ID.trace into DIR if it is started with '--trace DIR', which must be so from its first start on. The
files of all voters of a group are needed. tla-checker is needed: 'spec/check' builds it.")]
    Conform {
        /// The files of all nodes, in any order.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Tell a trace in sentences, or draw it.
    #[command(after_help = "\
Examples:
  quorate-check show figure8.json
  quorate-check show figure8.json --svg > figure8.svg")]
    Show {
        /// A trace written by 'check' or 'bind'.
        file: PathBuf,
        /// Draw it: an SVG on standard output.
        #[arg(long)]
        svg: bool,
    },
}

/// What to check, and how long.
#[derive(Args)]
struct CheckArgs {
    /// The model ('quorate-check list' names them).
    model: String,
    /// The scope of the model.
    #[arg(long, default_value = "default")]
    scope: String,
    /// Check the core with this deliberate bug.
    #[arg(long)]
    mutant: Option<String>,
    /// Look for a violation of this property alone, past those of others.
    #[arg(long)]
    property: Option<String>,
    /// Threads that search [default: all cores].
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=1024))]
    threads: Option<u64>,
    /// Stop after this many seconds, and say so.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    timeout: Option<u64>,
    /// Stop at this much memory, in GiB, and say so.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u64).range(1..=1024), value_name = "GIB")]
    memory: u64,
    /// Walk at random instead of visiting all states: one walk for each seed.
    #[arg(long, value_parser = seeds, value_name = "A..B")]
    seeds: Option<std::ops::Range<u64>>,
    /// Steps of each walk.
    #[arg(long, requires = "seeds", value_parser = clap::value_parser!(u64).range(1..))]
    steps: Option<u64>,
    /// Visit depth first: less memory, longer counterexamples.
    #[arg(long, conflicts_with = "seeds")]
    dfs: bool,
    /// Write the trace of a violation to this file.
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
}

/// What to explore.
#[derive(Args)]
struct ExploreArgs {
    /// The model; a trace names its own.
    #[arg(required_unless_present = "trace")]
    model: Option<String>,
    /// The scope of the model.
    #[arg(long, default_value = "default", conflicts_with = "trace")]
    scope: String,
    /// Explore the core with this deliberate bug.
    #[arg(long, conflicts_with = "trace")]
    mutant: Option<String>,
    /// Open at the end of this trace.
    #[arg(long, value_name = "FILE", conflicts_with = "model")]
    trace: Option<PathBuf>,
    /// Where to serve the page.
    #[arg(long, default_value = ADDRESS)]
    addr: SocketAddr,
}

/// Which mutants.
#[derive(Args)]
struct MutantsArgs {
    /// Only these.
    names: Vec<String>,
    /// Seconds for each.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    timeout: u64,
    /// Threads that search [default: all cores].
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=1024))]
    threads: Option<u64>,
}

/// What to prove, and with what.
#[derive(Args)]
struct ProveArgs {
    /// raft, reads, shards or a file [default: these three].
    file: Option<String>,
    /// z3 or cvc5; it must be installed.
    #[arg(long, default_value = "z3", value_parser = ["z3", "cvc5"])]
    solver: String,
    /// Write every obligation as a stand-alone SMT-LIB 2 file into this folder.
    #[arg(long, value_name = "DIR")]
    dump: Option<PathBuf>,
    /// Seconds for each obligation.
    #[arg(long, default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..))]
    timeout: u64,
}

/// What to bind.
#[derive(Args)]
struct BindArgs {
    /// shards or raft [default: all that is bound].
    model: Option<String>,
    /// The scope of the model.
    #[arg(long, requires = "model")]
    scope: Option<String>,
    /// Bind the core with this deliberate bug.
    #[arg(long)]
    mutant: Option<String>,
    /// Where the run to what is no step of the specification goes [default: bind-MODEL-SCOPE.trace.json].
    #[arg(long, requires = "model")]
    save: Option<PathBuf>,
}

/// `A..B`, B excluded.
fn seeds(text: &str) -> Result<std::ops::Range<u64>, String> {
    let wrong = || format!("'{text}' is not a range of seeds: write it as 0..100 (100 excluded)");
    let (first, end) = text.split_once("..").ok_or_else(wrong)?;
    let (first, end) = (first.parse().map_err(|_| wrong())?, end.parse().map_err(|_| wrong())?);
    if first < end { Ok(first..end) } else { Err(wrong()) }
}

/// Where the Explorer is served, unless told otherwise.
const ADDRESS: &str = "127.0.0.1:3000";

/// One line that says what is wrong and what to do.
type Refusal = Box<dyn std::error::Error>;

/// Prints; a reader that has gone away (`| head`) is not an error.
fn say_all(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

fn main() -> ExitCode {
    let Cli { command, json } = Cli::parse();
    let done = match command {
        Command::List => look::list(json),
        Command::Check(args) => check::check(&args, json),
        Command::Explore(args) => look::explore(&args, json),
        Command::Mutants(args) => mutants::mutants(&args, json),
        Command::Prove(args) => prove::prove(&args, json),
        Command::Bind(args) => bind::bind(&args, json),
        Command::Conform { files } => conform::conform(&files, json),
        Command::Show { file, svg } => look::show(&file, svg, json),
    };
    done.unwrap_or_else(|refusal| {
        if json {
            say!("{}", serde_json::json!({ "error": refusal.to_string() }));
        }
        eprintln!("quorate-check: {refusal}");
        ExitCode::from(2)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_examples_of_every_page_can_be_typed() {
        let mut examples = 0;
        for command in std::iter::once(&Cli::command()).chain(Cli::command().get_subcommands()) {
            let page = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            for line in page.lines().filter(|line| line.starts_with("  quorate-check")) {
                let words = line.split('>').next().unwrap_or_default().split_whitespace();
                assert!(Cli::try_parse_from(words).is_ok(), "{line}");
                examples += 1;
            }
        }
        assert!(examples >= 15, "every page has examples");
    }

    #[test]
    fn seeds_are_a_range() {
        assert_eq!(seeds("3..5"), Ok(3..5));
        for wrong in ["", "5", "5..3", "5..5", "a..b"] {
            assert!(seeds(wrong).expect_err("refused").contains("0..100"), "{wrong}");
        }
    }
}
