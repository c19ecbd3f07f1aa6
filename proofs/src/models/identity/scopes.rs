//! The scopes: what may happen to directories, as plain data.

/// One scope.
#[derive(Clone, Copy, Debug)]
pub struct Scope {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it is for, in one line.
    pub purpose: &'static str,
    /// Where it begins.
    pub start: Start,
    /// How many members the controller has.
    pub members: u64,
    /// How often a member stands for election.
    pub campaigns: u8,
    /// The highest term that a member campaigns for.
    pub terms: u64,
    /// Crashes, each with a restart that keeps a prefix of what was not synced.
    pub crashes: u8,
    /// Members that are started a second time, from an empty directory: while the first goes on, or instead of it (a
    /// process that nothing reaches any more is gone).
    pub twins: u8,
    /// Members that are started from an old copy of their directory.
    pub copies: u8,
    /// Whether what a disk holds is judged, and not only who leads.
    pub disks: bool,
    /// The steps that the scope must reach.
    pub must_fire: &'static [&'static str],
}

/// Where a scope begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// Three controller members with empty directories.
    Empty,
    /// Three controller members that have begun.
    Begun,
    /// A node that is no controller member, and all that the controller ever told of a group that came, left and retired.
    News,
}

/// The names of the scopes and what each is for.
pub const SCOPES: &[(&str, &str)] = crate::models::named!(ALL);

const PLAIN: Scope = Scope {
    name: "plain",
    purpose: "two members begin",
    start: Start::Empty,
    members: 2,
    campaigns: 0,
    terms: 0,
    crashes: 0,
    twins: 0,
    copies: 0,
    disks: true,
    must_fire: &["PinPeer", "CreateReplica", "Restart"],
};

/// All scopes.
pub(super) const ALL: &[Scope] = &[
    Scope {
        name: "default",
        purpose: "two members begin: one crashes with pins that were not synced, one is started a second time",
        crashes: 1,
        twins: 1,
        must_fire: &["PinPeer", "CreateReplica", "Restart", "RefusePeer"],
        ..PLAIN
    },
    Scope {
        name: "three",
        purpose: "three members begin, whatever is lost, late, repeated and reordered",
        members: 3,
        ..PLAIN
    },
    Scope {
        name: "wiped",
        purpose: "a member of a controller that has begun comes back with an empty directory, and others want its vote",
        start: Start::Begun,
        members: 3,
        campaigns: 2,
        terms: 1,
        twins: 1,
        disks: false,
        must_fire: &["StartElection", "HandleRequestVote", "BecomeLeader", "RefusePeer", "PinPeer"],
        ..PLAIN
    },
    Scope {
        name: "copy",
        purpose: "a member is started from an old copy of its directory while others remember a later boot",
        start: Start::Begun,
        members: 3,
        campaigns: 2,
        terms: 1,
        copies: 1,
        must_fire: &["RefusePeer", "StartElection", "HandleRequestVote"],
        ..PLAIN
    },
    Scope {
        name: "retired",
        purpose: "old and new news of a group that came and retired, in any order, with two crashes between",
        start: Start::News,
        members: 1,
        crashes: 2,
        must_fire: &["CreateReplica", "DestroyReplica", "PinPeer", "Restart"],
        ..PLAIN
    },
    Scope {
        name: "deep",
        purpose: "three members begin while one is started a second time",
        members: 3,
        twins: 1,
        must_fire: &["PinPeer", "CreateReplica", "RefusePeer"],
        ..PLAIN
    },
    Scope {
        name: "deep2",
        purpose: "three members begin while one crashes with pins that were not synced",
        members: 3,
        crashes: 1,
        ..PLAIN
    },
    Scope {
        name: "crashes",
        purpose: "two members begin: two crashes with pins that were not synced, one member is started a second time",
        crashes: 2,
        twins: 1,
        must_fire: &["PinPeer", "CreateReplica", "Restart", "RefusePeer"],
        ..PLAIN
    },
    Scope {
        name: "wide",
        purpose: "three members begin while one crashes and one is started a second time",
        members: 3,
        crashes: 1,
        twins: 1,
        must_fire: &["PinPeer", "CreateReplica", "Restart", "RefusePeer"],
        ..PLAIN
    },
];
