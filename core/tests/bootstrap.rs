//! How the controller group begins: only when every member has durably pinned every other, in both directions.

use quorate_core::bytes::Bytes;
use quorate_core::durable::Durable;
use quorate_core::effect::{Effects, Write};
use quorate_core::input::{Input, Restarted};
use quorate_core::limits::Limits;
use quorate_core::message::{DirectoryMessage, Greeting, Message, Peer, PeerRefusal};
use quorate_core::node::Node;
use quorate_spec::ids::{Boot, NodeId, Stamp, WriteId};

const SHARDS: u32 = 4;

fn peer(node: u64, stamp: u128) -> Peer {
    Peer { node: NodeId::new(node), stamp: Stamp::new(stamp), boot: Boot::new(1) }
}

fn member() -> Node {
    let controllers = (1..=3).map(|node| (NodeId::new(node), Bytes::from("host:1"))).collect();
    let (me, address, durable) = (peer(1, 101), Bytes::from("host:1"), Durable::default());
    Node::new(Restarted { me, address, controllers, shards: SHARDS, durable }, Limits::default()).0
}

/// A member greets, saying under which stamp it has pinned the receiver.
fn greet(node: &mut Node, from: Peer, shards: u32, pinned: Option<u128>) -> Effects {
    let members = (1..=3).map(NodeId::new).collect();
    let greeting = Greeting { shards, members, pinned: pinned.map(Stamp::new) };
    let message = Message::Directory(DirectoryMessage::Greet(greeting));
    node.step(Input::Received { from, message })
}

fn sync(node: &mut Node, write: u64) -> Effects {
    node.step(Input::Synced { write: WriteId::new(write) })
}

fn begins(effects: &Effects) -> bool {
    effects.writes.iter().any(|(_, write)| matches!(write, Write::CreateController { .. }))
}

#[test]
fn a_member_begins_when_all_have_pinned_all_durably() {
    let mut node = member();
    assert!(!begins(&greet(&mut node, peer(2, 102), SHARDS, None)));
    assert!(!begins(&greet(&mut node, peer(3, 103), SHARDS, None)));
    assert!(!begins(&sync(&mut node, 2)), "it has pinned the others, but nobody has pinned it");
    assert!(!begins(&greet(&mut node, peer(2, 102), SHARDS, Some(101))));
    let stranger = greet(&mut node, peer(3, 103), SHARDS, Some(999));
    assert!(!begins(&stranger), "another stamp was pinned: that is not this directory");
    assert!(begins(&greet(&mut node, peer(3, 103), SHARDS, Some(101))));
}

#[test]
fn a_pin_that_is_not_durable_does_not_count() {
    let mut node = member();
    assert!(!begins(&greet(&mut node, peer(2, 102), SHARDS, Some(101))));
    assert!(!begins(&greet(&mut node, peer(3, 103), SHARDS, Some(101))));
    assert!(!begins(&sync(&mut node, 1)), "the second pin is not synced");
    assert!(begins(&sync(&mut node, 2)));
}

#[test]
fn a_wiped_member_is_refused() {
    let mut node = member();
    let _ = greet(&mut node, peer(2, 102), SHARDS, None);
    let effects = greet(&mut node, peer(2, 202), SHARDS, Some(101));
    let refusal = Message::Refused(PeerRefusal::OtherStamp { refused: Stamp::new(202) });
    assert_eq!(effects.sends, [(NodeId::new(2), refusal)]);
}

#[test]
fn a_member_started_with_other_shards_is_refused() {
    let mut node = member();
    let effects = greet(&mut node, peer(2, 102), SHARDS + 1, Some(101));
    assert_eq!(effects.sends, [(NodeId::new(2), Message::Refused(PeerRefusal::OtherBootstrap))]);
    assert!(effects.writes.is_empty(), "it is not pinned");
}
