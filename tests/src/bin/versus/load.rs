//! Closed-loop clients against either store, and what they measured.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Distinct keys.
const KEYS: u64 = 10_000;

/// What the clients ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum Mix {
    /// Durable writes.
    Put,
    /// Linearizable reads.
    Get,
}

impl fmt::Display for Mix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Put => "put",
            Self::Get => "get",
        })
    }
}

/// Something that will be there.
pub(crate) type Later<'a, T> = Pin<Box<dyn Future<Output = Result<T, String>> + Send + 'a>>;

/// One client's connection.
pub(crate) trait Connection: Send {
    /// Writes and waits until it is durable.
    fn put<'a>(&'a mut self, key: &'a [u8], value: &'a [u8]) -> Later<'a, ()>;
    /// Reads, linearizably.
    fn get<'a>(&'a mut self, key: &'a [u8]) -> Later<'a, ()>;
}

/// A running cluster of either store.
pub(crate) trait Target {
    /// A connection of its own for one client.
    fn connect(&mut self) -> Later<'_, Box<dyn Connection>>;
}

/// What was measured: operations per second, and waits in microseconds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Figures {
    pub(crate) throughput: f64,
    pub(crate) p50: u64,
    pub(crate) p99: u64,
    pub(crate) p999: u64,
}

impl Figures {
    /// Each figure's median over the rounds.
    pub(crate) fn median(rounds: &[Self]) -> Self {
        let middle = |mut values: Vec<f64>| {
            values.sort_by(f64::total_cmp);
            values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
        };
        let wait = |figure: fn(&Self) -> u64| middle(rounds.iter().map(|round| figure(round) as f64).collect()) as u64;
        Self {
            throughput: middle(rounds.iter().map(|round| round.throughput).collect()),
            p50: wait(|round| round.p50),
            p99: wait(|round| round.p99),
            p999: wait(|round| round.p999),
        }
    }
}

/// Lets `clients` ask for `length`, each waiting for one answer before it asks again.
pub(crate) async fn measure(
    target: &mut dyn Target,
    mix: Mix,
    clients: usize,
    value_bytes: usize,
    length: Duration,
) -> Result<Figures, String> {
    let mut connections = Vec::new();
    for _ in 0..clients {
        connections.push(target.connect().await?);
    }
    let begun = Instant::now();
    let mut running = JoinSet::new();
    for mut connection in connections {
        running.spawn(async move {
            let value = vec![b'v'; value_bytes];
            let mut waits = Vec::new();
            while begun.elapsed() < length {
                let key = format!("versus{}", fastrand::u64(..KEYS));
                let asked = Instant::now();
                match mix {
                    Mix::Put => connection.put(key.as_bytes(), &value).await?,
                    Mix::Get => connection.get(key.as_bytes()).await?,
                }
                waits.push(asked.elapsed().as_micros() as u64);
            }
            Ok::<_, String>(waits)
        });
    }
    let mut waits = Vec::new();
    while let Some(finished) = running.join_next().await {
        waits.extend(finished.map_err(|error| format!("a client broke off: {error}"))??);
    }
    let throughput = waits.len() as f64 / begun.elapsed().as_secs_f64();
    waits.sort_unstable();
    let at =
        |per_mille: usize| waits.get((waits.len() * per_mille).div_ceil(1000).saturating_sub(1)).copied().unwrap_or(0);
    Ok(Figures { throughput, p50: at(500), p99: at(990), p999: at(999) })
}
