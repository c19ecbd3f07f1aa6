//! What the operator of the stack asks for, over and over: groups come, go and come again; for a while nobody owns
//! anything; groups share nodes with each other and with the controller.

use quorate_core::controller::Change;
use quorate_spec::ids::{ClientId, Gid, NodeId, ShardId};

/// How many nodes there are.
pub(super) const NODES: u64 = 9;
/// The members of the controller group.
pub(super) const MEMBERS: [u64; 3] = [1, 2, 3];

const SERVERS: [[u64; 3]; 3] = [[4, 5, 6], [7, 8, 9], [3, 4, 7]];

fn join(gid: u64) -> Change {
    let servers = SERVERS.get(gid as usize - 1).into_iter().flatten().copied().map(NodeId::new).collect();
    Change::Join { groups: [(Gid::new(gid), servers)].into() }
}

fn leave(gid: u64) -> Change {
    Change::Leave { gids: [Gid::new(gid)].into() }
}

fn give(shard: u64, gid: u64) -> Change {
    Change::Move { shard: ShardId::new(shard), gid: Gid::new(gid) }
}

/// The change of this number; after the last comes the first again. The operator's session is `own`.
pub(super) fn change(number: usize, own: Option<ClientId>) -> Change {
    match number % 10 {
        0 => join(1),
        1 => join(2),
        // Older sessions than the operator's end.
        2 => Change::RaiseFloor { floor: own.unwrap_or(ClientId::ZERO.next()) },
        3 => give(0, 2),
        4 => join(3),
        5 => leave(1),
        6 => give(1, 2),
        7 => join(1),
        8 => leave(2),
        _ => Change::Leave { gids: [Gid::new(1), Gid::new(3)].into() },
    }
}
