//! The driver with a scripted machine: what comes in over real sockets becomes inputs, effects go where they belong.

use super::*;
use crate::codec::{self, Kind};
use crate::transport::wire::{ClientFrame, Hello, HelloReply, ReplyFrame};
use crate::transport::{Deliver, Identity, Listener};
use quorate_core::effect::{SnapshotWork, TimerChange};
use quorate_core::input::Timer;
use quorate_core::message::{DirectoryMessage, PeerRefusal, Reply};
use quorate_core::status::{HostStatus, ReplicaStatus};
use quorate_spec::ids::{Boot, ConfigNum, DirectoryVersion, LogIndex, NodeId, Stamp, Term};
use quorate_spec::views::Role;
use std::io::{Read, Write as _};
use std::net::TcpStream;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::JoinHandle;
use tokio::runtime::Runtime;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

pub(super) fn idle_replica() -> ReplicaStatus {
    ReplicaStatus {
        group: GroupId::CONTROLLER,
        voters: Vec::new(),
        role: Role::Follower,
        leader: None,
        term: Term::ZERO,
        last: LogIndex::ZERO,
        commit: LogIndex::ZERO,
        snapshot: LogIndex::ZERO,
        log_bytes: 0,
        lag: Vec::new(),
        config: ConfigNum::ZERO,
        sessions: 0,
        floor: Default::default(),
        data_bytes: 0,
        serving: Vec::new(),
        awaiting: Vec::new(),
        frozen: Vec::new(),
    }
}

pub(super) fn idle_status() -> NodeStatus {
    NodeStatus {
        node: NodeId::new(1),
        address: "here:1".into(),
        boot: Default::default(),
        config: ConfigNum::ZERO,
        replicas: Vec::new(),
        may_be_stopped: false,
        disk_full: false,
        host: None,
    }
}

/// Writes something for every batch of requests, answers it when that is durable, and tells what it was given.
struct Script {
    inputs: Sender<Input>,
    write: WriteId,
    waiting: Vec<(WriteId, Ticket)>,
    /// What it does once, with its first input.
    first: Effects,
}

impl Machine for Script {
    fn step(&mut self, input: Input) -> Effects {
        let mut effects = std::mem::take(&mut self.first);
        match &input {
            Input::Requests { requests } => {
                self.write = self.write.next();
                let info = quorate_core::controller::NodeInfo { address: "x:1".into(), stamp: Stamp::new(1) };
                effects.writes.push((self.write, Write::Pin { node: NodeId::new(7), info }));
                self.waiting.extend(requests.iter().map(|(ticket, _)| (self.write, *ticket)));
            }
            Input::Synced { write } => {
                let (durable, waiting) = self.waiting.drain(..).partition(|(rests_on, _)| rests_on <= write);
                self.waiting = waiting;
                let answer = |(_, ticket): (WriteId, Ticket)| (ticket, Reply::TransferStarted);
                effects.replies.extend(Vec::into_iter(durable).map(answer));
            }
            _ => {}
        }
        drop(self.inputs.send(input));
        effects
    }

    fn status(&self) -> NodeStatus {
        idle_status()
    }
}

/// Syncs when told to; until then it collects.
struct HeldDisk(Sender<WriteId>);

impl Storage for HeldDisk {
    fn submit(&mut self, writes: Vec<(WriteId, Write)>) {
        for (write, _) in writes {
            self.0.send(write).expect("the test looks on");
        }
    }

    fn write_snapshot(&mut self, _work: SnapshotWork) {}

    fn synced(&mut self, _write: WriteId) {}

    fn host(&self) -> HostStatus {
        HostStatus { cluster: "here".to_owned(), ..HostStatus::default() }
    }
}

struct Running {
    events: UnboundedSender<Event>,
    inputs: Receiver<Input>,
    submitted: Receiver<WriteId>,
    address: String,
    thread: JoinHandle<Ending>,
}

fn start(runtime: &Runtime, node: u64, peers: &[(u64, &str)], first: Effects, initial: Effects) -> Running {
    let (events, inbox) = unbounded_channel();
    let (inputs, seen) = mpsc::channel();
    let (writes, submitted) = mpsc::channel();
    let me = Peer { node: NodeId::new(node), stamp: Stamp::new(1), boot: Boot::new(1) };
    let socket = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a port");
    let address = socket.local_addr().expect("bound").to_string();
    let identity = Arc::new(Identity { cluster: "test".to_owned(), me, address: address.clone() });
    let deliver: Deliver = {
        let events = events.clone();
        Arc::new(move |arrival| drop(events.send(Event::Arrived(arrival))))
    };
    let mut out = Peers::new(Arc::clone(&identity), Arc::clone(&deliver), runtime.handle().clone());
    for (peer, at) in peers {
        out.set_address(NodeId::new(*peer), at);
    }
    runtime.spawn(Listener::new(identity, out.pins(), deliver).run(socket));
    let script = Script { inputs, write: WriteId::ZERO, waiting: Vec::new(), first };
    let driver = Driver::new(me, script, HeldDisk(writes), out, Duration::from_secs(600));
    let handle = runtime.handle().clone();
    let thread = std::thread::spawn(move || handle.block_on(driver.run(initial, inbox)).0);
    Running { events, inputs: seen, submitted, address, thread }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("threads")
}

fn read_frame<T: serde::de::DeserializeOwned>(stream: &mut TcpStream, kind: Kind) -> T {
    let mut frame = vec![0; codec::HEADER_LEN];
    stream.read_exact(&mut frame).expect("a header");
    let length = codec::parse_header(&frame).expect("well-formed").length as usize;
    frame.resize(codec::HEADER_LEN + length, 0);
    stream.read_exact(&mut frame[codec::HEADER_LEN..]).expect("a body");
    codec::decode(kind, &frame).expect("whole")
}

fn connect(address: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).expect("listening");
    let mut out = Vec::new();
    codec::encode_into(Kind::Hello, &Hello::Client { cluster: None }, &mut out).expect("small");
    stream.write_all(&out).expect("sent");
    let reply: HelloReply = read_frame(&mut stream, Kind::HelloReply);
    assert!(matches!(reply, HelloReply::Welcome { .. }));
    stream
}

#[test]
fn answers_wait_for_the_disk_and_find_their_client() {
    let runtime = runtime();
    let node = start(&runtime, 1, &[], Effects::default(), Effects::default());
    let mut clients = [connect(&node.address), connect(&node.address)];
    for (number, client) in clients.iter_mut().enumerate() {
        let mut out = Vec::new();
        for ticket in 0..100 {
            let frame = ClientFrame { ticket: ticket * 10 + number as u64, request: Request::RegisterClient };
            codec::encode_into(Kind::Request, &frame, &mut out).expect("small");
        }
        client.write_all(&out).expect("sent");
    }
    // The input is seen before its write is handed to the disk: every batch of requests makes exactly one, so wait for each.
    let (mut seen, mut last) = (0, WriteId::ZERO);
    while seen < 200 {
        if let Input::Requests { requests } = node.inputs.recv().expect("inputs") {
            seen += requests.len();
            last = node.submitted.recv().expect("a write for every batch");
        }
    }
    node.events.send(Event::Synced(last)).expect("running");
    for (number, client) in clients.iter_mut().enumerate() {
        for ticket in 0..100 {
            let reply: ReplyFrame = read_frame(client, Kind::Reply);
            assert_eq!(reply, ReplyFrame { ticket: ticket * 10 + number as u64, reply: Reply::TransferStarted });
        }
    }
    node.events.send(Event::Shutdown).expect("running");
    assert_eq!(node.thread.join().expect("no panic"), Ending::Shutdown);
}

#[test]
fn a_status_leaves_with_what_the_process_knows_of_itself() {
    let runtime = runtime();
    let status = Reply::Status(Arc::new(idle_status()));
    let first = Effects { replies: vec![(Ticket::ZERO.next(), status)], ..Effects::default() };
    let node = start(&runtime, 1, &[], first, Effects::default());
    let mut client = connect(&node.address);
    let mut out = Vec::new();
    let frame = ClientFrame { ticket: 7, request: Request::Status };
    codec::encode_into(Kind::Request, &frame, &mut out).expect("small");
    client.write_all(&out).expect("sent");
    let reply: ReplyFrame = read_frame(&mut client, Kind::Reply);
    let Reply::Status(status) = reply.reply else { panic!("a status") };
    assert_eq!(status.host.as_ref().map(|host| host.cluster.as_str()), Some("here"));
    node.events.send(Event::Shutdown).expect("running");
    assert_eq!(node.thread.join().expect("no panic"), Ending::Shutdown);
}

#[test]
fn messages_reach_the_other_node() {
    let runtime = runtime();
    let hello = |version| {
        let version = DirectoryVersion::new(version);
        Message::Directory(DirectoryMessage::Fetch { config: ConfigNum::ZERO, version })
    };
    let second = start(&runtime, 2, &[], Effects::default(), Effects::default());
    let sends = (1..=50).map(|version| (NodeId::new(2), hello(version)));
    let sends = sends.chain([(NodeId::new(1), hello(99)), (NodeId::new(3), hello(98))]).collect();
    let address = second.address.as_str().into();
    let initial = Effects { addresses: vec![(NodeId::new(2), address)], sends, ..Effects::default() };
    let first = start(&runtime, 1, &[], Effects::default(), initial);
    for version in 1..=50 {
        let Input::Received { from, message } = second.inputs.recv().expect("inputs") else { panic!("a message") };
        assert_eq!((from.node, message), (NodeId::new(1), hello(version)));
    }
    first.events.send(Event::Shutdown).expect("running");
    assert_eq!(first.thread.join().expect("no panic"), Ending::Shutdown);
}

#[test]
fn armed_timers_fire_and_a_halt_ends_the_node() {
    let runtime = runtime();
    let halt = Halt::Refused { by: NodeId::new(2), reason: PeerRefusal::OtherBootstrap };
    let first = Effects { halt: Some(halt), ..Effects::default() };
    let initial = Effects { timers: vec![TimerChange::Arm(Timer::Poll)], ..Effects::default() };
    let node = start(&runtime, 1, &[], first, initial);
    assert_eq!(node.inputs.recv().expect("inputs"), Input::Fired { timer: Timer::Poll });
    assert_eq!(node.thread.join().expect("no panic"), Ending::Halted(halt));
}
