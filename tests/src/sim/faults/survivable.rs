//! Which losses the others make up for.
//!
//! A process may lose any end of what it made durable, without knowing, if in each of its groups every other voter is up,
//! in the same term, and holds durably all that this one holds and an entry of that term. Then whatever it forgets binds
//! nobody: an old candidate's election is over for all others, no candidate of the term has a log that is as new without
//! having it all, and each entry that it acknowledged has a majority without it.

use crate::sim::process::Process;
use crate::sim::world::World;
use quorate_core::node::Node;
use quorate_core::raft::{Durable, Payload, Replica};
use quorate_spec::ids::{GroupId, LogIndex, NodeId, Term};

/// Where a replica is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Standing {
    term: Term,
    last: LogIndex,
    last_term: Term,
}

fn of_memory<P: Payload>(replica: &Replica<P>) -> (Standing, Vec<NodeId>) {
    let last = replica.last();
    let standing = Standing { term: replica.term(), last: last.index, last_term: last.term };
    (standing, replica.voters().iter().copied().collect())
}

fn of_disk<P: Payload>(durable: &Durable<P>) -> Standing {
    let last = durable.last_index();
    Standing { term: durable.hard.term, last, last_term: durable.term_at(last).unwrap_or_default() }
}

fn standing_on_disk(process: &Process, group: GroupId) -> Option<Standing> {
    let durable = &process.shadow.durable;
    if group == GroupId::CONTROLLER {
        return durable.controller.as_ref().map(of_disk);
    }
    durable.data.get(&group).map(of_disk)
}

fn replicas(node: &Node) -> Vec<(GroupId, Standing, Vec<NodeId>)> {
    let controller = node.controller().map(|group| (group.id(), of_memory(group.replica())));
    let data = node.groups().map(|group| (group.id(), of_memory(group.replica())));
    controller.into_iter().chain(data).map(|(id, (standing, voters))| (id, standing, voters)).collect()
}

impl World {
    /// Whether a process may lose any end of what it made durable.
    pub fn is_expendable(&self, number: usize) -> bool {
        let process = &self.processes[number];
        let Some(node) = process.node() else { return false };
        replicas(node).into_iter().all(|(group, mine, voters)| {
            voters.iter().filter(|voter| **voter != process.id).all(|voter| self.covers(*voter, group, mine))
        })
    }

    /// Whether a voter holds all that another replica of its group holds.
    fn covers(&self, voter: NodeId, group: GroupId, mine: Standing) -> bool {
        let original = self.processes.iter().take(self.setup.nodes).find(|process| process.id == voter);
        let Some(process) = original.filter(|process| process.is_up() && process.paused_until <= self.now) else {
            return false;
        };
        let honest = !process.directory.owes() && !process.lossy;
        let Some(disk) = standing_on_disk(process, group) else { return false };
        honest && disk.term == mine.term && disk.last_term == mine.term && disk.last >= mine.last
    }
}
