//! The rows: every scenario by its name, and that each is a test here; those marked R on real processes as well.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The names of each part, as the lab's scenarios are listed; `R` follows those that real processes run too.
const ROWS: &[(&str, &str)] = &[
    (
        "raft",
        "initial-election, re-election, many-elections, basic-agree, rpc-bytes, follower-failure, leader-failure, fail-agree, \
         fail-no-agree, concurrent-starts, rejoin, backup, count, persist-1, persist-2, persist-3, figure-8, \
         figure-8-unreliable, unreliable-agree, reliable-churn, unreliable-churn, snapshot-basic, snapshot-install, \
         snapshot-install-unreliable, snapshot-install-crash, snapshot-install-unreliable-crash, snapshot-all-crash, \
         snapshot-init",
    ),
    (
        "replicated-kv",
        "basic R, concurrent R, unreliable, unreliable-one-key, one-partition, many-partitions-one-client, \
         many-partitions-many-clients R, persist-one-client, persist-concurrent R, persist-concurrent-unreliable, \
         persist-partition, persist-partition-unreliable, persist-partition-unreliable-linearizable, speed R, snapshot-rpc, \
         snapshot-size, snapshot-recover R, snapshot-recover-many-clients, snapshot-unreliable, \
         snapshot-unreliable-recover, snapshot-unreliable-recover-partition, snapshot-linearizable",
    ),
    ("controller", "basic, multi, minimal, more-groups-than-shards R"),
    (
        "sharded",
        "static-shards R, rejection, join-leave R, snapshot, miss-change, concurrent-1, concurrent-2, concurrent-3 R, \
         unreliable-1, unreliable-2, unreliable-3, challenge-1-delete, challenge-2-unaffected R, challenge-2-partial R, \
         progress-join, progress-shutdown, stale-controller-fenced, controller-crash-mid-change",
    ),
    (
        "ours",
        "move-with-live-data R, partition-inside-groups-during-a-migration R, large-shard R, \
         live-data-with-more-groups-than-shards, session-expiry, torn-lost-and-corrupt-disk-writes, \
         there-and-back-while-the-other-sleeps, all-groups-leave-and-another-finds-the-data, \
         a-gid-joins-again-with-other-servers, every-step-of-a-migration-crossed-with-a-crash-of-each-side",
    ),
];

/// The functions that the rows stand for, and those among them that real processes run too.
fn rows() -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut all, mut real) = (BTreeSet::new(), BTreeSet::new());
    for (part, names) in ROWS {
        for name in names.split(", ") {
            let (name, marked) = name.strip_suffix(" R").map_or((name, false), |name| (name, true));
            let function = format!("{part}_{name}").replace('-', "_");
            if marked {
                real.insert(function.clone());
            }
            assert!(all.insert(function), "{name} stands there once");
        }
    }
    (all, real)
}

/// The tests under a folder: the functions whose attribute says so.
fn tests(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder).expect("the folder is there").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(tests(&path));
            continue;
        }
        let text = fs::read_to_string(&path).expect("a source file is UTF-8");
        let lines: Vec<&str> = text.lines().collect();
        let marked = lines.windows(2).filter(|pair| pair[0] == "#[test]" || pair[0].starts_with("#[tokio::test"));
        found.extend(marked.filter_map(|pair| Some(pair[1].split_once("fn ")?.1.split_once('(')?.0.to_owned())));
    }
    found
}

#[test]
fn every_row_is_a_test_and_every_scenario_a_row() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let (rows, real) = rows();
    assert_eq!((rows.len(), real.len()), (82, 15));
    let mut here = tests(&folder.join("scenarios"));
    for ours in ["every_row_is_a_test_and_every_scenario_a_row", "a_scenario_that_fails_leaves_traces_of_every_process"]
    {
        assert!(here.remove(ours));
    }
    assert_eq!(here, rows);
    let missing: Vec<_> = real.difference(&tests(&folder.join("scenarios_real"))).cloned().collect();
    assert_eq!(missing, Vec::<String>::new(), "rows that real processes lack");
}
