//! The session: asked for when first needed, replaced when it ends.
//!
//! A number under a session that ended is never executed again; a call whose every attempt was answered may therefore
//! take a number under the next session, and no other call ever may.

use super::machine::Client;
use super::pursuit::{Phase, Pursuit};
use super::types::{CallId, Effects, Outcome, Task, Trouble};
use crate::mutants::{self, mutant};
use alloc::vec::Vec;
use quorate_spec::ids::ClientId;

impl Client {
    /// A write waits for a session; the first one that does asks for it.
    pub(super) fn await_session(&mut self, id: CallId, fx: &mut Effects) {
        if let Some(call) = self.calls.get_mut(&id) {
            call.pursuit.phase = Phase::NeedsSession;
        }
        if self.registration.is_none() {
            self.registration = Some(Pursuit::new());
            self.pursue(Task::Register, fx);
        }
    }

    /// The calls that wait for a session.
    pub(super) fn awaiting_session(&self) -> Vec<CallId> {
        let waits = self.calls.iter().filter(|(_, call)| call.pursuit.phase == Phase::NeedsSession);
        waits.map(|(id, _)| *id).collect()
    }

    /// A session was issued. One that is not newer than the last is a late answer to an earlier question.
    pub(super) fn registered(&mut self, client: ClientId, fx: &mut Effects) {
        if client <= self.last_session {
            return self.back_off(Task::Register, Trouble::Nonsense, fx);
        }
        if let Some(registration) = self.registration.take() {
            self.drop_attempts(Task::Register, &registration, fx);
        }
        self.session = Some(client);
        self.last_session = client;
        for id in self.awaiting_session() {
            self.pursue(Task::Call(id), fx);
        }
    }

    /// The cluster says that the session under which a call was sent has ended, or is past the call's number.
    pub(super) fn session_ended(&mut self, id: CallId, fx: &mut Effects) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let ended = call.stamp.map(|(client, _)| client);
        if self.session == ended {
            self.session = None;
        }
        call.pursuit.trouble = Trouble::SessionEnded;
        if call.uncertain && !mutant!(ResendUnderNewId) {
            return self.finish(id, Outcome::Unknown { trouble: Trouble::SessionEnded }, fx);
        }
        let certain = call.pursuit.older.is_empty() || mutants::any_selected();
        assert!(certain, "an unanswered attempt makes a call uncertain");
        call.stamp = None;
        self.hop(Task::Call(id), Trouble::SessionEnded, fx);
    }
}
