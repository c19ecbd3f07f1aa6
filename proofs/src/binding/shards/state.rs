//! The abstraction: what a state of real groups is in the terms of `shards.tsm`.

use super::Shards;
use crate::binding::structure::{Element, Signature, Structure};
use crate::models::shards::contents::Contents;
use crate::models::shards::state::{State, session_of};
use quorate_core::controller::Assignment;
use quorate_core::shard::{Command, Place, Records, ShardGroup, ShardMessage};
use quorate_spec::ids::ShardId;
use quorate_spec::views::Origin;
use std::collections::{BTreeMap, BTreeSet};

impl Shards {
    /// The structure of a state.
    pub(super) fn structure(&self, state: &State, signature: &Signature, base: &Structure) -> Structure {
        let mut made = base.clone();
        let last = self.script.last().num.get() as Element;
        (0..=last).for_each(|config| made.add(signature, "published", &[config]));
        let adopted: Vec<Element> = (state.groups.iter())
            .map(|group| group.as_ref().map_or(last, |group| group.truth.config().num.get() as Element))
            .collect();
        for (place, config) in adopted.iter().enumerate() {
            made.set(signature, "config_of", &[place as Element], *config);
        }
        let born = self.born(&adopted);
        for s in (0..self.scope.shards as Element).filter(|s| !born.contains(s)) {
            made.add(signature, "unborn", &[s]);
        }
        let (mut served, mut newest) = (BTreeSet::new(), BTreeMap::new());
        for (_, group) in state.living() {
            self.hold(&mut made, signature, &group.truth);
            served.extend(group.truth.serving());
            for (shard, config, _) in group.truth.frozen() {
                let copy = newest.entry(shard).or_insert((config, group.truth.group()));
                *copy = (*copy).max((config, group.truth.group()));
            }
        }
        for (shard, (config, group)) in newest.into_iter().filter(|(shard, _)| !served.contains(shard)) {
            let tuple = [shard.get() as Element, self.group(group), config.get() as Element];
            made.add(signature, "moving", &tuple);
        }
        for copy in self.sent(state) {
            made.add(signature, "sent", &copy);
        }
        for request in state.requests(&self.script) {
            let Some((client, seq)) = session_of(request) else { continue };
            made.add(signature, "issued", &[self.client(client), self.seq(seq)]);
            for later in state.requests(&self.script).filter_map(|request| session_of(request)) {
                if later.0 == client && later.1 > seq {
                    made.add(signature, "given_up", &[self.client(client), self.seq(seq)]);
                }
            }
        }
        for ((client, seq), (answer, _)) in &state.ghost.answers {
            let tuple = [self.client(*client), self.seq(*seq), self.answer(*answer)];
            made.add(signature, "executed", &tuple);
            made.add(signature, "answered", &tuple);
        }
        for (place, key) in self.script.keys.iter().enumerate() {
            made.set(signature, "store", &[place as Element], self.value(state.ghost.store.get(key)));
        }
        made
    }

    /// The shards that a group has adopted an owner for who starts them empty.
    fn born(&self, adopted: &[Element]) -> BTreeSet<Element> {
        let mut born = BTreeSet::new();
        for (group, config) in self.script.groups.iter().zip(adopted) {
            for c in 0..=*config {
                let Some(configuration) = self.script.configs.get(usize::from(c)) else { continue };
                let starts = |assignment: &Assignment| assignment.owner == Some(*group) && assignment.origin.is_none();
                let shards = configuration.shards.iter().enumerate().filter(|(_, place)| starts(place));
                born.extend(shards.map(|(number, _)| number as Element));
            }
        }
        born
    }

    /// What a group holds, as its image tells it.
    fn hold(&self, made: &mut Structure, signature: &Signature, group: &ShardGroup) {
        let g = self.group(group.group());
        let Contents { awaiting, copies } = Contents::of(group);
        awaiting.iter().for_each(|shard| made.add(signature, "awaits", &[g, shard.get() as Element]));
        for (place, records) in &copies {
            match place {
                Place::Role(shard) => {
                    let s = shard.get() as Element;
                    made.add(signature, "serves", &[g, s]);
                    self.contents(made, signature, records, ["data", "done", "last", "ended"], (&[g], s, &[]));
                }
                Place::Frozen(shard, config) => {
                    let (s, d) = (shard.get() as Element, config.get() as Element);
                    made.add(signature, "frozen", &[g, s, d]);
                    let names = ["frozen_data", "frozen_done", "frozen_last", "frozen_ended"];
                    self.contents(made, signature, records, names, (&[g], s, &[d]));
                }
            }
        }
    }

    fn contents(
        &self,
        made: &mut Structure,
        signature: &Signature,
        records: &Records,
        [data, done, last, ended]: [&str; 4],
        (group, shard, config): (&[Element], Element, &[Element]),
    ) {
        for (key, value) in &records.data {
            // A key that nobody writes cannot be told apart from another: it is shown as a wrong value of the first.
            let (k, v) = match self.key(key) {
                Some(k) => (k, self.value(Some(value))),
                None => (0, self.other()),
            };
            made.set(signature, data, &[group, config, &[k]].concat(), v);
        }
        for (client, record) in &records.sessions {
            let (cl, at) = (self.client(*client), self.seq(record.seq));
            for q in 0..self.seqs.len() as Element {
                if self.seqs[usize::from(q)] <= record.seq {
                    made.add(signature, done, &[group, &[shard], config, &[cl, q]].concat());
                }
            }
            let tuple = [group, &[shard], config, &[cl, at, self.answer(record.answer)]].concat();
            made.add(signature, last, &tuple);
        }
        for (place, _) in self.clients.iter().enumerate().filter(|(_, client)| **client < records.floor) {
            made.add(signature, ended, &[group, &[shard], config, &[place as Element]].concat());
        }
    }

    /// The copies of which a part has been sent.
    pub(super) fn sent(&self, state: &State) -> BTreeSet<[Element; 3]> {
        let copy = |shard: &ShardId, origin: &Origin| {
            [self.group(origin.group), shard.get() as Element, origin.config.get() as Element]
        };
        let offered = state.offers.parts.iter().filter_map(|part| match &*part.1 {
            Command::InstallChunk { shard, origin, .. } => Some(copy(shard, origin)),
            _ => None,
        });
        let mail = state.stage.iter().flat_map(|stage| stage.mail.iter()).filter_map(|mail| match &mail.message {
            ShardMessage::Part { shard, origin, .. } => Some(copy(shard, origin)),
            _ => None,
        });
        offered.chain(mail).collect()
    }
}
