//! The way to one peer: a task that dials, says hello, empties the [`Lanes`] into the connection, and dials again.
//!
//! The connection carries messages one way only; what comes back are echoes of pings, by which a dead or blackholed route
//! is noticed whatever the operating system thinks of it, and the refusal of whoever does not believe this node.

use super::frames::FrameBuffer;
use super::lanes::Lanes;
use super::wire::{Hello, HelloReply, PeerFrame, PeerFrameRef};
use super::{Arrival, Deliver, HELLO_TIMEOUT, Identity, Pins, lock};
use crate::codec::{self, Kind};
use quorate_core::message::{Message, Peer};
use quorate_spec::ids::NodeId;
use std::collections::BTreeSet;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

/// How long one attempt to connect may take: short, so that a healed route is found soon.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// How often a connection is pinged, and after how many unanswered pings it is dead.
const PING_EVERY: Duration = Duration::from_secs(1);
const PINGS_UNANSWERED: u32 = 4;
/// How long a write may make no progress.
const WRITE_TIMEOUT: Duration = Duration::from_secs(5);
/// The back-off between attempts, in milliseconds: random between the first and a bound that doubles up to the second.
const BACKOFF_MS: std::ops::RangeInclusive<u64> = 20..=500;
/// How many troubles with a peer are told until it is reached.
const COMPLAINTS: usize = 8;
/// About how many bytes go into one write.
const FLUSH_BYTES: usize = 256 << 10;
/// How much the kernel may hold for one peer: what an urgent message may at most wait behind, apart from one flush.
const SEND_BUFFER: u32 = 512 << 10;

/// What is shared between the driver, which pushes, and the task, which sends.
#[derive(Debug)]
pub(super) struct Link {
    to: NodeId,
    lanes: Mutex<Lanes>,
    address: Mutex<String>,
    /// The address changed: the connection there is worth nothing.
    moved: AtomicBool,
    /// A ping is due.
    ping: AtomicBool,
    wake: Notify,
}

impl Link {
    pub(super) fn new(to: NodeId, address: String) -> Self {
        Self {
            to,
            lanes: Mutex::default(),
            address: Mutex::new(address),
            moved: AtomicBool::new(false),
            ping: AtomicBool::new(false),
            wake: Notify::new(),
        }
    }

    /// Lets a message wait; dropped if its lane is full. Followed by [`Self::wake`], once per batch.
    pub(super) fn push(&self, message: Message) {
        if !lock(&self.lanes).push(message) {
            tracing::debug!(to = %self.to, "a queue is full: message dropped");
        }
    }

    /// Tells the task that something waits.
    pub(super) fn wake(&self) {
        self.wake.notify_one();
    }

    /// From now on the peer is there.
    pub(super) fn set_address(&self, address: &str) {
        let mut known = lock(&self.address);
        if *known != address {
            address.clone_into(&mut known);
            self.moved.store(true, Ordering::Release);
            self.wake.notify_one();
        }
    }

    /// Dials and sends for as long as the runtime lives.
    pub(super) async fn run(self: Arc<Self>, identity: Arc<Identity>, pins: Arc<Pins>, deliver: Deliver) {
        let mut ceiling = *BACKOFF_MS.start();
        let mut complaint = BTreeSet::new();
        loop {
            self.wait_for_messages().await;
            self.moved.store(false, Ordering::Release);
            let address = lock(&self.address).clone();
            let error = match timeout(CONNECT_TIMEOUT + HELLO_TIMEOUT, self.connect(&identity, &pins, &address)).await {
                Ok(Ok((stream, peer))) => {
                    tracing::debug!(to = %self.to, %address, "connected");
                    ceiling = *BACKOFF_MS.start();
                    complaint.clear();
                    let error = self.converse(stream, peer, &deliver).await;
                    tracing::debug!(to = %self.to, %address, %error, "connection lost");
                    None
                }
                Ok(Err(error)) => Some(error.to_string()),
                Err(_) => Some("no answer in time".to_owned()),
            };
            // What waited for a connection that failed is stale: the core has long resent what matters.
            lock(&self.lanes).clear();
            // Each trouble is told once until the node is reached: a host that is gone fails in several ways by turns.
            let news = |error: &String| complaint.len() < COMPLAINTS && complaint.insert(format!("{address}: {error}"));
            if let Some(error) = error.filter(news) {
                tracing::warn!(
                    to = %self.to, %address, %error,
                    "cannot reach the node; will keep trying: is it up, and is this its address in --controllers and --advertise?"
                );
            }
            ceiling = (ceiling * 2).min(*BACKOFF_MS.end());
            sleep(Duration::from_millis(fastrand::u64(*BACKOFF_MS.start()..=ceiling))).await;
        }
    }

    async fn wait_for_messages(&self) {
        while lock(&self.lanes).is_empty() {
            self.wake.notified().await;
        }
    }

    /// Connects and says hello.
    async fn connect(&self, identity: &Identity, pins: &Pins, address: &str) -> io::Result<(TcpStream, Peer)> {
        let mut stream = timeout(CONNECT_TIMEOUT, dial(address))
            .await
            .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "no connection in time"))??;
        let hello = Hello::Node {
            cluster: identity.cluster.clone(),
            from: identity.me,
            to: self.to,
            address: identity.address.clone(),
        };
        let mut out = Vec::new();
        codec::encode_into(Kind::Hello, &hello, &mut out).map_err(io::Error::other)?;
        stream.write_all(&out).await?;
        let mut buffer = FrameBuffer::default();
        let reply = timeout(HELLO_TIMEOUT, buffer.receive(&mut stream, Kind::HelloReply))
            .await
            .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "no answer to the hello"))?
            .map_err(|end| io::Error::other(end.to_string()))?;
        match reply {
            HelloReply::Welcome { cluster, from } if cluster != identity.cluster || from.node != self.to => {
                Err(io::Error::other(format!("{address} is {} of cluster {cluster:?}, not {}", from.node, self.to)))
            }
            HelloReply::Welcome { from, .. } if pins.contradicts(from) => Err(io::Error::other(format!(
                "at {address} node {} has another data directory than this node knows it by: it was wiped or belongs to \
                 another cluster; put its own directory back, or correct its address in --controllers",
                from.node.get()
            ))),
            HelloReply::Welcome { from, .. } => Ok((stream, from)),
            HelloReply::Refused { reason } => Err(io::Error::other(reason)),
        }
    }

    /// Sends until the connection ends, and says why it did.
    async fn converse(&self, mut stream: TcpStream, peer: Peer, deliver: &Deliver) -> String {
        let (mut reader, mut writer) = stream.split();
        let answered = AtomicBool::new(false);
        tokio::select! {
            end = self.send(&mut writer) => end,
            end = hear(&mut reader, &answered, peer, deliver) => end,
            end = self.watch(&answered) => end,
        }
    }

    /// Empties the lanes into the connection, many messages per write.
    async fn send<W: AsyncWrite + Unpin>(&self, writer: &mut W) -> String {
        let mut messages = Vec::new();
        let mut out = Vec::with_capacity(FLUSH_BYTES / 4);
        loop {
            if self.moved.load(Ordering::Acquire) {
                return "the node has another address now".to_owned();
            }
            lock(&self.lanes).take(&mut messages, FLUSH_BYTES);
            if self.ping.swap(false, Ordering::AcqRel) {
                append_frame(&PeerFrameRef::Ping, &mut out);
            }
            for message in messages.drain(..) {
                append_frame(&PeerFrameRef::Message(&message), &mut out);
            }
            if out.is_empty() {
                self.wake.notified().await;
                continue;
            }
            match write_in_time(writer, &out).await {
                Ok(()) => out.clear(),
                Err(error) => return error.to_string(),
            }
            if out.capacity() > 4 * FLUSH_BYTES {
                out = Vec::with_capacity(FLUSH_BYTES / 4);
            }
        }
    }

    /// Has pings sent, and ends when too many in a row stay unanswered.
    async fn watch(&self, answered: &AtomicBool) -> String {
        let mut unanswered = 0;
        while unanswered < PINGS_UNANSWERED {
            self.ping.store(true, Ordering::Release);
            self.wake.notify_one();
            sleep(PING_EVERY).await;
            unanswered = if answered.swap(false, Ordering::AcqRel) { 0 } else { unanswered + 1 };
        }
        "the node does not answer".to_owned()
    }
}

/// Takes in echoes of pings until the connection ends; or a refusal, which is for the core to judge.
async fn hear<R: AsyncRead + Unpin>(reader: &mut R, answered: &AtomicBool, by: Peer, deliver: &Deliver) -> String {
    let mut buffer = FrameBuffer::default();
    loop {
        match buffer.receive::<PeerFrame, _>(reader, Kind::Peer).await {
            Ok(PeerFrame::Pong) => answered.store(true, Ordering::Release),
            Ok(PeerFrame::Message(Message::Refused { whom, reason })) => {
                deliver(Arrival::Refused { by, whom, reason });
                return "it refuses this node".to_owned();
            }
            Ok(PeerFrame::Ping | PeerFrame::Message(_)) => return "it answered with messages".to_owned(),
            Err(end) => return end.to_string(),
        }
    }
}

/// Writes all of it, unless the other side takes none of it for too long.
pub(super) async fn write_in_time<W: AsyncWrite + Unpin>(writer: &mut W, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let written = timeout(WRITE_TIMEOUT, writer.write(bytes))
            .await
            .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "the other side takes nothing in"))??;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        bytes = bytes.get(written..).unwrap_or_default();
    }
    Ok(())
}

/// Appends a frame. What is too large to be encoded is left out, loudly: the limits should have kept it from being made.
pub(super) fn append_frame(frame: &PeerFrameRef<'_>, out: &mut Vec<u8>) {
    if let Err(error) = codec::encode_into(Kind::Peer, frame, out) {
        tracing::error!(%error, "a message to a peer cannot be sent");
    }
}

/// Connects to `host:port`, trying all its addresses.
async fn dial(address: &str) -> io::Result<TcpStream> {
    let mut failure = io::Error::new(io::ErrorKind::NotFound, format!("{address} has no address"));
    for resolved in tokio::net::lookup_host(address).await? {
        let socket = if resolved.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        socket.set_send_buffer_size(SEND_BUFFER)?;
        socket.set_nodelay(true)?;
        match socket.connect(resolved).await {
            Ok(stream) => return Ok(stream),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}
