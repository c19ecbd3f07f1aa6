//! `versus`: Quorate beside another store, on this machine, in one run: three members each, one cluster running at a time,
//! rounds interleaved, medians over the rounds. The ratio is ours / theirs.
//!
//! Both store durably: etcd syncs its log before it answers, and so does Quorate. Both keep their data in the same
//! directory. Every client has a connection of its own and waits for one answer before it asks again; etcd's clients
//! talk to its leader directly, which is the best case for it.

mod etcd;
mod load;
mod ours;

use clap::Parser;
use load::{Figures, Mix, Target};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Compares Quorate with another store.
#[derive(Debug, Parser)]
#[command(
    name = "versus",
    after_help = "Example:\n  versus --against etcd --clients 1,64,256 --mix put,get --seconds 5"
)]
struct Arguments {
    /// The other store (`apt-get install etcd-server`).
    #[arg(long, default_value = "etcd", value_parser = ["etcd"])]
    against: String,
    /// Clients that ask at the same time.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 64, 256])]
    clients: Vec<usize>,
    /// What they ask.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Mix::Put, Mix::Get])]
    mix: Vec<Mix>,
    /// Size of the values.
    #[arg(long, default_value_t = 256)]
    value_bytes: usize,
    /// How long each measurement takes.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// How often both are measured in turn.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Where both keep their data.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Print one JSON value on standard output and nothing else there.
    #[arg(long)]
    json: bool,
}

/// All figures of one target, mix and number of clients.
type Measured = BTreeMap<(&'static str, Mix, usize), Vec<Figures>>;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments).await {
        Ok(measured) => {
            report(&arguments, &measured);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<Measured, String> {
    let mut measured = Measured::new();
    for round in 1..=arguments.rounds {
        for target in ["etcd", "quorate"] {
            let base = arguments.dir.clone().unwrap_or_else(std::env::temp_dir);
            let directory = tempfile::tempdir_in(base).map_err(|error| format!("no directory for data: {error}"))?;
            let mut cluster: Box<dyn Target> = match target {
                "etcd" => Box::new(etcd::Cluster::start(directory.path()).await?),
                _ => Box::new(ours::Cluster::start(directory.path()).await?),
            };
            for mix in &arguments.mix {
                for clients in &arguments.clients {
                    let now = format!("round {round} of {}: {target}, {mix}, {clients} clients", arguments.rounds);
                    if std::io::stderr().is_terminal() {
                        eprint!("\r\x1b[K{now}")
                    } else {
                        eprintln!("{now}")
                    }
                    let length = Duration::from_secs(arguments.seconds);
                    let figures =
                        load::measure(cluster.as_mut(), *mix, *clients, arguments.value_bytes, length).await?;
                    measured.entry((target, *mix, *clients)).or_default().push(figures);
                }
            }
        }
    }
    if std::io::stderr().is_terminal() {
        eprintln!();
    }
    Ok(measured)
}

fn report(arguments: &Arguments, measured: &Measured) {
    let (mut rows, mut ratios) = (Vec::new(), Vec::new());
    let mut table = format!(
        "{:<5} {:>7}  {:<8} {:>10} {:>10} {:>10} {:>10}\n",
        "MIX", "CLIENTS", "TARGET", "PER SECOND", "P50 us", "P99 us", "P99.9 us"
    );
    for mix in &arguments.mix {
        for clients in &arguments.clients {
            let [theirs, mine] = ["etcd", "quorate"].map(|target| {
                let all = measured.get(&(target, *mix, *clients)).map_or([].as_slice(), Vec::as_slice);
                let figures = Figures::median(all);
                table += &format!(
                    "{:<5} {clients:>7}  {target:<8} {:>10.0} {:>10} {:>10} {:>10}\n",
                    mix.to_string(), figures.throughput, figures.p50, figures.p99, figures.p999
                );
                rows.push(json!({ "target": target, "mix": mix.to_string(), "clients": clients,
                    "throughput": figures.throughput, "p50_us": figures.p50, "p99_us": figures.p99, "p999_us": figures.p999 }));
                figures
            });
            let (throughput, p50) = (mine.throughput / theirs.throughput, mine.p50 as f64 / theirs.p50 as f64);
            let p99 = mine.p99 as f64 / theirs.p99 as f64;
            table +=
                &format!("{:<5} {clients:>7}  ratio    {throughput:>10.2} {p50:>10.2} {p99:>10.2}\n", mix.to_string());
            ratios.push(
                json!({ "mix": mix.to_string(), "clients": clients, "throughput": throughput, "p50": p50, "p99": p99 }),
            );
        }
    }
    let value: Value = json!({ "rounds": arguments.rounds, "rows": rows, "ratios": ratios });
    if arguments.json { println!("{value}") } else { print!("{table}") }
}
