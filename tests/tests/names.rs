//! One name all the way: what a TLA+ module, a transition system of the proofs, `spec::Action` and a handler of the core
//! call by one name is one thing. Every exception stands in a table here with its reason, and no needless one.
//!
//! That every action of a TLA+ module bears a name of the code is shown in `specification`.

use quorate_spec::action::Action;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Labels that no function of their own name gives: who does, and why.
const OTHER_HANDLERS: &[(&str, &[&str], &str)] = &[
    ("HandlePreVoteReply", &["handle_pre_vote_granted", "handle_pre_vote_refused"], "one for each answer"),
    ("HandleVoteReply", &["handle_vote_granted", "handle_vote_refused"], "one for each answer"),
    ("SendAppend", &["probe", "send_appends"], "as many as there is room for, or one to find what was lost"),
    ("HandleAppendReply", &["handle_append_refused", "handle_appended"], "one for each answer"),
    ("SyncWrites", &["step"], "the disk's answer is handed to the outbox, and no more"),
    ("AdvanceCommit", &["commit_to"], "the leader decides in advance_commit; the index moves here, at anybody"),
    ("Apply", &["commit_to"], "what is committed is handed out to be applied at once"),
    ("HandleHeartbeatReply", &["handle_heartbeat_ack"], "the message's name"),
    ("RequestRead", &["open_waiting_reads"], "a read is opened when an entry of the term is committed"),
    ("ConfirmRead", &["confirm_reads"], "one answer confirms several"),
    ("TakeSnapshot", &["take_image"], "the image is also for followers"),
    ("SendSnapshot", &["send_chunk"], "in parts"),
    ("HandleSnapshotChunk", &["handle_chunk"], "the message's name"),
    ("InstallSnapshot", &["install"], "in the file of snapshots"),
    ("HandleSnapshotReply", &["handle_accepted", "handle_installed"], "one for each answer"),
    ("Restart", &["new"], "a replica is what its disk remembers"),
    ("Move", &["move_shard"], "move is a word of the language"),
    ("RaiseFloor", &["plan"], "it plans nothing but the next number"),
    ("Execute", &["write"], "whether it is the first time is found there"),
    ("Repeat", &["write"], "whether it is the first time is found there"),
    ("Refuse", &["write"], "whether it is the first time is found there"),
    ("Read", &["question"], "the node asks its machines"),
    ("StartEmpty", &["take_over"], "taking over from nobody"),
    ("Pull", &["perform"], "the migrator asks, the node sends"),
    ("SendChunk", &["shard_message"], "any replica answers, so the node does"),
    ("Install", &["install_chunk"], "with the last part"),
    ("CreateReplica", &["bootstrap_controller", "create"], "the first one is not in any directory"),
    ("DestroyReplica", &["destroy"], "of a replica"),
    ("PinPeer", &["pin"], "of a peer"),
    ("RefusePeer", &["believes"], "whose opposite it is"),
    ("SendRequest", &["send"], "of a request"),
    ("Complete", &["end"], "with an outcome"),
    ("GiveUp", &["end"], "without one"),
];

/// Labels of which neither a TLA+ module nor a transition system speaks, and why.
const UNSPECIFIED: &[(&str, &str)] = &[
    ("HandlePreVoteReply", "pre-votes bind nobody; who could win starts an election at any time"),
    ("HandleVoteReply", "votes are counted from the messages themselves"),
    ("TransferLeadership", "binds nobody; its target may start an election at any time"),
    ("HandleAppendReply", "copies are counted from the messages themselves"),
    ("HandleHeartbeatReply", "confirmations are counted from the messages themselves"),
    ("TakeSnapshot", "a snapshot is the state of a prefix of the log"),
    ("HandleSnapshotChunk", "the parts of a snapshot arrive as one"),
    ("HandleSnapshotReply", "copies are counted from the messages themselves"),
    ("RegisterClient", "sessions are there from the beginning"),
    ("RegisterNode", "groups are atomic logs, so nodes are below it"),
    ("Retire", "a group that holds nothing and is asked by nobody does nothing"),
    ("Refuse", "has no effect"),
    ("Freeze", "a part of AdoptConfiguration"),
    ("StartEmpty", "a part of AdoptConfiguration"),
    ("Pull", "a copy may be sent without being asked for"),
    ("InstallChunk", "the parts of a copy arrive as one, by Install"),
    ("CreateReplica", "replicas are there from the beginning"),
    ("DestroyReplica", "a replica of a retired group is asked by nobody"),
    ("PinPeer", "a node has its own disk: an assumption there, the model identity here"),
    ("RefusePeer", "a node has its own disk: an assumption there, the model identity here"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the workspace").to_owned()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{} cannot be read: {error}", path.display()))
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder is there").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|it| it == extension) {
            found.push(path);
        }
    }
    found
}

/// `HandleRequestVote` as `handle_request_vote`.
fn snake(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

fn word(text: &str) -> String {
    text.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect()
}

/// Per label, the functions of the core in whose bodies it stands. `record.rs` gives none: it reads those that were given.
fn handlers() -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for path in files(&root().join("core/src"), "rs").into_iter().filter(|path| !path.ends_with("record.rs")) {
        let text = read(&path);
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        let mut function = String::new();
        for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
            if let Some((_, rest)) = line.split_once("fn ").filter(|(before, _)| !before.contains('"')) {
                function = word(rest);
            }
            for label in line.split("Action::").skip(1) {
                found.entry(word(label)).or_default().insert(function.clone());
            }
        }
    }
    found
}

/// The actions of the transition systems; what follows a dot is a case of one.
fn proved() -> BTreeSet<String> {
    let texts = files(&root().join("proofs/inductive"), "tsm").into_iter().map(|path| read(&path));
    texts.flat_map(|text| text.split("(action ").skip(1).map(word).collect::<Vec<_>>()).collect()
}

/// What the TLA+ modules define.
fn defined() -> BTreeSet<String> {
    let modules = ["KV", "ShardKV", "ReplicatedLog", "Raft"];
    let texts = modules.map(|module| read(&root().join(format!("spec/{module}.tla"))));
    let heads = |text: &String| {
        text.lines().filter(|line| line.contains("==")).map(word).filter(|it| !it.is_empty()).collect::<Vec<_>>()
    };
    texts.iter().flat_map(heads).collect()
}

#[test]
fn every_label_is_given_by_the_function_of_its_name_or_for_a_reason_by_another() {
    let handlers = handlers();
    let rows: BTreeMap<&str, BTreeSet<String>> = OTHER_HANDLERS
        .iter()
        .map(|(name, functions, reason)| {
            assert!(!reason.is_empty(), "{name}");
            (*name, functions.iter().map(|function| (*function).to_owned()).collect())
        })
        .collect();
    for name in Action::NAMES {
        let found = handlers.get(*name).unwrap_or_else(|| panic!("nothing in the core gives the label {name}"));
        match rows.get(name) {
            None => assert!(found.contains(&snake(name)), "{name} is given by {found:?}, not by {}", snake(name)),
            Some(row) => {
                assert!(!found.contains(&snake(name)), "{name} needs no row: {} gives it", snake(name));
                assert_eq!(row, found, "{name}: the functions that give it");
            }
        }
    }
    assert!(rows.keys().all(|name| Action::NAMES.contains(name)), "a row names no label");
}

#[test]
fn every_label_is_an_action_of_the_specification_or_for_a_reason_none() {
    let (proved, defined) = (proved(), defined());
    assert!(proved.len() >= 25, "{proved:?}");
    for action in &proved {
        assert!(Action::NAMES.contains(&action.as_str()), "{action} of a transition system is no label of the code");
    }
    for name in Action::NAMES {
        let specified = proved.contains(*name) || defined.contains(*name);
        let excused = UNSPECIFIED.iter().find(|(other, _)| other == name);
        assert!(specified != excused.is_some(), "{name}: specified {specified}, excused {excused:?}");
    }
    assert!(UNSPECIFIED.iter().all(|(name, reason)| Action::NAMES.contains(name) && !reason.is_empty()));
}
