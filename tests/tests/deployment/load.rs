//! Clients that work while the deployment changes, and what the judges say of what they saw.

use crate::site::{SHARDS, connect};
use quorate::history;
use quorate_spec::history::Call;
use quorate_tests::recorder::{Recorder, work};
use quorate_tests::world::key_per_shard;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;

const CLIENTS: u64 = 6;

/// Clients at work.
pub(crate) struct Load {
    recorder: Arc<Recorder>,
    keys: Arc<Vec<String>>,
    stop: Arc<AtomicBool>,
    at_work: JoinSet<()>,
}

impl Load {
    pub(crate) async fn start() -> Self {
        let keys: Vec<String> = key_per_shard(SHARDS, "k").into_values().collect();
        let (recorder, keys, stop) = (Arc::new(Recorder::default()), Arc::new(keys), Arc::default());
        let mut at_work = JoinSet::new();
        for process in 0..CLIENTS {
            let (recorder, keys, stop) = (Arc::clone(&recorder), Arc::clone(&keys), Arc::clone(&stop));
            let client = connect().await;
            at_work.spawn(work(recorder, client, process, keys, stop, Duration::from_millis(15)));
        }
        Self { recorder, keys, stop, at_work }
    }

    /// Ends the work, reads everything back and hands the whole history to the judges.
    pub(crate) async fn judge(mut self) {
        self.stop.store(true, Ordering::Relaxed);
        while let Some(ended) = self.at_work.join_next().await {
            ended.expect("a client does not panic");
        }
        let reader = connect().await;
        for key in self.keys.iter() {
            self.recorder.perform(&reader, CLIENTS, key.as_bytes(), Call::Get).await;
        }
        let recording = self.recorder.finish();
        let operations = recording.operations.len();
        println!("{operations} operations, the longest took {:?}", recording.longest);
        assert!(recording.troubles.is_empty(), "clients retry by themselves: {:#?}", recording.troubles);
        let judgement = history::judge(&recording.operations);
        let (order, once) = (history::describe(&judgement.linearizable), history::describe(&judgement.at_most_once));
        assert!(judgement.holds(), "linearizable: {order}; at most once: {once}");
        assert!(operations > 1000, "the clients got somewhere: {operations}");
    }
}
