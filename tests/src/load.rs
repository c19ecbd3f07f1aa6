//! Clients at work while something happens to the cluster, and what the judges say of what they saw.

use crate::recorder::{Recorder, Recording, work};
use quorate::client_api::Client;
use quorate::history;
use quorate_spec::history::Call;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// How long the clients may get nowhere.
const PATIENCE: Duration = Duration::from_secs(90);

/// Clients at work.
#[derive(Debug)]
pub struct Load {
    recorder: Arc<Recorder>,
    keys: BTreeSet<String>,
    stop: Arc<AtomicBool>,
    at_work: JoinSet<()>,
    clients: u64,
}

impl Load {
    /// Starts clients: every other one works on `shared` keys, the rest each on a key of its own, to which it only appends.
    /// Each pauses between two operations.
    pub async fn start(connect: impl AsyncFn() -> Client, clients: u64, shared: Vec<String>, pause: Duration) -> Self {
        let keys = |process| if process % 2 == 0 { vec![format!("own{process}")] } else { shared.clone() };
        Self::on(connect, (0..clients).map(keys), pause).await
    }

    /// Starts a client on each of these sets of keys.
    pub async fn on(
        connect: impl AsyncFn() -> Client,
        keys: impl Iterator<Item = Vec<String>>,
        pause: Duration,
    ) -> Self {
        let (recorder, stop) = (Arc::<Recorder>::default(), Arc::<AtomicBool>::default());
        let mut load = Self { recorder, keys: BTreeSet::new(), stop, at_work: JoinSet::new(), clients: 0 };
        for keys in keys {
            load.keys.extend(keys.iter().cloned());
            let (recorder, stop) = (Arc::clone(&load.recorder), Arc::clone(&load.stop));
            load.at_work.spawn(work(recorder, connect().await, load.clients, Arc::new(keys), stop, pause));
            load.clients += 1;
        }
        load
    }

    /// What they wrote down so far.
    pub fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// Waits until the clients have had so many more answers.
    pub async fn progress(&self, answers: usize) {
        let (deadline, goal) = (Instant::now() + PATIENCE, self.recorder.answered() + answers);
        while self.recorder.answered() < goal {
            assert!(Instant::now() < deadline, "the clients get nowhere");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Ends the work.
    pub async fn stop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        while let Some(ended) = self.at_work.join_next().await {
            ended.expect("a client does not panic");
        }
    }

    /// Ends the work, reads everything back and hands the whole history to the judges. No operation may have failed.
    pub async fn judge(mut self, reader: Client) -> Recording {
        self.stop().await;
        for key in &self.keys {
            self.recorder.perform(&reader, self.clients, key.as_bytes(), Call::Get).await;
        }
        let recording = self.recorder.finish();
        println!("{} operations, the longest took {:?}", recording.operations.len(), recording.longest);
        assert!(recording.troubles.is_empty(), "clients retry by themselves: {:#?}", recording.troubles);
        holds(&recording);
        recording
    }
}

/// Both judges pass the history; one that is undecided does not. What fails is kept, for `quorate-sim judge`.
pub fn holds(recording: &Recording) {
    let judgement = history::judge(&recording.operations);
    if judgement.holds() {
        return;
    }
    let (order, once) = (history::describe(&judgement.linearizable), history::describe(&judgement.at_most_once));
    let name = tempfile::Builder::new().prefix("quorate-history-").suffix(".jsonl").tempfile();
    let (mut file, path) = name.expect("a temporary file").keep().expect("it can be kept");
    history::write(&mut file, &recording.operations).expect("the history can be written");
    panic!("linearizable: {order}; at most once: {once}\nthe history: {}", path.display());
}

#[cfg(test)]
mod tests {
    use super::*;
    use quorate_spec::history::{Operation, Outcome};

    fn recording(read: &[u8]) -> Recording {
        let operation = |call, outcome, invoked| {
            let (key, returned) = (b"k".to_vec(), Some(invoked + 1));
            Operation { process: 0, key, call, outcome, invoked, returned, place: None }
        };
        let append = operation(Call::Append(b"a;".to_vec()), Outcome::Done, 1);
        let get = operation(Call::Get, Outcome::Value(Some(read.to_vec())), 3);
        Recording { operations: vec![append, get], troubles: Vec::new(), longest: Duration::ZERO }
    }

    #[test]
    fn a_good_history_holds() {
        holds(&recording(b"a;"));
    }

    #[test]
    #[should_panic(expected = "linearizable: VIOLATED")]
    fn a_repeated_append_does_not_hold() {
        holds(&recording(b"a;a;"));
    }
}
