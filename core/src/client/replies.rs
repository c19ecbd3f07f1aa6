//! What an answer means to the attempt that it answers.

use super::machine::Client;
use super::pursuit::{Attempt, Phase};
use super::routes::Follow;
use super::types::{CallId, Effects, Endpoint, Operation, Outcome, Task, Timer, Trouble};
use crate::controller::{self, Answer};
use crate::message::{Refusal, Reply};
use crate::mutants::mutant;
use quorate_spec::ids::{ConfigNum, GroupId, NodeId, Ticket};

/// What became of an attempt.
enum Verdict {
    /// The call's own answer.
    Done(Outcome),
    /// Refused for good: the call has this outcome unless an earlier attempt is uncertain.
    Final(Outcome),
    /// The session is over.
    SessionEnded,
    /// Another server should be asked.
    NotLeader(Option<NodeId>),
    /// The group does not serve the shard under its configuration, this one.
    Elsewhere(ConfigNum),
    /// This server is of no use; try again later. `uncertain`: this attempt may still be executed.
    Later { trouble: Trouble, leave: bool, uncertain: bool },
}

impl Client {
    pub(super) fn received(&mut self, from: &Endpoint, ticket: Ticket, reply: Reply, fx: &mut Effects) {
        if self.attempt_endpoint(ticket) != Some(from) {
            return; // The call has ended.
        }
        let oldest =
            self.attempts.iter().find(|(_, attempt)| attempt.server.endpoint == *from && attempt.group.is_some());
        let ticket = oldest.map(|(oldest, _)| *oldest).filter(|_| mutant!(AnswerByServer)).unwrap_or(ticket);
        let Some(attempt) = self.attempts.remove(&ticket) else {
            return;
        };
        if let Some(group) = attempt.group {
            self.routes.heard(group, from);
        }
        if attempt.task == Task::Refresh {
            fx.disarm(Timer::Attempt { ticket });
            return self.refreshed(reply, fx);
        }
        let pursuit = self.pursuit_mut(attempt.task).expect("an attempt belongs to a live task");
        let current = pursuit.phase == Phase::InFlight(ticket);
        if current {
            pursuit.phase = Phase::Queued; // Until the answer decides what comes next.
            fx.disarm(Timer::Attempt { ticket });
        } else {
            pursuit.older.retain(|older| *older != ticket);
        }
        match attempt.task {
            Task::Call(id) => {
                let verdict = self.judge(id, &attempt, reply);
                self.conclude(id, &attempt, verdict, current, fx);
            }
            Task::Register => self.register_answered(&attempt, &reply, current, fx),
            Task::Refresh => {}
        }
    }

    /// What an answer says about the attempt that it answers.
    fn judge(&self, id: CallId, attempt: &Attempt, reply: Reply) -> Verdict {
        let operation = &self.calls.get(&id).expect("an attempt belongs to a live call").operation;
        match (operation, reply) {
            (_, Reply::Refused(refusal)) => judge_refusal(operation, attempt, refusal),
            (Operation::Get { .. }, Reply::Value { value, shard, position }) => {
                Verdict::Done(Outcome::Value { value, shard, position })
            }
            (Operation::Write { .. }, Reply::Written { answer, shard, position }) => {
                Verdict::Done(Outcome::Written { answer, shard, position })
            }
            (Operation::Change(_), Reply::Controller(Answer::Changed { config })) => {
                Verdict::Done(Outcome::Changed { config, changed: true })
            }
            (Operation::Change(_), Reply::Controller(Answer::Unchanged { config })) => {
                Verdict::Done(Outcome::Changed { config, changed: false })
            }
            (Operation::Change(_), Reply::Controller(Answer::Refused(refusal))) => judge_controller(refusal),
            (Operation::Query { .. }, Reply::Controller(Answer::Configuration(config))) => {
                Verdict::Done(Outcome::Configuration(config))
            }
            (Operation::TransferLeadership { .. }, Reply::TransferStarted) => Verdict::Done(Outcome::TransferStarted),
            (_, _) => Verdict::Later { trouble: Trouble::Nonsense, leave: true, uncertain: true },
        }
    }

    fn conclude(&mut self, id: CallId, attempt: &Attempt, verdict: Verdict, current: bool, fx: &mut Effects) {
        let task = Task::Call(id);
        match verdict {
            Verdict::Done(outcome) => {
                if let Some(group) = attempt.group.filter(|_| current) {
                    self.routes.confirm(group, &attempt.server);
                }
                self.note_configuration(&outcome, attempt, fx);
                self.finish(id, outcome, fx);
            }
            // Of an older attempt only the call's own answer matters: the current one will be told the rest.
            _ if !current => {}
            Verdict::Final(outcome) => self.finish_refused(id, outcome, fx),
            Verdict::SessionEnded => self.session_ended(id, fx),
            Verdict::NotLeader(leader) => self.redirected(task, attempt, leader, fx),
            Verdict::Elsewhere(config) => {
                if config > self.routes.config().num {
                    self.refresh(Some(&attempt.server.endpoint), fx);
                }
                self.try_later(task, attempt, Trouble::Moving, false, fx);
            }
            Verdict::Later { trouble, leave, uncertain } => {
                if uncertain {
                    self.mark_uncertain(task);
                }
                self.try_later(task, attempt, trouble, leave, fx);
            }
        }
    }

    /// A configuration that an answer mentions and that is news: learned, or asked for where it is known.
    fn note_configuration(&mut self, outcome: &Outcome, attempt: &Attempt, fx: &mut Effects) {
        match outcome {
            Outcome::Configuration(config) => {
                self.learn(Some(config.clone()), None, fx);
            }
            Outcome::Changed { config, .. } if *config > self.routes.config().num => {
                self.refresh(Some(&attempt.server.endpoint), fx);
            }
            _ => {}
        }
    }

    /// The answer to the question for a session.
    fn register_answered(&mut self, attempt: &Attempt, reply: &Reply, current: bool, fx: &mut Effects) {
        match reply {
            Reply::Controller(Answer::ClientRegistered { client }) if current || *client > self.last_session => {
                if current {
                    self.routes.confirm(GroupId::CONTROLLER, &attempt.server);
                }
                self.registered(*client, fx);
            }
            _ if !current => {}
            Reply::Refused(Refusal::NotLeader { leader }) => self.redirected(Task::Register, attempt, *leader, fx),
            Reply::Refused(Refusal::Overloaded) => {
                self.try_later(Task::Register, attempt, Trouble::Overloaded, false, fx);
            }
            Reply::Refused(Refusal::DiskFull) => {
                self.try_later(Task::Register, attempt, Trouble::DiskFull, false, fx);
            }
            _ => self.try_later(Task::Register, attempt, Trouble::NoLeader, true, fx),
        }
    }

    fn redirected(&mut self, task: Task, attempt: &Attempt, leader: Option<NodeId>, fx: &mut Effects) {
        let Some(group) = attempt.group else { return };
        let round = self.pursuit_mut(task).map_or(0, |pursuit| pursuit.round);
        let from = &attempt.server.endpoint;
        let Some(leader) = leader else {
            self.routes.leave(group, from);
            return self.hop(task, Trouble::NoLeader, fx);
        };
        if self.routes.redirect(group, from, leader, round) == Follow::Later {
            return self.back_off(task, Trouble::Silent, fx);
        }
        self.hop(task, Trouble::NoLeader, fx);
        if self.pursuit_mut(task).is_some_and(|pursuit| pursuit.phase == Phase::BackingOff) {
            // Servers may name each other for long: next time somebody else is asked.
            self.routes.doubt(group);
        }
    }

    /// Tries again after a back-off; elsewhere if this server is of no use.
    fn try_later(&mut self, task: Task, attempt: &Attempt, trouble: Trouble, leave: bool, fx: &mut Effects) {
        if let Some(group) = attempt.group.filter(|_| leave) {
            self.routes.leave(group, &attempt.server.endpoint);
        }
        self.back_off(task, trouble, fx);
    }
}

fn judge_refusal(operation: &Operation, attempt: &Attempt, refusal: Refusal) -> Verdict {
    let later = |trouble, leave| Verdict::Later { trouble, leave, uncertain: false };
    let numbered = matches!(operation, Operation::Write { .. } | Operation::Change(_));
    match refusal {
        Refusal::NotLeader { leader } => Verdict::NotLeader(leader),
        Refusal::LeadershipLost => Verdict::Later { trouble: Trouble::NoLeader, leave: true, uncertain: true },
        Refusal::NoSuchGroup => later(Trouble::UnknownGroup, true),
        Refusal::WrongGroup { .. } if mutant!(WrongGroupCached) => Verdict::Done(Outcome::Refused(refusal)),
        Refusal::WrongGroup { config } | Refusal::NotYetHere { config } => Verdict::Elsewhere(config),
        Refusal::Overloaded => later(Trouble::Overloaded, false),
        Refusal::DiskFull => later(Trouble::DiskFull, false),
        Refusal::SessionExpired | Refusal::Superseded if numbered => Verdict::SessionEnded,
        Refusal::SessionExpired | Refusal::Superseded => later(Trouble::Nonsense, true),
        // Only the leader answers so. Of the target itself it means that it leads already: what was asked for is so.
        Refusal::BadTransferTarget => match operation {
            Operation::TransferLeadership { to, .. } if *to == attempt.server.node => {
                Verdict::Done(Outcome::TransferStarted)
            }
            _ => Verdict::Final(Outcome::Refused(refusal)),
        },
        Refusal::SeqReused | Refusal::KeyTooLarge { .. } | Refusal::ValueTooLarge { .. } => {
            Verdict::Final(Outcome::Refused(refusal))
        }
    }
}

/// A refusal of the controller's state machine. One that is not about the session is the change's own answer: the
/// session records it, and no other attempt will get another.
fn judge_controller(refusal: controller::Refusal) -> Verdict {
    use controller::Refusal;
    match refusal {
        Refusal::SessionExpired | Refusal::Superseded => Verdict::SessionEnded,
        Refusal::ReservedGid
        | Refusal::NothingNamed
        | Refusal::NoServers { .. }
        | Refusal::ServerTwice { .. }
        | Refusal::UnknownServer { .. }
        | Refusal::GroupExists { .. }
        | Refusal::UnknownGroup { .. }
        | Refusal::UnknownShard { .. }
        | Refusal::BadFloor
        | Refusal::OtherStamp { .. }
        | Refusal::NotRetirable => Verdict::Done(Outcome::RefusedByController(refusal)),
        Refusal::SeqReused => Verdict::Final(Outcome::RefusedByController(refusal)),
    }
}
