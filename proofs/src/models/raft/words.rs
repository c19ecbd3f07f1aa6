//! Messages, writes and positions in a few words.

use super::payload::Byte;
use quorate_core::raft::{Conflict, Election, Entry, LogPosition, Message, Replication, Transfer, Write};
use quorate_spec::ids::NodeId;
use std::sync::Arc;

/// A message's name.
pub(super) const fn kind(message: &Message<Byte>) -> &'static str {
    match message {
        Message::Election(message) => match message {
            Election::PreVote { .. } => "PreVote",
            Election::PreVoteGranted { .. } => "PreVoteGranted",
            Election::PreVoteRefused { .. } => "PreVoteRefused",
            Election::RequestVote { .. } => "RequestVote",
            Election::VoteGranted { .. } => "VoteGranted",
            Election::VoteRefused { .. } => "VoteRefused",
            Election::TimeoutNow { .. } => "TimeoutNow",
        },
        Message::Replication(message) => match message {
            Replication::Append { .. } => "Append",
            Replication::Appended { .. } => "Appended",
            Replication::AppendRefused { .. } => "AppendRefused",
            Replication::Heartbeat { .. } => "Heartbeat",
            Replication::HeartbeatAck { .. } => "HeartbeatAck",
        },
        Message::Transfer(message) => match message {
            Transfer::Chunk { .. } => "Chunk",
            Transfer::Accepted { .. } => "Accepted",
            Transfer::Installed { .. } => "Installed",
        },
    }
}

/// What a message says.
pub(super) fn what(message: &Message<Byte>) -> String {
    match message {
        Message::Election(Election::PreVote { term, last }) => {
            format!("could I win term {term} with a log that ends at {}?", position(*last))
        }
        Message::Election(Election::RequestVote { term, last }) => {
            format!("vote for me in term {term}; my log ends at {}", position(*last))
        }
        Message::Election(Election::PreVoteGranted { term }) => format!("you could win term {term}"),
        Message::Election(Election::PreVoteRefused { term }) => format!("no, I am in term {term}"),
        Message::Election(Election::VoteGranted { term }) => format!("you have my vote in term {term}"),
        Message::Election(Election::VoteRefused { term }) => format!("no vote in term {term}"),
        Message::Election(Election::TimeoutNow { term }) => format!("campaign at once, says the leader of term {term}"),
        Message::Replication(Replication::Append { term, prev, entries: sent, commit }) => {
            format!("term {term}, after {} comes [{}]; commit {commit}", position(*prev), entries(sent))
        }
        Message::Replication(Replication::Appended { term, matched }) => {
            format!("term {term}, my durable log matches up to {matched}")
        }
        Message::Replication(Replication::AppendRefused { term, rejected, conflict }) => {
            let why = match conflict {
                Conflict::Short { last } => format!("my log ends at {last}"),
                Conflict::Term { term, first } => format!("I have term {term} from {first} on"),
            };
            format!("term {term}, nothing can follow {rejected}: {why}")
        }
        Message::Replication(Replication::Heartbeat { term, commit, read }) => {
            format!("I lead term {term}; commit {} of term {}, read round {}", commit.index, commit.term, read.get())
        }
        Message::Replication(Replication::HeartbeatAck { term, read }) => {
            format!("in term {term} I know no other leader; read round {}", read.get())
        }
        Message::Transfer(Transfer::Chunk { term, mark, from, next, .. }) => {
            let last = if next.is_none() { ", the last" } else { "" };
            format!("term {term}, part {from} of the snapshot at {}{last}", position(mark.last))
        }
        Message::Transfer(Transfer::Accepted { term, last, next }) => {
            format!("term {term}, of the snapshot at {} send part {next}", position(*last))
        }
        Message::Transfer(Transfer::Installed { term, matched }) => {
            format!("term {term}, the snapshot is in: I match up to {matched}")
        }
    }
}

/// Entries as `command/term`, with `-` for the empty entry of a new leader.
pub(super) fn entries(entries: &[Arc<Entry<Byte>>]) -> String {
    let entry = |entry: &Arc<Entry<Byte>>| {
        let command = entry.payload().map_or_else(|| "-".into(), |byte| byte.0.to_string());
        format!("{command}/{}", entry.term)
    };
    entries.iter().map(entry).collect::<Vec<_>>().join(" ")
}

/// A position as `index of term`.
pub(super) fn position(position: LogPosition) -> String {
    format!("{} of term {}", position.index, position.term)
}

/// Whom a vote went to.
pub(super) fn vote(vote: Option<NodeId>) -> String {
    vote.map_or_else(|| "nobody".into(), |node| node.to_string())
}

/// A durable write.
pub(super) fn write(write: &Write<Byte>) -> String {
    match write {
        Write::HardState(hard) => format!("term {} with a vote for {}", hard.term, vote(hard.voted_for)),
        Write::Truncate { from } => format!("nothing from {from} on"),
        Write::Append { first, entries: new } => format!("[{}] from {first} on", entries(new)),
        Write::Mark(mark) => format!("a snapshot up to {}", position(mark.last)),
        Write::Purge { base } => format!("the log begins after {}", position(*base)),
        Write::Install(mark) => format!("a snapshot up to {} for everything", position(mark.last)),
    }
}
