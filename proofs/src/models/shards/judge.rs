//! The judges of the shard model: the specification's invariants, and the abstract store as a ghost.

use super::names::{LINEARIZABILITY, PROGRESS};
use super::scopes::Driver;
use super::script::Script;
use super::state::{Ghost, Group, State, session_of};
use super::{ShardsModel, actions::Step};
use quorate_core::shard::{Applied, Command, Outcome, ReadAnswer, ShardGroup, WriteAnswer, WriteOp, WriteRefusal};
use quorate_spec::Violation;
use quorate_spec::ids::{ClientId, GroupId, Position, Seq, ShardId};
use quorate_spec::invariants::{self, at_most_once, one_owner};
use quorate_spec::views::GroupView;
use std::collections::BTreeSet;

/// What the ghost makes of an applied entry: its next state if it moves, and whether the answer is the abstract store's.
pub(super) fn outcome(
    script: &Script,
    state: &State,
    (before, truth): (&Group, &ShardGroup),
    command: &Command,
    applied: &Applied,
) -> (Option<Ghost>, Result<(), Violation>) {
    let Command::Write { client, seq, key, op, .. } = command else {
        return (None, Ok(()));
    };
    let (call, group) = ((*client, *seq), truth.group());
    match applied.outcome {
        Some(Outcome::Written { answer, shard, position }) => {
            // The model's indices are fresh: this one can be no earlier entry's. An execution leaves its record.
            let here = Position { config: truth.config().num, index: before.next_index() };
            if position != here || *truth == before.truth {
                return (None, first_answer(&state.ghost, group, call, (answer, position)));
            }
            let mut ghost = Ghost::clone(&state.ghost);
            let verdict = execute(&mut ghost, call, (answer, shard, position));
            match op {
                WriteOp::Put { value } => ghost.store.put(key, value),
                WriteOp::Append { value } => ghost.store.append(key, value),
            }
            (Some(ghost), verdict)
        }
        Some(Outcome::Refused(refusal)) => (None, refused(script, state, truth, call, refusal)),
        None => (None, wrong(format!("{group} answered nothing to the request {} of {}", call.1, call.0))),
    }
}

fn wrong(evidence: String) -> Result<(), Violation> {
    Err(Violation::new(LINEARIZABILITY, evidence))
}

/// A call takes effect: for the first time, after everything else in its shard, and as the abstract store says.
fn execute(
    ghost: &mut Ghost,
    call: (ClientId, Seq),
    (answer, shard, position): (WriteAnswer, ShardId, Position),
) -> Result<(), Violation> {
    at_most_once::observe(&mut ghost.executions, call)?;
    let last = ghost.last.insert(shard, position);
    ghost.answers.insert(call, (answer, position));
    if let Some(last) = last.filter(|last| *last >= position) {
        return wrong(format!("a write of {shard} took effect at {position}, after the one at {last}"));
    }
    if answer != WriteAnswer::Done {
        return wrong(format!("the request {} of {} took effect and answered {answer:?}", call.1, call.0));
    }
    Ok(())
}

/// An answer without an effect is the first answer again.
fn first_answer(
    ghost: &Ghost,
    group: GroupId,
    (client, seq): (ClientId, Seq),
    given: (WriteAnswer, Position),
) -> Result<(), Violation> {
    match ghost.answers.get(&(client, seq)) {
        Some(first) if *first == given => Ok(()),
        Some((_, first)) => wrong(format!(
            "{group} answered the retry of request {seq} of {client} with position {}, its first answer had {first}",
            given.1
        )),
        None => wrong(format!("{group} answered request {seq} of {client} as done, which never took effect")),
    }
}

/// A refusal has its reason.
fn refused(
    script: &Script,
    state: &State,
    truth: &ShardGroup,
    (client, seq): (ClientId, Seq),
    refusal: WriteRefusal,
) -> Result<(), Violation> {
    let group = truth.group();
    match refusal {
        WriteRefusal::WrongGroup { .. } | WriteRefusal::NotYetHere { .. } => Ok(()),
        WriteRefusal::SessionExpired if client < truth.floor() => Ok(()),
        WriteRefusal::SessionExpired => {
            wrong(format!("{group} refused {client} as expired, which is not below the floor"))
        }
        WriteRefusal::Superseded => {
            let later = |other: (ClientId, Seq)| other.0 == client && other.1 > seq;
            if state.requests(script).filter_map(|command| session_of(command)).any(later) {
                return Ok(());
            }
            wrong(format!("{group} refused request {seq} of {client} as superseded, and nothing later was called"))
        }
        WriteRefusal::SeqReused => wrong(format!("{group} took request {seq} of {client} for another command")),
    }
}

/// What must hold of one group around one entry.
pub(super) fn group_step(before: &Group, after: &Group) -> Result<(), Violation> {
    invariants::group_step(&before.truth.view(), &after.truth.view())
}

/// What must hold of all groups together.
pub(super) fn all(script: &Script, state: &State) -> Result<(), Violation> {
    let views: Vec<GroupView> = state.living().map(|(_, group)| group.truth.view()).collect();
    let retired: BTreeSet<GroupId> = state.retired(script).collect();
    one_owner::one_server(&views)?;
    invariants::groups(&views, &script.config_views, &retired)?;
    reads(script, state)
}

/// Every read that could be answered now finds what the abstract store has.
fn reads(script: &Script, state: &State) -> Result<(), Violation> {
    for key in &script.keys {
        let expected = state.ghost.store.get(key);
        for (_, group) in state.living() {
            let ReadAnswer::Value { value, .. } = group.truth.read(key, group.next_index()) else {
                continue;
            };
            if value.as_deref() != expected {
                return wrong(format!(
                    "{} answers a read of {key:?} with {}, and what was written is {}",
                    group.truth.group(),
                    shown(value.as_deref()),
                    shown(expected)
                ));
            }
        }
    }
    Ok(())
}

/// A value as evidence shows it.
pub(super) fn shown(value: Option<&[u8]>) -> String {
    value.map_or_else(|| "nothing".into(), |value| format!("\"{}\"", value.escape_ascii()))
}

impl ShardsModel {
    /// Progress, as safety. Every entry that changes a group in a migration moves it forward for good: to a later
    /// configuration, to a later part, to fewer copies. So if there is such a step from every state that is not at its
    /// end, then any schedule that is fair to these steps reaches the end. (With the real drivers: see `driver`.)
    pub(super) fn judge_progress(&self, state: &State) -> Result<(), Violation> {
        if self.scope.driver != Driver::Any || state.violation.is_some() {
            return Ok(());
        }
        let Some(left) = self.left_to_do(state) else {
            return Ok(());
        };
        let mut steps = Vec::new();
        self.offered(state, &mut steps);
        let moves =
            |step: &Step| !matches!(step, Step::Call { .. } | Step::Write { .. }) && self.would_change(state, step);
        if steps.iter().any(moves) {
            return Ok(());
        }
        Err(Violation::new(PROGRESS, format!("{left}, and no step leads on")))
    }

    /// Whether a migration's step would change anything. Only the group itself is asked.
    fn would_change(&self, state: &State, step: &Step) -> bool {
        let (group, command) = match step {
            Step::Adopt { group, config } => {
                let config = self.script.config(*config).expect("offered configurations exist").clone();
                (group, Command::AdoptConfiguration { config })
            }
            Step::Install { group, part } => (group, Command::clone(part)),
            Step::Collect { group, shard, config } => (group, Command::Collect { shard: *shard, config: *config }),
            Step::Retire { group } => return self.script.may_retire(*group),
            _ => return false,
        };
        state.group(&self.script, *group).is_some_and(|group| {
            let mut truth = group.truth.clone();
            truth.apply(group.next_index(), &command);
            truth != group.truth
        })
    }

    /// What is not yet as the last configuration wants it, if anything.
    pub(super) fn left_to_do(&self, state: &State) -> Option<String> {
        let last = self.script.last();
        for (_, group) in state.living() {
            let truth = &group.truth;
            let id = truth.group();
            if truth.config().num != last.num {
                return Some(format!("{id} stands at configuration {} of {}", truth.config().num, last.num));
            }
            if let Some((shard, origin, _)) = truth.awaiting().next() {
                return Some(format!("{id} awaits {shard} from {}", origin.group));
            }
            // The copy of a shard that nobody owns stays.
            let kept = |shard: ShardId, config| {
                let place = last.assignment(shard).expect("the number of shards is constant");
                place.owner.is_none() && place.origin.is_some_and(|o| o.group == id && o.config == config)
            };
            if let Some((shard, config, _)) = truth.frozen().find(|(shard, config, _)| !kept(*shard, *config)) {
                return Some(format!("{id} still holds the copy of {shard} frozen by configuration {config}"));
            }
            if !last.needs(id) {
                return Some(format!("{id} left and has not retired"));
            }
        }
        None
    }
}
