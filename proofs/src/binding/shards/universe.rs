//! The elements of the sorts at one scope, and everything that no step changes: orders, configurations as the real
//! controller made them, keys and the effects of requests.

use super::Shards;
use crate::binding::structure::{Element, Signature, Structure};
use crate::models::shards::script::{self, Script};
use quorate_core::bytes::Bytes;
use quorate_core::keyspace::shard_of;
use quorate_core::shard::{Command, WriteAnswer, WriteOp};
use quorate_spec::ids::{ClientId, GroupId, Seq};
use std::collections::{BTreeMap, BTreeSet};

/// The element that stands for "no value".
pub(super) const NOTHING: Element = 0;
/// The element that stands for the answer of a write that took effect.
pub(super) const DONE: Element = 1;

impl Shards {
    pub(super) fn group(&self, group: GroupId) -> Element {
        self.script.place(group).map_or(Element::MAX, |place| place as Element)
    }

    pub(super) fn client(&self, client: ClientId) -> Element {
        self.clients.iter().position(|known| *known == client).map_or(Element::MAX, |place| place as Element)
    }

    pub(super) fn seq(&self, seq: Seq) -> Element {
        self.seqs.iter().position(|known| *known == seq).map_or(Element::MAX, |place| place as Element)
    }

    pub(super) fn key(&self, key: &[u8]) -> Option<Element> {
        self.script.keys.iter().position(|known| known[..] == *key).map(|place| place as Element)
    }

    /// A value's element.
    pub(super) fn value(&self, value: Option<&[u8]>) -> Element {
        let Some(value) = value else { return NOTHING };
        let place = self.values.iter().position(|known| known[..] == *value).unwrap_or(self.values.len());
        place as Element + DONE + 1
    }

    /// The element of every value that no order of the requests can make.
    pub(super) fn other(&self) -> Element {
        self.values.len() as Element + DONE + 1
    }

    pub(super) fn answer(&self, answer: WriteAnswer) -> Element {
        match answer {
            WriteAnswer::Done => DONE,
            WriteAnswer::ValueTooLarge { .. } => self.other(),
        }
    }

    fn requests(&self) -> impl Iterator<Item = (ClientId, Seq, &Bytes, &WriteOp)> {
        self.script.requests.iter().flatten().filter_map(|request| match &**request {
            Command::Write { client, seq, key, op, .. } => Some((*client, *seq, key, op)),
            _ => None,
        })
    }

    pub(super) fn elements(&self) -> BTreeMap<&'static str, Vec<String>> {
        fn shown<T: std::fmt::Display>(all: impl IntoIterator<Item = T>) -> Vec<String> {
            all.into_iter().map(|one| one.to_string()).collect()
        }
        let value = |value: &Bytes| format!("\"{}\"", value.escape_ascii());
        let values = ["nothing".to_owned(), "done".to_owned()].into_iter().chain(self.values.iter().map(value));
        BTreeMap::from([
            ("client", shown(&self.clients)),
            ("seq", shown(&self.seqs)),
            ("key", shown(self.script.keys.iter().map(|key| key.escape_ascii().to_string()))),
            ("shard", shown((0..self.scope.shards).map(|shard| format!("shard {shard}")))),
            ("config", shown(self.script.configs.iter().map(|config| format!("configuration {}", config.num)))),
            ("group", shown(&self.script.groups)),
            ("value", values.chain(["another value".to_owned()]).collect()),
            ("read", shown(self.script.keys.iter().map(|key| format!("read of {}", key.escape_ascii())))),
        ])
    }

    /// Everything that no step changes.
    pub(super) fn constants(&self, signature: &Signature) -> Structure {
        let mut made = signature.blank();
        for order in [("c<=", self.script.configs.len()), ("q<=", self.seqs.len())] {
            for high in 0..order.1 as Element {
                (0..=high).for_each(|low| made.add(signature, order.0, &[low, high]));
            }
        }
        let mut found = BTreeSet::new();
        for (number, config) in self.script.configs.iter().enumerate() {
            let c = number as Element;
            if let Some(before) = number.checked_sub(1) {
                made.add(signature, "succ", &[before as Element, c]);
            }
            for (place, _) in self.clients.iter().enumerate().filter(|(_, client)| **client < config.floor) {
                made.add(signature, "below", &[c, place as Element]);
            }
            for (number, assignment) in config.shards.iter().enumerate() {
                let s = number as Element;
                let before = c.checked_sub(1).and_then(|before| self.owner(before, s));
                if let Some(owner) = assignment.owner {
                    made.add(signature, "owns", &[c, s, self.group(owner)]);
                }
                if before.is_some() && before != assignment.owner {
                    made.add(signature, "lost", &[c, s]);
                    found.insert(s);
                }
                if found.contains(&s) {
                    made.add(signature, "found", &[c, s]);
                }
                if let Some(origin) = assignment.origin {
                    made.add(signature, "origin", &[c, s, self.group(origin.group), origin.config.get() as Element]);
                }
            }
        }
        for (client, seq, key, op) in self.requests() {
            let (cl, q) = (self.client(client), self.seq(seq));
            for value in [None].into_iter().chain(self.values.iter().map(Some)) {
                let after = after(value, op);
                let tuple = [cl, q, self.value(value.map(|value| &value[..])), self.value(Some(&after)), DONE];
                made.add(signature, "effect", &tuple);
            }
            made.set(signature, "key_of", &[cl, q], self.key(key).unwrap_or_default());
        }
        for (place, key) in self.script.keys.iter().enumerate() {
            let shard = shard_of(key, self.scope.shards).get() as Element;
            made.set(signature, "shard_of", &[place as Element], shard);
            made.set(signature, "read_key", &[place as Element], place as Element);
        }
        made
    }

    fn owner(&self, config: Element, shard: Element) -> Option<GroupId> {
        self.script.configs.get(usize::from(config))?.shards.get(usize::from(shard))?.owner
    }
}

fn after(value: Option<&Bytes>, op: &WriteOp) -> Bytes {
    match op {
        WriteOp::Put { value } => value.clone(),
        WriteOp::Append { value: more } => {
            let joined: Vec<u8> = value.iter().flat_map(|value| value.iter()).chain(more.iter()).copied().collect();
            Bytes::from(joined)
        }
    }
}

/// Every value that a key can come to have, each request taking effect at most once.
pub(super) fn values(script: &Script) -> Vec<Bytes> {
    let mut found = BTreeSet::new();
    for key in &script.keys {
        let requests: Vec<&WriteOp> = script
            .requests
            .iter()
            .flatten()
            .filter(|request| script::key(request) == Some(key))
            .filter_map(|request| match &**request {
                Command::Write { op, .. } => Some(op),
                _ => None,
            })
            .collect();
        let mut open: Vec<(Option<Bytes>, u32)> = vec![(None, 0)];
        let mut seen = BTreeSet::new();
        while let Some((value, used)) = open.pop() {
            for (place, op) in requests.iter().enumerate().filter(|(place, _)| used >> place & 1 == 0) {
                let next = (after(value.as_ref(), op), used | 1 << place);
                if seen.insert(next.clone()) {
                    found.insert(next.0.clone());
                    open.push((Some(next.0), next.1));
                }
            }
        }
    }
    found.into_iter().collect()
}
