//! Progress, as safety: from here, a healthy cluster answers every call before its deadline.
//!
//! The schedule is fixed and fair: every request that is sent is answered by whoever can, what is on its way is lost, and
//! timers fire, but never a deadline. And a deadline always ends its call.

use super::ClientModel;
use super::scopes::Call;
use super::state::ClientState;
use super::step::UNSEEN;
use quorate_core::client::Timer;
use quorate_spec::Violation;
use std::hash::{DefaultHasher, Hash, Hasher};

/// The property's name.
pub(super) const NAME: &str = "Progress";

/// Timers that a fair schedule may need.
const ROUNDS: usize = 40;

impl ClientModel {
    /// Whether a fair schedule is tried from this state.
    pub(super) fn tries_progress(&self, state: &ClientState) -> bool {
        let mut hasher = DefaultHasher::new();
        state.hash(&mut hasher);
        self.scope.progress > 0 && state.spent != UNSEEN && hasher.finish().is_multiple_of(self.scope.progress)
    }

    /// Why no progress can be made from here, if so.
    pub(super) fn stuck(&self, state: &ClientState) -> Option<Violation> {
        let mut fair = ClientState { spent: UNSEEN, ..state.clone() };
        let waiting = |state: &ClientState| (1..=state.ghost.called).find(|call| !state.ghost.ended.contains_key(call));
        for _ in 0..ROUNDS {
            while let Some(ticket) = fair.requests.iter().find(|(_, it)| it.open).map(|(ticket, _)| *ticket) {
                self.answer_well(&mut fair, ticket);
            }
            waiting(&fair)?;
            let timer = fair.timers.iter().find(|timer| !matches!(timer, Timer::Deadline { .. })).copied();
            let Some(timer) = timer else { break };
            let _ = self.fire(&mut fair, timer);
        }
        let call = waiting(&fair)?;
        Some(Violation::new(NAME, format!("call {call} waits, and nothing that the client has left to do answers it")))
    }

    /// The shard of a write, by its call.
    pub(super) fn shard_of(&self, call: u8) -> Option<u64> {
        match self.scope.calls.get(usize::from(call).checked_sub(1)?)? {
            Call::Append(shard) | Call::Get(shard) => Some(*shard),
        }
    }

    /// The call that reads; no scope has two of them open at a time.
    pub(super) fn reader(&self, state: &ClientState) -> Option<u8> {
        let reads = |call: &u8| matches!(self.scope.calls.get(usize::from(*call) - 1), Some(Call::Get(_)));
        (1..=state.ghost.called).filter(reads).find(|call| !state.ghost.ended.contains_key(call))
    }
}
