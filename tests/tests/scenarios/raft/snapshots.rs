//! Snapshots: one about every 10 entries, and a log that stays short.

use super::Servers;
use quorate_tests::sim::network::Links;
use quorate_tests::sim::random::Random;
use quorate_tests::sim::setup::{Setup, small_limits};
use std::collections::BTreeMap;

/// After about so many entries a snapshot is due.
const EVERY: u64 = 10;
/// What the log may hold at most, in bytes.
const LOG: u64 = 2000;

/// Servers that write a snapshot about every 10 of the small entries here.
fn servers(seed: u64) -> Servers {
    let mut limits = small_limits();
    limits.raft.trailing_entries = 2;
    limits.snapshot_log_bytes = 400;
    Servers::with(3, Setup { seed, limits, ..Setup::default() })
}

/// What is done to the one that misses 5 to 14 entries.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Absence {
    None,
    Cut,
    Crash,
}

/// 30 times 5 to 14 entries, in every third of them with the leader being the one that is away.
fn common(seed: u64, absence: Absence, links: Links) {
    let mut servers = servers(seed);
    let mut random = Random::new(seed, 99);
    servers.lab.world.network.links = links;
    servers.agree(3);
    let made = |servers: &Servers| servers.lab.count("CompactLog") + servers.lab.count("InstallSnapshot");
    let (before, leader) = (made(&servers), servers.leader());
    let first = servers.last(leader);
    for round in 0..30 {
        let leader = servers.leader();
        let victim = if round % 3 == 1 { leader } else { servers.after(leader, 1) };
        match absence {
            Absence::None => {}
            Absence::Cut => servers.cut(&[victim]),
            Absence::Crash => servers.crash(victim),
        }
        servers.agree(2);
        for _ in 0..5 + random.below(10) {
            let leader = servers.leader();
            servers.start(leader);
        }
        servers.agree(if absence == Absence::None { 3 } else { 2 });
        for server in servers.all() {
            let bytes = servers.lab.log_bytes(server);
            assert!(bytes < LOG, "round {round}: the log of {server} has {bytes} bytes");
        }
        match absence {
            Absence::None => {}
            Absence::Cut => servers.back(&[victim]),
            Absence::Crash => servers.restart(victim),
        }
        servers.agree(3);
    }
    let (compacted, installed) = (made(&servers) - before, servers.lab.count("InstallSnapshot"));
    let leader = servers.leader();
    let entries = servers.last(leader).since(first);
    let due = entries * 3 / EVERY;
    println!("{entries} entries: {compacted} times a log was compacted, {due} were due; {installed} by installing");
    assert!(
        compacted.abs_diff(due) <= due / 5,
        "a snapshot about every {EVERY} of {entries} entries, at 3 servers: {compacted}"
    );
    assert!(absence == Absence::None || installed > 0, "who was away gets a snapshot");
    servers.pass();
}

/// Row `snapshot-basic`.
#[test]
fn raft_snapshot_basic() {
    common(41, Absence::None, Links::reliable());
}

/// Row `snapshot-install`.
#[test]
fn raft_snapshot_install() {
    common(42, Absence::Cut, Links::reliable());
}

/// Row `snapshot-install-unreliable`.
#[test]
fn raft_snapshot_install_unreliable() {
    common(43, Absence::Cut, Links::unreliable());
}

/// Row `snapshot-install-crash`.
#[test]
fn raft_snapshot_install_crash() {
    common(44, Absence::Crash, Links::reliable());
}

/// Row `snapshot-install-unreliable-crash`.
#[test]
fn raft_snapshot_install_unreliable_crash() {
    common(45, Absence::Crash, Links::unreliable());
}

/// All servers lose their power and start again.
fn restart_all(servers: &mut Servers) {
    servers.all().for_each(|server| servers.crash(server));
    servers.all().for_each(|server| servers.restart(server));
}

/// Row `snapshot-all-crash`: 5 full restarts; no index moves back.
#[test]
fn raft_snapshot_all_crash() {
    let mut servers = servers(46);
    let mut random = Random::new(46, 99);
    servers.agree(3);
    for _ in 0..5 {
        servers.agree_times(5 + random.below(10), 3);
        let before = servers.agree(3);
        // Until the last mark is synced: one that is not may be lost with the power.
        servers.run(500);
        let snapshots: BTreeMap<_, _> = servers.all().map(|server| (server, mark(&servers, server))).collect();
        restart_all(&mut servers);
        for (server, snapshot) in snapshots {
            assert!(mark(&servers, server) >= snapshot, "the snapshot of {server} is still there");
        }
        assert!(servers.agree(3) > before, "no index moves back");
    }
    assert!(servers.all().all(|server| mark(&servers, server).get() > 0), "everybody wrote snapshots");
    servers.pass();
}

/// Row `snapshot-init`: 2 full restarts on a snapshot, the second one with hardly anything written in between.
#[test]
fn raft_snapshot_init() {
    let mut servers = servers(47);
    servers.agree_times(30, 3);
    let index = servers.agree(3);
    servers.until("everybody has a snapshot", |servers| servers.all().all(|it| mark(servers, it).get() > 0));
    restart_all(&mut servers);
    let next = servers.agree(3);
    restart_all(&mut servers);
    let last = servers.agree(3);
    assert!(index < next && next < last, "no index moves back");
    servers.pass();
}

/// The last index that a server's snapshot covers.
fn mark(servers: &Servers, server: usize) -> quorate_spec::ids::LogIndex {
    servers.lab.replica(server, servers.group).expect("it is up").mark().last.index
}
