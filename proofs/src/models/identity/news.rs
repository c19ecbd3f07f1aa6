//! What the controller ever said of a group that came, left and retired: made by the real controller, command by command.

use super::state::{Envelope, SHARDS, address, stamp};
use quorate_core::controller::{Change, Command, Controller, Directory, NodeInfo};
use quorate_core::message::{DirectoryMessage, Message, Peer};
use quorate_spec::ids::{Boot, ConfigNum, Gid, GroupId, NodeId, Seq};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The node that hosts replicas of what comes and goes.
pub(super) const HOST: u64 = 4;

/// The news after each command, from the controller's only member to the host.
pub(super) fn all() -> Vec<Envelope> {
    let mut controller = Controller::genesis(SHARDS);
    let register = |node: u64| {
        let info = NodeInfo { address: address(node), stamp: stamp(node, 0) };
        Command::RegisterNode { node: NodeId::new(node), info }
    };
    let (issued, _) = controller.apply(&Command::RegisterClient { limit: 10 });
    let quorate_core::controller::Answer::ClientRegistered { client } = issued else {
        unreachable!("a registration is answered with a session");
    };
    let gid = |gid: u64| Gid::new(gid);
    let join = |number: u64| Change::Join { groups: BTreeMap::from([(gid(number), vec![NodeId::new(HOST)])]) };
    let leave = |number: u64| Change::Leave { gids: BTreeSet::from([gid(number)]) };
    let change = |seq: u64, change: Change| Command::Change { client, seq: Seq::new(seq), change };
    let commands = [
        register(1),
        register(HOST),
        change(1, join(1)),
        change(2, join(2)),
        change(3, leave(2)),
        Command::Retire { group: GroupId::new(gid(2), ConfigNum::new(2)) },
        change(4, join(2)),
    ];
    let mut news = Vec::new();
    for command in commands {
        let _ = controller.apply(&command);
        let from = Peer { node: NodeId::new(1), stamp: stamp(1, 0), boot: Boot::new(1) };
        let directory = Some(Arc::new(Directory::clone(controller.directory())));
        let configs = (0..=controller.latest().num.get()).map(|num| controller.query(Some(ConfigNum::new(num))));
        let message = Message::Directory(DirectoryMessage::News { configs: configs.collect(), directory });
        news.push(Envelope { from, to: NodeId::new(HOST), message });
    }
    news
}
