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
        Self { deadline: now + PATIENCE, look: now, asked: BTreeMap::new() }
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
        if status.replicas.iter().all(|replica| successors(replica, status.node).is_empty()) {
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
                requests.push(Request::TransferLeadership { group: replica.group, to: *to });
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
    let lag = |node: &NodeId| replica.lag.iter().find(|lag| lag.node == *node).map_or(u64::MAX, |lag| lag.entries);
    let mut others: Vec<NodeId> = replica.voters.iter().copied().filter(|voter| *voter != me).collect();
    others.sort_by_key(|node| (lag(node), *node));
    others
}

#[cfg(test)]
mod tests {
    use super::*;
    use quorate_core::raft::Lag;

    fn replica(group: u64, role: Role, voters: &[u64], lag: &[(u64, u64)]) -> ReplicaStatus {
        ReplicaStatus {
            group: GroupId::new(quorate_spec::ids::Gid::new(group), quorate_spec::ids::ConfigNum::new(1)),
            voters: voters.iter().copied().map(NodeId::new).collect(),
            role,
            lag: lag.iter().map(|(node, entries)| behind(*node, *entries)).collect(),
            ..crate::driver::tests::idle_replica()
        }
    }

    fn behind(node: u64, entries: u64) -> Lag {
        Lag { node: NodeId::new(node), entries, bytes: 0, by_snapshot: false }
    }

    fn status(replicas: Vec<ReplicaStatus>) -> NodeStatus {
        NodeStatus { replicas, ..crate::driver::tests::idle_status() }
    }

    #[test]
    fn asks_the_most_caught_up_voter_first_and_then_the_others() {
        let start = Instant::now();
        let status = status(vec![
            replica(1, Role::Leader, &[1, 2, 3], &[(2, 50), (3, 0)]),
            replica(2, Role::Follower, &[1, 2], &[]),
            replica(3, Role::Leader, &[1], &[]),
        ]);
        let mut farewell = Farewell::new(start);
        let asked = |requests: Vec<Request>| -> Vec<u64> {
            let to = |request| match request {
                Request::TransferLeadership { to, .. } => to.get(),
                other => panic!("asked for {other:?}"),
            };
            requests.into_iter().map(to).collect()
        };
        assert_eq!(asked(farewell.requests(&status, start)), [3]);
        assert_eq!(asked(farewell.requests(&status, start + LOOK_EVERY)), [] as [u64; 0], "it takes a while");
        assert_eq!(asked(farewell.requests(&status, start + ASK_AGAIN)), [2]);
        assert_eq!(asked(farewell.requests(&status, start + 2 * ASK_AGAIN)), [3]);
        assert!(!farewell.is_over(&status, 0, start + ASK_AGAIN));
        assert!(farewell.is_over(&status, 9, start + PATIENCE), "time is up");
    }

    #[test]
    fn is_over_when_nothing_can_be_handed_over_and_answers_had_their_time() {
        let start = Instant::now();
        let status = status(vec![replica(3, Role::Leader, &[1], &[]), replica(1, Role::Follower, &[1, 2], &[])]);
        let mut farewell = Farewell::new(start);
        assert!(!farewell.is_over(&status, 1, start));
        assert!(farewell.is_over(&status, 1, start + LAST_ANSWERS));
        assert!(Farewell::new(start).is_over(&status, 0, start));
    }
}
