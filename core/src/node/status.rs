//! A node's state for people.

use super::{DataGroup, Node};
use crate::group::{Group, Machine};
use crate::status::{AwaitedShard, FrozenCopy, NodeStatus, ReplicaStatus};
use alloc::vec::Vec;

impl Node {
    /// What `quorate status` shows of this node.
    pub fn status(&self) -> NodeStatus {
        let controller = self.controller.iter().map(|group| {
            let machine = group.machine();
            let config = machine.latest();
            ReplicaStatus {
                config: config.num,
                sessions: machine.live_sessions(),
                floor: config.floor,
                ..replica_status(group)
            }
        });
        let replicas: Vec<ReplicaStatus> = controller.chain(self.data.values().map(data_status)).collect();
        let directory = self.map.directory();
        let named = directory.groups.values().any(|servers| servers.contains(&self.me.node));
        NodeStatus {
            node: self.me.node,
            address: self.address.clone(),
            boot: self.me.boot,
            config: self.map.latest().map_or(quorate_spec::ids::ConfigNum::ZERO, |config| config.num),
            may_be_stopped: directory.nodes.contains_key(&self.me.node) && !named && replicas.is_empty(),
            replicas,
            disk_full: self.disk_full,
            host: None,
        }
    }
}

fn replica_status<M: Machine>(group: &Group<M>) -> ReplicaStatus {
    let replica = group.replica();
    ReplicaStatus {
        group: group.id(),
        voters: replica.voters().iter().copied().collect(),
        role: replica.role(),
        leader: replica.leader(),
        term: replica.term(),
        last: replica.last().index,
        commit: replica.commit(),
        snapshot: replica.mark().last.index,
        log_bytes: replica.log_bytes(),
        lag: replica.lag(),
        config: quorate_spec::ids::ConfigNum::ZERO,
        sessions: 0,
        floor: quorate_spec::ids::ClientId::ZERO,
        data_bytes: 0,
        serving: Vec::new(),
        awaiting: Vec::new(),
        frozen: Vec::new(),
    }
}

fn data_status(data: &DataGroup) -> ReplicaStatus {
    let machine = data.group.machine();
    ReplicaStatus {
        config: machine.config().num,
        sessions: machine.sessions(),
        floor: machine.config().floor,
        data_bytes: machine.data_bytes(),
        serving: machine.serving().collect(),
        awaiting: machine
            .awaiting()
            .map(|(shard, origin, received_bytes)| {
                let total_bytes = data.migrator.total(shard);
                AwaitedShard { shard, origin, received_bytes, total_bytes }
            })
            .collect(),
        frozen: machine.frozen().map(|(shard, config, bytes)| FrozenCopy { shard, config, bytes }).collect(),
        ..replica_status(&data.group)
    }
}
