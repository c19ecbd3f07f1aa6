//! The tables of `status`: the cluster in a line, its groups, what is moving, its nodes, what to look at.

use super::groups;
use super::overview::{NodeLine, Overview, ReplicaLine, Stop};
use super::progress::{self, Migration};
use crate::cli::table;
use quorate_spec::views::Role;
use std::collections::BTreeMap;

/// Everything, for people.
pub(super) fn render(overview: &Overview) -> String {
    let mut parts = vec![headline(overview), group_table(overview)];
    if !overview.migrations.is_empty() {
        parts.push(migration_table(&overview.migrations));
    }
    parts.push(node_table(&overview.nodes));
    if !overview.problems.is_empty() {
        let lines: String = overview.problems.iter().map(|problem| format!("  {problem}\n")).collect();
        parts.push(format!("To look at:\n{lines}"));
    }
    parts.join("\n")
}

fn headline(overview: &Overview) -> String {
    let answering = overview.nodes.iter().filter(|node| node.answer.is_ok()).count();
    let serving = overview.groups.iter().filter(|group| group.group != 0 && !group.left).count();
    let sessions = overview.sessions.map_or("sessions unknown".into(), |count| table::counted(count, "session"));
    format!(
        "cluster {}: configuration {}, {} in {}, {} of {} nodes answer, {sessions} (floor {})\n",
        overview.cluster.as_deref().unwrap_or("?"),
        overview.config,
        table::counted(overview.shards, "shard"),
        table::counted(serving, "group"),
        answering,
        overview.nodes.len(),
        overview.floor,
    )
}

fn group_table(overview: &Overview) -> String {
    let heading = ["GROUP", "NODES", "LEADER", "TERM", "COMMIT", "CONFIG", "SHARDS", "SESSIONS", "DATA", "STATE"];
    let rows = overview.groups.iter().map(|group| {
        let controller = group.group == 0;
        vec![
            groups::name(group.id, group.left),
            table::listed(&group.nodes),
            group.leader.map_or("none".into(), |leader| leader.to_string()),
            table::or_dash(group.term),
            table::or_dash(group.commit),
            table::or_dash(group.config),
            if controller { "-".into() } else { group.shards.to_string() },
            table::or_dash(group.sessions),
            table::or_dash(group.data_bytes.filter(|_| !controller).map(table::size)),
            if group.state.is_empty() { "ok".into() } else { group.state.join("; ") },
        ]
    });
    table::render(&heading, &rows.collect::<Vec<_>>())
}

/// One row per pair of groups: there may be thousands of shards.
fn migration_table(migrations: &[Migration]) -> String {
    let mut pairs: BTreeMap<(u64, u64), Vec<Migration>> = BTreeMap::new();
    for migration in migrations {
        pairs.entry((migration.from, migration.to)).or_default().push(*migration);
    }
    let rows = pairs.iter().map(|((from, to), shards)| {
        let which = table::ranges(shards.iter().map(|shard| shard.shard));
        vec![from.to_string(), to.to_string(), progress::received(shards), which]
    });
    table::render(&["FROM", "TO", "RECEIVED", "SHARDS ON THEIR WAY"], &rows.collect::<Vec<_>>())
}

fn node_table(nodes: &[NodeLine]) -> String {
    let heading = [
        "NODE",
        "ADDRESS",
        "GROUP",
        "ROLE",
        "COMMIT",
        "BEHIND",
        "LOG",
        "SNAPSHOT",
        "MEMORY",
        "DISK FREE",
        "MAY BE STOPPED",
    ];
    table::render(&heading, &nodes.iter().flat_map(node_rows).collect::<Vec<_>>())
}

fn node_rows(line: &NodeLine) -> Vec<Vec<String>> {
    let start = [line.node.to_string(), line.address.clone()];
    let stop = match &line.stop {
        Stop::May => "yes".to_owned(),
        Stop::No(_) => "no".to_owned(),
        Stop::NotYet(why) => format!("not yet: {why}"),
    };
    let status = match &line.answer {
        Ok(status) => status,
        Err(why) => {
            let groups = if line.groups.is_empty() { "-".into() } else { line.groups.join(",") };
            let unneeded = if line.stop == Stop::May { " (no group needs it: it may be gone)" } else { "" };
            return vec![start.into_iter().chain([groups, format!("UNREACHABLE: {why}{unneeded}")]).collect()];
        }
    };
    let host = status.host.as_ref();
    let full = if status.disk_full { " FULL" } else { "" };
    let free = table::or_dash(host.and_then(|host| host.free_bytes).map(table::size));
    let end = [table::or_dash(host.and_then(|host| host.memory_bytes).map(table::size)), format!("{free}{full}"), stop];
    let row = |middle: [String; 6]| start.iter().chain(&middle).chain(&end).cloned().collect();
    if line.replicas.is_empty() {
        return vec![row(["-", "spare", "-", "-", "-", "-"].map(str::to_owned))];
    }
    line.replicas.iter().map(|replica| row(replica_cells(replica))).collect()
}

fn replica_cells(line: &ReplicaLine) -> [String; 6] {
    let replica = &line.replica;
    [
        line.group.clone(),
        role(replica.role).to_owned(),
        replica.commit.to_string(),
        if line.behind.is_empty() { "-".into() } else { line.behind.clone() },
        table::size(replica.log_bytes),
        line.snapshot.clone(),
    ]
}

fn role(role: Role) -> &'static str {
    match role {
        Role::Follower => "follower",
        Role::PreCandidate => "pre-candidate",
        Role::Candidate => "candidate",
        Role::Leader => "leader",
    }
}
