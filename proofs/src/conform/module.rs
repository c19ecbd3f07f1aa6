//! A run as a TLA+ module: `TraceData`, with the constants that `TraceRaft` needs for it.
//!
//! Nothing of the run is left out or mended here but what `TraceRaft` says that it does not judge. An event that is
//! none of the specification's becomes one without a name, which nothing explains.

use quorate_spec::action::Action;
use quorate_spec::ids::{NodeId, ReadContext};
use quorate_spec::trace::{After, Event};
use quorate_spec::views::DurableView;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// The modules that a run of a group is checked with, the one that is explored last.
const MODULES: &[&str] = &["ReplicatedLog", "Raft", "LateRaft", "TraceRaft"];

/// What the checker reads.
#[derive(Clone, Debug)]
pub struct Generated {
    /// The modules of `spec/` that it takes; the last one is explored.
    pub(super) modules: &'static [&'static str],
    /// `TraceData.tla`.
    pub(super) data: String,
    /// The configuration of that module.
    pub(super) config: String,
    /// How many states there may be in a row.
    pub(super) depth: usize,
}

/// Names what the module needs short names for.
#[derive(Default)]
struct Names {
    /// Contents of entries, in the order of their appearance.
    contents: BTreeMap<u64, usize>,
    /// Reads that were asked for and the latest name of each.
    reads: BTreeMap<(NodeId, ReadContext), usize>,
    asked: usize,
}

pub(super) fn generate(events: &[Event]) -> Generated {
    let mut names = Names::default();
    let lines: Vec<String> = events.iter().flat_map(|event| names.records(event)).collect();
    let nodes: BTreeSet<u64> = events.iter().map(|event| event.node.get()).collect();
    let terms = |view: &DurableView| view.log.entries.iter().map(|entry| entry.term).chain([view.term]).max();
    let views = events.iter().flat_map(|event| event.disk.iter().chain(event.after.as_ref().map(|it| &it.memory)));
    let term = views.filter_map(terms).max().map_or(0, |term| term.get());
    let list = |numbers: &mut dyn Iterator<Item = String>| numbers.collect::<Vec<_>>().join(", ");
    let data = format!(
        "---- MODULE TraceData ----\nEXTENDS Naturals, Sequences\n\nCount == {}\n\nEvent(i) ==\n{}\n====\n",
        lines.len(),
        choice(1, &lines)
    );
    let config = format!(
        "CONSTANTS\n    Node = {{{}}}\n    Nobody = 0\n    MaxTerm = {}\n    MaxLog = 1000000\n    MaxRestarts = 1000000\n    \
         PreVote = TRUE\n    Snapshots = TRUE\n    Read = {{{}}}\nSPECIFICATION TraceSpec\nINVARIANTS TypeOK \
         ElectionSafety LogMatching LeaderCompleteness StateMachineSafety CommittedDurable NotAccepted\n\
         CHECK_DEADLOCK FALSE\n",
        list(&mut nodes.iter().map(u64::to_string)),
        term + 1,
        list(&mut (1..=names.asked).map(|read| read.to_string())),
    );
    // Each write that becomes durable is a step of its own.
    Generated { modules: MODULES, data, config, depth: 4 * lines.len() + 10 }
}

/// One of these, the first of which is number `first`, by the number `i`. The checker would build a whole sequence anew
/// each time that it looks into it.
pub(super) fn choice(first: usize, lines: &[String]) -> String {
    match lines {
        [] => "[name |-> \"\"]".to_owned(),
        [line] => line.clone(),
        lines => {
            let (low, high) = lines.split_at(lines.len() / 2);
            let last = first + low.len() - 1;
            format!("IF i <= {last} THEN ({})\nELSE ({})", choice(first, low), choice(last + 1, high))
        }
    }
}

/// A record of TLA+: pairs of a field and what it is.
type Fields = Vec<(&'static str, String)>;

impl Names {
    /// The records of one event: an append or a proposal of several entries is as many in a row, the last of which
    /// tells the state.
    fn records(&mut self, event: &Event) -> Vec<String> {
        let parts = self.parts(event);
        let last = parts.len().saturating_sub(1);
        let after = event.after.as_ref().map_or(String::new(), |after| self.after(after));
        let disk = event.disk.as_ref().map_or(String::new(), |disk| self.memory(disk));
        let record = |(place, mut fields): (usize, Fields)| {
            fields.push(("node", event.node.get().to_string()));
            fields.push(("after", format!("<<{}>>", if place == last { &after } else { "" })));
            fields.push(("disk", format!("<<{disk}>>")));
            render(&fields)
        };
        parts.into_iter().enumerate().map(record).collect()
    }

    fn parts(&mut self, event: &Event) -> Vec<Fields> {
        let Some(action) = event.action else { return vec![vec![("name", quoted(""))]] };
        let name = ("name", quoted(action.name()));
        let with = |fields: &[(&'static str, u64)]| {
            let numbers = fields.iter().map(|(field, number)| (*field, number.to_string()));
            std::iter::once(name.clone()).chain(numbers).collect::<Fields>()
        };
        let one = |fields: &[(&'static str, u64)]| vec![with(fields)];
        match action {
            Action::StartPreVote { term }
            | Action::StartElection { term }
            | Action::StepDown { term }
            | Action::BecomeLeader { term }
            | Action::Restart { term } => one(&[("term", term.get())]),
            Action::HandleRequestVote { from, term, granted: true } | Action::HandleHeartbeat { from, term } => {
                one(&[("from", from.get()), ("term", term.get())])
            }
            Action::Propose { term, first, count } => {
                (0..count).map(|more| with(&[("term", term.get()), ("index", first.get() + more)])).collect()
            }
            Action::HandleAppend { from, term, prev, count, accepted } => {
                // Of an append without entries the one before them arrives again.
                let indices =
                    if accepted && count > 0 { prev.get() + 1..=prev.get() + count } else { prev.get()..=prev.get() };
                let part = |index| {
                    let mut fields = with(&[("from", from.get()), ("term", term.get()), ("index", index)]);
                    fields.push(("accepted", if accepted { "TRUE" } else { "FALSE" }.to_owned()));
                    fields
                };
                indices.map(part).collect()
            }
            Action::AdvanceCommit { index } | Action::CompactLog { index } | Action::InstallSnapshot { index } => {
                one(&[("index", index.get())])
            }
            Action::HandleSnapshotChunk { from, index } => one(&[("from", from.get()), ("index", index.get())]),
            Action::SyncWrites { .. } => one(&[]),
            Action::RequestRead { read, index } => {
                self.asked += 1;
                self.reads.insert((event.node, read), self.asked);
                one(&[("read", self.asked as u64), ("index", index.get())])
            }
            Action::ConfirmRead { read, index } => {
                let read = self.reads.get(&(event.node, read)).copied().unwrap_or(0);
                one(&[("read", read as u64), ("index", index.get())])
            }
            _ => vec![vec![("name", quoted(""))]],
        }
    }

    fn after(&mut self, after: &After) -> String {
        render(&[
            ("role", quoted(&format!("{:?}", after.role))),
            ("commit", after.commit.get().to_string()),
            ("memory", self.memory(&after.memory)),
        ])
    }

    fn memory(&mut self, view: &DurableView) -> String {
        let mut log = String::new();
        for entry in &view.log.entries {
            let next = self.contents.len() + 1;
            let content = *self.contents.entry(entry.digest).or_insert(next);
            let comma = if log.is_empty() { "" } else { ", " };
            let _ = write!(log, "{comma}<<{}, {content}>>", entry.term.get()); // A string takes everything.
        }
        render(&[
            ("term", view.term.get().to_string()),
            ("vote", view.voted_for.map_or(0, NodeId::get).to_string()),
            ("snapshot", view.snapshot.get().to_string()),
            ("base", view.log.base_index.get().to_string()),
            ("baseTerm", view.log.base_term.get().to_string()),
            ("log", format!("<<{log}>>")),
        ])
    }
}

pub(super) fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

pub(super) fn render(fields: &[(&'static str, String)]) -> String {
    let fields: Vec<String> = fields.iter().map(|(field, value)| format!("{field} |-> {value}")).collect();
    format!("[{}]", fields.join(", "))
}
