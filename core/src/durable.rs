//! What a disk keeps of a node: the fold of its writes, in one place for recovery, models and tests.
//!
//! It says what every write means after a crash, and refuses a lane that cannot have come from one node.

use crate::controller::{Configuration, Controller, NodeInfo};
use crate::effect::Write;
use crate::mutants::mutant;
use crate::node::is_same;
use crate::raft::{self, Durable as ReplicaDurable, Mark};
use crate::{controller, shard, shard::ShardGroup};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use quorate_spec::ids::{GroupId, NodeId};

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// What a disk kept of a node. Empty before its first write.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Durable {
    /// The pinned peers.
    pub peers: BTreeMap<NodeId, NodeInfo>,
    /// Groups whose replica here was destroyed: never created again.
    pub tombstones: BTreeSet<GroupId>,
    /// The controller group's replica, if this node has one.
    pub controller: Option<raft::Durable<controller::Command>>,
    /// The data groups' replicas.
    pub data: BTreeMap<GroupId, raft::Durable<shard::Command>>,
}

/// Where the images of durable snapshots come from: files, or a model's memory.
pub trait Images {
    /// The controller's state at a mark.
    fn controller(&mut self, mark: &Mark) -> Controller;
    /// A data group's state at a mark.
    fn data(&mut self, group: GroupId, mark: &Mark) -> ShardGroup;
}

impl Durable {
    /// Takes in the next write of the lane.
    ///
    /// # Errors
    /// What in the lane contradicts what came before it.
    pub fn fold(&mut self, write: Write, images: &mut impl Images) -> Result<(), String> {
        match write {
            Write::CreateController { mark, shards } => {
                if self.controller.is_some() {
                    return Err("the controller's replica is created twice".into());
                }
                self.controller = Some(ReplicaDurable::genesis(mark.voters, Controller::genesis(shards)));
            }
            Write::Controller(write) => {
                let durable = self.controller.as_mut().ok_or("a write of a controller replica that was not created")?;
                durable.fold(write, |mark| images.controller(mark)).map_err(|error| format!("controller: {error}"))?;
            }
            Write::CreateData { group, mark, config } => self.create(group, mark, config)?,
            Write::Data { group, write } => {
                let durable = self.data.get_mut(&group);
                let durable =
                    durable.ok_or_else(|| format!("group {group}: a write of a replica that does not exist"))?;
                durable
                    .fold(write, |mark| images.data(group, mark))
                    .map_err(|error| format!("group {group}: {error}"))?;
            }
            Write::Tombstone { group } => {
                self.data.remove(&group);
                self.tombstones.insert(group);
            }
            Write::Pin { node, info } => {
                if self.peers.get(&node).is_some_and(|known| !is_same(known.stamp, info.stamp)) {
                    return Err(format!("node {node} is pinned under two stamps"));
                }
                self.peers.insert(node, info);
            }
        }
        Ok(())
    }

    fn create(&mut self, group: GroupId, mark: Mark, config: Arc<Configuration>) -> Result<(), String> {
        let ended = self.tombstones.contains(&group) && !mutant!(ReplicaRecreated);
        if ended || self.data.contains_key(&group) {
            return Err(format!("group {group}: its replica is created twice"));
        }
        let durable = ReplicaDurable::genesis(mark.voters, ShardGroup::genesis(group, config));
        self.data.insert(group, durable);
        Ok(())
    }
}
