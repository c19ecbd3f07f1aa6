//! Snapshots come often, and the log stays short.
//!
//! A snapshot is made when the log since the last one is larger than the limit *and* than the state itself, so the bound on
//! the log holds for states that are no larger than that. Users therefore replace values here, and append little; but one
//! of the keys nobody replaces, so that every append to it is there in the end.

use super::Kv;
use quorate_tests::sim::workload::Workload;

/// After so many bytes of log a snapshot is worth it.
const LIMIT: Option<u64> = Some(1000);

fn kv(seed: u64, users: usize) -> Kv {
    let workload = Workload { puts: 600, appended: 1, ..Kv::default().workload };
    Kv { seed, users, limit: LIMIT, workload, ..Kv::default() }
}

/// Row `snapshot-recover`.
#[test]
fn replicated_kv_snapshot_recover() {
    Kv { crash: true, ..kv(71, 1) }.run();
}

/// Row `snapshot-recover-many-clients`: 20 of them. They get so much done that one key of five would grow beyond the limit.
#[test]
fn replicated_kv_snapshot_recover_many_clients() {
    let kv = kv(72, 20);
    let workload = Workload { keys: 40, ..kv.workload.clone() };
    Kv { crash: true, workload, ..kv }.run();
}

/// Row `snapshot-unreliable`.
#[test]
fn replicated_kv_snapshot_unreliable() {
    Kv { unreliable: true, ..kv(73, 5) }.run();
}

/// Row `snapshot-unreliable-recover`.
#[test]
fn replicated_kv_snapshot_unreliable_recover() {
    Kv { unreliable: true, crash: true, ..kv(74, 5) }.run();
}

/// Row `snapshot-unreliable-recover-partition`.
#[test]
fn replicated_kv_snapshot_unreliable_recover_partition() {
    Kv { unreliable: true, crash: true, partitions: true, ..kv(75, 5) }.run();
}

/// Row `snapshot-linearizable`: 15 clients, 7 servers, everything at once.
#[test]
fn replicated_kv_snapshot_linearizable() {
    Kv { servers: 7, unreliable: true, crash: true, partitions: true, ..kv(76, 15) }.run();
}
