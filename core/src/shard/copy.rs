//! One copy of a shard: its data, its session records and its session floor, which live, freeze and move together.
//!
//! A clone is a few counters: a frozen copy, a snapshot and the served shard share what they have in common. Here at
//! most once is decided; whether the shard may be written at all is decided by the group before it comes here.

use super::outcome::WriteRefusal;
use super::types::{Cursor, Records, SessionRecord, WriteAnswer, WriteOp};
use crate::bytes::Bytes;
use crate::digest::digest_of;
use crate::mutants::mutant;
use crate::shared_map::SharedMap;
use alloc::vec::Vec;
use core::ops::Bound;
use quorate_spec::ids::{ClientId, Position, Seq};
use quorate_spec::views::CopyView;

/// What a key and a value cost in a part, beyond their bytes: lengths and the like.
const PAIR_OVERHEAD: usize = 16;
/// What a session record costs in a part.
const RECORD_BYTES: usize = 56;

/// One copy of a shard.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ShardCopy {
    data: SharedMap<Bytes, Bytes>,
    sessions: SharedMap<ClientId, SessionRecord>,
    floor: ClientId,
    bytes: u64,
}

/// A client's write, as an entry of the log says it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request<'a> {
    pub(super) client: ClientId,
    pub(super) seq: Seq,
    pub(super) key: &'a Bytes,
    pub(super) op: &'a WriteOp,
    pub(super) value_limit: u64,
}

/// A write that is in this copy's history.
#[derive(Clone, Copy, Debug)]
pub(super) struct Written {
    pub(super) answer: WriteAnswer,
    pub(super) position: Position,
    /// Whether an earlier entry had executed it.
    pub(super) repeated: bool,
}

impl ShardCopy {
    /// A copy without data and sessions.
    pub(super) fn empty(floor: ClientId) -> Self {
        Self { floor, ..Self::default() }
    }

    /// The value of a key.
    pub fn get(&self, key: &[u8]) -> Option<&Bytes> {
        self.data.get(key)
    }

    /// The record of a session's last write.
    pub fn session(&self, client: ClientId) -> Option<&SessionRecord> {
        self.sessions.get(&client)
    }

    /// Sessions below it have ended.
    pub fn floor(&self) -> ClientId {
        self.floor
    }

    /// Bytes of keys and values.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How many session records it holds.
    pub fn sessions(&self) -> u64 {
        self.sessions.len() as u64
    }

    /// Executes a write, or finds out why not. What is recorded is exactly what was executed: the record is made by
    /// the same entry as the effect, and refusals leave no trace.
    pub(super) fn write(&mut self, request: Request<'_>, position: Position) -> Result<Written, WriteRefusal> {
        if request.client < self.floor && !mutant!(ExpiredSessionReexecutes) {
            // Its records may be gone, so a late duplicate could not be told from a new request.
            return Err(WriteRefusal::SessionExpired);
        }
        // The limit is the proposing leader's and may differ between retries: it is no part of what the client asked.
        let digest = digest_of(&(request.key, request.op));
        if let Some(last) = self.sessions.get(&request.client) {
            if request.seq < last.seq && mutant!(SupersededAnswered) {
                return Ok(Written { answer: last.answer, position: last.position, repeated: true });
            }
            if request.seq < last.seq {
                return Err(WriteRefusal::Superseded);
            }
            if request.seq == last.seq && !mutant!(DedupeAtProposeOnly) {
                if digest != last.digest {
                    return Err(WriteRefusal::SeqReused);
                }
                return Ok(Written { answer: last.answer, position: last.position, repeated: true });
            }
        }
        let answer = self.execute(request.key, request.op, request.value_limit);
        let record = SessionRecord { seq: request.seq, digest, answer, position };
        match self.sessions.get_mut(&request.client) {
            Some(last) => *last = record,
            None => self.sessions.insert(request.client, record),
        }
        Ok(Written { answer, position, repeated: false })
    }

    /// The effect of a command on the data, and its answer.
    fn execute(&mut self, key: &Bytes, op: &WriteOp, value_limit: u64) -> WriteAnswer {
        let value = match op {
            WriteOp::Put { value } => value.clone(),
            WriteOp::Append { value } => match self.data.get(key) {
                // Checked before the copy is made: an over-long value is never allocated.
                Some(old) if (old.len() + value.len()) as u64 > value_limit => {
                    return WriteAnswer::ValueTooLarge { limit: value_limit };
                }
                Some(old) => {
                    let mut joined = Vec::with_capacity(old.len() + value.len());
                    joined.extend_from_slice(old);
                    joined.extend_from_slice(value);
                    Bytes::from(joined)
                }
                None => value.clone(),
            },
        };
        if value.len() as u64 > value_limit {
            return WriteAnswer::ValueTooLarge { limit: value_limit };
        }
        self.insert(key, value);
        WriteAnswer::Done
    }

    /// Sets a key's value: in place if there is one, which needs no new entry and moves nothing.
    pub(super) fn insert(&mut self, key: &Bytes, value: Bytes) {
        self.bytes += value.len() as u64;
        match self.data.get_mut(key) {
            Some(old) => {
                self.bytes -= old.len() as u64;
                *old = value;
            }
            None => {
                self.bytes += key.len() as u64;
                self.data.insert(key.clone(), value);
            }
        }
    }

    /// Ends the sessions below `floor`. A floor never sinks.
    pub(super) fn raise_floor(&mut self, floor: ClientId) {
        if floor <= self.floor {
            return;
        }
        self.floor = floor;
        let ended: Vec<ClientId> = self.sessions.keys().copied().take_while(|client| *client < floor).collect();
        for client in ended {
            self.sessions.remove(&client);
        }
    }

    /// The copy with a session floor of its own.
    pub(super) fn with_floor(self, floor: ClientId) -> Self {
        Self { floor, ..self }
    }

    /// Adds the items of a part; the floor becomes the greater one.
    pub(super) fn add(&mut self, records: &Records) {
        for (key, value) in &records.data {
            self.insert(key, value.clone());
        }
        for (client, record) in &records.sessions {
            self.sessions.insert(*client, record.clone());
        }
        self.floor = self.floor.max(records.floor);
    }

    /// The part that begins at `from`, of about `limit` bytes (at least one item), and where the next one begins;
    /// `None` after the last. Cursors name items, not offsets, so replicas with other limits can continue each other.
    pub(super) fn part(&self, from: &Cursor, limit: usize) -> (Records, Option<Cursor>) {
        let mut records = Records { floor: self.floor, ..Records::default() };
        let mut room = Room { left: limit, empty: true };
        let (keys, clients) = match from {
            Cursor::Start => (Some(Bound::Unbounded), Bound::Unbounded),
            Cursor::AfterKey(key) => (Some(Bound::Excluded(key)), Bound::Unbounded),
            Cursor::Sessions => (None, Bound::Unbounded),
            Cursor::AfterSession(client) => (None, Bound::Excluded(client)),
        };
        if let Some(keys) = keys {
            for (key, value) in self.data.range_from(keys) {
                if !room.take(pair_bytes(key, value)) {
                    let (last, _) = records.data.last().expect("invariant: the first item always fits");
                    let next = Cursor::AfterKey(last.clone());
                    return (records, Some(next));
                }
                records.data.push((key.clone(), value.clone()));
            }
        }
        for (client, record) in self.sessions.range_from(clients) {
            if !room.take(RECORD_BYTES) {
                let next = match records.sessions.last() {
                    Some((last, _)) => Cursor::AfterSession(*last),
                    None => Cursor::Sessions,
                };
                return (records, Some(next));
            }
            records.sessions.push((*client, record.clone()));
        }
        (records, None)
    }

    /// What the invariants see.
    pub(super) fn view(&self) -> CopyView {
        CopyView {
            digest: digest_of(&self.data),
            sessions: self.sessions.iter().map(|(client, record)| (*client, record.seq)).collect(),
            floor: self.floor,
        }
    }
}

impl Records {
    /// About how many bytes they take in a message or a log.
    pub fn bytes(&self) -> usize {
        let data: usize = self.data.iter().map(|(key, value)| pair_bytes(key, value)).sum();
        data + self.sessions.len() * RECORD_BYTES
    }
}

fn pair_bytes(key: &Bytes, value: &Bytes) -> usize {
    key.len() + value.len() + PAIR_OVERHEAD
}

/// The space left in a part. The first item always fits.
struct Room {
    left: usize,
    empty: bool,
}

impl Room {
    fn take(&mut self, bytes: usize) -> bool {
        let fits = self.empty || bytes <= self.left;
        self.left = self.left.saturating_sub(bytes);
        self.empty = false;
        fits
    }
}
