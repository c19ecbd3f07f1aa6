//! Clients that read, put and append on common keys and write down what they were told, for the judges of histories.
//!
//! An invocation is stamped before the request is sent and a return after its answer came, no two alike: the recorded
//! interval contains the real one.

use quorate::client_api::{Client, Error};
use quorate_spec::history::{Call, Operation, Outcome};
use quorate_spec::ids::{Position, ShardId};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What all clients were told so far.
#[derive(Debug)]
pub struct Recorder {
    begun: Instant,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    last: u64,
    operations: Vec<Operation>,
    troubles: Vec<String>,
    longest: Duration,
}

/// A history that is over.
#[derive(Debug)]
pub struct Recording {
    /// Every operation.
    pub operations: Vec<Operation>,
    /// Operations that failed or whose outcome is unknown, in words.
    pub troubles: Vec<String>,
    /// The longest time that one operation took.
    pub longest: Duration,
}

impl Default for Recorder {
    fn default() -> Self {
        Self { begun: Instant::now(), inner: Mutex::default() }
    }
}

impl Recorder {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stamp(&self, inner: &mut Inner) -> u64 {
        let now = u64::try_from(self.begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
        inner.last = now.max(inner.last + 1);
        inner.last
    }

    /// A moment of the history.
    pub fn now(&self) -> u64 {
        self.stamp(&mut self.lock())
    }

    /// How many operations were answered.
    pub fn answered(&self) -> usize {
        self.lock().operations.iter().filter(|operation| operation.returned.is_some()).count()
    }

    /// Does one operation as `process`, and writes it down. The outcome is part of the history whatever it is.
    pub async fn perform(&self, client: &Client, process: u64, key: &[u8], call: Call) {
        let begun = Instant::now();
        let at = {
            let mut inner = self.lock();
            let invoked = self.stamp(&mut inner);
            let (key, call) = (key.to_vec(), call.clone());
            let outcome = Outcome::Unknown;
            inner.operations.push(Operation { process, key, call, outcome, invoked, returned: None, place: None });
            inner.operations.len() - 1
        };
        let answer = ask(client, key, &call).await;
        let mut inner = self.lock();
        let returned = self.stamp(&mut inner);
        inner.longest = inner.longest.max(begun.elapsed());
        let trouble = {
            let operation = inner.operations.get_mut(at).expect("it was pushed above and nothing is removed");
            match answer {
                Ok((outcome, place)) => {
                    (operation.outcome, operation.returned, operation.place) = (outcome, Some(returned), Some(place));
                    None
                }
                Err(error) => {
                    if error.definitely_not_executed() {
                        (operation.outcome, operation.returned) = (Outcome::Failed, Some(returned));
                    }
                    Some(format!("{}: {error}", operation.describe()))
                }
            }
        };
        inner.troubles.extend(trouble);
    }

    /// Everything that was written down; nobody may be at work any more.
    pub fn finish(&self) -> Recording {
        let inner = std::mem::take(&mut *self.lock());
        Recording { operations: inner.operations, troubles: inner.troubles, longest: inner.longest }
    }
}

async fn ask(client: &Client, key: &[u8], call: &Call) -> Result<(Outcome, (ShardId, Position)), Error> {
    match call {
        Call::Get => {
            let read = client.get(key).await?;
            Ok((Outcome::Value(read.value), (ShardId::new(read.shard), read.position)))
        }
        Call::Put(value) => {
            let written = client.put(key, value).await?;
            Ok((Outcome::Done, (ShardId::new(written.shard), written.position)))
        }
        Call::Append(value) => {
            let written = client.append(key, value).await?;
            Ok((Outcome::Done, (ShardId::new(written.shard), written.position)))
        }
    }
}

/// Works on `keys` as `process` until told to stop: mostly appends and gets, and now and then a put, so that no value
/// grows for ever. A single key it has for itself: appends only, so that nothing covers a loss, and now and then a get.
/// Every written token is a new one.
pub async fn work(
    recorder: Arc<Recorder>,
    client: Client,
    process: u64,
    keys: Arc<Vec<String>>,
    stop: Arc<AtomicBool>,
    pause: Duration,
) {
    let mut random = fastrand::Rng::with_seed(process);
    let mut number = 0_u64;
    while !stop.load(Ordering::Relaxed) {
        number += 1;
        let key = keys[random.usize(..keys.len())].as_bytes();
        let token = format!("{process}.{number};").into_bytes();
        let call = match random.u8(..20) {
            0 if keys.len() == 1 => Call::Get,
            1.. if keys.len() == 1 => Call::Append(token),
            0 => Call::Put(token),
            1..12 => Call::Append(token),
            _ => Call::Get,
        };
        recorder.perform(&client, process, key, call).await;
        tokio::time::sleep(pause).await;
    }
}
