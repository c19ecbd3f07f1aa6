//! The commands that are one request: put, get, append, join, leave, move, query, transfer.

use super::connection::{Connection, failed};
use super::output::{Failure, Outcome, Report};
use super::pairs::{self, GroupArg};
use super::{bytes, table, usage_error};
use crate::client_api::{Changed, Written};
use clap::Args;
use quorate_core::controller::Configuration;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Arguments of put and append.
#[derive(Debug, Args)]
pub(super) struct WriteArgs {
    /// The key.
    key: String,
    /// The value; `-` reads it from standard input, byte for byte.
    #[arg(allow_hyphen_values = true)]
    value: String,
    /// Key and value are hexadecimal digits.
    #[arg(long)]
    hex: bool,
    #[command(flatten)]
    connection: Connection,
}

/// Arguments of get.
#[derive(Debug, Args)]
pub(super) struct GetArgs {
    /// The key.
    key: String,
    /// The key is hexadecimal digits, and the value is shown as such.
    #[arg(long)]
    hex: bool,
    /// Print the value byte for byte, without a line end.
    #[arg(long, conflicts_with = "hex")]
    raw: bool,
    #[command(flatten)]
    connection: Connection,
}

/// Arguments of join.
#[derive(Debug, Args)]
pub(super) struct JoinArgs {
    /// A group and its nodes.
    #[arg(required = true, value_name = "GID=NODE,NODE,..")]
    groups: Vec<GroupArg>,
    #[command(flatten)]
    connection: Connection,
}

/// Arguments of leave.
#[derive(Debug, Args)]
pub(super) struct LeaveArgs {
    /// The groups.
    #[arg(required = true, value_name = "GID")]
    gids: Vec<u64>,
    #[command(flatten)]
    connection: Connection,
}

/// Arguments of move.
#[derive(Debug, Args)]
pub(super) struct MoveArgs {
    /// The shard.
    shard: u64,
    /// The group that is to have it.
    gid: u64,
    #[command(flatten)]
    connection: Connection,
}

/// Arguments of query.
#[derive(Debug, Args)]
pub(super) struct QueryArgs {
    /// The configuration's number; the latest if not given.
    num: Option<u64>,
    #[command(flatten)]
    connection: Connection,
}

/// Arguments of transfer.
#[derive(Debug, Args)]
pub(super) struct TransferArgs {
    /// The group; 0 is the controller.
    gid: u64,
    /// The node that is to lead it.
    node: u64,
    #[command(flatten)]
    connection: Connection,
}

fn written(written: &Written) -> Report {
    let (config, index) = (written.position.config.get(), written.position.index.get());
    let json = json!({ "shard": written.shard, "config": config, "index": index });
    Report::new(json, format!("ok: shard {}, configuration {config}, log index {index}\n", written.shard))
}

/// Replaces a value.
pub(super) async fn put(arguments: WriteArgs) -> Outcome {
    let key = bytes::from_argument(&arguments.key, arguments.hex)?;
    let value = bytes::from_argument_or_stdin(&arguments.value, arguments.hex)?;
    let client = arguments.connection.connect().await?;
    Ok(written(&client.put(key, value).await.map_err(|error| failed("put", &error))?))
}

/// Adds to a value.
pub(super) async fn append(arguments: WriteArgs) -> Outcome {
    let key = bytes::from_argument(&arguments.key, arguments.hex)?;
    let value = bytes::from_argument_or_stdin(&arguments.value, arguments.hex)?;
    let client = arguments.connection.connect().await?;
    Ok(written(&client.append(key, value).await.map_err(|error| failed("append", &error))?))
}

/// Reads a value. A missing key is an answer, not a failure.
pub(super) async fn get(arguments: GetArgs) -> Outcome {
    let key = bytes::from_argument(&arguments.key, arguments.hex)?;
    let client = arguments.connection.connect().await?;
    let read = client.get(&key).await.map_err(|error| failed("get", &error))?;
    let (config, index) = (read.position.config.get(), read.position.index.get());
    let found = read.value.is_some();
    let mut json = json!({ "found": found, "shard": read.shard, "config": config, "index": index });
    bytes::put_json(&mut json, "key", Some(&key));
    bytes::put_json(&mut json, "value", read.value.as_deref());
    let mut text = match read.value {
        Some(value) if arguments.hex => bytes::to_hex(&value).into_bytes(),
        value => value.unwrap_or_default(),
    };
    if found && !arguments.raw {
        text.push(b'\n');
    }
    let report = Report::new(json, text);
    Ok(if found { report } else { report.with_note("there is no such key") })
}

fn changed(changed: &Changed) -> Report {
    let json = json!({ "config": changed.config, "changed": changed.changed });
    let text = if changed.changed {
        format!("ok: configuration {}; `quorate status` shows how far the shards have moved\n", changed.config)
    } else {
        format!("ok: it is so already (configuration {})\n", changed.config)
    };
    Report::new(json, text)
}

/// Adds groups.
pub(super) async fn join(arguments: JoinArgs) -> Outcome {
    let groups = pairs::groups(arguments.groups).map_err(usage_error)?;
    let client = arguments.connection.connect().await?;
    Ok(changed(&client.join(groups).await.map_err(|error| failed("join", &error))?))
}

/// Takes groups out.
pub(super) async fn leave(arguments: LeaveArgs) -> Outcome {
    let client = arguments.connection.connect().await?;
    let gids = arguments.gids.into_iter().collect();
    Ok(changed(&client.leave(gids).await.map_err(|error| failed("leave", &error))?))
}

/// Gives a shard to a group.
pub(super) async fn move_shard(arguments: MoveArgs) -> Outcome {
    let client = arguments.connection.connect().await?;
    let answer = client.move_shard(arguments.shard, arguments.gid).await;
    Ok(changed(&answer.map_err(|error| failed("move", &error))?))
}

/// Hands leadership over.
pub(super) async fn transfer(arguments: TransferArgs) -> Outcome {
    let (gid, node) = (arguments.gid, arguments.node);
    let client = arguments.connection.connect().await?;
    client.transfer(gid, node).await.map_err(|error| failed("transfer", &error))?;
    let text = format!("ok: node {node} is asked to lead group {gid}; `quorate status` shows whether it does\n");
    Ok(Report::new(json!({ "started": true, "group": gid, "node": node }), text))
}

/// Shows a configuration.
pub(super) async fn query(arguments: QueryArgs) -> Outcome {
    let client = arguments.connection.connect().await?;
    let config = client.query(arguments.num).await.map_err(|error| failed("query", &error))?;
    if let Some(num) = arguments.num.filter(|num| *num != config.num.get()) {
        let message = format!("there is no configuration {num}: the latest is {}", config.num);
        return Err(Failure::new(message, "ask for a smaller number, or for the latest one with `quorate query`"));
    }
    Ok(Report::new(config_json(&config), config_text(&config)))
}

/// Shards by owner (`None`: nobody).
fn shards_by_owner(config: &Configuration) -> BTreeMap<Option<u64>, Vec<u64>> {
    let mut owners: BTreeMap<Option<u64>, Vec<u64>> = BTreeMap::new();
    for (shard, assignment) in (0..).zip(&config.shards) {
        owners.entry(assignment.owner.map(|group| group.gid.get())).or_default().push(shard);
    }
    owners
}

fn config_json(config: &Configuration) -> Value {
    let groups: serde_json::Map<String, Value> = config
        .groups
        .iter()
        .map(|(gid, group)| {
            let nodes: Vec<u64> = group.servers.iter().map(|node| node.get()).collect();
            (gid.get().to_string(), json!({ "nodes": nodes, "born": group.id.born.get() }))
        })
        .collect();
    let owners: Vec<Option<u64>> = config.shards.iter().map(|shard| shard.owner.map(|group| group.gid.get())).collect();
    json!({ "config": config.num.get(), "groups": groups, "shards": owners, "floor": config.floor.get() })
}

fn config_text(config: &Configuration) -> String {
    let owners = shards_by_owner(config);
    let mut rows: Vec<Vec<String>> = config
        .groups
        .iter()
        .map(|(gid, group)| {
            let nodes: Vec<String> = group.servers.iter().map(|node| node.get().to_string()).collect();
            let shards = owners.get(&Some(gid.get())).cloned().unwrap_or_default();
            vec![gid.get().to_string(), nodes.join(","), shards.len().to_string(), table::ranges(shards)]
        })
        .collect();
    if let Some(nobody) = owners.get(&None) {
        rows.push(vec!["-".into(), "nobody".into(), nobody.len().to_string(), table::ranges(nobody.iter().copied())]);
    }
    let heading = ["GROUP", "NODES", "SHARDS", "WHICH"];
    format!("configuration {}\n{}", config.num, table::render(&heading, &rows))
}

#[cfg(test)]
#[path = "operate_tests.rs"]
mod tests;
