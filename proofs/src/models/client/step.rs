//! One step of the world: something reaches the client, or happens in the cluster.

use super::ClientModel;
use super::actions::{Aim, ClientAction};
use super::cluster::{Executed, endpoint};
use super::scopes::Call;
use super::state::{ClientState, Flight};
use quorate_core::bytes::Bytes;
use quorate_core::client::{CallId, Effects, Endpoint, Input, Operation, Task, Timer, TimerChange};
use quorate_core::message::{Refusal, Reply, Request};
use quorate_core::shard::WriteOp;
use quorate_spec::ids::{ConfigNum, DirectoryVersion, Ticket};
use std::sync::Arc;

impl ClientModel {
    /// The state after an action; `None` if it cannot happen there.
    pub(super) fn take(&self, before: &ClientState, action: ClientAction) -> Option<ClientState> {
        let mut state = before.clone();
        match action {
            ClientAction::Call => {
                let call = *self.scope.calls.get(usize::from(state.ghost.called))?;
                state.ghost.called += 1;
                let id = state.ghost.called;
                self.submit(&mut state, id, call);
            }
            ClientAction::Execute { ticket } => self.execute(&mut state, ticket)?,
            ClientAction::Answer { ticket } => {
                let reply = state.replies.remove(&ticket)?;
                self.arrive(&mut state, ticket, reply)?;
            }
            ClientAction::TellMap { ticket, config } => {
                state.spent.refusals += u8::from(config == ConfigNum::ZERO);
                let flight = state.requests.remove(&ticket)?;
                let reply = self.tell(&flight.request, config);
                self.arrive(&mut state, ticket, reply)?;
            }
            ClientAction::Refuse { ticket, reason } => {
                state.spent.refusals += 1;
                state.requests.remove(&ticket)?;
                self.arrive(&mut state, ticket, Reply::Refused(reason.refusal()))?;
            }
            ClientAction::LoseLeadership { ticket } => {
                state.spent.refusals += 1;
                state.requests.get_mut(&ticket)?.open = false;
                self.arrive(&mut state, ticket, Reply::Refused(Refusal::LeadershipLost))?;
            }
            ClientAction::TimeOut { ticket } => {
                state.spent.timeouts += 1;
                self.fire(&mut state, Timer::Attempt { ticket })?;
            }
            ClientAction::Retry { aim } => self.fire(&mut state, Timer::Retry { task: task_of(aim) })?,
            ClientAction::Deadline { call } => {
                self.fire(&mut state, Timer::Deadline { call: CallId::new(u64::from(call)) })?;
            }
            ClientAction::Cut { node } => self.cut(&mut state, &endpoint(node.get()), false),
            ClientAction::Unreachable { node } => self.cut(&mut state, &endpoint(node.get()), true),
            ClientAction::Move => state.cluster.moved = true,
            ClientAction::EndSessions => {
                state.spent.floors += 1;
                state.cluster.end_sessions();
            }
        }
        forget(&mut state);
        if state.violation.is_none() && self.tries_progress(&state) {
            state.violation = self.stuck(&state);
        }
        Some(state)
    }

    /// The user makes a call.
    pub(super) fn submit(&self, state: &mut ClientState, id: u8, call: Call) {
        let operation = match call {
            Call::Append(shard) => Operation::Write {
                key: self.map.key(shard),
                op: WriteOp::Append { value: Bytes::from([id].as_slice()) },
            },
            Call::Get(shard) => Operation::Get { key: self.map.key(shard) },
        };
        self.input(state, Input::Submit { call: CallId::new(u64::from(id)), operation });
    }

    fn execute(&self, state: &mut ClientState, ticket: Ticket) -> Option<()> {
        let flight = state.requests.remove(&ticket).filter(|flight| state.cluster.serves(&flight.request))?;
        let Executed { reply, effect } = state.cluster.execute(&flight.request);
        if let Some((call, position)) = effect {
            self.took_effect(state, call, position);
        }
        if flight.open {
            self.answered(state, &flight.request, &reply);
            state.replies.insert(ticket, reply);
        }
        Some(())
    }

    /// An answer reaches the client, and a copy of it.
    fn arrive(&self, state: &mut ClientState, ticket: Ticket, reply: Reply) -> Option<()> {
        let from = state.client.attempt_endpoint(ticket)?.clone();
        self.input(state, Input::Received { from: from.clone(), ticket, reply: reply.clone() });
        let mut again = state.client.clone();
        let repeated = again.step(Input::Received { from, ticket, reply });
        if again != state.client || repeated != Effects::default() {
            self.repeated_answer_acts(state, ticket);
        }
        Some(())
    }

    /// The map as a node knows it that stands at `config`.
    fn tell(&self, request: &Request, config: ConfigNum) -> Reply {
        let (known, version) = match request {
            Request::Map { config, version } => (*config, *version),
            _ => (ConfigNum::ZERO, DirectoryVersion::ZERO),
        };
        let place = usize::try_from(config.get()).ok().and_then(|num| num.checked_sub(1));
        let Some(latest) = place.and_then(|place| self.map.configs.get(place)) else {
            return Reply::Map { config: None, directory: None };
        };
        let newer = latest.num > known || version == DirectoryVersion::ZERO;
        let directory = (version < self.map.directory.version).then(|| Arc::clone(&self.map.directory));
        Reply::Map { config: newer.then(|| Arc::clone(latest)), directory }
    }

    /// Whatever a request asks for is done at once by somebody who can, or refused with the news.
    pub(super) fn answer_well(&self, state: &mut ClientState, ticket: Ticket) {
        let Some(flight) = state.requests.get(&ticket).cloned() else { return };
        if let Request::Map { .. } = flight.request {
            state.requests.remove(&ticket);
            let reply = self.tell(&flight.request, state.cluster.config());
            let _ = self.arrive(state, ticket, reply);
        } else if state.cluster.serves(&flight.request) {
            let _ = self.execute(state, ticket);
            if let Some(reply) = state.replies.remove(&ticket) {
                let _ = self.arrive(state, ticket, reply);
            }
        } else {
            state.requests.remove(&ticket);
            let refusal = Refusal::WrongGroup { config: state.cluster.config() };
            let _ = self.arrive(state, ticket, Reply::Refused(refusal));
        }
        forget(state);
    }

    /// A timer fires, if it is armed.
    pub(super) fn fire(&self, state: &mut ClientState, timer: Timer) -> Option<()> {
        state.timers.remove(&timer).then(|| self.input(state, Input::Fired { timer }))
    }

    /// A connection breaks, or could not be opened (`unsent`).
    fn cut(&self, state: &mut ClientState, node: &Endpoint, unsent: bool) {
        state.spent.cuts += 1;
        let lost: Vec<Ticket> = (state.replies.keys().copied())
            .filter(|ticket| state.client.attempt_endpoint(*ticket) == Some(node))
            .collect();
        lost.iter().for_each(|ticket| _ = state.replies.remove(ticket));
        if unsent {
            state.requests.retain(|_, flight| !(flight.open && flight.to == *node));
        }
        for flight in state.requests.values_mut().filter(|flight| flight.to == *node) {
            flight.open = false;
        }
        let endpoint = node.clone();
        let input = if unsent { Input::Unreachable { endpoint } } else { Input::Disconnected { endpoint } };
        self.input(state, input);
    }

    /// The client takes a step.
    fn input(&self, state: &mut ClientState, input: Input) {
        let effects = state.client.step(input);
        self.perform(state, effects);
    }

    /// What the client wants done is done, and judged.
    pub(super) fn perform(&self, state: &mut ClientState, effects: Effects) {
        let fired = if state.spent == UNSEEN { &self.unseen } else { &self.fired };
        fired.count(&effects.labels);
        for change in effects.timers {
            match change {
                TimerChange::Arm(timer, _) => _ = state.timers.insert(timer),
                TimerChange::Disarm(timer) => _ = state.timers.remove(&timer),
            }
        }
        // What a call's end lets through is sent after it.
        for (call, outcome) in effects.completions {
            self.ended(state, call.get() as u8, outcome);
        }
        for (to, ticket, request) in effects.sends {
            self.sent(state, &request);
            state.requests.insert(ticket, Flight { to, request, open: true });
        }
    }
}

/// What a rehearsal has used up: more than any search, so that its steps are told from a search's.
pub(super) const UNSEEN: super::state::Spent =
    super::state::Spent { refusals: u8::MAX, timeouts: u8::MAX, cuts: u8::MAX, floors: u8::MAX };

fn task_of(aim: Aim) -> Task {
    match aim {
        Aim::Call(call) => Task::Call(CallId::new(u64::from(call))),
        Aim::Session => Task::Register,
        Aim::Map => Task::Refresh,
    }
}

/// Takes out what cannot matter any more.
fn forget(state: &mut ClientState) {
    let ClientState { client, requests, replies, cluster, .. } = state;
    replies.retain(|ticket, _| client.attempt_endpoint(*ticket).is_some());
    requests.retain(|ticket, flight| {
        flight.open &= client.attempt_endpoint(*ticket).is_some();
        match &flight.request {
            Request::Write { client, seq, key, .. } => flight.open || cluster.may_execute(*client, *seq, key),
            _ => flight.open,
        }
    });
}
