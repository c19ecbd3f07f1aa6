//! Where things are, as far as the client knows: the newest map, and per group the server that probably leads it.
//!
//! All of it is a hint: a wrong one costs a refusal, never a wrong answer, because the group that executes checks again.

use super::types::{Endpoint, Operation, Trouble};
use crate::controller::{Configuration, Directory};
use crate::keyspace;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use quorate_spec::ids::{Gid, GroupId, NodeId, ShardId};

/// After this many back-offs of a call a redirection to a silent server is followed again: it may have woken up.
const SUSPICION_ROUNDS: u32 = 6;

/// A server of a group.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Server {
    /// Its id; 0 for a seed, whose id nobody told.
    pub(super) node: NodeId,
    /// Its address.
    pub(super) endpoint: Endpoint,
}

/// Whom the client asks first in a group.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Belief {
    server: Server,
    /// A server that did not answer and that has not been heard of since.
    silent: Option<Endpoint>,
}

/// What to do after a redirection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Follow {
    /// Ask the server that is believed in now.
    Now,
    /// The redirection leads to a server that is silent: give the group time to elect another.
    Later,
}

/// The newest map, and beliefs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Routes {
    seeds: Vec<Endpoint>,
    config: Arc<Configuration>,
    directory: Arc<Directory>,
    beliefs: BTreeMap<GroupId, Belief>,
}

impl Routes {
    pub(super) fn new(seeds: Vec<Endpoint>) -> Self {
        Self { seeds, config: Arc::default(), directory: Arc::default(), beliefs: BTreeMap::new() }
    }

    pub(super) fn config(&self) -> &Arc<Configuration> {
        &self.config
    }

    pub(super) fn directory(&self) -> &Arc<Directory> {
        &self.directory
    }

    /// Takes in what is newer; says whether anything was.
    pub(super) fn learn(&mut self, config: Option<Arc<Configuration>>, directory: Option<Arc<Directory>>) -> bool {
        let unmapped = self.config.shards.is_empty();
        let config = config.filter(|it| it.num > self.config.num || (unmapped && !it.shards.is_empty()));
        let directory = directory.filter(|it| it.version > self.directory.version);
        let news = config.is_some() || directory.is_some();
        if let Some(config) = config {
            self.config = config;
        }
        if let Some(directory) = directory {
            self.directory = directory;
            let nodes = &self.directory.nodes;
            let groups = &self.directory.groups;
            // Seeds carry no id: where the directory now names the servers, a seed is no longer believed in.
            self.beliefs.retain(|group, belief| match nodes.get(&belief.server.node) {
                Some(info) => info.address == belief.server.endpoint,
                None => !groups.contains_key(group),
            });
        }
        news
    }

    /// The shard of a key, once the number of shards is known.
    pub(super) fn shard_of(&self, key: &[u8]) -> Option<ShardId> {
        let shards = u32::try_from(self.config.shards.len()).ok().filter(|shards| *shards > 0)?;
        Some(keyspace::shard_of(key, shards))
    }

    /// The group that an operation goes to.
    pub(super) fn group_of(&self, operation: &Operation) -> Result<GroupId, Trouble> {
        match operation {
            Operation::Get { key } | Operation::Write { key, .. } => {
                let shard = self.shard_of(key).ok_or(Trouble::NoMap)?;
                let index = usize::try_from(shard.get()).map_err(|_| Trouble::NoMap)?;
                self.config.shards.get(index).and_then(|it| it.owner).ok_or(Trouble::NoOwner)
            }
            Operation::Change(_) | Operation::Query { .. } | Operation::Map => Ok(GroupId::CONTROLLER),
            Operation::TransferLeadership { gid, .. } => self.group_numbered(*gid).ok_or(Trouble::UnknownGroup),
        }
    }

    /// The youngest group of this number: the current one if it is part of the configuration.
    fn group_numbered(&self, gid: Gid) -> Option<GroupId> {
        if gid == GroupId::CONTROLLER.gid {
            return Some(GroupId::CONTROLLER);
        }
        let current = self.config.groups.get(&gid).map(|info| info.id);
        current.or_else(|| self.directory.groups.keys().rev().find(|group| group.gid == gid).copied())
    }

    /// The servers of a group whose addresses are known. Before the directory names the controller's: the seeds.
    pub(super) fn servers(&self, group: GroupId) -> Vec<Server> {
        let listed =
            self.directory.groups.get(&group).or_else(|| {
                self.config.groups.get(&group.gid).filter(|info| info.id == group).map(|info| &info.servers)
            });
        let address = |node: &NodeId| self.directory.nodes.get(node).map(|info| info.address.clone());
        let known =
            listed.into_iter().flatten().filter_map(|node| Some(Server { node: *node, endpoint: address(node)? }));
        let known: Vec<Server> = known.collect();
        if known.is_empty() && group == GroupId::CONTROLLER {
            let seed = |endpoint: &Endpoint| Server { node: NodeId::ZERO, endpoint: endpoint.clone() };
            return self.seeds.iter().map(seed).collect();
        }
        known
    }

    /// Whom to ask: the server that probably leads the group, else its first one.
    pub(super) fn server(&mut self, group: GroupId) -> Option<Server> {
        if let Some(belief) = self.beliefs.get(&group) {
            return Some(belief.server.clone());
        }
        let server = self.servers(group).into_iter().next()?;
        self.beliefs.insert(group, Belief { server: server.clone(), silent: None });
        Some(server)
    }

    /// This server answered as the group's leader.
    pub(super) fn confirm(&mut self, group: GroupId, server: &Server) {
        match self.beliefs.get_mut(&group) {
            Some(belief) => {
                if belief.server != *server {
                    belief.server = server.clone();
                }
                belief.silent = None;
            }
            None => {
                self.beliefs.insert(group, Belief { server: server.clone(), silent: None });
            }
        }
    }

    /// This server answered, whatever it said.
    pub(super) fn heard(&mut self, group: GroupId, from: &Endpoint) {
        if let Some(belief) = self.beliefs.get_mut(&group)
            && belief.silent.as_ref() == Some(from)
        {
            belief.silent = None;
        }
    }

    /// This server is of no use now: the next one, unless somebody has already moved on.
    pub(super) fn leave(&mut self, group: GroupId, from: &Endpoint) {
        let Some(belief) = self.beliefs.get(&group).filter(|belief| belief.server.endpoint == *from) else {
            return;
        };
        let silent = belief.silent.clone();
        let servers = self.servers(group);
        let at = servers.iter().position(|server| server.endpoint == *from).map_or(0, |at| at + 1);
        let mut others = servers.iter().cycle().skip(at).take(servers.len()).filter(|server| server.endpoint != *from);
        let first = others.clone().next();
        let next = others.find(|server| Some(&server.endpoint) != silent.as_ref()).or(first);
        match next {
            Some(server) => {
                self.beliefs.insert(group, Belief { server: server.clone(), silent });
            }
            // The only server, or one that is no longer listed: start afresh from the list.
            None => {
                self.beliefs.remove(&group);
            }
        }
    }

    /// Whoever is believed in, it is time to ask the next one.
    pub(super) fn doubt(&mut self, group: GroupId) {
        if let Some(believed) = self.beliefs.get(&group).map(|belief| belief.server.endpoint.clone()) {
            self.leave(group, &believed);
        }
    }

    /// This server did not answer in time.
    pub(super) fn suspect(&mut self, group: GroupId, from: &Endpoint) {
        if let Some(belief) = self.beliefs.get_mut(&group) {
            belief.silent = Some(from.clone());
        }
        self.leave(group, from);
    }

    /// This server named another as the leader. `round`: how often the asking call has backed off.
    pub(super) fn redirect(&mut self, group: GroupId, from: &Endpoint, leader: NodeId, round: u32) -> Follow {
        let known = self.directory.nodes.get(&leader).map(|info| info.address.clone());
        let Some(endpoint) = known.filter(|endpoint| endpoint != from) else {
            self.leave(group, from);
            return Follow::Now;
        };
        let silent = self.beliefs.get(&group).and_then(|belief| belief.silent.clone());
        if silent.as_ref() == Some(&endpoint) && round < SUSPICION_ROUNDS {
            self.leave(group, from);
            return Follow::Later;
        }
        let server = Server { node: leader, endpoint };
        self.beliefs.insert(group, Belief { server, silent });
        Follow::Now
    }

    /// Every node known: those of the directory, then the seeds that it does not list.
    pub(super) fn everyone(&self) -> Vec<Endpoint> {
        let mut all: Vec<Endpoint> = self.directory.nodes.values().map(|info| info.address.clone()).collect();
        for seed in &self.seeds {
            if !all.contains(seed) {
                all.push(seed.clone());
            }
        }
        all
    }
}
