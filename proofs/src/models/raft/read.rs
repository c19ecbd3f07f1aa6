//! How a person reads a run.

use super::actions::RaftAction;
use super::state::RaftState;
use crate::scenario::Stroke;

pub(super) fn sentence(_: &RaftState, action: &RaftAction) -> String {
    format!("{action:?}")
}

pub(super) fn changes(_: &RaftState, after: &RaftState) -> Vec<String> {
    vec![format!("{after:?}")]
}

pub(super) fn strokes(_: &RaftState, _: &RaftAction, _: &RaftState) -> Vec<Stroke> {
    Vec::new()
}
