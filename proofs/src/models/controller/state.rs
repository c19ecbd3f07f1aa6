//! The state of the controller model: the real machine, the requests that are on their way, budgets, ghosts.

use crate::models::pool::Pool;
use quorate_core::controller::{Answer, Command, Controller};
use quorate_spec::Violation;
use quorate_spec::ids::{ClientId, Seq};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One state.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// The real machine, which has applied every entry of its log.
    pub controller: Controller,
    /// Every change that was ever asked for: it may arrive at any later time, again and again, or never.
    pub sent: Pool<Command>,
    /// Per session, how many changes it has asked for.
    pub asked: BTreeMap<ClientId, u64>,
    /// What may still happen.
    pub left: Budget,
    /// What judges.
    pub ghost: Arc<Ghost>,
    /// The first broken property.
    pub violation: Option<Arc<Violation>>,
}

/// What may still happen, as in [`super::scopes::Scope`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "named as in the scope")]
pub struct Budget {
    pub changes: u8,
    pub overtaken: u8,
    pub sessions: u8,
    pub nodes: u8,
    pub retired: u8,
}

/// What remembers the past to judge the present.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Ghost {
    /// What each request answered when it was executed, with the request.
    pub first: BTreeMap<(ClientId, Seq), (Arc<Command>, Answer)>,
}
