//! What the tests replicate: words, which make up a text.

use quorate_core::raft::{
    Conflict, Election, Entry, Image, LogPosition, Message, Payload, Replication, Transfer, Write,
};
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Word(pub(crate) String);

impl Payload for Word {
    type Image = Text;

    fn bytes(&self) -> usize {
        self.0.len()
    }
}

/// The words applied so far. A chunk is some of them; a cursor is how many come before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Text(pub(crate) Vec<String>);

impl Image for Text {
    type Chunk = Vec<String>;
    type Cursor = usize;

    fn chunk(&self, from: &usize, limit: usize) -> (Vec<String>, Option<usize>) {
        let mut end = (*from + 1).min(self.0.len());
        let mut bytes = self.0.get(*from).map_or(0, String::len);
        while let Some(word) = self.0.get(end)
            && bytes + word.len() <= limit
        {
            bytes += word.len();
            end += 1;
        }
        let chunk = self.0.get(*from..end).unwrap_or_default().to_vec();
        (chunk, (end < self.0.len()).then_some(end))
    }

    fn blank() -> Self {
        Self::default()
    }

    fn absorb(&mut self, chunk: Vec<String>) {
        self.0.extend(chunk);
    }
}

/// `word/term`, with `-` for the empty entry of a new leader.
pub(crate) fn entry(entry: &Entry<Word>) -> String {
    format!("{}/{}", entry.payload().map_or("-", |word| &word.0), entry.term)
}

pub(crate) fn entries<'a>(entries: impl IntoIterator<Item = &'a Arc<Entry<Word>>>) -> String {
    entries.into_iter().map(|shared| entry(shared)).collect::<Vec<_>>().join(" ")
}

pub(crate) fn position(position: LogPosition) -> String {
    format!("{}/{}", position.index, position.term)
}

fn conflict(conflict: Conflict) -> String {
    match conflict {
        Conflict::Short { last } => format!("the log ends at {last}"),
        Conflict::Term { term, first } => format!("there is term {term} from {first} on"),
    }
}

/// The name of a message, by which a transcript picks it.
pub(crate) fn kind(message: &Message<Word>) -> String {
    let text = format!("{message:?}");
    let inner = text.split_once('(').map_or(text.as_str(), |(_, inner)| inner);
    inner.split([' ', '(']).next().unwrap_or_default().to_owned()
}

/// A message in one line: its name, its term, what it says.
pub(crate) fn describe(message: &Message<Word>) -> String {
    let what = match message {
        Message::Election(Election::PreVote { term, last } | Election::RequestVote { term, last }) => {
            format!("term {term}, log ends at {}", position(*last))
        }
        Message::Election(
            Election::PreVoteGranted { term }
            | Election::PreVoteRefused { term }
            | Election::VoteGranted { term }
            | Election::VoteRefused { term }
            | Election::TimeoutNow { term },
        ) => format!("term {term}"),
        Message::Replication(Replication::Append { term, prev, entries: sent, commit }) => {
            format!("term {term}, after {}: [{}], commit {commit}", position(*prev), entries(sent))
        }
        Message::Replication(Replication::Appended { term, matched })
        | Message::Transfer(Transfer::Installed { term, matched }) => format!("term {term}, matched {matched}"),
        Message::Replication(Replication::AppendRefused { term, rejected, conflict }) => {
            format!("term {term}, rejected {rejected}, {}", self::conflict(*conflict))
        }
        Message::Replication(Replication::Heartbeat { term, commit, read }) => {
            format!("term {term}, commit {}, {read}", commit.index)
        }
        Message::Replication(Replication::HeartbeatAck { term, read }) => format!("term {term}, {read}"),
        Message::Transfer(Transfer::Chunk { term, mark, from, chunk, next }) => {
            let end = next.map_or("the end".to_owned(), |next| next.to_string());
            format!("term {term}, of {}: {from} to {end} [{}]", position(mark.last), chunk.join(" "))
        }
        Message::Transfer(Transfer::Accepted { term, last, next }) => {
            format!("term {term}, of {}: go on at {next}", position(*last))
        }
    };
    format!("{} {what}", kind(message))
}

/// A durable write in a few words.
pub(crate) fn write(write: &Write<Word>) -> String {
    match write {
        Write::HardState(hard) => {
            let vote = hard.voted_for.map_or("nobody".to_owned(), |node| node.get().to_string());
            format!("term {} with a vote for {vote}", hard.term)
        }
        Write::Truncate { from } => format!("no entries from {from} on"),
        Write::Append { first, entries: new } => format!("[{}] from {first} on", entries(new)),
        Write::Mark(mark) => format!("snapshot {}", position(mark.last)),
        Write::Purge { base } => format!("log begins after {}", position(*base)),
        Write::Install(mark) => format!("snapshot {} for everything", position(mark.last)),
    }
}
