//! What the tests of data groups share: configurations made by the controller's origin rule, keys of a given shard,
//! and one group as an atomic log.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part")]

use quorate_core::bytes::Bytes;
use quorate_core::controller::{Assignment, Configuration, GroupInfo};
use quorate_core::keyspace::shard_of;
use quorate_core::shard::{
    Applied, Command, Cursor, Outcome, ReadAnswer, ShardGroup, ShardMessage, WriteOp, WriteRefusal,
};
use quorate_core::spec::ids::{ClientId, ConfigNum, Gid, GroupId, LogIndex, NodeId, Seq, ShardId};
use quorate_core::spec::views::Origin;
use std::collections::BTreeMap;
use std::sync::Arc;

pub const LIMIT: u64 = 1 << 20;

pub fn gid(gid: u64, born: u64) -> GroupId {
    GroupId::new(Gid::new(gid), ConfigNum::new(born))
}

pub fn shard(number: u64) -> ShardId {
    ShardId::new(number)
}

pub fn config_num(num: u64) -> ConfigNum {
    ConfigNum::new(num)
}

pub fn origin(group: GroupId, config: u64) -> Origin {
    Origin { group, config: config_num(config) }
}

/// The `nth` key of a shard.
pub fn key_in(shard: ShardId, shards: u32, nth: usize) -> Bytes {
    let keys = (0..).map(|n: u32| format!("k{n}")).filter(|key| shard_of(key.as_bytes(), shards) == shard);
    Bytes::from(keys.into_iter().nth(nth).expect("keys never run out").as_str())
}

/// All configurations so far, made by the controller's rule: an owner that loses a shard becomes its origin, which is
/// kept while nobody owns it.
#[derive(Clone, Debug)]
pub struct Plan {
    pub configs: Vec<Arc<Configuration>>,
}

impl Plan {
    pub fn new(shards: usize) -> Self {
        let first = Configuration { shards: vec![Assignment::default(); shards], ..Configuration::default() };
        Self { configs: vec![Arc::new(first)] }
    }

    pub fn latest(&self) -> &Arc<Configuration> {
        self.configs.last().expect("there is always configuration 0")
    }

    pub fn get(&self, num: u64) -> &Arc<Configuration> {
        &self.configs[num as usize]
    }

    pub fn after(&self, num: ConfigNum) -> Option<&Arc<Configuration>> {
        self.configs.get(num.get() as usize + 1)
    }

    /// Makes the next configuration: what differs from the latest is in `change`, which may list groups (born now if
    /// new), set owners and raise the floor.
    pub fn publish(&mut self, change: impl FnOnce(&mut Draft)) -> &Arc<Configuration> {
        let before = Arc::clone(self.latest());
        let mut draft = Draft {
            num: before.num.next(),
            owners: before.shards.iter().map(|assignment| assignment.owner).collect(),
            groups: before.groups.clone(),
            floor: before.floor,
        };
        change(&mut draft);
        let shards = before.shards.iter().zip(&draft.owners).map(|(old, owner)| Assignment {
            owner: *owner,
            origin: match old.owner {
                Some(loser) if *owner != Some(loser) => Some(Origin { group: loser, config: draft.num }),
                _ => old.origin,
            },
        });
        let config =
            Configuration { num: draft.num, shards: shards.collect(), groups: draft.groups, floor: draft.floor };
        self.configs.push(Arc::new(config));
        self.latest()
    }

    /// A configuration that gives every listed shard to its group (listed with nodes `10 * gid + 1..=3`).
    pub fn give(&mut self, owners: &[(u64, Option<GroupId>)]) -> Arc<Configuration> {
        let config = self.publish(|draft| {
            for (number, owner) in owners {
                if let Some(group) = owner {
                    draft.list(*group);
                }
                draft.owners[*number as usize] = *owner;
            }
        });
        Arc::clone(config)
    }
}

/// A configuration in the making.
pub struct Draft {
    pub num: ConfigNum,
    pub owners: Vec<Option<GroupId>>,
    pub groups: BTreeMap<Gid, GroupInfo>,
    pub floor: ClientId,
}

impl Draft {
    pub fn list(&mut self, group: GroupId) {
        self.groups.insert(group.gid, GroupInfo { id: group, servers: servers(group) });
    }

    pub fn leave(&mut self, group: GroupId) {
        self.groups.remove(&group.gid);
        for owner in &mut self.owners {
            owner.take_if(|owner| *owner == group);
        }
    }
}

pub fn servers(group: GroupId) -> Vec<NodeId> {
    (1..=3).map(|member| NodeId::new(group.gid.get() * 10 + member)).collect()
}

pub fn write(client: u64, seq: u64, key: &Bytes, op: WriteOp) -> Command {
    Command::Write { client: ClientId::new(client), seq: Seq::new(seq), key: key.clone(), op, value_limit: LIMIT }
}

pub fn put(value: &str) -> WriteOp {
    WriteOp::Put { value: Bytes::from(value) }
}

pub fn append(value: &str) -> WriteOp {
    WriteOp::Append { value: Bytes::from(value) }
}

/// A group as an atomic log: what is applied is committed.
#[derive(Clone, Debug)]
pub struct Log {
    pub state: ShardGroup,
    pub index: LogIndex,
}

impl Log {
    pub fn new(group: GroupId, plan: &Plan) -> Self {
        let before = Arc::clone(plan.get(group.born.get() - 1));
        Self { state: ShardGroup::genesis(group, before), index: LogIndex::ZERO }
    }

    pub fn apply(&mut self, command: &Command) -> Applied {
        self.index = self.index.next();
        self.state.apply(self.index, command)
    }

    /// Adopts the configurations up to `num`, each of which must be taken.
    pub fn adopt(&mut self, plan: &Plan, num: u64) {
        while self.state.config().num < config_num(num) {
            let config = Arc::clone(plan.after(self.state.config().num).expect("the configuration exists"));
            assert!(self.try_adopt(&config), "{config:?} is taken");
        }
    }

    /// Whether the configuration was taken.
    pub fn try_adopt(&mut self, config: &Arc<Configuration>) -> bool {
        let before = self.state.clone();
        let applied = self.apply(&Command::AdoptConfiguration { config: Arc::clone(config) });
        assert_eq!(applied.actions.is_empty(), before == self.state, "an ignored command changes nothing");
        before != self.state
    }

    pub fn write(&mut self, client: u64, seq: u64, key: &Bytes, op: WriteOp) -> Outcome {
        self.apply(&write(client, seq, key, op)).outcome.expect("a write has an outcome")
    }

    /// A write that must take effect or have done so.
    pub fn done(&mut self, client: u64, seq: u64, key: &Bytes, op: WriteOp) -> Outcome {
        let outcome = self.write(client, seq, key, op);
        assert!(matches!(outcome, Outcome::Written { .. }), "{outcome:?}");
        outcome
    }

    /// A write that must be refused, without any effect.
    pub fn refused(&mut self, client: u64, seq: u64, key: &Bytes, op: WriteOp) -> WriteRefusal {
        let before = self.state.clone();
        let outcome = self.write(client, seq, key, op);
        assert_eq!(before, self.state, "a refusal leaves no trace");
        match outcome {
            Outcome::Refused(refusal) => refusal,
            Outcome::Written { .. } => panic!("{outcome:?}"),
        }
    }

    pub fn value(&self, key: &Bytes) -> Option<String> {
        match self.state.read(key, self.index) {
            ReadAnswer::Value { value, .. } => value.map(|value| String::from_utf8_lossy(&value).into_owned()),
            ReadAnswer::Refused(reason) => panic!("{key:?} is not served: {reason:?}"),
        }
    }
}

/// The part of `source`'s frozen copy that begins at `from`, as the command that installs it.
pub fn pull(
    source: &ShardGroup,
    target: GroupId,
    shard: ShardId,
    origin: Origin,
    from: Cursor,
    limit: usize,
) -> Command {
    match source.answer(&ShardMessage::Pull { target, shard, origin, from }, limit) {
        Some(ShardMessage::Part { shard, origin, from, records, next, .. }) => {
            Command::InstallChunk { shard, origin, from, records, next }
        }
        other => panic!("no part: {other:?}"),
    }
}

/// Moves a whole awaited copy, part by part. The commands, to be repeated by tests.
pub fn transfer(source: &Log, target: &mut Log, shard: ShardId, origin: Origin, limit: usize) -> Vec<Command> {
    let mut commands = Vec::new();
    let mut from = Some(Cursor::Start);
    while let Some(cursor) = from.take() {
        let here = cursor.clone();
        let command = pull(&source.state, target.state.group(), shard, origin, cursor, limit);
        let Command::InstallChunk { next, .. } = &command else { panic!("{command:?}") };
        assert!(next.as_ref().is_none_or(|next| *next > here), "every part moves on from {here:?}");
        from.clone_from(next);
        assert!(!target.apply(&command).actions.is_empty(), "the next part is taken");
        commands.push(command);
    }
    commands
}
