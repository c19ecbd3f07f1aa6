//! The end of a run: everything is healed, everybody must get on, and the history goes to the judges.

use super::clients::bytes;
use super::disk::{Misbehaviour, Outage};
use super::network::Links;
use super::process::{Down, Process};
use super::world::World;
use quorate::history::{Judgement, judge};
use quorate_core::client::{Operation, Outcome};
use quorate_core::node::Node;
use quorate_spec::Violation;
use quorate_spec::history::{Call, Verdict};
use quorate_spec::ids::GroupId;
use quorate_spec::views::Role;
use std::collections::BTreeSet;
use std::time::Duration;

/// The property that everybody gets on once nothing fails any more.
pub const PROGRESS: &str = "Progress";
/// In how much time.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What is said of a run.
#[derive(Clone, Debug)]
pub enum Finding {
    /// Everything holds.
    Pass,
    /// Something is wrong.
    Fail(Violation),
    /// A judge could not tell, which is not a pass.
    Unknown(String),
}

impl Finding {
    /// In one word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail(_) => "fail",
            Self::Unknown(_) => "unknown",
        }
    }
}

impl World {
    /// Ends all faults and starts what is down and can be started.
    pub fn heal(&mut self) {
        self.mend_all();
        self.network.heal();
        self.network.links = Links::reliable();
        for number in 0..self.processes.len() {
            let process = &mut self.processes[number];
            process.clock = 1000;
            process.disk_factor = 1;
            process.paused_until = self.now.min(process.paused_until);
            process.directory.wal.misbehave(|it| *it = Misbehaviour::default());
            process.directory.snapshots.misbehave(|it| *it = Misbehaviour::default());
            if matches!(process.down, Some(Down::Killed | Down::DiskFailed(_))) {
                self.start_or_repair(number);
            }
        }
        self.mend_all();
    }

    /// Heals the world; then all calls must end, all groups settle, and every key be readable, in bounded time.
    pub fn settle(&mut self) {
        self.heal();
        self.conclude();
    }

    /// The same without healing anything.
    pub fn conclude(&mut self) {
        self.stop_work();
        self.run_until(PATIENCE, |world| world.has_heard());
        let deadline = self.setup.deadline;
        if !self.run_until(deadline * 2, |world| world.is_quiet()) {
            return self.fail(PROGRESS, "a client's call does not end".into());
        }
        if !self.run_until(PATIENCE, |world| world.is_settled()) {
            let standing = self.standing();
            return self
                .fail(PROGRESS, format!("shards do not settle within {PATIENCE:?} of virtual time; {standing}"));
        }
        self.read_back();
    }

    /// Reads every key of the history once more, as part of it.
    fn read_back(&mut self) {
        let keys: BTreeSet<Vec<u8>> = self.history.iter().map(|operation| operation.key.clone()).collect();
        let reader = self.add_client();
        self.last_user += 1;
        let user = self.last_user;
        for key in keys {
            let place = self.history.len();
            self.operate(reader, user, &key, Call::Get);
            if !self.run_until(PATIENCE, |world| world.is_quiet()) {
                return self.fail(PROGRESS, format!("no read of {} ends", key.escape_ascii()));
            }
            if self.history[place].returned.is_none() {
                let key = key.escape_ascii();
                return self
                    .fail(PROGRESS, format!("{key} cannot be read although all is healed; {}", self.standing()));
            }
        }
    }

    /// Who is down, and why; who leads, and how far.
    fn standing(&self) -> String {
        let leads = |(number, node): (usize, &Node)| {
            let led = node.status().replicas.into_iter().filter(|replica| replica.role == Role::Leader);
            led.map(|it| format!("{number} {} in term {} at configuration {}", it.group, it.term, it.config))
                .collect::<Vec<_>>()
        };
        let leaders: Vec<String> = self.nodes().flat_map(leads).collect();
        let down = |(number, process): (usize, &Process)| process.down.as_ref().map(|why| format!("{number}: {why:?}"));
        let down: Vec<String> = self.processes.iter().enumerate().filter_map(down).collect();
        format!("down: [{}]; leading: [{}]", down.join(", "), leaders.join(", "))
    }

    /// Whether every group has the latest configuration and all its shards.
    pub fn is_settled(&self) -> bool {
        let latest = self.nodes().filter_map(|(_, node)| node.controller()).map(|group| group.machine().latest().num);
        let Some(latest) = latest.max() else { return false };
        let leaders: Vec<_> =
            self.nodes().flat_map(|(_, node)| node.groups()).filter(|group| group.replica().is_leader()).collect();
        let settled = leaders.iter().filter(|group| {
            let machine = group.machine();
            machine.config().num == latest && machine.awaiting().next().is_none()
        });
        let settled: BTreeSet<GroupId> = settled.map(|group| group.id()).collect();
        // Of groups that left, frozen copies may be waited for; those in the configuration must all be at work.
        let controllers = self.nodes().filter_map(|(_, node)| node.controller());
        let config = controllers.map(|group| group.machine().latest()).max_by_key(|config| config.num);
        config.is_some_and(|config| config.groups.values().all(|group| settled.contains(&group.id)))
    }

    /// Asks whether a key can be read now, outside of the history.
    pub fn peek(&mut self, client: usize, key: &[u8]) -> Option<Outcome> {
        self.call_and_wait(client, Operation::Get { key: bytes(key) })
    }

    /// Hands the history to every judge; what was found as the world went comes first.
    pub fn judge(&self) -> Finding {
        if let Some(violation) = &self.violation {
            return Finding::Fail(violation.clone());
        }
        let Judgement { linearizable, at_most_once, .. } = judge(&self.history);
        for verdict in [linearizable, at_most_once] {
            match verdict {
                Verdict::Pass => {}
                Verdict::Fail(violation) => return Finding::Fail(violation),
                Verdict::Unknown(why) => return Finding::Unknown(why),
            }
        }
        Finding::Pass
    }

    /// Kills all processes of these numbers at once.
    pub fn crash_all(&mut self, numbers: impl IntoIterator<Item = usize>, outage: Outage) {
        for number in numbers {
            self.crash(number, outage);
        }
    }
}
