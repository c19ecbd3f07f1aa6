//! A data group's image in chunks: first a header with everything but the contents of copies, then each copy in parts.

use super::copy::ShardCopy;
use super::machine::{Awaiting, Frozen, ShardGroup};
use super::types::{Chunk, Command, Cursor, FrozenHeader, Header, Place, RoleHeader};
use crate::controller::Configuration;
use crate::mutants::mutant;
use crate::raft::{Image, Payload};
use alloc::sync::Arc;
use core::ops::Bound;
use quorate_spec::ids::{GroupId, ShardId};

/// What any command takes in a log beyond its contents, in bytes.
const COMMAND_OVERHEAD: usize = 64;
/// What one shard's assignment takes.
const ASSIGNMENT_BYTES: usize = 40;
/// What one listed group takes, without its servers.
const GROUP_BYTES: usize = 32;
/// What one server's id takes.
const SERVER_BYTES: usize = 8;

impl Payload for Command {
    type Image = ShardGroup;

    fn bytes(&self) -> usize {
        let content = match self {
            Self::Write { key, op, .. } => key.len() + op.value().len(),
            Self::AdoptConfiguration { config } => configuration_bytes(config),
            Self::InstallChunk { records, .. } => records.bytes(),
            Self::Collect { .. } => 0,
        };
        COMMAND_OVERHEAD + content
    }
}

fn configuration_bytes(config: &Configuration) -> usize {
    let groups: usize = config.groups.values().map(|info| GROUP_BYTES + info.servers.len() * SERVER_BYTES).sum();
    config.shards.len() * ASSIGNMENT_BYTES + groups
}

impl Image for ShardGroup {
    type Chunk = Chunk;
    /// `None` is the header.
    type Cursor = Option<(Place, Cursor)>;

    fn chunk(&self, from: &Self::Cursor, limit: usize) -> (Chunk, Option<Self::Cursor>) {
        let Some((place, cursor)) = from else {
            let next = self.next_place(None).map(|place| Some((place, Cursor::Start)));
            return (Chunk::Header(self.header()), next);
        };
        let copy = self.copy_at(place).expect("invariant: a cursor names a copy of the image that gave it");
        let (mut records, next) = copy.part(cursor, limit);
        if mutant!(SnapshotDropsSessions) {
            records.sessions.clear();
        }
        let next = match next {
            Some(next) => Some(Some((*place, next))),
            None => self.next_place(Some(*place)).map(|place| Some((place, Cursor::Start))),
        };
        (Chunk::Part { place: *place, records }, next)
    }

    fn blank() -> Self {
        Self::at(GroupId::default(), Arc::default())
    }

    fn absorb(&mut self, chunk: Chunk) {
        match chunk {
            Chunk::Header(header) => *self = Self::from_header(header),
            Chunk::Part { place, records } => {
                let copy = self.copy_at_mut(&place).expect("invariant: the header comes first and names every copy");
                copy.add(&records);
            }
        }
    }
}

impl ShardGroup {
    fn header(&self) -> Header {
        let role = |shard: ShardId| match (self.serving.contains_key(&shard), self.awaiting.get(&shard)) {
            (true, _) => RoleHeader::Serving,
            (false, Some(role)) => RoleHeader::Awaiting { origin: role.origin, next: role.next.clone() },
            (false, None) => RoleHeader::Absent,
        };
        Header {
            group: self.group,
            config: Arc::clone(&self.config),
            roles: (0..self.config.shards.len()).map(|number| role(ShardId::new(number as u64))).collect(),
            frozen: (self.frozen.iter())
                .map(|((shard, config), frozen)| FrozenHeader { shard: *shard, config: *config, target: frozen.target })
                .collect(),
        }
    }

    fn from_header(header: Header) -> Self {
        let mut group = Self::at(header.group, header.config);
        for (number, role) in header.roles.into_iter().enumerate() {
            let shard = ShardId::new(number as u64);
            match role {
                RoleHeader::Absent => {}
                RoleHeader::Serving => {
                    group.serving.insert(shard, ShardCopy::empty(group.config.floor));
                }
                RoleHeader::Awaiting { origin, next } => {
                    group.awaiting.insert(shard, Awaiting { origin, received: ShardCopy::default(), next });
                }
            }
        }
        for FrozenHeader { shard, config, target } in header.frozen {
            group.frozen.insert((shard, config), Frozen { copy: ShardCopy::default(), target });
        }
        group
    }

    fn copy_at(&self, place: &Place) -> Option<&ShardCopy> {
        match place {
            Place::Role(shard) => {
                self.serving.get(shard).or_else(|| self.awaiting.get(shard).map(|role| &role.received))
            }
            Place::Frozen(shard, config) => self.frozen.get(&(*shard, *config)).map(|frozen| &frozen.copy),
        }
    }

    fn copy_at_mut(&mut self, place: &Place) -> Option<&mut ShardCopy> {
        match place {
            Place::Role(shard) if self.serving.contains_key(shard) => self.serving.get_mut(shard),
            Place::Role(shard) => self.awaiting.get_mut(shard).map(|role| &mut role.received),
            Place::Frozen(shard, config) => self.frozen.get_mut(&(*shard, *config)).map(|frozen| &mut frozen.copy),
        }
    }

    /// The first copy after `place` (or of all) whose content the header does not tell: thousands of empty shards are
    /// one chunk, not thousands.
    fn next_place(&self, place: Option<Place>) -> Option<Place> {
        let first = match place {
            None => 0,
            Some(Place::Role(shard)) => shard.get() + 1,
            Some(Place::Frozen(..)) => self.config.shards.len() as u64,
        };
        let roles = (first..self.config.shards.len() as u64).map(|number| Place::Role(ShardId::new(number)));
        let after = match &place {
            Some(Place::Frozen(shard, config)) => Some((*shard, *config)),
            None | Some(Place::Role(_)) => None,
        };
        let after = after.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
        let frozen = self.frozen.range_from(after).map(|((shard, config), _)| Place::Frozen(*shard, *config));
        roles.chain(frozen).find(|place| self.copy_at(place).is_some_and(|copy| *copy != self.told_by_header(place)))
    }

    /// The copy at `place` as [`Self::from_header`] makes it.
    fn told_by_header(&self, place: &Place) -> ShardCopy {
        match place {
            Place::Role(shard) if self.serving.contains_key(shard) => ShardCopy::empty(self.config.floor),
            Place::Role(_) | Place::Frozen(..) => ShardCopy::default(),
        }
    }
}
