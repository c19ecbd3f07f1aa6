//! A cluster as the client sees it: sessions, owners, leaders and floors, without Raft.

use crate::support::{CONTROLLERS, SHARDS, configuration, directory, group, not_leader, position};
use quorate_core::bytes::Bytes;
use quorate_core::client::Endpoint;
use quorate_core::controller::{Answer, Configuration};
use quorate_core::keyspace::shard_of;
use quorate_core::message::{Refusal, Reply, Request};
use quorate_core::shard::{WriteAnswer, WriteOp};
use quorate_spec::ids::{ClientId, GroupId};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One shard: what was executed, in order, and its session table.
#[derive(Default)]
struct Shard {
    executed: Vec<Bytes>,
    records: BTreeMap<ClientId, (u64, Reply)>,
    floor: ClientId,
}

/// The whole cluster; what it applies is applied everywhere at once.
pub(crate) struct Cluster {
    shards: Vec<Shard>,
    pub(crate) config: Arc<Configuration>,
    owners: [u64; SHARDS as usize],
    leaders: BTreeMap<GroupId, u64>,
    last_client: u64,
    /// Writes that a deposed leader took: executed later or never.
    pub(crate) limbo: Vec<Request>,
}

/// What a leader that is asked does with it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    Answers,
    LosesLeadership,
    IsOverloaded,
}

impl Cluster {
    pub(crate) fn new() -> Self {
        let owners = [1, 1, 2, 2];
        Self {
            shards: owners.iter().map(|_| Shard::default()).collect(),
            config: configuration(1, owners),
            owners,
            leaders: BTreeMap::from([(GroupId::CONTROLLER, 1), (group(1), 11), (group(2), 21)]),
            last_client: 0,
            limbo: Vec::new(),
        }
    }

    pub(crate) fn elect(&mut self, pick: u64) {
        match pick % 3 {
            0 => self.leaders.insert(GroupId::CONTROLLER, CONTROLLERS[(pick / 3 % 3) as usize]),
            gid => self.leaders.insert(group(gid), 10 * gid + 1 + pick / 3 % 3),
        };
    }

    pub(crate) fn move_shard(&mut self, pick: u64) {
        let shard = (pick % u64::from(SHARDS)) as usize;
        self.owners[shard] = 3 - self.owners[shard];
        let mut config = (*configuration(self.config.num.get() + 1, self.owners)).clone();
        config.groups = configuration(1, [1, 1, 2, 2]).groups.clone();
        self.config = Arc::new(config);
    }

    /// Ends every session issued so far, in one shard.
    pub(crate) fn raise_floor(&mut self, pick: u64) {
        let shard = &mut self.shards[(pick % u64::from(SHARDS)) as usize];
        shard.floor = ClientId::new(self.last_client + 1);
        let floor = shard.floor;
        shard.records.retain(|client, _| *client >= floor);
    }

    /// How often each text was appended, anywhere.
    pub(crate) fn executions(&self, text: &Bytes) -> usize {
        self.shards.iter().flat_map(|shard| &shard.executed).filter(|it| *it == text).count()
    }

    /// Executes what waits in limbo, as the next leader that finds it in its log does.
    pub(crate) fn settle_limbo(&mut self, at: usize) {
        let request = self.limbo.swap_remove(at);
        self.execute(&request);
    }

    /// A node answers. `hearsay`: whom it names if it does not lead; the real leader for 4 and more.
    pub(crate) fn handle(&mut self, node: &Endpoint, request: &Request, mood: Mood, hearsay: u64) -> Reply {
        let group = match request {
            Request::Map { config, version } => {
                let config = (self.config.num > *config).then(|| self.config.clone());
                let directory = (version.get() == 0).then(|| directory(1));
                return Reply::Map { config, directory };
            }
            Request::Get { group, .. } | Request::Write { group, .. } => *group,
            _ => GroupId::CONTROLLER,
        };
        let leader = self.leaders[&group];
        if *node != crate::support::endpoint(leader) {
            // Some do not know the leader, and some know an earlier one.
            let named = match hearsay {
                0 => None,
                1..=3 => Some(leader - leader % 10 + hearsay),
                _ => Some(leader),
            };
            return not_leader(named);
        }
        match (mood, request) {
            (Mood::IsOverloaded, _) => Reply::Refused(Refusal::Overloaded),
            (Mood::LosesLeadership, Request::Write { .. }) => {
                self.limbo.push(request.clone());
                Reply::Refused(Refusal::LeadershipLost)
            }
            (Mood::LosesLeadership, _) => Reply::Refused(Refusal::LeadershipLost),
            (Mood::Answers, _) => self.execute(request),
        }
    }

    fn execute(&mut self, request: &Request) -> Reply {
        let (Request::Get { group, key } | Request::Write { group, key, .. }) = request else {
            assert_eq!(*request, Request::RegisterClient);
            self.last_client += 1;
            return Reply::Controller(Answer::ClientRegistered { client: ClientId::new(self.last_client) });
        };
        let number = shard_of(key, SHARDS);
        if self.owners[number.get() as usize] != group.gid.get() {
            return Reply::Refused(Refusal::WrongGroup { config: self.config.num });
        }
        let shard = &mut self.shards[number.get() as usize];
        let position = position(shard.executed.len() as u64);
        let Request::Write { client, seq, op: WriteOp::Append { value }, .. } = request else {
            return Reply::Value { value: None, shard: number, position };
        };
        if *client < shard.floor {
            return Reply::Refused(Refusal::SessionExpired);
        }
        match shard.records.get(client) {
            Some((last, reply)) if *last == seq.get() => reply.clone(),
            Some((last, _)) if *last > seq.get() => Reply::Refused(Refusal::Superseded),
            _ => {
                shard.executed.push(value.clone());
                let reply = Reply::Written { answer: WriteAnswer::Done, shard: number, position };
                shard.records.insert(*client, (seq.get(), reply.clone()));
                reply
            }
        }
    }
}
