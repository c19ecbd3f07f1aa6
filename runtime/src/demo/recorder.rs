//! Records a history while it happens.
//!
//! An invocation is stamped before the request is sent and a return after its answer arrived, both under one lock: the
//! recorded interval contains the real one, no two stamps are equal, and the file is in the order of time.

use crate::history::{write_invoke, write_return};
use quorate_spec::history::{Call, Outcome};
use quorate_spec::ids::{Position, ShardId};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Writes the history file.
#[derive(Debug)]
pub(super) struct Recorder {
    begun: Instant,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    out: BufWriter<File>,
    last: u64,
    processes: u64,
    failure: Option<io::Error>,
}

impl Inner {
    /// The present, later than every stamp before it.
    fn stamp(&mut self, begun: Instant) -> u64 {
        let now = u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.last = now.max(self.last + 1);
        self.last
    }

    fn keep(&mut self, written: io::Result<()>) {
        if let Err(error) = written {
            self.failure.get_or_insert(error);
        }
    }
}

impl Recorder {
    /// Begins a history.
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        let out = BufWriter::new(File::create(path)?);
        let inner = Inner { out, last: 0, processes: 0, failure: None };
        Ok(Self { begun: Instant::now(), inner: Mutex::new(inner) })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A process number that was not used before.
    pub(super) fn new_process(&self) -> u64 {
        let mut inner = self.lock();
        inner.processes += 1;
        inner.processes
    }

    /// To be called before the request is sent.
    pub(super) fn invoke(&self, process: u64, key: &[u8], call: &Call) {
        let mut inner = self.lock();
        let time = inner.stamp(self.begun);
        let written = write_invoke(&mut inner.out, process, key, call, time);
        inner.keep(written);
    }

    /// To be called when the answer is there.
    pub(super) fn returned(
        &self,
        process: u64,
        key: &[u8],
        call: &Call,
        outcome: &Outcome,
        place: Option<(ShardId, Position)>,
    ) {
        let mut inner = self.lock();
        let time = inner.stamp(self.begun);
        let written = write_return(&mut inner.out, process, key, call, outcome, place, time);
        inner.keep(written);
    }

    /// Everything is in the file, or the first thing that went wrong.
    pub(super) fn finish(&self) -> io::Result<()> {
        let mut inner = self.lock();
        match inner.failure.take() {
            Some(error) => Err(error),
            None => inner.out.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_recorded_can_be_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("history.jsonl");
        let recorder = Recorder::create(&path).unwrap();
        let (first, second) = (recorder.new_process(), recorder.new_process());
        assert_ne!(first, second);
        recorder.invoke(first, b"k", &Call::Get);
        recorder.invoke(second, b"k", &Call::Append(b"x".to_vec()));
        recorder.returned(first, b"k", &Call::Get, &Outcome::Value(None), None);
        recorder.finish().unwrap();
        let operations = crate::history::read(io::BufReader::new(File::open(path).unwrap())).unwrap();
        assert_eq!(operations[0].outcome, Outcome::Value(None));
        assert_eq!(operations[1].outcome, Outcome::Unknown, "it has not returned");
        assert!(operations[0].invoked < operations[1].invoked && Some(operations[1].invoked) < operations[0].returned);
    }
}
