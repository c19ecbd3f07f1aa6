//! The scopes of the stack: plain data. How large the world is, where walks begin, and how long things go wrong.

/// A scope.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope {
    /// Its name.
    pub(super) name: &'static str,
    /// What it reaches, in one line.
    pub(super) purpose: &'static str,
    /// Users besides the operator.
    pub(super) clients: usize,
    /// Keys that they write and read.
    pub(super) keys: usize,
    /// How many shards the cluster has.
    pub(super) shards: u32,
    /// Where a walk begins.
    pub(super) start: Start,
    /// How likely a client's timer fires next, against other events: the less, the more patient users are.
    pub(super) haste: u32,
    /// The most steps of a walk.
    pub(super) steps: u64,
    /// How many walks there are, unless somebody asks for others.
    pub(super) walks: u64,
    /// The steps of the vocabulary that the walks must take.
    pub(super) must_fire: &'static [&'static str],
}

/// Where a walk begins: after real steps from boot, in which nothing fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// Nodes and clients boot.
    Boot,
    /// The first so many changes of the operator's script are made and carried out.
    Changed(usize),
    /// One group serves everything. The leader has taken the appends of two users and is cut off since; the others have
    /// elected one of theirs, and it does not know.
    Divided,
}

/// What a scope in which things happen for long reaches.
const EVERYTHING: &[&str] = &[
    "BecomeLeader",
    "StepDown",
    "TransferLeadership",
    "AdvanceCommit",
    "TakeSnapshot",
    "CompactLog",
    "InstallSnapshot",
    "Restart",
    "Join",
    "Leave",
    "Move",
    "RaiseFloor",
    "Retire",
    "Execute",
    "Repeat",
    "Read",
    "AdoptConfiguration",
    "Freeze",
    "StartEmpty",
    "InstallChunk",
    "Install",
    "Collect",
    "CreateReplica",
    "DestroyReplica",
    "Complete",
];

const DEFAULT: Scope = Scope {
    name: "default",
    purpose: "nine nodes, three groups that come and go, three users",
    clients: 3,
    keys: 4,
    shards: 4,
    start: Start::Boot,
    haste: 1_500,
    steps: 25_000,
    walks: 20,
    must_fire: EVERYTHING,
};

/// All scopes.
pub(super) const ALL: &[Scope] = &[
    DEFAULT,
    Scope {
        name: "deep",
        purpose: "the same with more shards, keys and users, for longer",
        clients: 4,
        keys: 6,
        shards: 8,
        steps: 75_000,
        ..DEFAULT
    },
    Scope {
        name: "joins",
        purpose: "the controller has begun and the first groups are about to join",
        start: Start::Changed(0),
        steps: 2_000,
        must_fire: &["Join", "CreateReplica", "AdoptConfiguration", "StartEmpty", "Execute"],
        ..DEFAULT
    },
    Scope {
        name: "floor",
        purpose: "two groups serve and the operator is about to end old sessions",
        start: Start::Changed(2),
        steps: 2_000,
        must_fire: &["RaiseFloor", "AdoptConfiguration", "Execute", "Complete"],
        ..DEFAULT
    },
    Scope {
        name: "divided",
        purpose: "a leader that is cut off holds two appends; the others have another leader, and it hears of it",
        keys: 1,
        start: Start::Divided,
        haste: 20,
        steps: 1_000,
        must_fire: &["StepDown", "AdvanceCommit", "Execute", "Complete"],
        ..DEFAULT
    },
];

/// The names of the scopes and what each is for.
pub const SCOPES: &[(&str, &str)] = crate::models::named!(ALL);
