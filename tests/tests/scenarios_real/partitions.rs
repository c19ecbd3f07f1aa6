//! Scenarios on hosts of their own, between which frames are lost. They need root.

use crate::replicated_kv::{Logs, ROUNDS, SERVERS, limit, limits};
use crate::{SHARDS, load, round};
use quorate_spec::ids::ShardId;
use quorate_tests::islands::Islands;
use quorate_tests::world::{World, key_per_shard, layout};
use std::time::{Duration, Instant};

/// Two parts of some nodes, at random: all of them in one is possible, too.
fn random_parts(random: &mut fastrand::Rng, nodes: &[u64]) -> [Vec<u64>; 2] {
    let (one, other) = nodes.iter().partition(|_| random.bool());
    [one, other]
}

#[test]
fn replicated_kv_many_partitions_many_clients() {
    let islands = Islands::new(SERVERS);
    islands.inhabit(async || {
        let limit = limit(5);
        let world = World::on(&islands, 1, &limits(limit)).await;
        let (mut logs, load) = (Logs::of(&world, limit).await, load(&world, 5).await);
        let mut random = fastrand::Rng::with_seed(1);
        for _ in 0..ROUNDS {
            let begun = Instant::now();
            while begun.elapsed() < round() {
                islands.cut(&random_parts(&mut random, &world.servers(1)));
                logs.watch(&world, Duration::from_secs(1)).await;
            }
            islands.heal();
            load.progress(20).await;
        }
        logs.compacted(&world).await;
        load.judge(world.client().await).await;
    });
}

/// What the scenarios here rest on: what is cut off hears nothing.
#[test]
fn a_group_without_a_majority_answers_nothing() {
    let islands = Islands::new(SERVERS);
    islands.inhabit(async || {
        let world = World::on(&islands, 1, "").await;
        let client = world.client().await;
        client.put("k", "before").await.expect("the group serves");
        let servers = world.servers(1);
        islands.cut(&[servers[..2].to_vec(), servers[2..4].to_vec(), servers[4..].to_vec()]);
        let impatient = world.client_for(Duration::from_secs(4)).await;
        let (read, written) = (impatient.get("k").await, impatient.put("k", "never").await);
        assert!(read.is_err() && written.is_err(), "no majority was together: {read:?}, {written:?}");
        islands.heal();
        client.put("k", "after").await.expect("the group serves again");
    });
}

/// Both groups lose their leaders while a shard is under way between them: the two that are left of each finish the move.
#[test]
fn ours_partition_inside_groups_during_a_migration() {
    let islands = Islands::new(layout(2));
    islands.inhabit(async || {
        let world = World::on(&islands, 2, "shard_chunk_bytes = 65536").await;
        let load = load(&world, 6).await;
        for (from, to) in [(1, 2), (2, 1)] {
            let moving = *world.shards_of(from).await.first().expect("the group owns shards");
            move_without_leaders(&world, &islands, moving, from, to).await;
            load.progress(50).await;
            islands.heal();
            world.settled().await;
            assert!(world.shards_of(to).await.contains(&moving));
        }
        load.judge(world.client().await).await;
    });
}

/// Begins a move and cuts both leaders off in the middle of it. Returns when the shard is served at its target.
async fn move_without_leaders(world: &World, islands: &Islands, moving: u64, from: u64, to: u64) {
    let client = world.client().await;
    let anchor = key_per_shard(SHARDS, "k").remove(&moving).expect("a key of the shard");
    for number in 0..8 {
        client.put(format!("{{{anchor}}}:{number}"), vec![b'v'; 1 << 19]).await.expect("the group serves");
    }
    // As long as the groups do not hear each other the move stays in its middle.
    islands.cut(&[world.servers(from), world.servers(to)]);
    client.move_shard(moving, to).await.expect("the controller takes the move");
    let (source, target) = world
        .until("the shard is frozen here and awaited there", async |world| {
            let ((source, frozen), (target, awaits)) = (world.leader(from).await, world.leader(to).await);
            (!frozen.frozen.is_empty() && !awaits.awaiting.is_empty()).then_some((source, target))
        })
        .await;
    let left: Vec<u64> = world.cluster.layout().nodes().filter(|node| ![source, target].contains(node)).collect();
    islands.cut(&[vec![source], vec![target], left]);
    world
        .until("the shard arrives at those who are left", async |world| {
            for node in world.servers(to).into_iter().filter(|node| *node != target) {
                let status = world.status(node).await?;
                if status.replicas.iter().any(|replica| replica.serving.contains(&ShardId::new(moving))) {
                    return Some(());
                }
            }
            None
        })
        .await;
}
