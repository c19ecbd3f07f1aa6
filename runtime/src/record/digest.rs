//! What a step wanted done, in a few bytes: per kind of effect how many, and a digest of them all in their order.

use quorate_core::digest::digest_of;
use quorate_core::effect::Effects;
use serde::{Deserialize, Serialize};
use std::hash::Hash;

/// The kinds of effects, in the order of [`Digest`]'s parts.
pub const PARTS: [&str; 10] =
    ["writes", "sends", "timers", "replies", "snapshots", "addresses", "pins", "refused", "halt", "labels"];

/// A step's effects, digested.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest([Part; PARTS.len()]);

/// All effects of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Part {
    count: u64,
    digest: u64,
}

impl Part {
    fn of<T: Hash>(effects: &[T]) -> Self {
        match effects {
            [] => Self::default(),
            _ => Self { count: effects.len() as u64, digest: digest_of(effects) },
        }
    }
}

impl Digest {
    /// Digests effects, all of them: a snapshot's whole state too.
    pub fn of(effects: &Effects) -> Self {
        let Effects { writes, sends, timers, replies, snapshots, addresses, pins, refused, halt, labels } = effects;
        Self([
            Part::of(writes),
            Part::of(sends),
            Part::of(timers),
            Part::of(replies),
            Part::of(snapshots),
            Part::of(addresses),
            Part::of(pins),
            Part::of(refused.as_slice()),
            Part::of(halt.as_slice()),
            Part::of(labels),
        ])
    }

    /// How many effects there are.
    pub fn effects(&self) -> u64 {
        self.0.iter().map(|part| part.count).sum()
    }

    /// Which kinds of effects differ from what was recorded, in words; `None` if they are the same.
    pub fn difference(&self, recorded: &Self) -> Option<String> {
        let differs = |((part, recorded), name): ((&Part, &Part), &str)| match (part.count, recorded.count) {
            _ if part == recorded => None,
            (now, then) if now != then => Some(format!("{now} {name} instead of {then}")),
            (_, then) => Some(format!("{then} {name}, but others")),
        };
        let all: Vec<String> = self.0.iter().zip(&recorded.0).zip(PARTS).filter_map(differs).collect();
        (!all.is_empty()).then(|| all.join(", "))
    }
}
