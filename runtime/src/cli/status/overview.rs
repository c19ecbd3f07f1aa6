//! What is shown, before it becomes a table or JSON.

use super::groups::{self, GroupLine};
use super::progress::{self, Migration};
use super::{Answer, Seen};
use crate::cli::table;
use quorate_core::status::{HostStatus, NodeStatus, ReplicaStatus};
use quorate_spec::ids::{GroupId, NodeId};
use serde_json::{Value, json};

/// A cluster, as far as it was seen.
#[derive(Debug)]
pub(super) struct Overview {
    pub(super) cluster: Option<String>,
    pub(super) config: u64,
    pub(super) floor: u64,
    pub(super) shards: usize,
    /// Sessions issued and not ended, if a member of the controller answers.
    pub(super) sessions: Option<u64>,
    pub(super) groups: Vec<GroupLine>,
    pub(super) nodes: Vec<NodeLine>,
    pub(super) migrations: Vec<Migration>,
    /// What an operator should look at, each with what to do.
    pub(super) problems: Vec<String>,
}

/// One node.
#[derive(Debug)]
pub(super) struct NodeLine {
    pub(super) node: u64,
    pub(super) address: String,
    pub(super) answer: Answer,
    /// The groups that name it.
    pub(super) groups: Vec<String>,
    pub(super) stop: Stop,
    pub(super) replicas: Vec<ReplicaLine>,
}

/// Whether a node may be stopped for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// Nothing needs it.
    May,
    /// It serves, and why.
    No(String),
    /// Its groups have left, and what is still to be done.
    NotYet(String),
}

/// One replica: what it says, and what its leader says of it.
#[derive(Debug)]
pub(super) struct ReplicaLine {
    pub(super) group: String,
    pub(super) replica: ReplicaStatus,
    /// How far it is behind; empty for a leader, `?` if no leader tells.
    pub(super) behind: String,
    pub(super) snapshot: String,
}

impl Overview {
    /// Sums up what was seen.
    pub(super) fn of(seen: &Seen) -> Self {
        let answers = progress::completed(&seen.answers);
        let seen = &Seen {
            answers,
            config: seen.config.clone(),
            directory: seen.directory.clone(),
            silent_seeds: seen.silent_seeds.clone(),
        };
        let groups = groups::all(seen);
        let nodes: Vec<NodeLine> =
            seen.answers.iter().map(|(node, answer)| node_line(*node, answer, &groups, seen)).collect();
        let host = seen.answers.values().flatten().find_map(|status| status.host.as_ref());
        Self {
            cluster: host.map(|host| host.cluster.clone()),
            config: seen.config.num.get(),
            floor: seen.config.floor.get(),
            shards: seen.config.shards.len(),
            sessions: groups.first().filter(|group| group.group == 0).and_then(|group| group.sessions),
            migrations: groups.iter().flat_map(|group| group.migrations.clone()).collect(),
            problems: problems(seen, &groups, &nodes),
            groups,
            nodes,
        }
    }

    /// The same as JSON.
    pub(super) fn json(&self) -> Value {
        json!({
            "cluster": self.cluster, "config": self.config, "floor": self.floor, "shards": self.shards,
            "sessions": self.sessions, "groups": self.groups, "migrations": self.migrations,
            "nodes": self.nodes.iter().map(NodeLine::json).collect::<Vec<_>>(), "problems": self.problems,
        })
    }
}

fn node_line(node: u64, answer: &Answer, groups: &[GroupLine], seen: &Seen) -> NodeLine {
    let told = answer.as_ref().ok().map(|status| &status.address);
    let registered = seen.directory.nodes.get(&NodeId::new(node)).map(|info| &info.address);
    let address = told.or(registered).map_or(String::new(), |address| String::from_utf8_lossy(address).into_owned());
    let replicas = answer.iter().flat_map(|status| status.replicas.iter().map(move |it| (status, it)));
    NodeLine {
        node,
        address,
        answer: answer.clone(),
        groups: groups_of(node, groups).map(|group| groups::name(group.id, group.left)).collect(),
        stop: may_stop(node, answer, groups, seen),
        replicas: replicas.map(|(status, replica)| replica_line(node, status, replica, seen)).collect(),
    }
}

fn groups_of(node: u64, groups: &[GroupLine]) -> impl Iterator<Item = &GroupLine> {
    groups.iter().filter(move |group| group.names(NodeId::new(node)))
}

fn replica_line(node: u64, status: &NodeStatus, replica: &ReplicaStatus, seen: &Seen) -> ReplicaLine {
    let id = replica.group;
    let leader = groups::leader(&groups::replicas(id, seen));
    let behind = match leader {
        Some((leader, _)) if leader == node => String::new(),
        Some((_, leader)) => {
            let lag = leader.lag.iter().find(|lag| lag.node.get() == node);
            lag.map_or("?".into(), |lag| match (lag.entries, lag.by_snapshot) {
                (0, _) => "0".into(),
                (entries, false) => format!("{entries} ({})", table::size(lag.bytes)),
                (entries, true) => format!("{entries} (by snapshot)"),
            })
        }
        None => "?".into(),
    };
    ReplicaLine {
        group: groups::name(id, groups::has_left(id, seen)),
        replica: replica.clone(),
        behind,
        snapshot: snapshot(status.host.as_ref(), replica),
    }
}

/// The newest durable snapshot: where it ends, and the size of its file if it was measured.
fn snapshot(host: Option<&HostStatus>, replica: &ReplicaStatus) -> String {
    if replica.snapshot.get() == 0 {
        return "-".into();
    }
    let files = host.into_iter().flat_map(|host| &host.snapshots);
    let bytes = files.filter(|file| file.group == replica.group).map(|file| file.bytes).next();
    format!("to {}{}", replica.snapshot, bytes.map_or(String::new(), |bytes| format!(" ({})", table::size(bytes))))
}

/// Whether a node may be stopped. The node itself is asked first: nobody knows better.
fn may_stop(node: u64, answer: &Answer, groups: &[GroupLine], seen: &Seen) -> Stop {
    let id = NodeId::new(node);
    if answer.as_ref().is_ok_and(|status| status.may_be_stopped) {
        return Stop::May;
    }
    let (left, serving): (Vec<&GroupLine>, Vec<&GroupLine>) = groups_of(node, groups).partition(|group| group.left);
    if !serving.is_empty() {
        let names = serving.iter().map(|group| match group.id {
            GroupId::CONTROLLER => "the controller".to_owned(),
            id => format!("group {}", groups::name(id, false)),
        });
        return Stop::No(names.collect::<Vec<_>>().join(", "));
    }
    if let Some(group) = left.first() {
        let why = if group.state.is_empty() { "has not ended".to_owned() } else { group.state.join(", ") };
        return Stop::NotYet(format!("group {} {why}", group.group));
    }
    match answer {
        Ok(_) if !seen.directory.nodes.contains_key(&id) => Stop::NotYet("it is not registered yet".into()),
        Ok(_) => Stop::NotYet("it has not heard that its groups have ended".into()),
        Err(_) => Stop::May,
    }
}

fn problems(seen: &Seen, groups: &[GroupLine], nodes: &[NodeLine]) -> Vec<String> {
    let mut problems = Vec::new();
    for (seed, why) in &seen.silent_seeds {
        problems.push(format!("the seed {seed} does not answer ({why}): correct --seeds, or start the node there"));
    }
    let newest = seen.answers.values().flatten().map(|status| (status.config, status.node)).max();
    if let Some((config, node)) = newest.filter(|(config, _)| *config > seen.config.num) {
        problems.push(format!(
            "node {} knows configuration {config}, the seed that answered only {}: groups may be shown as they were; ask \
             again, or name another of --seeds",
            node.get(),
            seen.config.num
        ));
    }
    for NodeLine { node, address, answer, stop, .. } in nodes {
        match answer {
            Err(why) if *stop != Stop::May => {
                problems.push(format!("node {node} at {address} does not answer ({why}): see its log, start it again"));
            }
            Ok(status) if status.disk_full => {
                problems.push(format!("the disk of node {node} is full: it refuses writes until there is space"));
            }
            Ok(_) | Err(_) => {}
        }
    }
    problems.extend(groups.iter().flat_map(|group| group.problems.clone()));
    if seen.config.groups.is_empty() {
        problems.push("no group serves: let one join (`quorate join GID=NODE,NODE,NODE`)".into());
    }
    problems
}

impl NodeLine {
    fn json(&self) -> Value {
        let mut json = match &self.answer {
            Ok(status) => json!(**status),
            Err(why) => json!({ "node": self.node, "why": why }),
        };
        json["reachable"] = json!(self.answer.is_ok());
        json["address"] = json!(self.address);
        json["may_be_stopped"] = json!(self.stop == Stop::May);
        json["kept_by"] = match &self.stop {
            Stop::May => Value::Null,
            Stop::No(why) | Stop::NotYet(why) => json!(why),
        };
        json
    }
}
