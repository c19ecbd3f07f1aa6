//! The driver of a data group's migrations, at its leader: what to propose, whom to ask.
//!
//! Volatile. Everything here is derived from the replicated state ([`ShardGroup`]) and from what the node knows of the
//! cluster; a new leader starts with [`Migrator::new`] and finds the same work. Nothing that it does can be wrong, only
//! wasted: each command is judged again when it is applied. What it remembers only keeps it from asking twice.
//!
//! Bounded: so many shards are pulled at once, each with one question open and a few parts proposed and not yet
//! applied; so many confirmations are asked for per tick.

mod collect;
mod pull;

use super::machine::ShardGroup;
use super::types::{Command, ShardMessage};
use crate::controller::{Configuration, Directory};
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use collect::Collecting;
use pull::Pulls;
use quorate_spec::ids::{ConfigNum, GroupId, NodeId, ShardId};

/// What the node knows of the cluster. It may be old: that only delays.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// The configuration after the group's own, if the node has it.
    pub next: Option<&'a Arc<Configuration>>,
    /// Who is where.
    pub directory: &'a Directory,
}

/// What the driver wants done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Drive {
    /// Commands to propose in this group, in order. Any of them may be lost.
    pub propose: Vec<Command>,
    /// Messages: the group and the node they are for, which may be this very node (or even group).
    pub sends: Vec<(GroupId, NodeId, ShardMessage)>,
    /// The group has left and holds nothing: the controller may retire it.
    pub retire: bool,
}

/// How much the driver does at once. The memory of one leader's migrations is bounded to about `pulls * (ahead + 1)`
/// parts per origin group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pace {
    /// The most shards pulled from one group at the same time; at least 1.
    pub pulls: usize,
    /// The most parts of one shard proposed and not yet applied; at least 1.
    pub ahead: usize,
    /// The most awaited shards or frozen copies looked at in one call; at least 1.
    pub looks: usize,
    /// How many ticks a shard may stand still with parts proposed before they are taken for lost; at least 1. More
    /// than one, so that a slow log is not given the same parts again and again.
    pub patience: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Self { pulls: 8, ahead: 4, looks: 256, patience: 8 }
    }
}

/// The driver of one group's migrations.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Migrator {
    pace: Pace,
    adopting: Option<(ConfigNum, Age)>,
    pulls: Pulls,
    collecting: Collecting,
}

/// How long ago something was proposed: a proposal that is still not applied after a whole period between two ticks is
/// taken for lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Age {
    New,
    Old,
}

impl Migrator {
    /// A driver that knows nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A driver with another pace.
    pub fn with_pace(pace: Pace) -> Self {
        Self { pace, ..Self::default() }
    }

    /// Looks at the applied state and the cluster and says what to do next. To be called at the leader after every
    /// applied change of the group and every piece of news, with `tick` when its timer fires. `me` is this node: if it
    /// is a member of the origin too, it is asked first. The cost of a call does not grow with the number of
    /// shards.
    pub fn drive(&mut self, me: NodeId, group: &ShardGroup, known: Known<'_>, tick: bool) -> Drive {
        let mut drive = Drive::default();
        if tick {
            self.adopting = self.adopting.and_then(|(num, age)| age.older().map(|age| (num, age)));
            self.pulls.fall_back(group, known.directory, self.pace);
        }
        self.adopt(group, known.next, &mut drive);
        let room = self.pulls.finish(group, known.directory, &mut drive);
        self.pulls.begin(me, group, known.directory, room || tick, self.pace);
        self.pulls.go_on(group, self.pace, &mut drive);
        if tick {
            self.collecting.look(group, known.directory, self.pace, &mut drive);
        }
        drive.retire = group.finished();
        drive
    }

    /// Takes an answer from a node of another group. Questions (`Pull`, `Confirm`) are for [`ShardGroup::answer`].
    pub fn received(&mut self, group: &ShardGroup, from: NodeId, message: &ShardMessage) -> Drive {
        let mut drive = Drive::default();
        match message {
            ShardMessage::Part { target, shard, origin, from: cursor, records, next, total } => {
                if *target == group.group {
                    let part = pull::Part { shard: *shard, origin: *origin, cursor, records, next, total: *total };
                    self.pulls.part(from, &part, &mut drive);
                    self.pulls.go_on(group, self.pace, &mut drive);
                }
            }
            ShardMessage::NotHere { target, shard, origin } => {
                if *target == group.group {
                    self.pulls.not_here(group, from, *shard, *origin);
                    self.pulls.go_on(group, self.pace, &mut drive);
                }
            }
            ShardMessage::Confirmed { target, shard, origin } => {
                if origin.group == group.group {
                    self.collecting.confirmed(group, *target, *shard, origin.config, &mut drive);
                }
            }
            ShardMessage::Pull { .. } | ShardMessage::Confirm { .. } => {}
        }
        drive
    }

    /// The size of an awaited shard's whole copy in bytes, once a part told it: for progress reports.
    pub fn total(&self, shard: ShardId) -> Option<u64> {
        self.pulls.total(shard)
    }

    fn adopt(&mut self, group: &ShardGroup, next: Option<&Arc<Configuration>>, drive: &mut Drive) {
        let Some(config) = next.filter(|config| config.num == group.config.num.next() && group.settled()) else {
            return;
        };
        if self.adopting.is_none_or(|(num, _)| num != config.num) {
            self.adopting = Some((config.num, Age::New));
            drive.propose.push(Command::AdoptConfiguration { config: Arc::clone(config) });
        }
    }
}

impl Age {
    /// The age after one more tick; `None` when it is time to forget.
    fn older(self) -> Option<Self> {
        match self {
            Self::New => Some(Self::Old),
            Self::Old => None,
        }
    }
}

/// The member after `last`, in turn; the first if there is no `last`, or it is a member no more.
fn next_member(members: &[NodeId], last: Option<NodeId>) -> Option<NodeId> {
    let place = last.and_then(|last| members.iter().position(|member| *member == last));
    place.and_then(|place| members.get(place + 1)).or_else(|| members.first()).copied()
}

/// Who is asked, per group, in the present round of questions.
type Asked = BTreeMap<GroupId, NodeId>;
