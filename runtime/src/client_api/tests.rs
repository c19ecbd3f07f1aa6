//! The client against a node of paper: real sockets and frames, a map in memory, and faults on demand.

use super::{Client, Error, Options};
use crate::codec::{self, HEADER_LEN, Kind};
use crate::transport::wire::{ClientFrame, Hello, HelloReply, ReplyFrame};
use quorate_core::bytes::Bytes;
use quorate_core::controller::{Answer, Assignment, Configuration, Directory, GroupInfo, NodeInfo};
use quorate_core::keyspace::shard_of;
use quorate_core::message::{Peer, Refusal, Reply, Request};
use quorate_core::shard::{WriteAnswer, WriteOp};
use quorate_spec::ids::{
    Boot, ClientId, ConfigNum, DirectoryVersion, Gid, GroupId, LogIndex, NodeId, Position, Seq, ShardId, Stamp,
};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const SHARDS: u32 = 16;

/// What the node does with the next writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// Executes it and breaks the connection.
    Cut,
    /// Executes it and never answers.
    Silence,
}

#[derive(Default)]
struct Store {
    data: HashMap<Bytes, Vec<u8>>,
    sessions: HashMap<(ClientId, ShardId), (Seq, Position)>,
    last_client: u64,
    last_index: u64,
    faults: Vec<Fault>,
    /// The stamps of all writes that came.
    came: Vec<(ClientId, Seq)>,
}

struct PaperNode {
    address: String,
    store: Arc<Mutex<Store>>,
}

impl PaperNode {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let store = Arc::new(Mutex::new(Store::default()));
        let node = Self { address: address.clone(), store: store.clone() };
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (address, store) = (address.clone(), store.clone());
                tokio::spawn(async move { serve(stream, &address, &store).await });
            }
        });
        node
    }

    fn options(&self) -> Options {
        Options { attempt_timeout: Duration::from_millis(200), ..Options::new(vec![self.address.clone()]) }
    }

    async fn client(&self) -> Client {
        Client::connect(self.options()).await.unwrap()
    }
}

fn node() -> Peer {
    Peer { node: NodeId::new(1), stamp: Stamp::new(1), boot: Boot::new(1) }
}

async fn receive(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut frame = vec![0; HEADER_LEN];
    stream.read_exact(&mut frame).await.ok()?;
    let header = codec::parse_header(&frame).unwrap();
    frame.resize(HEADER_LEN + header.length as usize, 0);
    stream.read_exact(&mut frame[HEADER_LEN..]).await.ok()?;
    Some(frame)
}

async fn serve(mut stream: TcpStream, address: &str, store: &Mutex<Store>) {
    let Some(frame) = receive(&mut stream).await else {
        return;
    };
    let Hello::Client { cluster } = codec::decode(Kind::Hello, &frame).unwrap() else { panic!("a client") };
    let fits = cluster.is_none_or(|cluster| cluster == "paper");
    let welcome = HelloReply::Welcome { cluster: "paper".into(), from: node() };
    let answer = if fits { welcome } else { HelloReply::Refused { reason: "this is cluster paper".into() } };
    stream.write_all(&codec::encode(Kind::HelloReply, &answer).unwrap()).await.unwrap();
    while let Some(frame) = receive(&mut stream).await {
        let ClientFrame { ticket, request } = codec::decode(Kind::Request, &frame).unwrap();
        let fault = matches!(request, Request::Write { .. }).then(|| store.lock().unwrap().faults.pop()).flatten();
        let reply = answer_of(address, &mut store.lock().unwrap(), request);
        match fault {
            Some(Fault::Cut) => return,
            Some(Fault::Silence) => {}
            None => {
                let frame = codec::encode(Kind::Reply, &ReplyFrame { ticket, reply }).unwrap();
                if stream.write_all(&frame).await.is_err() {
                    return;
                }
            }
        }
    }
}

fn map_of(address: &str) -> Reply {
    let node = NodeId::new(1);
    let id = GroupId::new(Gid::new(1), ConfigNum::new(1));
    let config = Configuration {
        num: ConfigNum::new(1),
        shards: vec![Assignment { owner: Some(id), origin: None }; SHARDS as usize],
        groups: BTreeMap::from([(id.gid, GroupInfo { id, servers: vec![node] })]),
        floor: ClientId::ZERO,
    };
    let info = NodeInfo { address: Bytes::from(address), stamp: Stamp::new(1) };
    let directory = Directory {
        version: DirectoryVersion::new(1),
        config: ConfigNum::new(1),
        nodes: BTreeMap::from([(node, info)]),
        groups: BTreeMap::from([(GroupId::CONTROLLER, vec![node]), (id, vec![node])]),
    };
    Reply::Map { config: Some(Arc::new(config)), directory: Some(Arc::new(directory)) }
}

fn answer_of(address: &str, store: &mut Store, request: Request) -> Reply {
    let position = |index| Position { config: ConfigNum::new(1), index: LogIndex::new(index) };
    match request {
        Request::Map { .. } => map_of(address),
        Request::RegisterClient => {
            store.last_client += 1;
            Reply::Controller(Answer::ClientRegistered { client: ClientId::new(store.last_client) })
        }
        Request::Get { key, .. } => Reply::Value {
            value: store.data.get(&key).map(|value| Bytes::from(value.as_slice())),
            shard: shard_of(&key, SHARDS),
            position: position(store.last_index),
        },
        Request::Write { client, seq, key, op, .. } => {
            store.came.push((client, seq));
            let shard = shard_of(&key, SHARDS);
            let done = |position| Reply::Written { answer: WriteAnswer::Done, shard, position };
            match store.sessions.get(&(client, shard)) {
                Some((last, at)) if *last == seq => return done(*at),
                Some((last, _)) if *last > seq => return Reply::Refused(Refusal::Superseded),
                _ => {}
            }
            store.last_index += 1;
            let at = position(store.last_index);
            store.sessions.insert((client, shard), (seq, at));
            match op {
                WriteOp::Put { value } => *store.data.entry(key).or_default() = value.to_vec(),
                WriteOp::Append { value } => store.data.entry(key).or_default().extend_from_slice(&value),
            }
            done(at)
        }
        Request::Change { .. } => {
            let gid = Gid::new(9);
            Reply::Controller(Answer::Refused(quorate_core::controller::Refusal::UnknownGroup { gid }))
        }
        other => panic!("not on paper: {other:?}"),
    }
}

#[tokio::test]
async fn what_is_written_is_read() {
    let node = PaperNode::start().await;
    let client = node.client().await;
    assert_eq!(client.get("k").await.unwrap().value, None);
    client.put("k", "a").await.unwrap();
    let written = client.append("k", "b").await.unwrap();
    let read = client.get("k").await.unwrap();
    assert_eq!(read.value.as_deref(), Some(b"ab".as_slice()));
    assert_eq!((read.shard, read.position), (written.shard, written.position));
    let (config, directory) = client.map().await;
    assert_eq!((config.num.get(), directory.nodes.len()), (1, 1));
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_sent_again_under_its_number() {
    for fault in [Fault::Cut, Fault::Silence] {
        let node = PaperNode::start().await;
        let client = node.client().await;
        node.store.lock().unwrap().faults = vec![fault; 2];
        client.append("k", "once").await.unwrap();
        assert_eq!(client.get("k").await.unwrap().value.as_deref(), Some(b"once".as_slice()));
        let came = node.store.lock().unwrap().came.clone();
        assert!(came.len() >= 3 && came.iter().all(|stamp| *stamp == came[0]), "{fault:?}: {came:?}");
    }
}

#[tokio::test]
async fn a_write_that_is_never_answered_is_unknown() {
    let node = PaperNode::start().await;
    node.store.lock().unwrap().faults = vec![Fault::Silence; 1000];
    let options = Options { deadline: Duration::from_millis(300), ..node.options() };
    let client = Client::connect(options).await.unwrap();
    let error = client.put("k", "v").await.unwrap_err();
    assert!(error.is_unknown() && !error.definitely_not_executed(), "{error}");
    node.store.lock().unwrap().faults.clear();
    client.put("k", "w").await.unwrap();
}

#[tokio::test]
async fn many_calls_share_one_handle() {
    let node = PaperNode::start().await;
    let client = node.client().await;
    let calls = (0..64).map(|caller| {
        let client = client.clone();
        tokio::spawn(async move {
            for turn in 0..20 {
                client.append(format!("k{caller}"), [turn]).await.unwrap();
            }
            client.get(format!("k{caller}")).await.unwrap().value.unwrap()
        })
    });
    for call in calls.collect::<Vec<_>>() {
        assert_eq!(call.await.unwrap(), (0..20).collect::<Vec<u8>>());
    }
    assert_eq!(node.store.lock().unwrap().last_client, 1, "one session");
}

#[tokio::test]
async fn nobody_at_the_address_is_said_at_once_with_the_address() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let options = Options { deadline: Duration::from_secs(3600), ..Options::new(vec![address.clone()]) };
    let error = Client::connect(options).await.unwrap_err();
    assert!(matches!(&error, Error::Unreachable { tried } if tried.len() == 1), "{error:?}");
    assert!(error.to_string().contains(&address), "{error}");
}

#[tokio::test]
async fn one_seed_of_several_is_enough() {
    let node = PaperNode::start().await;
    let mut options = node.options();
    options.seeds.insert(0, "127.0.0.1:1".into());
    Client::connect(options).await.unwrap().put("k", "v").await.unwrap();
}

#[tokio::test]
async fn another_cluster_is_refused() {
    let node = PaperNode::start().await;
    let options = Options { cluster: Some("other".into()), ..node.options() };
    let error = Client::connect(options).await.unwrap_err();
    assert!(matches!(&error, Error::OtherCluster { message } if message.contains("paper")), "{error:?}");
    let options = Options { cluster: Some("paper".into()), ..node.options() };
    Client::connect(options).await.unwrap();
}

#[tokio::test]
async fn a_request_over_the_limit_of_a_frame_is_refused_here() {
    let node = PaperNode::start().await;
    let client = node.client().await;
    let huge = vec![0; Kind::Request.limit() as usize + 1];
    let error = client.put("k", huge).await.unwrap_err();
    assert!(matches!(error, Error::ValueTooLarge { .. }), "{error}");
    client.put("k", "small").await.unwrap();
}

#[tokio::test]
async fn the_controllers_refusal_is_a_sentence() {
    let node = PaperNode::start().await;
    let error = node.client().await.leave([9].into()).await.unwrap_err();
    assert!(matches!(&error, Error::Refused { message } if message.contains("no group 9 ")), "{error:?}");
    assert!(error.definitely_not_executed());
}

#[tokio::test]
async fn the_state_of_a_node_that_is_not_there_is_an_error() {
    let node = PaperNode::start().await;
    let error = node.client().await.status("127.0.0.1:1").await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error}");
}
