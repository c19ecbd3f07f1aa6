//! The binding of the model `raft` to `raft.tsm`, along random walks.
//!
//! The system remembers what no replica does: every log that a leader has had, who voted for whom in which term, what was
//! ever acknowledged. So a walk carries a structure with it, beginning at the initial one. Each label of a step is the
//! action that it names, taken by that structure; after the step the structure must show exactly what the replicas and
//! their disks show (`observe`), and everything that was sent must be among its messages.
//!
//! Crashes are taken that keep none or all of the pending writes. One that keeps some is, in the system, a sync that
//! happened earlier than the code was told of it.

mod labels;
mod observe;
mod walk;

pub(super) use walk::walk;

use super::structure::{Element, Signature, Structure};
use crate::models::raft::Scope;
use quorate_spec::ids::{LogIndex, NodeId, Term};
use std::collections::BTreeMap;

/// The scopes that can be walked: those that begin at boot and in which nothing is compacted.
pub(super) fn scope(name: &str) -> Option<Scope> {
    Scope::named(name).filter(|scope| scope.start.is_empty() && scope.snapshots == 0 && scope.reads == 0)
}

/// The labels that may leave the structure alone, each with its reason.
pub(super) const STUTTERS: &[(&str, &str)] = &[
    ("StartPreVote", "a pre-vote binds nobody; a candidate that asks again is one no more"),
    ("HandlePreVote", "a pre-vote binds nobody"),
    ("HandlePreVoteReply", "a pre-vote binds nobody"),
    ("HandleRequestVote", "a vote is given again to the same candidate, or refused"),
    ("HandleVoteReply", "votes are counted when there are enough"),
    ("SendAppend", "the same append goes to another follower, or again"),
    ("HandleAppend", "the append came before, or does not fit"),
    ("HandleAppendReply", "copies are counted when there are enough"),
    ("AdvanceCommit", "a follower learns of it by the action before"),
    ("HandleHeartbeat", "the heartbeat came before, or tells nothing new"),
    ("Restart", "a replica with nothing to lose comes back as it was"),
];

/// What of a step is told by its label.
pub(super) fn given(action: &str) -> &'static [&'static str] {
    match action {
        "StartElection" | "StepDown" => &["n", "u"],
        "HandleRequestVote" => &["n", "c", "u"],
        "BecomeLeader" | "SyncWrites" => &["n"],
        "Propose" | "AdvanceCommit" | "Apply" | "Restart" => &["n", "i"],
        "SendAppend" => &["n", "j", "i", "k"],
        "SendAppend.heartbeat" => &["n", "m", "i"],
        "HandleAppend.known" => &["n", "u", "j", "i", "k", "m"],
        "HandleAppend.new" => &["n", "u", "j", "i", "k", "z", "m", "h"],
        "HandleHeartbeat" => &["n", "u", "i"],
        _ => &[],
    }
}

/// The elements of the sorts.
pub(super) fn sorts(scope: &Scope) -> BTreeMap<&'static str, Vec<String>> {
    let names = |what: &str, count: u64| (0..=count).map(|number| format!("{what} {number}")).collect();
    BTreeMap::from([
        ("node", (1..=scope.nodes).map(|node| format!("node {node}")).collect()),
        ("term", names("term", scope.terms)),
        ("index", names("index", scope.terms + u64::from(scope.entries))),
        ("quorum", quorums(scope.nodes).iter().map(|members| format!("nodes {members:?}")).collect()),
    ])
}

/// The smallest majorities: whatever a quorum must have in common, one of them has.
fn quorums(nodes: u64) -> Vec<Vec<u64>> {
    let all = 0..1_u64 << nodes;
    let members = |set: u64| (1..=nodes).filter(|node| set >> (node - 1) & 1 == 1).collect::<Vec<_>>();
    all.map(members).filter(|members| members.len() as u64 == nodes / 2 + 1).collect()
}

/// The initial structure.
pub(super) fn beginning(scope: &Scope, signature: &Signature) -> Structure {
    let mut made = signature.blank();
    let (nodes, terms, indices) = (scope.nodes as Element, scope.terms as Element, last_index(scope));
    for (order, last) in [("t<=", terms), ("i<=", indices)] {
        for high in 0..=last {
            (0..=high).for_each(|low| made.add(signature, order, &[low, high]));
        }
    }
    for (place, members) in quorums(scope.nodes).iter().enumerate() {
        members.iter().for_each(|member| made.add(signature, "member", &[*member as Element - 1, place as Element]));
    }
    for n in 0..nodes {
        for relation in ["at", "disk_at", "cursor"] {
            made.add(signature, relation, &[n, 0]);
        }
        for relation in ["log", "disk_log", "known"] {
            made.add(signature, relation, &[n, 0, 0]);
        }
    }
    (0..=terms).for_each(|t| made.add(signature, "leader_log", &[t, 0, 0]));
    made
}

fn last_index(scope: &Scope) -> Element {
    scope.terms as Element + scope.entries
}

fn node(node: NodeId) -> Element {
    node.get() as Element - 1
}

fn term(term: Term) -> Element {
    term.get() as Element
}

fn index(index: LogIndex) -> Element {
    index.get() as Element
}
