//! A data group's replicated state and how client commands change it. Configurations and moving shards are in
//! `migration`.
//!
//! A shard is served, awaited or absent here; that is its *role*. Frozen copies stand beside the roles, named by the
//! configuration that froze them, so a shard that comes back meets its own older copies without touching them
//! (`returning-shard-overwrites` in the bug catalogue).

use super::copy::{Request, ShardCopy, Written};
use super::outcome::{Applied, Outcome, WriteRefusal};
use super::types::{Command, Cursor, NotServed, ReadAnswer, WriteAnswer};
use crate::controller::Configuration;
use crate::keyspace::shard_of;
use crate::mutants::mutant;
use crate::shared_map::SharedMap;
use alloc::sync::Arc;
use alloc::vec;
use core::ops::Bound;
use quorate_spec::action::Action;
use quorate_spec::ids::{ConfigNum, GroupId, LogIndex, Position, ShardId};
use quorate_spec::views::Origin;

/// A data group's replicated state. A clone costs a few counters.
///
/// `serving` and `awaiting` have no shard in common; a shard in neither is absent. They are two maps, not one of roles,
/// so that "is anything awaited?" costs nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ShardGroup {
    pub(super) group: GroupId,
    pub(super) config: Arc<Configuration>,
    pub(super) serving: SharedMap<ShardId, ShardCopy>,
    pub(super) awaiting: SharedMap<ShardId, Awaiting>,
    pub(super) frozen: SharedMap<(ShardId, ConfigNum), Frozen>,
}

/// A shard that the group owns and whose data is on its way. Not served: neither read nor written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Awaiting {
    pub(super) origin: Origin,
    pub(super) received: ShardCopy,
    pub(super) next: Cursor,
}

/// A copy as it was when a configuration took the shard away. Its content never changes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Frozen {
    pub(super) copy: ShardCopy,
    /// Who took the shard over and by which configuration, once a configuration adopted here says so.
    pub(super) target: Option<(GroupId, ConfigNum)>,
}

impl ShardGroup {
    /// The state of a new group: at the configuration before its creation, every shard absent.
    pub fn genesis(group: GroupId, before: Arc<Configuration>) -> Self {
        assert_eq!(before.num.next(), group.born, "a group starts at the configuration before its birth");
        Self::at(group, before)
    }

    pub(super) fn at(group: GroupId, config: Arc<Configuration>) -> Self {
        Self { group, config, serving: SharedMap::new(), awaiting: SharedMap::new(), frozen: SharedMap::new() }
    }

    /// Applies the committed command at `index`. Everything is decided here, when the command is applied, from the
    /// state that all replicas share; what was known when it was proposed does not count (`freeze-at-propose-only`).
    pub fn apply(&mut self, index: LogIndex, command: &Command) -> Applied {
        match command {
            Command::Write { client, seq, key, op, value_limit } => {
                let request = Request { client: *client, seq: *seq, key, op, value_limit: *value_limit };
                self.write(index, request)
            }
            Command::AdoptConfiguration { config } => self.adopt_configuration(config),
            Command::InstallChunk { shard, origin, from, records, next } => {
                self.install_chunk(*shard, *origin, from, records, next.as_ref())
            }
            Command::Collect { shard, config } => self.collect(*shard, *config),
        }
    }

    fn write(&mut self, index: LogIndex, request: Request<'_>) -> Applied {
        let shard = self.shard_of(request.key);
        let position = Position { config: self.config.num, index };
        let (client, seq) = (request.client, request.seq);
        let written = match self.serving.get_mut(&shard) {
            Some(copy) => copy.write(request, position),
            None => self.refuse(shard, request, position),
        };
        let (outcome, action) = match written {
            Ok(written) => {
                let outcome = Outcome::Written { answer: written.answer, shard, position: written.position };
                let action = match written.repeated {
                    true => Action::Repeat { shard, client, seq },
                    false => Action::Execute { shard, client, seq },
                };
                (outcome, action)
            }
            Err(refusal) => (Outcome::Refused(refusal), Action::Refuse { shard, client, seq }),
        };
        Applied { outcome: Some(outcome), actions: vec![action] }
    }

    /// A write to a shard that is not served is refused, and has no effect.
    fn refuse(&mut self, shard: ShardId, request: Request<'_>, position: Position) -> Result<Written, WriteRefusal> {
        let newest = self
            .frozen
            .range_from(Bound::Included(&(shard, ConfigNum::ZERO)))
            .take_while(|(copy, _)| copy.0 == shard)
            .last();
        match newest.map(|(copy, _)| *copy) {
            Some(_) if mutant!(FreezeAtProposeOnly) => {
                Ok(Written { answer: WriteAnswer::Done, position: Position::default(), repeated: true })
            }
            Some(copy) if mutant!(FrozenCopyWritten) => {
                let frozen = self.frozen.get_mut(&copy).expect("invariant: the copy was just seen");
                frozen.copy.write(request, position)
            }
            Some(_) | None => Err(self.reason(shard).into()),
        }
    }

    /// Reads a key from this one state, which has applied every entry up to `applied`. Only the caller knows whether
    /// that is recent enough.
    pub fn read(&self, key: &[u8], applied: LogIndex) -> ReadAnswer {
        let shard = self.shard_of(key);
        let early = self.awaiting.get(&shard).filter(|_| mutant!(ServeBeforeData)).map(|role| &role.received);
        match self.serving.get(&shard).or(early) {
            Some(copy) => ReadAnswer::Value {
                value: copy.get(key).cloned(),
                position: Position { config: self.config.num, index: applied },
            },
            None => ReadAnswer::Refused(self.reason(shard)),
        }
    }

    /// Why a key is not served here; `None` if it is.
    pub fn not_served(&self, key: &[u8]) -> Option<NotServed> {
        let shard = self.shard_of(key);
        (!self.serves(shard)).then(|| self.reason(shard))
    }

    /// Why a shard that is not served is not.
    fn reason(&self, shard: ShardId) -> NotServed {
        let config = self.config.num;
        if self.awaiting.contains_key(&shard) {
            NotServed::NotYetHere { config }
        } else {
            NotServed::WrongGroup { config }
        }
    }

    /// The shard of a key.
    pub fn shard_of(&self, key: &[u8]) -> ShardId {
        shard_of(key, self.config.shards.len() as u32)
    }

    /// Whether every owned shard is served: only then may the next configuration be taken.
    pub fn settled(&self) -> bool {
        self.awaiting.is_empty() || mutant!(ConfigSkipped)
    }

    /// Whether the group's life is over: it has adopted a configuration made after its birth that does not list this
    /// identity, and holds neither a shard nor a copy that anybody could still ask for.
    pub fn finished(&self) -> bool {
        let listed = self.config.groups.get(&self.group.gid).is_some_and(|info| info.id == self.group);
        let left = self.config.num >= self.group.born && !listed;
        left && self.serving.is_empty() && self.awaiting.is_empty() && self.frozen.is_empty()
    }
}
