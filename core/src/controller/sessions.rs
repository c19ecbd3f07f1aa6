//! The controller's own sessions: a retried change must not act twice.
//!
//! Ids are issued strictly increasing; those from the floor up to the next one are live. A live session without a
//! record has executed nothing. Only the floor removes a record, so a request below it is never executed again
//! (`expired-session-reexecutes`), and the floor moves only with the log (`session-expiry-by-local-clock`).

use super::types::{Answer, Refusal};
use crate::mutants::mutant;
use crate::shared_map::SharedMap;
use quorate_spec::ids::{ClientId, Seq};

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// The last change of a session and what it answered. A refusal is an answer too: a retry gets the same one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct SessionRecord {
    /// The last executed request.
    pub seq: Seq,
    /// A digest of its change, to tell a retry from a misuse.
    pub digest: u64,
    /// Its answer.
    pub answer: Answer,
}

/// All sessions. The floor is not here: it is the latest configuration's.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Sessions {
    /// The id that the next registration gets.
    pub(super) next: ClientId,
    /// The last request of every live session that has made one.
    pub(super) records: SharedMap<ClientId, SessionRecord>,
}

impl Sessions {
    /// No session was issued yet; the first one will be 1.
    pub(super) fn genesis() -> Self {
        Self { next: ClientId::ZERO.next(), records: SharedMap::new() }
    }

    /// Issues a session.
    pub(super) fn issue(&mut self) -> ClientId {
        let client = self.next;
        self.next = client.next();
        client
    }

    /// How many issued sessions are not below the floor.
    pub(super) fn live(&self, floor: ClientId) -> u64 {
        self.next.get() - lowest_live(floor)
    }

    /// The floor that a registration must raise first, so that at most `limit` sessions are live with the new one: the
    /// oldest tenth ends, or more if the limit was lowered. `None` while there is room.
    pub(super) fn floor_to_make_room(&self, floor: ClientId, limit: u64) -> Option<ClientId> {
        let (live, limit) = (self.live(floor), limit.max(1));
        let over = live.checked_sub(limit)?;
        let ended = (limit / 10).max(over + 1);
        Some(ClientId::new(lowest_live(floor) + ended))
    }

    /// What a request is answered without being executed; `None` if it is new and must be executed.
    pub(super) fn settled(&self, client: ClientId, seq: Seq, digest: u64, floor: ClientId) -> Option<Answer> {
        if client < floor || client == ClientId::ZERO || client >= self.next {
            return Some(Answer::Refused(Refusal::SessionExpired));
        }
        let last = self.records.get(&client)?;
        if seq > last.seq || (seq == last.seq && mutant!(RetriedChangeActsTwice)) {
            None
        } else if seq < last.seq {
            Some(Answer::Refused(Refusal::Superseded))
        } else if digest == last.digest {
            Some(last.answer.clone())
        } else {
            Some(Answer::Refused(Refusal::SeqReused))
        }
    }

    /// Remembers the answer to an executed request.
    pub(super) fn record(&mut self, client: ClientId, record: SessionRecord) {
        self.records.insert(client, record);
    }

    /// Forgets the sessions below the floor.
    pub(super) fn prune(&mut self, floor: ClientId) {
        while let Some(client) = self.records.first().map(|(client, _)| *client).filter(|client| *client < floor) {
            self.records.remove(&client);
        }
    }
}

/// The lowest id that can be live: 0 is never issued.
fn lowest_live(floor: ClientId) -> u64 {
    floor.get().max(1)
}
