//! How the controller group begins: only when every member has durably pinned every other, in both directions. And who
//! can stop a node: only who is believed, and only that very run of that very directory.

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
    assert_eq!(effects.refused, Some(PeerRefusal::OtherStamp));
    assert!(effects.sends.is_empty(), "at the address of node 2 is the right one: nothing is sent there");
}

#[test]
fn a_member_started_with_other_shards_is_refused() {
    let mut node = member();
    let effects = greet(&mut node, peer(2, 102), SHARDS + 1, Some(101));
    assert_eq!(effects.refused, Some(PeerRefusal::OtherBootstrap));
    assert!(effects.writes.is_empty(), "it is not pinned");
}

fn boot(peer: Peer, boot: u64) -> Peer {
    Peer { boot: Boot::new(boot), ..peer }
}

/// Whether `node` stops when `by` refuses `whom`.
fn stops(node: &Node, by: Peer, whom: Peer, reason: PeerRefusal) -> bool {
    let effects = node.clone().step(Input::Received { from: by, message: Message::Refused { whom, reason } });
    effects.halt.is_some()
}

#[test]
fn a_refusal_stops_only_the_very_run_that_it_names() {
    let mut node = member();
    let _ = greet(&mut node, peer(2, 102), SHARDS, None);
    let (by, me) = (peer(2, 102), node.me());
    assert!(stops(&node, by, me, PeerRefusal::OtherStamp));
    assert!(stops(&node, by, me, PeerRefusal::OtherBootstrap));
    assert!(stops(&node, by, me, PeerRefusal::OlderBoot { seen: Boot::new(2) }));
    assert!(!stops(&node, by, me, PeerRefusal::OlderBoot { seen: me.boot }), "it is not older");
    for whom in [peer(1, 999), boot(me, 7), peer(3, 101)] {
        let older = PeerRefusal::OlderBoot { seen: Boot::new(9) };
        let reasons = [PeerRefusal::OtherStamp, PeerRefusal::OtherBootstrap, older];
        for reason in reasons {
            assert!(!stops(&node, by, whom, reason), "{whom:?} is meant: {reason:?}");
        }
    }
}

#[test]
fn a_refusal_counts_only_from_the_directory_that_is_pinned_or_from_a_controller() {
    let mut node = member();
    let (me, why) = (node.me(), PeerRefusal::OtherStamp);
    assert!(stops(&node, peer(2, 102), me, why), "nothing is pinned: a controller can tell a wiped node");
    assert!(!stops(&node, peer(4, 104), me, why), "a stranger cannot");
    let _ = greet(&mut node, boot(peer(2, 102), 5), SHARDS, None);
    assert!(!stops(&node, peer(2, 202), me, why), "an impostor, or another cluster's node 2");
    assert!(!stops(&node, boot(peer(2, 102), 4), me, why), "an old copy");
    assert!(!stops(&node, me, me, why), "someone under this node's own id");
    assert!(stops(&node, boot(peer(2, 102), 5), me, why));
    assert!(stops(&node, boot(peer(2, 102), 6), me, why));
}

#[test]
fn an_old_copy_is_told() {
    let mut node = member();
    let _ = greet(&mut node, boot(peer(2, 102), 5), SHARDS, None);
    let effects = greet(&mut node, boot(peer(2, 102), 4), SHARDS, Some(101));
    assert_eq!(effects.refused, Some(PeerRefusal::OlderBoot { seen: Boot::new(5) }));
    assert!(!begins(&effects) && effects.writes.is_empty(), "nothing that it says counts");
}

#[test]
fn whoever_is_pinned_is_told_to_the_network() {
    let mut node = member();
    let effects = greet(&mut node, peer(2, 102), SHARDS, None);
    assert_eq!(effects.pins, [(NodeId::new(2), Stamp::new(102))]);
    assert!(greet(&mut node, peer(2, 202), SHARDS, None).pins.is_empty());
}
