//! Traces with one field of one event changed: what the specification must refuse.
//!
//! Only fields that the rest of the trace determines are changed, so that what comes out is no run of the protocol. They
//! are chosen by that, never by whether the checker refuses them. Left alone are
//! - what names an event or a message: `at`, `group`, the number of a write, the context of a read;
//! - `node`, because two nodes in equal states may do the same, and `disk` of a sync, because a disk may be behind;
//! - parameters of a step that is not the last one told of at once (two advances of the commit index may meet elsewhere),
//!   and of an append that changes no log (any other that fits is as good);
//! - the term of nothing, and the content of an entry that only one event shows.

use crate::verify::Dice;
use quorate_spec::action::Action;
use quorate_spec::ids::{LogIndex, NodeId, Term};
use quorate_spec::trace::{After, Event};
use quorate_spec::views::{DurableView, Role};
use std::collections::BTreeMap;

/// A trace with one wrong field.
#[derive(Clone, Debug)]
pub struct Corrupted {
    /// The events.
    pub events: Vec<Event>,
    /// Which of them, counted from 0.
    pub place: usize,
    /// The field.
    pub field: String,
}

/// A field that can be changed.
#[derive(Clone, Copy, Debug)]
enum Field {
    Name,
    Term,
    From,
    Index,
    Count,
    Granted,
    Role,
    Commit,
    Memory(Part),
    Disk(Part),
}

/// A field of what a node remembers.
#[derive(Clone, Copy, Debug)]
enum Part {
    Term,
    Vote,
    Snapshot,
    BaseIndex,
    BaseTerm,
    EntryTerm(usize),
    Content(usize),
}

/// How often each entry is shown: by index, term and content.
type Shown = BTreeMap<(u64, u64, u64), usize>;

/// Changes one field, by the seed.
///
/// # Panics
/// No event of the trace has a field that the rest determines.
pub fn corrupt(events: &[Event], seed: u64) -> Corrupted {
    let mut dice = Dice::new(seed);
    let mut shown = Shown::new();
    for view in events.iter().flat_map(|event| event.after.iter().map(|after| &after.memory).chain(&event.disk)) {
        (0..view.log.entries.len()).for_each(|entry| *shown.entry(key(view, entry)).or_default() += 1);
    }
    let fields: Vec<(usize, Vec<Field>)> = (0..events.len())
        .map(|place| (place, determined(events, place, &shown)))
        .filter(|(_, it)| !it.is_empty())
        .collect();
    assert!(!fields.is_empty(), "nothing in this trace is determined");
    let (place, fields) = &fields[dice.below(fields.len() as u64) as usize];
    let field = fields[dice.below(fields.len() as u64) as usize];
    let mut events = events.to_vec();
    change(&mut events[*place], field, &mut dice);
    Corrupted { events, place: *place, field: format!("{field:?}") }
}

fn key(view: &DurableView, entry: usize) -> (u64, u64, u64) {
    let shown = &view.log.entries[entry];
    (view.log.base_index.get() + entry as u64 + 1, shown.term.get(), shown.digest)
}

/// The fields of an event that the rest of the trace determines.
fn determined(events: &[Event], place: usize, shown: &Shown) -> Vec<Field> {
    let event = &events[place];
    let mut fields = Vec::new();
    if let Some(after) = &event.after {
        fields.extend([Field::Role, Field::Commit]);
        fields.extend(parts(&after.memory, shown).map(Field::Memory));
        let before = events[..place]
            .iter()
            .rev()
            .filter(|other| other.node == event.node)
            .find_map(|other| other.after.as_ref());
        let length = |after: &After| after.memory.log.last_index();
        let grew = before.is_some_and(|before| length(before) != length(after));
        fields.extend(parameters(event.action.as_ref(), grew));
    }
    if matches!(event.action, Some(Action::Restart { .. }))
        && let Some(disk) = &event.disk
    {
        fields.extend(parts(disk, shown).map(Field::Disk));
    }
    fields
}

fn parts(view: &DurableView, shown: &Shown) -> impl Iterator<Item = Part> {
    let base = (view.log.base_index > LogIndex::ZERO).then_some(Part::BaseTerm);
    let entries = 0..view.log.entries.len();
    let contents = entries.clone().filter(|entry| shown.get(&key(view, *entry)).is_some_and(|times| *times > 1));
    let contents: Vec<Part> = contents.map(Part::Content).collect();
    [Part::Term, Part::Vote, Part::Snapshot, Part::BaseIndex]
        .into_iter()
        .chain(base)
        .chain(entries.map(Part::EntryTerm))
        .chain(contents)
}

/// The parameters of an action that the state after it determines. `grew`: the log has another length than before.
fn parameters(action: Option<&Action>, grew: bool) -> Vec<Field> {
    match action {
        Some(Action::StartElection { .. } | Action::StepDown { .. } | Action::BecomeLeader { .. }) => {
            vec![Field::Name, Field::Term]
        }
        Some(Action::StartPreVote { .. } | Action::Restart { .. }) => vec![Field::Term],
        Some(Action::HandleRequestVote { .. }) => vec![Field::Term, Field::From, Field::Granted],
        Some(Action::Propose { .. }) => vec![Field::Term, Field::Index, Field::Count],
        Some(Action::HandleAppend { accepted: true, .. }) if grew => {
            vec![Field::Term, Field::From, Field::Index, Field::Count, Field::Granted]
        }
        Some(Action::HandleAppend { accepted: true, .. } | Action::HandleHeartbeat { .. }) => {
            vec![Field::Term, Field::From]
        }
        Some(Action::AdvanceCommit { .. } | Action::InstallSnapshot { .. } | Action::CompactLog { .. }) => {
            vec![Field::Name, Field::Index]
        }
        Some(Action::RequestRead { .. } | Action::ConfirmRead { .. }) => vec![Field::Index],
        Some(Action::HandleSnapshotChunk { .. }) => vec![Field::From],
        _ => Vec::new(),
    }
}

fn change(event: &mut Event, field: Field, dice: &mut Dice) {
    match (field, &mut event.after, &mut event.disk) {
        (Field::Role, Some(after), _) => {
            let others = [Role::Follower, Role::PreCandidate, Role::Candidate, Role::Leader];
            after.role = other(&others, after.role, dice);
        }
        (Field::Commit, Some(after), _) => after.commit = near(after.commit, dice),
        (Field::Memory(part), Some(after), _) => change_part(&mut after.memory, part, dice),
        (Field::Disk(part), _, Some(disk)) => change_part(disk, part, dice),
        _ => event.action = event.action.map(|action| changed(action, field, dice)),
    }
}

fn changed(action: Action, field: Field, dice: &mut Dice) -> Action {
    let mut action = action;
    match (field, &mut action) {
        (Field::Name, Action::StartElection { term } | Action::StepDown { term } | Action::BecomeLeader { term }) => {
            let term = *term;
            let names = [Action::StartElection { term }, Action::StepDown { term }, Action::BecomeLeader { term }];
            action = other(&names, action, dice);
        }
        (
            Field::Name,
            Action::AdvanceCommit { index } | Action::CompactLog { index } | Action::InstallSnapshot { index },
        ) => {
            let index = *index;
            let names =
                [Action::AdvanceCommit { index }, Action::CompactLog { index }, Action::InstallSnapshot { index }];
            action = other(&names, action, dice);
        }
        (
            Field::Term,
            Action::StartPreVote { term }
            | Action::StartElection { term }
            | Action::StepDown { term }
            | Action::BecomeLeader { term }
            | Action::Restart { term }
            | Action::HandleRequestVote { term, .. }
            | Action::Propose { term, .. }
            | Action::HandleAppend { term, .. }
            | Action::HandleHeartbeat { term, .. },
        ) => *term = near_term(*term, dice),
        (
            Field::From,
            Action::HandleRequestVote { from, .. }
            | Action::HandleAppend { from, .. }
            | Action::HandleHeartbeat { from, .. }
            | Action::HandleSnapshotChunk { from, .. },
        ) => *from = other(&NODES, *from, dice),
        (
            Field::Index,
            Action::Propose { first: index, .. }
            | Action::HandleAppend { prev: index, .. }
            | Action::AdvanceCommit { index }
            | Action::CompactLog { index }
            | Action::InstallSnapshot { index }
            | Action::RequestRead { index, .. }
            | Action::ConfirmRead { index, .. },
        ) => *index = near(*index, dice),
        (Field::Count, Action::Propose { count, .. } | Action::HandleAppend { count, .. }) => {
            *count = near(LogIndex::new(*count), dice).get();
        }
        (
            Field::Granted,
            Action::HandleRequestVote { granted: yes, .. } | Action::HandleAppend { accepted: yes, .. },
        ) => {
            *yes = !*yes;
        }
        _ => {}
    }
    action
}

fn change_part(view: &mut DurableView, part: Part, dice: &mut Dice) {
    match part {
        Part::Term => view.term = near_term(view.term, dice),
        Part::Vote => {
            let others = [None, Some(NODES[0]), Some(NODES[1]), Some(NODES[2])];
            view.voted_for = other(&others, view.voted_for, dice);
        }
        Part::Snapshot => view.snapshot = near(view.snapshot, dice),
        Part::BaseIndex => view.log.base_index = near(view.log.base_index, dice),
        Part::BaseTerm => view.log.base_term = near_term(view.log.base_term, dice),
        Part::EntryTerm(entry) => {
            let entry = &mut view.log.entries[entry];
            entry.term = near_term(entry.term, dice);
        }
        Part::Content(entry) => view.log.entries[entry].digest = dice.roll(),
    }
}

/// The voters of the traces that are corrupted.
const NODES: [NodeId; 3] = [NodeId::new(1), NodeId::new(2), NodeId::new(3)];

fn other<T: Copy + PartialEq>(values: &[T], than: T, dice: &mut Dice) -> T {
    let others: Vec<T> = values.iter().copied().filter(|value| *value != than).collect();
    others[dice.below(others.len() as u64) as usize]
}

/// Another number, one or two away.
fn near(index: LogIndex, dice: &mut Dice) -> LogIndex {
    let number = index.get();
    let others = [number.saturating_sub(2), number.saturating_sub(1), number + 1, number + 2];
    LogIndex::new(other(&others, number, dice))
}

fn near_term(term: Term, dice: &mut Dice) -> Term {
    Term::new(near(LogIndex::new(term.get()), dice).get())
}
