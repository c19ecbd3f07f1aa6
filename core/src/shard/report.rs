//! What a data group tells people and the invariants about itself. Nothing here decides anything.

use super::machine::ShardGroup;
use crate::bytes::Bytes;
use crate::controller::Configuration;
use alloc::sync::Arc;
use quorate_spec::ids::{ClientId, ConfigNum, GroupId, ShardId};
use quorate_spec::views::{GroupView, Origin, RoleView};

impl ShardGroup {
    /// The group's identity.
    pub fn group(&self) -> GroupId {
        self.group
    }

    /// The adopted configuration.
    pub fn config(&self) -> &Arc<Configuration> {
        &self.config
    }

    /// The session floor.
    pub fn floor(&self) -> ClientId {
        self.config.floor
    }

    /// Whether a shard is served.
    pub fn serves(&self, shard: ShardId) -> bool {
        self.serving.contains_key(&shard)
    }

    /// The served shards, ascending.
    pub fn serving(&self) -> impl Iterator<Item = ShardId> + '_ {
        self.serving.keys().copied()
    }

    /// The awaited shards, ascending: the origin, and the bytes received.
    pub fn awaiting(&self) -> impl Iterator<Item = (ShardId, Origin, u64)> + '_ {
        self.awaiting.iter().map(|(shard, role)| (*shard, role.origin, role.received.bytes()))
    }

    /// The frozen copies, ascending: the shard, the configuration that froze it, its bytes.
    pub fn frozen(&self) -> impl Iterator<Item = (ShardId, ConfigNum, u64)> + '_ {
        self.frozen.iter().map(|((shard, config), frozen)| (*shard, *config, frozen.copy.bytes()))
    }

    /// Bytes of the frozen copy of a shard by one configuration; 0 if there is none.
    pub fn frozen_bytes(&self, shard: ShardId, config: ConfigNum) -> u64 {
        self.frozen.get(&(shard, config)).map_or(0, |frozen| frozen.copy.bytes())
    }

    /// The value of a key in the newest frozen copy of its shard.
    pub fn frozen_value(&self, key: &[u8]) -> Option<&Bytes> {
        let shard = self.shard_of(key);
        let newest = self.frozen.iter().filter(|((frozen, _), _)| *frozen == shard).last();
        newest.and_then(|(_, frozen)| frozen.copy.get(key))
    }

    /// Session records held, in all copies.
    pub fn sessions(&self) -> u64 {
        self.copies().map(super::ShardCopy::sessions).sum()
    }

    /// Bytes of keys and values, in all copies. Copies share what they have in common, so memory may be less.
    pub fn data_bytes(&self) -> u64 {
        self.copies().map(super::ShardCopy::bytes).sum()
    }

    fn copies(&self) -> impl Iterator<Item = &super::ShardCopy> + '_ {
        let received = self.awaiting.values().map(|role| &role.received);
        let frozen = self.frozen.values().map(|frozen| &frozen.copy);
        self.serving.values().chain(received).chain(frozen)
    }

    /// What the invariants see.
    pub fn view(&self) -> GroupView {
        let role = |shard: ShardId| match (self.serving.get(&shard), self.awaiting.get(&shard)) {
            (Some(copy), _) => RoleView::Serving(copy.view()),
            (None, Some(role)) => RoleView::Awaiting(role.origin),
            (None, None) => RoleView::Absent,
        };
        GroupView {
            group: self.group,
            config: self.config.num,
            roles: (0..self.config.shards.len())
                .map(|number| ShardId::new(number as u64))
                .map(|shard| (shard, role(shard)))
                .collect(),
            frozen: self.frozen.iter().map(|(key, frozen)| (*key, frozen.copy.view())).collect(),
        }
    }
}
