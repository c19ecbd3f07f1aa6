//! The controller's state in parts: for snapshot files and for followers that are behind the log.
//!
//! The state is a row of items in a fixed order, and a chunk is a stretch of it. One configuration is one item: a
//! configuration of 16,384 shards is under a mebibyte. Everything that decides a later answer must be in some item;
//! the session records are (`snapshot-drops-sessions`).

use super::machine::Controller;
use super::sessions::SessionRecord;
use super::types::{Change, Command, Configuration, NodeInfo};
use crate::mutants::mutant;
use crate::raft::{Image, Payload};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Bound;
use quorate_spec::ids::{ClientId, ConfigNum, DirectoryVersion, GroupId, NodeId};

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// A place in the row of items: the first one at or after it. The order of variants is the order of items.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub enum Cursor {
    /// The counters: the beginning.
    #[default]
    Counters,
    /// A configuration.
    Configuration(ConfigNum),
    /// A registered node.
    Node(NodeId),
    /// A group that exists.
    Group(GroupId),
    /// A session's record.
    Session(ClientId),
}

/// One item of the controller's state.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub enum Item {
    /// What is counted.
    Counters {
        /// The session that the next registration gets.
        next_client: ClientId,
        /// The directory's version.
        directory: DirectoryVersion,
    },
    /// A configuration; they come without gaps from 0 on.
    Configuration(Arc<Configuration>),
    /// A registered node.
    Node(NodeId, NodeInfo),
    /// A group that exists, and its servers.
    Group(GroupId, Vec<NodeId>),
    /// A session's last change.
    Session(ClientId, SessionRecord),
}

/// A part of the controller's state: consecutive items.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Chunk {
    /// The items.
    pub items: Vec<Item>,
}

impl Item {
    fn cursor(&self) -> Cursor {
        match self {
            Self::Counters { .. } => Cursor::Counters,
            Self::Configuration(config) => Cursor::Configuration(config.num),
            Self::Node(node, _) => Cursor::Node(*node),
            Self::Group(group, _) => Cursor::Group(*group),
            Self::Session(client, _) => Cursor::Session(*client),
        }
    }

    /// About how many bytes it takes, rather more than less.
    fn bytes(&self) -> usize {
        match self {
            Self::Counters { .. } => 24,
            Self::Configuration(config) => config.bytes(),
            Self::Node(_, info) => 16 + info.bytes(),
            Self::Group(_, servers) => 32 + 9 * servers.len(),
            Self::Session(..) => 64,
        }
    }
}

impl Controller {
    /// The items from `from` on, in order.
    fn items(&self, from: Cursor) -> impl Iterator<Item = Item> {
        // Per kind: where its items begin, or the cursor if that is further on, which is of a later kind once all of
        // this kind are behind it.
        let counters = (from == Cursor::Counters)
            .then(|| Item::Counters { next_client: self.sessions.next, directory: self.directory.version });
        let configurations = if let Cursor::Configuration(first) = from.max(Cursor::Configuration(ConfigNum::ZERO)) {
            let first = usize::try_from(first.get()).unwrap_or(usize::MAX);
            Some((first..self.configurations.len()).filter_map(|place| self.configurations.get(place)))
        } else {
            None
        };
        let nodes = if let Cursor::Node(first) = from.max(Cursor::Node(NodeId::ZERO)) {
            Some(self.directory.nodes.range(first..))
        } else {
            None
        };
        let groups = if let Cursor::Group(first) = from.max(Cursor::Group(GroupId::CONTROLLER)) {
            Some(self.directory.groups.range(first..))
        } else {
            None
        };
        let sessions = if let Cursor::Session(first) = from.max(Cursor::Session(ClientId::ZERO)) {
            Some(self.sessions.records.range_from(Bound::Included(&first))).filter(|_| !mutant!(SnapshotDropsSessions))
        } else {
            None
        };
        (counters.into_iter())
            .chain(configurations.into_iter().flatten().map(|config| Item::Configuration(config.clone())))
            .chain(nodes.into_iter().flatten().map(|(node, info)| Item::Node(*node, info.clone())))
            .chain(groups.into_iter().flatten().map(|(group, servers)| Item::Group(*group, servers.clone())))
            .chain(sessions.into_iter().flatten().map(|(client, record)| Item::Session(*client, record.clone())))
    }

    fn absorb_item(&mut self, item: Item) {
        match item {
            Item::Counters { next_client, directory } => {
                self.sessions.next = next_client;
                Arc::make_mut(&mut self.directory).version = directory;
            }
            Item::Configuration(config) => {
                let place = usize::try_from(config.num.get()).ok();
                assert_eq!(place, Some(self.configurations.len()), "chunks come in order, each once");
                Arc::make_mut(&mut self.directory).config = config.num;
                self.configurations.push_back_mut(config);
            }
            Item::Node(node, info) => {
                Arc::make_mut(&mut self.directory).nodes.insert(node, info);
            }
            Item::Group(group, servers) => {
                Arc::make_mut(&mut self.directory).groups.insert(group, servers);
            }
            Item::Session(client, record) => self.sessions.record(client, record),
        }
    }
}

impl Image for Controller {
    type Chunk = Chunk;
    type Cursor = Cursor;

    fn chunk(&self, from: &Cursor, limit: usize) -> (Chunk, Option<Cursor>) {
        let (mut items, mut bytes) = (Vec::new(), 0);
        for item in self.items(*from) {
            bytes += item.bytes();
            if bytes > limit && !items.is_empty() {
                return (Chunk { items }, Some(item.cursor()));
            }
            items.push(item);
        }
        (Chunk { items }, None)
    }

    fn blank() -> Self {
        #[cfg(feature = "mutants")]
        return Self { map_order: crate::mutants::MapOrder::restored(), ..Self::empty() };
        #[cfg(not(feature = "mutants"))]
        Self::empty()
    }

    fn absorb(&mut self, chunk: Chunk) {
        for item in chunk.items {
            self.absorb_item(item);
        }
    }
}

impl Payload for Command {
    type Image = Controller;

    /// About how many bytes it takes in the log, rather more than less.
    fn bytes(&self) -> usize {
        match self {
            Self::RegisterClient { .. } => 16,
            Self::RegisterNode { info, .. } => 16 + info.bytes(),
            Self::Change { change, .. } => 32 + change.bytes(),
            Self::Retire { .. } => 32,
        }
    }
}

impl Change {
    fn bytes(&self) -> usize {
        match self {
            Self::Join { groups } => groups.values().map(|servers| 16 + 9 * servers.len()).sum(),
            Self::Leave { gids } => 9 * gids.len(),
            Self::Move { .. } => 18,
            Self::RaiseFloor { .. } => 9,
        }
    }
}

impl NodeInfo {
    fn bytes(&self) -> usize {
        32 + self.address.len()
    }
}

impl Configuration {
    /// About how many bytes it takes, rather more than less.
    fn bytes(&self) -> usize {
        let groups: usize = self.groups.values().map(|group| 32 + 9 * group.servers.len()).sum();
        // An owner and an origin, two flags and five numbers of at most nine bytes.
        32 + 47 * self.shards.len() + groups
    }
}
