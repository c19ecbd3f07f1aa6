//! One client's connection: requests in, replies out, both many at a time, with bounds on what is unanswered.
//!
//! Replies wait as they are, sharing their values with the store, and are encoded a bounded part at a time: little for each
//! connection, and beyond that from what all connections share. Who takes too little in is closed, so that nobody holds
//! that for long.

use super::frames::{FrameBuffer, StreamEnd};
use super::gauge::Gauge;
use super::wire::{ClientFrame, ReplyFrame};
use super::{Arrival, Deliver, lock};
use crate::codec::{self, Kind};
use quorate_core::message::Reply;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::net::tcp::WriteHalf;
use tokio::time::{Instant, sleep_until};

/// How many requests of one connection may be unanswered before no more are read.
pub(super) const UNANSWERED_REQUESTS: usize = 4096;
/// How many bytes of replies may wait for a client that takes none in before no more requests are read.
const OUT_BYTES: usize = 1 << 20;
/// How much encoded a connection may have in any case.
const FREE: usize = 16 << 10;
/// What a connection keeps of an empty buffer.
const KEEP: usize = 256 << 10;
/// How long a client may take nothing in while replies wait.
const STALL: Duration = Duration::from_secs(10);
/// How long it may take for [`OUT_BYTES`].
const DRAIN: Duration = Duration::from_secs(30);

/// The reply side of a client's connection: the driver pushes, the connection's task sends.
#[derive(Debug)]
pub struct Client {
    replies: Mutex<Replies>,
    unanswered: Gauge,
    /// Bytes of the requests of all clients.
    held: Arc<Gauge>,
    gone: AtomicBool,
}

/// What was answered and not taken yet.
#[derive(Debug, Default)]
struct Replies {
    waiting: Vec<(u64, Reply)>,
    /// The connection's task.
    task: Option<Waker>,
}

impl Client {
    /// A connection without requests; `held` counts the bytes of all clients' requests.
    pub fn new(held: Arc<Gauge>) -> Self {
        Self {
            replies: Mutex::default(),
            unanswered: Gauge::new(UNANSWERED_REQUESTS),
            held,
            gone: AtomicBool::new(false),
        }
    }

    /// Answers the request that came as `ticket` and was `bytes` long. `true`: the first one of a batch, to be followed
    /// by [`Self::wake`].
    pub fn reply(&self, ticket: u64, bytes: usize, reply: Reply) -> bool {
        self.unanswered.leave(1);
        self.held.leave(bytes);
        if self.gone.load(Ordering::Acquire) {
            return false;
        }
        let mut replies = lock(&self.replies);
        replies.waiting.push((ticket, reply));
        replies.waiting.len() == 1
    }

    /// Has the replies sent.
    pub fn wake(&self) {
        if let Some(task) = &lock(&self.replies).task {
            task.wake_by_ref();
        }
    }

    /// Ready when there are replies.
    fn poll_answered(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut replies = lock(&self.replies);
        if !replies.waiting.is_empty() {
            return Poll::Ready(());
        }
        if replies.task.as_ref().is_none_or(|task| !task.will_wake(cx.waker())) {
            replies.task = Some(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Counts requests as read.
    fn accept(&self, requests: usize, bytes: usize) {
        self.unanswered.enter(requests);
        self.held.enter(bytes);
    }
}

/// Serves one client until its connection ends.
pub(super) async fn serve(
    mut stream: TcpStream,
    mut buffer: FrameBuffer,
    held: Arc<Gauge>,
    encoded: Arc<Gauge>,
    deliver: Deliver,
) -> StreamEnd {
    let client = Arc::new(Client::new(held));
    let end = converse(&mut stream, &mut buffer, &client, encoded, &deliver).await;
    client.gone.store(true, Ordering::Release);
    *lock(&client.replies) = Replies::default();
    end
}

async fn converse(
    stream: &mut TcpStream,
    buffer: &mut FrameBuffer,
    client: &Arc<Client>,
    encoded: Arc<Gauge>,
    deliver: &Deliver,
) -> StreamEnd {
    let (mut reader, writer) = stream.split();
    let mut out = Outgoing::new(Arc::clone(&encoded));
    if let Err(end) = deliver_requests(buffer, client, deliver) {
        return end;
    }
    loop {
        if let Err(end) = out.send(client, &writer) {
            return end;
        }
        let calm = client.unanswered.has_room() && out.replies.is_empty() && out.waiting() < OUT_BYTES;
        let may_read = calm && client.held.has_room();
        if !may_read {
            buffer.excuse();
        }
        let answered = poll_fn(|cx| client.poll_answered(cx));
        if may_read && out.waiting() == 0 {
            // Nearly always: all that can come are answers and requests.
            tokio::select! {
                biased;
                () = answered => {}
                filled = buffer.fill_in_time(&mut reader) => {
                    if let Err(end) = filled.and_then(|()| deliver_requests(buffer, client, deliver)) {
                        return end;
                    }
                }
            }
            continue;
        }
        let result = tokio::select! {
            () = answered => Ok(()),
            result = buffer.fill_in_time(&mut reader), if may_read => {
                result.and_then(|()| deliver_requests(buffer, client, deliver))
            }
            () = client.held.room(), if calm && !may_read => Ok(()),
            result = writer.writable(), if out.waiting() > 0 => result.map_err(StreamEnd::from),
            () = encoded.room(), if out.waiting() == 0 && !out.replies.is_empty() => Ok(()),
            () = stall(out.began), if out.waiting() > 0 => {
                Err(io::Error::new(io::ErrorKind::TimedOut, "the client takes too little of its replies in").into())
            }
        };
        if let Err(end) = result {
            return end;
        }
    }
}

/// Only when polled does it start a timer.
async fn stall(began: Instant) {
    sleep_until((Instant::now() + STALL).min(began + DRAIN)).await;
}

/// Hands over every whole request in the buffer, as one batch.
fn deliver_requests(buffer: &mut FrameBuffer, client: &Arc<Client>, deliver: &Deliver) -> Result<(), StreamEnd> {
    let mut requests = Vec::new();
    let mut bytes = 0;
    while let Some(frame) = buffer.next(Kind::Request)? {
        let ClientFrame { ticket, request } = codec::decode(Kind::Request, frame)?;
        requests.push((ticket, request, frame.len()));
        bytes += frame.len();
    }
    if !requests.is_empty() {
        client.accept(requests.len(), bytes);
        deliver(Arrival::Requests { client: Arc::clone(client), requests });
    }
    Ok(())
}

/// Encoded replies on their way.
#[derive(Debug)]
struct Outgoing {
    /// Replies that are not encoded yet: their values are shared, so they cost little.
    replies: VecDeque<(u64, Reply)>,
    bytes: Vec<u8>,
    sent: usize,
    /// What all connections have encoded beyond [`FREE`], and how much of it is here.
    encoded: Arc<Gauge>,
    charged: usize,
    /// Since when what waits is taken in, and how much of it was.
    began: Instant,
    taken: usize,
}

/// About how many bytes a reply takes, as far as it can be large.
fn size(reply: &Reply) -> usize {
    match reply {
        Reply::Value { value: Some(value), .. } => value.len(),
        _ => 0,
    }
}

impl Outgoing {
    fn new(encoded: Arc<Gauge>) -> Self {
        let (replies, bytes) = (VecDeque::new(), Vec::new());
        Self { replies, bytes, sent: 0, encoded, charged: 0, began: Instant::now(), taken: 0 }
    }

    /// Counts what is encoded here, and notes when the client begins to have something to take in.
    fn settle(&mut self) {
        let charge = if self.waiting() > 0 { self.bytes.capacity().saturating_sub(FREE) } else { 0 };
        match charge.checked_sub(self.charged) {
            Some(0) => {}
            Some(more) => self.encoded.enter(more),
            None => self.encoded.leave(self.charged - charge),
        }
        self.charged = charge;
    }

    /// The client took so much in.
    fn took(&mut self, count: usize) {
        self.sent += count;
        self.taken += count;
        if self.taken >= OUT_BYTES {
            self.taken = 0;
            self.began = Instant::now();
        }
    }

    fn waiting(&self) -> usize {
        self.bytes.len() - self.sent
    }

    /// Encodes replies until enough bytes wait.
    fn encode(&mut self) -> Result<(), StreamEnd> {
        if self.waiting() == 0 {
            self.taken = 0;
            self.began = Instant::now();
        }
        while self.waiting() < OUT_BYTES {
            let large = |(_, reply): &(u64, Reply)| self.waiting() + size(reply) > FREE;
            if self.replies.front().is_some_and(large) && !self.encoded.has_room() {
                break;
            }
            let Some((ticket, reply)) = self.replies.pop_front() else { break };
            codec::encode_into(Kind::Reply, &ReplyFrame { ticket, reply }, &mut self.bytes)
                .map_err(|error| io::Error::other(format!("a reply cannot be sent: {error}")))?;
            self.settle();
        }
        Ok(())
    }

    /// Encodes what was answered, a bounded part at a time, and writes what the socket takes.
    fn send(&mut self, client: &Client, writer: &WriteHalf<'_>) -> Result<(), StreamEnd> {
        self.replies.extend(lock(&client.replies).waiting.drain(..));
        self.encode()?;
        while self.waiting() > 0 {
            match writer.try_write(self.bytes.get(self.sent..).unwrap_or_default()) {
                Ok(count) => self.took(count),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if self.sent > OUT_BYTES {
                        self.bytes.drain(..self.sent);
                        self.sent = 0;
                    }
                    return Ok(());
                }
                Err(error) => return Err(error.into()),
            }
            if self.waiting() == 0 && !self.replies.is_empty() {
                self.bytes.clear();
                self.sent = 0;
                self.encode()?;
            }
        }
        self.bytes.clear();
        self.sent = 0;
        if self.bytes.capacity() > KEEP {
            self.bytes = Vec::new();
        }
        self.settle();
        Ok(())
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        self.encoded.leave(self.charged);
    }
}
