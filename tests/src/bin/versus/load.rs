//! Closed-loop clients against either store, and what they and the servers did within a window of time.

use crate::figures::Figures;
use crate::store::{Connection, Target};
use crate::usage::{Disk, Usage, machine_busy};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};
use tokio::task::JoinSet;

/// How long clients ask before anything is counted.
const WARM_UP: Duration = Duration::from_millis(500);

/// How long the last answers are waited for before the store is given up.
const PATIENCE: Duration = Duration::from_secs(60);

/// Connections that write the data before anything is measured.
const FILLERS: usize = 64;

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

/// What is measured at a time: what is asked, and by how many clients at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cell {
    pub(crate) mix: Mix,
    pub(crate) clients: usize,
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let many = if self.clients == 1 { "" } else { "s" };
        write!(f, "{}, {} client{many}", self.mix, self.clients)
    }
}

/// All keys and their values, the same for both stores. A value follows from its key, so that reads can be checked.
#[derive(Debug)]
pub(crate) struct Data(Vec<(Vec<u8>, Vec<u8>)>);

impl Data {
    pub(crate) fn new(keys: usize, value_bytes: usize) -> Arc<Self> {
        let pair = |number| {
            let key = format!("versus{number}").into_bytes();
            let value = key.iter().copied().cycle().take(value_bytes).collect();
            (key, value)
        };
        Arc::new(Self((0..keys).map(pair).collect()))
    }
}

/// A window of time in which clients asked.
pub(crate) struct Window {
    /// When it began and ended, in seconds since 1970.
    pub(crate) time: (f64, f64),
    /// Operations that ended within it.
    pub(crate) operations: u64,
    pub(crate) figures: Figures,
}

/// One operation that was answered.
struct Answered {
    at: Instant,
    after: Duration,
}

/// Writes every key.
pub(crate) async fn fill(target: &dyn Target, data: &Arc<Data>) -> Result<(), String> {
    let fillers = FILLERS.min(data.0.len());
    let mut running = JoinSet::new();
    for filler in 0..fillers {
        let (mut connection, data) = (target.connect().await?, Arc::clone(data));
        running.spawn(async move {
            for (key, value) in data.0.iter().skip(filler).step_by(fillers) {
                connection.put(key, value).await?;
            }
            Ok::<_, String>(())
        });
    }
    while let Some(filled) = running.join_next().await {
        filled.map_err(|error| error.to_string())??;
    }
    Ok(())
}

/// Lets the clients of `cell` ask for `length` after a warm-up, each waiting for one answer before it asks again.
///
/// # Errors
/// Any request that fails, any value that is wrong: how many clients met one, and the first.
pub(crate) async fn measure(
    target: &dyn Target,
    cell: Cell,
    data: &Arc<Data>,
    disk: &Disk,
    length: Duration,
) -> Result<Window, String> {
    let done = Arc::new(AtomicBool::new(false));
    let mut connections = Vec::new();
    for _ in 0..cell.clients {
        connections.push(target.connect().await?);
    }
    let mut running = JoinSet::new();
    for connection in connections {
        running.spawn(ask(connection, cell.mix, Arc::clone(data), Arc::clone(&done)));
    }
    tokio::time::sleep(WARM_UP).await;
    let begun = Moment::now(target, disk)?;
    tokio::time::sleep(length).await;
    let ended = Moment::now(target, disk);
    done.store(true, Ordering::Relaxed);
    let answers = answers(running, cell.clients).await?;
    // What the clients met says more than that a server was gone at the end.
    let ended = ended?;
    let within = |one: &&Answered| begun.at < one.at && one.at <= ended.at;
    let waits: Vec<Duration> = answers.iter().filter(within).map(|one| one.after).collect();
    let operations = waits.len() as u64;
    let used = ended.servers.since(begun.servers);
    let machine = ended.machine.saturating_sub(begun.machine);
    let figures = Figures::of(waits, ended.at - begun.at, used, ended.clients.since(begun.clients), machine);
    let figures = figures.ok_or("no request was answered in time: ask for more --seconds")?;
    Ok(Window { time: (begun.clock, ended.clock), operations, figures })
}

/// What all clients were answered; an error if one of them met an error.
async fn answers(mut running: JoinSet<Result<Vec<Answered>, String>>, clients: usize) -> Result<Vec<Answered>, String> {
    let (mut answers, mut errors) = (Vec::new(), Vec::new());
    let finished = tokio::time::timeout(PATIENCE, async {
        while let Some(finished) = running.join_next().await {
            match finished {
                Ok(Ok(more)) => answers.extend(more),
                Ok(Err(error)) => errors.push(error),
                Err(error) => errors.push(format!("a client broke off: {error}")),
            }
        }
    });
    if finished.await.is_err() {
        errors.extend((0..running.len()).map(|_| format!("no answer within {} s", PATIENCE.as_secs())));
    }
    match errors.first() {
        Some(first) => Err(format!("{} of {clients} clients met an error; the first: {first}", errors.len())),
        None => Ok(answers),
    }
}

/// The begin or the end of a window.
struct Moment {
    at: Instant,
    clock: f64,
    servers: Usage,
    clients: Usage,
    machine: Duration,
}

impl Moment {
    fn now(target: &dyn Target, disk: &Disk) -> Result<Self, String> {
        let servers = Usage::of(&target.processes(), disk)?;
        let clients = Usage::of(&[std::process::id()], disk)?;
        let clock = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_err(|error| error.to_string())?;
        Ok(Self { at: Instant::now(), clock: clock.as_secs_f64(), servers, clients, machine: machine_busy()? })
    }
}

/// One client. Ends after its first error.
async fn ask(
    mut connection: Box<dyn Connection>,
    mix: Mix,
    data: Arc<Data>,
    done: Arc<AtomicBool>,
) -> Result<Vec<Answered>, String> {
    let mut answers = Vec::new();
    while !done.load(Ordering::Relaxed) {
        let Some((key, value)) = data.0.get(fastrand::usize(..data.0.len())) else { break };
        let asked = Instant::now();
        match mix {
            Mix::Put => connection.put(key, value).await?,
            Mix::Get => {
                let found = connection.get(key).await?;
                if found.as_deref() != Some(value.as_slice()) {
                    let found = found.map_or_else(|| "nothing".to_owned(), |found| format!("{} bytes", found.len()));
                    let key = String::from_utf8_lossy(key);
                    return Err(format!("{key} holds {} bytes, but a get found {found}, or others", value.len()));
                }
            }
        }
        let at = Instant::now();
        answers.push(Answered { at, after: at - asked });
    }
    Ok(answers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Later;
    use bytes::Bytes;

    /// A store that answers every request alike.
    struct Fake {
        value: Result<Option<Bytes>, String>,
    }

    impl Target for Fake {
        fn connect(&self) -> Later<'_, Box<dyn Connection>> {
            let value = self.value.clone();
            Box::pin(async { Ok(Box::new(Fake { value }) as Box<dyn Connection>) })
        }

        fn processes(&self) -> Vec<u32> {
            vec![std::process::id()]
        }

        fn last_words(&self) -> String {
            String::new()
        }
    }

    impl Connection for Fake {
        fn put<'a>(&'a mut self, _: &'a [u8], _: &'a [u8]) -> Later<'a, ()> {
            Box::pin(async { self.value.clone().map(drop) })
        }

        fn get<'a>(&'a mut self, _: &'a [u8]) -> Later<'a, Option<Bytes>> {
            Box::pin(async {
                tokio::time::sleep(Duration::from_millis(1)).await;
                self.value.clone()
            })
        }
    }

    async fn measured(mix: Mix, value: Result<Option<&str>, &str>) -> Result<Window, String> {
        let value = value.map(|value| value.map(|value| Bytes::from(value.to_owned()))).map_err(str::to_owned);
        let cell = Cell { mix, clients: 3 };
        measure(&Fake { value }, cell, &Data::new(1, 9), &Disk::Processes, Duration::from_millis(100)).await
    }

    #[tokio::test]
    async fn right_answers_are_counted() {
        let window = measured(Mix::Get, Ok(Some("versus0ve"))).await.unwrap();
        let throughput = window.operations as f64 / (window.time.1 - window.time.0);
        assert!(window.operations > 0);
        assert!((throughput / window.figures.throughput - 1.0).abs() < 0.5, "one window, two clocks");
        assert!(window.figures.p50 >= 1000.0, "no answer came before its millisecond had passed");
    }

    #[tokio::test]
    async fn wrong_answers_and_errors_are_counted() {
        for (value, what) in [
            (Ok(Some("versus0vX")), "but a get found 9 bytes, or others"),
            (Ok(None), "but a get found nothing"),
            (Err("refused"), "the first: refused"),
        ] {
            let error = measured(Mix::Get, value).await.err().expect("the answers are wrong");
            assert!(error.starts_with("3 of 3 clients") && error.contains(what), "{error}");
        }
        assert!(measured(Mix::Put, Err("refused")).await.is_err());
        assert!(fill(&Fake { value: Err("full".to_owned()) }, &Data::new(3, 1)).await.is_err());
    }
}
