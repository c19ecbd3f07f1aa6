//! Whoever dials: garbage, frames that are cut, oversized or impossible, crowds that say nothing or never end, readers that do
//! not read. Nodes close what makes no sense, keep their memory bounded, and serve everybody else meanwhile.

use quorate::cluster::Layout;
use quorate::codec::{self, HEADER_LEN, Kind};
use quorate::transport::wire::{ClientFrame, Hello, PeerFrame, ReplyFrame};
use quorate_core::bytes::Bytes;
use quorate_core::message::{Message, Peer, Reply, Request};
use quorate_core::raft::{self, Election, LogPosition};
use quorate_spec::ids::{Boot, GroupId, LogIndex, NodeId, Stamp, Term};
use quorate_tests::ledger::{Ledger, append_until};
use quorate_tests::raw::Raw;
use quorate_tests::world::{World, key_per_shard};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::collections::BTreeSet;
use std::io::Write;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::task::JoinHandle;

/// A controller and one group of three.
const FOUR: Layout = Layout { controllers: 1, groups: 1, nodes_per_group: 3, shards: 10 };
/// How much a node's memory may grow while it is beset.
const GROWTH: u64 = 64 << 20;
/// How many of each sort beset a node.
const CROWD: usize = 1000;

/// A cluster with a writer at work, who must never be refused.
struct Scene {
    world: World,
    stop: Arc<AtomicBool>,
    writer: JoinHandle<Ledger>,
}

impl Scene {
    async fn start() -> Self {
        let world = World::joined(FOUR, 1, "").await;
        let stop = Arc::new(AtomicBool::new(false));
        let pause = Duration::from_millis(5);
        let writer = append_until(world.client().await, "ledger".into(), Arc::clone(&stop), pause);
        let writer = tokio::spawn(writer);
        Self { world, stop, writer }
    }

    /// Nothing was lost, nobody fell, and the writer was served all the time.
    async fn end(mut self) {
        let client = self.world.client().await;
        client.put("after", "1").await.expect("the group serves");
        // However little time all that took: the writer gets on.
        while tokens(client.get("ledger").await.expect("the group serves").value.as_deref()) <= 10 {}
        self.stop.store(true, Ordering::Relaxed);
        let ledger = self.writer.await.expect("the writer ends");
        assert_eq!(self.world.cluster.fallen().expect("processes can be looked at"), [], "{}", self.world.last_words());
        assert_eq!(ledger.acknowledged(), ledger.entries.len(), "an append failed");
        self.world.check(&[ledger]).await;
    }

    /// A node's resident memory in bytes: the most since the last call of [`Self::forget_peak`].
    fn peak(&self, node: u64) -> u64 {
        let pid = self.world.cluster.pid(node).expect("the node runs");
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux tells the peak");
        line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") << 10
    }

    /// From now on a new peak is measured. Says what the node has now.
    fn forget_peak(&self, node: u64) -> u64 {
        let pid = self.world.cluster.pid(node).expect("the node runs");
        std::fs::write(format!("/proc/{pid}/clear_refs"), "5").expect("the peak can be forgotten");
        self.peak(node)
    }

    /// No node took much more memory than it had.
    fn check_growth(&self, before: &[(u64, u64)], what: &str) {
        for (node, before) in before {
            let grown = self.peak(*node).saturating_sub(*before);
            println!("{what}: node {node} grew by {} KiB at most", grown >> 10);
            assert!(grown <= GROWTH, "{what}: node {node} grew by {grown} bytes");
        }
    }

    fn nodes(&self) -> Vec<(u64, String)> {
        self.world.cluster.addresses().iter().map(|(node, address)| (*node, address.clone())).collect()
    }
}

/// How many tokens a ledger's value holds.
fn tokens(value: Option<&[u8]>) -> usize {
    value.map_or(0, |value| value.iter().filter(|byte| **byte == b';').count())
}

fn node_hello(from: u64, to: u64) -> Hello {
    let from = Peer { node: NodeId::new(from), stamp: Stamp::new(77), boot: Boot::new(1) };
    Hello::Node { cluster: "quorate".into(), from, to: NodeId::new(to), address: "127.0.0.1:1".into() }
}

fn frame<T: serde::Serialize>(kind: Kind, value: &T) -> Vec<u8> {
    codec::encode(kind, value).expect("it can be encoded")
}

/// A header that promises a body of the kind's limit.
fn promise(kind: Kind) -> Vec<u8> {
    let mut header = vec![0; HEADER_LEN];
    codec::finish_frame(kind, &mut header, 0).expect("an empty frame");
    header[8..12].copy_from_slice(&kind.limit().to_le_bytes());
    header
}

/// A vote in a term that no election ever reaches.
fn impossible_vote() -> Vec<u8> {
    let last = LogPosition { term: Term::new(u64::MAX), index: LogIndex::new(u64::MAX) };
    let vote = Election::RequestVote { term: Term::new(u64::MAX), last };
    let message = Message::Controller(raft::Message::Election(vote));
    frame(Kind::Peer, &PeerFrame::Message(message))
}

/// Bytes that must not be answered, but by the end of the connection.
fn nonsense() -> Vec<Vec<u8>> {
    let hello = frame(Kind::Hello, &Hello::Client { cluster: None });
    let mut damaged = hello.clone();
    *damaged.last_mut().expect("bytes") ^= 1;
    let mut oversized = promise(Kind::Hello);
    oversized[8..12].copy_from_slice(&u32::MAX.to_le_bytes());
    let mut newer = hello.clone();
    newer[4] += 1;
    vec![
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec(),
        vec![0; 1 << 20],
        (0..100_000_u32).flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()).collect(),
        damaged,
        oversized,
        newer,
        frame(Kind::Request, &ClientFrame { ticket: 1, request: Request::Status }),
        impossible_vote(),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_on_every_port_is_closed_and_harms_nobody() {
    let scene = Scene::start().await;
    for (node, address) in scene.nodes() {
        for bytes in nonsense() {
            let mut raw = Raw::connect(&address);
            // It may be closed while this is being sent.
            let _ = raw.0.write_all(&bytes);
            assert!(raw.is_closed(), "{:?} was answered", &bytes[..16]);
        }
        // Cut within the hello: closed as soon as the other side has gone.
        let hello = frame(Kind::Hello, &Hello::Client { cluster: None });
        for length in 1..hello.len() {
            Raw::connect(&address).0.write_all(&hello[..length]).expect("open");
        }
        // After a good hello.
        let mut many = nonsense();
        many.push(frame(Kind::Peer, &PeerFrame::Pong));
        many.push(frame(Kind::Hello, &Hello::Client { cluster: None }));
        for bytes in many {
            for hello in [Hello::Client { cluster: None }, node_hello(1000, node)] {
                let client = matches!(hello, Hello::Client { .. });
                if client && bytes == frame(Kind::Request, &ClientFrame { ticket: 1, request: Request::Status }) {
                    continue;
                }
                let mut raw = Raw::connect(&address);
                raw.greet(&hello);
                let _ = raw.0.write_all(&bytes);
                assert!(raw.is_closed(), "{:?} was answered after {hello:?}", &bytes[..16]);
            }
        }
        // An impostor of a node of the cluster, whose frames are well-formed, and whose log is the best ever.
        let mut raw = Raw::connect(&address);
        let impostor = if node == 4 { 3 } else { 4 };
        raw.greet(&node_hello(impostor, node));
        let last = LogPosition { term: Term::new(1 << 40), index: LogIndex::new(1 << 40) };
        let group = scene.world.leader(1).await.1.group;
        let message = raft::Message::Election(Election::RequestVote { term: Term::new(1 << 40), last });
        raw.send(Kind::Peer, &PeerFrame::Message(Message::Data { group, message }));
        let answer: PeerFrame = raw.receive(Kind::Peer);
        assert!(matches!(answer, PeerFrame::Message(Message::Refused { .. })), "{answer:?}");
        assert!(raw.is_closed());
    }
    scene.end().await;
}

/// This process needs a descriptor for each connection.
fn take_descriptors() {
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.unwrap_or(1 << 16).min(1 << 16);
    setrlimit(Resource::Nofile, Rlimit { current: Some(most), ..limit }).expect("up to the hard limit");
    assert!(most >= 3 * CROWD as u64, "raise the hard limit of open files: ulimit -Hn");
}

/// Sends as much as the kernel takes at once.
fn push(stream: &TcpStream, mut bytes: &[u8]) {
    stream.set_nonblocking(true).expect("a socket");
    let mut stream = stream;
    while let Ok(count @ 1..) = stream.write(bytes) {
        bytes = &bytes[count..];
    }
}

/// One that says nothing, before or after its hello.
fn idle(address: &str, number: usize) -> TcpStream {
    if number.is_multiple_of(2) { Raw::connect(address).0 } else { Raw::open(address).0 }
}

/// One that begins large frames and does not end them, or sends garbage; as a client or as a node that nobody knows.
fn hostile(address: &str, node: u64, number: usize, filler: &[u8]) -> TcpStream {
    let (mut raw, mut bytes) = (Raw::connect(address), Vec::new());
    let (hello, kind) = match number % 4 {
        0 => (Some(Hello::Client { cluster: None }), Kind::Request),
        1 => (Some(node_hello(1000 + number as u64, node)), Kind::Peer),
        2 => (None, Kind::Hello),
        _ => (Some(Hello::Client { cluster: None }), Kind::Reply),
    };
    if let Some(hello) = hello {
        raw.greet(&hello);
    }
    bytes.extend(promise(kind));
    bytes.extend_from_slice(filler);
    push(&raw.0, &bytes);
    raw.0
}

#[tokio::test(flavor = "multi_thread")]
async fn crowds_of_idle_and_hostile_connections_take_little_memory_and_keep_nobody_out() {
    take_descriptors();
    let scene = Scene::start().await;
    let filler = vec![0x5a; 1 << 20];
    for (node, address) in scene.nodes() {
        let before = [(node, scene.forget_peak(node))];
        let mut crowd: Vec<TcpStream> = (0..CROWD).map(|number| idle(&address, number)).collect();
        crowd.extend((0..CROWD).map(|number| hostile(&address, node, number, &filler)));
        // Whoever comes now is served, by this very node.
        let mut newcomer = Raw::open(&address);
        newcomer.send(Kind::Request, &ClientFrame { ticket: 5, request: Request::Status });
        let reply: ReplyFrame = newcomer.receive(Kind::Reply);
        assert!(matches!(reply, ReplyFrame { ticket: 5, reply: Reply::Status(_) }), "{reply:?}");
        scene.world.client().await.put("newcomer", address.as_str()).await.expect("the group serves");
        scene.check_growth(&before, "crowd");
        drop(crowd);
    }
    scene.end().await;
}

/// Asks for the same large value many times and takes nothing in.
fn greedy(address: &str, group: GroupId, times: u64) -> Raw {
    let mut raw = Raw::open(address);
    // The kernel is not to take in what it does not.
    rustix::net::sockopt::set_socket_recv_buffer_size(&raw.0, 32 << 10).expect("a socket");
    let bytes: Vec<u8> = (0..times)
        .flat_map(|ticket| {
            let request = Request::Get { group, key: Bytes::from("large") };
            frame(Kind::Request, &ClientFrame { ticket, request })
        })
        .collect();
    raw.0.write_all(&bytes).expect("it can be sent");
    raw
}

/// Takes every answer in, with pauses: the value, byte for byte; or a refusal, if the node has ceased to lead.
fn take_slowly(mut slow: Raw, times: u64, value: &[u8]) {
    let (mut tickets, mut values) = (BTreeSet::new(), 0);
    for number in 0..times {
        if number % 10 == 0 {
            std::thread::sleep(Duration::from_millis(20));
        }
        let reply: ReplyFrame = slow.receive(Kind::Reply);
        match reply.reply {
            Reply::Value { value: Some(found), .. } => {
                assert!(*found == *value, "the value is another one");
                values += 1;
            }
            Reply::Refused(_) => {}
            other => panic!("not an answer: {other:?}"),
        }
        tickets.insert(reply.ticket);
    }
    assert!(tickets == (0..times).collect() && values > 0, "{values} values, {} answers", tickets.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn large_replies_to_a_slow_client_take_little_memory_and_hold_nobody_up() {
    let scene = Scene::start().await;
    let client = scene.world.client().await;
    let value = vec![b'v'; 1 << 20];
    client.put("large", &value).await.expect("the group serves");
    let (leader, replica) = scene.world.leader(1).await;
    let before = [(leader, scene.forget_peak(leader))];
    let address = scene.world.cluster.addresses()[&leader].clone();
    let slow = greedy(&address, replica.group, 300);
    let slow = tokio::task::spawn_blocking(move || take_slowly(slow, 300, &value));
    let _stalled: Vec<Raw> = (0..80).map(|_| greedy(&address, replica.group, 40)).collect();
    for key in key_per_shard(10, "other").values() {
        let written = client.put(key, "meanwhile").await;
        written.unwrap_or_else(|error| panic!("{error}\n{}", scene.world.last_words()));
        client.get("small").await.expect("others are answered");
    }
    slow.await.expect("the slow one has every answer in the end");
    scene.check_growth(&before, "large replies");
    scene.end().await;
}
