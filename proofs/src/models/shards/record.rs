//! Runs of the model as traces for the specification: random walks, each the same for its seed.
//!
//! The seed chooses one of the scopes where anybody proposes. What the model leaves out and the specification has is taken
//! in between: a client learns the answer of a request that took effect, or gives up, before it calls its next one; a
//! reader asks a group now and then; a copy is sent just before its first part is taken in.

use super::ShardsModel;
use super::actions::Step;
use super::contents::Contents;
use super::scopes::{self, Ask, Driver, Scope};
use super::state::{State, session_of};
use crate::conform::shards::{Content, Event, Holding, Made, Mark, Request, Run};
use crate::verify::Dice;
use quorate_core::bytes::Bytes;
use quorate_core::controller::Configuration;
use quorate_core::keyspace::shard_of;
use quorate_core::shard::{Command, Place, ReadAnswer, Records, ShardGroup, WriteOp};
use quorate_spec::Violation;
use quorate_spec::action::Action;
use quorate_spec::ids::{GroupId, ShardId};
use quorate_spec::views::Origin;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// One in so many steps is a read; of the steps that change nothing, one in so many is told.
const RARE: u64 = 10;

/// What a seed's walk of so many steps did.
///
/// # Panics
/// The walk broke a property: that is for the model to tell.
pub fn record(seed: u64, steps: usize) -> Run {
    let (run, broken) = record_until_broken(seed, steps);
    assert!(broken.is_none(), "seed {seed}: {broken:?}");
    run
}

/// The same, up to and with the step that breaks a property.
pub fn record_until_broken(seed: u64, steps: usize) -> (Run, Option<Violation>) {
    let scopes: Vec<&Scope> = scopes::ALL.iter().filter(|scope| scope.driver == Driver::Any).collect();
    let model = ShardsModel::at(*scopes[seed as usize % scopes.len()]);
    let mut recorder = Recorder::new(&model);
    let mut dice = Dice::new(seed);
    let mut state = model.begin();
    let mut steps_offered = Vec::new();
    for _ in 0..steps {
        if dice.below(RARE) == 0 {
            recorder.read(&state, &mut dice);
        }
        steps_offered.clear();
        model.offered(&state, &mut steps_offered);
        if steps_offered.is_empty() {
            break;
        }
        let step = steps_offered.swap_remove(dice.below(steps_offered.len() as u64) as usize);
        let next = model.take(&state, &step);
        if next.is_some() || dice.below(RARE) == 0 {
            recorder.tell(&state, &step, next.as_ref(), &mut dice);
        }
        state = next.unwrap_or(state);
        if state.violation.is_some() {
            break;
        }
    }
    let broken = state.violation.as_deref().cloned();
    (recorder.run, broken)
}

struct Recorder<'a> {
    model: &'a ShardsModel,
    run: Run,
    /// The call that each letter of a value comes from.
    marks: BTreeMap<u8, Mark>,
    /// The client that reads.
    reader: u64,
    /// The copies that were sent, each with who takes it.
    sent: BTreeSet<(GroupId, ShardId, Origin)>,
}

impl<'a> Recorder<'a> {
    /// At the beginning: the configurations are made.
    fn new(model: &'a ShardsModel) -> Self {
        let script = &model.script;
        let (mut programs, mut marks) = (Vec::new(), BTreeMap::new());
        for command in script.requests.iter().flatten() {
            let Command::Write { client, seq, key, op, .. } = &**command else { continue };
            let place = client.get() as usize;
            programs.resize(place.max(programs.len()), Vec::new());
            let (op, value) = match op {
                WriteOp::Put { value } => ("Put", value),
                WriteOp::Append { value } => ("Append", value),
            };
            programs[place - 1].push(Request { op, key: name(key) });
            assert_eq!(programs[place - 1].len() as u64, seq.get(), "sessions count their requests from 1");
            marks.extend(value.iter().map(|letter| (*letter, (client.get(), seq.get()))));
        }
        programs.push(Vec::new());
        let keys = script.keys.iter().map(|key| (name(key), shard_of(key, model.scope.shards).get())).collect();
        let reader = programs.len() as u64;
        let run = Run { keys, shards: model.scope.shards.into(), programs, events: Vec::new() };
        let mut recorder = Self { model, run, marks, reader, sent: BTreeSet::new() };
        let changes = model.scope.history.iter().zip(script.configs.iter().skip(1));
        recorder.run.events.extend(changes.map(|(ask, config)| change(ask, config)));
        recorder
    }

    fn push(&mut self, name: &'static str, group: Option<GroupId>, told: &[(&'static str, u64)]) -> &mut Event {
        let told = told.iter().copied().collect();
        self.run.events.push(Event { name, group, told, ..Event::default() });
        self.run.events.last_mut().expect("invariant: it was just pushed")
    }

    /// The reader asks some group for some key, and learns the answer.
    fn read(&mut self, state: &State, dice: &mut Dice) {
        let living: Vec<_> = state.living().collect();
        let keys = &self.model.script.keys;
        if living.is_empty() || keys.is_empty() {
            return;
        }
        let (place, group) = living[dice.below(living.len() as u64) as usize];
        let key = &keys[dice.below(keys.len() as u64) as usize];
        let ReadAnswer::Value { value, .. } = group.truth.read(key, group.next_index()) else { return };
        let value = self.value(value.as_deref().unwrap_or_default());
        let program = self.run.programs.last_mut().expect("invariant: the reader's");
        program.push(Request { op: "Get", key: name(key) });
        let told = [("client", self.reader), ("seq", program.len() as u64)];
        self.push("SendRequest", None, &told);
        self.push("Read", Some(self.model.script.groups[place]), &told).value = value;
        self.push("Complete", None, &told);
    }

    /// A step of the model.
    fn tell(&mut self, state: &State, step: &Step, next: Option<&State>, dice: &mut Dice) {
        let script = &self.model.script;
        let (group, command) = match step {
            Step::Call { client } => return self.call(state, usize::from(*client), dice),
            Step::Write { group, client, seq } => {
                let Some(request) = state.request(script, *client, *seq) else { return };
                (*group, Arc::clone(request))
            }
            Step::Adopt { group, config } => {
                let Some(config) = script.config(*config) else { return };
                (*group, Arc::new(Command::AdoptConfiguration { config: Arc::clone(config) }))
            }
            Step::Install { group, part } => (*group, Arc::clone(part)),
            Step::Collect { group, shard, config } => {
                (*group, Arc::new(Command::Collect { shard: *shard, config: *config }))
            }
            Step::Restore { .. }
            | Step::Retire { .. }
            | Step::Commit { .. }
            | Step::Deliver { .. }
            | Step::Apply { .. }
            | Step::Tick { .. }
            | Step::Crash { .. } => return,
        };
        let Some(before) = state.group(script, group) else { return };
        let labels = before.truth.clone().apply(before.next_index(), &command).actions;
        if let (Command::InstallChunk { shard, origin, .. }, false) = (&*command, labels.is_empty())
            && self.sent.insert((group, *shard, *origin))
        {
            let told = [("shard", shard.get()), ("config", origin.config.get())];
            self.push("SendChunk", Some(origin.group), &told);
        }
        let told = self.run.events.len();
        for label in &labels {
            self.label(group, label);
        }
        let after = next.and_then(|next| next.group(script, group)).unwrap_or(before);
        let holding = self.holding(&after.truth);
        if told == self.run.events.len() && self.holding(&before.truth) != holding {
            self.push("", Some(group), &[]);
        }
        if let Some(last) = self.run.events[told..].last_mut() {
            last.after = Some(holding);
        }
    }

    /// A client calls its next request: the one before in its session is over.
    fn call(&mut self, state: &State, client: usize, dice: &mut Dice) {
        let script = &self.model.script;
        let Some((session, seq)) = session_of(&script.requests[client][usize::from(state.called[client])]) else {
            return;
        };
        let before = state.requests(script).filter_map(|request| session_of(request));
        if let Some((_, earlier)) = before.filter(|(other, _)| *other == session).last() {
            let answered = state.ghost.answers.contains_key(&(session, earlier));
            let name = if answered && dice.below(2) == 0 { "Complete" } else { "GiveUp" };
            self.push(name, None, &[("client", session.get()), ("seq", earlier.get())]);
        }
        self.push("SendRequest", None, &[("client", session.get()), ("seq", seq.get())]);
    }

    /// A label that the specification has an action for. The others are parts of such a step, and show in what it led to.
    fn label(&mut self, group: GroupId, label: &Action) {
        let told = match label {
            Action::Execute { client, seq, .. }
            | Action::Repeat { client, seq, .. }
            | Action::Refuse { client, seq, .. } => vec![("client", client.get()), ("seq", seq.get())],
            Action::AdoptConfiguration { config } => vec![("config", config.get())],
            Action::Install { shard, config } | Action::Collect { shard, config } => {
                vec![("shard", shard.get()), ("config", config.get())]
            }
            _ => return,
        };
        self.push(label.name(), Some(group), &told);
    }

    fn holding(&self, group: &ShardGroup) -> Holding {
        let mut held = Holding { config: group.config().num.get(), ..Holding::default() };
        for (place, records) in Contents::of(group).copies {
            match place {
                Place::Role(shard) => held.serving.insert(shard.get(), self.content(shard, &records)),
                Place::Frozen(shard, config) => {
                    held.frozen.insert((shard.get(), config.get()), self.content(shard, &records))
                }
            };
        }
        held
    }

    fn content(&self, shard: ShardId, records: &Records) -> Content {
        let keys = self.run.keys.iter().filter(|(_, of)| **of == shard.get());
        let mut data: BTreeMap<String, Vec<Mark>> = keys.map(|(key, _)| (key.clone(), Vec::new())).collect();
        data.extend(records.data.iter().map(|(key, value)| (name(key), self.value(value))));
        let last = records.sessions.iter().map(|(client, record)| (client.get(), record.seq.get())).collect();
        Content { data, last, floor: records.floor.get() }
    }

    /// The writes that made a value. What nobody wrote is marked by nobody.
    fn value(&self, value: &[u8]) -> Vec<Mark> {
        value.iter().map(|letter| self.marks.get(letter).copied().unwrap_or_default()).collect()
    }
}

fn name(key: &Bytes) -> String {
    key.escape_ascii().to_string()
}

/// The controller's change that made a configuration.
fn change(ask: &Ask, config: &Configuration) -> Event {
    let made = Made {
        members: config.groups.values().map(|info| info.id).collect(),
        shards: config.shards.iter().map(|shard| (shard.owner, shard.origin)).collect(),
        floor: config.floor.get(),
    };
    let event = Event { made: Some(made), ..Event::default() };
    match ask {
        Ask::Join(gids) => Event { name: "Join", gids: gids.iter().copied().collect(), ..event },
        Ask::Leave(gids) => Event { name: "Leave", gids: gids.iter().copied().collect(), ..event },
        Ask::Move(shard, gid) => Event { name: "Move", told: [("shard", *shard), ("gid", *gid)].into(), ..event },
        Ask::Floor(floor) => Event { name: "RaiseFloor", told: [("floor", *floor)].into(), ..event },
    }
}
