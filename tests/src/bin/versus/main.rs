//! `versus`: Quorate beside another store, on this machine, in one run: one cluster running at a time, rounds interleaved,
//! medians over the rounds. The ratio is ours / theirs.
//!
//! Both store durably, and that is not taken on trust: their sync calls are counted, in a pass of its own so that
//! counting slows no measured round, and a store that syncs less often than its answers need ends the run. Both keep
//! their data on the same file system, which must be one on which a sync means something. Every client has a connection
//! of its own and waits for one answer before it asks again; etcd's clients talk to its leader directly, which is the
//! best case for it, and Redis is a single server.

mod compare;
mod etcd;
mod figures;
mod load;
mod ours;
mod process;
mod protobuf;
mod redis;
mod report;
mod store;
mod syncs;
mod usage;

use clap::builder::RangedU64ValueParser;
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use load::Mix;
use quorate::cli::print_bytes;
use quorate_tests::say;
use std::path::PathBuf;
use std::process::ExitCode;
use store::Peer;
use tokio::signal::unix::{SignalKind, signal};

/// Values are held in memory by the clients and by every server.
const MOST_DATA: usize = 256 << 20;

fn between(low: u64, high: u64) -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(low..=high)
}

/// Compares Quorate with another store.
#[derive(Debug, Parser)]
#[command(
    name = "versus",
    after_help = "Example:\n  versus --against etcd --clients 1,64,256 --mix put,get --seconds 5\n\n\
                  Needs the other store (apt-get install etcd-server, or redis-server) and strace."
)]
struct Arguments {
    /// The other store: three members of etcd, or one Redis with a sync for every write.
    #[arg(long, value_enum, default_value_t = Peer::Etcd)]
    against: Peer,
    /// Clients that ask at the same time.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 64, 256], value_parser = between(1, 2_000))]
    clients: Vec<usize>,
    /// What they ask.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Mix::Put, Mix::Get])]
    mix: Vec<Mix>,
    /// Size of the values.
    #[arg(long, default_value_t = 256, value_parser = between(1, 1 << 20))]
    value_bytes: usize,
    /// Distinct keys, all of them written before anything is measured.
    #[arg(long, default_value_t = 10_000, value_parser = between(1, 1_000_000))]
    keys: usize,
    /// How long each measurement takes, after a warm-up that is not counted.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=3600))]
    seconds: u64,
    /// How often both are measured in turn.
    #[arg(long, default_value_t = 5, value_parser = between(1, 100))]
    rounds: usize,
    /// Where both keep their data, on a disk.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Print one JSON value on standard output and nothing else there.
    #[arg(long)]
    json: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.keys.saturating_mul(arguments.value_bytes) > MOST_DATA {
        let most = MOST_DATA / arguments.value_bytes;
        let advice = format!(
            "{} values of {} bytes are too many to hold: ask for at most --keys {most}",
            arguments.keys, arguments.value_bytes
        );
        Arguments::command().error(ErrorKind::ValueValidation, advice).exit();
    }
    // Dropping the run ends its processes and removes their data.
    let compared = tokio::select! {
        compared = compare::run(&arguments) => compared,
        stopped = stopped() => Err(stopped),
    };
    match compared {
        Ok(compared) if arguments.json => say!("{}", report::json(&arguments, &compared)),
        Ok(compared) => print_bytes(report::table(&arguments, &compared).as_bytes()),
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// Waits for Ctrl-C or SIGTERM.
async fn stopped() -> String {
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        // Without handlers the signals end the process at once, as they do by default.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    "interrupted: nothing is reported".to_owned()
}
