//! The scopes of the shard model: plain data. What operators do, what clients call, how large a part of a shard is, and
//! who drives migrations.

use super::names;

/// A scope: everything that bounds the model.
#[derive(Clone, Copy, Debug)]
pub struct Scope {
    /// Its name.
    pub name: &'static str,
    /// What it reaches, in one line.
    pub purpose: &'static str,
    /// How many shards the cluster has.
    pub shards: u32,
    /// What operators ask the controller for, in order: one configuration each.
    pub history: &'static [Ask],
    /// What each client calls, in order. A client may give up on a call and go on to the next at any time.
    pub clients: &'static [&'static [Call]],
    /// The size of a part of a shard, in bytes. 1: every key and every session record is a part of its own.
    pub chunk: usize,
    /// Whether a group may at any time be led by a replica that was brought up from an image.
    pub images: bool,
    /// Who proposes migrations.
    pub driver: Driver,
    /// The steps that must have fired when the scope is exhausted.
    pub must_fire: &'static [&'static str],
}

/// A request to the controller.
#[derive(Clone, Copy, Debug)]
pub enum Ask {
    /// Groups join.
    Join(&'static [u64]),
    /// Groups leave.
    Leave(&'static [u64]),
    /// A shard is moved to a group.
    Move(u64, u64),
    /// Sessions below this one end.
    Floor(u64),
}

/// A write that a client calls.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// Its session.
    pub session: u64,
    /// Its number in the session.
    pub seq: u64,
    /// The shard of its key.
    pub shard: u64,
    /// Which key of that shard.
    pub key: usize,
    /// What it appends to the key's value; a value that begins with `=` is put instead.
    pub value: &'static str,
}

/// Who proposes migrations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Driver {
    /// Anybody, anything that any driver could ever have been led to propose: see [`super::actions`].
    Any,
    /// The real `Migrator` at each group's leader, over real messages.
    Real {
        /// How often drivers' timers fire, in all.
        ticks: u8,
        /// How often a leader is replaced, in all: its driver's memory is lost.
        crashes: u8,
        /// Whether the second member of each group applies entries one by one, late; otherwise there is none.
        lag: bool,
    },
}

const fn append(session: u64, seq: u64, shard: u64, value: &'static str) -> Call {
    Call { session, seq, shard, key: 0, value }
}

/// All scopes.
pub const ALL: &[Scope] = &[
    Scope {
        name: "default",
        purpose: "a shard goes and comes back, then a group leaves; two clients, late duplicates, parts of one item",
        shards: 2,
        history: &[Ask::Join(&[1, 2]), Ask::Move(0, 2), Ask::Move(0, 1), Ask::Leave(&[1])],
        clients: &[&[append(1, 1, 0, "a"), append(1, 2, 0, "b")], &[append(2, 1, 0, "c"), append(2, 2, 1, "d")]],
        chunk: 1,
        images: true,
        driver: Driver::Any,
        must_fire: names::WITH_RETIREMENT,
    },
    Scope {
        name: "deep",
        purpose: "3 groups, 2 shards, 4 configurations, 2 clients with 2 requests each",
        shards: 2,
        history: &[Ask::Join(&[1, 2, 3]), Ask::Move(0, 2), Ask::Leave(&[2]), Ask::Move(0, 3)],
        clients: &[&[append(1, 1, 0, "a"), append(1, 2, 1, "b")], &[append(2, 1, 0, "c"), append(2, 2, 0, "d")]],
        chunk: 1,
        images: false,
        driver: Driver::Any,
        must_fire: names::WITH_RETIREMENT,
    },
    Scope {
        name: "wide",
        purpose: "6 configurations: shards wander among 3 groups, sessions end, a gid leaves and joins again; 3 clients",
        shards: 2,
        history: &[
            Ask::Join(&[1, 2, 3]),
            Ask::Move(0, 2),
            Ask::Floor(2),
            Ask::Leave(&[2]),
            Ask::Join(&[2]),
            Ask::Move(0, 2),
        ],
        clients: &[
            &[append(1, 1, 0, "a"), append(4, 1, 0, "b")],
            &[append(2, 1, 0, "c"), append(2, 2, 1, "d")],
            &[append(3, 1, 1, "e")],
        ],
        chunk: 1,
        images: false,
        driver: Driver::Any,
        must_fire: names::WITH_RETIREMENT,
    },
    Scope {
        name: "return",
        purpose: "a shard goes from g1 to g2 and back, while its first frozen copy still lies at g1",
        shards: 1,
        history: &[Ask::Join(&[1, 2]), Ask::Move(0, 2), Ask::Move(0, 1)],
        clients: &[&[append(1, 1, 0, "a"), append(1, 2, 0, "b")], &[append(2, 1, 0, "c")]],
        chunk: 1 << 20,
        images: true,
        driver: Driver::Any,
        must_fire: names::WITHOUT_CHUNKS,
    },
    Scope {
        name: "rejoin",
        purpose: "g1 leaves with its shard's frozen copy and joins again: a new group under the old number",
        shards: 1,
        history: &[Ask::Join(&[1, 2]), Ask::Leave(&[1]), Ask::Join(&[1]), Ask::Move(0, 1)],
        clients: &[&[append(1, 1, 0, "a"), append(1, 2, 0, "b")]],
        chunk: 1 << 20,
        images: true,
        driver: Driver::Any,
        must_fire: names::WITH_RETIREMENT_WITHOUT_CHUNKS,
    },
    Scope {
        name: "floor",
        purpose: "the floor ends session 1 before its shard moves; the client calls on under session 3",
        shards: 1,
        history: &[Ask::Join(&[1, 2]), Ask::Floor(2), Ask::Move(0, 2), Ask::Move(0, 1)],
        clients: &[&[append(1, 1, 0, "a"), append(3, 1, 0, "b")], &[append(2, 1, 0, "c")]],
        chunk: 1 << 20,
        images: true,
        driver: Driver::Any,
        must_fire: names::WITHOUT_CHUNKS,
    },
    Scope {
        name: "collect",
        purpose: "a shard freezes at g1 twice: two copies, each collected by its own configuration's number",
        shards: 1,
        history: &[Ask::Join(&[1, 2]), Ask::Move(0, 2), Ask::Move(0, 1), Ask::Move(0, 2)],
        clients: &[&[append(1, 1, 0, "a"), append(1, 2, 0, "b")]],
        chunk: 1 << 20,
        images: true,
        driver: Driver::Any,
        must_fire: names::WITHOUT_CHUNKS,
    },
    Scope {
        name: "nobody",
        purpose: "the last group leaves, nobody owns the shard, and a group takes it over later",
        shards: 1,
        history: &[Ask::Join(&[1]), Ask::Leave(&[1]), Ask::Join(&[2]), Ask::Join(&[1])],
        clients: &[&[append(1, 1, 0, "a"), append(1, 2, 0, "b")], &[append(2, 1, 0, "c")]],
        chunk: 1,
        images: true,
        driver: Driver::Any,
        must_fire: names::WITH_RETIREMENT,
    },
    Scope {
        name: "stale",
        purpose: "the real drivers; each group has a second member that lags, answers and, after a crash, leads",
        shards: 1,
        history: &[Ask::Join(&[1, 2]), Ask::Move(0, 2)],
        clients: &[&[append(1, 1, 0, "a")]],
        chunk: 1 << 20,
        images: false,
        driver: Driver::Real { ticks: 0, crashes: 1, lag: true },
        must_fire: names::DRIVEN_WITHOUT_CHUNKS,
    },
    Scope {
        name: "driver",
        purpose: "the real drivers, over lost, late and repeated messages, with a shard in two parts",
        shards: 1,
        history: &[Ask::Join(&[1, 2]), Ask::Move(0, 2)],
        clients: &[&[append(1, 1, 0, "a")]],
        chunk: 1,
        images: false,
        driver: Driver::Real { ticks: 2, crashes: 1, lag: false },
        must_fire: names::DRIVEN,
    },
];
