//! Records written and read back.

use super::*;
use crate::driver::Machine;
use quorate_core::effect::Effects;
use quorate_core::input::{Durable, Timer};
use quorate_core::message::Peer;
use quorate_core::node::Node;
use quorate_spec::ids::{Boot, NodeId, Stamp};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn restarted(boot: u64) -> Restarted {
    Restarted {
        me: Peer { node: NodeId::new(1), stamp: Stamp::new(7), boot: Boot::new(boot) },
        address: "a:1".into(),
        controllers: BTreeMap::from([(NodeId::new(1), "a:1".into())]),
        shards: 4,
        durable: Durable::default(),
    }
}

/// A run of `steps` steps with a record of at most `limit` bytes; what it did, construction first.
fn run(directory: &Path, boot: u64, limit: u64, steps: usize) -> Vec<Effects> {
    let recorder = Recorder::begin(directory, limit, &restarted(boot), &Limits::default()).expect("a record");
    let (node, initial) = Node::new(restarted(boot), Limits::default());
    let mut node = Recorded::new(node, &initial, Some(recorder));
    let done = (0..steps).map(|_| node.step(Input::Fired { timer: Timer::Poll }));
    std::iter::once(initial).chain(done.collect::<Vec<_>>()).collect()
}

fn records(directory: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> =
        std::fs::read_dir(directory).expect("there").map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths
}

fn items(bytes: &[u8]) -> (Vec<Item>, bool) {
    let mut reader = Reader::new(bytes).expect("a record");
    assert_eq!(reader.start().restarted.me, restarted(5).me);
    let mut items = Vec::new();
    while let Some(item) = reader.read().expect("intact") {
        items.push(item);
    }
    (items, reader.is_torn())
}

#[test]
fn a_record_holds_every_input_and_what_it_did() {
    let directory = tempfile::tempdir().expect("a directory");
    let done = run(directory.path(), 5, 1 << 20, 3);
    let bytes = std::fs::read(&records(directory.path())[0]).expect("written");
    let (items, torn) = items(&bytes);
    assert!(!torn);
    let digests: Vec<&Digest> =
        items.iter().filter_map(|item| if let Item::Effects(digest) = item { Some(digest) } else { None }).collect();
    assert_eq!(digests.len(), 4, "the construction's and each step's");
    for (effects, digest) in done.iter().zip(digests) {
        assert_eq!(Digest::of(effects).difference(digest), None);
    }
    let inputs = items.iter().filter(|item| matches!(item, Item::Input(Input::Fired { timer: Timer::Poll }))).count();
    assert_eq!((inputs, items.len()), (3, 7));
}

#[test]
fn a_file_that_ends_anywhere_is_read_up_to_there() {
    let directory = tempfile::tempdir().expect("a directory");
    run(directory.path(), 5, 1 << 20, 2);
    let bytes = std::fs::read(&records(directory.path())[0]).expect("written");
    let start = crate::codec::parse_header(&bytes).expect("a frame").frame_len();
    let whole = items(&bytes).0.len();
    for end in 0..bytes.len() {
        let Some(cut) = bytes.get(..end) else { continue };
        if end < start {
            assert!(Reader::new(cut).is_err(), "cut at {end}");
        } else {
            let (items, torn) = items(cut);
            assert!(items.len() < whole && (torn || items.len() <= whole), "cut at {end}");
        }
    }
    let mut damaged = bytes;
    *damaged.last_mut().expect("not empty") ^= 1;
    let mut reader = Reader::new(damaged.as_slice()).expect("a start");
    let error = std::iter::from_fn(|| reader.read().transpose()).find_map(Result::err).expect("damage is noticed");
    assert!(error.to_string().contains("checksum"), "{error}");
}

#[test]
fn a_record_ends_at_its_bound_and_says_so() {
    let directory = tempfile::tempdir().expect("a directory");
    run(directory.path(), 5, 1 << 10, 1000);
    let bytes = std::fs::read(&records(directory.path())[0]).expect("written");
    assert!(bytes.len() <= (1 << 10) + 64, "{} bytes", bytes.len());
    let (items, torn) = items(&bytes);
    assert!(!torn && matches!(items.last(), Some(Item::Full)) && items.len() > 4, "{items:?}");
    let refused = Recorder::begin(directory.path(), 10, &restarted(6), &Limits::default());
    assert!(refused.is_err(), "not even the start fits");
    assert_eq!(records(directory.path()).len(), 1, "and nothing is left of it");
}

#[test]
fn the_newest_runs_are_kept() {
    let directory = tempfile::tempdir().expect("a directory");
    let other = directory.path().join("node-11-00000000000000000001.record");
    std::fs::write(&other, "another node's").expect("written");
    for boot in 1..=20 {
        run(directory.path(), boot, 1 << 20, 1);
    }
    let left = records(directory.path());
    assert_eq!(left.len(), 17, "sixteen of this node's, and the other's: {left:?}");
    assert!(other.exists() && left.iter().any(|path| path.to_string_lossy().ends_with("00000000000000000020.record")));
}

#[test]
fn a_difference_is_named() {
    let (_, effects) = Node::new(restarted(5), Limits::default());
    let digest = Digest::of(&effects);
    assert!(digest.effects() > 0);
    let mut other = effects.clone();
    other.labels.pop();
    assert!(Digest::of(&other).difference(&digest).is_some_and(|what| what.contains("labels instead of")));
    let mut other = effects;
    other.timers.reverse();
    other.timers.dedup();
    if other.timers.len() > 1 {
        assert!(Digest::of(&other).difference(&digest).is_some_and(|what| what.contains("timers, but others")));
    }
}
