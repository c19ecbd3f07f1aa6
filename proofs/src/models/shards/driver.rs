//! The real drivers: each group's leader runs a `Migrator`, which proposes and asks over real messages.
//!
//! Messages and proposals join sets that only grow: each may arrive or be committed at any later time, again and again,
//! or never. *Reduction: a question is answered as soon as it is asked, and again whenever the asked replica has moved.*
//! An answer that is never delivered changes nothing, so it is no matter whether the question arrived. The leader applies an entry as soon as it is committed, unless it took over while it lagged: then it leads
//! from an old state, one entry at a time. A crash loses the driver's memory and makes the next member lead; that a
//! cursor goes back is a member that lags.
//!
//! *Progress* is judged where the last tick or crash was just spent (what can still go wrong went wrong by then, or
//! can be undone by the schedule): a fair schedule, in which ticks go on, must bring everything to its end.

use super::ShardsModel;
use super::actions::Step;
use super::names::PROGRESS;
use super::scopes::Driver;
use super::script::members;
use super::state::{Crew, Envelope, Member, Stage, State};
use crate::models::pool::Pool;
use quorate_core::controller::Directory;
use quorate_core::shard::{Drive, Known, Migrator, Pace, ShardGroup, ShardMessage};
use quorate_spec::Violation;
use quorate_spec::action::Action;
use quorate_spec::ids::{GroupId, NodeId};
use std::sync::Arc;

/// One tick without progress is enough to ask again: what more patience delays, it does not change.
const PACE: Pace = Pace { pulls: 2, ahead: 2, looks: 8, patience: 1 };
/// The most rounds of a fair schedule that any scope needs, with much to spare.
const ROUNDS: usize = 60;

/// The replicas and the driver of a group that begins.
pub(super) fn crew(group: GroupId, state: &ShardGroup, lag: bool) -> Crew {
    let nodes = members(group.gid).into_iter().take(if lag { 2 } else { 1 });
    Crew {
        log: Vec::new(),
        members: nodes.map(|node| Member { node, applied: 0, state: state.clone() }).collect(),
        leader: 0,
        migrator: Migrator::with_pace(PACE),
        proposed: Pool::default(),
    }
}

/// What is left of a group that retired: nobody answers, nobody drives.
pub(super) fn disbanded(crew: &Crew) -> Crew {
    let log = crew.log.iter().take(0).cloned().collect();
    Crew { log, members: Vec::new(), leader: 0, migrator: Migrator::new(), proposed: Pool::default() }
}

impl ShardsModel {
    /// A step of the drivers' world.
    pub(super) fn drive_step(&self, state: &State, step: &Step) -> Option<State> {
        let stage = state.stage.as_ref()?;
        match step {
            Step::Commit { group, entry } => {
                let place = self.script.place(*group)?;
                let proposed = stage.crews[place].proposed.contains(entry);
                proposed.then(|| self.append(state, *group, entry)).flatten()
            }
            Step::Deliver { mail } => stage.mail.contains(mail).then(|| self.deliver(state, mail)).flatten(),
            Step::Apply { group, node } => self.apply_next(state, *group, *node),
            Step::Tick { group } if stage.ticks > 0 => {
                let place = self.script.place(*group)?;
                let mut next = state.clone();
                Arc::make_mut(next.stage.as_mut()?).ticks -= 1;
                self.drive(&mut next, place, true);
                self.judge_fair(&mut next);
                Some(next)
            }
            Step::Crash { group } if stage.crashes > 0 => {
                let place = self.script.place(*group)?;
                let mut next = state.clone();
                let stage = Arc::make_mut(next.stage.as_mut()?);
                stage.crashes -= 1;
                let crew = Arc::make_mut(&mut stage.crews[place]);
                crew.leader = (crew.leader + 1) % crew.members.len().max(1);
                crew.migrator = Migrator::with_pace(PACE);
                self.drive(&mut next, place, false);
                self.judge_fair(&mut next);
                Some(next)
            }
            _ => None,
        }
    }

    /// After an entry was committed: a leader that is not behind applies it at once.
    pub(super) fn keep_up(&self, next: &mut State, place: usize) {
        let Some(stage) = &mut next.stage else { return };
        let crew = Arc::make_mut(&mut Arc::make_mut(stage).crews[place]);
        let end = crew.log.len();
        let Some(leader) = crew.members.get_mut(crew.leader).filter(|leader| leader.applied + 1 == end) else {
            return;
        };
        let (index, command) = &crew.log[leader.applied];
        leader.state.apply(*index, command);
        leader.applied += 1;
        crew.forget();
        self.drive(next, place, false);
    }

    fn apply_next(&self, state: &State, group: GroupId, node: NodeId) -> Option<State> {
        let place = self.script.place(group)?;
        let mut next = state.clone();
        let crew = Arc::make_mut(&mut Arc::make_mut(next.stage.as_mut()?).crews[place]);
        let which = crew.members.iter().position(|member| member.node == node)?;
        let member = crew.members.get_mut(which)?;
        let (index, command) = crew.log.get(member.applied)?;
        member.state.apply(*index, command);
        member.applied += 1;
        crew.forget();
        if which == crew.leader {
            self.drive(&mut next, place, false);
        }
        Some(next)
    }

    fn known(&self, state: &State) -> Directory {
        self.script.directory(state.retired(&self.script))
    }

    /// The leader's driver looks at its state.
    pub(super) fn drive(&self, next: &mut State, place: usize, tick: bool) {
        let directory = self.known(next);
        let Some(stage) = &mut next.stage else { return };
        let stage = Arc::make_mut(stage);
        let crew = Arc::make_mut(&mut stage.crews[place]);
        let Some(leader) = crew.members.get(crew.leader) else { return };
        let known = Known { next: self.script.config(leader.state.config().num.next()), directory: &directory };
        let drive = crew.migrator.drive(leader.node, &leader.state, known, tick);
        let node = leader.node;
        self.perform(stage, place, node, drive);
    }

    fn perform(&self, stage: &mut Stage, place: usize, from: NodeId, drive: Drive) {
        if !drive.propose.is_empty() {
            let crew = Arc::make_mut(&mut stage.crews[place]);
            for command in drive.propose {
                crew.proposed.insert(command);
            }
        }
        for (group, to, message) in drive.sends {
            // Where nobody lags, the second member of every group is down for good.
            let up = self.script.place(group).is_some_and(|at| stage.crews[at].members.iter().any(|m| m.node == to));
            if let ShardMessage::Pull { shard, origin, .. } = &message {
                let action = Action::Pull { shard: *shard, config: origin.config, from: origin.group };
                self.fired.count(&[action]);
            }
            if up {
                stage.mail.insert(Envelope { from, to, group, message });
            }
        }
    }

    /// An answer reaches the leader of the group that asked.
    fn deliver(&self, state: &State, mail: &Envelope) -> Option<State> {
        let place = self.script.place(mail.group)?;
        let mut next = state.clone();
        let stage = Arc::make_mut(next.stage.as_mut()?);
        let crew = Arc::make_mut(&mut stage.crews[place]);
        let leader = crew.members.get(crew.leader).filter(|leader| leader.node == mail.to && !mail.is_question())?;
        let drive = crew.migrator.received(&leader.state, mail.from, &mail.message);
        self.perform(stage, place, mail.to, drive);
        Some(next)
    }

    /// Every replica answers every question that was ever sent to it from its present state.
    pub(super) fn answer_questions(&self, next: &mut State) {
        let Some(stage) = &mut next.stage else { return };
        let mut answers = Vec::new();
        for mail in stage.mail.iter().filter(|mail| mail.is_question()) {
            let crew = self.script.place(mail.group).map(|place| &stage.crews[place]);
            let member = crew.and_then(|crew| crew.members.iter().find(|member| member.node == mail.to));
            let Some(message) = member.and_then(|asked| asked.state.answer(&mail.message, self.scope.chunk)) else {
                continue;
            };
            let group = match &mail.message {
                ShardMessage::Pull { target, .. } => *target,
                ShardMessage::Confirm { origin, .. } => origin.group,
                _ => unreachable!("only questions are answered"),
            };
            let answer = Envelope { from: mail.to, to: mail.from, group, message };
            if !stage.mail.contains(&answer) {
                answers.push(answer);
            }
        }
        if answers.is_empty() {
            return;
        }
        let stage = Arc::make_mut(stage);
        for answer in answers {
            if let ShardMessage::Part { shard, origin, .. } = &answer.message {
                let action = Action::SendChunk { shard: *shard, config: origin.config, to: answer.to };
                self.fired.count(&[action]);
            }
            stage.mail.insert(answer);
        }
    }

    fn judge_fair(&self, next: &mut State) {
        let spent = next.stage.as_ref().is_some_and(|stage| stage.ticks == 0 && stage.crashes == 0);
        if !spent || next.violation.is_some() {
            return;
        }
        let mut run = next.clone();
        let rehearsal = self.rehearsal.as_deref().unwrap_or(self);
        for _ in 0..ROUNDS {
            rehearsal.fair_round(&mut run);
            if run.violation.is_some() {
                // Found on a path that is explored anyway, with its steps.
                return;
            }
            if self.left_to_do(&run).is_none() {
                return;
            }
        }
        let left = self.left_to_do(&run).unwrap_or_default();
        let evidence = format!("after {ROUNDS} rounds of a fair schedule {left}");
        next.violation = Some(Arc::new(Violation::new(PROGRESS, evidence)));
    }

    /// Every timer fires, every message arrives, every proposal is committed, everybody applies, every group that may
    /// retire does.
    fn fair_round(&self, run: &mut State) {
        let mut take = |run: &mut State, step: &Step| {
            if let Some(next) = self.take(run, step) {
                *run = next;
            }
        };
        for (place, group) in self.script.groups.iter().copied().enumerate() {
            if let Some(stage) = &mut run.stage {
                Arc::make_mut(stage).mail = Pool::default();
            }
            self.drive(run, place, true);
            self.answer_questions(run);
            self.post(run, &mut take);
            let entries: Vec<_> =
                run.stage.iter().flat_map(|stage| stage.crews[place].proposed.iter().cloned()).collect();
            for entry in entries {
                take(run, &Step::Commit { group, entry });
            }
            for node in members(group.gid) {
                while let Some(next) = self.apply_next(run, group, node) {
                    *run = next;
                    self.answer_questions(run);
                }
            }
            self.post(run, &mut take);
            take(run, &Step::Retire { group });
        }
    }

    /// Delivers what was sent, and what is answered, once each.
    fn post(&self, run: &mut State, take: &mut impl FnMut(&mut State, &Step)) {
        let mut seen: Pool<Envelope> = Pool::default();
        loop {
            let sent = run.stage.iter().flat_map(|stage| stage.mail.iter());
            let mail = sent.filter(|mail| !mail.is_question()).find(|mail| !seen.contains(mail)).cloned();
            let Some(mail) = mail else { return };
            seen.insert(Envelope::clone(&mail));
            take(run, &Step::Deliver { mail });
        }
    }

    /// The stage of a scope with real drivers.
    pub(super) fn stage(&self, states: &[ShardGroup]) -> Option<Arc<Stage>> {
        let Driver::Real { ticks, crashes, lag } = self.scope.driver else {
            return None;
        };
        let crews = states.iter().map(|state| Arc::new(crew(state.group(), state, lag))).collect();
        Some(Arc::new(Stage { crews, mail: Pool::default(), ticks, crashes }))
    }
}
