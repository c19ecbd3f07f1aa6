//! `load`: streams a file into the cluster over several sessions and, if asked, reads all of it back.
//!
//! A key always goes through the same session, in the order of the file: of several lines with one key the last wins,
//! in the cluster as in the comparison.

use super::connection::Connection;
use super::output::{Failure, Outcome, Report};
use super::records::{Format, Record, Records};
use super::{bytes, table};
use crate::client_api::Client;
use clap::Args;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::File;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::io::{BufRead, BufReader, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// Records that may wait for one session.
const QUEUE: usize = 16;
/// How many differences and failures are told in full.
const SHOWN: usize = 10;

/// Arguments of load.
#[derive(Debug, Args)]
pub(super) struct LoadArgs {
    /// The file; `-` is standard input.
    file: PathBuf,
    /// Write nothing: read every record back and compare it byte for byte.
    #[arg(long)]
    verify: bool,
    /// Sessions that write at the same time.
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=1024))]
    concurrency: u16,
    /// How the lines are to be read.
    #[arg(long, value_enum, default_value_t = Format::Auto)]
    format: Format,
    #[command(flatten)]
    connection: Connection,
}

/// What a session is to do with its records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pass {
    Write,
    Compare,
}

/// What all sessions have done so far.
#[derive(Debug, Default)]
struct Progress {
    records: AtomicU64,
    bytes: AtomicU64,
}

/// What went wrong, by the line that says it.
type Troubles = BTreeMap<u64, String>;

/// Loads the file, or compares it with what is there.
pub(super) async fn run(arguments: LoadArgs) -> Outcome {
    drop(open(&arguments.file)?);
    let mut clients = vec![arguments.connection.connect().await?];
    for _ in 1..arguments.concurrency {
        clients.push(arguments.connection.connect().await?);
    }
    let begun = Instant::now();
    let aim = if arguments.verify { Pass::Compare } else { Pass::Write };
    let (done, troubles) = pass(aim, &arguments, &clients).await?;
    let seconds = begun.elapsed().as_secs_f64().max(1e-9);
    let (records, size) = (done.records.load(Relaxed), done.bytes.load(Relaxed));
    let (count, what, told, next) = match aim {
        Pass::Write => ("failed", "written", "were not acknowledged", "load the file again"),
        Pass::Compare => {
            ("different", "compared", "are not in the cluster as the file has them", "load the file again")
        }
    };
    let json = json!({
        "records": records, "bytes": size, "seconds": seconds, "records_per_second": records as f64 / seconds,
        "bytes_per_second": size as f64 / seconds, "verified": arguments.verify, count: troubles.len(),
        "troubles": first(&troubles),
    });
    let mut text = format!("{records} records, {} {what} in {seconds:.1} s\n", table::size(size));
    tell(&mut text, told, &troubles);
    if arguments.verify && troubles.is_empty() {
        text.push_str("every record is there byte for byte\n");
    }
    let report = Report::new(json, text).failed_if(!troubles.is_empty());
    let note = format!("error: not everything is in the cluster\n  next: {next}");
    Ok(if report.failed { report.with_note(note) } else { report })
}

fn first(troubles: &Troubles) -> Value {
    let shown = troubles.iter().take(SHOWN);
    shown.map(|(line, what)| json!({ "line": line, "what": what })).collect()
}

fn tell(text: &mut String, what: &str, troubles: &Troubles) {
    if troubles.is_empty() {
        return;
    }
    text.push_str(&format!("{} records {what}\n", troubles.len()));
    for (line, trouble) in troubles.iter().take(SHOWN) {
        text.push_str(&format!("  line {line}: {trouble}\n"));
    }
}

fn open(path: &Path) -> Result<Box<dyn BufRead + Send>, Failure> {
    if path.as_os_str() == "-" {
        return Ok(Box::new(BufReader::new(std::io::stdin())));
    }
    let file = File::open(path)
        .map_err(|error| Failure::new(format!("{}: {error}", path.display()), "name a file that can be read"))?;
    Ok(Box::new(BufReader::with_capacity(1 << 20, file)))
}

/// One pass over the file: every record to the session that its key belongs to.
async fn pass(pass: Pass, arguments: &LoadArgs, clients: &[Client]) -> Result<(Arc<Progress>, Troubles), Failure> {
    let progress = Arc::new(Progress::default());
    let mut queues = Vec::new();
    let mut workers = tokio::task::JoinSet::new();
    for client in clients {
        let (queue, records) = channel(QUEUE);
        queues.push(queue);
        workers.spawn(work(pass, client.clone(), records, Arc::clone(&progress)));
    }
    let records = Records::new(open(&arguments.file)?, &arguments.file, arguments.format);
    let reader = tokio::task::spawn_blocking(move || distribute(records, &queues));
    let ticker = tokio::spawn(show_progress(pass, Arc::clone(&progress)));
    let mut troubles = Troubles::new();
    while let Some(found) = workers.join_next().await {
        troubles.extend(found.map_err(|error| Failure::new(format!("a session broke off: {error}"), "load again"))?);
    }
    ticker.abort();
    let read = reader.await.unwrap_or_else(|error| Err(format!("the reader broke off: {error}")));
    read.map_err(|why| {
        let next = "mend that line and load again: the lines before it are in the cluster";
        Failure::new(format!("{}: {why}", arguments.file.display()), next)
    })?;
    Ok((progress, troubles))
}

/// Hands records to their sessions until the file ends or a line cannot be read.
fn distribute(records: Records<Box<dyn BufRead + Send>>, queues: &[Sender<Record>]) -> Result<(), String> {
    let hasher = BuildHasherDefault::<DefaultHasher>::default();
    for record in records {
        let record = record?;
        let at = hasher.hash_one(&record.key) % queues.len().max(1) as u64;
        let Some(queue) = queues.get(at as usize) else { break };
        queue.blocking_send(record).map_err(|_| "a session broke off".to_owned())?;
    }
    Ok(())
}

/// One session: one record after the other.
async fn work(pass: Pass, client: Client, mut records: Receiver<Record>, progress: Arc<Progress>) -> Troubles {
    let mut troubles = Troubles::new();
    let mut compared = Compared::default();
    while let Some(record) = records.recv().await {
        match pass {
            Pass::Write => {
                if let Err(error) = client.put(&record.key, &record.value).await {
                    troubles.insert(record.line, format!("{}: {error}", bytes::shown(&record.key)));
                }
            }
            Pass::Compare => match client.get(&record.key).await {
                Ok(read) => compared.take(&record, read.value.as_deref()),
                Err(error) => {
                    troubles.insert(record.line, format!("{}: {error}", bytes::shown(&record.key)));
                }
            },
        }
        progress.records.fetch_add(1, Relaxed);
        progress.bytes.fetch_add((record.key.len() + record.value.len()) as u64, Relaxed);
    }
    troubles.extend(compared.differences());
    troubles
}

/// Compares records with what was read. The last line of a key decides; only differing keys are remembered.
#[derive(Debug, Default)]
struct Compared(BTreeMap<Vec<u8>, (u64, String)>);

impl Compared {
    fn take(&mut self, record: &Record, found: Option<&[u8]>) {
        if found == Some(record.value.as_slice()) {
            self.0.remove(&record.key);
            return;
        }
        let found = found.map_or("nothing".to_owned(), bytes::shown);
        let what = format!("{}: wrote {}, read {found}", bytes::shown(&record.key), bytes::shown(&record.value));
        self.0.insert(record.key.clone(), (record.line, what));
    }

    fn differences(self) -> impl Iterator<Item = (u64, String)> {
        self.0.into_values()
    }
}

/// A line on standard error, twice a second; only where it can be overwritten.
async fn show_progress(pass: Pass, progress: Arc<Progress>) {
    if !std::io::stderr().is_terminal() {
        return;
    }
    let begun = Instant::now();
    let doing = if pass == Pass::Write { "written" } else { "compared" };
    loop {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let (records, size) = (progress.records.load(Relaxed), progress.bytes.load(Relaxed));
        let rate = table::size((size as f64 / begun.elapsed().as_secs_f64()) as u64);
        eprint!("\r\x1b[K{records} records {doing}, {} ({rate}/s)\r", table::size(size));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(line: u64, key: &str, value: &str) -> Record {
        Record { line, key: key.into(), value: value.into() }
    }

    #[test]
    fn the_last_line_of_a_key_decides() {
        let mut compared = Compared::default();
        compared.take(&record(1, "a", "old"), Some(b"new"));
        compared.take(&record(2, "b", "x"), None);
        compared.take(&record(3, "a", "new"), Some(b"new"));
        let found: Troubles = compared.differences().collect();
        assert_eq!(found, Troubles::from([(2, "\"b\": wrote \"x\", read nothing".to_owned())]));
    }

    #[test]
    fn only_the_first_troubles_are_told() {
        let troubles: Troubles = (1..=12).map(|line| (line, "x".to_owned())).collect();
        let mut text = String::new();
        tell(&mut text, "failed", &troubles);
        assert!(text.starts_with("12 records failed\n  line 1: x\n"));
        assert_eq!(text.lines().count(), 1 + SHOWN);
        assert_eq!(first(&troubles).as_array().map(Vec::len), Some(SHOWN));
    }
}
