//! The registry of nodes: an address may change, a stamp never.

use crate::support::*;
use quorate_core::bytes::Bytes;
use quorate_core::controller::{Answer, Command, NodeInfo, Refusal};
use quorate_core::spec::action::Action;
use quorate_core::spec::ids::Stamp;

fn register(address: &str, stamp: u128) -> Command {
    let info = NodeInfo { address: Bytes::from(address), stamp: Stamp::new(stamp) };
    Command::RegisterNode { node: node(50), info }
}

#[test]
fn a_node_registers_once_and_again_with_another_address() {
    let mut controller = Cluster::new(1).controller;
    let registered = (Answer::NodeRegistered, Some(Action::RegisterNode { node: node(50) }));
    let version = controller.directory().version;
    assert_eq!(controller.apply(&register("a:1", 7)), registered);
    assert_eq!(controller.directory().version, version.next());
    assert_eq!(controller.apply(&register("a:1", 7)), (Answer::NodeRegistered, None));
    assert_eq!(controller.directory().version, version.next(), "nothing new, no new version");
    assert_eq!(controller.apply(&register("b:2", 7)), registered);
    assert_eq!(controller.directory().version, version.next().next());
    assert_eq!(*controller.directory().nodes[&node(50)].address, *b"b:2");
    assert_eq!(controller.latest().num, config(0), "nodes are no part of configurations");
}

/// `wiped-disk-votes`: a node that lost its directory does not come back under its old name.
#[test]
fn another_stamp_is_refused() {
    let mut controller = Cluster::new(1).controller;
    controller.apply(&register("a:1", 7));
    let before = controller.clone();
    let refusal = Answer::Refused(Refusal::OtherStamp { node: node(50) });
    assert_eq!(controller.apply(&register("a:1", 8)), (refusal.clone(), None));
    assert_eq!(controller.apply(&register("b:2", 8)), (refusal, None));
    assert_eq!(controller, before);
}

#[test]
fn a_clone_does_not_see_what_follows() {
    let mut controller = Cluster::new(1).controller;
    let (clone, directory) = (controller.clone(), controller.directory().clone());
    controller.apply(&register("a:1", 7));
    assert_ne!(controller, clone);
    assert_eq!(*clone.directory(), directory);
    assert!(!directory.nodes.contains_key(&node(50)));
}
