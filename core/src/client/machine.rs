//! The client's state, its calls and their order.

use super::pursuit::{Attempt, Phase, Pursuit};
use super::refresh::Refresh;
use super::routes::Routes;
use super::types::{CallId, Effects, Endpoint, Input, Operation, Outcome, Task, Timer, Trouble, Wait};
use crate::controller::{Configuration, Directory};
use crate::mutants::mutant;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
use alloc::vec::Vec;
use quorate_spec::action::Action;
use quorate_spec::ids::{ClientId, Seq, ShardId, Ticket};

/// What takes writes of a session one at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Lane {
    /// The controller's session table.
    Controller,
    /// A shard's session table.
    Shard(ShardId),
}

/// The writes of a lane.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Queue {
    /// The one that may be outstanding.
    current: CallId,
    /// Those behind it; the least goes next.
    waiting: BTreeSet<CallId>,
}

/// A user's call.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Call {
    pub(super) operation: Operation,
    /// Set for writes and changes once their lane is known.
    lane: Option<Lane>,
    /// The request's identity, assigned when it is first sent and kept as long as it may have been executed under it.
    pub(super) stamp: Option<(ClientId, Seq)>,
    /// Whether an attempt went unanswered: then only the write's own answer tells what became of it.
    pub(super) uncertain: bool,
    pub(super) pursuit: Pursuit,
}

impl Call {
    /// Whether it must get a number in a session before it can be sent.
    pub(super) const fn needs_session(&self) -> bool {
        matches!(self.operation, Operation::Write { .. } | Operation::Change(_)) && self.stamp.is_none()
    }
}

/// A client of one cluster, with at most one live session.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Client {
    pub(super) routes: Routes,
    pub(super) session: Option<ClientId>,
    /// The greatest session ever held: an older one that is offered late is not taken.
    pub(super) last_session: ClientId,
    pub(super) registration: Option<Pursuit>,
    /// The last request number given out. It never falls, not even with a new session.
    pub(super) last_seq: Seq,
    pub(super) last_ticket: Ticket,
    pub(super) calls: BTreeMap<CallId, Call>,
    lanes: BTreeMap<Lane, Queue>,
    pub(super) attempts: BTreeMap<Ticket, Attempt>,
    pub(super) refresh: Refresh,
}

impl Client {
    /// A client that knows these nodes; it asks one of them for the map at once.
    #[must_use]
    pub fn new(seeds: Vec<Endpoint>) -> (Self, Effects) {
        let mut client = Self {
            routes: Routes::new(seeds),
            session: None,
            last_session: ClientId::ZERO,
            registration: None,
            last_seq: Seq::ZERO,
            last_ticket: Ticket::ZERO,
            calls: BTreeMap::new(),
            lanes: BTreeMap::new(),
            attempts: BTreeMap::new(),
            refresh: Refresh::default(),
        };
        let mut fx = Effects::default();
        client.refresh(None, &mut fx);
        (client, fx)
    }

    /// Takes one input.
    #[must_use]
    pub fn step(&mut self, input: Input) -> Effects {
        let mut fx = Effects::default();
        match input {
            Input::Submit { call, operation } => self.submit(call, operation, &mut fx),
            Input::Received { from, ticket, reply } => self.received(&from, ticket, reply, &mut fx),
            Input::Disconnected { endpoint } => self.connection_lost(&endpoint, false, &mut fx),
            Input::Unreachable { endpoint } => self.connection_lost(&endpoint, true, &mut fx),
            Input::Fired { timer: Timer::Attempt { ticket } } => self.attempt_timed_out(ticket, &mut fx),
            Input::Fired { timer: Timer::Retry { task } } => self.retry(task, &mut fx),
            Input::Fired { timer: Timer::Deadline { call } } => self.deadline(call, &mut fx),
        }
        fx
    }

    /// The newest map known.
    pub fn map(&self) -> (Arc<Configuration>, Arc<Directory>) {
        (self.routes.config().clone(), self.routes.directory().clone())
    }

    /// The live session, if any.
    pub fn session(&self) -> Option<ClientId> {
        self.session
    }

    /// To whom an unanswered attempt went.
    pub fn attempt_endpoint(&self, ticket: Ticket) -> Option<&Endpoint> {
        self.attempts.get(&ticket).map(|attempt| &attempt.server.endpoint)
    }

    /// The identity under which a call's attempts go, once it was sent.
    pub fn stamp(&self, call: CallId) -> Option<(ClientId, Seq)> {
        self.calls.get(&call).and_then(|call| call.stamp)
    }

    fn submit(&mut self, id: CallId, operation: Operation, fx: &mut Effects) {
        let call = Call { operation, lane: None, stamp: None, uncertain: false, pursuit: Pursuit::new() };
        let newest = self.calls.last_key_value().is_none_or(|(last, _)| *last < id);
        assert!(newest, "call ids grow");
        let map = call.operation == Operation::Map;
        self.calls.insert(id, call);
        fx.arm(Timer::Deadline { call: id }, Wait::Deadline);
        if map {
            self.refresh.waiters.insert(id);
            self.refresh(None, fx);
        } else {
            self.enter(id, fx);
        }
    }

    /// Sends a call on its way, or to its place in the queue. Without a map nobody knows the place of a key.
    fn enter(&mut self, id: CallId, fx: &mut Effects) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let lane = match &call.operation {
            Operation::Get { key } | Operation::Write { key, .. } => {
                let Some(shard) = self.routes.shard_of(key) else {
                    call.pursuit.phase = Phase::Unplaced;
                    call.pursuit.trouble = Trouble::NoMap;
                    return self.refresh(None, fx);
                };
                call.operation.mutates().then_some(Lane::Shard(shard))
            }
            Operation::Change(_) => Some(Lane::Controller),
            Operation::Query { .. } | Operation::TransferLeadership { .. } | Operation::Map => None,
        };
        let lane = lane.filter(|lane| !(mutant!(SecondWriteOutstanding) && self.lanes.contains_key(lane)));
        call.lane = lane;
        if let Some(lane) = lane {
            if let Some(queue) = self.lanes.get_mut(&lane) {
                queue.waiting.insert(id);
                return;
            }
            self.lanes.insert(lane, Queue { current: id, waiting: BTreeSet::new() });
        }
        self.pursue(Task::Call(id), fx);
    }

    /// A map came, or a newer one: calls that it shows a way to go on without waiting for their timers.
    pub(super) fn map_changed(&mut self, fx: &mut Effects) {
        let mut unplaced = Vec::new();
        let mut rerouted = Vec::new();
        for (id, call) in &self.calls {
            match call.pursuit.phase {
                Phase::Unplaced => unplaced.push(*id),
                Phase::BackingOff if self.leads_elsewhere(call) => rerouted.push(*id),
                Phase::Queued | Phase::NeedsSession | Phase::InFlight(_) | Phase::BackingOff => {}
            }
        }
        for id in rerouted {
            let task = Task::Call(id);
            fx.disarm(Timer::Retry { task });
            self.pursue(task, fx);
        }
        for id in unplaced {
            if let Some(call) = self.calls.get_mut(&id) {
                call.pursuit.phase = Phase::Queued;
                call.pursuit.trouble = Trouble::Waiting;
            }
            self.enter(id, fx);
        }
    }

    /// Whether the map names a group for a call that is not the one it tried.
    fn leads_elsewhere(&self, call: &Call) -> bool {
        let group = self.routes.group_of(&call.operation).ok();
        group.is_some() && group != call.pursuit.group
    }

    fn retry(&mut self, task: Task, fx: &mut Effects) {
        match task {
            Task::Refresh => self.refresh_again(fx),
            Task::Register | Task::Call(_) => {
                // A timer that nobody waits for is ignored.
                if let Some(pursuit) = self.pursuit_mut(task).filter(|pursuit| pursuit.phase == Phase::BackingOff) {
                    pursuit.phase = Phase::Queued; // The timer has fired.
                    self.try_again(task, fx);
                }
            }
        }
    }

    fn try_again(&mut self, task: Task, fx: &mut Effects) {
        if task == Task::Register && self.awaiting_session().is_empty() {
            // Nobody wants a session any more, nor the answers that are still to come.
            if let Some(registration) = self.registration.take() {
                registration.older.iter().for_each(|ticket| _ = self.attempts.remove(ticket));
            }
        } else {
            self.pursue(task, fx);
        }
    }

    fn deadline(&mut self, id: CallId, fx: &mut Effects) {
        let Some(call) = self.calls.get(&id) else { return };
        let trouble = call.pursuit.trouble;
        let outcome = if !call.operation.mutates() {
            Outcome::Timeout { trouble }
        } else if call.uncertain
            || (matches!(call.pursuit.phase, Phase::InFlight(_)) && !mutant!(DeadlineForgetsAttempt))
        {
            Outcome::Unknown { trouble }
        } else {
            Outcome::NotExecuted { trouble }
        };
        self.end(id, outcome, fx);
    }

    /// Ends a call that was refused for good: by `outcome` if no attempt of it went unanswered, else unknown.
    pub(super) fn finish_refused(&mut self, id: CallId, outcome: Outcome, fx: &mut Effects) {
        let Some(call) = self.calls.get(&id) else { return };
        let unknown = Outcome::Unknown { trouble: call.pursuit.trouble };
        let outcome = if call.uncertain && !mutant!(RefusedThoughUncertain) { unknown } else { outcome };
        self.finish(id, outcome, fx);
    }

    /// Ends a call before its deadline.
    pub(super) fn finish(&mut self, id: CallId, outcome: Outcome, fx: &mut Effects) {
        if self.calls.contains_key(&id) {
            fx.disarm(Timer::Deadline { call: id });
            self.end(id, outcome, fx);
        }
    }

    /// Ends a call; the next one of its lane takes its place.
    fn end(&mut self, id: CallId, outcome: Outcome, fx: &mut Effects) {
        let Some(call) = self.calls.remove(&id) else { return };
        self.drop_attempts(Task::Call(id), &call.pursuit, fx);
        self.refresh.waiters.remove(&id);
        let seq = call.stamp.map_or(Seq::ZERO, |(_, seq)| seq);
        let gave_up = matches!(outcome, Outcome::Unknown { .. });
        fx.labels.push(if gave_up { Action::GiveUp { seq } } else { Action::Complete { seq } });
        fx.completions.push((id, outcome));
        if let Some(lane) = call.lane {
            self.leave_lane(lane, id, fx);
        }
    }

    fn leave_lane(&mut self, lane: Lane, id: CallId, fx: &mut Effects) {
        let queue = self.lanes.get_mut(&lane).expect("a call's lane lasts as long as the call");
        if queue.current != id {
            queue.waiting.remove(&id);
            return;
        }
        match queue.waiting.pop_first() {
            Some(next) => {
                queue.current = next;
                self.pursue(Task::Call(next), fx);
            }
            None => {
                self.lanes.remove(&lane);
            }
        }
    }
}
