//! Data directories: opened again, and every one that is refused, with what it says.

use quorate::data_dir::{DataDir, DataDirError};
use quorate_core::spec::ids::NodeId;
use std::fs;
use std::path::Path;

const NODE: NodeId = NodeId::new(3);

fn open(path: &Path) -> Result<DataDir, DataDirError> {
    DataDir::open_or_create(path, "main", NODE)
}

fn refusal(path: &Path) -> String {
    let text = open(path).expect_err("it is refused").to_string();
    assert!(!text.contains('\n') && text.contains(": "), "one line with a remedy: {text}");
    text
}

#[test]
fn boots_grow_and_the_stamp_stays() {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("deep/er");
    let first = open(&path).unwrap();
    assert!(first.is_new && first.boot.get() > 0 && first.wal().path().is_dir() && first.snapshots().path().is_dir());
    let (stamp, mut last) = (first.stamp, first.boot);
    drop(first);
    for _ in 0..5 {
        let again = open(&path).unwrap();
        assert!(again.boot > last, "{} is not after {last}", again.boot);
        assert_eq!((again.stamp, again.is_new), (stamp, false));
        last = again.boot;
        assert_eq!(again.identity, quorate::codec::Identity::new("main", NODE, stamp));
    }
    assert_ne!(open(&parent.path().join("other")).unwrap().stamp, stamp, "another directory, another stamp");
}

#[test]
fn two_copies_never_open_under_the_same_boot() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    drop(open(one.path()).unwrap());
    for name in ["IDENTITY", "BOOT"] {
        fs::copy(one.path().join(name), two.path().join(name)).unwrap();
    }
    for name in ["wal", "snapshots"] {
        fs::create_dir(two.path().join(name)).unwrap();
    }
    let (one, two) = (open(one.path()).unwrap(), open(two.path()).unwrap());
    assert_eq!(one.stamp, two.stamp);
    assert_ne!(one.boot, two.boot, "one of them is the older, and is refused where both are met (2^-20 to fail)");
}

#[test]
fn a_making_that_was_interrupted_is_completed() {
    let complete = tempfile::tempdir().unwrap();
    drop(open(complete.path()).unwrap());
    for present in 0..16_u32 {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        let has = |bit: u32| present & (1 << bit) != 0;
        if has(0) {
            fs::write(path("LOCK"), "").unwrap();
        }
        if has(1) {
            fs::create_dir(path("wal")).unwrap();
        }
        if has(2) {
            fs::write(path("BOOT.tmp"), "0 f4d").unwrap();
            fs::copy(complete.path().join("BOOT"), path("BOOT")).unwrap();
        }
        if has(3) {
            fs::write(path("IDENTITY.tmp"), "{").unwrap();
        }
        let made = open(dir.path()).unwrap();
        assert!(made.is_new && made.boot.get() > 0);
    }
}

#[test]
fn what_is_not_ours_is_refused_and_not_touched() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "text").unwrap();
    assert!(refusal(&file).contains("is not a directory"));
    assert!(refusal(dir.path()).contains("it contains file"));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "not even a lock is left behind");
}

#[test]
fn another_cluster_or_node_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()).unwrap());
    let boot = fs::read(dir.path().join("BOOT")).unwrap();
    let other = DataDir::open_or_create(dir.path(), "test", NODE).unwrap_err().to_string();
    assert!(other.contains("belongs to cluster \"main\", not \"test\""), "{other}");
    let other = DataDir::open_or_create(dir.path(), "main", NodeId::new(4)).unwrap_err().to_string();
    assert!(other.contains("belongs to node 3, not 4: start it with --id 3"), "{other}");
    assert_eq!(fs::read(dir.path().join("BOOT")).unwrap(), boot, "a refusal is not a boot");
}

#[test]
fn one_process_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let held = open(dir.path()).unwrap();
    assert!(refusal(dir.path()).contains("in use by another process"));
    drop(held);
    assert!(open(dir.path()).is_ok());
}

#[test]
fn a_newer_format_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()).unwrap());
    fs::write(dir.path().join("IDENTITY"), r#"{"format": 2, "anything": "else"}"#).unwrap();
    assert!(refusal(dir.path()).contains("newer version (format 2): upgrade"));
}

#[test]
fn a_damaged_identity_is_refused_at_every_byte() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()).unwrap());
    let identity = dir.path().join("IDENTITY");
    let intact = fs::read(&identity).unwrap();
    for at in 0..intact.len() {
        if intact[at].is_ascii_whitespace() {
            continue;
        }
        let mut bytes = intact.clone();
        bytes[at] ^= 1;
        fs::write(&identity, &bytes).unwrap();
        let error = open(dir.path()).expect_err("damage is noticed");
        let known = matches!(error, DataDirError::Damaged { .. } | DataDirError::Newer { .. });
        assert!(known, "byte {at}: {error}");
        fs::write(&identity, &intact[..at]).unwrap();
        assert!(matches!(open(dir.path()), Err(DataDirError::Damaged { .. })), "cut at {at}");
    }
    fs::write(&identity, &intact).unwrap();
    assert!(open(dir.path()).is_ok());
}

#[test]
fn a_boot_counter_is_never_guessed() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()).unwrap());
    let boot = dir.path().join("BOOT");
    for text in ["", "7", "7 00000000\n", "x"] {
        fs::write(&boot, text).unwrap();
        assert!(refusal(dir.path()).contains("BOOT is damaged"), "{text:?}");
    }
    fs::remove_file(&boot).unwrap();
    assert!(refusal(dir.path()).contains("it is missing"));
}

#[test]
fn data_without_an_identity_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(open(dir.path()).unwrap().wal().path().join("1.wal"), "x").unwrap();
    fs::remove_file(dir.path().join("IDENTITY")).unwrap();
    assert!(refusal(dir.path()).contains("no IDENTITY file"));
}
