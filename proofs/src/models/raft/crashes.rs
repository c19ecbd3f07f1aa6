//! Whom a crash can hit, and which writes wait for it.
//!
//! What a node writes is synced within the step, or it waits. Where writes that wait could still be synced, that is a deed
//! of its own. With [`Reductions::sync_at_once`] they wait for a crash and for nothing else. For nothing tells a write
//! that is synced late from a message that leaves late: the promise that rests on it is a message, or a count of the
//! node's own copy, that comes later, and every message of this world may be late. (A leader that counts its own copy
//! late commits late; what it would have committed is committed here, on the same disks.) So what is synced before the
//! crash of its node may as well be synced at once, and the first write that waits is one that the crash loses. The later
//! ones of the same step are lost with it, and those of later steps. So a disk with writes that wait does nothing before
//! its crash, which keeps less than what the first such step wrote; and no more nodes wait than may still crash.
//!
//! A node that waits and does not lead sends nothing, where heartbeats, reads, snapshots and pre-votes are not explored:
//! all that it says is a promise. What it does until its crash is seen by nobody and forgotten by itself, so with
//! [`Reductions::unseen`] it does nothing. A step that sends something all the same is taken, so that a promise that
//! leaves early is seen.
//!
//! [`Reductions::sync_at_once`]: super::scopes::Reductions::sync_at_once
//! [`Reductions::unseen`]: super::scopes::Reductions::unseen

use super::intern::{Done, Shared};
use super::local::Local;
use super::scopes::Scope;
use super::state::Spent;
use std::ops::Range;
use std::sync::Arc;

/// The crashes that are left.
#[derive(Clone, Copy)]
pub(super) struct Crashes {
    left: u8,
    /// Those that no node waits for.
    free: u8,
}

impl Crashes {
    /// Of a scope, in a state.
    pub(super) fn left(scope: &Scope, nodes: &[Arc<Shared>], spent: Spent) -> Self {
        let left = scope.crashes.saturating_sub(spent.crashes);
        if left == 0 || !scope.reductions.sync_at_once {
            return Self { left, free: left };
        }
        let waiting = nodes.iter().filter(|shared| shared.local.waits()).count();
        Self { left, free: left.saturating_sub(waiting as u8) }
    }

    /// Whether a node can still crash: it has writes that wait for it, or nobody else needs the crash.
    pub(super) const fn may_hit(self, local: &Local) -> bool {
        self.free > 0 || (self.left > 0 && local.waits())
    }

    /// How many pending writes a crash can keep; none, if none is pending.
    pub(super) fn may_keep(scope: &Scope, local: &Local) -> Range<usize> {
        if scope.reductions.sync_at_once { 0..local.first.max(1) } else { 0..local.pending.len() + 1 }
    }
}

/// Whether a step whose writes wait need not be taken: it leaves nothing that waits, so it is the step that syncs at once,
/// or nobody sees it.
pub(super) fn is_needless(scope: &Scope, before: &Shared, done: &Done) -> bool {
    if !scope.reductions.sync_at_once {
        return false;
    }
    if !before.local.waits() {
        return !done.after.local.waits();
    }
    let leads = |shared: &Shared| shared.local.replica.is_leader();
    let silent = done.sends.is_empty() && done.violation.is_none() && !leads(before) && !leads(&done.after);
    scope.reductions.unseen && !scope.has_unsynced_messages() && silent
}
