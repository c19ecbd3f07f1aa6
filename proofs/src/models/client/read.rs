//! Runs of the client model for people.

use super::actions::{Aim, ClientAction, Reason};
use super::cluster::{call_of, node_of};
use super::state::{ClientState, Flight};
use crate::scenario::{Lane, Stroke, Tone};
use quorate_core::client::Outcome;
use quorate_core::message::{Reply, Request};
use quorate_spec::ids::Ticket;

/// The client, then the nodes by group.
pub(super) fn lanes() -> Vec<Lane> {
    let lane = |name: &str, group: &str| Lane { name: name.into(), group: group.into() };
    vec![lane("client", ""), lane("node 1", "g1, controller"), lane("node 2", "g1"), lane("node 3", "g2")]
}

fn asked(request: &Request) -> String {
    match request {
        Request::Map { .. } => "the question for a map".into(),
        Request::RegisterClient => "the question for a session".into(),
        Request::Get { group, .. } => format!("the read sent to {}", group.gid),
        Request::Write { group, client, seq, op, .. } => {
            format!("call {} (session {client}, number {seq}, sent to {})", call_of(op), group.gid)
        }
        other => format!("{other:?}"),
    }
}

fn flight(state: &ClientState, ticket: Ticket) -> (String, String) {
    let Some(Flight { to, request, .. }) = state.requests.get(&ticket) else {
        return ("a request".into(), "a node".into());
    };
    (asked(request), format!("node {}", node_of(to)))
}

fn answer(reply: &Reply) -> String {
    match reply {
        Reply::Written { position, .. } => format!("it is written, at {position}"),
        Reply::Value { value, position, .. } => {
            let calls = value.as_ref().map_or_else(|| "nothing".into(), |value| format!("calls {:?}", value.to_vec()));
            format!("the value is {calls}, read at {position}")
        }
        Reply::Refused(refusal) => format!("refused: {refusal:?}"),
        Reply::Controller(answer) => format!("{answer:?}"),
        other => format!("{other:?}"),
    }
}

fn reason(reason: Reason) -> String {
    match reason {
        Reason::NoLeader => "it does not lead and knows nobody who does".into(),
        Reason::Leads(node) => format!("node {} leads, it says", node.get()),
        Reason::NoGroup => "it has no replica of that group".into(),
        Reason::Overloaded => "too much is waiting there".into(),
        Reason::WrongGroup(config) => format!("its group does not serve the shard under configuration {config}"),
        Reason::NotYetHere => "the shard's data is on its way there".into(),
        Reason::TooLarge => "the value is over its limit".into(),
    }
}

fn aim(aim: Aim) -> String {
    match aim {
        Aim::Call(call) => format!("call {call}"),
        Aim::Session => "the session".into(),
        Aim::Map => "the map".into(),
    }
}

/// One sentence about a step.
pub(super) fn sentence(before: &ClientState, action: &ClientAction) -> String {
    match action {
        ClientAction::Call => format!("The user makes call {}.", before.ghost.called + 1),
        ClientAction::Execute { ticket } => {
            let (what, node) = flight(before, *ticket);
            format!("{} executes {what}.", capital(&node))
        }
        ClientAction::Answer { ticket } => {
            let told = before.replies.get(ticket).map_or_else(String::new, answer);
            format!("An answer arrives, twice: {told}.")
        }
        ClientAction::TellMap { ticket, config } if config.get() == 0 => {
            format!("{} knows no map yet.", capital(&flight(before, *ticket).1))
        }
        ClientAction::TellMap { ticket, config } => {
            format!("{} tells the map as of configuration {config}.", capital(&flight(before, *ticket).1))
        }
        ClientAction::Refuse { ticket, reason: why } => {
            let (what, node) = flight(before, *ticket);
            format!("{} refuses {what}: {}.", capital(&node), reason(*why))
        }
        ClientAction::LoseLeadership { ticket } => {
            let (what, node) = flight(before, *ticket);
            format!("{} had {what} in its log and has lost its leadership: it may be executed yet.", capital(&node))
        }
        ClientAction::TimeOut { ticket } => match before.requests.get(ticket) {
            Some(_) => {
                let (what, node) = flight(before, *ticket);
                format!("The client has waited long enough for {node} to answer {what}.")
            }
            None => "The client has waited long enough for an answer that is on its way.".into(),
        },
        ClientAction::Retry { aim: whose } => format!("The back-off of {} is over.", aim(*whose)),
        ClientAction::Deadline { call } => format!("The user waits no longer for call {call}."),
        ClientAction::Cut { node } => format!("The connection to node {} breaks.", node.get()),
        ClientAction::Unreachable { node } => {
            format!("No connection to node {} can be opened: nothing was sent.", node.get())
        }
        ClientAction::Move => "Shard s0 moves from g1 to g2, with its sessions.".into(),
        ClientAction::EndSessions => "All sessions issued so far end.".into(),
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Written { position, .. } => format!("written at {position}"),
        Outcome::Value { value, .. } => format!("the value {:?}", value.as_ref().map(|value| value.to_vec())),
        Outcome::Refused(refusal) => format!("refused for good ({refusal:?})"),
        Outcome::NotExecuted { .. } => "not executed".into(),
        Outcome::Unknown { .. } => "outcome unknown".into(),
        Outcome::Timeout { .. } => "no answer in time".into(),
        other => format!("{other:?}"),
    }
}

/// What a step changed.
pub(super) fn changes(before: &ClientState, after: &ClientState) -> Vec<String> {
    let mut lines = Vec::new();
    for (ticket, flight) in after.requests.iter().filter(|(ticket, _)| !before.requests.contains_key(*ticket)) {
        lines.push(format!("{ticket} sets out for node {}: {}", node_of(&flight.to), asked(&flight.request)));
    }
    for (ticket, flight) in &before.requests {
        match after.requests.get(ticket) {
            None if !after.replies.contains_key(ticket) => {
                lines.push(format!("{ticket} is gone: {}", asked(&flight.request)));
            }
            Some(now) if flight.open && !now.open => {
                lines.push(format!("{ticket} will get no answer and may still be executed: {}", asked(&now.request)));
            }
            _ => {}
        }
    }
    for (ticket, reply) in after.replies.iter().filter(|(ticket, _)| !before.replies.contains_key(*ticket)) {
        lines.push(format!("the answer to {ticket} sets out: {}", answer(reply)));
    }
    if before.client.session() != after.client.session() {
        let session = after.client.session().map_or_else(|| "none".into(), |session| format!("{session}"));
        lines.push(format!("the client's session: {session}"));
    }
    for (shard, calls) in &after.cluster.history {
        if before.cluster.history.get(shard) != Some(calls) {
            lines.push(format!("the cluster has executed in {shard}: calls {calls:?}"));
        }
    }
    if before.cluster.floor != after.cluster.floor {
        lines.push(format!("sessions below {} have ended", after.cluster.floor));
    }
    for (call, told) in after.ghost.ended.iter().filter(|(call, _)| !before.ghost.ended.contains_key(*call)) {
        lines.push(format!("the user is told of call {call}: {}", outcome(told)));
    }
    lines.extend(after.violation.iter().map(ToString::to_string));
    lines
}

/// The message of a request, and of its answer.
const fn messages(ticket: Ticket) -> (u64, u64) {
    (2 * ticket.get(), 2 * ticket.get() + 1)
}

/// What a step draws.
pub(super) fn strokes(before: &ClientState, action: &ClientAction, after: &ClientState) -> Vec<Stroke> {
    let note = |lane, label: String, tone| Stroke::Note { lane, label, tone };
    let mut strokes = Vec::new();
    match action {
        ClientAction::Execute { ticket } => {
            if let Some(Flight { to, request, .. }) = before.requests.get(ticket) {
                let lane = node_of(to) as usize;
                strokes.push(Stroke::Receive { message: messages(*ticket).0 });
                strokes.push(note(lane, format!("executes {}", asked(request)), Tone::Strong));
                if let Some(reply) = after.replies.get(ticket) {
                    let (message, label) = (messages(*ticket).1, answer(reply));
                    strokes.push(Stroke::Send { message, from: lane, to: 0, label });
                }
            }
        }
        ClientAction::Answer { ticket } => strokes.push(Stroke::Receive { message: messages(*ticket).1 }),
        ClientAction::TellMap { ticket, .. }
        | ClientAction::Refuse { ticket, .. }
        | ClientAction::LoseLeadership { ticket } => {
            let lane = before.requests.get(ticket).map_or(0, |flight| node_of(&flight.to) as usize);
            let (request, message) = messages(*ticket);
            let label = match action {
                ClientAction::TellMap { config, .. } => format!("map of configuration {config}"),
                ClientAction::Refuse { reason, .. } => format!("{:?}", reason.refusal()),
                _ => "LeadershipLost".into(),
            };
            strokes.push(Stroke::Receive { message: request });
            strokes.push(Stroke::Send { message, from: lane, to: 0, label });
            strokes.push(Stroke::Receive { message });
        }
        ClientAction::Cut { node } | ClientAction::Unreachable { node } => {
            strokes.push(note(node.get() as usize, "connection lost".into(), Tone::Fault));
        }
        ClientAction::Move => strokes.push(note(3, "takes over s0".into(), Tone::Strong)),
        ClientAction::EndSessions => strokes.push(note(1, "sessions end".into(), Tone::Strong)),
        ClientAction::Call => strokes.push(note(0, format!("call {}", after.ghost.called), Tone::Plain)),
        ClientAction::TimeOut { .. } => strokes.push(note(0, "waits no longer".into(), Tone::Plain)),
        ClientAction::Retry { aim: whose } => {
            strokes.push(note(0, format!("tries {} again", aim(*whose)), Tone::Plain))
        }
        ClientAction::Deadline { call } => strokes.push(note(0, format!("deadline of call {call}"), Tone::Fault)),
    }
    for (ticket, flight) in after.requests.iter().filter(|(ticket, _)| !before.requests.contains_key(*ticket)) {
        let (message, label) = (messages(*ticket).0, asked(&flight.request));
        strokes.push(Stroke::Send { message, from: 0, to: node_of(&flight.to) as usize, label });
    }
    for (call, told) in after.ghost.ended.iter().filter(|(call, _)| !before.ghost.ended.contains_key(*call)) {
        strokes.push(note(0, format!("call {call}: {}", outcome(told)), Tone::Strong));
    }
    strokes
}
