//! The specification's invariants, checked as the world goes: the same functions that the model checker calls.
//!
//! Whole logs are checked when something decisive happens, and at every [`SAMPLE`]th commitment; what came since the last
//! time, after every step that did anything in a group. A heartbeat by itself does not: what it changes (the term, the commit
//! index) is looked at after the next step.

use super::process::Process;
use quorate_core::effect::Label;
use quorate_core::shard::ShardGroup;
use quorate_spec::Violation;
use quorate_spec::action::Action;
use quorate_spec::ids::{ClientId, ConfigNum, GroupId, LogIndex, Seq};
use quorate_spec::invariants::{self, RaftGhost, at_most_once};
use quorate_spec::views::{ConfigurationView, DurableView, GroupView, ReplicaView};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::mem::{Discriminant, discriminant};

/// One of so many commitments is judged with the logs of its whole group.
const SAMPLE: u64 = 64;

/// What is remembered to judge by.
#[derive(Debug, Default)]
pub(super) struct Watch {
    enabled: bool,
    actions: HashMap<Discriminant<Action>, (&'static str, u64)>,
    commits: u64,
    raft: BTreeMap<GroupId, RaftGhost>,
    /// How far each group was known to be committed when it was last judged.
    judged: HashMap<GroupId, LogIndex>,
    /// Each replica as it was last seen in its life.
    seen: BTreeMap<(usize, GroupId), ReplicaView>,
    /// The state that each data group's log is known to lead to.
    heads: BTreeMap<GroupId, (LogIndex, GroupView)>,
    configurations: Vec<ConfigurationView>,
    retired: BTreeSet<GroupId>,
    /// Under which numbers each invocation of the history went.
    invocations: HashMap<(ClientId, Seq), usize>,
    /// Where each invocation took effect.
    effects: HashMap<usize, (GroupId, ClientId, Seq)>,
    /// What each process executed in its life.
    executed: HashSet<(usize, GroupId, ClientId, Seq)>,
}

impl Watch {
    /// Nothing was seen yet.
    pub(super) fn new(enabled: bool) -> Self {
        Self { enabled, ..Self::default() }
    }

    /// How often each action was taken.
    pub(super) fn actions(&self) -> BTreeMap<&'static str, u64> {
        self.actions.values().copied().collect()
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
            self.actions.entry(discriminant(&label.action)).or_insert((label.action.name(), 0)).1 += 1;
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

    /// Judges the groups in which a process just did something.
    pub(super) fn judge(&mut self, processes: &[Process], process: usize, labels: &[Label]) -> Result<(), Violation> {
        if !self.enabled {
            return Ok(());
        }
        // Where the logs are judged whole, and where only what came since the last time.
        let mut raft: BTreeMap<GroupId, bool> = BTreeMap::new();
        for label in labels {
            let Some(group) = label.group else { continue };
            let beat = matches!(label.action, Action::HandleHeartbeat { .. } | Action::HandleHeartbeatReply { .. });
            if !beat {
                raft.entry(group).or_default();
            }
            match label.action {
                Action::AdvanceCommit { .. } => {
                    self.commits += 1;
                    if self.commits.is_multiple_of(SAMPLE) {
                        raft.insert(group, true);
                    }
                }
                Action::BecomeLeader { .. } | Action::InstallSnapshot { .. } | Action::CompactLog { .. } => {
                    raft.insert(group, true);
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
        raft.into_iter().try_for_each(|(group, whole)| self.judge_raft(processes, process, group, whole))
    }

    /// Judges a Raft group after a step of one of its processes: the logs whole, or what is beyond the commit index of
    /// the last time (on a replica that is behind, beyond its own).
    fn judge_raft(
        &mut self,
        processes: &[Process],
        process: usize,
        group: GroupId,
        whole: bool,
    ) -> Result<(), Violation> {
        let after = if whole { LogIndex::ZERO } else { self.judged.get(&group).copied().unwrap_or_default() };
        let (numbers, replicas): (Vec<usize>, Vec<ReplicaView>) = (0..processes.len())
            .filter_map(|number| replica(&processes[number], group, after).map(|view| (number, view)))
            .unzip();
        let Some(subject) = numbers.iter().position(|number| *number == process) else { return Ok(()) };
        let voters = &replicas[subject].voters;
        for (number, view) in numbers.iter().zip(&replicas) {
            invariants::local(view)?;
            if let Some(before) = self.seen.get(&(*number, group)) {
                invariants::step(before, view)?;
            }
        }
        let disks: Vec<DurableView> = processes.iter().filter_map(|process| disk(process, group, after)).collect();
        // A replica that was destroyed or wiped has nothing to say any more.
        if voters.iter().all(|voter| disks.iter().any(|disk| disk.node == *voter)) {
            invariants::cluster(self.raft.entry(group).or_default(), voters, &replicas, &disks)?;
            let judged = self.judged.entry(group).or_default();
            *judged = replicas.iter().map(|view| view.commit).fold(*judged, LogIndex::max);
        }
        self.seen.extend(numbers.into_iter().map(|number| (number, group)).zip(replicas));
        Ok(())
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

fn replica(process: &Process, group: GroupId, after: LogIndex) -> Option<ReplicaView> {
    let node = process.node()?;
    if group == GroupId::CONTROLLER {
        return node.controller().map(|group| group.replica().view_after(after));
    }
    node.groups().find(|other| other.id() == group).map(|group| group.replica().view_after(after))
}

fn disk(process: &Process, group: GroupId, after: LogIndex) -> Option<DurableView> {
    let durable = &process.shadow.durable;
    if group == GroupId::CONTROLLER {
        return durable.controller.as_ref().map(|durable| durable.view_after(process.id, after));
    }
    durable.data.get(&group).map(|durable| durable.view_after(process.id, after))
}
