//! Keeping the map fresh: one question at a time, to one node after another.

use super::machine::Client;
use super::routes::Server;
use super::types::{CallId, Effects, Endpoint, Outcome, Task, Timer, Wait};
use crate::controller::{Configuration, Directory};
use crate::message::{Reply, Request};
use alloc::collections::BTreeSet;
use alloc::sync::Arc;
use quorate_spec::ids::{NodeId, Seq, Ticket};

/// How far asking for a newer map is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Refresh {
    attempt: Option<Ticket>,
    backing_off: bool,
    /// Failures in a row since the last back-off.
    failed: usize,
    /// Back-offs in a row.
    round: u32,
    /// Whom to ask next, counted over everyone known.
    next: usize,
    /// Calls that asked for the map.
    pub(super) waiters: BTreeSet<CallId>,
}

impl Client {
    /// The question for a newer map.
    pub(super) fn map_request(&self) -> Request {
        Request::Map { config: self.routes.config().num, version: self.routes.directory().version }
    }

    /// Asks for a newer map unless somebody is being asked; `whom` is known to have it, anybody may.
    pub(super) fn refresh(&mut self, whom: Option<&Endpoint>, fx: &mut Effects) {
        if self.refresh.attempt.is_some() || (self.refresh.backing_off && whom.is_none()) {
            return;
        }
        let everyone = self.routes.everyone();
        let turn = self.refresh.next.checked_rem(everyone.len()).and_then(|turn| everyone.get(turn));
        let Some(endpoint) = whom.or(turn).cloned() else { return };
        if self.refresh.backing_off {
            self.refresh.backing_off = false;
            fx.disarm(Timer::Retry { task: Task::Refresh });
        }
        let server = Server { node: NodeId::ZERO, endpoint };
        let request = self.map_request();
        let ticket = self.send(Task::Refresh, None, server, request, Seq::ZERO, fx);
        self.refresh.attempt = Some(ticket);
    }

    /// An answer to the question came.
    pub(super) fn refreshed(&mut self, reply: Reply, fx: &mut Effects) {
        let Reply::Map { config, directory } = reply else {
            return self.refresh_failed(fx);
        };
        self.refresh.attempt = None;
        let news = self.learn(config, directory, fx);
        if self.routes.config().shards.is_empty() {
            // A node that has just started does not know where shards are: another one may, or this one later.
            return self.refresh_failed(fx);
        }
        self.refresh.failed = 0;
        self.refresh.round = 0;
        if !news {
            // Nothing new here: maybe elsewhere, when somebody needs it again.
            self.refresh.next = self.refresh.next.wrapping_add(1);
        }
        let (config, directory) = self.map();
        while let Some(id) = self.refresh.waiters.pop_first() {
            self.finish(id, Outcome::Map { config: config.clone(), directory: directory.clone() }, fx);
        }
    }

    /// Takes in what is newer, whoever told it; says whether anything was.
    pub(super) fn learn(
        &mut self,
        config: Option<Arc<Configuration>>,
        directory: Option<Arc<Directory>>,
        fx: &mut Effects,
    ) -> bool {
        let news = self.routes.learn(config, directory);
        if news {
            self.map_changed(fx);
        }
        news
    }

    /// The node asked did not tell. The next one is asked at once; after a full round, after a back-off.
    pub(super) fn refresh_failed(&mut self, fx: &mut Effects) {
        self.refresh.attempt = None;
        self.refresh.next = self.refresh.next.wrapping_add(1);
        self.refresh.failed += 1;
        if self.refresh.failed < self.routes.everyone().len() {
            return self.refresh(None, fx);
        }
        let round = self.refresh.round;
        self.refresh.failed = 0;
        self.refresh.round = round.saturating_add(1);
        self.refresh.backing_off = true;
        fx.arm(Timer::Retry { task: Task::Refresh }, Wait::Backoff { round });
    }

    /// The back-off is over. An idle client that has a map stays quiet until somebody needs a newer one.
    pub(super) fn refresh_again(&mut self, fx: &mut Effects) {
        let waited = core::mem::take(&mut self.refresh.backing_off);
        if !waited {
            return;
        }
        if !self.calls.is_empty() || self.routes.config().shards.is_empty() {
            self.refresh(None, fx);
        }
    }
}
