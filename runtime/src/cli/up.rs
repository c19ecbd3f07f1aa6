//! `up`: a local development cluster until Ctrl-C.

use super::output::{Failure, Outcome, Report, print_bytes, print_json};
use super::usage_error;
use crate::client_api::Options;
use crate::cluster::{Layout, LocalCluster, Settings, ports, watch};
use clap::Args;
use quorate_core::controller::{Configuration, GroupInfo};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// How long the cluster may take to be ready.
const PATIENCE: Duration = Duration::from_secs(30);
/// Remembers the layout in a directory that is kept.
const LAYOUT_FILE: &str = "layout.json";

/// Arguments of up.
#[derive(Debug, Args)]
pub(super) struct UpArgs {
    /// Data groups.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..))]
    groups: u64,
    /// Nodes of each data group; one more than half of them must live.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..))]
    nodes_per_group: u64,
    /// Nodes of the controller.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..))]
    controllers: u64,
    /// Shards of the cluster: fixed once it has begun.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=16_384))]
    shards: u32,
    /// Node I listens on this port + I - 1 of 127.0.0.1.
    #[arg(long, default_value_t = 7001, value_parser = clap::value_parser!(u16).range(1..))]
    base_port: u16,
    /// Keep the data here and go on from it next time. Without it, the data is removed at the end.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Where the data is, and whether it stays.
struct Place {
    directory: PathBuf,
    temporary: bool,
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.temporary {
            let _ = std::fs::remove_dir_all(&self.directory); // Best effort: it is in the directory for temporary files.
        }
    }
}

/// Starts the cluster, says how to use it, and stops it on Ctrl-C.
pub(super) async fn run(arguments: UpArgs, json: bool) -> Outcome {
    let layout = Layout {
        controllers: arguments.controllers,
        groups: arguments.groups,
        nodes_per_group: arguments.nodes_per_group,
        shards: arguments.shards,
    };
    layout.check().map_err(usage_error)?;
    let mut interrupted = listen(SignalKind::interrupt())?;
    let mut terminated = listen(SignalKind::terminate())?;
    let place = make_place(arguments.dir.as_deref(), layout)?;
    let mut cluster = start(&place, layout, arguments.base_port)?;
    let config = tokio::select! {
        made = make_ready(&cluster) => made?,
        _ = interrupted.recv() => return Ok(Report::default().with_note("stopped before it was ready")),
        _ = terminated.recv() => return Ok(Report::default().with_note("stopped before it was ready")),
    };
    if json {
        print_json(&ready_json(&cluster, &config));
    } else {
        print_bytes(ready_text(&cluster, &config, place.temporary).as_bytes());
    }
    let fallen = tokio::select! {
        fallen = watch_over(&mut cluster) => Some(fallen),
        _ = interrupted.recv() => None,
        _ = terminated.recv() => None,
    };
    if let Some((id, status)) = fallen {
        let next = format!("read {}", cluster.log_path(id).display());
        let note = format!("error: node {id} ended: {status}\n  next: {next}");
        return Ok(Report::already_printed().failed_if(true).with_note(note));
    }
    eprintln!("stopping {} nodes", layout.nodes().count());
    let stopped = cluster.stop_all();
    stopped
        .map_err(|error| Failure::new(format!("a node did not stop: {error}"), "look for processes named quorate"))?;
    Ok(Report::already_printed())
}

fn listen(kind: SignalKind) -> Result<tokio::signal::unix::Signal, Failure> {
    signal(kind).map_err(|error| Failure::new(format!("signals cannot be received: {error}"), "try again"))
}

fn make_place(directory: Option<&Path>, layout: Layout) -> Result<Place, Failure> {
    let name = format!("quorate-up-{}-{:08x}", std::process::id(), fastrand::u32(..));
    let place = match directory {
        Some(directory) => Place { directory: directory.to_path_buf(), temporary: false },
        None => Place { directory: std::env::temp_dir().join(name), temporary: true },
    };
    let shown = place.directory.display();
    remember(&place.directory, layout)
        .map_err(|error| Failure::new(format!("{shown}: {error}"), "choose a directory that can be written"))?
        .map_err(|kept| {
            let next = format!("use the same numbers ({}), or another --dir", words(kept));
            Failure::new(format!("{shown} holds a cluster of another shape"), next)
        })?;
    Ok(place)
}

fn words(layout: Layout) -> String {
    let Layout { controllers, groups, nodes_per_group, shards } = layout;
    format!("--controllers {controllers} --groups {groups} --nodes-per-group {nodes_per_group} --shards {shards}")
}

/// Writes the layout into a new directory, or compares it with the one that is there.
fn remember(directory: &Path, layout: Layout) -> io::Result<Result<(), Layout>> {
    std::fs::create_dir_all(directory)?;
    let path = directory.join(LAYOUT_FILE);
    match std::fs::read(&path) {
        Ok(text) => {
            let kept: Layout = serde_json::from_slice(&text)?;
            Ok(if kept == layout { Ok(()) } else { Err(kept) })
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            std::fs::write(path, serde_json::to_vec(&layout)?)?;
            Ok(Ok(()))
        }
        Err(error) => Err(error),
    }
}

fn start(place: &Place, layout: Layout, base_port: u16) -> Result<LocalCluster, Failure> {
    let directory = place.directory.clone();
    let started = ports::from_base(base_port, layout.nodes().count()).and_then(|ports| {
        let program = std::env::current_exe()?;
        let addresses = ports::here(&ports);
        let settings = Settings { program, directory, layout, addresses, cluster: None, arguments: Vec::new() };
        let mut cluster = LocalCluster::new(settings)?;
        cluster.start_all()?;
        Ok(cluster)
    });
    started.map_err(|error| {
        let next = "stop what listens there, or choose other ports with --base-port";
        Failure::new(format!("the cluster cannot start: {error}"), next)
    })
}

/// Waits for the nodes, and lets all groups join unless the cluster has been in use before.
async fn make_ready(cluster: &LocalCluster) -> Result<Arc<Configuration>, Failure> {
    let directory = cluster.directory().display().to_string();
    let failed = |why: String| Failure::new(why, format!("read the logs in {directory}"));
    let client = watch::connect(&Options::new(cluster.seeds()), PATIENCE).await.map_err(failed)?;
    watch::all_answer(&client, cluster.addresses(), PATIENCE).await.map_err(failed)?;
    let config = client.query(None).await.map_err(|error| failed(error.to_string()))?;
    let never_used = config.groups.is_empty() && config.shards.iter().all(|shard| shard.origin.is_none());
    if never_used {
        let groups = cluster.layout().groups(1..cluster.layout().groups + 1);
        watch::join(&client, &groups, PATIENCE).await.map_err(failed)?;
    }
    watch::settle(&client, cluster.addresses(), PATIENCE).await.map_err(failed)
}

/// Returns when a node ends by itself.
async fn watch_over(cluster: &mut LocalCluster) -> (u64, String) {
    loop {
        tokio::time::sleep(Duration::from_millis(200)).await;
        match cluster.fallen() {
            Ok(fallen) => {
                if let Some((id, status)) = fallen.into_iter().next() {
                    return (id, status.to_string());
                }
            }
            Err(error) => return (0, error.to_string()),
        }
    }
}

/// The groups that there are, and their nodes: those that joined before may have left.
fn groups(config: &Configuration) -> BTreeMap<u64, Vec<u64>> {
    let nodes = |group: &GroupInfo| group.servers.iter().map(|node| node.get()).collect();
    config.groups.iter().map(|(gid, group)| (gid.get(), nodes(group))).collect()
}

fn ready_json(cluster: &LocalCluster, config: &Configuration) -> Value {
    let nodes: Vec<Value> =
        cluster.addresses().iter().map(|(id, address)| json!({ "node": id, "address": address })).collect();
    json!({
        "ready": true, "seeds": cluster.seeds(), "nodes": nodes, "groups": groups(config),
        "shards": config.shards.len(), "directory": cluster.directory(),
    })
}

fn ready_text(cluster: &LocalCluster, config: &Configuration, temporary: bool) -> String {
    let layout = cluster.layout();
    let seeds = cluster.seeds().join(",");
    let count = layout.nodes().count();
    let mut text = format!("{count} nodes are up: the controller on {}", listed(layout.controller_nodes()));
    for (gid, nodes) in groups(config) {
        text.push_str(&format!(", group {gid} on {}", listed(nodes)));
    }
    let kept =
        if temporary { "removed at the end; keep it with --dir DIR" } else { "kept; the same command goes on from it" };
    text.push_str(&format!("\ndata and logs: {} ({kept})\n\n", cluster.directory().display()));
    text.push_str(&format!("In another terminal:\n  export QUORATE_SEEDS={seeds}\n"));
    text.push_str("  quorate put greeting hello\n  quorate get greeting\n  quorate status\n  quorate move 0 ");
    let last = groups(config).into_keys().next_back().unwrap_or(1);
    text.push_str(&format!("{last}\n  quorate bench --seconds 5\n\nCtrl-C stops the cluster.\n"));
    text
}

fn listed(nodes: impl IntoIterator<Item = u64>) -> String {
    let nodes: Vec<String> = nodes.into_iter().map(|node| node.to_string()).collect();
    nodes.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_keeps_its_shape() {
        let directory = tempfile::tempdir().unwrap();
        let layout = Layout { controllers: 3, groups: 2, nodes_per_group: 3, shards: 64 };
        assert!(remember(directory.path(), layout).unwrap().is_ok());
        assert!(remember(directory.path(), layout).unwrap().is_ok());
        let other = Layout { shards: 8, ..layout };
        let kept = remember(directory.path(), other).unwrap().unwrap_err();
        assert_eq!(words(kept), "--controllers 3 --groups 2 --nodes-per-group 3 --shards 64");
    }
}
