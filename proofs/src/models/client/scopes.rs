//! The scopes: what the user calls and what the world may do, as plain data.

/// One scope.
#[derive(Clone, Copy, Debug)]
pub struct Scope {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it is for, in one line.
    pub purpose: &'static str,
    /// What the user calls, in this order, each at any time after the one before.
    pub calls: &'static [Call],
    /// Refusals, lost leaderships, and answers of nodes that know no map.
    pub refusals: u8,
    /// Attempts that the client stops waiting for.
    pub timeouts: u8,
    /// Connections that break or cannot be opened.
    pub cuts: u8,
    /// Whether shard 0 may move to the other group.
    pub moves: u8,
    /// How often all sessions so far may end.
    pub floors: u8,
    /// Whether the search begins with a client that has a map and a session.
    pub settled: bool,
    /// In one of so many states a fair schedule must answer everything; 0 for none.
    pub progress: u64,
}

/// What the user calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// Appends the call's own number to the key of a shard.
    Append(u64),
    /// Reads the key of a shard.
    Get(u64),
}

/// The names of the scopes and what each is for.
pub const SCOPES: &[(&str, &str)] = crate::models::named!(ALL);

const PLAIN: Scope = Scope {
    name: "plain",
    purpose: "two writes of one shard",
    calls: &[Call::Append(0), Call::Append(0)],
    refusals: 0,
    timeouts: 0,
    cuts: 0,
    moves: 0,
    floors: 0,
    settled: true,
    progress: 0,
};

/// All scopes.
pub(super) const ALL: &[Scope] = &[
    Scope {
        name: "default",
        purpose: "two writes of one shard; the shard moves, sessions end, an attempt goes unanswered, another is refused",
        refusals: 1,
        timeouts: 1,
        moves: 1,
        floors: 1,
        progress: 16,
        ..PLAIN
    },
    Scope {
        name: "deep",
        purpose: "a write and a read from the first map on, with everything that a network and a cluster do, once each",
        calls: &[Call::Append(0), Call::Get(0)],
        refusals: 1,
        timeouts: 1,
        cuts: 1,
        moves: 1,
        floors: 1,
        settled: false,
        progress: 256,
    },
    Scope {
        name: "wide",
        purpose: "two writes and a read from the first map on, refused, unanswered and cut off more often",
        calls: &[Call::Append(0), Call::Append(0), Call::Get(0)],
        refusals: 2,
        timeouts: 2,
        cuts: 1,
        moves: 1,
        floors: 1,
        settled: false,
        progress: 256,
    },
    Scope {
        name: "start",
        purpose: "one write of a client that has neither a map nor a session",
        calls: &[Call::Append(0)],
        refusals: 1,
        timeouts: 1,
        cuts: 1,
        settled: false,
        progress: 16,
        ..PLAIN
    },
    Scope {
        name: "cuts",
        purpose: "writes of two shards and a read on connections that break or cannot be opened",
        calls: &[Call::Append(0), Call::Append(1), Call::Get(0)],
        cuts: 2,
        progress: 16,
        ..PLAIN
    },
    Scope {
        name: "refusals",
        purpose: "one write, refused, redirected, and executed all the same by a leader that lost its term",
        calls: &[Call::Append(0)],
        refusals: 3,
        timeouts: 1,
        moves: 1,
        progress: 16,
        ..PLAIN
    },
];
