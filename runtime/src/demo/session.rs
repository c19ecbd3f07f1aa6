//! One recorded session: it asks, waits, and writes down what it was told.

use super::recorder::Recorder;
use super::sabotage::{Sabotage, without_last_token};
use crate::client_api::{Client, Error, Options};
use crate::cluster::watch;
use quorate_spec::history::{Call, Outcome};
use quorate_spec::ids::{Position, ShardId};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// How long a session may take to be issued.
pub(super) const CONNECT_PATIENCE: Duration = Duration::from_secs(20);

/// What all sessions have seen so far.
#[derive(Debug, Default)]
pub(super) struct Counters {
    /// Answered operations.
    pub(super) answered: AtomicU64,
    /// The longest that an operation waited, in nanoseconds.
    pub(super) longest_wait: AtomicU64,
}

/// What every session needs.
#[derive(Clone, Debug)]
pub(super) struct Shared {
    pub(super) options: Options,
    pub(super) recorder: Arc<Recorder>,
    pub(super) counters: Arc<Counters>,
    pub(super) sabotage: Option<Sabotage>,
}

/// What an attempt came to, and where it took effect.
type Answer = (Outcome, Option<(ShardId, Position)>);

/// A client whose every operation is recorded.
#[derive(Debug)]
pub(super) struct Session {
    client: Client,
    process: u64,
    shared: Shared,
    asked: u64,
}

/// Nothing was sent, or it was executed and refused: it had no effect. Everything else is uncertain.
fn outcome_of(error: &Error) -> Answer {
    (if error.definitely_not_executed() { Outcome::Failed } else { Outcome::Unknown }, None)
}

impl Session {
    /// Opens a session.
    pub(super) async fn open(shared: Shared) -> Result<Self, String> {
        let client = watch::connect(&shared.options, CONNECT_PATIENCE).await?;
        let process = shared.recorder.new_process();
        Ok(Self { client, process, shared, asked: 0 })
    }

    /// Does one operation. Afterwards, if its outcome is unknown, the session is another one: this process's operation
    /// may still be under way.
    pub(super) async fn perform(&mut self, key: &[u8], call: Call) -> Result<Outcome, String> {
        let Shared { recorder, counters, .. } = &self.shared;
        let begun = Instant::now();
        recorder.invoke(self.process, key, &call);
        let (outcome, place) = self.ask(key, &call).await;
        recorder.returned(self.process, key, &call, &outcome, place);
        let waited = u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
        counters.longest_wait.fetch_max(waited, Relaxed);
        self.asked += 1;
        match outcome {
            Outcome::Value(_) | Outcome::Done => {
                counters.answered.fetch_add(1, Relaxed);
            }
            Outcome::Failed => {}
            Outcome::Unknown => *self = Self::open(self.shared.clone()).await?,
        }
        Ok(outcome)
    }

    async fn ask(&self, key: &[u8], call: &Call) -> Answer {
        let lie = self.shared.sabotage.filter(|sabotage| sabotage.strikes(self.asked));
        match (call, lie) {
            (Call::Get, Some(Sabotage::WrongValue)) => match self.get(key).await {
                (Outcome::Value(value), place) => (Outcome::Value(without_last_token(value)), place),
                other => other,
            },
            (Call::Append(value), Some(Sabotage::RepeatAppend)) => {
                self.append(key, value).await;
                self.append(key, value).await
            }
            (Call::Append(_), Some(Sabotage::LostWrite)) => match self.get(key).await {
                (Outcome::Value(_), place) => (Outcome::Done, place),
                other => other,
            },
            (Call::Get, _) => self.get(key).await,
            (Call::Put(value), _) => match self.client.put(key, value).await {
                Ok(written) => (Outcome::Done, Some((ShardId::new(written.shard), written.position))),
                Err(error) => outcome_of(&error),
            },
            (Call::Append(value), _) => self.append(key, value).await,
        }
    }

    async fn get(&self, key: &[u8]) -> Answer {
        match self.client.get(key).await {
            Ok(read) => (Outcome::Value(read.value), Some((ShardId::new(read.shard), read.position))),
            Err(error) => outcome_of(&error),
        }
    }

    async fn append(&self, key: &[u8], value: &[u8]) -> Answer {
        match self.client.append(key, value).await {
            Ok(written) => (Outcome::Done, Some((ShardId::new(written.shard), written.position))),
            Err(error) => outcome_of(&error),
        }
    }
}
