//! A world of data groups: each an atomic log with three replicas that lag, a leader with a volatile driver, messages
//! in a bag, clients that retry, and an oracle.
#![allow(unreachable_pub, reason = "a module of one test")]

mod oracle;

use super::shard_support::{Log, Plan, append, gid, key_in, put, servers, write};
use quorate_core::bytes::Bytes;
use quorate_core::controller::Directory;
use quorate_core::shard::{Command, Drive, Known, Migrator, Outcome, Pace, ShardGroup, ShardMessage};
use quorate_core::shard::{WriteOp, WriteRefusal};
use quorate_core::spec::action::Action;
use quorate_core::spec::ids::{ClientId, GroupId, LogIndex, NodeId, Position, ShardId};
use std::collections::BTreeMap;
use std::sync::Arc;

const SHARDS: u32 = 4;
const KEYS: usize = 3;
const CLIENTS: usize = 3;
const CONFIGS: usize = 25;

/// xorshift64*: tests repeat by their seed.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % bound.max(1)
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

struct Member {
    node: NodeId,
    applied: usize,
    state: ShardGroup,
}

struct Group {
    log: Vec<Command>,
    /// What applying the whole log gives: the group, as the oracle judges it.
    truth: Log,
    members: Vec<Member>,
    leader: usize,
    migrator: Migrator,
}

struct Envelope {
    to: (GroupId, NodeId),
    from: NodeId,
    message: ShardMessage,
}

/// A client with one request at a time. It may give up on one and go on to the next.
struct Client {
    id: u64,
    seq: u64,
    request: Option<(Bytes, WriteOp)>,
}

pub struct World {
    random: Random,
    plan: Plan,
    groups: BTreeMap<GroupId, Group>,
    directories: Vec<Directory>,
    bag: Vec<Envelope>,
    clients: Vec<Client>,
    next_client: u64,
    /// Late duplicates: commands that may be proposed again at any time, anywhere.
    sent: Vec<Command>,
    values: BTreeMap<Bytes, Vec<u8>>,
    executed: BTreeMap<(u64, u64), Outcome>,
    positions: BTreeMap<ShardId, Position>,
    calm: bool,
    /// How likely a confirmation is lost, in percent: often in some worlds, so that frozen copies pile up.
    unconfirmed: usize,
    pub reached: BTreeMap<&'static str, u64>,
}

impl World {
    pub fn new(seed: u64) -> Self {
        let plan = Plan::new(SHARDS as usize);
        Self {
            random: Random((seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)),
            plan,
            groups: BTreeMap::new(),
            directories: vec![Directory::default()],
            bag: Vec::new(),
            clients: (1..=CLIENTS as u64).map(|id| Client { id, seq: 0, request: None }).collect(),
            next_client: CLIENTS as u64 + 1,
            sent: Vec::new(),
            values: BTreeMap::new(),
            executed: BTreeMap::new(),
            positions: BTreeMap::new(),
            calm: false,
            unconfirmed: if seed.is_multiple_of(3) { 90 } else { 15 },
            reached: BTreeMap::new(),
        }
    }

    fn reach(&mut self, event: &'static str) {
        *self.reached.entry(event).or_default() += 1;
    }

    fn any_group(&mut self) -> Option<GroupId> {
        let nth = self.random.below(self.groups.len());
        self.groups.keys().nth(nth).copied()
    }

    pub fn step(&mut self) {
        match self.random.below(100) {
            0..2 if self.plan.configs.len() <= CONFIGS => self.change(),
            0..28 => self.client(),
            28..45 => self.apply_somewhere(),
            45..46 => self.change_leader(),
            46..62 => {
                if let Some(group) = self.any_group() {
                    let tick = self.random.chance(30);
                    self.drive(group, tick);
                }
            }
            _ => self.deliver(),
        }
    }

    /// The controller makes another configuration.
    fn change(&mut self) {
        let random = &mut self.random;
        let choice = random.below(10);
        let (number, which) = (1 + random.below(4) as u64, random.below(SHARDS as usize));
        let picks: Vec<usize> = (0..SHARDS).map(|_| random.below(100)).collect();
        let floor = self.clients.iter().map(|client| client.id).min().unwrap_or(0) + random.below(2) as u64;
        let before = Arc::clone(self.plan.latest());
        let config = self.plan.publish(|draft| {
            let listed: Vec<GroupId> = draft.groups.values().map(|info| info.id).collect();
            match choice {
                0..3 if !draft.groups.contains_key(&gid(number, 0).gid) => {
                    let group = gid(number, draft.num.get());
                    draft.list(group);
                    draft.owners[which] = Some(group);
                }
                0..5 if !listed.is_empty() => draft.leave(listed[picks[0] % listed.len()]),
                5 => draft.floor = draft.floor.max(ClientId::new(floor)),
                6 => draft.owners[which] = None,
                _ => {
                    for (owner, pick) in draft.owners.iter_mut().zip(&picks) {
                        if *pick % 2 == 0 && !listed.is_empty() {
                            *owner = Some(listed[pick / 2 % listed.len()]);
                        }
                    }
                }
            }
        });
        let config = Arc::clone(config);
        for info in config.groups.values().filter(|info| info.id.born == config.num) {
            if self.groups.keys().any(|group| group.gid == info.id.gid) {
                *self.reached.entry("gid again").or_default() += 1;
            }
            let state = ShardGroup::genesis(info.id, Arc::clone(&before));
            let members = servers(info.id).into_iter().map(|node| Member { node, applied: 0, state: state.clone() });
            let group = Group {
                log: Vec::new(),
                truth: Log { state: state.clone(), index: LogIndex::ZERO },
                members: members.collect(),
                leader: 0,
                migrator: Migrator::new(),
            };
            self.groups.insert(info.id, group);
        }
        for (shard, assignment) in config.shards.iter().enumerate() {
            let lost = before.shards[shard].owner.is_none();
            if lost && assignment.owner.is_some_and(|owner| assignment.origin.is_some_and(|o| o.group == owner)) {
                *self.reached.entry("back from itself").or_default() += 1;
            }
        }
        self.new_directory();
    }

    fn new_directory(&mut self) {
        let mut directory = self.directories.last().cloned().unwrap_or_default();
        directory.version = directory.version.next();
        directory.config = self.plan.latest().num;
        directory.groups = self.groups.keys().map(|group| (*group, servers(*group))).collect();
        self.directories.push(directory);
    }

    /// A client sends its request to some group, again or for the first time; or an old copy of one turns up.
    fn client(&mut self) {
        let Some(group) = self.any_group() else { return };
        if !self.sent.is_empty() && self.random.chance(15) {
            let late = self.sent[self.random.below(self.sent.len())].clone();
            self.propose(group, late);
            return;
        }
        let which = self.random.below(CLIENTS);
        if self.clients[which].request.is_none() || self.random.chance(3) {
            let shard = ShardId::new(self.random.below(SHARDS as usize) as u64);
            let key = key_in(shard, SHARDS, self.random.below(KEYS));
            let client = &mut self.clients[which];
            client.seq += 1;
            let text = format!("{}.{};", client.id, client.seq);
            let op = if self.random.chance(10) { put(&text) } else { append(&text) };
            self.clients[which].request = Some((key, op));
        }
        let client = &self.clients[which];
        let Some((key, op)) = client.request.clone() else {
            return;
        };
        let command = write(client.id, client.seq, &key, op);
        self.sent.push(command.clone());
        let shard = self.groups[&group].truth.state.shard_of(&key);
        let owner = self.groups.iter().find(|(_, group)| group.truth.state.serves(shard)).map(|(id, _)| *id);
        let target = owner.filter(|_| self.random.chance(70)).unwrap_or(group);
        match self.propose(target, command) {
            Some(Outcome::Written { .. }) => self.clients[which].request = None,
            Some(Outcome::Refused(WriteRefusal::SessionExpired)) => {
                // Whether it was executed is unknown; another session begins with another request.
                self.clients[which] = Client { id: self.next_client, seq: 0, request: None };
                self.next_client += 1;
            }
            _ => {}
        }
    }

    /// A command is committed in a group's log, and the group as a whole has applied it.
    fn propose(&mut self, id: GroupId, command: Command) -> Option<Outcome> {
        let group = self.groups.get_mut(&id)?;
        let applied = group.truth.apply(&command);
        group.log.push(command.clone());
        for action in &applied.actions {
            self.reach(action.name());
        }
        if applied.actions.is_empty() {
            match &command {
                Command::AdoptConfiguration { .. } => self.reach("adoption ignored"),
                Command::InstallChunk { .. } => self.reach("chunk ignored"),
                Command::Collect { .. } => self.reach("collect ignored"),
                Command::Write { .. } => panic!("a write always says what became of it"),
            }
        }
        if let (Command::Write { client, seq, key, op, .. }, Some(outcome)) = (&command, applied.outcome) {
            let executed = matches!(applied.actions[..], [Action::Execute { .. }]);
            self.judge((client.get(), seq.get()), key, op, outcome, executed);
        }
        if applied.actions.iter().any(|action| !matches!(action, Action::Execute { .. } | Action::Repeat { .. })) {
            self.judge_ownership(id);
        }
        applied.outcome
    }

    fn apply_somewhere(&mut self) {
        let Some(id) = self.any_group() else { return };
        let (which, count) = (self.random.below(3), 1 + self.random.below(10));
        self.apply(id, which, count);
    }

    fn apply(&mut self, id: GroupId, which: usize, count: usize) {
        let Some(group) = self.groups.get_mut(&id) else { return };
        let member = &mut group.members[which];
        for command in group.log.iter().skip(member.applied).take(count) {
            member.applied += 1;
            member.state.apply(LogIndex::new(member.applied as u64), command);
        }
        if member.applied == group.log.len() {
            assert_eq!(member.state, group.truth.state, "replicas that applied the same log are equal");
        }
    }

    fn change_leader(&mut self) {
        let (Some(id), which) = (self.any_group(), self.random.below(3)) else {
            return;
        };
        self.reach("leader changed");
        let pulls = 1 + self.random.below(3);
        let pace = Pace { pulls, ahead: 1 + self.random.below(3), looks: 1 + self.random.below(3), patience: 2 };
        let group = self.groups.get_mut(&id).expect("it was just picked");
        group.leader = which;
        group.migrator = Migrator::with_pace(pace);
    }

    fn drive(&mut self, id: GroupId, tick: bool) {
        let back = if self.calm { 0 } else { self.random.below(3) };
        let directory = &self.directories[self.directories.len().saturating_sub(back + 1)];
        let Some(group) = self.groups.get_mut(&id) else { return };
        let member = &group.members[group.leader];
        let known = Known { next: self.plan.after(member.state.config().num), directory };
        let drive = group.migrator.drive(member.node, &member.state, known, tick);
        let node = member.node;
        self.perform(id, node, drive);
    }

    fn perform(&mut self, id: GroupId, node: NodeId, drive: Drive) {
        for command in drive.propose {
            if self.calm || !self.random.chance(10) {
                self.propose(id, command);
            }
        }
        let sends =
            drive.sends.into_iter().map(|(group, to, message)| Envelope { to: (group, to), from: node, message });
        self.bag.extend(sends);
        if drive.retire {
            let listed = self.plan.latest().groups.values().any(|info| info.id == id);
            assert!(!listed && self.groups[&id].truth.state.finished(), "{id} retires too early");
            self.groups.remove(&id);
            self.reach("retired");
            self.new_directory();
        }
    }

    /// One message arrives: in any order, lost or repeated unless it is calm.
    fn deliver(&mut self) {
        if self.bag.is_empty() {
            return;
        }
        let which = self.random.below(self.bag.len());
        let Envelope { to, from, message } = &self.bag[which];
        let (to, from, message) = (*to, *from, message.clone());
        let loss = if let ShardMessage::Confirmed { .. } = message { self.unconfirmed } else { 15 };
        if !self.calm && self.random.chance(loss) {
            self.bag.swap_remove(which);
            return;
        }
        if self.calm || !self.random.chance(20) {
            self.bag.swap_remove(which);
        }
        let limit = 1 + self.random.below(200);
        let Some(group) = self.groups.get_mut(&to.0) else {
            return;
        };
        let Some(place) = group.members.iter().position(|member| member.node == to.1) else {
            return;
        };
        let member = &group.members[place];
        if let Some(answer) = member.state.answer(&message, limit) {
            let back = match &message {
                ShardMessage::Pull { target, .. } => *target,
                ShardMessage::Confirm { origin, .. } => origin.group,
                other => panic!("{other:?} is no question"),
            };
            if let ShardMessage::NotHere { .. } = answer {
                *self.reached.entry("not here").or_default() += 1;
            }
            self.bag.push(Envelope { to: (back, from), from: to.1, message: answer });
        } else if place == group.leader {
            let drive = group.migrator.received(&member.state, from, &message);
            self.perform(to.0, to.1, drive);
        }
    }

    /// The faults end, everybody who is listed gets shards, and everything must come to rest.
    pub fn settle(&mut self) {
        self.calm = true;
        let group = gid(9, self.plan.latest().num.next().get());
        while self.plan.latest().groups.values().all(|info| info.id != group) {
            let before = Arc::clone(self.plan.latest());
            self.plan.publish(|draft| {
                draft.list(group);
                draft.owners.iter_mut().filter(|owner| owner.is_none()).for_each(|owner| *owner = Some(group));
            });
            let state = ShardGroup::genesis(group, before);
            let members = servers(group).into_iter().map(|node| Member { node, applied: 0, state: state.clone() });
            let truth = Log { state: state.clone(), index: LogIndex::ZERO };
            let members = members.collect();
            self.groups.insert(group, Group { log: Vec::new(), truth, members, leader: 0, migrator: Migrator::new() });
        }
        self.new_directory();
        for _ in 0..2000 {
            for id in self.groups.keys().copied().collect::<Vec<_>>() {
                self.drive(id, true);
                (0..3).for_each(|which| self.apply(id, which, usize::MAX));
            }
            while !self.bag.is_empty() {
                self.deliver();
            }
            if self.at_rest() {
                return self.judge_values();
            }
        }
        panic!(
            "it does not come to rest: {:?}",
            self.groups.values().map(|g| g.truth.state.view()).collect::<Vec<_>>()
        );
    }

    /// Every listed group has the latest configuration, serves what it owns and holds no other copy; no other is left.
    fn at_rest(&self) -> bool {
        let latest = self.plan.latest();
        let served: usize = self.groups.values().map(|group| group.truth.state.serving().count()).sum();
        let quiet = self.groups.values().all(|group| {
            let state = &group.truth.state;
            state.config().num == latest.num && state.settled() && state.frozen().count() == 0
        });
        quiet && served == SHARDS as usize && self.groups.len() == latest.groups.len()
    }
}
