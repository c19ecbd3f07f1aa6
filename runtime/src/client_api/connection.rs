//! One connection to one node: opened by a hello, then requests out and answers in, many at a time.
//!
//! It is polled by the client's task: requests gather in a buffer while the task is busy and leave together when it has
//! nothing else to do, or at once if they are [flushed](Connection::flush). It never repeats a request; what a broken
//! connection held is lost.

use crate::codec::{self, Kind};
use crate::transport::wire::{ClientFrame, Hello, HelloReply, ReplyFrame};
use quorate_core::message::{Peer, Request};
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

/// What one read takes in at most.
const READ: usize = 64 << 10;
/// A buffer that grew beyond this is given back once it is empty.
const KEEP: usize = 1 << 20;

/// Why a connection is of no use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// What happened.
    pub(super) what: String,
    /// Whether the node refused this client.
    pub(super) refused: bool,
}

impl Failure {
    pub(super) fn new(what: impl ToString) -> Self {
        Self { what: what.to_string(), refused: false }
    }

    /// The node belongs to another cluster of the same name.
    pub(super) fn other_cluster() -> Self {
        let what = "it belongs to another cluster of the same name: give addresses of one cluster only";
        Self { what: what.to_owned(), refused: true }
    }
}

/// Who answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Welcome {
    /// The cluster's name.
    pub(super) cluster: String,
    /// The node.
    pub(super) from: Peer,
}

type Opening = Pin<Box<dyn Future<Output = Result<(TcpStream, Welcome), Failure>> + Send>>;

enum State {
    Opening(Opening),
    Open(TcpStream),
}

/// What a poll of a connection found, besides replies.
pub(super) enum Event {
    /// It is open; the node says who it is.
    Opened(Welcome),
    /// It is of no use any more. `unsent`: it never opened.
    Closed { unsent: bool, failure: Failure },
}

pub(super) struct Connection {
    state: State,
    /// Requests that were not written yet begin at `written`.
    out: Vec<u8>,
    written: usize,
    /// Replies that were not taken yet begin at `taken`.
    input: Vec<u8>,
    taken: usize,
    /// Since when there are requests and nothing came.
    waiting_since: Option<Instant>,
}

impl Connection {
    /// Begins to open a connection, for at most `patience`.
    pub(super) fn open(address: String, cluster: Option<String>, patience: Duration) -> Self {
        let opening = async move {
            match timeout(patience, hello(&address, cluster)).await {
                Ok(opened) => opened,
                Err(_) => Err(Failure::new("no answer to the hello")),
            }
        };
        Self {
            state: State::Opening(Box::pin(opening)),
            out: Vec::new(),
            written: 0,
            input: Vec::new(),
            taken: 0,
            waiting_since: None,
        }
    }

    /// Puts a request into the buffer; the next flush or poll sends it.
    ///
    /// # Errors
    /// It is over the limit of a request, and nothing of it will be sent.
    pub(super) fn send(&mut self, ticket: u64, request: Request, now: Instant) -> Result<(), codec::CodecError> {
        codec::encode_into(Kind::Request, &ClientFrame { ticket, request }, &mut self.out)?;
        self.waiting_since.get_or_insert(now);
        Ok(())
    }

    /// Whether requests wait to be written.
    pub(super) fn has_unsent(&self) -> bool {
        !self.out.is_empty()
    }

    /// How long requests have waited without anything coming from the node.
    pub(super) fn quiet(&self, now: Instant) -> Duration {
        self.waiting_since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since))
    }

    /// Writes and reads what can be written and read now. Ready with an event; then it is to be polled again.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, replies: &mut Vec<ReplyFrame>) -> Poll<Event> {
        if let State::Opening(opening) = &mut self.state {
            return match opening.as_mut().poll(cx) {
                Poll::Pending => Poll::Pending,
                Poll::Ready(Ok((stream, welcome))) => {
                    self.state = State::Open(stream);
                    Poll::Ready(Event::Opened(welcome))
                }
                Poll::Ready(Err(failure)) => Poll::Ready(Event::Closed { unsent: true, failure }),
            };
        }
        let result = self.write(cx).and_then(|()| self.read(cx, replies));
        match result {
            Ok(()) => Poll::Pending,
            Err(failure) => Poll::Ready(Event::Closed { unsent: false, failure }),
        }
    }

    /// Writes what can be written now. `false`: something is left, or to be found out, which takes a poll.
    pub(super) fn flush(&mut self) -> bool {
        self.try_write().unwrap_or(false)
    }

    fn write(&mut self, cx: &mut Context<'_>) -> Result<(), Failure> {
        while !self.try_write().map_err(Failure::new)? {
            match &self.state {
                State::Open(stream) if stream.poll_write_ready(cx).map_err(Failure::new)?.is_ready() => {}
                State::Open(_) | State::Opening(_) => break,
            }
        }
        Ok(())
    }

    /// Writes what the socket takes. Whether that was everything.
    fn try_write(&mut self) -> io::Result<bool> {
        let State::Open(stream) = &self.state else {
            return Ok(false);
        };
        while let Some(rest) = self.out.get(self.written..).filter(|rest| !rest.is_empty()) {
            match stream.try_write(rest) {
                Ok(count) => self.written += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        self.written = 0;
        self.out.clear();
        if self.out.capacity() > KEEP {
            self.out = Vec::new();
        }
        Ok(true)
    }

    /// Reads until nothing is left. A read that does not fill the buffer took all there was: no further one is made to
    /// learn that.
    fn read(&mut self, cx: &mut Context<'_>, replies: &mut Vec<ReplyFrame>) -> Result<(), Failure> {
        let State::Open(stream) = &mut self.state else {
            return Ok(());
        };
        loop {
            self.input.reserve(READ);
            match pin!(stream.read_buf(&mut self.input)).poll(cx) {
                Poll::Pending => return Ok(()),
                Poll::Ready(Ok(0)) => return Err(Failure::new("closed by the node")),
                Poll::Ready(Ok(_)) => {
                    self.waiting_since = None;
                    take_replies(&mut self.input, &mut self.taken, replies)?;
                }
                Poll::Ready(Err(error)) => return Err(Failure::new(error)),
            }
        }
    }
}

/// Takes the whole frames at the front of `input`.
fn take_replies(input: &mut Vec<u8>, taken: &mut usize, replies: &mut Vec<ReplyFrame>) -> Result<(), Failure> {
    loop {
        let rest = input.get(*taken..).unwrap_or_default();
        if rest.len() < codec::HEADER_LEN {
            break;
        }
        let header = codec::parse_header(rest).map_err(Failure::new)?;
        let Some(frame) = rest.get(..codec::HEADER_LEN + header.length as usize) else {
            break;
        };
        replies.push(codec::decode(Kind::Reply, frame).map_err(Failure::new)?);
        *taken += frame.len();
    }
    if *taken == input.len() {
        input.clear();
        *taken = 0;
        if input.capacity() > KEEP {
            *input = Vec::new();
        }
    } else if *taken >= READ {
        input.drain(..*taken);
        *taken = 0;
    }
    Ok(())
}

/// Connects and says hello.
async fn hello(address: &str, cluster: Option<String>) -> Result<(TcpStream, Welcome), Failure> {
    let mut stream = TcpStream::connect(address).await.map_err(Failure::new)?;
    stream.set_nodelay(true).map_err(Failure::new)?;
    let hello = codec::encode(Kind::Hello, &Hello::Client { cluster: cluster.clone() }).map_err(Failure::new)?;
    stream.write_all(&hello).await.map_err(Failure::new)?;
    let mut frame = vec![0; codec::HEADER_LEN];
    stream.read_exact(&mut frame).await.map_err(Failure::new)?;
    let header = codec::parse_header(&frame).map_err(Failure::new)?;
    if header.kind != Kind::HelloReply {
        return Err(Failure::new("the answer to the hello is something else: is this a Quorate node?"));
    }
    frame.resize(codec::HEADER_LEN + header.length as usize, 0);
    let body = frame.get_mut(codec::HEADER_LEN..).unwrap_or_default();
    stream.read_exact(body).await.map_err(Failure::new)?;
    match codec::decode(Kind::HelloReply, &frame).map_err(Failure::new)? {
        HelloReply::Welcome { cluster: found, .. } if cluster.as_ref().is_some_and(|wanted| *wanted != found) => {
            Err(Failure { what: format!("the node belongs to cluster {found}"), refused: true })
        }
        HelloReply::Welcome { cluster, from } => Ok((stream, Welcome { cluster, from })),
        HelloReply::Refused { reason } => Err(Failure { what: reason, refused: true }),
    }
}
