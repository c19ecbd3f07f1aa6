//! What the labels of a replica mean: the actions that each stands for, in the structure in which it happens.

use super::{index, node, term};
use crate::binding::Deed;
use crate::binding::structure::{Element, Signature, Structure};
use crate::models::raft::{Byte, Deed as Input};
use quorate_core::raft::{Message, Replication};
use quorate_spec::action::Action;
use quorate_spec::ids::NodeId;

/// The actions that a label of `who` stands for.
pub(super) fn deeds(
    signature: &Signature,
    now: &Structure,
    who: NodeId,
    label: &Action,
    input: &Input,
) -> Result<Vec<Deed>, String> {
    let n = node(who);
    let look = Look { signature, now, n };
    let deed = |action, given: &[(&'static str, Element)]| vec![Deed { action, given: [&[("n", n)], given].concat() }];
    Ok(match label {
        Action::StartElection { term: entered } => deed("StartElection", &[("u", term(*entered))]),
        Action::StepDown { term: entered } => deed("StepDown", &[("u", term(*entered))]),
        // A candidate is one no more when it asks anew, or follows a leader of its term.
        Action::StartPreVote { .. } => look.no_candidate(),
        Action::HandleAppend { accepted: false, term: of, .. } if look.is("at", &[term(*of)]) => look.no_candidate(),
        Action::HandleRequestVote { from, term: of, granted: true } => {
            deed("HandleRequestVote", &[("c", node(*from)), ("u", term(*of))])
        }
        // With its first entry.
        Action::BecomeLeader { .. } => [deed("BecomeLeader", &[]), deed("Propose", &[("i", look.last() + 1)])].concat(),
        Action::Propose { first, count, .. } => {
            let first = index(*first);
            (first..first + *count as Element).flat_map(|i| deed("Propose", &[("i", i)])).collect()
        }
        Action::SendAppend { prev, count, .. } => {
            let j = index(*prev);
            deed("SendAppend", &[("j", j), ("i", j + *count as Element), ("k", look.commit())])
        }
        Action::HandleAppend { accepted: true, .. } => look.append(input)?,
        Action::SyncWrites { .. } => deed("SyncWrites", &[]),
        Action::AdvanceCommit { index: to } if look.leads() => deed("AdvanceCommit", &[("i", index(*to))]),
        Action::AdvanceCommit { index: to } if look.commit() >= index(*to) => Vec::new(),
        Action::AdvanceCommit { .. } => return Err("a follower learns of a commit that nobody told it of".to_owned()),
        Action::Apply { index: at, .. } => deed("Apply", &[("i", index(*at))]),
        Action::HandleHeartbeat { term: of, .. } => look.heartbeat(input, term(*of)),
        Action::Restart { .. } => deed("Restart", &[("i", 0)]),
        _ => Vec::new(),
    })
}

/// What the structure shows of one node.
pub(super) struct Look<'a> {
    pub(super) signature: &'a Signature,
    pub(super) now: &'a Structure,
    pub(super) n: Element,
}

impl Look<'_> {
    pub(super) fn is(&self, relation: &str, tuple: &[Element]) -> bool {
        self.now.holds(self.signature, relation, &[&[self.n], tuple].concat())
    }

    /// The second elements of the tuples of a relation that begin with this node.
    pub(super) fn with(&self, relation: &str) -> impl Iterator<Item = Element> + '_ {
        let place = self.signature.place(relation);
        let tuples = place.map_or(&[][..], |place| self.now.tuples(place));
        tuples.iter().filter(|tuple| (**tuple >> 56) as Element == self.n).map(|tuple| (*tuple >> 48) as Element)
    }

    /// The last index of its log.
    fn last(&self) -> Element {
        self.with("log").max().unwrap_or_default()
    }

    /// Up to where it knows entries to be committed.
    pub(super) fn commit(&self) -> Element {
        self.with("known").max().unwrap_or_default()
    }

    fn leads(&self) -> bool {
        self.with("leader").next().is_some()
    }

    fn no_candidate(&self) -> Vec<Deed> {
        let terms = self.with("candidate");
        terms.map(|u| Deed { action: "StepDown", given: vec![("n", self.n), ("u", u)] }).collect()
    }

    /// An append whose entries are all here removes nothing; of another, what is here first in another term goes.
    fn append(&self, input: &Input) -> Result<Vec<Deed>, String> {
        let Some(Replication::Append { term: of, prev, entries, commit }) = replication(input) else {
            return Err("no append came".to_owned());
        };
        let (j, k) = (index(prev.index), index(*commit));
        let i = j + entries.len() as Element;
        let differs = |(at, entry): &(Element, &std::sync::Arc<quorate_core::raft::Entry<Byte>>)| {
            !self.is("log", &[*at, term(entry.term)])
        };
        let first = (j + 1..).zip(entries).find(differs).map(|(at, _)| at);
        let mut given = vec![("n", self.n), ("u", term(*of)), ("j", j), ("i", i), ("k", k)];
        let action = match first {
            None => {
                given.push(("m", k.min(i)));
                "HandleAppend.known"
            }
            Some(z) => {
                given.extend([("z", z), ("m", i), ("h", k.min(i))]);
                "HandleAppend.new"
            }
        };
        Ok(vec![Deed { action, given }])
    }

    /// A heartbeat that names no commit index says only that the leader is there.
    fn heartbeat(&self, input: &Input, u: Element) -> Vec<Deed> {
        match replication(input) {
            Some(Replication::Heartbeat { commit, .. }) if index(commit.index) > 0 => {
                let given = vec![("n", self.n), ("u", u), ("i", index(commit.index))];
                vec![Deed { action: "HandleHeartbeat", given }]
            }
            _ => self.no_candidate(),
        }
    }
}

fn replication(input: &Input) -> Option<&Replication<Byte>> {
    match input {
        Input::Deliver(envelope) => match &envelope.message {
            Message::Replication(message) => Some(message),
            _ => None,
        },
        _ => None,
    }
}
