//! What the stack is judged by: the specification's invariants over every group, and one atomic store.
//!
//! Every append adds a token that nobody else adds, so a value tells its own history: all replicas that serve a key must
//! hold prefixes of one sequence, no token stands in it twice or that nobody wrote, what is acknowledged is in it, and a
//! read returns no less than what was there when it was asked.

use super::agreement::{self, Agreement};
use super::state::{Call, Process, State, Token, key_name};
use quorate_core::client::Outcome;
use quorate_core::effect::Label;
use quorate_core::shard::{ReadAnswer, WriteAnswer};
use quorate_spec::Violation;
use quorate_spec::action::Action;
use quorate_spec::ids::{GroupId, LogIndex, NodeId};
use quorate_spec::invariants::{self, RaftGhost, at_most_once};
use quorate_spec::views::{ConfigurationView, DurableView, GroupView, ReplicaView};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The property that reads and acknowledgements agree with one order of all writes.
pub(super) const LINEARIZABLE: &str = "Linearizability";
/// The property that a client gets an answer once nothing fails any more.
pub(super) const PROGRESS: &str = "Progress";

/// What is remembered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Ghost {
    raft: BTreeMap<GroupId, Arc<RaftGhost>>,
    /// The state that each data group's log is known to lead to, as far as any replica applied it.
    heads: BTreeMap<GroupId, (LogIndex, Arc<GroupView>)>,
    configurations: Vec<ConfigurationView>,
    retired: BTreeSet<GroupId>,
    /// Per key, the tokens in order.
    pub(super) truth: Vec<Arc<Vec<Token>>>,
    /// Tokens that were refused for good: they must never appear.
    refused: BTreeSet<Token>,
    agreement: BTreeMap<GroupId, Arc<Agreement>>,
}

impl Ghost {
    /// Nothing happened yet.
    pub(super) fn new(keys: usize) -> Self {
        Self { truth: vec![Arc::default(); keys], ..Self::default() }
    }
}

/// What of a node's steps is worth a look at the whole group.
fn is_decisive(action: &Action) -> bool {
    matches!(
        action,
        Action::BecomeLeader { .. }
            | Action::AdvanceCommit { .. }
            | Action::InstallSnapshot { .. }
            | Action::CompactLog { .. }
            | Action::Restart { .. }
    )
}

/// Judges one step of a node, which `before` shows as it was (`None` after a crash).
pub(super) fn judge(
    state: &mut State,
    node: NodeId,
    before: Option<&Process>,
    labels: &[Label],
) -> Result<(), Violation> {
    let mut groups: BTreeMap<GroupId, Vec<&Action>> = BTreeMap::new();
    for label in labels {
        if let Some(group) = label.group {
            groups.entry(group).or_default().push(&label.action);
        }
    }
    for (group, actions) in groups {
        judge_replica(state, node, before, group, &actions)?;
        judge_agreement(state, node, before, group)?;
        if group == GroupId::CONTROLLER {
            judge_controller(state, node, &actions)?;
        } else {
            judge_data(state, node, group, &actions)?;
        }
    }
    Ok(())
}

fn replica(process: &Process, group: GroupId) -> Option<ReplicaView> {
    if group == GroupId::CONTROLLER {
        return process.node.controller().map(|group| group.replica().view());
    }
    process.node.groups().find(|other| other.id() == group).map(|group| group.replica().view())
}

fn disk(process: &Process, group: GroupId) -> Option<DurableView> {
    let (node, durable) = (process.node.me().node, &process.disk.durable);
    if group == GroupId::CONTROLLER {
        return durable.controller.as_ref().map(|durable| durable.view(node));
    }
    durable.data.get(&group).map(|durable| durable.view(node))
}

fn judge_replica(
    state: &mut State,
    node: NodeId,
    before: Option<&Process>,
    group: GroupId,
    actions: &[&Action],
) -> Result<(), Violation> {
    let Some(after) = state.process(node).and_then(|process| replica(process, group)) else { return Ok(()) };
    invariants::local(&after)?;
    if let Some(before) = before.and_then(|process| replica(process, group)) {
        invariants::step(&before, &after)?;
    }
    if !actions.iter().any(|action| is_decisive(action)) {
        return Ok(());
    }
    let replicas: Vec<_> = state.processes.iter().filter_map(|process| replica(process, group)).collect();
    let disks: Vec<_> = state.processes.iter().filter_map(|process| disk(process, group)).collect();
    // A replica that was destroyed has nothing to say any more, and its group nothing to keep.
    if disks.len() < after.voters.len() {
        return Ok(());
    }
    let ghost = Arc::make_mut(&mut state.ghost).raft.entry(group).or_default();
    invariants::cluster(Arc::make_mut(ghost), &after.voters, &replicas, &disks)
}

/// What a replica made of its log is what every other one made of it.
fn judge_agreement(state: &mut State, node: NodeId, before: Option<&Process>, group: GroupId) -> Result<(), Violation> {
    let Some((applied, digest)) = state.process(node).and_then(|process| agreement::applied(process, group)) else {
        return Ok(());
    };
    if before.and_then(|process| agreement::applied_index(process, group)) == Some(applied) {
        return Ok(());
    }
    let known = Arc::make_mut(&mut state.ghost).agreement.entry(group).or_default();
    Arc::make_mut(known).judge(group, node, applied, digest)
}

fn judge_controller(state: &mut State, node: NodeId, actions: &[&Action]) -> Result<(), Violation> {
    let changed = |action: &&Action| {
        matches!(action, Action::Join { .. } | Action::Leave { .. } | Action::Move { .. } | Action::RaiseFloor { .. })
    };
    for action in actions {
        if let Action::Retire { group } = action {
            Arc::make_mut(&mut state.ghost).retired.insert(*group);
        }
    }
    if !actions.iter().any(changed) {
        return Ok(());
    }
    let Some(group) = state.process(node).and_then(|process| process.node.controller()) else { return Ok(()) };
    let machine = group.machine();
    let made: Vec<ConfigurationView> = (0..=machine.latest().num.get())
        .map(|num| machine.query(Some(quorate_spec::ids::ConfigNum::new(num))).view())
        .collect();
    let known = &state.ghost.configurations;
    for (num, (one, other)) in made.iter().zip(known).enumerate() {
        if one != other {
            let evidence = format!("{node} holds another configuration {num} than was made before");
            return Err(Violation::new(invariants::state_machine_safety::NAME, evidence));
        }
    }
    if made.len() > known.len() {
        for pair in made.windows(2).skip(known.len().saturating_sub(1)) {
            if let [before, after] = pair {
                invariants::configurations(before, after)?;
            }
        }
        Arc::make_mut(&mut state.ghost).configurations = made;
    }
    Ok(())
}

fn judge_data(state: &mut State, node: NodeId, group: GroupId, actions: &[&Action]) -> Result<(), Violation> {
    let moved = |action: &&Action| {
        matches!(
            action,
            Action::AdoptConfiguration { .. }
                | Action::StartEmpty { .. }
                | Action::Install { .. }
                | Action::Collect { .. }
                | Action::InstallSnapshot { .. }
        )
    };
    let wrote = |action: &&Action| matches!(action, Action::Execute { .. } | Action::Repeat { .. });
    let moved = actions.iter().any(moved);
    if !moved && !actions.iter().any(wrote) {
        return Ok(());
    }
    let Some(process) = state.process(node).map(Arc::clone) else { return Ok(()) };
    let Some(replica) = process.node.groups().find(|other| other.id() == group) else { return Ok(()) };
    let (machine, applied) = (replica.machine(), replica.applied());
    for key in 0..state.ghost.truth.len() {
        let name = key_name(key);
        // One step may apply a write and then the configuration that takes its shard away: it is in the frozen copy.
        let value = match machine.read(&name, applied) {
            ReadAnswer::Value { value, .. } => value,
            ReadAnswer::Refused(_) => machine.frozen_value(&name).cloned(),
        };
        follow(state, node, key, &Token::parse(value.as_deref().unwrap_or_default()))?;
    }
    if state.ghost.heads.get(&group).is_none_or(|(head, _)| *head < applied) {
        let view = Arc::new(machine.view());
        Arc::make_mut(&mut state.ghost).heads.insert(group, (applied, view));
        if moved {
            let views: Vec<GroupView> = state.ghost.heads.values().map(|(_, view)| (**view).clone()).collect();
            invariants::groups(&views, &state.ghost.configurations, &state.ghost.retired)?;
        }
    }
    Ok(())
}

/// A replica serves `key` with these tokens: a prefix of the truth, or the truth with more.
fn follow(state: &mut State, node: NodeId, key: usize, found: &[Token]) -> Result<(), Violation> {
    let truth = Arc::clone(&state.ghost.truth[key]);
    let common = truth.iter().zip(found).take_while(|(one, other)| one == other).count();
    if common < truth.len().min(found.len()) {
        let evidence = format!("{node} serves k{key} as {}, but it was {} before", show(found), show(&truth));
        return Err(Violation::new(LINEARIZABLE, evidence));
    }
    let Some(added) = found.get(truth.len()..).filter(|added| !added.is_empty()) else { return Ok(()) };
    for (place, token) in added.iter().enumerate() {
        let earlier = truth.contains(token) || added.iter().take(place).any(|other| other == token);
        if earlier {
            let evidence = format!("the append {} took effect a second time, in k{key}", show(&[*token]));
            return Err(Violation::new(at_most_once::NAME, evidence));
        }
        if state.ghost.refused.contains(token) {
            let evidence = format!("the append {} was refused for good and took effect later", show(&[*token]));
            return Err(Violation::new(LINEARIZABLE, evidence));
        }
    }
    Arc::make_mut(&mut state.ghost).truth[key] = Arc::new(found.to_vec());
    Ok(())
}

/// Judges the end of a user's call.
pub(super) fn completed(state: &mut State, call: &Call, outcome: &Outcome) -> Result<(), Violation> {
    let wrong = |evidence| Err(Violation::new(LINEARIZABLE, evidence));
    match (call, outcome) {
        (Call::Append { key, token }, Outcome::Written { answer: WriteAnswer::Done, .. })
            if !state.ghost.truth[*key].contains(token) =>
        {
            return wrong(format!("the append {} to k{key} is acknowledged and nowhere applied", show(&[*token])));
        }
        (Call::Append { key, token }, Outcome::Refused(_) | Outcome::NotExecuted { .. }) => {
            if state.ghost.truth[*key].contains(token) {
                return wrong(format!("the append {} to k{key} is refused and took effect", show(&[*token])));
            }
            Arc::make_mut(&mut state.ghost).refused.insert(*token);
        }
        (Call::Get { key, floor }, Outcome::Value { value, .. }) => {
            let found = Token::parse(value.as_deref().unwrap_or_default());
            let truth = &state.ghost.truth[*key];
            if found.len() < *floor {
                let evidence = format!(
                    "a read of k{key} returns {}, older than the {floor} appends that were there when it was asked",
                    show(&found)
                );
                return wrong(evidence);
            }
            if truth.get(..found.len()) != Some(found.as_slice()) {
                return wrong(format!(
                    "a read of k{key} returns {}, which it never was: {}",
                    show(&found),
                    show(truth)
                ));
            }
        }
        _ => {}
    }
    Ok(())
}

/// Tokens as evidence shows them: the last few.
fn show(tokens: &[Token]) -> String {
    let skipped = tokens.len().saturating_sub(6);
    let mut text = if skipped > 0 { format!("[{skipped} more]") } else { String::new() };
    for token in tokens.iter().skip(skipped) {
        text.push_str(&format!("{}.{};", token.client, token.call));
    }
    if text.is_empty() { "nothing".to_owned() } else { text }
}
