//! The load: sessions that read, put and append on common keys until they are told to stop.

use super::session::{Session, Shared};
use super::tokens::Tokens;
use quorate_spec::history::{Call, Outcome};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout_at};

/// All sessions together ask no faster than this, so that the processes of one small machine can still hold elections.
const MOST_PER_SECOND: u64 = 1_600;
/// Sessions that read everything back.
const AUDITORS: usize = 8;
/// How long that may take: it takes a fraction of a second, unless something is lost.
const AUDIT_PATIENCE: Duration = Duration::from_secs(15);

/// Sessions at work.
#[derive(Debug)]
pub(super) struct Workload {
    sessions: JoinSet<Result<(), String>>,
    stop: Arc<AtomicBool>,
}

/// What a session does next: half reads, most writes are appends, and now and then a put ends a value's growth.
fn choose(tokens: &Tokens) -> Call {
    match fastrand::u8(0..100) {
        0..50 => Call::Get,
        50..60 => tokens.put(),
        _ => tokens.append(),
    }
}

impl Workload {
    /// Opens `clients` sessions and lets them work.
    pub(super) async fn start(shared: &Shared, keys: &Arc<Vec<Vec<u8>>>, clients: u16) -> Result<Self, String> {
        let mut opening = JoinSet::new();
        for _ in 0..clients {
            opening.spawn(Session::open(shared.clone()));
        }
        let stop = Arc::new(AtomicBool::new(false));
        let tokens = Arc::new(Tokens::default());
        let pause = Duration::from_micros(1_000_000 * u64::from(clients) / MOST_PER_SECOND);
        let mut sessions = JoinSet::new();
        while let Some(session) = opening.join_next().await {
            let session = session.map_err(|error| error.to_string())??;
            sessions.spawn(work(session, Arc::clone(keys), Arc::clone(&tokens), pause, Arc::clone(&stop)));
        }
        Ok(Self { sessions, stop })
    }

    /// Lets every session finish what it is at. Returns what went wrong with any of them.
    pub(super) async fn stop(mut self) -> Vec<String> {
        self.stop.store(true, Relaxed);
        let mut troubles = Vec::new();
        while let Some(ended) = self.sessions.join_next().await {
            troubles.extend(ended.unwrap_or_else(|error| Err(error.to_string())).err());
        }
        troubles
    }
}

async fn work(
    mut session: Session,
    keys: Arc<Vec<Vec<u8>>>,
    tokens: Arc<Tokens>,
    pause: Duration,
    stop: Arc<AtomicBool>,
) -> Result<(), String> {
    let mut pace = interval(pause.max(Duration::from_micros(1)));
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !stop.load(Relaxed) {
        pace.tick().await;
        let Some(key) = keys.get(fastrand::usize(0..keys.len().max(1))) else {
            return Ok(());
        };
        session.perform(key, choose(&tokens)).await?;
    }
    Ok(())
}

/// What each key holds; a key that could not be read is not in it.
pub(super) type Contents = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// Reads every key once, with new sessions, as far as [`AUDIT_PATIENCE`] reaches. The reads are part of the history.
pub(super) async fn read_back(shared: &Shared, keys: &Arc<Vec<Vec<u8>>>) -> Contents {
    let until = Instant::now() + AUDIT_PATIENCE;
    let mut auditors = JoinSet::new();
    for nth in 0..AUDITORS {
        let (shared, keys) = (Shared { sabotage: None, ..shared.clone() }, Arc::clone(keys));
        auditors.spawn(async move {
            let mut contents = Contents::new();
            let reading = read_some(shared, keys.iter().skip(nth).step_by(AUDITORS), &mut contents);
            let _ = timeout_at(until, reading).await; // What was not read is not in the contents: that says it.
            contents
        });
    }
    auditors.join_all().await.into_iter().flatten().collect()
}

async fn read_some(
    shared: Shared,
    keys: impl Iterator<Item = &Vec<u8>>,
    contents: &mut Contents,
) -> Result<(), String> {
    let mut session = Session::open(shared).await?;
    for key in keys {
        if let Outcome::Value(value) = session.perform(key, Call::Get).await? {
            contents.insert(key.clone(), value);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn about_half_of_the_load_is_writes() {
        let tokens = Tokens::default();
        let calls: Vec<Call> = (0..10_000).map(|_| choose(&tokens)).collect();
        let writes = calls.iter().filter(|call| **call != Call::Get).count();
        let puts = calls.iter().filter(|call| matches!(call, Call::Put(_))).count();
        assert!((4_500..5_500).contains(&writes), "{writes}");
        assert!((700..1_300).contains(&puts), "{puts}");
    }
}
