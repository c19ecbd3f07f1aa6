//! Runs of the identity model for people.

use super::actions::IdentityAction;
use super::state::{Envelope, IdentityState, Process};
use crate::scenario::{Lane, Stroke, Tone};
use quorate_core::message::{DirectoryMessage, Message, PeerRefusal};
use quorate_core::raft::{self, Election};
use quorate_spec::views::Role;
use std::hash::{DefaultHasher, Hash, Hasher};

/// The nodes, then whoever is started under the id of one of them.
pub(super) fn lanes() -> Vec<Lane> {
    let lane = |name: &str, group: &str| Lane { name: name.into(), group: group.into() };
    vec![lane("node 1", "cluster"), lane("node 2", "cluster"), lane("node 3", "cluster"), lane("second node 1", "")]
}

fn name(state: &IdentityState, place: u8) -> String {
    let node = state.processes.get(usize::from(place)).map_or(0, |process| process.node.me().node.get());
    let before = state.processes.iter().take(usize::from(place)).any(|process| process.node.me().node.get() == node);
    if before { format!("the second node {node}") } else { format!("node {node}") }
}

fn says(envelope: &Envelope) -> String {
    match &envelope.message {
        Message::Directory(DirectoryMessage::Greet(greeting) | DirectoryMessage::Greeted(greeting)) => {
            match greeting.pinned {
                Some(stamp) => format!("\"I have pinned you under stamp {}\"", stamp.get()),
                None => "\"I am a member too\"".into(),
            }
        }
        Message::Directory(DirectoryMessage::News { configs, directory }) => {
            let version = directory.as_ref().map_or(0, |directory| directory.version.get());
            format!("the directory of version {version} with {} configurations", configs.len())
        }
        Message::Refused { whom, reason: PeerRefusal::OtherStamp } => {
            format!("\"your stamp {} is not the one I know\"", whom.stamp.get())
        }
        Message::Refused { whom, reason: PeerRefusal::OlderBoot { seen } } => {
            format!("\"your boot is {}, and I have heard of {}\"", whom.boot.get(), seen.get())
        }
        Message::Controller(raft::Message::Election(Election::RequestVote { term, .. })) => {
            format!("\"vote for me in term {term}\"")
        }
        Message::Controller(raft::Message::Election(Election::VoteGranted { term })) => {
            format!("\"you have my vote in term {term}\"")
        }
        other => format!("{other:?}"),
    }
}

fn sender(envelope: &Envelope) -> String {
    let from = envelope.from;
    format!("node {} (stamp {}, boot {})", from.node.get(), from.stamp.get(), from.boot.get())
}

/// One sentence about a step.
pub(super) fn sentence(before: &IdentityState, action: &IdentityAction) -> String {
    let capital =
        |text: String| text.replacen("the", "The", 1).replacen("node", "Node", usize::from(text.starts_with("node")));
    match action {
        IdentityAction::Deliver { place, envelope } => {
            format!("{} hears from {}: {}.", capital(name(before, *place)), sender(envelope), says(envelope))
        }
        IdentityAction::Sync { place } => {
            let count = before.processes.get(usize::from(*place)).map_or(0, |process| process.pending.len());
            format!("The disk of {} has written all that was pending ({count}).", name(before, *place))
        }
        IdentityAction::Poll { place } => format!("{} makes itself known again.", capital(name(before, *place))),
        IdentityAction::Campaign { place } => format!("{} stands for election.", capital(name(before, *place))),
        IdentityAction::Crash { place, kept } => {
            let pending = before.processes.get(usize::from(*place)).map_or(0, |process| process.pending.len());
            format!(
                "{} crashes and starts again; {kept} of {pending} writes that were not synced are on its disk.",
                capital(name(before, *place))
            )
        }
        IdentityAction::StartTwin => "Somebody starts node 1 from an empty directory.".into(),
        IdentityAction::StartCopy => "Somebody starts node 1 from an old copy of its directory.".into(),
    }
}

fn lines(who: &str, was: Option<&Process>, is: &Process) -> Vec<String> {
    let mut lines = Vec::new();
    let pins = |process: &Process| -> Vec<_> { process.disk.peers.iter().map(|(n, i)| (*n, i.stamp.get())).collect() };
    if was.map(pins) != Some(pins(is)) && !pins(is).is_empty() {
        lines.push(format!("{who} has on its disk the stamps {:?}", pins(is)));
    }
    let role =
        |process: &Process| process.node.controller().map(|group| (group.replica().role(), group.replica().term()));
    match (was.and_then(role), role(is)) {
        (None, Some((_, term))) => lines.push(format!("{who} begins as a member of the controller, in term {term}")),
        (Some(was), Some((now, term))) if was != (now, term) => {
            lines.push(format!("{who} is {} in term {term}", part(now)));
        }
        _ => {}
    }
    let groups = |process: &Process| -> Vec<_> { process.node.groups().map(|group| group.id()).collect() };
    if was.map(groups) != Some(groups(is)) && (was.is_some() || !groups(is).is_empty()) {
        lines.push(format!(
            "{who} has replicas of {:?}",
            groups(is).iter().map(ToString::to_string).collect::<Vec<_>>()
        ));
    }
    if was.map(|was| &was.disk.tombstones) != Some(&is.disk.tombstones) && !is.disk.tombstones.is_empty() {
        let ended: Vec<String> = is.disk.tombstones.iter().map(ToString::to_string).collect();
        lines.push(format!("{who} has tombstones of {ended:?} on its disk"));
    }
    if is.stopped && was.is_none_or(|was| !was.stopped) {
        lines.push(format!("{who} stops: its identity is another's"));
    }
    lines
}

const fn part(role: Role) -> &'static str {
    match role {
        Role::Follower => "a follower",
        Role::PreCandidate => "a pre-candidate",
        Role::Candidate => "a candidate",
        Role::Leader => "the leader",
    }
}

/// What a step changed.
pub(super) fn changes(before: &IdentityState, after: &IdentityState) -> Vec<String> {
    let mut all = Vec::new();
    for (place, process) in after.processes.iter().enumerate() {
        let was = before.processes.get(place).map(AsRef::as_ref);
        all.extend(lines(&name(after, place as u8), was, process));
    }
    for (_, envelope) in after.network.iter().filter(|(key, _)| !before.network.contains_key(key)) {
        all.push(format!("{} says to node {}: {}", sender(envelope), envelope.to.get(), says(envelope)));
    }
    all.extend(after.violation.iter().map(ToString::to_string));
    all
}

/// A message's number in a drawing.
fn number(envelope: &Envelope) -> u64 {
    let mut hasher = DefaultHasher::new();
    envelope.hash(&mut hasher);
    hasher.finish()
}

/// What a step draws.
pub(super) fn strokes(before: &IdentityState, action: &IdentityAction, after: &IdentityState) -> Vec<Stroke> {
    let note =
        |place: u8, label: &str, tone| Stroke::Note { lane: usize::from(place).min(3), label: label.into(), tone };
    let mut strokes = match action {
        IdentityAction::Deliver { envelope, .. } => vec![Stroke::Receive { message: number(envelope) }],
        IdentityAction::Sync { place } => vec![note(*place, "synced", Tone::Plain)],
        IdentityAction::Poll { place } => vec![note(*place, "polls", Tone::Plain)],
        IdentityAction::Campaign { place } => vec![note(*place, "stands", Tone::Strong)],
        IdentityAction::Crash { place, .. } => vec![note(*place, "crash", Tone::Fault)],
        IdentityAction::StartTwin => vec![note(3, "empty directory", Tone::Fault)],
        IdentityAction::StartCopy => vec![note(3, "old copy", Tone::Fault)],
    };
    for (place, process) in after.processes.iter().enumerate() {
        let was = before.processes.get(place).map(AsRef::as_ref);
        let told = lines(&name(after, place as u8), was, process);
        strokes.extend(told.iter().map(|line| note(place as u8, line, Tone::Strong)));
    }
    for (_, envelope) in after.network.iter().filter(|(key, _)| !before.network.contains_key(key)) {
        let lane = |node: u64| (node as usize).saturating_sub(1).min(3);
        let twin = after.processes.iter().position(|process| process.node.me() == envelope.from);
        let from = twin.unwrap_or_else(|| lane(envelope.from.node.get()));
        strokes.push(Stroke::Send {
            message: number(envelope),
            from,
            to: lane(envelope.to.get()),
            label: says(envelope),
        });
    }
    strokes
}
