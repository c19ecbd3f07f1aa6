//! The specification's invariants, checked as the world goes: the same functions that the model checker calls.
//!
//! What costs the length of a log is checked when something decisive happens, and at every [`SAMPLE`]th commitment: the
//! ghosts only know what they were shown.

use super::process::Process;
use quorate_core::effect::Label;
use quorate_core::shard::ShardGroup;
use quorate_spec::Violation;
use quorate_spec::action::Action;
use quorate_spec::ids::{ClientId, ConfigNum, GroupId, LogIndex, Seq};
use quorate_spec::invariants::{self, RaftGhost, at_most_once};
use quorate_spec::views::{ConfigurationView, DurableView, GroupView, ReplicaView};
use std::collections::{BTreeMap, BTreeSet};

/// One of so many commitments is judged with the logs of its whole group.
const SAMPLE: u64 = 64;

/// What is remembered to judge by.
#[derive(Debug, Default)]
pub(super) struct Watch {
    enabled: bool,
    actions: BTreeMap<&'static str, u64>,
    commits: u64,
    raft: BTreeMap<GroupId, RaftGhost>,
    /// Each replica as it was last seen in its life.
    seen: BTreeMap<(usize, GroupId), ReplicaView>,
    /// The state that each data group's log is known to lead to.
    heads: BTreeMap<GroupId, (LogIndex, GroupView)>,
    configurations: Vec<ConfigurationView>,
    retired: BTreeSet<GroupId>,
    /// Under which numbers each invocation of the history went.
    invocations: BTreeMap<(ClientId, Seq), usize>,
    /// Where each invocation took effect.
    effects: BTreeMap<usize, (GroupId, ClientId, Seq)>,
    /// What each process executed in its life.
    executed: BTreeSet<(usize, GroupId, ClientId, Seq)>,
}

impl Watch {
    /// Nothing was seen yet.
    pub(super) fn new(enabled: bool) -> Self {
        Self { enabled, ..Self::default() }
    }

    /// How often each action was taken.
    pub(super) fn actions(&self) -> &BTreeMap<&'static str, u64> {
        &self.actions
    }

    /// A process begins a life: what it applies again is not done again.
    pub(super) fn born(&mut self, process: usize) {
        self.seen.retain(|(number, _), _| *number != process);
        self.executed.retain(|(number, ..)| *number != process);
    }

    /// An invocation goes out under a number.
    pub(super) fn sent(&mut self, stamp: (ClientId, Seq), invocation: usize) {
        self.invocations.insert(stamp, invocation);
    }

    /// Takes in what a step of a process did.
    pub(super) fn labels(&mut self, process: usize, labels: &[Label]) -> Result<(), Violation> {
        for label in labels {
            *self.actions.entry(label.action.name()).or_default() += 1;
            if let (Some(group), Action::Execute { client, seq, .. }) = (label.group, label.action) {
                self.executes(process, group, client, seq)?;
            }
        }
        Ok(())
    }

    fn executes(&mut self, process: usize, group: GroupId, client: ClientId, seq: Seq) -> Result<(), Violation> {
        if !self.executed.insert((process, group, client, seq)) {
            let evidence = format!("process {process} executes {client}{seq} twice in {group}");
            return Err(Violation::new(at_most_once::NAME, evidence));
        }
        let Some(invocation) = self.invocations.get(&(client, seq)) else { return Ok(()) };
        let before = self.effects.entry(*invocation).or_insert((group, client, seq));
        if *before != (group, client, seq) {
            let evidence = format!("one call took effect as {before:?} and as {:?}", (group, client, seq));
            return Err(Violation::new(at_most_once::NAME, evidence));
        }
        Ok(())
    }

    /// Judges the groups in which a process just did something decisive.
    pub(super) fn judge(&mut self, processes: &[Process], process: usize, labels: &[Label]) -> Result<(), Violation> {
        if !self.enabled {
            return Ok(());
        }
        for label in labels {
            let Some(group) = label.group else { continue };
            match label.action {
                Action::AdvanceCommit { .. } => {
                    self.commits += 1;
                    if self.commits.is_multiple_of(SAMPLE) {
                        self.judge_raft(processes, process, group)?;
                    }
                }
                Action::BecomeLeader { .. } | Action::InstallSnapshot { .. } | Action::CompactLog { .. } => {
                    self.judge_raft(processes, process, group)?;
                }
                Action::Join { .. } | Action::Leave { .. } | Action::Move { .. } | Action::RaiseFloor { .. } => {
                    self.judge_configurations(&processes[process])?;
                }
                Action::Retire { group } => _ = self.retired.insert(group),
                Action::AdoptConfiguration { .. }
                | Action::StartEmpty { .. }
                | Action::Install { .. }
                | Action::Collect { .. } => self.judge_data(&processes[process], group)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn judge_raft(&mut self, processes: &[Process], process: usize, group: GroupId) -> Result<(), Violation> {
        let views: Vec<(usize, ReplicaView)> = (0..processes.len())
            .filter_map(|number| replica(&processes[number], group).map(|view| (number, view)))
            .collect();
        let Some((_, subject)) = views.iter().find(|(number, _)| *number == process) else { return Ok(()) };
        let voters = subject.voters.clone();
        for (number, view) in &views {
            invariants::local(view)?;
            if let Some(before) = self.seen.get(&(*number, group)) {
                invariants::step(before, view)?;
            }
        }
        let replicas: Vec<ReplicaView> = views.iter().map(|(_, view)| view.clone()).collect();
        self.seen.extend(views.into_iter().map(|(number, view)| ((number, group), view)));
        let disks: Vec<DurableView> = processes.iter().filter_map(|process| disk(process, group)).collect();
        // A replica that was destroyed or wiped has nothing to say any more.
        if disks.len() < voters.len() {
            return Ok(());
        }
        invariants::cluster(self.raft.entry(group).or_default(), &voters, &replicas, &disks)
    }

    fn judge_configurations(&mut self, process: &Process) -> Result<(), Violation> {
        let Some(group) = process.node().and_then(|node| node.controller()) else { return Ok(()) };
        let machine = group.machine();
        let latest = machine.latest().num.get();
        for num in self.configurations.len() as u64..=latest {
            let made = machine.query(Some(ConfigNum::new(num))).view();
            if let Some(before) = self.configurations.last() {
                invariants::configurations(before, &made)?;
            }
            self.configurations.push(made);
        }
        match self.configurations.get(usize::try_from(latest).unwrap_or(usize::MAX)) {
            Some(known) if *known != machine.latest().view() => {
                let evidence = format!("{} holds another configuration {latest} than was made before", process.id);
                Err(Violation::new(invariants::state_machine_safety::NAME, evidence))
            }
            _ => Ok(()),
        }
    }

    fn judge_data(&mut self, process: &Process, id: GroupId) -> Result<(), Violation> {
        let group = process.node().and_then(|node| node.groups().find(|group| group.id() == id));
        let Some(group) = group else { return Ok(()) };
        if self.heads.get(&id).is_some_and(|(head, _)| *head >= group.applied()) {
            return Ok(());
        }
        self.heads.insert(id, (group.applied(), ShardGroup::view(group.machine())));
        let views: Vec<GroupView> = self.heads.values().map(|(_, view)| view.clone()).collect();
        invariants::groups(&views, &self.configurations, &self.retired)
    }
}

fn replica(process: &Process, group: GroupId) -> Option<ReplicaView> {
    let node = process.node()?;
    if group == GroupId::CONTROLLER {
        return node.controller().map(|group| group.replica().view());
    }
    node.groups().find(|other| other.id() == group).map(|group| group.replica().view())
}

fn disk(process: &Process, group: GroupId) -> Option<DurableView> {
    let durable = &process.shadow.durable;
    if group == GroupId::CONTROLLER {
        return durable.controller.as_ref().map(|durable| durable.view(process.id));
    }
    durable.data.get(&group).map(|durable| durable.view(process.id))
}
