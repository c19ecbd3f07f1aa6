//! Runs of data groups, as `TraceShardKV.tla` takes them.

pub mod corrupt;
mod module;

use super::module::Generated;
use quorate_spec::ids::GroupId;
use quorate_spec::views::Origin;
use std::collections::{BTreeMap, BTreeSet};

/// A write, as the specification names it: the session and the number of its request.
pub type Mark = (u64, u64);

/// A run of data groups, with what its clients ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The keys, each with its shard; there are no other shards than `0..shards`.
    pub keys: BTreeMap<String, u64>,
    /// How many shards there are.
    pub shards: u64,
    /// What each client asks for, in order, from client 1 on. A session is a client.
    pub programs: Vec<Vec<Request>>,
    /// The events, in their order.
    pub events: Vec<Event>,
}

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Put, Append or Get.
    pub op: &'static str,
    /// The key.
    pub key: String,
}

/// A step of the specification, and what it led to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// The action's name; none if the state changed without a word.
    pub name: &'static str,
    /// The group that acts.
    pub group: Option<GroupId>,
    /// The parameters of the action that are numbers.
    pub told: BTreeMap<&'static str, u64>,
    /// The groups that join or leave.
    pub gids: BTreeSet<u64>,
    /// What a read returned.
    pub value: Vec<Mark>,
    /// The configuration that a change made.
    pub made: Option<Made>,
    /// What the group holds after it.
    pub after: Option<Holding>,
}

/// A configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// Its groups.
    pub members: BTreeSet<GroupId>,
    /// The shards, in order.
    pub shards: Vec<Place>,
    /// Sessions below it have ended.
    pub floor: u64,
}

/// Who owns a shard, and where its data froze last.
pub type Place = (Option<GroupId>, Option<Origin>);

/// What a group holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holding {
    /// The number of its configuration.
    pub config: u64,
    /// The shards that it serves.
    pub serving: BTreeMap<u64, Content>,
    /// Its frozen copies, by shard and by the configuration that froze them.
    pub frozen: BTreeMap<(u64, u64), Content>,
}

/// A copy of a shard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// What each key of the shard holds.
    pub data: BTreeMap<String, Vec<Mark>>,
    /// The last write of each session that has made one.
    pub last: BTreeMap<u64, u64>,
    /// Sessions below it have ended.
    pub floor: u64,
}

impl super::Run for Run {
    fn events(&self) -> usize {
        self.events.len()
    }

    fn module(&self, events: usize) -> Generated {
        module::generate(self, events)
    }
}
