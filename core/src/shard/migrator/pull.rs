//! Pulling awaited shards: one question open per shard, parts proposed ahead of what is applied, another member of the
//! origin asked when nothing moves.

use super::{Asked, Drive, Pace, next_member};
use crate::controller::Directory;
use crate::mutants::mutant;
use crate::shard::machine::{Awaiting, ShardGroup};
use crate::shard::types::{Command, Cursor, Records, ShardMessage};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::ops::Bound;
use quorate_spec::ids::{ConfigNum, GroupId, NodeId, ShardId};
use quorate_spec::views::Origin;

/// The shards that are being pulled.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Pulls {
    shards: BTreeMap<ShardId, Pull>,
    /// Per origin group, who last had what was asked for: the first to be asked for the next shard.
    answered: Asked,
    /// The configuration under which it last looked for shards to pull.
    config: ConfigNum,
    /// The last shard looked at, if the last look did not see all.
    looked: Option<ShardId>,
}

/// One shard that is being pulled.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Pull {
    origin: Origin,
    /// The members of the origin, as last known.
    members: Vec<NodeId>,
    /// Who was asked last.
    asked: Option<NodeId>,
    /// Whether that question is open.
    open: bool,
    /// How many members have refused since the last tick or part.
    refused: usize,
    /// The next part to ask for: ahead of the replicated cursor. `None` when the last part has been proposed.
    wanted: Option<Cursor>,
    /// Where the proposed parts that are not applied yet begin.
    proposed: Vec<Cursor>,
    /// The replicated cursor at the last tick.
    seen: Option<Cursor>,
    /// For how many ticks it has not moved.
    still: u32,
    /// The size of the whole copy.
    total: Option<u64>,
}

/// A part as it arrived.
pub(super) struct Part<'a> {
    pub(super) shard: ShardId,
    pub(super) origin: Origin,
    pub(super) cursor: &'a Cursor,
    pub(super) records: &'a Records,
    pub(super) next: &'a Option<Cursor>,
    pub(super) total: u64,
}

impl Pulls {
    pub(super) fn total(&self, shard: ShardId) -> Option<u64> {
        self.shards.get(&shard).and_then(|pull| pull.total)
    }

    /// At a tick: a pull whose replicated cursor has not moved since the last one starts again from that cursor with
    /// another member. A question or an answer was lost, or nobody had the copy yet; or, if parts are proposed and it
    /// has stood still for long, a proposal was.
    pub(super) fn fall_back(&mut self, group: &ShardGroup, directory: &Directory, pace: Pace) {
        if self.shards.is_empty() {
            self.answered.clear();
        }
        for (shard, pull) in &mut self.shards {
            let Some(role) = group.awaiting.get(shard) else {
                continue;
            };
            if let Some(members) = directory.groups.get(&pull.origin.group) {
                pull.members.clone_from(members);
            }
            pull.refused = 0;
            if pull.seen.as_ref() != Some(&role.next) {
                pull.seen = Some(role.next.clone());
                pull.still = 0;
                continue;
            }
            pull.still += 1;
            let patience = if pull.proposed.is_empty() { 1 } else { pace.patience.max(1) };
            if pull.still >= patience && !mutant!(LostPullNotRepeated) {
                pull.still = 0;
                pull.asked = next_member(&pull.members, pull.asked);
                pull.open = false;
                pull.wanted = Some(role.next.clone());
                pull.proposed.clear();
            }
        }
    }

    /// Ends the pulls whose shard is no longer awaited: it has been installed, the only way out of waiting. The origin
    /// is told unasked, which saves it a question; if the message is lost, it asks. Says whether any pull ended.
    pub(super) fn finish(&mut self, group: &ShardGroup, directory: &Directory, drive: &mut Drive) -> bool {
        let before = self.shards.len();
        self.shards.retain(|shard, pull| {
            let origin = pull.origin;
            if group.awaiting.get(shard).is_some_and(|role| role.origin == origin) {
                return true;
            }
            let members = directory.groups.get(&origin.group).unwrap_or(&pull.members);
            drive.sends.extend(members.iter().map(|member| {
                (origin.group, *member, ShardMessage::Confirmed { target: group.group, shard: *shard, origin })
            }));
            false
        });
        self.shards.len() < before
    }

    /// Begins to pull awaited shards, in turn, while there is room for their origin: one origin that is down holds up
    /// nobody else's shards. Looked for only when something has changed: at a tick, when a pull ended (`room`), under a
    /// new configuration.
    pub(super) fn begin(&mut self, me: NodeId, group: &ShardGroup, directory: &Directory, room: bool, pace: Pace) {
        if !room && self.config == group.config.num {
            return;
        }
        self.config = group.config.num;
        let mut busy: BTreeMap<GroupId, usize> = BTreeMap::new();
        for pull in self.shards.values() {
            *busy.entry(pull.origin.group).or_default() += 1;
        }
        for (shard, role) in self.look(group, pace.looks.max(1)) {
            let taken = busy.entry(role.origin.group).or_default();
            if *taken >= pace.pulls.max(1) || self.shards.contains_key(shard) {
                continue;
            }
            let members = directory.groups.get(&role.origin.group).filter(|members| !members.is_empty());
            let Some(members) = members else { continue };
            *taken += 1;
            let asked = self.first_asked(me, *shard, role.origin, members);
            self.shards.insert(*shard, Pull::new(role, members.clone(), asked));
        }
    }

    /// The awaited shards, or if there are too many for one look, the next of them in turn.
    fn look<'a>(&mut self, group: &'a ShardGroup, looks: usize) -> Vec<(&'a ShardId, &'a Awaiting)> {
        let all = &group.awaiting;
        let seen: Vec<_> = match self.looked {
            Some(looked) => {
                let first = all.range_from(Bound::Excluded(&looked));
                first.chain(all.iter().take_while(|(shard, _)| **shard <= looked)).take(looks).collect()
            }
            None => all.iter().take(looks).collect(),
        };
        self.looked = seen.last().map(|(shard, _)| **shard).filter(|_| all.len() > looks);
        seen
    }

    /// Whom to ask first: whoever last answered for the origin, else this node if it is a member (nothing to send),
    /// else the members in turn, so that many shards spread.
    fn first_asked(&self, me: NodeId, shard: ShardId, origin: Origin, members: &[NodeId]) -> Option<NodeId> {
        let answered = self.answered.get(&origin.group).copied().filter(|node| members.contains(node));
        let own = members.contains(&me).then_some(me);
        answered.or(own).or_else(|| members.get(shard.get() as usize % members.len()).copied())
    }

    /// Asks for the next part of every shard that has no open question and not too much ahead.
    pub(super) fn go_on(&mut self, group: &ShardGroup, pace: Pace, drive: &mut Drive) {
        for (shard, pull) in &mut self.shards {
            let Some(role) = group.awaiting.get(shard).filter(|role| role.origin == pull.origin) else {
                continue;
            };
            pull.catch_up(&role.next);
            if pull.open || pull.proposed.len() >= pace.ahead.max(1) {
                continue;
            }
            if let (Some(from), Some(node)) = (&pull.wanted, pull.asked) {
                pull.open = true;
                let origin = pull.origin;
                let message = ShardMessage::Pull { target: group.group, shard: *shard, origin, from: from.clone() };
                drive.sends.push((origin.group, node, message));
            }
        }
    }

    /// A part arrived: proposed if it is the wanted one, ignored if it is not (late, repeated, of another copy).
    pub(super) fn part(&mut self, from: NodeId, part: &Part<'_>, drive: &mut Drive) {
        let Some(pull) = self.shards.get_mut(&part.shard).filter(|pull| pull.origin == part.origin) else {
            return;
        };
        if pull.wanted.as_ref() != Some(part.cursor) {
            return;
        }
        pull.wanted.clone_from(part.next);
        pull.proposed.push(part.cursor.clone());
        pull.asked = Some(from);
        pull.open = false;
        pull.refused = 0;
        pull.total = Some(part.total);
        self.answered.insert(part.origin.group, from);
        drive.propose.push(Command::InstallChunk {
            shard: part.shard,
            origin: part.origin,
            from: part.cursor.clone(),
            records: part.records.clone(),
            next: part.next.clone(),
        });
    }

    /// The asked member does not hold the copy: the next one is asked, until all have refused; then at the next tick.
    pub(super) fn not_here(&mut self, group: &ShardGroup, from: NodeId, shard: ShardId, origin: Origin) {
        let Some(pull) = self.shards.get_mut(&shard).filter(|pull| pull.origin == origin) else {
            return;
        };
        if !pull.open || pull.asked != Some(from) {
            return;
        }
        if self.answered.get(&origin.group) == Some(&from) {
            self.answered.remove(&origin.group);
        }
        // Late repetitions must not count without end.
        pull.refused = pull.members.len().min(pull.refused + 1);
        if pull.refused < pull.members.len() {
            pull.asked = next_member(&pull.members, pull.asked);
            pull.open = false;
        } else {
            // The question counts as open, so that nothing is sent before the tick, which then finds no progress.
            pull.seen = group.awaiting.get(&shard).map(|role| role.next.clone());
        }
    }
}

impl Pull {
    fn new(role: &Awaiting, members: Vec<NodeId>, asked: Option<NodeId>) -> Self {
        Self {
            origin: role.origin,
            members,
            asked,
            open: false,
            refused: 0,
            wanted: Some(role.next.clone()),
            proposed: Vec::new(),
            seen: None,
            still: 0,
            total: None,
        }
    }

    /// What has been applied is no longer ahead. If others' proposals went further than this driver had asked, it goes
    /// on from there.
    fn catch_up(&mut self, next: &Cursor) {
        self.proposed.retain(|cursor| cursor >= next);
        if self.wanted.as_ref().is_some_and(|wanted| wanted < next) {
            self.wanted = Some(next.clone());
            self.open = false;
        }
    }
}
