//! The way in: one port for peers and clients, told apart by their hello.
//!
//! A connection has until [`HELLO_TIMEOUT`] to say who it is; what does not begin with a hello is closed without an
//! answer. Who means another cluster or another node is told so, in a sentence that says what to do.

use super::frames::{FrameBuffer, StreamEnd};
use super::gauge::Gauge;
use super::link::write_in_time;
use super::wire::{Hello, HelloReply};
use super::{Deliver, HELLO_TIMEOUT, Identity, client, inbound, lock};
use crate::codec::{self, Kind};
use quorate_core::message::Peer;
use quorate_spec::ids::{NodeId, Stamp};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

/// How many clients may be connected.
const CLIENTS: usize = 4096;
/// How many connections may be about to say hello; further ones wait in the kernel's queue.
const STRANGERS: usize = 512;
/// How many bytes of all clients' requests may be unanswered before no more are read.
const HELD_BYTES: usize = 256 << 20;
/// After how long a silent connection is probed by the kernel, which is how vanished clients are noticed.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// The accepting side of a node.
#[derive(Clone)]
pub struct Listener {
    identity: Arc<Identity>,
    deliver: Deliver,
    clients: Arc<Semaphore>,
    strangers: Arc<Semaphore>,
    held: Arc<Gauge>,
    /// The newest connection of each peer; it replaces the one before, which may be a dead one.
    inbound: Arc<Mutex<BTreeMap<(NodeId, Stamp), AbortHandle>>>,
}

impl Listener {
    /// Accepts for this node; what arrives goes to `deliver`.
    pub fn new(identity: Arc<Identity>, deliver: Deliver) -> Self {
        Self {
            identity,
            deliver,
            clients: Arc::new(Semaphore::new(CLIENTS)),
            strangers: Arc::new(Semaphore::new(STRANGERS)),
            held: Arc::new(Gauge::new(HELD_BYTES)),
            inbound: Arc::default(),
        }
    }

    /// Accepts connections for as long as the runtime lives.
    pub async fn run(self, socket: TcpListener) {
        loop {
            let stranger = Arc::clone(&self.strangers).acquire_owned().await.expect("the semaphore is never closed");
            match socket.accept().await {
                Ok((stream, remote)) => {
                    tokio::spawn(self.clone().meet(stream, remote, stranger));
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }

    /// Learns who dials, and serves it.
    async fn meet(self, mut stream: TcpStream, remote: SocketAddr, stranger: OwnedSemaphorePermit) {
        let mut buffer = FrameBuffer::default();
        let hello = timeout(HELLO_TIMEOUT, async {
            prepare(&stream)?;
            buffer.receive::<Hello, _>(&mut stream, Kind::Hello).await
        });
        let end = match hello.await {
            Err(_) => {
                tracing::debug!(%remote, "closed: no hello in time");
                return;
            }
            Ok(Err(StreamEnd::Closed)) => return,
            Ok(Err(end)) => {
                tracing::debug!(%remote, %end, "closed: no hello");
                return;
            }
            Ok(Ok(hello)) => self.welcome(hello, stream, buffer, remote, stranger).await,
        };
        match end {
            StreamEnd::Closed | StreamEnd::Io(_) => tracing::trace!(%remote, %end, "connection ended"),
            StreamEnd::Malformed(_) | StreamEnd::Unexpected(_) => tracing::debug!(%remote, %end, "connection closed"),
        }
    }

    /// Answers the hello and serves the connection until it ends.
    async fn welcome(
        &self,
        hello: Hello,
        mut stream: TcpStream,
        buffer: FrameBuffer,
        remote: SocketAddr,
        stranger: OwnedSemaphorePermit,
    ) -> StreamEnd {
        let verdict = self.judge(&hello);
        let reply = match &verdict {
            Ok(_) => HelloReply::Welcome { cluster: self.identity.cluster.clone(), node: self.identity.me.node },
            Err(reason) => HelloReply::Refused { reason: reason.clone() },
        };
        let mut out = Vec::new();
        if let Err(error) = codec::encode_into(Kind::HelloReply, &reply, &mut out) {
            return error.into();
        }
        if let Err(error) = write_in_time(&mut stream, &out).await {
            return error.into();
        }
        drop(stranger);
        match verdict {
            Err(reason) => {
                tracing::info!(%remote, %reason, "connection refused");
                StreamEnd::Closed
            }
            Ok(Visitor::Peer(from)) => {
                let serving = tokio::spawn(inbound::serve(stream, buffer, from, Arc::clone(&self.deliver)));
                let earlier = lock(&self.inbound).insert((from.node, from.stamp), serving.abort_handle());
                if let Some(earlier) = earlier {
                    earlier.abort();
                }
                serving.await.unwrap_or(StreamEnd::Closed)
            }
            Ok(Visitor::Client(_permit)) => {
                client::serve(stream, buffer, Arc::clone(&self.held), Arc::clone(&self.deliver)).await
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
            Hello::Node { from, .. } => Ok(Visitor::Peer(*from)),
            Hello::Client { cluster: Some(theirs) } if theirs != cluster => Err(format!(
                "{address} belongs to cluster {cluster:?}, not {theirs:?}: give the right --cluster or the right addresses"
            )),
            Hello::Client { .. } => match Arc::clone(&self.clients).try_acquire_owned() {
                Ok(permit) => Ok(Visitor::Client(permit)),
                Err(_) => Err(format!("{address} has {CLIENTS} clients already: close some, or try another node")),
            },
        }
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
