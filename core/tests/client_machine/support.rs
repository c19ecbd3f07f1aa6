//! A driver for tests of the client machine: keeps what was sent and armed, and answers as told.

use quorate_core::bytes::Bytes;
use quorate_core::client::{CallId, Client, Effects, Endpoint, Input, Operation, Outcome, Task, Timer, TimerChange};
use quorate_core::controller::{Answer, Assignment, Configuration, Directory, GroupInfo, NodeInfo};
use quorate_core::keyspace::shard_of;
use quorate_core::message::{Refusal, Reply, Request};
use quorate_core::shard::{WriteAnswer, WriteOp};
use quorate_spec::ids::{
    ClientId, ConfigNum, DirectoryVersion, Gid, GroupId, LogIndex, NodeId, Position, Seq, ShardId, Stamp, Ticket,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The number of shards of the test clusters.
pub(crate) const SHARDS: u32 = 4;

/// The controller's members of the test clusters.
pub(crate) const CONTROLLERS: [u64; 3] = [1, 2, 3];

pub(crate) fn endpoint(node: u64) -> Endpoint {
    Bytes::from(format!("n{node}:1").as_str())
}

pub(crate) fn group(gid: u64) -> GroupId {
    GroupId::new(Gid::new(gid), ConfigNum::new(1))
}

/// A configuration: `owners` gives each shard's gid (0: nobody); group g has the servers 10g+1, 10g+2, 10g+3.
pub(crate) fn configuration(num: u64, owners: [u64; SHARDS as usize]) -> Arc<Configuration> {
    let owner = |gid: u64| (gid > 0).then(|| group(gid));
    let groups = owners.into_iter().filter(|gid| *gid > 0).collect::<BTreeSet<_>>();
    Arc::new(Configuration {
        num: ConfigNum::new(num),
        shards: owners.map(|gid| Assignment { owner: owner(gid), origin: None }).to_vec(),
        groups: groups
            .iter()
            .map(|gid| (Gid::new(*gid), GroupInfo { id: group(*gid), servers: servers(*gid) }))
            .collect(),
        floor: ClientId::ZERO,
    })
}

pub(crate) fn servers(gid: u64) -> Vec<NodeId> {
    (1..=3).map(|n| NodeId::new(10 * gid + n)).collect()
}

/// Everybody's addresses: controllers 1 to 3 and the servers of groups 1 and 2.
pub(crate) fn directory(version: u64) -> Arc<Directory> {
    let nodes = CONTROLLERS.into_iter().chain([11, 12, 13, 21, 22, 23]);
    let info = |node: u64| NodeInfo { address: endpoint(node), stamp: Stamp::new(u128::from(node)) };
    let controllers = CONTROLLERS.map(NodeId::new).to_vec();
    Arc::new(Directory {
        version: DirectoryVersion::new(version),
        config: ConfigNum::new(1),
        nodes: nodes.map(|node| (NodeId::new(node), info(node))).collect(),
        groups: BTreeMap::from([(GroupId::CONTROLLER, controllers), (group(1), servers(1)), (group(2), servers(2))]),
    })
}

/// A key of the shard.
pub(crate) fn key(shard: u64) -> Bytes {
    let keys = (0..).map(|n| Bytes::from(format!("k{n}").as_str()));
    keys.into_iter().find(|key| shard_of(key, SHARDS) == ShardId::new(shard)).expect("every shard has a key")
}

pub(crate) fn get(shard: u64) -> Operation {
    Operation::Get { key: key(shard) }
}

pub(crate) fn append(shard: u64, text: &str) -> Operation {
    Operation::Write { key: key(shard), op: WriteOp::Append { value: Bytes::from(text) } }
}

pub(crate) fn value(shard: u64, text: &str) -> Reply {
    Reply::Value { value: Some(Bytes::from(text)), shard: ShardId::new(shard), position: position(7) }
}

pub(crate) fn position(index: u64) -> Position {
    Position { config: ConfigNum::new(1), index: LogIndex::new(index) }
}

pub(crate) fn written(shard: u64) -> Reply {
    Reply::Written { answer: WriteAnswer::Done, shard: ShardId::new(shard), position: position(8) }
}

pub(crate) fn not_leader(leader: Option<u64>) -> Reply {
    Reply::Refused(Refusal::NotLeader { leader: leader.map(NodeId::new) })
}

pub(crate) fn registered(client: u64) -> Reply {
    Reply::Controller(Answer::ClientRegistered { client: ClientId::new(client) })
}

/// A request on its way.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) to: Endpoint,
    pub(crate) ticket: Ticket,
    pub(crate) request: Request,
}

impl Sent {
    /// The session and number of a write or a change.
    pub(crate) fn stamp(&self) -> (u64, u64) {
        match &self.request {
            Request::Write { client, seq, .. } | Request::Change { client, seq, .. } => (client.get(), seq.get()),
            other => panic!("not numbered: {other:?}"),
        }
    }

    pub(crate) fn is_map(&self) -> bool {
        matches!(self.request, Request::Map { .. })
    }
}

/// A client and what it wants.
pub(crate) struct Script {
    pub(crate) client: Client,
    pub(crate) sent: Vec<Sent>,
    pub(crate) armed: BTreeSet<Timer>,
    pub(crate) ended: BTreeMap<CallId, Outcome>,
    calls: u64,
}

impl Script {
    /// A client that knows the seeds only.
    pub(crate) fn unmapped(seeds: &[u64]) -> Self {
        let (client, fx) = Client::new(seeds.iter().copied().map(endpoint).collect());
        let (sent, armed, ended) = Default::default();
        let mut script = Self { client, sent, armed, ended, calls: 0 };
        script.take(fx);
        script
    }

    /// A client with the map: shards 0 and 1 at group 1, shards 2 and 3 at group 2.
    pub(crate) fn mapped() -> Self {
        let mut script = Self::unmapped(&CONTROLLERS);
        script.answer_map(configuration(1, [1, 1, 2, 2]), directory(1));
        script
    }

    /// A mapped client with session 1.
    pub(crate) fn with_session() -> Self {
        let mut script = Self::mapped();
        let call = script.submit(append(3, "warm"));
        let ask = script.take_one();
        assert_eq!(ask.request, Request::RegisterClient);
        script.answer(&ask, registered(1));
        let write = script.take_one();
        script.answer(&write, written(3));
        assert!(script.outcome(call).is_some());
        script
    }

    fn take(&mut self, fx: Effects) {
        for timer in fx.timers {
            match timer {
                TimerChange::Arm(timer, _) => assert!(self.armed.insert(timer), "{timer:?} is armed once"),
                TimerChange::Disarm(timer) => assert!(self.armed.remove(&timer), "{timer:?} was armed"),
            }
        }
        self.sent.extend(fx.sends.into_iter().map(|(to, ticket, request)| Sent { to, ticket, request }));
        for (call, outcome) in fx.completions {
            assert_eq!(self.ended.insert(call, outcome), None, "{call:?} ends once");
        }
    }

    pub(crate) fn step(&mut self, input: Input) {
        let fx = self.client.step(input);
        self.take(fx);
    }

    pub(crate) fn submit(&mut self, operation: Operation) -> CallId {
        self.calls += 1;
        let call = CallId::new(self.calls);
        self.step(Input::Submit { call, operation });
        call
    }

    pub(crate) fn answer(&mut self, sent: &Sent, reply: Reply) {
        self.step(Input::Received { from: sent.to.clone(), ticket: sent.ticket, reply });
    }

    pub(crate) fn fire(&mut self, timer: Timer) {
        assert!(self.armed.remove(&timer), "{timer:?} is armed: {:?}", self.armed);
        self.step(Input::Fired { timer });
    }

    pub(crate) fn time_out(&mut self, sent: &Sent) {
        self.fire(Timer::Attempt { ticket: sent.ticket });
    }

    pub(crate) fn deadline(&mut self, call: CallId) {
        self.fire(Timer::Deadline { call });
    }

    pub(crate) fn retry(&mut self, call: CallId) {
        self.fire(Timer::Retry { task: Task::Call(call) });
    }

    pub(crate) fn backs_off(&self, call: CallId) -> bool {
        self.armed.contains(&Timer::Retry { task: Task::Call(call) })
    }

    /// Answers the outstanding question for the map.
    pub(crate) fn answer_map(&mut self, config: Arc<Configuration>, directory: Arc<Directory>) {
        let at = self.sent.iter().position(Sent::is_map).expect("the map was asked for");
        let ask = self.sent.remove(at);
        self.answer(&ask, Reply::Map { config: Some(config), directory: Some(directory) });
    }

    /// What was sent since, but for questions for the map.
    pub(crate) fn take_sent(&mut self) -> Vec<Sent> {
        let (maps, sent) = std::mem::take(&mut self.sent).into_iter().partition(Sent::is_map);
        self.sent = maps;
        sent
    }

    /// The only request sent since, but for questions for the map.
    pub(crate) fn take_one(&mut self) -> Sent {
        let mut sent = self.take_sent();
        assert_eq!(sent.len(), 1, "one request: {sent:?}");
        sent.remove(0)
    }

    pub(crate) fn assert_nothing_sent(&mut self) {
        let sent = self.take_sent();
        assert!(sent.is_empty(), "nothing to send: {sent:?}");
    }

    pub(crate) fn outcome(&self, call: CallId) -> Option<&Outcome> {
        self.ended.get(&call)
    }

    /// Whether the call ended, and unknown.
    pub(crate) fn is_unknown(&self, call: CallId) -> bool {
        matches!(self.outcome(call), Some(Outcome::Unknown { .. }))
    }

    pub(crate) fn stamp(&self, call: CallId) -> Option<(u64, u64)> {
        self.client.stamp(call).map(|(client, seq): (ClientId, Seq)| (client.get(), seq.get()))
    }
}
