//! All servers lose their power at the end of every round.

use super::Kv;

/// Row `persist-one-client`.
#[test]
fn replicated_kv_persist_one_client() {
    Kv { seed: 61, crash: true, ..Kv::default() }.run();
}

/// Row `persist-concurrent`.
#[test]
fn replicated_kv_persist_concurrent() {
    Kv { seed: 62, users: 5, crash: true, ..Kv::default() }.run();
}

/// Row `persist-concurrent-unreliable`.
#[test]
fn replicated_kv_persist_concurrent_unreliable() {
    Kv { seed: 63, users: 5, unreliable: true, crash: true, ..Kv::default() }.run();
}

/// Row `persist-partition`.
#[test]
fn replicated_kv_persist_partition() {
    Kv { seed: 64, users: 5, crash: true, partitions: true, ..Kv::default() }.run();
}

/// Row `persist-partition-unreliable`.
#[test]
fn replicated_kv_persist_partition_unreliable() {
    Kv { seed: 65, users: 5, unreliable: true, crash: true, partitions: true, ..Kv::default() }.run();
}

/// Row `persist-partition-unreliable-linearizable`: 15 clients, 7 servers.
#[test]
fn replicated_kv_persist_partition_unreliable_linearizable() {
    let (unreliable, crash, partitions) = (true, true, true);
    Kv { seed: 66, users: 15, servers: 7, unreliable, crash, partitions, ..Kv::default() }.run();
}
