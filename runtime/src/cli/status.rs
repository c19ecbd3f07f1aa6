//! `status`: every node of the directory, asked at once.

use super::connection::Connection;
use super::output::{Outcome, Report};
use super::table;
use crate::cluster::watch::{self, Statuses};
use quorate_core::controller::Directory;
use quorate_core::status::{NodeStatus, ReplicaStatus};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Shows every node. Fails if one does not answer.
pub(super) async fn run(connection: Connection) -> Outcome {
    let client = connection.connect().await?;
    let (config, directory) = client.map().await;
    let addresses = addresses(&directory);
    let statuses = watch::statuses(&client, &addresses).await;
    let silent = addresses.len() - statuses.len();
    let nodes: Vec<Value> = addresses.iter().map(|(id, address)| node_json(*id, address, &statuses)).collect();
    let json = json!({ "config": config.num.get(), "shards": config.shards.len(), "nodes": nodes });
    let heading = [
        "NODE", "ADDRESS", "GROUP", "ROLE", "LEADER", "TERM", "COMMIT", "LAST", "CONFIG", "SHARDS", "AWAITED",
        "FROZEN", "DATA", "MAY STOP",
    ];
    let rows: Vec<Vec<String>> = addresses.iter().flat_map(|(id, address)| rows(*id, address, &statuses)).collect();
    let text =
        format!("configuration {}, {} shards\n{}", config.num, config.shards.len(), table::render(&heading, &rows));
    let report = Report::new(json, text).failed_if(silent > 0);
    Ok(match silent {
        0 => report,
        _ => report.with_note(format!("{silent} of {} nodes do not answer: see their logs", addresses.len())),
    })
}

fn addresses(directory: &Directory) -> BTreeMap<u64, String> {
    let address = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    directory.nodes.iter().map(|(id, info)| (id.get(), address(&info.address))).collect()
}

fn node_json(id: u64, address: &str, statuses: &Statuses) -> Value {
    let mut json = json!({ "node": id, "address": address, "reachable": false });
    if let Some(status) = statuses.get(&id) {
        json["reachable"] = json!(true);
        json["config"] = json!(status.config);
        json["may_be_stopped"] = json!(status.may_be_stopped);
        json["replicas"] = json!(status.replicas);
    }
    json
}

fn rows(id: u64, address: &str, statuses: &Statuses) -> Vec<Vec<String>> {
    let (status, id) = (statuses.get(&id), id.to_string());
    let Some(status) = status else {
        return vec![vec![id, address.into(), "-".into(), "NO ANSWER".into()]];
    };
    if status.replicas.is_empty() {
        let mut row = vec![id, address.into(), "-".into(), "spare".into()];
        row.extend(std::iter::repeat_n("-".to_owned(), 9));
        row.push(may_stop(status));
        return vec![row];
    }
    status.replicas.iter().map(|replica| replica_row(&id, address, status, replica)).collect()
}

fn may_stop(status: &NodeStatus) -> String {
    if status.may_be_stopped { "yes".into() } else { "no".into() }
}

fn replica_row(id: &str, address: &str, status: &NodeStatus, replica: &ReplicaStatus) -> Vec<String> {
    let group = replica.group;
    let group = if group.gid.get() == 0 { "controller".into() } else { format!("{}@{}", group.gid.get(), group.born) };
    let leader = replica.leader.map_or("-".into(), |leader| leader.get().to_string());
    vec![
        id.into(),
        address.into(),
        group,
        format!("{:?}", replica.role).to_lowercase(),
        leader,
        replica.term.to_string(),
        replica.commit.to_string(),
        replica.last.to_string(),
        replica.config.to_string(),
        replica.serving.len().to_string(),
        replica.awaiting.len().to_string(),
        replica.frozen.len().to_string(),
        table::size(replica.data_bytes),
        may_stop(status),
    ]
}

#[cfg(test)]
#[path = "status_tests.rs"]
mod tests;
