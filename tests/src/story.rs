//! What one node was given and did, as a trace file for `quorate-check show` and `explore`: whoever opens it steps the
//! core through the same inputs.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use quorate_core::effect::Effects;
use quorate_core::input::{Input, Restarted};
use quorate_core::limits::Limits;
use quorate_core::node::Node;
use serde::Serialize;
use serde_json::{Value, json};

/// A node's run from its start: what it was given. Cheap to keep; what it did is found out again when it is told.
#[derive(Clone, Debug)]
pub struct Story {
    restarted: Restarted,
    limits: Limits,
    inputs: Vec<Input>,
}

impl Story {
    /// A node that is about to be constructed from this.
    pub fn begin(restarted: &Restarted, limits: &Limits) -> Self {
        Self { restarted: restarted.clone(), limits: limits.clone(), inputs: Vec::new() }
    }

    /// It took an input.
    pub fn took(&mut self, input: Input) {
        self.inputs.push(input);
    }

    /// The trace file. `scope` says whose run it is, `verdict` which property is broken in its end, and how.
    pub fn trace(&self, version: &str, scope: &str, verdict: Option<(&str, String)>) -> Value {
        let (property, evidence) = verdict.unzip();
        let (mut node, _) = Node::new(self.restarted.clone(), self.limits.clone());
        let step = |input: &Input| {
            let effects = node.step(input.clone());
            json!({ "sentence": sentence(input, &effects), "action": encode(input) })
        };
        let steps: Vec<Value> = self.inputs.iter().map(step).collect();
        json!({
            "format": 1,
            "version": version,
            "model": "record",
            "scope": scope,
            "mutant": null,
            "property": property,
            "evidence": evidence,
            "initial": 0,
            "start": encode(&(&self.restarted, &self.limits)),
            "steps": steps,
        })
    }
}

/// As the trace file holds it: JSON has neither numbers of 128 bits nor maps by group.
fn encode(value: &impl Serialize) -> String {
    BASE64.encode(postcard::to_allocvec(value).expect("plain data"))
}

/// How much of an input is shown.
const SHOWN: usize = 200;

/// An input for people.
pub fn tell(input: &Input) -> String {
    let mut told = format!("{input:?}");
    if let Some((end, _)) = told.char_indices().nth(SHOWN) {
        told.truncate(end);
        told.push_str("..");
    }
    told
}

/// An input and what it did, in a sentence.
fn sentence(input: &Input, effects: &Effects) -> String {
    let steps: Vec<String> = effects.labels.iter().map(|label| format!("{:?}", label.action)).collect();
    let steps = if steps.is_empty() { "nothing".to_owned() } else { steps.join(", ") };
    let Effects { writes, sends, replies, .. } = effects;
    format!("{}: {steps} ({} writes, {} messages, {} answers)", tell(input), writes.len(), sends.len(), replies.len())
}
