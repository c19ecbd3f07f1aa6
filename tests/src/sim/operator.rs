//! The operator: a client that changes the configuration.

use super::world::World;
use quorate_core::client::{Operation, Outcome};
use quorate_core::controller::Change;
use quorate_spec::ids::{Gid, GroupId, NodeId, ShardId};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A change that lets these groups join: for each its number and the numbers of its processes, which are those of the
/// nodes less one.
pub fn join(groups: &[(u64, &[usize])]) -> Operation {
    let server = |number: &usize| NodeId::new(*number as u64 + 1);
    let group = |(gid, servers): &(u64, &[usize])| (Gid::new(*gid), servers.iter().map(server).collect());
    Operation::Change(Change::Join { groups: groups.iter().map(group).collect::<BTreeMap<_, _>>() })
}

/// A change that lets these groups leave.
pub fn leave(gids: &[u64]) -> Operation {
    Operation::Change(Change::Leave { gids: gids.iter().copied().map(Gid::new).collect::<BTreeSet<_>>() })
}

/// A change that gives one shard to one group.
pub fn shift(shard: u64, gid: u64) -> Operation {
    Operation::Change(Change::Move { shard: ShardId::new(shard), gid: Gid::new(gid) })
}

impl World {
    /// Waits until the controller works and every node is registered.
    pub fn wait_for_registration(&mut self) -> bool {
        self.run_until(Duration::from_secs(60), |world| {
            let nodes = world.setup.nodes;
            world.leader(GroupId::CONTROLLER).is_some_and(|leader| {
                let controller = world.processes[leader].node().and_then(|node| node.controller());
                controller.is_some_and(|group| group.machine().directory().nodes.len() == nodes)
            })
        })
    }

    /// Waits for the nodes to register, then has a client make these groups, and waits until they have leaders and all
    /// shards are served. Says whether that came about.
    pub fn found(&mut self, client: usize, groups: &[(u64, &[usize])]) -> bool {
        if !self.wait_for_registration() {
            return false;
        }
        let joined = self.call_and_wait(client, join(groups));
        matches!(joined, Some(Outcome::Changed { .. }))
            && self.run_until(Duration::from_secs(30), |world| {
                let led: BTreeSet<GroupId> = world.groups();
                led.len() >= groups.len()
                    && led.iter().all(|group| world.leader(*group).is_some())
                    && world.is_settled()
            })
    }

    /// The data groups of which there are replicas.
    pub fn groups(&self) -> BTreeSet<GroupId> {
        self.nodes().flat_map(|(_, node)| node.groups()).map(|group| group.id()).collect()
    }
}
