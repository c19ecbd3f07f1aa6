//! The fault plan: what happens to the cluster while the clients work, and a record of what did.
//!
//! Groups join and leave, shards move between groups that share no process, leaders and both ends of a move are killed
//! with SIGKILL, one is paused.

/// One step of the plan.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    Join(u64),
    Leave(u64),
    KillLeader(u64),
    MoveAndKill { from: u64, to: u64, part: Part },
    PauseLeader(u64),
    Transfer(u64),
    RoundTrip { home: u64, away: u64 },
}

/// The plan. Group 4 joins from spare nodes; group 2 leaves and comes back on the same nodes as a new group.
pub(super) const PLAN: [Step; 10] = [
    Step::Join(4),
    Step::KillLeader(1),
    Step::MoveAndKill { from: 2, to: 3, part: Part::Source },
    Step::MoveAndKill { from: 3, to: 1, part: Part::Target },
    Step::PauseLeader(4),
    Step::Leave(2),
    Step::MoveAndKill { from: 1, to: 4, part: Part::Controller },
    Step::RoundTrip { home: 3, away: 4 },
    Step::Join(2),
    Step::Transfer(1),
];

/// Which end of a move is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Part {
    /// The leader of a group, as such.
    Leader,
    /// The leader of the group that a shard is leaving.
    Source,
    /// The leader of the group that a shard is going to.
    Target,
    /// The controller's leader.
    Controller,
}

/// One SIGKILL under load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub(super) struct Kill {
    pub(super) node: u64,
    pub(super) part: Part,
    /// A move was under way when the process ended.
    pub(super) mid_move: bool,
}

/// What the plan did.
#[derive(Clone, Debug, Default)]
pub(super) struct Done {
    pub(super) kills: Vec<Kill>,
    pub(super) joins: u64,
    pub(super) leaves: u64,
    pub(super) moves_asked: u64,
    pub(super) pauses: u64,
    pub(super) transfers: u64,
    pub(super) troubles: Vec<String>,
}
