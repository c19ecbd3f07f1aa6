//! Steps as log events, in the specification's words: `action` is the TLA+ action's name.
//!
//! Elections, configurations and replicas coming and going are told at INFO, the steps of the write path at TRACE, the
//! rest at DEBUG. With a level switched off, a label costs a comparison.

use quorate_core::effect::Label;
use quorate_spec::action::Action;
use quorate_spec::ids::NodeId;
use tracing::Level;
use tracing::level_filters::LevelFilter;

/// Tells the labels of one step.
pub(super) fn tell(node: NodeId, labels: &[Label]) {
    if LevelFilter::current() < LevelFilter::INFO {
        return;
    }
    for label in labels {
        match level(&label.action) {
            Level::INFO => event(node, label, |node, group, action, params| {
                tracing::info!(target: "quorate::step", node, group, action, params);
            }),
            Level::DEBUG if LevelFilter::current() >= LevelFilter::DEBUG => {
                event(node, label, |node, group, action, params| {
                    tracing::debug!(target: "quorate::step", node, group, action, params);
                });
            }
            Level::TRACE if LevelFilter::current() >= LevelFilter::TRACE => {
                event(node, label, |node, group, action, params| {
                    tracing::trace!(target: "quorate::step", node, group, action, params);
                });
            }
            _ => {}
        }
    }
}

/// Renders what is told: the node, the group, the action's name and its parameters.
fn event(node: NodeId, label: &Label, tell: impl FnOnce(u64, &str, &str, &str)) {
    let group = label.group.map_or_else(String::new, |group| group.to_string());
    let full = format!("{:?}", label.action);
    let name = label.action.name();
    let params = full.strip_prefix(name).unwrap_or(&full).trim_start();
    tell(node.get(), &group, name, params);
}

/// How loudly a step is told.
fn level(action: &Action) -> Level {
    match action {
        Action::StartElection { .. }
        | Action::BecomeLeader { .. }
        | Action::StepDown { .. }
        | Action::TransferLeadership { .. }
        | Action::InstallSnapshot { .. }
        | Action::Restart { .. }
        | Action::Join { .. }
        | Action::Leave { .. }
        | Action::Move { .. }
        | Action::RegisterNode { .. }
        | Action::RaiseFloor { .. }
        | Action::Retire { .. }
        | Action::AdoptConfiguration { .. }
        | Action::Install { .. }
        | Action::CreateReplica { .. }
        | Action::DestroyReplica { .. }
        | Action::PinPeer { .. }
        | Action::RefusePeer { .. } => Level::INFO,
        Action::Propose { .. }
        | Action::SendAppend { .. }
        | Action::HandleAppend { .. }
        | Action::HandleAppendReply { .. }
        | Action::SyncWrites { .. }
        | Action::AdvanceCommit { .. }
        | Action::Apply { .. }
        | Action::HandleHeartbeat { .. }
        | Action::HandleHeartbeatReply { .. }
        | Action::RequestRead { .. }
        | Action::ConfirmRead { .. }
        | Action::Execute { .. }
        | Action::Repeat { .. }
        | Action::Refuse { .. }
        | Action::Read { .. } => Level::TRACE,
        _ => Level::DEBUG,
    }
}
