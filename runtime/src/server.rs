//! Runs a node.

use crate::config::NodeConfig;

/// Runs the node until it is told to stop.
pub fn run(_: &NodeConfig) -> Result<(), String> {
    Err("there is no node yet".into())
}
