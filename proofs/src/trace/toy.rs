//! The smallest scenario that has everything a trace shows: a message that is lost, one that arrives, a violation.

use crate::scenario::{Fired, Lane, Scenario, Stroke, Tone};
use quorate_spec::Violation;
use serde::{Deserialize, Serialize};
use stateright::{Model, Property};

#[derive(Debug, Default)]
pub(super) struct Toy {
    fired: Fired,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Say {
    Send,
    Receive,
    Lose,
    Break,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Said {
    sent: u64,
    flying: bool,
    broken: Option<Violation>,
}

impl Model for Toy {
    type State = Said;
    type Action = Say;

    fn init_states(&self) -> Vec<Said> {
        vec![Said::default()]
    }

    fn actions(&self, state: &Said, actions: &mut Vec<Say>) {
        match state {
            Said { broken: Some(_), .. } => {}
            Said { flying: true, .. } => actions.extend([Say::Receive, Say::Lose]),
            Said { sent: 0, .. } => actions.push(Say::Send),
            Said { .. } => actions.extend([Say::Break, Say::Send]),
        }
    }

    fn next_state(&self, last: &Said, action: Say) -> Option<Said> {
        let mut next = last.clone();
        match action {
            Say::Send => (next.sent, next.flying) = (last.sent + 1, true),
            Say::Receive | Say::Lose => next.flying = false,
            Say::Break => next.broken = Some(Violation::new("Toy", "it broke <here> & now".to_owned())),
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always("Toy", |_, state: &Said| state.broken.is_none())]
    }
}

impl Scenario for Toy {
    fn model(&self) -> &'static str {
        "toy"
    }

    fn scope(&self) -> &'static str {
        "default"
    }

    fn bounds(&self) -> String {
        "none".to_owned()
    }

    fn properties_judged(&self) -> &'static [&'static str] {
        &["Toy"]
    }

    fn violation<'a>(&self, state: &'a Said) -> Option<&'a Violation> {
        state.broken.as_ref()
    }

    fn must_fire(&self) -> &'static [&'static str] {
        &[]
    }

    fn fired(&self) -> &Fired {
        &self.fired
    }

    fn lanes(&self) -> Vec<Lane> {
        ["n1", "n2"].map(|name| Lane { name: name.to_owned(), group: "g1".to_owned() }).into()
    }

    fn sentence(&self, before: &Said, action: &Say) -> String {
        match action {
            Say::Send => format!("n1 sends message {}", before.sent + 1),
            Say::Receive => "n2 receives it".to_owned(),
            Say::Lose => "it is lost".to_owned(),
            Say::Break => "the toy breaks".to_owned(),
        }
    }

    fn changes(&self, before: &Said, after: &Said) -> Vec<String> {
        if before.sent == after.sent { Vec::new() } else { vec![format!("sent: {} -> {}", before.sent, after.sent)] }
    }

    fn strokes(&self, before: &Said, action: &Say, after: &Said) -> Vec<Stroke> {
        match action {
            Say::Send => vec![Stroke::Send { message: after.sent, from: 0, to: 1, label: "hello".to_owned() }],
            Say::Receive => vec![Stroke::Receive { message: before.sent }],
            Say::Lose => Vec::new(),
            Say::Break => vec![Stroke::Note { lane: 1, label: "breaks".to_owned(), tone: Tone::Fault }],
        }
    }
}
