//! Leaving in good order: every leadership is handed over before the process ends, so that no group has to wait for an
//! election time-out.

use quorate_core::message::Request;
use quorate_core::status::{NodeStatus, ReplicaStatus};
use quorate_spec::ids::{GroupId, NodeId};
use quorate_spec::views::Role;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How long handing over may take in all.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long answers still on their way are waited for once nothing is led.
const LAST_ANSWERS: Duration = Duration::from_millis(250);
/// How often to look.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// After how long another voter is asked.
const ASK_AGAIN: Duration = Duration::from_millis(400);

/// A farewell under way.
#[derive(Debug)]
pub(super) struct Farewell {
    deadline: Instant,
    look: Instant,
    /// Per group: when a voter was last asked, and how many were.
    asked: BTreeMap<GroupId, (Instant, usize)>,
}

impl Farewell {
    /// Begins now.
    pub(super) fn new(now: Instant) -> Self {
        Self {
            deadline: now + PATIENCE,
            look: now,
            asked: BTreeMap::new(),
        }
    }

    /// When to look next.
    pub(super) fn next(&self) -> Instant {
        self.look
    }

    /// Puts the next look off.
    pub(super) fn put_off(&mut self, now: Instant) {
        self.look = now + LOOK_EVERY;
    }

    /// Whether the process may end: nothing is led that another could lead and nobody waits for an answer, or time is up.
    pub(super) fn is_over(&mut self, status: &NodeStatus, unanswered: usize, now: Instant) -> bool {
        if status
            .replicas
            .iter()
            .all(|replica| successors(replica, status.node).is_empty())
        {
            self.deadline = self.deadline.min(now + LAST_ANSWERS);
            return unanswered == 0 || now >= self.deadline;
        }
        now >= self.deadline
    }

    /// Whom to ask to take over what.
    pub(super) fn requests(&mut self, status: &NodeStatus, now: Instant) -> Vec<Request> {
        let mut requests = Vec::new();
        for replica in &status.replicas {
            let successors = successors(replica, status.node);
            let (asked, count) = self.asked.get(&replica.group).copied().unwrap_or((now, 0));
            if successors.is_empty() || (count > 0 && now < asked + ASK_AGAIN) {
                continue;
            }
            if let Some(to) = successors.get(count % successors.len()) {
                self.asked.insert(replica.group, (now, count + 1));
                requests.push(Request::TransferLeadership {
                    group: replica.group,
                    to: *to,
                });
            }
        }
        requests
    }
}

/// Who could lead instead of `me`, the most caught-up first; nobody if `me` does not lead.
fn successors(replica: &ReplicaStatus, me: NodeId) -> Vec<NodeId> {
    if replica.role != Role::Leader {
        return Vec::new();
    }
    let lag = |node: &NodeId| {
        replica
            .lag
            .iter()
            .find(|(id, _)| id == node)
            .map_or(u64::MAX, |(_, lag)| *lag)
    };
    let mut others: Vec<NodeId> = replica.voters.iter().copied().filter(|voter| *voter != me).collect();
    others.sort_by_key(|node| (lag(node), *node));
    others
}
