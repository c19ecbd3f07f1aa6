//! Endpoints over real sockets: strangers are refused with a reason, hostile bytes are closed, messages arrive, routes heal.

use super::frames::FrameBuffer;
use super::wire::{ClientFrame, Hello, HelloReply, PeerFrame, ReplyFrame};
use super::*;
use crate::codec::{self, HEADER_LEN, Kind};
use quorate_core::message::{DirectoryMessage, PeerRefusal, Reply};
use quorate_spec::ids::{Boot, ConfigNum, DirectoryVersion, GroupId, NodeId, Stamp};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

fn identity(node: u64) -> Arc<Identity> {
    let me = Peer { node: NodeId::new(node), stamp: Stamp::new(node.into()), boot: Boot::new(1) };
    Arc::new(Identity { cluster: "test".to_owned(), me, address: format!("n{node}:1") })
}

fn nowhere() -> Deliver {
    Arc::new(|arrival| panic!("nothing comes back: {arrival:?}"))
}

/// Node 1, listening on `socket`, and what arrives there.
fn listen_on(socket: TcpListener) -> (UnboundedReceiver<Arrival>, tokio::task::AbortHandle) {
    let (sender, arrivals) = unbounded_channel();
    let deliver: Deliver = Arc::new(move |arrival| drop(sender.send(arrival)));
    let listening = tokio::spawn(Listener::new(identity(1), Arc::default(), deliver).run(socket));
    (arrivals, listening.abort_handle())
}

async fn listen() -> (String, UnboundedReceiver<Arrival>) {
    let socket = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = socket.local_addr().expect("bound").to_string();
    (address, listen_on(socket).0)
}

fn frame<T: serde::Serialize>(kind: Kind, value: &T) -> Vec<u8> {
    let mut bytes = Vec::new();
    codec::encode_into(kind, value, &mut bytes).expect("small");
    bytes
}

async fn greet(address: &str, hello: &Hello) -> (TcpStream, HelloReply) {
    let mut stream = TcpStream::connect(address).await.expect("listening");
    stream.write_all(&frame(Kind::Hello, hello)).await.expect("sent");
    let reply = FrameBuffer::default().receive(&mut stream, Kind::HelloReply).await.expect("an answer");
    (stream, reply)
}

fn node_hello(cluster: &str, from: u64, to: u64) -> Hello {
    let identity = identity(from);
    Hello::Node {
        cluster: cluster.to_owned(),
        from: identity.me,
        to: NodeId::new(to),
        address: identity.address.clone(),
    }
}

fn client_hello() -> Hello {
    Hello::Client { cluster: Some("test".to_owned()) }
}

async fn is_closed(stream: &mut TcpStream) -> bool {
    let mut rest = Vec::new();
    // A reset is a close too: what we sent was not read.
    stream.read_to_end(&mut rest).await.map_or(true, |_| rest.is_empty())
}

fn message(version: u64) -> Message {
    let version = DirectoryVersion::new(version);
    Message::Directory(DirectoryMessage::Fetch { config: ConfigNum::ZERO, version })
}

fn request(ticket: u64) -> ClientFrame {
    ClientFrame { ticket, request: Request::Get { group: GroupId::CONTROLLER, key: "k".into() } }
}

#[tokio::test]
async fn strangers_are_told_what_to_do_and_closed() {
    let (address, _arrivals) = listen().await;
    let cases = [
        (node_hello("other", 2, 1), "--cluster"),
        (node_hello("test", 2, 3), "is node 1, not node 3"),
        (node_hello("test", 1, 1), "another --id"),
        (Hello::Client { cluster: Some("other".to_owned()) }, "belongs to cluster \"test\""),
    ];
    for (hello, says) in cases {
        let (mut stream, reply) = greet(&address, &hello).await;
        let HelloReply::Refused { reason } = reply else { panic!("{hello:?} was welcome") };
        assert!(reason.contains(says), "{hello:?}: {reason}");
        assert!(is_closed(&mut stream).await);
    }
    for hello in [node_hello("test", 2, 1), client_hello(), Hello::Client { cluster: None }] {
        let (_, reply) = greet(&address, &hello).await;
        assert_eq!(reply, HelloReply::Welcome { cluster: "test".to_owned(), from: identity(1).me });
    }
}

#[tokio::test]
async fn hostile_bytes_are_closed_without_an_answer() {
    let (address, mut arrivals) = listen().await;
    let request = frame(Kind::Request, &request(1));
    let hello = frame(Kind::Hello, &client_hello());
    let mut damaged = hello.clone();
    *damaged.last_mut().expect("bytes") ^= 1;
    let mut header_of_a_large_one = frame(Kind::Peer, &PeerFrame::Ping);
    header_of_a_large_one.truncate(HEADER_LEN);
    for bytes in [b"GET / HTTP/1.1\r\n\r\n".to_vec(), vec![0xff; 100_000], request, damaged, header_of_a_large_one] {
        let mut stream = TcpStream::connect(&address).await.expect("listening");
        drop(stream.write_all(&bytes).await);
        assert!(is_closed(&mut stream).await, "{:?}", bytes.get(..20));
    }
    // After a good hello, too.
    for (hello, bytes) in [
        (client_hello(), frame(Kind::Peer, &PeerFrame::Ping)),
        (client_hello(), vec![7; 64]),
        (node_hello("test", 2, 1), frame(Kind::Peer, &PeerFrame::Pong)),
        (node_hello("test", 2, 1), vec![7; 64]),
    ] {
        let (mut stream, _) = greet(&address, &hello).await;
        drop(stream.write_all(&bytes).await);
        assert!(is_closed(&mut stream).await, "{hello:?}");
    }
    assert!(arrivals.try_recv().is_err(), "nothing of it was delivered");
}

#[tokio::test]
async fn messages_arrive_in_order_and_pings_are_answered() {
    let (address, mut arrivals) = listen().await;
    let mut peers = Peers::new(identity(2), nowhere(), Handle::current());
    peers.push(NodeId::new(1), message(0));
    peers.set_address(NodeId::new(1), &address);
    for version in 1..=1000 {
        peers.push(NodeId::new(1), message(version));
    }
    peers.flush();
    let mut seen = Vec::new();
    while seen.len() < 1000 {
        let Some(Arrival::Messages { from, messages, .. }) = arrivals.recv().await else { panic!("messages") };
        assert_eq!(from, identity(2).me);
        seen.extend(messages);
    }
    assert_eq!(seen, (1..=1000).map(message).collect::<Vec<_>>(), "without the one sent before the address was known");

    let (mut stream, _) = greet(&address, &node_hello("test", 3, 1)).await;
    stream.write_all(&frame(Kind::Peer, &PeerFrame::Ping)).await.expect("sent");
    let pong: PeerFrame = FrameBuffer::default().receive(&mut stream, Kind::Peer).await.expect("an answer");
    assert_eq!(pong, PeerFrame::Pong);
}

#[tokio::test]
async fn a_peers_newer_connection_replaces_the_older_one() {
    let (address, _arrivals) = listen().await;
    let (mut older, _) = greet(&address, &node_hello("test", 2, 1)).await;
    let (mut newer, _) = greet(&address, &node_hello("test", 2, 1)).await;
    assert!(is_closed(&mut older).await);
    newer.write_all(&frame(Kind::Peer, &PeerFrame::Ping)).await.expect("sent");
    let pong: PeerFrame = FrameBuffer::default().receive(&mut newer, Kind::Peer).await.expect("an answer");
    assert_eq!(pong, PeerFrame::Pong);
}

#[tokio::test]
async fn a_node_that_comes_back_or_moves_is_found_again() {
    let mut peers = Peers::new(identity(2), nowhere(), Handle::current());
    let (first_address, mut arrivals) = listen().await;
    // Nobody listens there yet.
    let vacant = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let later_address = vacant.local_addr().expect("bound").to_string();
    drop(vacant);

    peers.set_address(NodeId::new(1), &first_address);
    send_until_heard(&mut peers, &mut arrivals).await;
    peers.set_address(NodeId::new(1), &later_address);
    for version in 0..10 {
        peers.push(NodeId::new(1), message(version));
        peers.flush();
        tokio::task::yield_now().await;
    }
    let (mut arrivals, listening) = listen_on(TcpListener::bind(&later_address).await.expect("the port"));
    send_until_heard(&mut peers, &mut arrivals).await;

    listening.abort();
    drop(arrivals);
    let (mut arrivals, _) = loop {
        match TcpListener::bind(&later_address).await {
            Ok(socket) => break listen_on(socket),
            Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    };
    // The old connection is served by a task of its own: the peer's newer one is not there until that one ends.
    peers.set_address(NodeId::new(1), &first_address);
    peers.set_address(NodeId::new(1), &later_address);
    send_until_heard(&mut peers, &mut arrivals).await;
}

/// Takes a few seconds: that is how long a silent route is believed in.
#[tokio::test]
async fn a_peer_that_answers_no_pings_is_dialled_anew() {
    let socket = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = socket.local_addr().expect("bound").to_string();
    let mut peers = Peers::new(identity(2), nowhere(), Handle::current());
    peers.set_address(NodeId::new(1), &address);
    let welcome = frame(Kind::HelloReply, &HelloReply::Welcome { cluster: "test".to_owned(), from: identity(1).me });
    let mut silent = Vec::new();
    while silent.len() < 2 {
        peers.push(NodeId::new(1), message(1));
        peers.flush();
        if let Ok(accepted) = tokio::time::timeout(Duration::from_millis(100), socket.accept()).await {
            let (mut stream, _) = accepted.expect("a connection");
            stream.write_all(&welcome).await.expect("open");
            silent.push(stream);
        }
    }
}

fn impostor() -> Arc<Identity> {
    let me = Peer { stamp: Stamp::new(99), ..identity(2).me };
    Arc::new(Identity { me, ..(*identity(2)).clone() })
}

#[tokio::test]
async fn a_refusal_goes_back_by_the_way_that_the_message_came() {
    let (address, mut arrivals) = listen().await;
    let (sender, mut refusals) = unbounded_channel();
    let deliver: Deliver = Arc::new(move |arrival| drop(sender.send(arrival)));
    // The right node 2 is connected as well: it hears nothing of it.
    let (mut right, _) = greet(&address, &node_hello("test", 2, 1)).await;
    let mut peers = Peers::new(impostor(), deliver, Handle::current());
    peers.set_address(NodeId::new(1), &address);
    peers.push(NodeId::new(1), message(1));
    peers.flush();
    let Some(Arrival::Messages { from, caller, .. }) = arrivals.recv().await else { panic!("a message") };
    assert_eq!(from, impostor().me);
    caller.refuse(PeerRefusal::OtherStamp);
    let Some(Arrival::Refused { by, whom, reason }) = refusals.recv().await else { panic!("a refusal") };
    assert_eq!((by, whom, reason), (identity(1).me, impostor().me, PeerRefusal::OtherStamp));
    right.write_all(&frame(Kind::Peer, &PeerFrame::Ping)).await.expect("open");
    let pong: PeerFrame = FrameBuffer::default().receive(&mut right, Kind::Peer).await.expect("an answer");
    assert_eq!(pong, PeerFrame::Pong);
}

#[tokio::test]
async fn what_is_meant_for_one_directory_goes_to_no_other_at_its_address() {
    let (address, mut arrivals) = listen().await;
    for (stamp, heard) in [(7, false), (1, true)] {
        let mut peers = Peers::new(identity(2), nowhere(), Handle::current());
        peers.pin(NodeId::new(1), Stamp::new(stamp));
        peers.set_address(NodeId::new(1), &address);
        let mut arrived = false;
        for _ in 0..10 {
            peers.push(NodeId::new(1), message(1));
            peers.flush();
            let patience = Duration::from_millis(if heard { 1000 } else { 30 });
            arrived |= tokio::time::timeout(patience, arrivals.recv()).await.is_ok();
        }
        assert_eq!(arrived, heard, "stamp {stamp}");
    }
}

#[tokio::test]
async fn a_refusal_that_comes_as_a_message_closes_the_connection() {
    let (address, mut arrivals) = listen().await;
    let (mut stream, _) = greet(&address, &node_hello("test", 2, 1)).await;
    let refusal = Message::Refused { whom: identity(1).me, reason: PeerRefusal::OtherStamp };
    stream.write_all(&frame(Kind::Peer, &PeerFrame::Message(refusal))).await.expect("open");
    assert!(is_closed(&mut stream).await && arrivals.try_recv().is_err());
}

#[tokio::test]
async fn idle_connections_keep_nobody_out() {
    let (address, _arrivals) = listen().await;
    let mut idle = Vec::new();
    for _ in 0..door::Room::of_this_process().strangers + 10 {
        idle.push(TcpStream::connect(&address).await.expect("listening"));
    }
    let (_, reply) = greet(&address, &client_hello()).await;
    assert!(matches!(reply, HelloReply::Welcome { .. }));
    assert!(is_closed(&mut idle[0]).await, "the oldest made room");
    // Nodes that nobody knows: so many, and not one more. One that is connected may connect again.
    let mut strangers = Vec::new();
    let refused = loop {
        let (stream, reply) = greet(&address, &node_hello("test", 1000 + strangers.len() as u64, 1)).await;
        match reply {
            HelloReply::Welcome { .. } => strangers.push(stream),
            HelloReply::Refused { reason } => break reason,
        }
    };
    assert!(strangers.len() >= 8 && refused.contains("that it does not know"), "{}: {refused}", strangers.len());
    let (_, reply) = greet(&address, &node_hello("test", 1000, 1)).await;
    assert!(matches!(reply, HelloReply::Welcome { .. }));
}

async fn send_until_heard(peers: &mut Peers, arrivals: &mut UnboundedReceiver<Arrival>) {
    loop {
        peers.push(NodeId::new(1), message(1));
        peers.flush();
        let patience = tokio::time::timeout(Duration::from_millis(20), arrivals.recv());
        if let Ok(Some(Arrival::Messages { .. })) = patience.await {
            return;
        }
    }
}

#[tokio::test]
async fn a_client_with_too_many_unanswered_requests_is_read_no_further() {
    let (address, mut arrivals) = listen().await;
    let (mut stream, _) = greet(&address, &client_hello()).await;
    let total = 4 * client::UNANSWERED_REQUESTS as u64;
    let (mut reader, mut writer) = stream.split();
    let write = async {
        for ticket in 0..total {
            writer.write_all(&frame(Kind::Request, &request(ticket))).await.expect("open");
        }
    };
    let answer = async {
        let mut unanswered = Vec::new();
        let mut answered = 0;
        while answered < total {
            // Take what comes until nothing does any more: the limit and one read.
            match tokio::time::timeout(Duration::from_millis(100), arrivals.recv()).await {
                Ok(Some(Arrival::Requests { client, requests })) => {
                    unanswered.extend(requests.into_iter().map(|request| (Arc::clone(&client), request)));
                    let one_read = 128 * 1024 / frame(Kind::Request, &request(0)).len();
                    assert!(unanswered.len() < client::UNANSWERED_REQUESTS + one_read, "{}", unanswered.len());
                }
                Ok(other) => panic!("unexpected {other:?}"),
                Err(_) => {
                    for (client, (ticket, _, bytes)) in unanswered.drain(..) {
                        answered += 1;
                        client.reply(ticket, bytes, Reply::TransferStarted);
                        client.wake();
                    }
                }
            }
        }
    };
    let read = async {
        let mut buffer = FrameBuffer::default();
        for ticket in 0..total {
            let reply: ReplyFrame = buffer.receive(&mut reader, Kind::Reply).await.expect("an answer");
            assert_eq!(reply, ReplyFrame { ticket, reply: Reply::TransferStarted });
        }
    };
    tokio::join!(write, answer, read);
}
