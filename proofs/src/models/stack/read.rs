//! How a person reads a walk of the stack.

use super::actions::Event;
use super::scopes::Scope;
use super::script;
use super::state::{Call, Envelope, Parcel, State};
use crate::scenario::{Lane, Stroke, Tone};
use quorate_core::message::{DirectoryMessage, Message};
use quorate_core::raft::{Election, Message as Raft, Payload, Replication, Transfer};
use quorate_core::shard::ShardMessage;
use quorate_spec::ids::NodeId;

/// The nodes, then the operator and the users.
pub(super) fn lanes(scope: &Scope) -> Vec<Lane> {
    let nodes = (1..=script::NODES).map(|node| Lane { name: format!("n{node}"), group: "nodes".to_owned() });
    let users = (0..=scope.clients).map(|client| Lane {
        name: if client == 0 { "operator".to_owned() } else { format!("user {client}") },
        group: "clients".to_owned(),
    });
    nodes.chain(users).collect()
}

fn node_lane(node: NodeId) -> usize {
    (node.get() as usize).saturating_sub(1)
}

fn client_lane(client: usize) -> usize {
    script::NODES as usize + client
}

/// What a Raft message says, in a few words.
fn raft<P: Payload>(message: &Raft<P>) -> String {
    match message {
        Raft::Election(Election::PreVote { term, .. }) => format!("pre-vote for term {term}?"),
        Raft::Election(Election::PreVoteGranted { term }) => format!("pre-vote for term {term}: yes"),
        Raft::Election(Election::PreVoteRefused { term }) => format!("pre-vote: no, in term {term}"),
        Raft::Election(Election::RequestVote { term, .. }) => format!("vote for term {term}?"),
        Raft::Election(Election::VoteGranted { term }) => format!("vote for term {term}: yes"),
        Raft::Election(Election::VoteRefused { term }) => format!("vote: no, in term {term}"),
        Raft::Election(Election::TimeoutNow { term }) => format!("campaign now, after term {term}"),
        Raft::Replication(Replication::Append { term, prev, entries, .. }) => {
            format!("append {} after {} (term {term})", entries.len(), prev.index)
        }
        Raft::Replication(Replication::Appended { matched, .. }) => format!("appended up to {matched}"),
        Raft::Replication(Replication::AppendRefused { rejected, .. }) => format!("append after {rejected} refused"),
        Raft::Replication(Replication::Heartbeat { term, .. }) => format!("heartbeat (term {term})"),
        Raft::Replication(Replication::HeartbeatAck { term, .. }) => format!("heartbeat seen (term {term})"),
        Raft::Transfer(Transfer::Chunk { mark, .. }) => format!("part of snapshot {}", mark.last.index),
        Raft::Transfer(Transfer::Accepted { last, .. }) => format!("next part of snapshot {}", last.index),
        Raft::Transfer(Transfer::Installed { matched, .. }) => format!("snapshot in, up to {matched}"),
    }
}

/// What a message between nodes says, in a few words.
pub(in crate::models) fn message(message: &Message) -> String {
    match message {
        Message::Controller(message) => format!("controller: {}", raft(message)),
        Message::Data { group, message } => format!("{group}: {}", raft(message)),
        Message::Shard(message) => shard(message),
        Message::Directory(DirectoryMessage::Fetch { config, .. }) => {
            format!("what comes after configuration {config}?")
        }
        Message::Directory(DirectoryMessage::News { configs, .. }) => format!("news: {} configurations", configs.len()),
        Message::Directory(DirectoryMessage::Changed { config, .. }) => format!("there is configuration {config}"),
        Message::Directory(DirectoryMessage::Register { node, .. }) => format!("register {node}"),
        Message::Directory(DirectoryMessage::Retire { group }) => format!("retire {group}"),
        Message::Directory(DirectoryMessage::Greet(_) | DirectoryMessage::Greeted(_)) => "greeting".to_owned(),
        Message::Refused { reason, .. } => format!("refused: {reason:?}"),
    }
}

fn shard(message: &ShardMessage) -> String {
    let text = format!("{message:?}");
    text.chars().take_while(|letter| *letter != '{').collect::<String>().trim().to_owned()
}

fn parcel(envelope: &Envelope) -> (usize, usize, String) {
    let brief = |text: String| text.split([' ', '{', '(']).next().unwrap_or_default().to_owned();
    match &envelope.parcel {
        Parcel::Peer { from, to, message: said } => (node_lane(from.node), node_lane(*to), message(said)),
        Parcel::Request { client, to, request, .. } => {
            (client_lane(*client), node_lane(*to), format!("asks {}", brief(format!("{request:?}"))))
        }
        Parcel::Reply { from, client, reply, .. } => {
            (node_lane(*from), client_lane(*client), format!("answers {reply:?}").chars().take(60).collect())
        }
    }
}

fn lane_name(lane: usize) -> String {
    let nodes = script::NODES as usize;
    match lane.checked_sub(nodes) {
        None => format!("n{}", lane + 1),
        Some(0) => "the operator".to_owned(),
        Some(user) => format!("user {user}"),
    }
}

/// One sentence about an event.
pub(super) fn sentence(before: &State, event: &Event) -> String {
    let told = |place: &usize, ends: &str| match before.network.get(*place) {
        Some(envelope) => {
            let (from, to, text) = parcel(envelope);
            format!("{ends} {} to {}: {text}", lane_name(from), lane_name(to))
        }
        None => "nothing is on its way there".to_owned(),
    };
    match event {
        Event::Deliver { place } => told(place, "arrives, from"),
        Event::Lose { place } => told(place, "is lost, from"),
        Event::Repeat { place } => told(place, "arrives, and will again, from"),
        Event::Sync { node } => format!("n{node} syncs all its writes"),
        Event::WriteSnapshot { node } => format!("n{node} has a snapshot durably"),
        Event::Fire { node, timer } => format!("n{node}'s timer fires: {timer:?}"),
        Event::Crash { node, keep } => {
            let pending = before.process(NodeId::new(*node)).map_or(0, |process| process.pending.len());
            format!("n{node} crashes and restarts; {keep} of its {pending} unsynced writes are on its disk")
        }
        Event::Submit { client, key, append: true } => format!("user {client} appends to k{key}"),
        Event::Submit { client, key, append: false } => format!("user {client} reads k{key}"),
        Event::FireClient { client, place } => {
            let timer = before.clients.get(*client).and_then(|side| side.timers.keys().nth(*place));
            format!("a timer of {} fires: {timer:?}", lane_name(client_lane(*client)))
        }
        Event::ReplaceClient { client } => format!("user {client} is replaced by a new one"),
        Event::Operate => format!("the operator asks for {:?}", script::change(before.script, None)),
        Event::Transfer { gid, to } => format!("the operator hands the leadership of g{gid} to n{to}"),
        Event::Calm => "the faults end: a fair schedule must get everything done from here".to_owned(),
    }
}

/// What an event changed, a line each.
pub(super) fn changes(before: &State, after: &State) -> Vec<String> {
    let mut lines = Vec::new();
    for (place, (one, other)) in before.processes.iter().zip(&after.processes).enumerate() {
        for group in other.node.groups() {
            let old = then_of(one, group.id());
            let text = format!("{:?} applied {}", group.replica().role(), group.applied());
            if old.as_deref() != Some(text.as_str()) {
                lines.push(format!(
                    "n{} {}: {} -> {text}",
                    place + 1,
                    group.id(),
                    old.unwrap_or_else(|| "-".to_owned())
                ));
            }
        }
        if one.pending.len() != other.pending.len() {
            lines.push(format!("n{} unsynced writes: {} -> {}", place + 1, one.pending.len(), other.pending.len()));
        }
    }
    for (key, (one, other)) in before.ghost.truth.iter().zip(&after.ghost.truth).enumerate() {
        if one.len() != other.len() {
            lines.push(format!("k{key} has {} appends, before {}", other.len(), one.len()));
        }
    }
    lines.extend(after.violation.as_ref().map(|violation| format!("VIOLATION {violation}")));
    lines
}

fn then_of(process: &super::state::Process, group: quorate_spec::ids::GroupId) -> Option<String> {
    let group = process.node.groups().find(|other| other.id() == group)?;
    Some(format!("{:?} applied {}", group.replica().role(), group.applied()))
}

/// What an event draws.
pub(super) fn strokes(before: &State, event: &Event, after: &State) -> Vec<Stroke> {
    let mut strokes = Vec::new();
    let note = |lane, label: &str, tone| Stroke::Note { lane, label: label.to_owned(), tone };
    match event {
        Event::Deliver { place } | Event::Repeat { place } => {
            strokes.extend(before.network.get(*place).map(|envelope| Stroke::Receive { message: envelope.id }));
        }
        Event::Lose { .. } | Event::Calm => {}
        Event::Sync { node } => strokes.push(note(node_lane(NodeId::new(*node)), "sync", Tone::Plain)),
        Event::WriteSnapshot { node } => strokes.push(note(node_lane(NodeId::new(*node)), "snapshot", Tone::Plain)),
        Event::Fire { node, .. } => strokes.push(note(node_lane(NodeId::new(*node)), "timer", Tone::Plain)),
        Event::Crash { node, .. } => strokes.push(note(node_lane(NodeId::new(*node)), "crash", Tone::Fault)),
        Event::Submit { client, key, append } => {
            let label = if *append { format!("append k{key}") } else { format!("read k{key}") };
            strokes.push(note(client_lane(*client), &label, Tone::Strong));
        }
        Event::FireClient { client, .. } => strokes.push(note(client_lane(*client), "timer", Tone::Plain)),
        Event::ReplaceClient { client } => strokes.push(note(client_lane(*client), "new", Tone::Fault)),
        Event::Operate => strokes.push(note(client_lane(0), "change", Tone::Strong)),
        Event::Transfer { .. } => strokes.push(note(client_lane(0), "transfer", Tone::Strong)),
    }
    for envelope in after.network.iter().filter(|envelope| envelope.id > before.sent) {
        let (from, to, label) = parcel(envelope);
        strokes.push(Stroke::Send { message: envelope.id, from, to, label });
    }
    let ended = before.clients.iter().zip(&after.clients).enumerate();
    for (client, (one, other)) in ended {
        if let (Some((_, call)), None) = (&one.call, &other.call) {
            let label = match call {
                Call::Append { .. } => "append ends",
                Call::Get { .. } => "read ends",
                Call::Operate => "ends",
            };
            strokes.push(note(client_lane(client), label, Tone::Strong));
        }
    }
    strokes
}
