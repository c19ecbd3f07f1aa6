//! The controller.

use crate::load;
use quorate_core::controller::Configuration;
use quorate_tests::world::{World, layout};
use std::collections::BTreeMap;

/// How many shards each group of a configuration has.
fn shares(config: &Configuration) -> Vec<usize> {
    let mut shares: BTreeMap<_, usize> = config.groups.keys().map(|gid| (*gid, 0)).collect();
    for owner in config.shards.iter().map(|shard| shard.owner.expect("there are groups")) {
        *shares.get_mut(&owner.gid).expect("an owner is a group") += 1;
    }
    shares.into_values().collect()
}

/// Fifteen groups for ten shards: groups may share servers, so three serve all of them, with data.
#[tokio::test(flavor = "multi_thread")]
async fn controller_more_groups_than_shards() {
    let world = World::joined(layout(1), 1, "").await;
    let (client, load) = (world.client().await, load(&world, 3).await);
    client.join((2..=15).map(|gid| (gid, world.servers(1))).collect()).await.expect("groups may share servers");
    world.settled().await;
    let config = client.query(None).await.expect("the controllers answer");
    let mut shares_of_all = shares(&config);
    shares_of_all.sort_unstable();
    assert_eq!(shares_of_all, [[0; 5].as_slice(), &[1; 10]].concat(), "ten groups have a shard each, five none");
    load.progress(50).await;

    client.leave((1..=7).collect()).await.expect("groups leave");
    world.settled().await;
    let left = shares(&client.query(None).await.expect("the controllers answer"));
    assert!(left.len() == 8 && left.iter().all(|share| (1..=2).contains(share)), "balanced within one: {left:?}");
    load.progress(50).await;
    load.judge(client).await;
}
