//! What the user was told, compared with what the cluster did.

use super::ClientModel;
use super::cluster::call_of;
use super::state::ClientState;
use quorate_core::client::Outcome;
use quorate_core::message::{Reply, Request};
use quorate_spec::Violation;
use quorate_spec::ids::{Position, Ticket};
use quorate_spec::invariants::at_most_once;

/// A call is answered once, with the answer that the cluster gave to that call.
pub(super) const ANSWER: &str = "AnswerIsItsOwn";
/// A call that was refused, or reported as not executed, has no effect, neither before nor afterwards.
pub(super) const REFUSED: &str = "RefusedHasNoEffect";
/// A session has one write of a shard outstanding.
pub(super) const OUTSTANDING: &str = "OneOutstanding";
/// Each write gets a number of its own, greater than all before.
pub(super) const NUMBERS: &str = "NumbersGrow";

impl ClientModel {
    fn keep(state: &mut ClientState, verdict: Result<(), Violation>) {
        if let (Err(violation), None) = (verdict, &state.violation) {
            state.violation = Some(violation);
        }
    }

    /// A write sets out.
    pub(super) fn sent(&self, state: &mut ClientState, request: &Request) {
        let Request::Write { client, seq, key, op, .. } = request else { return };
        let (call, number) = (call_of(op), (*client, *seq));
        if let Some(other) = state.ghost.numbers.get(&number) {
            if *other != call {
                let evidence = format!("{seq} of session {client} was given to call {other} and to call {call}");
                Self::keep(state, Err(Violation::new(NUMBERS, evidence)));
            }
            return;
        }
        if *seq <= state.ghost.last {
            let evidence = format!("call {call} got number {seq}, and {} was given out before", state.ghost.last);
            Self::keep(state, Err(Violation::new(NUMBERS, evidence)));
        }
        state.ghost.last = state.ghost.last.max(*seq);
        let shard = |call: u8| self.shard_of(call);
        let waits = |other: &&u8| **other != call && !state.ghost.ended.contains_key(other);
        let other = state.ghost.numbers.iter().filter(|((session, _), _)| session == client).map(|(_, other)| other);
        let other = other.filter(waits).find(|other| shard(**other) == shard(call)).copied();
        if let Some(other) = other {
            let evidence = format!("call {call} sets out for {key:?} while call {other} of its shard is outstanding");
            Self::keep(state, Err(Violation::new(OUTSTANDING, evidence)));
        }
        state.ghost.numbers.insert(number, call);
    }

    /// A write took effect.
    pub(super) fn took_effect(&self, state: &mut ClientState, call: u8, position: Position) {
        let once = at_most_once::observe(&mut state.ghost.executions, call);
        Self::keep(state, once);
        state.ghost.effects.insert(call, position);
        let told = state.ghost.ended.get(&call).filter(|outcome| denies(outcome));
        if let Some(told) = told {
            let evidence = format!("call {call} took effect at {position} after the user was told {told:?}");
            Self::keep(state, Err(Violation::new(REFUSED, evidence)));
        }
    }

    /// The cluster answered a read.
    pub(super) fn answered(&self, state: &mut ClientState, request: &Request, reply: &Reply) {
        if let (Request::Get { .. }, Some(call)) = (request, self.reader(state)) {
            state.ghost.reads.entry(call).or_default().push(reply.clone());
        }
    }

    /// A call ended.
    pub(super) fn ended(&self, state: &mut ClientState, call: u8, outcome: Outcome) {
        let effect = state.ghost.effects.get(&call).copied();
        let verdict = match &outcome {
            Outcome::Written { position, .. } if effect != Some(*position) => Some((
                ANSWER,
                format!("call {call} was answered as written at {position}, and it took effect at {effect:?}"),
            )),
            Outcome::Value { value, shard, position } => {
                let told = Reply::Value { value: value.clone(), shard: *shard, position: *position };
                let own = state.ghost.reads.get(&call).is_some_and(|reads| reads.contains(&told));
                (!own).then(|| {
                    (ANSWER, format!("call {call} was answered with {told:?}, which no read of its own found"))
                })
            }
            _ if denies(&outcome) && effect.is_some() => {
                Some((REFUSED, format!("the user was told {outcome:?} of call {call}, which took effect")))
            }
            _ => None,
        };
        if let Some((property, evidence)) = verdict {
            Self::keep(state, Err(Violation::new(property, evidence)));
        }
        if state.ghost.ended.insert(call, outcome).is_some() {
            Self::keep(state, Err(Violation::new(ANSWER, format!("call {call} ended twice"))));
        }
    }

    pub(super) fn repeated_answer_acts(&self, state: &mut ClientState, ticket: Ticket) {
        let evidence = format!("the answer to {ticket} came twice and acted twice");
        Self::keep(state, Err(Violation::new(ANSWER, evidence)));
    }
}

/// Whether an outcome promises that there was and will be no effect.
fn denies(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Refused(_) | Outcome::RefusedByController(_) | Outcome::NotExecuted { .. })
}
