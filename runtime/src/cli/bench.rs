//! `bench`: closed-loop clients, each in a session of its own, and how long they waited.

use super::connection::Connection;
use super::output::{Failure, Outcome, Report};
use super::table;
use crate::client_api::Client;
use clap::{Args, ValueEnum};
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Arguments of bench.
#[derive(Debug, Args)]
pub(super) struct BenchArgs {
    /// Clients that each wait for one answer before they ask again.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=4096))]
    clients: u16,
    /// How long to measure.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    seconds: u64,
    /// What they do.
    #[arg(long, value_enum, default_value_t = Mix::Mixed)]
    mix: Mix,
    /// Size of the values.
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u32).range(0..=1_048_576))]
    value_bytes: u32,
    /// Distinct keys.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    keys: u32,
    #[command(flatten)]
    connection: Connection,
}

/// What the clients do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Mix {
    /// Only writes.
    Put,
    /// Only reads.
    Get,
    /// Half and half.
    Mixed,
}

/// What one client measured.
#[derive(Debug, Default)]
struct Measured {
    /// Of answered requests, in microseconds.
    waits: Vec<u64>,
    errors: u64,
    last_error: Option<String>,
}

fn key(number: u32) -> Vec<u8> {
    format!("bench:{number}").into_bytes()
}

/// Writes the keys that reads will find, then measures.
pub(super) async fn run(arguments: BenchArgs) -> Outcome {
    let mut clients = Vec::new();
    for _ in 0..arguments.clients {
        clients.push(arguments.connection.connect().await?);
    }
    if arguments.mix != Mix::Put {
        prepare(&arguments, &clients).await?;
    }
    let begun = Instant::now();
    let until = begun + Duration::from_secs(arguments.seconds);
    let mut running = JoinSet::new();
    for client in clients {
        running.spawn(measure(client, arguments.mix, arguments.keys, arguments.value_bytes as usize, until));
    }
    let mut all = Measured::default();
    while let Some(measured) = running.join_next().await {
        let measured = measured.map_err(|error| Failure::new(format!("a client broke off: {error}"), "try again"))?;
        all.waits.extend(measured.waits);
        all.errors += measured.errors;
        all.last_error = measured.last_error.or(all.last_error);
    }
    Ok(report(&arguments, all, begun.elapsed().as_secs_f64()))
}

async fn prepare(arguments: &BenchArgs, clients: &[Client]) -> Result<(), Failure> {
    let mut writing = JoinSet::new();
    for (nth, client) in clients.iter().enumerate() {
        let (client, value) = (client.clone(), vec![b'x'; arguments.value_bytes as usize]);
        let numbers = (0..arguments.keys).skip(nth).step_by(clients.len());
        writing.spawn(async move {
            for number in numbers {
                client.put(key(number), &value).await?;
            }
            Ok::<(), crate::client_api::Error>(())
        });
    }
    while let Some(written) = writing.join_next().await {
        let written = written.map_err(|error| Failure::new(format!("a client broke off: {error}"), "try again"))?;
        written.map_err(|error| super::connection::failed("the keys to read could not be written", &error))?;
    }
    Ok(())
}

async fn measure(client: Client, mix: Mix, keys: u32, value_bytes: usize, until: Instant) -> Measured {
    let mut measured = Measured::default();
    let value = vec![b'x'; value_bytes];
    while Instant::now() < until {
        let key = key(fastrand::u32(0..keys));
        let write = mix == Mix::Put || mix == Mix::Mixed && fastrand::bool();
        let asked = Instant::now();
        let answer = if write { client.put(key, &value).await.map(drop) } else { client.get(key).await.map(drop) };
        match answer {
            Ok(()) => measured.waits.push(u64::try_from(asked.elapsed().as_micros()).unwrap_or(u64::MAX)),
            Err(error) => {
                measured.errors += 1;
                measured.last_error = Some(error.to_string());
            }
        }
    }
    measured
}

/// The wait that `per_mille` of 1000 requests did not exceed (nearest rank). `sorted` is ascending.
fn percentile(sorted: &[u64], per_mille: usize) -> u64 {
    let rank = (sorted.len() * per_mille).div_ceil(1000);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0)
}

fn report(arguments: &BenchArgs, mut measured: Measured, seconds: f64) -> Report {
    measured.waits.sort_unstable();
    let waits = &measured.waits;
    let throughput = waits.len() as f64 / seconds.max(1e-9);
    let mix = arguments.mix.to_possible_value().map_or(String::new(), |value| value.get_name().to_owned());
    let [p50, p99, p999, max] = [500, 990, 999, 1000].map(|per_mille| percentile(waits, per_mille));
    let json = json!({
        "mix": mix, "clients": arguments.clients, "value_bytes": arguments.value_bytes, "keys": arguments.keys,
        "seconds": seconds, "operations": waits.len(), "errors": measured.errors, "throughput": throughput,
        "p50_us": p50, "p99_us": p99, "p999_us": p999, "max_us": max,
    });
    let row = [mix, arguments.clients.to_string(), format!("{throughput:.0}")].into_iter();
    let row = row.chain([p50, p99, p999, max].map(|wait| format!("{:.2} ms", wait as f64 / 1000.0)));
    let heading = ["MIX", "CLIENTS", "PER SECOND", "P50", "P99", "P99.9", "LONGEST"];
    let report = Report::new(json, table::render(&heading, &[row.collect()])).failed_if(measured.errors > 0);
    match measured.last_error {
        Some(error) => report.with_note(format!("{} requests failed, the last with: {error}", measured.errors)),
        None => report,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let sorted: Vec<u64> = (1..=1000).collect();
        assert_eq!([500, 990, 999, 1000].map(|per_mille| percentile(&sorted, per_mille)), [500, 990, 999, 1000]);
        assert_eq!(percentile(&[7], 500), 7);
        assert_eq!(percentile(&[], 999), 0);
    }
}
