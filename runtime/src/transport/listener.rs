//! The way in: one port for peers and clients, told apart by their hello.
//!
//! A connection has until [`HELLO_TIMEOUT`] to say who it is; what does not begin with a hello is closed without an
//! answer. Who means another cluster or another node is told so, in a sentence that says what to do. Nobody can keep
//! others out by idle connections, or take more than a bounded part of the memory; see `door`.

use super::door::{Inside, Room, Strangers};
use super::frames::{FrameBuffer, StreamEnd};
use super::gauge::Gauge;
use super::link::write_in_time;
use super::wire::{Hello, HelloReply};
use super::{Deliver, HELLO_TIMEOUT, Identity, Pins, client, inbound, lock};
use crate::codec::{self, Kind};
use quorate_core::message::Peer;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};

/// How many bytes of all clients' requests may be unanswered before no more are read.
const HELD_BYTES: usize = 256 << 20;
/// How many bytes of unfinished frames all clients may have here.
const UNFINISHED_BYTES: usize = 16 << 20;
/// How many bytes of unfinished frames all nodes may have here that are not known: they have little to say.
const UNKNOWN_BYTES: usize = 4 << 20;
/// How many bytes of encoded replies may wait for all clients, beyond a little for each.
const ENCODED_BYTES: usize = 24 << 20;
/// After how long a silent connection is probed by the kernel, which is how vanished clients are noticed.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// The accepting side of a node.
#[derive(Clone)]
pub struct Listener {
    identity: Arc<Identity>,
    deliver: Deliver,
    pins: Arc<Pins>,
    room: Room,
    clients: Arc<Semaphore>,
    strangers: Arc<Mutex<Strangers>>,
    inside: Arc<Mutex<Inside>>,
    held: Arc<Gauge>,
    /// Unfinished frames of clients.
    unfinished: Arc<Gauge>,
    /// Unfinished frames of nodes that are not known.
    unknown: Arc<Gauge>,
    /// Encoded replies.
    encoded: Arc<Gauge>,
}

impl Listener {
    /// Accepts for this node; what arrives goes to `deliver`. Nodes that are in `pins` are known.
    pub fn new(identity: Arc<Identity>, pins: Arc<Pins>, deliver: Deliver) -> Self {
        let room = Room::of_this_process();
        Self {
            identity,
            deliver,
            pins,
            room,
            clients: Arc::new(Semaphore::new(room.clients)),
            strangers: Arc::default(),
            inside: Arc::default(),
            held: Arc::new(Gauge::new(HELD_BYTES)),
            unfinished: Arc::new(Gauge::new(UNFINISHED_BYTES)),
            unknown: Arc::new(Gauge::new(UNKNOWN_BYTES)),
            encoded: Arc::new(Gauge::new(ENCODED_BYTES)),
        }
    }

    /// Accepts connections for as long as the runtime lives.
    pub async fn run(self, socket: TcpListener) {
        loop {
            match socket.accept().await {
                Ok((stream, remote)) => {
                    let meet = |number| tokio::spawn(self.clone().meet(stream, remote, number)).abort_handle();
                    lock(&self.strangers).let_in(self.room.strangers, meet);
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }

    /// Learns who dials, and serves it.
    async fn meet(self, mut stream: TcpStream, remote: SocketAddr, number: u64) {
        let mut buffer = FrameBuffer::default();
        let hello = timeout(HELLO_TIMEOUT, async {
            prepare(&stream)?;
            buffer.receive::<Hello, _>(&mut stream, Kind::Hello).await
        });
        let hello = hello.await;
        let visitor = match hello {
            Ok(Ok(hello)) => self.welcome(hello, &mut stream, remote).await,
            Ok(Err(end)) => Err(end),
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "no hello in time").into()),
        };
        lock(&self.strangers).forget(number);
        let end = match visitor {
            Ok(visitor) => self.serve(visitor, stream, buffer).await,
            Err(end) => end,
        };
        match end {
            StreamEnd::Closed | StreamEnd::Io(_) => tracing::trace!(%remote, %end, "connection ended"),
            StreamEnd::Malformed(_) | StreamEnd::Unexpected(_) => tracing::debug!(%remote, %end, "connection closed"),
        }
    }

    /// Answers the hello. Who is refused is told why.
    async fn welcome(&self, hello: Hello, stream: &mut TcpStream, remote: SocketAddr) -> Result<Visitor, StreamEnd> {
        let verdict = self.judge(&hello);
        let reply = match &verdict {
            Ok(_) => HelloReply::Welcome { cluster: self.identity.cluster.clone(), from: self.identity.me },
            Err(reason) => HelloReply::Refused { reason: reason.clone() },
        };
        let mut out = Vec::new();
        codec::encode_into(Kind::HelloReply, &reply, &mut out)?;
        write_in_time(stream, &out).await?;
        verdict.map_err(|reason| {
            tracing::info!(%remote, %reason, "connection refused");
            StreamEnd::Closed
        })
    }

    /// Serves a connection until it ends.
    async fn serve(&self, visitor: Visitor, stream: TcpStream, mut buffer: FrameBuffer) -> StreamEnd {
        match visitor {
            Visitor::Peer(from) => {
                buffer.charge(Arc::clone(&self.unknown));
                let (pins, deliver) = (Arc::clone(&self.pins), Arc::clone(&self.deliver));
                let serving = tokio::spawn(inbound::serve(stream, buffer, from, pins, deliver));
                let number = lock(&self.inside).enter(from, serving.abort_handle());
                let end = serving.await.unwrap_or(StreamEnd::Closed);
                lock(&self.inside).leave(from, number);
                if let StreamEnd::Malformed(error) = &end
                    && self.pins.knows(from)
                {
                    tracing::warn!(node = from.node.get(), %error, "closed a node's connection");
                }
                end
            }
            Visitor::Client(_permit) => {
                buffer.charge(Arc::clone(&self.unfinished));
                let (held, encoded) = (Arc::clone(&self.held), Arc::clone(&self.encoded));
                client::serve(stream, buffer, held, encoded, Arc::clone(&self.deliver)).await
            }
        }
    }

    /// Who may come in; the reason says what to do.
    fn judge(&self, hello: &Hello) -> Result<Visitor, String> {
        let Identity { cluster, me, address } = &*self.identity;
        match hello {
            Hello::Node { cluster: theirs, .. } if theirs != cluster => Err(format!(
                "{address} belongs to cluster {cluster:?}, not {theirs:?}: give both nodes the same --cluster, or the \
                 right addresses in --controllers"
            )),
            Hello::Node { to, .. } if *to != me.node => Err(format!(
                "{address} is node {}, not node {}: correct the address of node {} in --controllers, or its --advertise",
                me.node.get(),
                to.get(),
                to.get()
            )),
            Hello::Node { from, address: theirs, .. } if from.node == me.node => Err(format!(
                "node {} is already running at {address}: start the node at {theirs} with another --id",
                me.node.get()
            )),
            Hello::Node { from, .. } if self.is_full(*from) => Err(format!(
                "{address} has {} nodes connected that it does not know: stop those that are not yours, or try later",
                self.room.unknown
            )),
            Hello::Node { from, .. } => Ok(Visitor::Peer(*from)),
            Hello::Client { cluster: Some(theirs) } if theirs != cluster => Err(format!(
                "{address} belongs to cluster {cluster:?}, not {theirs:?}: give the right --cluster or the right addresses"
            )),
            Hello::Client { .. } => match Arc::clone(&self.clients).try_acquire_owned() {
                Ok(permit) => Ok(Visitor::Client(permit)),
                Err(_) => {
                    Err(format!("{address} has {} clients already: close some, or try another node", self.room.clients))
                }
            },
        }
    }

    /// Whether one more node that is not known is one too many.
    fn is_full(&self, from: Peer) -> bool {
        let is_known = |peer| self.pins.knows(peer);
        !is_known(from) && lock(&self.inside).is_full(from, self.room.unknown, is_known)
    }
}

/// Who was let in.
enum Visitor {
    Peer(Peer),
    Client(OwnedSemaphorePermit),
}

/// Sets what every accepted socket needs.
fn prepare(stream: &TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    rustix::net::sockopt::set_socket_keepalive(stream, true)?;
    rustix::net::sockopt::set_tcp_keepidle(stream, KEEP_ALIVE)?;
    Ok(())
}
