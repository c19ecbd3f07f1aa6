//! A controller with one client at work, and short words for identifiers.

use quorate_core::bytes::Bytes;
use quorate_core::controller::{Answer, Change, Command, Configuration, Controller, NodeInfo, Refusal};
use quorate_core::spec::ids::{ClientId, ConfigNum, Gid, GroupId, NodeId, Seq, ShardId, Stamp};
use quorate_core::spec::views::Origin;
use std::sync::Arc;

pub(crate) fn gid(number: u64) -> Gid {
    Gid::new(number)
}

pub(crate) fn node(number: u64) -> NodeId {
    NodeId::new(number)
}

/// The group `gid@born`.
pub(crate) fn group(gid: u64, born: u64) -> GroupId {
    GroupId::new(Gid::new(gid), ConfigNum::new(born))
}

pub(crate) fn config(number: u64) -> ConfigNum {
    ConfigNum::new(number)
}

pub(crate) fn client(number: u64) -> ClientId {
    ClientId::new(number)
}

pub(crate) fn origin(group: GroupId, config: u64) -> Option<Origin> {
    Some(Origin { group, config: ConfigNum::new(config) })
}

pub(crate) fn changed(number: u64) -> Answer {
    Answer::Changed { config: ConfigNum::new(number) }
}

pub(crate) fn unchanged(number: u64) -> Answer {
    Answer::Unchanged { config: ConfigNum::new(number) }
}

pub(crate) fn refused(refusal: Refusal) -> Answer {
    Answer::Refused(refusal)
}

/// `join(&[(1, &[11, 12])])`: group 1 on nodes 11 and 12.
pub(crate) fn join(groups: &[(u64, &[u64])]) -> Change {
    let servers = |nodes: &[u64]| nodes.iter().copied().map(NodeId::new).collect();
    Change::Join { groups: groups.iter().map(|(gid, nodes)| (Gid::new(*gid), servers(nodes))).collect() }
}

pub(crate) fn leave(gids: &[u64]) -> Change {
    Change::Leave { gids: gids.iter().copied().map(Gid::new).collect() }
}

pub(crate) fn move_shard(shard: u64, gid: u64) -> Change {
    Change::Move { shard: ShardId::new(shard), gid: Gid::new(gid) }
}

pub(crate) fn raise_floor(floor: u64) -> Change {
    Change::RaiseFloor { floor: ClientId::new(floor) }
}

pub(crate) fn register_node(number: u64) -> Command {
    let info = NodeInfo { address: Bytes::from("10.0.0.1:7000"), stamp: Stamp::new(u128::from(number)) };
    Command::RegisterNode { node: NodeId::new(number), info }
}

/// Who owns each shard, by gid; 0 for nobody.
pub(crate) fn owners(config: &Configuration) -> Vec<u64> {
    config.shards.iter().map(|shard| shard.owner.map_or(0, |group| group.gid.get())).collect()
}

/// A controller, with nodes 1 to 19 registered and a client (session 1) that changes it.
pub(crate) struct Cluster {
    pub(crate) controller: Controller,
    pub(crate) seq: Seq,
}

impl Cluster {
    pub(crate) fn new(shards: u32) -> Self {
        let mut cluster = Self { controller: Controller::genesis(shards), seq: Seq::ZERO };
        for number in 1..20 {
            assert_eq!(cluster.apply(&register_node(number)), Answer::NodeRegistered);
        }
        assert_eq!(cluster.register_client(1_000), client(1));
        cluster
    }

    pub(crate) fn apply(&mut self, command: &Command) -> Answer {
        self.controller.apply(command).0
    }

    pub(crate) fn register_client(&mut self, limit: u64) -> ClientId {
        match self.apply(&Command::RegisterClient { limit }) {
            Answer::ClientRegistered { client } => client,
            other => panic!("{other:?}"),
        }
    }

    /// The client's next request.
    pub(crate) fn change(&mut self, change: Change) -> Answer {
        self.seq = self.seq.next();
        self.apply(&Command::Change { client: ClientId::new(1), seq: self.seq, change })
    }

    pub(crate) fn retire(&mut self, group: GroupId) -> Answer {
        self.apply(&Command::Retire { group })
    }

    pub(crate) fn latest(&self) -> Arc<Configuration> {
        self.controller.latest().clone()
    }

    pub(crate) fn owners(&self) -> Vec<u64> {
        owners(self.controller.latest())
    }

    pub(crate) fn origins(&self) -> Vec<Option<Origin>> {
        self.controller.latest().shards.iter().map(|shard| shard.origin).collect()
    }
}
