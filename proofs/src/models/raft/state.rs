//! The world of the model: nodes, network, budgets, and what has to be remembered to judge it.

use super::intern::Shared;
use super::network::Network;
use super::payload::Byte;
use crate::log_spec::LogSpec;
use quorate_spec::Violation;
use quorate_spec::ids::{LogIndex, NodeId, ReadContext, Term};
use quorate_spec::invariants::RaftGhost;
use std::collections::BTreeMap;
use std::sync::Arc;

/// One state of the world. Its parts are shared with the states around it.
#[derive(Clone, Debug, PartialEq)]
pub struct RaftState {
    /// The nodes, 1 to n.
    pub nodes: Vec<Arc<Shared>>,
    /// The messages.
    pub network: Arc<Network>,
    /// The past, as far as it matters.
    pub ghost: Arc<Ghost>,
    /// What was used up.
    pub spent: Spent,
    /// What went wrong on the way here.
    pub violation: Option<Violation>,
    /// What the checker tells states apart by.
    pub(super) key: u64,
}

/// How often each thing happened that a scope bounds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Spent {
    /// Campaigns begun, where they are bounded.
    pub campaigns: u8,
    /// Proposals taken in.
    pub entries: u8,
    /// Crashes.
    pub crashes: u8,
    /// Snapshots begun.
    pub snapshots: u8,
    /// Heartbeat timers fired.
    pub beats: u8,
    /// Reads taken in.
    pub reads: u8,
    /// Transfers asked for.
    pub transfers: u8,
}

/// What has to be remembered of the past to judge the present.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ghost {
    /// What the specification remembers.
    pub raft: RaftGhost,
    /// The abstract log: what was committed, in order.
    pub log: Vec<(Term, Option<Byte>)>,
    /// How often each proposal was committed.
    pub executions: BTreeMap<u8, u64>,
    /// Reads that were taken in and not answered, and how long the abstract log was then.
    pub reads: BTreeMap<(NodeId, ReadContext), LogIndex>,
    /// The highest term that any replica ever entered.
    pub highest: Term,
    /// The derived hash of all that under each renaming.
    pub(super) hashes: Vec<u64>,
}

impl Ghost {
    /// The part that is hashed, in a world whose nodes bear other names.
    #[allow(clippy::type_complexity, reason = "it only exists to be hashed")]
    pub(super) fn renamed(
        &self,
        name: &dyn Fn(NodeId) -> NodeId,
    ) -> (RaftGhost, Vec<(Term, Option<Byte>)>, BTreeMap<u8, u64>, BTreeMap<(NodeId, ReadContext), LogIndex>, Term)
    {
        let mut raft = self.raft.clone();
        raft.leaders.values_mut().for_each(|leader| *leader = name(*leader));
        let reads = self.reads.iter().map(|((node, read), asked)| ((name(*node), *read), *asked)).collect();
        (raft, self.log.clone(), self.executions.clone(), reads, self.highest)
    }
}

/// The world as a replicated log, seen from above.
pub(super) struct Above<'a> {
    pub(super) log: &'a [(Term, Option<Byte>)],
    pub(super) cursors: Vec<(NodeId, LogIndex)>,
    pub(super) proposed: u8,
}

impl LogSpec for Above<'_> {
    type Entry = (Term, Option<Byte>);

    fn committed(&self) -> LogIndex {
        LogIndex::new(self.log.len() as u64)
    }

    fn entry(&self, index: LogIndex) -> Option<&Self::Entry> {
        self.log.get(usize::try_from(index.get().checked_sub(1)?).ok()?)
    }

    /// Proposals are numbered from 1 on. A leader's own empty entry counts as proposed by it.
    fn proposed(&self, entry: &Self::Entry) -> bool {
        entry.1.is_none_or(|Byte(number)| 1 <= number && number <= self.proposed)
    }

    fn cursors(&self) -> Vec<(NodeId, LogIndex)> {
        self.cursors.clone()
    }
}
