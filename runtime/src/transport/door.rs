//! Who is inside: how many connections of each sort there are, so that a crowd outside never takes the file descriptors or
//! the memory that the node itself needs.
//!
//! Whoever has not said hello yet makes room for who comes later, the oldest first: idle connections cannot keep anybody
//! out. A peer's newer connection replaces its older one, which may be a dead one.

use quorate_core::message::Peer;
use quorate_spec::ids::{NodeId, Stamp};
use std::collections::BTreeMap;
use tokio::task::AbortHandle;

/// Descriptors that are kept for files, for known peers and for the ways out to them.
const RESERVED: u64 = 256;

/// How many connections of each sort may be open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Room {
    /// Clients.
    pub(super) clients: usize,
    /// Connections that have not said hello.
    pub(super) strangers: usize,
    /// Connections of nodes that are not pinned.
    pub(super) unknown: usize,
}

impl Room {
    /// What a process with this many file descriptors can take in.
    pub(super) fn within(descriptors: u64) -> Self {
        let free = usize::try_from(descriptors.saturating_sub(RESERVED)).unwrap_or(usize::MAX);
        let share = |part: usize, most: usize| (free / part).clamp(8, most);
        Self { clients: share(2, 4096), strangers: share(8, 512), unknown: share(8, 128) }
    }

    /// What this process can take in.
    pub(super) fn of_this_process() -> Self {
        let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
        Self::within(limit.current.unwrap_or(u64::MAX))
    }
}

/// Connections that have not said hello, by the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Strangers {
    last: u64,
    open: BTreeMap<u64, AbortHandle>,
}

impl Strangers {
    /// Lets one in, which `serve` begins to serve under the number that it is given; the oldest goes if there are more
    /// than `most`.
    pub(super) fn let_in(&mut self, most: usize, serve: impl FnOnce(u64) -> AbortHandle) {
        self.last += 1;
        self.open.insert(self.last, serve(self.last));
        if self.open.len() > most
            && let Some((_, oldest)) = self.open.pop_first()
        {
            oldest.abort();
        }
    }

    /// This one has said who it is, or has gone.
    pub(super) fn forget(&mut self, number: u64) {
        self.open.remove(&number);
    }
}

/// The newest connection of each peer.
#[derive(Debug, Default)]
pub(super) struct Inside {
    last: u64,
    open: BTreeMap<(NodeId, Stamp), (u64, AbortHandle)>,
}

impl Inside {
    /// Whether another connection of `peer`, which is not known, is one too many.
    pub(super) fn is_full(&self, peer: Peer, most: usize, is_known: impl Fn(Peer) -> bool) -> bool {
        let strange = |(node, stamp): &&(NodeId, Stamp)| !is_known(Peer { node: *node, stamp: *stamp, ..peer });
        !self.open.contains_key(&(peer.node, peer.stamp)) && self.open.keys().filter(strange).count() >= most
    }

    /// A peer's connection is served; the one before ends. Says under which number to [`Self::leave`].
    pub(super) fn enter(&mut self, peer: Peer, serving: AbortHandle) -> u64 {
        self.last += 1;
        if let Some((_, earlier)) = self.open.insert((peer.node, peer.stamp), (self.last, serving)) {
            earlier.abort();
        }
        self.last
    }

    /// A connection has ended.
    pub(super) fn leave(&mut self, peer: Peer, number: u64) {
        let key = (peer.node, peer.stamp);
        if self.open.get(&key).is_some_and(|(newest, _)| *newest == number) {
            self.open.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quorate_spec::ids::Boot;

    fn peer(node: u64) -> Peer {
        Peer { node: NodeId::new(node), stamp: Stamp::new(node.into()), boot: Boot::new(1) }
    }

    fn task() -> tokio::task::JoinHandle<()> {
        tokio::spawn(std::future::pending())
    }

    /// Whether somebody ends it.
    async fn is_ended(task: tokio::task::JoinHandle<()>) -> bool {
        let ended = tokio::time::timeout(std::time::Duration::from_secs(20), task).await;
        ended.is_ok_and(|ended| ended.is_err_and(|error| error.is_cancelled()))
    }

    #[test]
    fn few_descriptors_are_shared_out_with_some_left() {
        for descriptors in [1024, 4096, 1 << 20] {
            let room = Room::within(descriptors);
            assert!((room.clients + room.strangers + room.unknown) as u64 + RESERVED <= descriptors, "{room:?}");
        }
        assert_eq!(Room::within(u64::MAX), Room { clients: 4096, strangers: 512, unknown: 128 });
        assert!(Room::within(0).clients > 0);
    }

    #[tokio::test]
    async fn the_oldest_stranger_goes_first() {
        let (mut strangers, mut tasks) = (Strangers::default(), Vec::new());
        for _ in 0..3 {
            let task = task();
            strangers.let_in(2, |_| task.abort_handle());
            tasks.push(task);
        }
        assert!(is_ended(tasks.remove(0)).await);
        strangers.forget(2);
        strangers.let_in(2, |_| task().abort_handle());
        tokio::task::yield_now().await;
        assert!(tasks.iter().all(|task| !task.is_finished()), "there was room");
    }

    #[tokio::test]
    async fn a_newer_connection_replaces_the_older_and_what_ended_is_forgotten() {
        let mut inside = Inside::default();
        let (first, second) = (task(), task());
        let older = inside.enter(peer(1), first.abort_handle());
        let newer = inside.enter(peer(1), second.abort_handle());
        assert!(is_ended(first).await);
        inside.leave(peer(1), older);
        assert!(inside.is_full(peer(2), 1, |_| false), "the newer one is still there");
        assert!(!inside.is_full(peer(1), 1, |_| false), "it would be replaced");
        assert!(!inside.is_full(peer(2), 1, |known| known == peer(1)), "known nodes take no stranger's place");
        inside.leave(peer(1), newer);
        assert!(!inside.is_full(peer(2), 1, |_| false) && !second.is_finished());
    }
}
