//! The scopes of the controller model: plain data.

/// A scope: everything that bounds the model.
#[derive(Clone, Copy, Debug)]
pub struct Scope {
    /// Its name.
    pub name: &'static str,
    /// What it reaches, in one line.
    pub purpose: &'static str,
    /// How many shards the cluster has.
    pub shards: u32,
    /// The gids that may join: 1 up to this.
    pub gids: u64,
    /// Whether two groups may join or leave at once.
    pub pairs: bool,
    /// How many sessions change the configuration.
    pub clients: u64,
    /// How many changes they ask for, in all.
    pub changes: u8,
    /// How many of these are on their way for so long that later ones overtake them.
    pub overtaken: u8,
    /// How many further sessions are registered; beyond [`Scope::limit`] the oldest end.
    pub sessions: u8,
    /// The most live sessions.
    pub limit: u64,
    /// How often a node registers again: under its own stamp, or another.
    pub nodes: u8,
    /// How many groups retire.
    pub retired: u8,
}

/// All scopes.
pub const ALL: &[Scope] = &[
    Scope {
        name: "default",
        purpose: "three changes, each maybe late or repeated, over 3 shards and 3 groups; sessions end, a group retires",
        shards: 3,
        gids: 3,
        pairs: false,
        clients: 1,
        changes: 3,
        overtaken: 1,
        sessions: 1,
        limit: 1,
        nodes: 1,
        retired: 1,
    },
    Scope {
        name: "deep",
        purpose: "four changes over 5 shards and 4 groups",
        shards: 5,
        gids: 4,
        pairs: false,
        clients: 1,
        changes: 4,
        overtaken: 0,
        sessions: 1,
        limit: 1,
        nodes: 0,
        retired: 1,
    },
    Scope {
        name: "balance",
        purpose: "joins, leaves and moves alone: three in a row over 4 shards and 4 groups, two groups at a time",
        shards: 4,
        gids: 4,
        pairs: true,
        clients: 1,
        changes: 3,
        overtaken: 0,
        sessions: 0,
        limit: 1,
        nodes: 0,
        retired: 0,
    },
    Scope {
        name: "sessions",
        purpose: "two operators over one shard and two groups: late and repeated changes, sessions that end",
        shards: 1,
        gids: 2,
        pairs: false,
        clients: 2,
        changes: 3,
        overtaken: 1,
        sessions: 1,
        limit: 2,
        nodes: 0,
        retired: 1,
    },
];

/// What a scope with everything reaches.
const EVERYTHING: &[&str] = &["Join", "Leave", "Move", "RegisterClient", "RegisterNode", "RaiseFloor", "Retire"];
const WITHOUT_NODES: &[&str] = &["Join", "Leave", "Move", "RegisterClient", "RaiseFloor", "Retire"];
const CHANGES: &[&str] = &["Join", "Leave", "Move", "RaiseFloor"];

impl Scope {
    /// The steps that must have fired when the scope is exhausted.
    pub const fn must_fire(&self) -> &'static [&'static str] {
        match (self.nodes, self.sessions) {
            (0, 0) => CHANGES,
            (0, _) => WITHOUT_NODES,
            _ => EVERYTHING,
        }
    }
}
