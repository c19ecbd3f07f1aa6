//! What a state of the replicas shows, compared with the structure that a walk carries.

use super::labels::Look;
use super::{index, node, term};
use crate::binding::structure::{Element, Signature, Structure, element};
use crate::models::raft::{Byte, RaftState};
use quorate_core::raft::{Election, Message, Replication};
use quorate_spec::ids::{NodeId, Term};
use quorate_spec::views::{LogView, Role};

/// Every replica and every disk is as the structure says.
pub(super) fn state(signature: &Signature, now: &Structure, state: &RaftState) -> Result<(), String> {
    for shared in &state.nodes {
        let (view, disk) = (&shared.view, &shared.disk);
        let look = Look { signature, now, n: node(view.node) };
        let wrong = |what: &str| Err(format!("{what} of node {} is not as the specification has it", view.node.get()));
        if !look.shows_term("at", "beyond", view.term) || !look.shows_vote("voted", view.term, view.voted_for) {
            return wrong("the term or the vote");
        }
        let role = |relation, role| look.with(relation).eq((view.role == role).then_some(term(view.term)));
        if !role("candidate", Role::Candidate) || !role("leader", Role::Leader) {
            return wrong("the role");
        }
        if !look.shows_log("log", &view.log) {
            return wrong("the log");
        }
        if look.commit() != index(view.commit) || !look.with("cursor").eq(0..=index(view.applied)) {
            return wrong("the commit index");
        }
        let hard = look.shows_term("disk_at", "disk_beyond", disk.term);
        if !hard || !look.shows_vote("disk_voted", disk.term, disk.voted_for) || !look.shows_log("disk_log", &disk.log)
        {
            return wrong("the disk");
        }
    }
    Ok(())
}

/// What was sent is among the messages of the structure.
pub(super) fn sent(
    signature: &Signature,
    now: &Structure,
    from: NodeId,
    to: NodeId,
    message: &Message<Byte>,
) -> Result<(), String> {
    let look = Look { signature, now, n: node(from) };
    let known = match message {
        Message::Election(Election::RequestVote { term: of, last }) => {
            look.is("request", &[term(*of), index(last.index), term(last.term)])
        }
        Message::Election(Election::VoteGranted { term: of }) => look.is("vote", &[term(*of), node(to)]),
        Message::Replication(Replication::Appended { term: of, matched }) => {
            (0..=index(*matched)).all(|i| look.any("ack", &[look.n, term(*of), i]))
        }
        Message::Replication(Replication::Append { term: of, prev, entries, commit }) => {
            let last = entries.last().map_or(prev.term, |entry| entry.term);
            let end = index(prev.index) + entries.len() as Element;
            look.any("append", &[term(*of), index(prev.index), term(prev.term), end, term(last), index(*commit)])
        }
        Message::Replication(Replication::Heartbeat { term: of, commit, .. }) => {
            index(commit.index) == 0
                || look.any("heartbeat", &[node(to), term(*of), index(commit.index), term(commit.term)])
        }
        _ => true,
    };
    if known { Ok(()) } else { Err(format!("node {} sends {message:?}, which it may not", from.get())) }
}

impl Look<'_> {
    fn shows_term(&self, at: &str, beyond: &str, is: Term) -> bool {
        self.with(at).eq([term(is)]) && self.with(beyond).eq(0..term(is))
    }

    /// The vote in the current term; of earlier terms the code remembers none.
    fn shows_vote(&self, relation: &str, of: Term, voted: Option<NodeId>) -> bool {
        let place = self.signature.place(relation);
        let tuples = place.map_or(&[][..], |place| self.now.tuples(place));
        let mine = tuples.iter().filter(|tuple| element(**tuple, 0) == self.n && element(**tuple, 1) == term(of));
        mine.map(|tuple| element(*tuple, 2)).eq(voted.map(node))
    }

    fn shows_log(&self, relation: &str, log: &LogView) -> bool {
        let first = index(log.base_index);
        let terms = std::iter::once(log.base_term).chain(log.entries.iter().map(|entry| entry.term));
        let entries = (first..).zip(terms).all(|(i, of)| self.is(relation, &[i, term(of)]));
        entries && self.with(relation).max() == Some(index(log.last_index()))
    }

    /// Whether a relation has a tuple that begins like this.
    fn any(&self, relation: &str, beginning: &[Element]) -> bool {
        let place = self.signature.place(relation);
        let tuples = place.map_or(&[][..], |place| self.now.tuples(place));
        let begins = |tuple: &u64| beginning.iter().enumerate().all(|(at, is)| element(*tuple, at) == *is);
        tuples.iter().any(begins)
    }
}
