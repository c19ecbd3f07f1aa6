//! What a step does: an entry is appended to a group's log, the group is judged, and asked all that it can be asked.

use super::actions::Step;
use super::state::{Group, State};
use super::{ShardsModel, judge};
use quorate_core::raft::Image;
use quorate_core::shard::{Command, ShardGroup, ShardMessage};
use quorate_spec::action::Action;
use quorate_spec::ids::{GroupId, LogIndex, NodeId};
use std::sync::Arc;

impl ShardsModel {
    /// The state after a step; `None` if the step changes nothing, or is none of this state's.
    pub(super) fn take(&self, state: &State, step: &Step) -> Option<State> {
        if state.violation.is_some() {
            return None;
        }
        let mut next = self.after(state, step)?;
        self.answer_questions(&mut next);
        (next != *state).then_some(next)
    }

    fn after(&self, state: &State, step: &Step) -> Option<State> {
        match step {
            Step::Call { client } => self.call(state, usize::from(*client)),
            Step::Write { group, client, seq } => {
                let request = Arc::clone(state.request(&self.script, *client, *seq)?);
                self.append(state, *group, &request)
            }
            Step::Adopt { group, config } => {
                let config = Arc::clone(self.script.config(*config)?);
                self.append(state, *group, &Arc::new(Command::AdoptConfiguration { config }))
            }
            Step::Install { group, part } => {
                let offered = state.offers.parts.contains(&(*group, Arc::clone(part)));
                offered.then(|| self.append(state, *group, part)).flatten()
            }
            Step::Collect { group, shard, config } => {
                let copy = |offer: &Arc<ShardMessage>| match **offer {
                    ShardMessage::Confirmed { shard: of, origin, .. } => (of, origin.group, origin.config),
                    _ => unreachable!("only confirmations are offered"),
                };
                let confirmed = state.offers.confirmed.iter().any(|offer| copy(offer) == (*shard, *group, *config));
                let command = Command::Collect { shard: *shard, config: *config };
                confirmed.then(|| self.append(state, *group, &Arc::new(command))).flatten()
            }
            Step::Restore { group } => self.restore(state, *group),
            Step::Retire { group } => self.retire(state, *group),
            Step::Commit { .. }
            | Step::Deliver { .. }
            | Step::Apply { .. }
            | Step::Tick { .. }
            | Step::Crash { .. } => self.drive_step(state, step),
        }
    }

    fn call(&self, state: &State, client: usize) -> Option<State> {
        let called = state.called.get(client).copied()?;
        if usize::from(called) >= self.script.requests.get(client)?.len() {
            return None;
        }
        let mut next = state.clone();
        next.called[client] = called + 1;
        Some(next)
    }

    /// The group goes on from what an image of it holds. That is no entry, so no step of the group is judged: what was
    /// left out shows in what the group does next.
    fn restore(&self, state: &State, group: GroupId) -> Option<State> {
        let place = self.script.place(group)?;
        let before = state.groups[place].as_ref()?;
        let mut truth = ShardGroup::blank();
        let mut cursor = Some(None);
        while let Some(from) = cursor {
            let (chunk, following) = before.truth.chunk(&from, self.scope.chunk);
            truth.absorb(chunk);
            cursor = following;
        }
        if truth == before.truth {
            return None;
        }
        let mut next = state.clone();
        next.groups[place] = Some(Arc::new(Group { truth, writes: before.writes }));
        self.judge_all(&mut next);
        Some(next)
    }

    fn retire(&self, state: &State, group: GroupId) -> Option<State> {
        let place = self.script.place(group)?;
        let over = state.groups[place].as_ref().is_some_and(|group| group.truth.finished());
        if !over || !self.script.may_retire(group) {
            return None;
        }
        let mut next = state.clone();
        next.groups[place] = None;
        if let Some(stage) = &mut next.stage {
            let stage = Arc::make_mut(stage);
            let crew = Arc::make_mut(&mut stage.crews[place]);
            *crew = super::driver::disbanded(crew);
        }
        self.fired.count(&[Action::Retire { group }]);
        self.judge_all(&mut next);
        Some(next)
    }

    /// Appends an entry to a group's log. `None` if the group is as before and answered nothing wrong.
    pub(super) fn append(&self, state: &State, group: GroupId, command: &Arc<Command>) -> Option<State> {
        let place = self.script.place(group)?;
        let before = state.groups[place].as_ref()?;
        let mut truth = before.truth.clone();
        let index = before.next_index();
        let applied = truth.apply(index, command);
        self.fired.count(&applied.actions);
        let changed = truth != before.truth;
        let (ghost, verdict) = judge::outcome(&self.script, state, (before, &truth), command, &applied);
        if !changed && verdict.is_ok() {
            return None;
        }
        let writes = before.writes + u64::from(changed && applied.outcome.is_some());
        let after = Group { truth, writes };
        let mut next = state.clone();
        if let Some(ghost) = ghost {
            next.ghost = Arc::new(ghost);
        }
        let verdict = verdict.and_then(|()| judge::group_step(before, &after));
        next.groups[place] = Some(Arc::new(after));
        if let Err(violation) = verdict {
            next.violation = Some(Arc::new(violation));
            return Some(next);
        }
        self.log_entry(&mut next, place, index, command);
        self.ask(&mut next, place);
        self.judge_all(&mut next);
        Some(next)
    }

    fn log_entry(&self, next: &mut State, place: usize, index: LogIndex, command: &Arc<Command>) {
        if let Some(stage) = &mut next.stage {
            let crew = Arc::make_mut(&mut Arc::make_mut(stage).crews[place]);
            crew.log.push((index, Arc::clone(command)));
            self.keep_up(next, place);
        }
    }

    /// Asks a group everything that it can ever be asked, and remembers what it says. Where the drivers are real, real
    /// messages ask.
    fn ask(&self, next: &mut State, place: usize) {
        let Some(group) = next.groups[place].as_ref().filter(|_| next.stage.is_none()) else {
            return;
        };
        let truth = &group.truth;
        let mut sent = Vec::new();
        for pull in &self.script.pulls[place] {
            let mut question = Some(pull.clone());
            while let Some(ShardMessage::Part { target, shard, origin, from, records, next: rest, .. }) =
                question.take().and_then(|question| truth.answer(&question, self.scope.chunk))
            {
                question = rest
                    .clone()
                    .map(|from| ShardMessage::Pull { target, shard, origin, from })
                    .filter(|_| rest != Some(from.clone()));
                sent.push((target, Arc::new(Command::InstallChunk { shard, origin, from, records, next: rest })));
            }
        }
        let confirmed: Vec<_> = self.script.confirms[place]
            .iter()
            .filter_map(|question| truth.answer(question, self.scope.chunk))
            .collect();
        let news = sent.iter().any(|part| !next.offers.parts.contains(part))
            || confirmed.iter().any(|message| !next.offers.confirmed.contains(message));
        if !news {
            return;
        }
        let offers = Arc::make_mut(&mut next.offers);
        for (target, part) in sent {
            if let Command::InstallChunk { shard, origin, .. } = *part {
                let label = Action::SendChunk { shard, config: origin.config, to: NodeId::ZERO };
                offers.parts.insert((target, part));
                self.fired.count(&[label]);
            }
        }
        for message in confirmed {
            offers.confirmed.insert(message);
        }
    }

    /// Judges all groups together.
    pub(super) fn judge_all(&self, next: &mut State) {
        let verdict = judge::all(&self.script, next).and_then(|()| self.judge_progress(next));
        if let Err(violation) = verdict {
            next.violation = Some(Arc::new(violation));
        }
    }
}
