//! What one real node was given, as a run to look at: the core is stepped through it again, one way only.
//!
//! Not a search: the inputs are those of a trace that `quorate-sim replay --trace` made of a node's record, so a state is
//! the node after so many of them. Only the last ones are shown; those before lead to the state in which the run begins.

use super::stack::read::message as in_words;
use crate::scenario::{Fired, Lane, Scenario, Stroke, Tone};
use crate::trace::{self, Trace, TraceError};
use crate::verify::caught;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use quorate_core::effect::Effects;
use quorate_core::input::{Input, Restarted};
use quorate_core::limits::Limits;
use quorate_core::node::Node;
use quorate_spec::Violation;
use quorate_spec::action::Action;
use quorate_spec::ids::NodeId;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use stateright::{Model, Path, Property};
use std::collections::BTreeSet;

/// How many steps are shown.
const SHOWN: usize = 300;

/// The property that a record breaks if the core does otherwise now.
const SAME: &str = "SameEffects";

/// The property that it breaks if it is one of a simulated run that failed as a whole.
const WHOLE: &str = "WholeRun";

super::judged![RecordModel: SAME, WHOLE];

/// An input, in a trace file as bytes in base64: JSON has neither numbers of 128 bits nor maps by group.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded(Input);

impl Serialize for Recorded {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        encode(&self.0).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Recorded {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        decode(&text).map(Self).ok_or_else(|| D::Error::custom("no input of this version"))
    }
}

fn encode(value: &impl Serialize) -> String {
    BASE64.encode(postcard::to_allocvec(value).expect("plain data"))
}

fn decode<T: DeserializeOwned>(text: &str) -> Option<T> {
    postcard::from_bytes(&BASE64.decode(text).ok()?).ok()
}

/// A node's record.
#[derive(Debug)]
pub struct RecordModel {
    start: Node,
    me: NodeId,
    inputs: Vec<Input>,
    /// Inputs before those.
    before: usize,
    peers: Vec<NodeId>,
    verdict: Option<Violation>,
    fired: Fired,
}

/// The node after so many inputs, and what the last one did.
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct State {
    taken: usize,
    node: Node,
    did: Vec<Action>,
    sent: Vec<(NodeId, String)>,
    writes: usize,
    answers: usize,
    violation: Option<Violation>,
}

impl RecordModel {
    /// The model of a trace of a record, and the part of the trace that it shows.
    ///
    /// # Errors
    /// The trace does not say how the node began, or has an input that this version does not know.
    pub fn open(whole: &Trace) -> Result<(Self, Trace), TraceError> {
        let start = whole.start.as_deref().and_then(decode);
        let (restarted, limits): (Restarted, Limits) = start.ok_or_else(|| whole.diverges(0))?;
        let me = restarted.me.node;
        let (mut start, _) = Node::new(restarted, limits);
        let before = whole.steps.len().saturating_sub(SHOWN);
        let (mut inputs, mut peers) = (Vec::new(), BTreeSet::new());
        for (place, step) in whole.steps.iter().enumerate() {
            let read = serde_json::from_value(step.action.clone());
            let Recorded(input) = read.map_err(|_| whole.diverges(place))?;
            if place < before {
                // A core that does otherwise than the one that wrote the trace may find inputs that cannot be.
                caught(|| _ = start.step(input)).map_err(|_| whole.diverges(place))?;
                continue;
            }
            if let Input::Received { from, .. } = &input {
                peers.insert(from.node);
            }
            inputs.push(input);
        }
        // Whom it sends to is known only when it has been stepped through.
        let mut node = start.clone();
        for (place, input) in inputs.iter().enumerate() {
            let effects = caught(|| node.step(input.clone())).map_err(|_| whole.diverges(before + place))?;
            peers.extend(effects.sends.iter().map(|(to, _)| *to));
        }
        peers.remove(&me);
        let property = whole.property.as_ref().map(|name| if name == WHOLE { WHOLE } else { SAME });
        let verdict = property.map(|name| Violation::new(name, whole.evidence.clone().unwrap_or_default()));
        let shown = Trace { steps: whole.steps[before..].to_vec(), ..whole.clone() };
        let peers = peers.into_iter().collect();
        Ok((Self { start, me, inputs, before, peers, verdict, fired: Fired::default() }, shown))
    }

    fn state(&self, taken: usize, node: Node, effects: Effects) -> State {
        let Effects { labels, sends, writes, replies, .. } = effects;
        State {
            taken,
            node,
            did: labels.into_iter().map(|label| label.action).collect(),
            sent: sends.iter().map(|(to, message)| (*to, in_words(message))).collect(),
            writes: writes.len(),
            answers: replies.len(),
            violation: self.verdict.clone().filter(|_| taken == self.inputs.len()),
        }
    }

    /// Clients stand left of the node, its peers right of it.
    fn lane(&self, node: NodeId) -> usize {
        let place = self.peers.iter().position(|peer| *peer == node);
        ME + place.map_or(0, |place| place + 1)
    }
}

const CLIENTS: usize = 0;
const ME: usize = 1;

impl Model for RecordModel {
    type State = State;
    type Action = Recorded;

    fn init_states(&self) -> Vec<State> {
        vec![self.state(0, self.start.clone(), Effects::default())]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Recorded>) {
        actions.extend(self.inputs.get(state.taken).cloned().map(Recorded));
    }

    fn next_state(&self, last: &State, Recorded(input): Recorded) -> Option<State> {
        let mut node = last.node.clone();
        let effects = node.step(input);
        Some(self.state(last.taken + 1, node, effects))
    }

    fn format_action(&self, Recorded(input): &Recorded) -> String {
        sentence(input)
    }

    fn format_step(&self, last: &State, input: Recorded) -> Option<String> {
        trace::outcome_of(self, last, input)
    }

    fn as_svg(&self, path: Path<State, Recorded>) -> Option<String> {
        trace::drawing_of(self, path)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties()
    }
}

/// An input in a sentence.
fn sentence(input: &Input) -> String {
    match input {
        Input::Received { from, message } => format!("{} from {}", in_words(message), from.node),
        Input::Synced { write } => format!("everything up to write {write} is on the disk"),
        Input::Fired { timer } => format!("a timer fires: {timer:?}"),
        Input::Requests { requests } => format!("{} requests of clients", requests.len()),
        Input::SnapshotWritten { group, last } => {
            format!("the snapshot of {group} up to {} is on the disk", last.index)
        }
        Input::DiskFull { full: true } => "the disk is full".to_owned(),
        Input::DiskFull { full: false } => "the disk has space again".to_owned(),
    }
}

impl Scenario for RecordModel {
    fn model(&self) -> &'static str {
        trace::RECORD
    }

    fn scope(&self) -> &'static str {
        "run"
    }

    fn bounds(&self) -> String {
        let (shown, all) = (self.inputs.len(), self.before + self.inputs.len());
        format!("{}: the last {shown} of {all} recorded inputs", self.me)
    }

    fn properties_judged(&self) -> &'static [&'static str] {
        JUDGED
    }

    fn violation<'a>(&self, state: &'a State) -> Option<&'a Violation> {
        state.violation.as_ref()
    }

    fn must_fire(&self) -> &'static [&'static str] {
        &[]
    }

    fn fired(&self) -> &Fired {
        &self.fired
    }

    fn lanes(&self) -> Vec<Lane> {
        let lane = |name: String| Lane { name, group: String::new() };
        let peers = self.peers.iter().map(|peer| lane(peer.to_string()));
        [lane("clients".to_owned()), lane(self.me.to_string())].into_iter().chain(peers).collect()
    }

    fn sentence(&self, _: &State, Recorded(input): &Recorded) -> String {
        sentence(input)
    }

    fn changes(&self, _: &State, after: &State) -> Vec<String> {
        let mut lines: Vec<String> = after.did.iter().map(|action| format!("{action:?}")).collect();
        lines.extend(after.sent.iter().map(|(to, label)| format!("to {to}: {label}")));
        let counted = [(after.writes, "writes"), (after.answers, "answers")];
        lines.extend(counted.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")));
        lines.extend(after.violation.as_ref().map(|violation| format!("VIOLATION {violation}")));
        lines
    }

    fn strokes(&self, before: &State, Recorded(input): &Recorded, after: &State) -> Vec<Stroke> {
        let mut strokes = Vec::new();
        // A message arrives in the row in which it leaves: what became of it elsewhere is not in this record.
        let mut arrow = |from: usize, to: usize, label: String| {
            let message = (before.taken as u64) << 16 | strokes.len() as u64;
            strokes.extend([Stroke::Send { message, from, to, label }, Stroke::Receive { message }]);
        };
        match input {
            Input::Received { from, message } => arrow(self.lane(from.node), ME, in_words(message)),
            Input::Requests { requests } => arrow(CLIENTS, ME, format!("{} requests", requests.len())),
            _ => {}
        }
        if after.answers > 0 {
            arrow(ME, CLIENTS, format!("{} answers", after.answers));
        }
        after.sent.iter().for_each(|(to, label)| arrow(ME, self.lane(*to), label.clone()));
        let names = after.did.iter().map(|action| Action::NAMES[action.ordinal()].to_owned());
        strokes.extend(names.map(|label| Stroke::Note { lane: ME, label, tone: Tone::Plain }));
        strokes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::TraceStep;
    use quorate_core::input::{Durable, Timer};
    use quorate_core::message::Peer;
    use quorate_spec::ids::{Boot, Stamp};
    use serde_json::Value;
    use std::collections::BTreeMap;
    use std::sync::Arc;

    /// The trace of the only controller of its cluster, which polls so many times; `property` if it did otherwise in the end.
    fn trace(polls: usize, property: Option<&str>) -> Trace {
        let restarted = Restarted {
            me: Peer { node: NodeId::new(1), stamp: Stamp::new(7), boot: Boot::new(1) },
            address: "a:1".into(),
            controllers: BTreeMap::from([(NodeId::new(1), "a:1".into())]),
            shards: 4,
            durable: Durable::default(),
        };
        let poll = Value::from(encode(&Input::Fired { timer: Timer::Poll }));
        Trace {
            format: trace::FORMAT,
            version: "0.0.1".to_owned(),
            model: trace::RECORD.to_owned(),
            scope: "node-1.record".to_owned(),
            mutant: None,
            property: property.map(ToOwned::to_owned),
            evidence: property.map(|_| "3 writes instead of 2".to_owned()),
            initial: 0,
            start: Some(encode(&(restarted, Limits::default()))),
            steps: vec![TraceStep { sentence: String::new(), action: poll }; polls],
        }
    }

    #[test]
    fn the_end_of_a_record_is_stepped_through_again() {
        let (model, shown) = RecordModel::open(&trace(SHOWN + 5, Some(SAME))).expect("it opens");
        assert_eq!(model.bounds(), format!("n1: the last {SHOWN} of {} recorded inputs", SHOWN + 5));
        let model = Arc::new(model);
        let run = shown.replay(&model).expect("this version takes the steps");
        assert_eq!((run.steps.len(), run.places(&model).len()), (SHOWN, SHOWN + 1));
        let told = trace::tell(model.as_ref(), &run);
        assert!(told.contains("a timer fires: Poll"), "{told}");
        assert!(told.ends_with("SameEffects violated: 3 writes instead of 2\n"), "{told}");
        assert!(trace::draw(model.as_ref(), &run).contains(">n1<"));
    }

    #[test]
    fn what_this_version_does_not_know_is_named() {
        let refused = |trace: &Trace| RecordModel::open(trace).expect_err("refused").to_string();
        let mut other = trace(3, None);
        other.steps[1] = TraceStep { sentence: "it dances".to_owned(), action: Value::from("Dance") };
        assert!(refused(&other).contains("step 2 of the trace (it dances)"), "{}", refused(&other));
        other.start = None;
        assert!(refused(&other).contains("step 1 of the trace"), "{}", refused(&other));
    }
}
