//! The names of what the shard model judges and of the steps that its scopes reach.

/// Every answer is one that a single map, used by one client at a time, would have given.
pub const LINEARIZABILITY: &str = "Linearizability";
/// From every reachable state a fair schedule brings every shard to its owner and every copy to its end.
pub const PROGRESS: &str = "Progress";

/// What every scope reaches where everybody proposes, shards move in one part and no group retires.
pub const WITHOUT_CHUNKS: &[&str] =
    &["Execute", "Repeat", "Refuse", "AdoptConfiguration", "Freeze", "StartEmpty", "SendChunk", "Install", "Collect"];

/// The same where a group retires.
pub const WITH_RETIREMENT_WITHOUT_CHUNKS: &[&str] = &[
    "Execute",
    "Repeat",
    "Refuse",
    "AdoptConfiguration",
    "Freeze",
    "StartEmpty",
    "SendChunk",
    "Install",
    "Collect",
    "Retire",
];

/// The same where shards move in parts.
pub const WITH_RETIREMENT: &[&str] = &[
    "Execute",
    "Repeat",
    "Refuse",
    "AdoptConfiguration",
    "Freeze",
    "StartEmpty",
    "SendChunk",
    "InstallChunk",
    "Install",
    "Collect",
    "Retire",
];

/// What a scope with the real drivers reaches, shards moving in one part.
pub const DRIVEN_WITHOUT_CHUNKS: &[&str] = &[
    "Execute",
    "Repeat",
    "Refuse",
    "AdoptConfiguration",
    "Freeze",
    "StartEmpty",
    "Pull",
    "SendChunk",
    "Install",
    "Collect",
];

/// The same with shards in parts.
pub const DRIVEN: &[&str] = &[
    "Execute",
    "Repeat",
    "Refuse",
    "AdoptConfiguration",
    "Freeze",
    "StartEmpty",
    "Pull",
    "SendChunk",
    "InstallChunk",
    "Install",
    "Collect",
];
