//! Pursuing one aim until it is answered: where its attempts stand, when it hops to another server, when it backs off.

use super::machine::Client;
use super::routes::Server;
use super::types::{Effects, Endpoint, Operation, Task, Timer, TimerChange, Trouble, Wait};
use crate::message::Request;
use crate::mutants::mutant;
use alloc::vec::Vec;
use quorate_spec::action::Action;
use quorate_spec::ids::{ClientId, GroupId, Seq, Ticket};

/// Where a pursuit stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Phase {
    /// It waits for the first map, to know the shard of its key.
    Unplaced,
    /// It waits for its turn, behind another write of its shard.
    Queued,
    /// It waits for a session.
    NeedsSession,
    /// An attempt is on its way.
    InFlight(Ticket),
    /// It waits for its retry timer.
    BackingOff,
}

/// The attempts of one call, or of the registration.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Pursuit {
    pub(super) phase: Phase,
    /// The group last tried.
    pub(super) group: Option<GroupId>,
    /// Attempts since the last back-off that sent it elsewhere at once.
    hops: u32,
    /// Back-offs so far.
    pub(super) round: u32,
    /// Unanswered attempts on unbroken connections: a late answer of theirs still counts.
    pub(super) older: Vec<Ticket>,
    pub(super) trouble: Trouble,
}

impl Pursuit {
    pub(super) const fn new() -> Self {
        Self { phase: Phase::Queued, group: None, hops: 0, round: 0, older: Vec::new(), trouble: Trouble::Waiting }
    }
}

/// A request on its way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Attempt {
    pub(super) task: Task,
    pub(super) group: Option<GroupId>,
    pub(super) server: Server,
}

impl Effects {
    pub(super) fn arm(&mut self, timer: Timer, wait: Wait) {
        self.timers.push(TimerChange::Arm(timer, wait));
    }

    pub(super) fn disarm(&mut self, timer: Timer) {
        self.timers.push(TimerChange::Disarm(timer));
    }
}

impl Client {
    pub(super) fn pursuit_mut(&mut self, task: Task) -> Option<&mut Pursuit> {
        match task {
            Task::Call(id) => self.calls.get_mut(&id).map(|call| &mut call.pursuit),
            Task::Register => self.registration.as_mut(),
            Task::Refresh => None,
        }
    }

    /// Makes the next attempt, or waits for what it lacks.
    pub(super) fn pursue(&mut self, task: Task, fx: &mut Effects) {
        let group = match task {
            Task::Call(id) => {
                let Some(call) = self.calls.get(&id) else { return };
                if call.needs_session() && self.session.is_none() {
                    return self.await_session(id, fx);
                }
                self.routes.group_of(&call.operation)
            }
            Task::Register => Ok(GroupId::CONTROLLER),
            Task::Refresh => return self.refresh(None, fx),
        };
        let group = match group {
            Ok(group) => group,
            Err(trouble) => return self.back_off(task, trouble, fx),
        };
        let Some(server) = self.routes.server(group) else {
            return self.back_off(task, Trouble::UnknownGroup, fx);
        };
        let (request, seq) = self.request_of(task, group);
        let ticket = self.send(task, Some(group), server, request, seq, fx);
        let pursuit = self.pursuit_mut(task).expect("a task that is pursued exists");
        pursuit.group = Some(group);
        pursuit.phase = Phase::InFlight(ticket);
    }

    /// What is asked of `group`. A write without a number gets the next one here: just before it is first sent.
    fn request_of(&mut self, task: Task, group: GroupId) -> (Request, Seq) {
        let Task::Call(id) = task else {
            return (Request::RegisterClient, Seq::ZERO);
        };
        let fresh = self.session.map(|client| (client, self.last_seq.next()));
        let call = self.calls.get_mut(&id).expect("a call that is pursued exists");
        if call.needs_session() {
            call.stamp = fresh;
            if !mutant!(SeqReused) {
                self.last_seq = self.last_seq.next();
            }
        }
        let (client, seq) = call.stamp.unwrap_or((ClientId::ZERO, Seq::ZERO));
        let request = match &call.operation {
            Operation::Get { key } => Request::Get { group, key: key.clone() },
            Operation::Write { key, op } => {
                assert!(client > ClientId::ZERO, "a write is sent under a session");
                Request::Write { group, client, seq, key: key.clone(), op: op.clone() }
            }
            Operation::Change(change) => {
                assert!(client > ClientId::ZERO, "a change is sent under a session");
                Request::Change { client, seq, change: change.clone() }
            }
            Operation::Query { num } => Request::Query { num: *num },
            Operation::TransferLeadership { to, .. } => Request::TransferLeadership { group, to: *to },
            Operation::Map => self.map_request(),
        };
        (request, seq)
    }

    /// Sends one attempt and arms its timer.
    pub(super) fn send(
        &mut self,
        task: Task,
        group: Option<GroupId>,
        server: Server,
        request: Request,
        seq: Seq,
        fx: &mut Effects,
    ) -> Ticket {
        self.last_ticket = self.last_ticket.next();
        let ticket = self.last_ticket;
        let wait = if group == Some(GroupId::CONTROLLER) { Wait::ControllerAttempt } else { Wait::Attempt };
        fx.arm(Timer::Attempt { ticket }, wait);
        if task != Task::Refresh {
            fx.labels.push(Action::SendRequest { seq, to: server.node });
        }
        fx.sends.push((server.endpoint.clone(), ticket, request));
        self.attempts.insert(ticket, Attempt { task, group, server });
        ticket
    }

    /// Tries the server that is believed in now, at once; after as many hops as the group has servers, backs off first.
    pub(super) fn hop(&mut self, task: Task, trouble: Trouble, fx: &mut Effects) {
        let Some(pursuit) = self.pursuit_mut(task) else { return };
        pursuit.hops += 1;
        pursuit.trouble = trouble;
        let (hops, group) = (pursuit.hops, pursuit.group);
        let servers = group.map_or(0, |group| self.routes.servers(group).len());
        if usize::try_from(hops).is_ok_and(|hops| hops <= servers) {
            self.pursue(task, fx);
        } else {
            self.back_off(task, trouble, fx);
        }
    }

    /// Waits for the retry timer, and has the map refreshed meanwhile: whatever went wrong, a newer map may cure it.
    pub(super) fn back_off(&mut self, task: Task, trouble: Trouble, fx: &mut Effects) {
        let Some(pursuit) = self.pursuit_mut(task) else { return };
        let round = pursuit.round;
        pursuit.phase = Phase::BackingOff;
        pursuit.trouble = trouble;
        pursuit.hops = 0;
        pursuit.round = round.saturating_add(1);
        if !mutant!(RefusalNotRetried) {
            fx.arm(Timer::Retry { task }, Wait::Backoff { round });
        }
        self.refresh(None, fx);
    }

    /// The current attempt of a task got no answer: what it asked may have been done or may be done later.
    pub(super) fn mark_uncertain(&mut self, task: Task) {
        if let Task::Call(id) = task
            && let Some(call) = self.calls.get_mut(&id)
        {
            call.uncertain |= call.operation.mutates();
        }
    }

    /// An attempt waited too long. Another server is asked; a late answer of this one still counts.
    pub(super) fn attempt_timed_out(&mut self, ticket: Ticket, fx: &mut Effects) {
        let Some(attempt) = self.attempts.get(&ticket) else {
            return;
        };
        let (task, group, endpoint) = (attempt.task, attempt.group, attempt.server.endpoint.clone());
        if task == Task::Refresh {
            self.attempts.remove(&ticket);
            return self.refresh_failed(fx);
        }
        let pursuit = self.pursuit_mut(task).expect("an attempt belongs to a live task");
        if pursuit.phase != Phase::InFlight(ticket) {
            return;
        }
        pursuit.older.push(ticket);
        self.mark_uncertain(task);
        if let Some(group) = group {
            self.routes.suspect(group, &endpoint);
        }
        self.hop(task, Trouble::Silent, fx);
    }

    /// A connection broke, or could not be opened (`unsent`): its attempts will not be answered any more.
    pub(super) fn connection_lost(&mut self, endpoint: &Endpoint, unsent: bool, fx: &mut Effects) {
        let lost: Vec<Ticket> =
            self.attempts.iter().filter(|(_, it)| it.server.endpoint == *endpoint).map(|(ticket, _)| *ticket).collect();
        for ticket in lost {
            let Some(Attempt { task, group, .. }) = self.attempts.remove(&ticket) else {
                continue;
            };
            if task == Task::Refresh {
                fx.disarm(Timer::Attempt { ticket });
                self.refresh_failed(fx);
                continue;
            }
            let pursuit = self.pursuit_mut(task).expect("an attempt belongs to a live task");
            if pursuit.phase != Phase::InFlight(ticket) {
                pursuit.older.retain(|older| *older != ticket);
                continue;
            }
            fx.disarm(Timer::Attempt { ticket });
            if !unsent {
                self.mark_uncertain(task);
            }
            if let Some(group) = group {
                self.routes.leave(group, endpoint);
            }
            self.hop(task, Trouble::Unreachable, fx);
        }
    }

    /// Forgets all attempts and timers of a pursuit that ended.
    pub(super) fn drop_attempts(&mut self, task: Task, pursuit: &Pursuit, fx: &mut Effects) {
        match pursuit.phase {
            Phase::InFlight(ticket) => {
                self.attempts.remove(&ticket);
                fx.disarm(Timer::Attempt { ticket });
            }
            Phase::BackingOff => fx.disarm(Timer::Retry { task }),
            Phase::Unplaced | Phase::Queued | Phase::NeedsSession => {}
        }
        for ticket in &pursuit.older {
            self.attempts.remove(ticket);
        }
    }
}
