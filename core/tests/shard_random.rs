//! Groups that come and go, shards that wander, clients that retry, over a network that loses, repeats and reorders:
//! whatever happens, one group serves a shard, each request takes effect at most once and nothing written is lost; and
//! when messages flow again, everything settles.

mod shard_support;
mod shard_world;

use shard_world::World;
use std::collections::BTreeMap;

const SEEDS: u64 = 300;
const STEPS: usize = 2500;

#[test]
fn wandering_shards_lose_and_repeat_nothing() {
    let mut reached: BTreeMap<&'static str, u64> = BTreeMap::new();
    for seed in 0..SEEDS {
        let mut world = World::new(seed);
        for _ in 0..STEPS {
            world.step();
        }
        world.settle();
        for (event, count) in world.reached {
            *reached.entry(event).or_default() += count;
        }
    }
    for event in [
        "Execute",
        "Repeat",
        "WrongGroup",
        "NotYetHere",
        "SessionExpired",
        "Superseded",
        "Freeze",
        "StartEmpty",
        "InstallChunk",
        "Install",
        "Collect",
        "retired",
        "chunk ignored",
        "adoption ignored",
        "collect ignored",
        "not here",
        "copies of two configurations",
        "back from itself",
        "gid again",
        "leader changed",
    ] {
        assert!(reached.get(event).is_some_and(|count| *count > 0), "{event} was never reached: {reached:?}");
    }
}
