//! What a data group holds, read from its image: the abstractions of the specification begin with it.

use quorate_core::raft::Image;
use quorate_core::shard::{Chunk, Place, Records, RoleHeader, ShardGroup};
use quorate_spec::ids::ShardId;
use std::collections::BTreeMap;

/// What a group holds.
#[derive(Clone, Debug, Default)]
pub struct Contents {
    /// The shards that it owns and has no data of yet.
    pub awaiting: Vec<ShardId>,
    /// The copies that it serves, and those that it has frozen.
    pub copies: BTreeMap<Place, Records>,
}

impl Contents {
    /// Those of a group.
    pub fn of(group: &ShardGroup) -> Self {
        let mut held = Self::default();
        let mut cursor = Some(None);
        while let Some(from) = cursor {
            let (chunk, next) = group.chunk(&from, usize::MAX);
            match chunk {
                Chunk::Header(header) => {
                    for (shard, role) in (0..).map(ShardId::new).zip(&header.roles) {
                        match role {
                            RoleHeader::Serving => {
                                let floor = header.config.floor;
                                held.copies.insert(Place::Role(shard), Records { floor, ..Records::default() });
                            }
                            RoleHeader::Awaiting { .. } => held.awaiting.push(shard),
                            RoleHeader::Absent => {}
                        }
                    }
                    for frozen in &header.frozen {
                        held.copies.insert(Place::Frozen(frozen.shard, frozen.config), Records::default());
                    }
                }
                Chunk::Part { place, records } => {
                    held.copies.entry(place).and_modify(|copy| *copy = records);
                }
            }
            cursor = next;
        }
        held
    }
}
