//! The command line: what can be asked, and how it answers.
//!
//! Exit codes: 0 done, 1 refused or failed, 2 bad usage. With `--json`, standard output holds one JSON value and nothing
//! else, whatever happens; what people should know beyond that goes to standard error.

mod bench;
mod bytes;
mod connection;
mod help;
mod load;
mod operate;
mod output;
mod pages;
mod pairs;
mod records;
mod status;
mod table;
mod up;

pub use output::{Failure, Report, print_bytes};

use crate::config::{NodeArgs, NodeConfig};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use connection::Connection;
use output::Outcome;
use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::LazyLock;

/// A sharded, replicated, linearizable key/value store.
#[derive(Debug, Parser)]
#[command(
    name = "quorate",
    version = version(),
    propagate_version = true,
    arg_required_else_help = true,
    after_help = help::QUORATE
)]
struct Cli {
    /// Print one JSON value on standard output and nothing else there.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

/// What can be asked.
#[derive(Debug, Subcommand)]
enum Command {
    /// Run a cluster under faults and judge the recorded history.
    #[command(after_help = help::DEMO)]
    Demo(crate::demo::DemoArgs),
    /// Run a local development cluster until Ctrl-C.
    #[command(after_help = help::UP)]
    Up(up::UpArgs),
    /// Replace the value of a key.
    #[command(after_help = help::PUT)]
    Put(operate::WriteArgs),
    /// Read the value of a key.
    #[command(after_help = help::GET)]
    Get(operate::GetArgs),
    /// Add to the end of the value of a key.
    #[command(after_help = help::APPEND)]
    Append(operate::WriteArgs),
    /// Write every line of a file: key<TAB>value, or JSON lines.
    #[command(after_help = help::LOAD)]
    Load(load::LoadArgs),
    /// Show groups and nodes: who leads, how far, what moves, what may be stopped.
    #[command(after_help = help::STATUS)]
    Status(Connection),
    /// Show a configuration: groups, their nodes and their shards.
    #[command(after_help = help::QUERY)]
    Query(operate::QueryArgs),
    /// Measure throughput and latency with closed-loop clients.
    #[command(after_help = help::BENCH)]
    Bench(bench::BenchArgs),
    /// Add replica groups; shards move to them.
    #[command(after_help = help::JOIN)]
    Join(operate::JoinArgs),
    /// Take replica groups out; their shards move to the others.
    #[command(after_help = help::LEAVE)]
    Leave(operate::LeaveArgs),
    /// Give one shard to one group.
    #[command(after_help = help::MOVE)]
    Move(operate::MoveArgs),
    /// Hand the leadership of a group to one of its nodes.
    #[command(after_help = help::TRANSFER)]
    Transfer(operate::TransferArgs),
    /// Run one node.
    #[command(after_help = help::NODE)]
    Node(Box<NodeArgs>),
    /// Print the completions for a shell.
    #[command(after_help = help::COMPLETIONS)]
    Completions(pages::CompletionsArgs),
    /// Write the manual pages and completions into a directory.
    #[command(after_help = help::PAGES)]
    Pages(pages::PagesArgs),
}

/// The definition: what parses the command line, and what every page is made of.
fn command() -> clap::Command {
    let command = Cli::command();
    let template = help::template(&command);
    command.help_template(template)
}

/// Understands a command line.
fn parse(line: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> Result<Cli, clap::Error> {
    let mut command = command();
    let matches = command.try_get_matches_from_mut(line)?;
    Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
}

/// The version, and the features that were compiled in: a shipped binary has none that are for checking.
fn version() -> &'static str {
    static VERSION: LazyLock<String> = LazyLock::new(|| {
        let own: &[&str] = if cfg!(feature = "mutants") { &["runtime-mutants"] } else { &[] };
        let features: Vec<&str> = quorate_core::FEATURES.iter().chain(own).copied().collect();
        let features = if features.is_empty() { "none".to_owned() } else { features.join(" ") };
        format!("{} (features: {features})", env!("CARGO_PKG_VERSION"))
    });
    &VERSION
}

/// Parses the arguments, does what they say and answers.
pub fn main() -> ExitCode {
    let cli = match parse(std::env::args_os()) {
        Ok(cli) => cli,
        Err(error) => return bad_usage(&error),
    };
    let json = cli.json;
    let outcome = match cli.command {
        Command::Node(arguments) => return node(*arguments, json),
        Command::Demo(arguments) => run(crate::demo::run(arguments)),
        Command::Up(arguments) => run(up::run(arguments, json)),
        Command::Put(arguments) => run(operate::put(arguments)),
        Command::Get(arguments) => run(operate::get(arguments)),
        Command::Append(arguments) => run(operate::append(arguments)),
        Command::Load(arguments) => run(load::run(arguments)),
        Command::Join(arguments) => run(operate::join(arguments)),
        Command::Leave(arguments) => run(operate::leave(arguments)),
        Command::Move(arguments) => run(operate::move_shard(arguments)),
        Command::Query(arguments) => run(operate::query(arguments)),
        Command::Transfer(arguments) => run(operate::transfer(arguments)),
        Command::Status(connection) => run(status::run(connection)),
        Command::Completions(arguments) => pages::completions(&arguments),
        Command::Pages(arguments) => pages::write(&arguments),
        Command::Bench(arguments) => run(bench::run(arguments)),
    };
    output::finish(outcome, json)
}

/// Drives one command. The future runs on the main thread, which outlives every child process that it starts.
fn run(command: impl Future<Output = Outcome>) -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("no threads: {error}"), "free some memory and try again"))?;
    runtime.block_on(command)
}

fn node(arguments: NodeArgs, json: bool) -> ExitCode {
    if let Err(error) = crate::cluster::die_with_parent() {
        let failure = Failure::new(error.to_string(), "start the node by itself, or the whole cluster again");
        return output::finish(Err(failure), json);
    }
    let config = match NodeConfig::from_args(arguments) {
        Ok(config) => config,
        Err(error) => return output::finish(Err(Failure::told(error.to_string()).as_usage()), json),
    };
    match crate::server::run(&config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => output::finish(Err(Failure::told(error.to_string())), json),
    }
}

/// Help and version are answers (0); anything else that cannot be parsed is bad usage (2).
fn bad_usage(error: &clap::Error) -> ExitCode {
    let asked = !error.use_stderr();
    let json = std::env::args_os().any(|argument| argument == "--json");
    if json && asked {
        output::print_json(&serde_json::json!({ "text": error.to_string() }));
    } else {
        if json {
            let message = error.to_string();
            let message = message.strip_prefix("error: ").unwrap_or(&message);
            output::print_json(&serde_json::json!({ "error": message, "next": "see `quorate help`" }));
        }
        let _ = error.print(); // There is nowhere left to say that standard error is closed.
    }
    ExitCode::from(if asked { 0 } else { 2 })
}

/// A usage error found after parsing, in clap's words.
fn usage_error(message: impl std::fmt::Display) -> Failure {
    let error = command().error(clap::error::ErrorKind::ValueValidation, message);
    Failure::usage(error.to_string())
}

#[cfg(test)]
mod tests;
