//! What is said of one group, from what its replicas say of themselves.

use super::Seen;
use super::progress::{self, Migration};
use crate::cli::table;
use quorate_core::status::{NodeStatus, ReplicaStatus};
use quorate_spec::ids::{GroupId, NodeId};
use quorate_spec::views::{Origin, Role};
use serde::Serialize;
use std::collections::BTreeSet;

/// One group.
#[derive(Clone, Debug, Serialize)]
pub(super) struct GroupLine {
    /// 0 is the controller.
    pub(super) group: u64,
    /// The configuration that created it.
    pub(super) born: u64,
    /// It is not part of the configuration any more, and is still being drained.
    pub(super) left: bool,
    pub(super) nodes: Vec<u64>,
    pub(super) leader: Option<u64>,
    pub(super) term: Option<u64>,
    pub(super) commit: Option<u64>,
    /// The configuration that it has adopted.
    pub(super) config: Option<u64>,
    /// How many shards it serves.
    pub(super) shards: usize,
    pub(super) sessions: Option<u64>,
    pub(super) data_bytes: Option<u64>,
    /// What is not as it should be, or under way. Empty: all is well.
    pub(super) state: Vec<String>,
    #[serde(skip)]
    pub(super) id: GroupId,
    #[serde(skip)]
    pub(super) migrations: Vec<Migration>,
    /// What to do about what is wrong.
    #[serde(skip)]
    pub(super) problems: Vec<String>,
}

/// All groups that anybody knows, the controller first.
pub(super) fn all(seen: &Seen) -> Vec<GroupLine> {
    let told = seen.directory.groups.keys().copied();
    let configured = seen.config.groups.values().map(|group| group.id);
    let hosted = statuses(seen).flat_map(|(_, status)| status.replicas.iter().map(|replica| replica.group));
    let ids: BTreeSet<GroupId> = told.chain(configured).chain(hosted).collect();
    ids.into_iter().map(|id| line(id, seen)).collect()
}

fn statuses(seen: &Seen) -> impl Iterator<Item = (u64, &NodeStatus)> {
    seen.answers.iter().filter_map(|(node, answer)| Some((*node, &**answer.as_ref().ok()?)))
}

/// The replicas of a group whose nodes answer.
pub(super) fn replicas<'a>(id: GroupId, seen: &'a Seen) -> Vec<(u64, &'a ReplicaStatus)> {
    let replicas = |(node, status): (u64, &'a NodeStatus)| {
        let replica = status.replicas.iter().find(|replica| replica.group == id)?;
        Some((node, replica))
    };
    statuses(seen).filter_map(replicas).collect()
}

/// Of those that say they lead, the one with the highest term: the others have not heard of it yet.
pub(super) fn leader<'a>(replicas: &[(u64, &'a ReplicaStatus)]) -> Option<(u64, &'a ReplicaStatus)> {
    let leading = replicas.iter().copied().filter(|(_, replica)| replica.role == Role::Leader);
    leading.max_by_key(|(_, replica)| replica.term)
}

/// A group as people call it.
pub(super) fn name(id: GroupId, left: bool) -> String {
    match (id.gid.get(), left) {
        (0, _) => "controller".into(),
        (gid, false) => gid.to_string(),
        (gid, true) => format!("{gid}@{} (left)", id.born),
    }
}

/// Whether a group is not part of the configuration any more.
pub(super) fn has_left(id: GroupId, seen: &Seen) -> bool {
    let listed = seen.config.groups.get(&id.gid).is_some_and(|group| group.id == id);
    // A group that the configuration cannot know yet has not left it.
    id != GroupId::CONTROLLER && !listed && id.born <= seen.config.num
}

fn line(id: GroupId, seen: &Seen) -> GroupLine {
    let replicas = replicas(id, seen);
    let leader = leader(&replicas);
    // Without a leader, whoever knows most.
    let best = leader.or_else(|| replicas.iter().copied().max_by_key(|(_, replica)| replica.commit));
    let replica = best.map(|(_, replica)| replica);
    let voters = || replica.map_or(Vec::new(), |replica| replica.voters.clone());
    let nodes = seen.directory.groups.get(&id).filter(|nodes| !nodes.is_empty()).cloned().unwrap_or_else(voters);
    let mut line = GroupLine {
        group: id.gid.get(),
        born: id.born.get(),
        left: has_left(id, seen),
        nodes: nodes.iter().map(|node| node.get()).collect(),
        leader: leader.map(|(node, _)| node),
        term: replica.map(|replica| replica.term.get()),
        commit: replica.map(|replica| replica.commit.get()),
        config: replica.map(|replica| replica.config.get()),
        shards: replica.map_or(0, |replica| replica.serving.len()),
        sessions: replica.map(|replica| replica.sessions),
        data_bytes: replica.map(|replica| replica.data_bytes),
        state: Vec::new(),
        id,
        migrations: replica.map_or(Vec::new(), |replica| progress::migrations(replica).collect()),
        problems: Vec::new(),
    };
    line.judge_members(replicas.len());
    if let Some(replica) = replica {
        line.judge_shards(replica, seen);
    }
    line
}

impl GroupLine {
    /// Whether enough of its nodes answer, and one leads.
    fn judge_members(&mut self, answering: usize) {
        let (all, name) = (self.nodes.len(), name(self.id, self.left));
        let name = if self.group == 0 { format!("the {name}") } else { format!("group {name}") };
        let majority = all / 2 + 1;
        if answering < majority {
            self.state.push(format!("no majority: {answering} of {all} nodes answer"));
            let missed =
                if self.group == 0 { "no change of the configuration, no new session" } else { "none of its shards" };
            self.problems.push(format!(
                "{name} can do nothing ({missed}) until {majority} of its nodes {} run and reach each other",
                table::listed(&self.nodes)
            ));
        } else if self.leader.is_none() {
            self.state.push("no leader".into());
            self.problems.push(format!(
                "{name} has no leader: if that lasts, its nodes {} do not reach each other; see their logs",
                table::listed(&self.nodes)
            ));
        } else if answering < all {
            self.state.push(format!("{answering} of {all} nodes answer"));
        }
    }

    /// Whether its shards are where they belong.
    fn judge_shards(&mut self, replica: &ReplicaStatus, seen: &Seen) {
        if replica.config < seen.config.num && self.group != 0 {
            self.state.push(format!("at configuration {} of {}", replica.config, seen.config.num));
        }
        if !self.migrations.is_empty() {
            let shards = table::counted(self.migrations.len(), "shard");
            self.state.push(format!("awaits {shards}: {}", progress::received(&self.migrations)));
        }
        if !replica.frozen.is_empty() {
            let bytes = replica.frozen.iter().map(|copy| copy.bytes).sum();
            let shards = table::counted(replica.frozen.len(), "shard");
            self.state.push(format!("hands over {shards} ({})", table::size(bytes)));
        } else if self.left && replica.awaiting.is_empty() && replica.serving.is_empty() {
            self.state.push("empty: about to end".into());
        }
        self.judge_drain(replica, seen);
    }

    /// A copy that no group takes over is kept, and its group cannot end.
    fn judge_drain(&mut self, replica: &ReplicaStatus, seen: &Seen) {
        let nobodys = replica.frozen.iter().filter(|copy| {
            let place = usize::try_from(copy.shard.get()).unwrap_or(usize::MAX);
            let origin = Origin { group: replica.group, config: copy.config };
            let assigned = seen.config.shards.get(place);
            assigned.is_some_and(|shard| shard.owner.is_none() && shard.origin == Some(origin))
        });
        let nobodys: Vec<u64> = nobodys.map(|copy| copy.shard.get()).collect();
        if !nobodys.is_empty() {
            self.problems.push(format!(
                "no group takes over shards {} of group {}: let one join (`quorate join`); their data is kept until then",
                table::ranges(nobodys),
                name(self.id, self.left)
            ));
        }
    }

    /// Whether it names a node.
    pub(super) fn names(&self, node: NodeId) -> bool {
        self.nodes.contains(&node.get())
    }
}
