//! How a person reads a run: sentences, differences, strokes.

use super::actions::{Deed, RaftAction};
use super::intern::Shared;
use super::network::Envelope;
use super::state::{Ghost, RaftState};
use super::step::place_of;
use super::words::{entries, kind, position, vote, what, write};
use crate::scenario::{Stroke, Tone};
use quorate_core::raft::{Message, Replication, Timer};
use quorate_spec::ids::LogIndex;
use quorate_spec::views::{LogView, Role};
use std::hash::{DefaultHasher, Hash, Hasher};

/// One sentence about a step.
pub(super) fn sentence(before: &RaftState, action: &RaftAction) -> String {
    let node = action.node;
    let shared = &before.nodes[place_of(node)];
    let pending = shared.local.pending.len();
    let sentence = match &action.deed {
        Deed::Deliver(envelope) => {
            let Envelope { from, message, .. } = envelope.as_ref();
            let late = match message.term() {
                Some(term) if term < shared.view.term => format!(", which is in term {} already", shared.view.term),
                _ => String::new(),
            };
            format!("{node}{late} gets {} from {from}: {}", kind(message), what(message))
        }
        Deed::Fire(Timer::Election) => format!("{node} has heard of no leader and asks whether it could win"),
        Deed::Fire(Timer::Heartbeat) => format!("{node} tells its followers that it leads term {}", shared.view.term),
        Deed::Fire(Timer::CheckQuorum) => format!("{node} checks that a quorum still answers"),
        Deed::Campaign => format!("{node} campaigns for term {}", shared.view.term.next()),
        Deed::Learn(term) => format!("{node} hears that somebody is in term {term}"),
        Deed::Sync(count) => format!("the disk of {node} syncs {count} of {pending} pending writes"),
        Deed::Crash(_) if pending == 0 => format!("{node} crashes with nothing pending, and restarts"),
        Deed::Crash(keep) => {
            format!("{node} crashes, and restarts with {keep} of {pending} pending writes on its disk")
        }
        Deed::Propose(byte) => format!("a client proposes command {} to {node}", byte.0),
        Deed::Read => format!("a client asks {node} for a read"),
        Deed::Transfer(to) => format!("an operator asks {node} to hand over to {to}"),
        Deed::Snapshot => format!("{node} begins a snapshot of its state at index {}", shared.view.applied),
        Deed::FileWritten => format!("the snapshot file of {node} is complete"),
    };
    if action.waits && !shared.local.waits() {
        return format!("{sentence}; what it writes from now on waits for its disk");
    }
    sentence
}

/// What a step changed, one line each.
pub(super) fn changes(before: &RaftState, after: &RaftState) -> Vec<String> {
    let mut lines = Vec::new();
    for (was, is) in before.nodes.iter().zip(&after.nodes) {
        let node = is.view.node;
        for ((what, old), (_, new)) in facts(was).into_iter().zip(facts(is)) {
            if old != new {
                lines.push(format!("{node} {what}: {old} -> {new}"));
            }
        }
    }
    for envelope in after.network.iter().filter(|envelope| !before.network.contains(envelope)) {
        let Envelope { from, to, message, .. } = envelope.as_ref();
        lines.push(format!("sent {from} -> {to} {}: {}", kind(message), what(message)));
    }
    let gone = before.network.iter().filter(|envelope| !after.network.contains(envelope)).count();
    if gone > 0 {
        lines.push(format!("{gone} messages cannot matter any more"));
    }
    let was = ghosts(&before.ghost);
    lines.extend(ghosts(&after.ghost).into_iter().filter(|line| !was.contains(line)));
    lines.extend(after.violation.as_ref().map(ToString::to_string));
    lines
}

/// A node, fact by fact; always the same facts in the same order.
fn facts(shared: &Shared) -> Vec<(&'static str, String)> {
    let Shared { local, view, .. } = shared;
    let matched = view.matched.iter().map(|(node, matched)| format!("{node} to {matched}"));
    let pending = local.pending.iter().map(|(_, content)| write(content));
    let disk = &local.disk;
    vec![
        ("role", format!("{:?}", view.role)),
        ("term", view.term.to_string()),
        ("vote", vote(view.voted_for)),
        ("log", log(&view.log)),
        ("commit", view.commit.to_string()),
        ("state", format!("{:?}", local.image.0)),
        ("knows to match", matched.collect::<Vec<_>>().join(", ")),
        (
            "disk",
            format!("term {}, vote {}, log [{}]", disk.hard.term, vote(disk.hard.voted_for), entries(&disk.entries)),
        ),
        ("snapshot on disk", position(disk.mark.last)),
        ("pending writes", pending.collect::<Vec<_>>().join("; ")),
        ("snapshot being written", local.work.as_ref().map_or_else(String::new, |(last, _)| position(*last))),
    ]
}

/// A log in memory: the terms of its entries.
fn log(log: &LogView) -> String {
    let terms = log.entries.iter().map(|entry| entry.term.to_string());
    let terms = terms.collect::<Vec<_>>().join(" ");
    let base = log.base_index;
    if base == LogIndex::ZERO { format!("terms [{terms}]") } else { format!("after {base}, terms [{terms}]") }
}

/// What is remembered of the past, one line each.
fn ghosts(ghost: &Ghost) -> Vec<String> {
    let leaders = ghost.raft.leaders.iter().map(|(term, node)| format!("ghost: {node} led term {term}"));
    let log = ghost.log.iter().zip(1..).map(|((term, command), index)| match command {
        Some(byte) => format!("ghost: command {} of term {term} is committed at index {index}", byte.0),
        None => format!("ghost: the empty entry of term {term} is committed at index {index}"),
    });
    let reads = ghost
        .reads
        .iter()
        .map(|((node, read), asked)| format!("ghost: {node} owes read {read} a state at index {asked} or later"));
    leaders.chain(log).chain(reads).collect()
}

/// What a step draws.
pub(super) fn strokes(before: &RaftState, action: &RaftAction, after: &RaftState) -> Vec<Stroke> {
    let mut strokes = Vec::new();
    let lane = place_of(action.node);
    let note = |label: String, tone| Stroke::Note { lane, label, tone };
    match &action.deed {
        Deed::Deliver(envelope) => strokes.push(Stroke::Receive { message: named(envelope) }),
        Deed::Crash(_) => strokes.push(note("crash".into(), Tone::Fault)),
        Deed::Fire(_)
        | Deed::Campaign
        | Deed::Learn(_)
        | Deed::Sync(_)
        | Deed::Propose(_)
        | Deed::Read
        | Deed::Transfer(_)
        | Deed::Snapshot
        | Deed::FileWritten => strokes.push(note(short(&action.deed), Tone::Plain)),
    }
    let (was, is) = (&before.nodes[lane].view, &after.nodes[lane].view);
    if is.role == Role::Leader && was.role != Role::Leader {
        strokes.push(note(format!("leads term {}", is.term), Tone::Strong));
    }
    if is.commit > was.commit {
        strokes.push(note(format!("commit {}", is.commit), Tone::Strong));
    }
    for envelope in after.network.iter().filter(|envelope| !before.network.contains(envelope)) {
        let (from, to) = (place_of(envelope.from), place_of(envelope.to));
        strokes.push(Stroke::Send { message: named(envelope), from, to, label: label(&envelope.message) });
    }
    strokes
}

fn short(deed: &Deed) -> String {
    match deed {
        Deed::Fire(Timer::Election) | Deed::Campaign => "campaign".into(),
        Deed::Fire(Timer::Heartbeat) => "heartbeat".into(),
        Deed::Fire(Timer::CheckQuorum) => "check quorum".into(),
        Deed::Learn(term) => format!("hears of term {term}"),
        Deed::Sync(_) => "sync".into(),
        Deed::Propose(byte) => format!("propose {}", byte.0),
        Deed::Read => "read".into(),
        Deed::Transfer(to) => format!("hand over to {to}"),
        Deed::Snapshot => "begin snapshot".into(),
        Deed::FileWritten => "snapshot file".into(),
        Deed::Deliver(_) | Deed::Crash(_) => String::new(),
    }
}

/// A message in a few words: its name and its term; entries by their count.
fn label(message: &Message<super::payload::Byte>) -> String {
    let term = message.term().map_or_else(String::new, |term| format!(" t{term}"));
    match message {
        Message::Replication(Replication::Append { entries, .. }) => format!("Append{term} x{}", entries.len()),
        other => format!("{}{term}", kind(other)),
    }
}

/// A message's name among those of a run.
fn named(envelope: &Envelope) -> u64 {
    let mut hasher = DefaultHasher::new();
    (envelope.from, envelope.to, envelope.body).hash(&mut hasher);
    hasher.finish()
}
