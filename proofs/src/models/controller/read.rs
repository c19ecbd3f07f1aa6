//! How a person reads a run of the controller model.

use super::state::State;
use super::step::Step;
use crate::scenario::{Lane, Stroke, Tone};
use quorate_core::controller::{Change, Command, Configuration};
use quorate_core::digest::digest_of;
use quorate_spec::ids::{ClientId, Gid, ShardId};
use std::sync::Arc;

/// A step in the domain's words.
pub(super) fn sentence(step: &Step) -> String {
    match step {
        Step::Ask { client, change } => format!("operator {client} asks: {}", in_words(change)),
        Step::Send { client, change } => format!("operator {client} asks, and is not heard yet: {}", in_words(change)),
        Step::Arrive { request } => format!("an earlier request arrives, maybe again: {}", command(request)),
        Step::Misuse { client, change } => {
            format!("operator {client} uses the number of its last request for another change: {}", in_words(change))
        }
        Step::RegisterClient => "somebody registers a session".into(),
        Step::RegisterNode { node, stamp } => format!("{node} registers again with stamp {}", stamp.get()),
        Step::Retire { group } => format!("{group} says that it left and holds nothing"),
    }
}

fn gids<'a>(gids: impl IntoIterator<Item = &'a Gid>) -> String {
    let all: Vec<String> = gids.into_iter().map(Gid::to_string).collect();
    all.join(" and ")
}

fn in_words(change: &Change) -> String {
    match change {
        Change::Join { groups } => format!("{} join", gids(groups.keys())),
        Change::Leave { gids: leaving } => format!("{} leave", gids(leaving)),
        Change::Move { shard, gid } => format!("{shard} moves to {gid}"),
        Change::RaiseFloor { floor } => format!("sessions below {floor} end"),
    }
}

fn command(command: &Command) -> String {
    match command {
        Command::Change { client, seq, change } => format!("request {seq} of {client}: {}", in_words(change)),
        other => format!("{other:?}"),
    }
}

/// What a step came to.
pub(super) fn outcome(before: &State, after: &State, step: &Step) -> String {
    if let Step::Send { .. } = step {
        return "it is on its way".into();
    }
    let (was, is) = (before.controller.latest(), after.controller.latest());
    if was.num != is.num {
        return format!("configuration {} is made", is.num);
    }
    let answered = after.ghost.first.iter().find(|(call, _)| !before.ghost.first.contains_key(call));
    match answered {
        Some((_, (_, answer))) => format!("answered {answer:?}"),
        None => "no configuration is made".into(),
    }
}

fn owners(config: &Configuration) -> String {
    let owner = |place: usize| match config.shards[place] {
        quorate_core::controller::Assignment { owner: Some(owner), .. } => owner.to_string(),
        quorate_core::controller::Assignment { origin: Some(o), .. } => {
            format!("nobody (frozen at {} by {})", o.group, o.config)
        }
        quorate_core::controller::Assignment { owner: None, origin: None } => "nobody yet".into(),
    };
    let all: Vec<String> =
        (0..config.shards.len()).map(|place| format!("{}: {}", ShardId::new(place as u64), owner(place))).collect();
    all.join(", ")
}

/// What the step changed, one line each.
pub(super) fn changes(before: &State, after: &State) -> Vec<String> {
    let mut lines = Vec::new();
    let (was, is) = (before.controller.latest(), after.controller.latest());
    if was != is {
        lines.push(format!("configuration {} had {}", was.num, owners(was)));
        lines.push(format!("configuration {} has {}", is.num, owners(is)));
        if was.floor != is.floor {
            lines.push(format!("session floor {} -> {}", was.floor, is.floor));
        }
    }
    let groups = |state: &State| state.controller.directory().groups.keys().copied().collect::<Vec<_>>();
    let (known, now) = (groups(before), groups(after));
    lines.extend(now.iter().filter(|group| !known.contains(group)).map(|group| format!("directory: {group} exists")));
    lines.extend(known.iter().filter(|group| !now.contains(group)).map(|group| format!("directory: {group} is gone")));
    for ((client, seq), (_, answer)) in &after.ghost.first {
        if !before.ghost.first.contains_key(&(*client, *seq)) {
            lines.push(format!("ghost: request {seq} of {client} is answered {answer:?} from now on"));
        }
    }
    let next = (before.controller.next_client(), after.controller.next_client());
    if next.0 != next.1 {
        lines.push(format!("session {} is issued", next.0));
    }
    if let (None, Some(violation)) = (&before.violation, &after.violation) {
        lines.push(format!("VIOLATION {violation}"));
    }
    lines
}

/// A lane per operator, one for the nodes, one for the controller's log.
pub(super) fn lanes(clients: u64) -> Vec<Lane> {
    let lane = |name: String, group: &str| Lane { name, group: group.into() };
    let mut lanes: Vec<Lane> =
        (1..=clients).map(|client| lane(format!("operator {}", ClientId::new(client)), "operators")).collect();
    lanes.push(lane("nodes".into(), "nodes"));
    lanes.push(lane("log of the controller".into(), "controller"));
    lanes
}

/// What the step draws.
pub(super) fn strokes(clients: u64, before: &State, step: &Step, after: &State) -> Vec<Stroke> {
    let nodes = clients as usize;
    let log = nodes + 1;
    let operator = |client: &ClientId| client.get().saturating_sub(1) as usize;
    let mut strokes = Vec::new();
    let mut send = |message: u64, from: usize, label: String, arrives: bool| {
        strokes.push(Stroke::Send { message, from, to: log, label });
        if arrives {
            strokes.push(Stroke::Receive { message });
        }
    };
    match step {
        Step::Ask { client, change } => send(new_request(before, after), operator(client), in_words(change), true),
        Step::Send { client, change } => send(new_request(before, after), operator(client), in_words(change), false),
        Step::Misuse { client, change } => send(digest_of(&(change, client)), operator(client), in_words(change), true),
        Step::RegisterClient | Step::RegisterNode { .. } | Step::Retire { .. } => {
            send(digest_of(&sentence(step)), nodes, sentence(step), true);
        }
        Step::Arrive { request } => strokes.push(Stroke::Receive { message: digest_of(&**request) }),
    }
    let (was, is) = (before.controller.latest(), after.controller.latest());
    if was.num != is.num {
        strokes.push(Stroke::Note { lane: log, label: format!("configuration {}", is.num), tone: Tone::Strong });
    }
    strokes
}

/// The request that this step sent, by its digest.
fn new_request(before: &State, after: &State) -> u64 {
    let new: Option<&Arc<Command>> = after.sent.iter().find(|request| !before.sent.contains(request));
    new.map_or(0, |request| digest_of(&**request))
}
