//! What a local cluster is doing, asked of the cluster itself: is it ready, who leads, have the moves arrived?
//!
//! Everything here is an observation and may be out of date when it is used: a hint for whom to kill, never a ground for
//! a verdict.

use crate::client_api::{Client, Options};
use quorate_core::controller::Configuration;
use quorate_core::status::{NodeStatus, ReplicaStatus};
use quorate_spec::ids::{Gid, GroupId, ShardId};
use quorate_spec::views::Role;
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// Between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// How long one node may take to tell its state.
const STATUS_TIMEOUT: Duration = Duration::from_millis(1_000);

/// What each node that answered says of itself.
pub type Statuses = BTreeMap<u64, Arc<NodeStatus>>;

/// Asks until there is an answer or `patience` ends; then says what was waited for.
async fn until<T, F: Future<Output = Result<T, String>>>(
    patience: Duration,
    mut attempt: impl FnMut() -> F,
) -> Result<T, String> {
    let deadline = Instant::now() + patience;
    loop {
        match attempt().await {
            Ok(found) => return Ok(found),
            Err(why) if Instant::now() >= deadline => return Err(format!("{why} (waited {} s)", patience.as_secs())),
            Err(_) => sleep(LOOK_AGAIN).await,
        }
    }
}

/// A session, as soon as the controller issues one.
///
/// # Errors
/// Not within `patience`.
pub async fn connect(options: &Options, patience: Duration) -> Result<Client, String> {
    until(patience, || async {
        let attempt = Client::connect(options.clone());
        match timeout(patience, attempt).await {
            Ok(Ok(client)) => Ok(client),
            Ok(Err(error)) => Err(format!("no session: {error}")),
            Err(_) => Err("no session: no answer".to_owned()),
        }
    })
    .await
}

/// The state of every node that tells it in time.
pub async fn statuses(client: &Client, addresses: &BTreeMap<u64, String>) -> Statuses {
    let mut asked = tokio::task::JoinSet::new();
    for (id, address) in addresses {
        let (client, id, address) = (client.clone(), *id, address.clone());
        asked.spawn(async move { (id, timeout(STATUS_TIMEOUT, client.status(&address)).await) });
    }
    let mut statuses = BTreeMap::new();
    while let Some(answer) = asked.join_next().await {
        if let Ok((id, Ok(Ok(status)))) = answer {
            statuses.insert(id, status);
        }
    }
    statuses
}

/// Waits until every node answers.
///
/// # Errors
/// Names the nodes that do not.
pub async fn all_answer(client: &Client, addresses: &BTreeMap<u64, String>, patience: Duration) -> Result<(), String> {
    until(patience, || async {
        let answered = statuses(client, addresses).await;
        let silent: Vec<String> =
            addresses.keys().filter(|id| !answered.contains_key(id)).map(|id| format!("{id}")).collect();
        if silent.is_empty() { Ok(()) } else { Err(format!("no answer from node {}", silent.join(", "))) }
    })
    .await
}

/// Adds groups, as soon as their nodes have registered.
///
/// # Errors
/// The controller's last refusal.
pub async fn join(client: &Client, groups: &BTreeMap<u64, Vec<u64>>, patience: Duration) -> Result<u64, String> {
    until(patience, || async {
        let changed = client.join(groups.clone()).await.map_err(|error| format!("the groups cannot join: {error}"))?;
        Ok(changed.config)
    })
    .await
}

/// The replicas of the youngest group `gid`, by node.
fn replicas(statuses: &Statuses, gid: u64) -> impl Iterator<Item = (u64, &ReplicaStatus)> {
    let group: Option<GroupId> = statuses
        .values()
        .flat_map(|status| status.replicas.iter().map(|replica| replica.group))
        .filter(|group| group.gid == Gid::new(gid))
        .max();
    statuses
        .iter()
        .flat_map(|(id, status)| status.replicas.iter().map(|replica| (*id, replica)))
        .filter(move |(_, replica)| Some(replica.group) == group)
}

/// The leader of a group (0: the controller): of those that say they lead, the one with the highest term.
pub fn leader(statuses: &Statuses, gid: u64) -> Option<u64> {
    leading_replica(statuses, gid).map(|(id, _)| id)
}

fn leading_replica(statuses: &Statuses, gid: u64) -> Option<(u64, &ReplicaStatus)> {
    replicas(statuses, gid).filter(|(_, replica)| replica.role == Role::Leader).max_by_key(|(_, replica)| replica.term)
}

/// Why a configuration is not in force everywhere yet: some group has not adopted it or waits for a shard.
pub fn unsettled(statuses: &Statuses, config: &Configuration) -> Option<String> {
    config.groups.values().find_map(|group| {
        let gid = group.id.gid.get();
        match leading_replica(statuses, gid) {
            None => Some(format!("group {gid} has no leader")),
            Some((_, replica)) if replica.config < config.num => {
                Some(format!("group {gid} is at configuration {} of {}", replica.config, config.num))
            }
            Some((_, replica)) if !replica.awaiting.is_empty() => {
                Some(format!("group {gid} waits for {} shards", replica.awaiting.len()))
            }
            Some(_) => None,
        }
    })
}

/// Whether no replica of group `gid` that answered has taken in `shard` yet: a move to it is under way.
pub fn in_mid_move(statuses: &Statuses, gid: u64, shard: u64) -> bool {
    replicas(statuses, gid).all(|(_, replica)| !replica.serving.contains(&ShardId::new(shard)))
}

/// Waits until the latest configuration is in force in every group.
///
/// # Errors
/// Says which group is behind.
pub async fn settle(
    client: &Client,
    addresses: &BTreeMap<u64, String>,
    patience: Duration,
) -> Result<Arc<Configuration>, String> {
    until(patience, || async {
        let config = client.query(None).await.map_err(|error| format!("the controller does not answer: {error}"))?;
        match unsettled(&statuses(client, addresses).await, &config) {
            None => Ok(config),
            Some(why) => Err(why),
        }
    })
    .await
}

#[cfg(test)]
#[path = "watch_tests.rs"]
mod tests;
