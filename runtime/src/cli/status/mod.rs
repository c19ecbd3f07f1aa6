//! `status`: every node of the directory, and every seed, asked at once.
//!
//! It must be of use when things are broken: it needs no session and no leader, and whoever does not answer is a row with
//! the reason. What it shows is what each node says of itself at about the same time: an observation, never a proof.

mod groups;
mod overview;
mod progress;
mod text;

use super::connection::Connection;
use super::output::{Outcome, Report};
use crate::client_api::{Client, Error};
use overview::Overview;
use quorate_core::controller::{Configuration, Directory};
use quorate_core::status::NodeStatus;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// How long one node may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// What one node says, or why it says nothing.
type Answer = Result<Arc<NodeStatus>, String>;

/// What was seen of a cluster.
#[derive(Debug, Default)]
struct Seen {
    /// The newest configuration that a node told.
    config: Arc<Configuration>,
    /// The newest directory that a node told.
    directory: Arc<Directory>,
    /// By node.
    answers: BTreeMap<u64, Answer>,
    /// Seeds that did not answer and belong to no known node.
    silent_seeds: BTreeMap<String, String>,
}

/// Shows every node. Fails only if none answers.
pub(super) async fn run(connection: Connection) -> Outcome {
    let client = connection.connect().await?;
    let seen = look(&client, connection.options()?.seeds).await;
    let nobody = seen.answers.values().all(Result::is_err);
    let overview = Overview::of(&seen);
    Ok(Report::new(overview.json(), text::render(&overview)).failed_if(nobody))
}

async fn look(client: &Client, seeds: Vec<String>) -> Seen {
    let (config, directory) = client.map().await;
    let known: BTreeMap<u64, String> = directory
        .nodes
        .iter()
        .map(|(node, info)| (node.get(), String::from_utf8_lossy(&info.address).into_owned()))
        .collect();
    let addresses = known.values().cloned().chain(seeds.iter().cloned()).collect();
    let mut asked = ask(client, addresses).await;
    let mut seen = Seen { config, directory, ..Seen::default() };
    for seed in seeds.iter().filter(|seed| !known.values().any(|address| address == *seed)) {
        match asked.remove(seed) {
            Some(Ok(status)) => drop(seen.answers.insert(status.node.get(), Ok(status))),
            Some(Err(why)) => drop(seen.silent_seeds.insert(seed.clone(), why)),
            None => {}
        }
    }
    for (node, address) in known {
        let answer = match asked.remove(&address) {
            Some(Ok(status)) if status.node.get() != node => Err(format!("node {} answers there", status.node.get())),
            Some(answer) => answer,
            None => Err("two nodes are registered at this address".to_owned()),
        };
        let reached_elsewhere = seen.answers.contains_key(&node) && answer.is_err();
        if !reached_elsewhere {
            seen.answers.insert(node, answer);
        }
    }
    seen
}

/// Asks everybody at once.
async fn ask(client: &Client, addresses: BTreeSet<String>) -> BTreeMap<String, Answer> {
    let mut asked = JoinSet::new();
    for address in addresses {
        let client = client.clone();
        asked.spawn(async move {
            let answer = match timeout(PATIENCE, client.status(&address)).await {
                Ok(answer) => answer.map_err(reason),
                Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
            };
            (address, answer)
        });
    }
    asked.join_all().await.into_iter().collect()
}

/// Why a node does not answer, in few words: its address stands beside it.
fn reason(error: Error) -> String {
    let why = match error {
        Error::Unreachable { tried } => tried.into_iter().next().map_or(String::new(), |(_, what)| what),
        Error::OtherCluster { message } => message,
        other => other.to_string(),
    };
    let why = why.split(" (os error").next().unwrap_or_default();
    why.to_lowercase()
}

#[cfg(test)]
mod tests;
