//! What applying a write costs, for `runtime/PERFORMANCE.md`: `cargo run --release -p quorate-core --example apply`.
//!
//! Three replicas in turn apply the same batches, as on one machine, and what a node does in between is stood for by a
//! mebibyte that is touched. The median over batches hardly notices what else the machine does.

use quorate_core::bytes::Bytes;
use quorate_core::controller::{Configuration, GroupInfo};
use quorate_core::shard::{Command, ShardGroup, WriteOp};
use quorate_spec::ids::{ClientId, ConfigNum, Gid, GroupId, LogIndex, NodeId, Seq};
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

const SHARDS: u32 = 64;
const KEYS: u64 = 10_000;
const SESSIONS: u64 = 256;
const BATCH: u64 = 100;
const BATCHES: u64 = 6_000;

fn main() {
    let group = GroupId { gid: Gid::new(1), born: ConfigNum::new(1) };
    let before = Configuration::genesis(SHARDS);
    let mut config = before.clone();
    config.num = group.born;
    config.groups.insert(group.gid, GroupInfo { id: group, servers: vec![NodeId::new(1)] });
    config.shards.iter_mut().for_each(|shard| shard.owner = Some(group));
    let mut index = LogIndex::new(1);
    let mut replicas = [(); 3].map(|()| ShardGroup::genesis(group, Arc::new(before.clone())));
    let adopt = Command::AdoptConfiguration { config: Arc::new(config) };
    replicas.iter_mut().for_each(|replica| drop(replica.apply(index, &adopt)));
    let mut times = Vec::new();
    for batch in 0..BATCHES {
        let commands: Vec<Command> = (1..=BATCH).map(|number| write(batch * BATCH + number)).collect();
        black_box(vec![1_u64; 1 << 17].iter().sum::<u64>());
        let first = index;
        for replica in &mut replicas {
            let begun = Instant::now();
            index = first;
            for command in &commands {
                index = index.next();
                black_box(replica.apply(index, command));
            }
            times.push(begun.elapsed());
        }
    }
    times.sort_unstable();
    let median = times.get(times.len() / 2).map_or(0, |time| time.as_nanos() / u128::from(BATCH));
    println!("{median} ns per write and replica");
}

/// A put of 256 bytes; the same for the same number. Numbers grow, so every one is new to its session.
fn write(number: u64) -> Command {
    let random = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
    Command::Write {
        client: ClientId::new(1 + random % SESSIONS),
        seq: Seq::new(number),
        key: Bytes::from(format!("versus{}", (random >> 10) % KEYS).as_str()),
        op: WriteOp::Put { value: Bytes::from(vec![7; 256]) },
        value_limit: 1 << 20,
    }
}
