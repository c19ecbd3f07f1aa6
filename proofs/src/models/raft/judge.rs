//! What every step is judged by: the invariants of the specification, the abstract log, and reads.

use super::RaftModel;
use super::intern::{Done, Shared};
use super::state::{Above, Ghost, RaftState, Spent};
use crate::log_spec::{self, LogSpec};
use quorate_spec::Violation;
use quorate_spec::ids::{LogIndex, NodeId};
use quorate_spec::invariants::{self, at_most_once, state_machine_safety};
use std::sync::Arc;

/// What a step leaves to remember, and what is wrong with it.
pub(super) struct Judged {
    pub(super) ghost: Arc<Ghost>,
    pub(super) violation: Option<Violation>,
}

impl RaftModel {
    /// Judges a step of the node at `place` from `before` to `nodes`.
    pub(super) fn judge(
        &self,
        before: &RaftState,
        nodes: &[Arc<Shared>],
        place: usize,
        done: &Done,
        crashed: bool,
        spent: Spent,
    ) -> Judged {
        let told = &done.told;
        let quiet = !done.shows
            && done.violation.is_none()
            && told.read.is_none()
            && told.ready.is_empty()
            && !told.stepped_down;
        if quiet && !crashed {
            return Judged { ghost: Arc::clone(&before.ghost), violation: None };
        }
        let mut ghost = Ghost::clone(&before.ghost);
        let result = self.observe(before, nodes, place, done, crashed, spent, &mut ghost);
        if ghost == *before.ghost {
            return Judged { ghost: Arc::clone(&before.ghost), violation: result.err() };
        }
        ghost.hashes = self.renamings.hashes(|name| ghost.renamed(name));
        Judged { ghost: Arc::new(ghost), violation: result.err() }
    }

    #[allow(clippy::too_many_arguments, reason = "a step is that many things")]
    fn observe(
        &self,
        before: &RaftState,
        nodes: &[Arc<Shared>],
        place: usize,
        done: &Done,
        crashed: bool,
        spent: Spent,
        ghost: &mut Ghost,
    ) -> Result<(), Violation> {
        let node = done.after.local.replica.me();
        ghost.highest = ghost.highest.max(done.after.local.replica.term());
        if let Some(violation) = &done.violation {
            return Err(violation.clone());
        }
        if let Some(read) = done.told.read {
            ghost.reads.insert((node, read), LogIndex::new(before.ghost.log.len() as u64));
        }
        observe_reads(ghost, node, done)?;
        if done.told.stepped_down || crashed {
            ghost.reads.retain(|(reader, _), _| *reader != node);
        }
        observe_commits(ghost, done)?;
        observe_image(ghost, &nodes[place])?;
        if done.shows {
            let views: Vec<_> = nodes.iter().map(|node| node.view.clone()).collect();
            let disks: Vec<_> = nodes.iter().map(|node| node.disk.clone()).collect();
            invariants::cluster(&mut ghost.raft, &self.voters, &views, &disks)?;
            self.refines(before, nodes, ghost, spent, crashed.then_some(node))?;
        }
        Ok(())
    }

    /// The step, seen from above, is a step of the abstract log.
    fn refines(
        &self,
        before: &RaftState,
        nodes: &[Arc<Shared>],
        ghost: &Ghost,
        spent: Spent,
        restarted: Option<NodeId>,
    ) -> Result<(), Violation> {
        let cursors =
            |nodes: &[Arc<Shared>]| nodes.iter().map(|node| (node.view.node, node.view.applied)).collect::<Vec<_>>();
        let (was, is) = (cursors(&before.nodes), cursors(nodes));
        if was == is && before.ghost.log == ghost.log {
            return Ok(());
        }
        let was = Above { log: &before.ghost.log, cursors: was, proposed: before.spent.entries };
        let is = Above { log: &ghost.log, cursors: is, proposed: spent.entries };
        log_spec::log_step(&was, &is, restarted.as_slice())
    }
}

/// What a node commits is at the end of the abstract log, or in it already: the log grows by one atomic append each time
/// a leader commits, and followers only read it.
fn observe_commits(ghost: &mut Ghost, done: &Done) -> Result<(), Violation> {
    let node = done.after.local.replica.me();
    for (index, term, command) in &done.told.committed {
        let entry = (*term, *command);
        let end = LogIndex::new(ghost.log.len() as u64);
        if *index == end.next() {
            ghost.log.push(entry);
            if let Some(byte) = command {
                at_most_once::observe(&mut ghost.executions, byte.0)?;
            }
            continue;
        }
        let above = Above { log: &ghost.log, cursors: Vec::new(), proposed: 0 };
        if above.entry(*index) != Some(&entry) {
            let held = above.entry(*index);
            let evidence = format!("{node} committed {entry:?} at index {index}, where the abstract log has {held:?}");
            return Err(Violation::new(log_spec::NAME, evidence));
        }
    }
    Ok(())
}

/// A read is answered from a state that holds all that was committed when it was asked.
fn observe_reads(ghost: &mut Ghost, reader: NodeId, done: &Done) -> Result<(), Violation> {
    for (read, index) in &done.told.ready {
        let asked = ghost.reads.range((reader, Default::default())..=(reader, *read)).map(|(_, asked)| *asked).max();
        ghost.reads.retain(|(node, context), _| *node != reader || context > read);
        log_spec::read_is_fresh(asked.unwrap_or_default(), *index)?;
    }
    Ok(())
}

/// A node's state is what its part of the abstract log makes of nothing, also when it came by a snapshot.
fn observe_image(ghost: &Ghost, node: &Shared) -> Result<(), Violation> {
    let applied = node.view.applied.get() as usize;
    let expected = ghost.log.iter().take(applied).filter_map(|(_, command)| command.map(|byte| byte.0));
    if applied > ghost.log.len() || !expected.eq(node.local.image.0.iter().copied()) {
        let (node, image) = (node.view.node, &node.local.image.0);
        let evidence = format!("the state of {node} at index {applied} is {image:?}, which its log does not make");
        return Err(Violation::new(state_machine_safety::NAME, evidence));
    }
    Ok(())
}
