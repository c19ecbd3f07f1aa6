//! Runs a node.

use crate::config::NodeArgs;
use std::process::ExitCode;

/// Runs the node until it is told to stop.
pub fn run(args: NodeArgs) -> ExitCode {
    drop(args);
    ExitCode::FAILURE
}
