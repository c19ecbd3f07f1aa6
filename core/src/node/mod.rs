//! Placeholder of the node, for this branch to compile.
use crate::effect::Effects;
use crate::input::{Input, Restarted};
use crate::limits::Limits;
use crate::status::NodeStatus;

/// A node.
#[derive(Debug)]
pub struct Node {}

impl Node {
    /// Restarts.
    pub fn new(_restarted: Restarted, _limits: Limits) -> (Self, Effects) {
        (Self {}, Effects::default())
    }

    /// Steps.
    #[must_use]
    pub fn step(&mut self, _input: Input) -> Effects {
        Effects::default()
    }

    /// Status.
    pub fn status(&self) -> NodeStatus {
        todo!()
    }
}
