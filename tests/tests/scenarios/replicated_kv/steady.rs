//! Servers that stay up.

use super::Kv;
use quorate_tests::sim::workload::Workload;

/// Row `basic`.
#[test]
fn replicated_kv_basic() {
    Kv { seed: 51, ..Kv::default() }.run();
}

/// Row `concurrent`.
#[test]
fn replicated_kv_concurrent() {
    Kv { seed: 52, users: 5, ..Kv::default() }.run();
}

/// Row `unreliable`.
#[test]
fn replicated_kv_unreliable() {
    Kv { seed: 53, users: 5, unreliable: true, ..Kv::default() }.run();
}

/// Row `unreliable-one-key`: all append to one key.
#[test]
fn replicated_kv_unreliable_one_key() {
    let workload = Workload { keys: 1, ..Kv::default().workload };
    Kv { seed: 54, users: 5, unreliable: true, workload, ..Kv::default() }.run();
}

/// Row `many-partitions-one-client`.
#[test]
fn replicated_kv_many_partitions_one_client() {
    Kv { seed: 55, partitions: true, ..Kv::default() }.run();
}

/// Row `many-partitions-many-clients`.
#[test]
fn replicated_kv_many_partitions_many_clients() {
    Kv { seed: 56, users: 5, partitions: true, ..Kv::default() }.run();
}
