//! One of every message, and that each comes back as it was.

use quorate::codec::{self, Kind};
use quorate_core::bytes::Bytes;
use quorate_core::controller::{
    self, Answer, Assignment, Change, Configuration, Controller, Directory, GroupInfo, NodeInfo,
};
use quorate_core::effect::Write;
use quorate_core::message::{DirectoryMessage, Greeting, Message, Peer, PeerRefusal, Refusal, Reply, Request};
use quorate_core::raft::{
    self, Conflict, Election, Entry, EntryKind, HardState, Image, Lag, LogPosition, Mark, Replication, Transfer,
};
use quorate_core::shard::{
    self, Chunk, Cursor, FrozenHeader, Header, Place, Records, RoleHeader, SessionRecord, ShardMessage, WriteAnswer,
    WriteOp,
};
use quorate_core::spec::ids::*;
use quorate_core::spec::views::Origin;
use quorate_core::status::{AwaitedShard, FrozenCopy, HostStatus, NodeStatus, ReplicaStatus, SnapshotFile};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::sync::Arc;

pub(crate) fn group() -> GroupId {
    GroupId::new(Gid::new(300), ConfigNum::new(7))
}

fn origin() -> Origin {
    Origin { group: group(), config: ConfigNum::new(6) }
}

pub(crate) fn at(term: u64, index: u64) -> LogPosition {
    LogPosition { term: Term::new(term), index: LogIndex::new(index) }
}

pub(crate) fn mark() -> Mark {
    Mark { last: at(3, 70_000), voters: BTreeSet::from([NodeId::new(1), NodeId::new(2)]) }
}

pub(crate) fn node_info() -> NodeInfo {
    NodeInfo { address: "10.0.0.1:7000".into(), stamp: Stamp::new(u128::MAX - 5) }
}

pub(crate) fn configuration() -> Arc<Configuration> {
    let owned = Assignment { owner: Some(group()), origin: Some(origin()) };
    Arc::new(Configuration {
        num: ConfigNum::new(8),
        shards: vec![owned, Assignment::default()],
        groups: BTreeMap::from([(Gid::new(300), GroupInfo { id: group(), servers: vec![NodeId::new(1)] })]),
        floor: ClientId::new(2),
    })
}

fn directory() -> Arc<Directory> {
    Arc::new(Directory {
        version: DirectoryVersion::new(4),
        config: ConfigNum::new(8),
        nodes: BTreeMap::from([(NodeId::new(1), node_info())]),
        groups: BTreeMap::from([(group(), vec![NodeId::new(1), NodeId::new(2)])]),
    })
}

fn records() -> Records {
    let answer = WriteAnswer::ValueTooLarge { limit: 9 };
    let position = Position { config: ConfigNum::new(7), index: LogIndex::new(50) };
    let session = SessionRecord { seq: Seq::new(4), digest: u64::MAX, answer, position };
    let data = vec![(Bytes::from("key"), Bytes::from("value")), (Bytes::default(), Bytes::default())];
    Records { data, sessions: vec![(ClientId::new(5), session)], floor: ClientId::new(2) }
}

fn changes() -> Vec<Change> {
    vec![
        Change::Join { groups: BTreeMap::from([(Gid::new(1), vec![NodeId::new(1)])]) },
        Change::Leave { gids: BTreeSet::from([Gid::new(1)]) },
        Change::Move { shard: ShardId::new(3), gid: Gid::new(1) },
        Change::RaiseFloor { floor: ClientId::new(9) },
    ]
}

fn controller_commands() -> Vec<controller::Command> {
    let change = |change| controller::Command::Change { client: ClientId::new(1), seq: Seq::new(2), change };
    let mut commands: Vec<_> = changes().into_iter().map(change).collect();
    commands.push(controller::Command::RegisterClient { limit: 100_000 });
    commands.push(controller::Command::RegisterNode { node: NodeId::new(1), info: node_info() });
    commands.push(controller::Command::Retire { group: group() });
    commands
}

pub(crate) fn put() -> shard::Command {
    let op = WriteOp::Put { value: "value".into() };
    shard::Command::Write { client: ClientId::new(5), seq: Seq::new(4), key: "key".into(), op, value_limit: 1 << 20 }
}

fn shard_commands() -> Vec<shard::Command> {
    let cursors =
        [Cursor::Start, Cursor::AfterKey("k".into()), Cursor::Sessions, Cursor::AfterSession(ClientId::new(1))];
    let install = |from| shard::Command::InstallChunk {
        shard: ShardId::new(1),
        origin: origin(),
        from,
        records: records(),
        next: Some(Cursor::Sessions),
    };
    let mut commands: Vec<_> = cursors.into_iter().map(install).collect();
    commands.push(put());
    let op = WriteOp::Append { value: vec![0xff; 3000].into() };
    let (client, seq) = (ClientId::new(5), Seq::new(4));
    commands.push(shard::Command::Write { client, seq, key: "key".into(), op, value_limit: u64::MAX });
    commands.push(shard::Command::AdoptConfiguration { config: configuration() });
    commands.push(shard::Command::Collect { shard: ShardId::new(1), config: ConfigNum::new(7) });
    commands
}

fn chunks() -> Vec<Chunk> {
    let roles = vec![
        RoleHeader::Absent,
        RoleHeader::Serving,
        RoleHeader::Awaiting { origin: origin(), next: Cursor::Sessions },
    ];
    let target = Some((group(), ConfigNum::new(9)));
    let frozen = vec![FrozenHeader { shard: ShardId::new(0), config: ConfigNum::new(6), target }];
    vec![
        Chunk::Header(Header { group: group(), config: configuration(), roles, frozen }),
        Chunk::Part { place: Place::Role(ShardId::new(1)), records: records() },
        Chunk::Part { place: Place::Frozen(ShardId::new(1), ConfigNum::new(6)), records: Records::default() },
    ]
}

fn entries<P>(commands: Vec<P>) -> Vec<Arc<Entry<P>>> {
    let kinds = commands.into_iter().map(EntryKind::Command).chain([EntryKind::Noop]);
    kinds.map(|kind| Arc::new(Entry { term: Term::new(3), kind })).collect()
}

fn raft_messages<P: raft::Payload>(commands: Vec<P>) -> Vec<raft::Message<P>> {
    let (term, last) = (Term::new(3), at(3, 9));
    let election = [
        Election::PreVote { term, last },
        Election::PreVoteGranted { term },
        Election::PreVoteRefused { term },
        Election::RequestVote { term, last },
        Election::VoteGranted { term },
        Election::VoteRefused { term },
        Election::TimeoutNow { term },
    ];
    let read = ReadContext::new(7);
    let conflicts = [Conflict::Short { last: LogIndex::new(4) }, Conflict::Term { term, first: LogIndex::new(2) }];
    let refused = |conflict| Replication::AppendRefused { term, rejected: LogIndex::new(8), conflict };
    let mut replication: Vec<_> = conflicts.into_iter().map(refused).collect();
    replication.push(Replication::Append { term, prev: last, entries: entries(commands), commit: LogIndex::new(5) });
    replication.push(Replication::Appended { term, matched: LogIndex::new(5) });
    replication.push(Replication::Heartbeat { term, commit: LogPosition { term, index: LogIndex::new(5) }, read });
    replication.push(Replication::HeartbeatAck { term, read });
    let installed = Transfer::Installed { term, matched: LogIndex::new(5) };
    let mut messages: Vec<_> = election.into_iter().map(raft::Message::Election).collect();
    messages.extend(replication.into_iter().map(raft::Message::Replication));
    messages.push(raft::Message::Transfer(installed));
    messages
}

pub(crate) fn messages() -> Vec<Message> {
    let mut messages: Vec<_> = raft_messages(controller_commands()).into_iter().map(Message::Controller).collect();
    let data = |message| Message::Data { group: group(), message };
    messages.extend(raft_messages(shard_commands()).into_iter().map(data));
    for chunk in chunks() {
        let from = Some((Place::Role(ShardId::new(1)), Cursor::AfterKey("k".into())));
        let transfer = Transfer::Chunk { term: Term::new(3), mark: mark(), from, chunk, next: None };
        messages.push(data(raft::Message::Transfer(transfer)));
    }
    let image = Controller::genesis(4);
    let (chunk, next) = image.chunk(&Default::default(), 1);
    let transfer = Transfer::Chunk { term: Term::new(3), mark: mark(), from: Default::default(), chunk, next };
    messages.push(Message::Controller(raft::Message::Transfer(transfer)));
    let accepted = Transfer::Accepted { term: Term::new(3), last: at(3, 9), next: None };
    messages.push(data(raft::Message::Transfer(accepted)));
    let (target, shard, from) = (group(), ShardId::new(1), Cursor::Start);
    let shard_messages = [
        ShardMessage::Pull { target, shard, origin: origin(), from: from.clone() },
        ShardMessage::Part { target, shard, origin: origin(), from, records: records(), next: None, total: 1 << 40 },
        ShardMessage::NotHere { target, shard, origin: origin() },
        ShardMessage::Confirm { target, taken: ConfigNum::new(8), shard, origin: origin() },
        ShardMessage::Confirmed { target, shard, origin: origin() },
    ];
    messages.extend(shard_messages.into_iter().map(Message::Shard));
    let (config, version) = (ConfigNum::new(8), DirectoryVersion::new(4));
    let (members, pinned) = (BTreeSet::from([NodeId::new(1)]), Some(Stamp::new(8)));
    let greeting = Greeting { shards: 64, members, pinned };
    let directory_messages = [
        DirectoryMessage::Fetch { config, version },
        DirectoryMessage::News { configs: vec![configuration(), configuration()], directory: Some(directory()) },
        DirectoryMessage::Changed { config, version },
        DirectoryMessage::Register { node: NodeId::new(1), info: node_info() },
        DirectoryMessage::Retire { group: group() },
        DirectoryMessage::Greet(greeting.clone()),
        DirectoryMessage::Greeted(greeting),
    ];
    messages.extend(directory_messages.into_iter().map(Message::Directory));
    let older = PeerRefusal::OlderBoot { seen: Boot::new(3) };
    let whom = Peer { node: NodeId::new(1), stamp: Stamp::new(7), boot: Boot::new(2) };
    let refused = |reason| Message::Refused { whom, reason };
    messages.extend([PeerRefusal::OtherStamp, older, PeerRefusal::OtherBootstrap].map(refused));
    messages
}

pub(crate) fn requests() -> Vec<Request> {
    let (client, seq) = (ClientId::new(5), Seq::new(4));
    let op = WriteOp::Append { value: "v".into() };
    let mut requests = vec![
        Request::Map { config: ConfigNum::new(8), version: DirectoryVersion::new(4) },
        Request::RegisterClient,
        Request::Query { num: None },
        Request::Get { group: group(), key: "key".into() },
        Request::Write { group: group(), client, seq, key: "key".into(), op },
        Request::TransferLeadership { group: group(), to: NodeId::new(2) },
        Request::Status,
    ];
    requests.extend(changes().into_iter().map(|change| Request::Change { client, seq, change }));
    requests
}

fn status() -> Arc<NodeStatus> {
    let replica = ReplicaStatus {
        group: group(),
        voters: vec![NodeId::new(1)],
        role: quorate_core::spec::views::Role::Leader,
        leader: Some(NodeId::new(1)),
        term: Term::new(3),
        last: LogIndex::new(9),
        commit: LogIndex::new(8),
        snapshot: LogIndex::new(5),
        log_bytes: 1000,
        lag: vec![Lag { node: NodeId::new(2), entries: 4, bytes: 300, by_snapshot: true }],
        config: ConfigNum::new(8),
        sessions: 3,
        floor: ClientId::new(2),
        data_bytes: 1 << 33,
        serving: vec![ShardId::new(0)],
        awaiting: vec![AwaitedShard {
            shard: ShardId::new(1),
            origin: origin(),
            received_bytes: 5,
            total_bytes: Some(10),
        }],
        frozen: vec![FrozenCopy { shard: ShardId::new(2), config: ConfigNum::new(6), bytes: 7 }],
    };
    let host = HostStatus {
        cluster: "c".to_owned(),
        version: "1".to_owned(),
        memory_bytes: Some(1 << 30),
        wal_bytes: 1 << 26,
        snapshots: vec![SnapshotFile { group: group(), last: LogIndex::new(5), bytes: 9 }],
        free_bytes: None,
    };
    Arc::new(NodeStatus {
        node: NodeId::new(1),
        address: "a:1".into(),
        boot: Boot::new(2),
        config: ConfigNum::new(8),
        replicas: vec![replica],
        may_be_stopped: false,
        disk_full: true,
        host: Some(host),
    })
}

pub(crate) fn replies() -> Vec<Reply> {
    let (shard, position) = (ShardId::new(1), Position { config: ConfigNum::new(7), index: LogIndex::new(50) });
    let refusals = [
        Refusal::NotLeader { leader: Some(NodeId::new(2)) },
        Refusal::LeadershipLost,
        Refusal::WrongGroup { config: ConfigNum::new(8) },
        Refusal::NotYetHere { config: ConfigNum::new(8) },
        Refusal::DiskFull,
        Refusal::SeqReused,
        Refusal::KeyTooLarge { limit: 4096 },
        Refusal::BadTransferTarget,
    ];
    let mut replies = vec![
        Reply::Map { config: Some(configuration()), directory: Some(directory()) },
        Reply::Controller(Answer::Configuration(configuration())),
        Reply::Controller(Answer::Refused(controller::Refusal::OtherStamp { node: NodeId::new(1) })),
        Reply::Controller(Answer::ClientRegistered { client: ClientId::new(6) }),
        Reply::Value { value: Some("value".into()), shard, position },
        Reply::Value { value: None, shard, position },
        Reply::Written { answer: WriteAnswer::Done, shard, position },
        Reply::TransferStarted,
        Reply::Status(status()),
    ];
    replies.extend(refusals.map(Reply::Refused));
    replies
}

fn raft_writes<P>(commands: Vec<P>) -> Vec<raft::Write<P>> {
    vec![
        raft::Write::HardState(HardState { term: Term::new(3), voted_for: Some(NodeId::new(2)) }),
        raft::Write::HardState(HardState::default()),
        raft::Write::Truncate { from: LogIndex::new(4) },
        raft::Write::Append { first: LogIndex::new(4), entries: entries(commands) },
        raft::Write::Mark(mark()),
        raft::Write::Purge { base: at(3, 9) },
        raft::Write::Install(mark()),
    ]
}

pub(crate) fn writes() -> Vec<Write> {
    let mut writes: Vec<_> = raft_writes(controller_commands()).into_iter().map(Write::Controller).collect();
    writes.extend(raft_writes(shard_commands()).into_iter().map(|write| Write::Data { group: group(), write }));
    writes.push(Write::CreateController { mark: mark(), shards: 64 });
    writes.push(Write::CreateData { group: group(), mark: mark(), config: configuration() });
    writes.push(Write::Tombstone { group: group() });
    writes.push(Write::Pin { node: NodeId::new(2), info: node_info() });
    writes
}

fn round_trip<T: Serialize + DeserializeOwned + PartialEq + Debug>(kind: Kind, values: Vec<T>) {
    let mut stream = b"before".to_vec();
    for value in values {
        let frame = codec::encode(kind, &value).unwrap();
        assert_eq!(codec::decode::<T>(kind, &frame).unwrap(), value);
        let header = codec::parse_header(&frame).unwrap();
        assert_eq!((header.kind, header.frame_len()), (kind, frame.len()));
        let start = stream.len();
        codec::encode_into(kind, &value, &mut stream).unwrap();
        assert_eq!(stream[start..], frame, "appended as it is made");
        let other = if kind == Kind::Peer { Kind::Request } else { Kind::Peer };
        assert!(codec::decode::<T>(other, &frame).is_err(), "not taken for another kind");
    }
}

#[test]
fn everything_comes_back_as_it_was() {
    round_trip(Kind::Peer, messages());
    round_trip(Kind::Request, requests());
    round_trip(Kind::Reply, replies());
    round_trip(Kind::WalFrame, writes());
    round_trip(Kind::SnapshotChunk, chunks());
}
