//! Taking configurations, and moving shards: the entries that freeze, await, install and collect, and the questions
//! that other groups ask.

use super::copy::ShardCopy;
use super::machine::{Awaiting, Frozen, ShardGroup};
use super::outcome::Applied;
use super::types::{Cursor, Records, ShardMessage};
use crate::controller::{Assignment, Configuration};
use crate::mutants::mutant;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use quorate_spec::action::Action;
use quorate_spec::ids::{ClientId, ConfigNum, GroupId, ShardId};
use quorate_spec::views::Origin;

impl ShardGroup {
    /// Takes the next configuration. Ignored unless it is the very next one (`config-skipped`) and nothing is awaited:
    /// a group never leaves a configuration before it holds everything that the configuration gave it.
    pub(super) fn adopt_configuration(&mut self, config: &Arc<Configuration>) -> Applied {
        let follows = config.num == self.config.num.next() || (mutant!(ConfigSkipped) && config.num > self.config.num);
        if !follows || !self.settled() {
            return Applied::default();
        }
        assert!(
            self.config.shards.is_empty() || self.config.shards.len() == config.shards.len(),
            "the number of shards is a cluster constant"
        );
        let floor_rises = config.floor > self.config.floor;
        self.config = Arc::clone(config);
        let mut actions = vec![Action::AdoptConfiguration { config: config.num }];
        for (number, assignment) in config.shards.iter().enumerate() {
            let shard = ShardId::new(number as u64);
            // The identity, not the gid: a gid that left and joined again is another group.
            let mine = assignment.owner.is_some_and(|owner| self.is_me(owner));
            match (mine, self.serving.contains_key(&shard)) {
                (true, true) if floor_rises => self.raise_floor(shard, config),
                (true, false) => actions.extend(self.take_over(shard, assignment)),
                (false, true) => actions.push(self.freeze(shard)),
                (false, false) if mutant!(HandoffByTimeout) => self.take_back(shard),
                (true, true) | (false, false) => {}
            }
        }
        self.name_targets();
        Applied { outcome: None, actions }
    }

    fn is_me(&self, owner: GroupId) -> bool {
        owner == self.group || (mutant!(RejoinedGidMistaken) && owner.gid == self.group.gid)
    }

    /// The mutant `handoff-by-timeout`: a copy that is still here when the next configuration comes is served again.
    fn take_back(&mut self, shard: ShardId) {
        if let Some(copy) = self.copies_of(shard).last() {
            let copy = self.frozen.get(copy).map(|frozen| frozen.copy.clone()).unwrap_or_default();
            self.serving.insert(shard, copy);
        }
    }

    /// The frozen copies of a shard, the oldest first.
    fn copies_of(&self, shard: ShardId) -> Vec<(ShardId, ConfigNum)> {
        self.frozen.keys().copied().filter(|copy| copy.0 == shard).collect()
    }

    fn raise_floor(&mut self, shard: ShardId, config: &Configuration) {
        let copy = self.serving.get_mut(&shard).expect("invariant: only served shards get here");
        copy.raise_floor(config.floor);
    }

    /// The mutant `session-expiry-by-local-clock`: ends sessions in every served shard, here only.
    #[cfg(feature = "mutants")]
    pub(crate) fn end_sessions(&mut self, floor: ClientId) {
        let shards: Vec<ShardId> = self.serving.keys().copied().collect();
        for shard in shards {
            if let Some(copy) = self.serving.get_mut(&shard) {
                copy.raise_floor(floor);
            }
        }
    }

    /// A shard that this configuration gives to the group: empty if nobody ever had it, else awaited from where it
    /// froze. That may be this very group, if nobody owned the shard in between: it takes the same path then.
    fn take_over(&mut self, shard: ShardId, assignment: &Assignment) -> Option<Action> {
        match assignment.origin {
            None => {
                self.serving.insert(shard, ShardCopy::empty(self.config.floor));
                Some(Action::StartEmpty { shard, config: self.config.num })
            }
            Some(origin) => {
                if mutant!(ReturningShardOverwrites) {
                    self.copies_of(shard).iter().for_each(|copy| _ = self.frozen.remove(copy));
                }
                let awaiting = Awaiting { origin, received: ShardCopy::default(), next: Cursor::Start };
                self.awaiting.insert(shard, awaiting);
                None
            }
        }
    }

    /// Sets the served copy aside, under the configuration that takes it away. From this entry on nothing can write it.
    fn freeze(&mut self, shard: ShardId) -> Action {
        let copy = self.serving.get(&shard).cloned().expect("invariant: only served shards are frozen");
        let config = self.config.num;
        assert!(!self.frozen.contains_key(&(shard, config)), "a configuration freezes a shard once");
        if !mutant!(SourceServesAfterFreeze) {
            self.serving.remove(&shard);
        }
        self.frozen.insert((shard, config), Frozen { copy, target: None });
        Action::Freeze { shard, config }
    }

    /// Notes who takes over the frozen copies that had no taker yet. Every configuration is adopted in turn, so the
    /// first one that gives the shard to anybody is seen, and its origin names the copy.
    fn name_targets(&mut self) {
        let mut named = Vec::new();
        for ((shard, froze), frozen) in self.frozen.iter() {
            let Some(assignment) = self.config.shards.get(shard.get() as usize) else {
                continue;
            };
            let copy = Origin { group: self.group, config: *froze };
            if let (None, Some(owner), true) = (frozen.target, assignment.owner, assignment.origin == Some(copy)) {
                named.push(((*shard, *froze), owner));
            }
        }
        for (key, owner) in named {
            let frozen = self.frozen.get_mut(&key).expect("invariant: the copy was just seen");
            frozen.target = Some((owner, self.config.num));
        }
    }

    /// Takes in a part of an awaited shard. Ignored unless it is the next part of the awaited copy: a repeated or late
    /// part finds another cursor, another origin or no waiting at all, and never touches a served shard
    /// (`install-twice`). The last part installs data, sessions and floor at once, by the entry that starts serving.
    pub(super) fn install_chunk(
        &mut self,
        shard: ShardId,
        origin: Origin,
        from: &Cursor,
        records: &Records,
        next: Option<&Cursor>,
    ) -> Applied {
        let wanted = self.awaiting.get(&shard).is_some_and(|role| role.origin == origin && role.next == *from);
        if mutant!(InstallTwice)
            && let Some(copy) = self.serving.get_mut(&shard)
        {
            records.data.iter().for_each(|(key, value)| copy.insert(key, value.clone()));
        }
        if !wanted {
            return Applied::default();
        }
        let role = self.awaiting.get_mut(&shard).expect("invariant: the shard is awaited");
        role.received.add(records);
        let config = self.config.num;
        let action = match next {
            Some(next) => {
                role.next = next.clone();
                Action::InstallChunk { shard, config }
            }
            None => {
                let mut copy = role.received.clone();
                self.awaiting.remove(&shard);
                if mutant!(CopyDroppedAtReturn) {
                    self.copies_of(shard).iter().for_each(|copy| _ = self.frozen.remove(copy));
                }
                // The greater of the two floors. Nothing in the copy is below its own: it was served under it.
                copy.raise_floor(self.config.floor);
                let copy = if mutant!(FloorLeftBehind) { copy.with_floor(ClientId::ZERO) } else { copy };
                self.serving.insert(shard, copy);
                Action::Install { shard, config }
            }
        };
        Applied { outcome: None, actions: vec![action] }
    }

    /// Drops one frozen copy, named by the configuration that froze it: no role and no other copy can be meant
    /// (`stale-delete`).
    pub(super) fn collect(&mut self, shard: ShardId, config: ConfigNum) -> Applied {
        if mutant!(StaleDelete) {
            self.copies_of(shard).iter().for_each(|copy| _ = self.frozen.remove(copy));
        }
        let actions = match self.frozen.remove(&(shard, config)) {
            true => vec![Action::Collect { shard, config }],
            false => Vec::new(),
        };
        Applied { outcome: None, actions }
    }

    /// What this replica, leader or not, answers to another group from what it has applied. `chunk_limit` bounds a
    /// part, in bytes. Nothing for a message that is itself an answer, or that is meant for another group.
    pub fn answer(&self, message: &ShardMessage, chunk_limit: usize) -> Option<ShardMessage> {
        match message {
            ShardMessage::Pull { target, shard, origin, from } => {
                (origin.group == self.group).then(|| self.part(*target, *shard, *origin, from, chunk_limit))
            }
            ShardMessage::Confirm { target, taken, shard, origin } => {
                let confirmed = *target == self.group && self.has_taken(*shard, *taken, *origin);
                confirmed.then_some(ShardMessage::Confirmed { target: *target, shard: *shard, origin: *origin })
            }
            ShardMessage::Part { .. } | ShardMessage::NotHere { .. } | ShardMessage::Confirmed { .. } => None,
        }
    }

    /// A part of a frozen copy, and of nothing else: a replica that has not applied the freeze has none to give
    /// (`pull-from-stale-leader`). A frozen copy is the same on every replica that has it, so it does not matter which
    /// one answers, or whether several answer for parts of one shard.
    fn part(&self, target: GroupId, shard: ShardId, origin: Origin, from: &Cursor, chunk_limit: usize) -> ShardMessage {
        let frozen = self.frozen.get(&(shard, origin.config)).map(|frozen| &frozen.copy);
        let stale = self.serving.get(&shard).filter(|_| mutant!(PullFromStaleLeader));
        match frozen.or(stale) {
            Some(copy) => {
                let (mut records, next) = copy.part(from, chunk_limit);
                if mutant!(DedupeLeftBehind) {
                    records.sessions.clear();
                }
                let total = copy.bytes();
                ShardMessage::Part { target, shard, origin, from: from.clone(), records, next, total }
            }
            None => ShardMessage::NotHere { target, shard, origin },
        }
    }

    /// Whether this replica has applied the Install of `origin`'s copy, which the group took over in `taken`.
    ///
    /// Applying `taken` makes the shard awaited in the same step, and only the Install ends that. So *at* `taken` the
    /// copy is installed exactly if it is not awaited, and *beyond* `taken` it is, because a group leaves a
    /// configuration only when nothing is awaited. What happened to the shard afterwards (served, frozen again,
    /// collected) does not matter: every later copy descends from the installed one. *Before* `taken` a replica knows
    /// nothing. And what is applied is committed: it survives any crash that the group survives.
    fn has_taken(&self, shard: ShardId, taken: ConfigNum, origin: Origin) -> bool {
        let awaited = self.awaiting.get(&shard).is_some_and(|role| role.origin == origin);
        self.config.num > taken || (self.config.num == taken && !awaited)
    }
}
