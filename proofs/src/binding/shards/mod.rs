//! The binding of the model `shards` to `shards.tsm`: what each label of the core means there.
//!
//! Nothing has to be remembered beside the model's state. What the system keeps of the past is a function of it:
//! - an answer that a group can give is given at once, so `answered` is what was executed;
//! - a client that calls its next request has given up on those before;
//! - a shard is unborn while no group has adopted a configuration that starts it empty, and moving while nobody serves
//!   it: then the copy that froze last is the one;
//! - a group that has retired goes on adopting what is published, as one that holds nothing may.

mod state;
mod universe;

use super::structure::{Element, Signature, Structure};
use super::{Binding, Deed, Meaning, Probe};
use crate::models::shards::ShardsModel;
use crate::models::shards::actions::Step;
use crate::models::shards::scopes::{self, Ask, Scope};
use crate::models::shards::script::Script;
use crate::models::shards::state::{State, session_of};
use quorate_core::bytes::Bytes;
use quorate_core::shard::{Applied, Command, ReadAnswer};
use quorate_spec::action::Action;
use quorate_spec::ids::{ClientId, ConfigNum, GroupId, Seq, ShardId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The binding of the shard model at one scope.
#[derive(Debug)]
pub(super) struct Shards {
    scope: Scope,
    script: Script,
    clients: Vec<ClientId>,
    seqs: Vec<Seq>,
    /// The values that any order of the requests can make of a key, from the element after [`DONE`] on.
    values: Vec<Bytes>,
}

impl Shards {
    /// The binding at the scope of this name.
    pub(super) fn new(scope: &str) -> Option<Self> {
        let scope = *scopes::ALL.iter().find(|known| known.name == scope)?;
        let script = Script::new(&scope);
        let sessions = script.requests.iter().flatten().filter_map(|request| session_of(request));
        let (clients, seqs): (BTreeSet<_>, BTreeSet<_>) = sessions.unzip();
        let values = universe::values(&script);
        Some(Self { scope, script, clients: clients.into_iter().collect(), seqs: seqs.into_iter().collect(), values })
    }

    /// What the entry of a step is, and the group that appends it.
    fn entry(&self, state: &State, step: &Step) -> Option<(GroupId, Arc<Command>)> {
        match step {
            Step::Write { group, client, seq } => {
                state.request(&self.script, *client, *seq).map(|request| (*group, Arc::clone(request)))
            }
            Step::Adopt { group, config } => {
                let config = self.script.config(*config)?.clone();
                Some((*group, Arc::new(Command::AdoptConfiguration { config })))
            }
            Step::Install { group, part: entry } | Step::Commit { group, entry } => Some((*group, Arc::clone(entry))),
            Step::Collect { group, shard, config } => {
                Some((*group, Arc::new(Command::Collect { shard: *shard, config: *config })))
            }
            Step::Call { .. }
            | Step::Restore { .. }
            | Step::Retire { .. }
            | Step::Deliver { .. }
            | Step::Apply { .. }
            | Step::Tick { .. }
            | Step::Crash { .. } => None,
        }
    }

    /// The labels of a step are those of the core that applied its entry.
    fn applied(&self, state: &State, step: &Step) -> Option<(GroupId, Applied)> {
        let (group, command) = self.entry(state, step)?;
        let before = state.group(&self.script, group)?;
        Some((group, before.truth.clone().apply(before.next_index(), &command)))
    }

    fn meaning_of(&self, group: GroupId, label: &Action) -> Meaning {
        let g = self.group(group);
        let shard = |shard: &ShardId| ("s", shard.get() as Element);
        let name = label.name();
        let actions = match label {
            Action::Execute { client, seq, .. } => {
                let given = vec![("g", g), ("cl", self.client(*client)), ("q", self.seq(*seq))];
                vec![Deed { action: "Execute", given: given.clone() }, Deed { action: "Repeat", given }]
            }
            Action::Repeat { client, seq, .. } => {
                let given = vec![("g", g), ("cl", self.client(*client)), ("q", self.seq(*seq))];
                vec![Deed { action: "Repeat", given }]
            }
            Action::AdoptConfiguration { config } => vec![adopt(g, *config)],
            Action::Install { shard: of, config } => {
                let given = vec![("g", g), shard(of), ("c", config.get() as Element)];
                vec![Deed { action: "Install", given }]
            }
            Action::Collect { shard: of, config } => {
                let given = vec![("h", g), shard(of), ("d", config.get() as Element)];
                vec![Deed { action: "Collect", given }]
            }
            _ => Vec::new(),
        };
        Meaning { label: name, deeds: actions }
    }
}

fn adopt(g: Element, config: ConfigNum) -> Deed {
    Deed { action: "AdoptConfiguration", given: vec![("g", g), ("d", config.get() as Element)] }
}

impl Binding for Shards {
    type Model = ShardsModel;

    fn model(&self) -> Option<ShardsModel> {
        ShardsModel::new(self.scope.name)
    }

    fn source(&self) -> &'static str {
        "shards"
    }

    fn sorts(&self) -> BTreeMap<&'static str, Vec<String>> {
        self.elements()
    }

    fn given(action: &str) -> &'static [&'static str] {
        match action {
            "Join" | "Leave" | "Move" | "RaiseFloor" => &["c"],
            "SendRequest" | "GiveUp" => &["cl", "q"],
            "Execute" | "Repeat" => &["g", "cl", "q"],
            "RequestRead" => &["x"],
            "Read" => &["g", "x"],
            "AdoptConfiguration" => &["g", "d"],
            "SendChunk" => &["h", "s", "d"],
            "Install" => &["g", "s", "c"],
            "Collect" => &["h", "s", "d"],
            _ => &[],
        }
    }

    fn unobserved(&self) -> &'static [&'static str] {
        &["now_client", "now_seq", "now_answer"]
    }

    fn stutters(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("Repeat", "the answer was given when the request was executed; it is given again"),
            ("Refuse", "a refusal has no effect"),
            ("Freeze", "a part of AdoptConfiguration, whose label stands before it"),
            ("StartEmpty", "a part of AdoptConfiguration, whose label stands before it"),
            ("InstallChunk", "the parts of a copy arrive as one in the specification, with the Install"),
            ("Retire", "a group that holds nothing goes on adopting; there may be nothing left to adopt"),
        ]
    }

    fn immutable(&self, signature: &Signature) -> Structure {
        self.constants(signature)
    }

    fn beginning(&self, signature: &Signature) -> (Structure, Vec<Meaning>) {
        let mut made = self.constants(signature);
        made.add(signature, "published", &[0]);
        (0..self.scope.shards as Element).for_each(|s| made.add(signature, "unborn", &[s]));
        let mut history = Vec::new();
        for (number, ask) in self.scope.history.iter().enumerate() {
            let label = match ask {
                Ask::Join(_) => "Join",
                Ask::Leave(_) => "Leave",
                Ask::Move(..) => "Move",
                Ask::Floor(_) => "RaiseFloor",
            };
            let deed = Deed { action: label, given: vec![("c", number as Element)] };
            history.push(Meaning { label, deeds: vec![deed] });
        }
        for group in &self.script.groups {
            for config in 1..group.born.get() {
                let deed = adopt(self.group(*group), ConfigNum::new(config));
                history.push(Meaning { label: "AdoptConfiguration", deeds: vec![deed] });
            }
        }
        (made, history)
    }

    fn abstraction(&self, state: &State, signature: &Signature, base: &Structure) -> Structure {
        self.structure(state, signature, base)
    }

    fn meaning(&self, state: &State, step: &Step, next: Option<&State>) -> Vec<Meaning> {
        let mut meaning = Vec::new();
        match step {
            Step::Call { client } => {
                let Some(next) = next else { return meaning };
                let called = usize::from(next.called[usize::from(*client)]).saturating_sub(1);
                let request = &self.script.requests[usize::from(*client)][called];
                let Some((session, seq)) = session_of(request) else { return meaning };
                for earlier in state.requests(&self.script).filter_map(|request| session_of(request)) {
                    if earlier.0 == session && earlier.1 < seq {
                        meaning.push(request_deed("GiveUp", self.client(session), self.seq(earlier.1)));
                    }
                }
                meaning.push(request_deed("SendRequest", self.client(session), self.seq(seq)));
            }
            Step::Retire { group } => {
                let last = self.script.last().num;
                let adopted = state.group(&self.script, *group).map_or(last, |group| group.truth.config().num);
                let left = (adopted.get() + 1..=last.get()).map(ConfigNum::new);
                let deeds = left.map(|config| adopt(self.group(*group), config)).collect();
                meaning.extend(next.map(|_| Meaning { label: "Retire", deeds }));
            }
            _ => {
                if let Some((group, applied)) = self.applied(state, step) {
                    meaning.extend(applied.actions.iter().map(|label| self.meaning_of(group, label)));
                }
            }
        }
        if let Some(next) = next {
            let before = self.sent(state);
            for [h, s, d] in self.sent(next).difference(&before) {
                let deed = Deed { action: "SendChunk", given: vec![("h", *h), ("s", *s), ("d", *d)] };
                meaning.push(Meaning { label: "SendChunk", deeds: vec![deed] });
            }
        }
        meaning
    }

    fn probes(&self, state: &State) -> Vec<Probe> {
        let mut probes = Vec::new();
        for (place, group) in state.living() {
            for (x, key) in self.script.keys.iter().enumerate() {
                let (g, x) = (place as Element, x as Element);
                let deeds = vec![
                    Deed { action: "RequestRead", given: vec![("x", x)] },
                    Deed { action: "Read", given: vec![("g", g), ("x", x)] },
                ];
                let found = match group.truth.read(key, group.next_index()) {
                    ReadAnswer::Value { value, .. } => Some(("returned", vec![x, self.value(value.as_deref())])),
                    ReadAnswer::Refused(_) => None,
                };
                probes.push((deeds, found));
            }
        }
        probes
    }
}

fn request_deed(action: &'static str, cl: Element, q: Element) -> Meaning {
    Meaning { label: action, deeds: vec![Deed { action, given: vec![("cl", cl), ("q", q)] }] }
}
