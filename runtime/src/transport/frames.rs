//! Frames in a stream of bytes: a buffer that grows only as far as a checked header allows.
//!
//! It never allocates on the word of an unchecked length, and never hands out a frame that is not whole.

use super::gauge::Gauge;
use crate::codec::{self, CodecError, HEADER_LEN, Kind};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::{Instant, timeout, timeout_at};

/// What a quiet connection's buffer holds.
const SMALL: usize = 4 << 10;
/// What a busy connection reads at once.
const LARGE: usize = 128 << 10;
/// What a connection's buffer may hold of an unfinished frame before it counts for what all of them share.
const FREE: usize = 16 << 10;
/// After how long without bytes a connection's large buffer is given back.
const IDLE: Duration = Duration::from_secs(1);
/// How long a frame may take to arrive, from its first bytes on.
const FRAME_TIME: Duration = Duration::from_secs(10);

/// Why a stream of frames ended.
#[derive(Debug)]
pub(super) enum StreamEnd {
    /// The other side closed it between two frames.
    Closed,
    /// The connection failed, or was closed within a frame.
    Io(io::Error),
    /// The other side sent what no frame begins with, a frame over its limit, or one that is damaged.
    Malformed(CodecError),
    /// A frame came that has no place here.
    Unexpected(Kind),
}

impl std::fmt::Display for StreamEnd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Closed => f.write_str("closed by the other side"),
            Self::Io(error) => write!(f, "{error}"),
            Self::Malformed(error) => write!(f, "malformed frame: {error}"),
            Self::Unexpected(kind) => write!(f, "unexpected frame of kind {kind:?}"),
        }
    }
}

impl From<io::Error> for StreamEnd {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<CodecError> for StreamEnd {
    fn from(error: CodecError) -> Self {
        Self::Malformed(error)
    }
}

/// Received bytes, cut into frames.
#[derive(Debug, Default)]
pub(super) struct FrameBuffer {
    bytes: Vec<u8>,
    /// Where the first frame not yet taken begins.
    start: usize,
    /// How much more the frame that has begun needs, as its checked header says.
    missing: usize,
    /// Whether the last read filled all that was offered: more is waiting.
    busy: bool,
    /// What all buffers of this sort of connection hold of unfinished frames, if that is limited.
    shared: Option<Arc<Gauge>>,
    /// How much of it this one holds.
    charged: usize,
    /// Since when a frame is only partly here.
    begun: Option<Instant>,
}

impl FrameBuffer {
    /// From now on, what it holds of an unfinished frame counts for what it shares with others, and such a frame must
    /// arrive in time: those who send only the beginnings of large frames hold no more than `shared`, and not for long.
    pub(super) fn charge(&mut self, shared: Arc<Gauge>) {
        self.shared = Some(shared);
    }

    /// Whether it shares.
    pub(super) fn is_charged(&self) -> bool {
        self.shared.is_some()
    }

    /// It shares no longer.
    pub(super) fn discharge(&mut self) {
        self.settle(0);
        self.shared = None;
    }

    /// Takes so many bytes of what is shared, instead of what it had.
    fn settle(&mut self, charge: usize) {
        let Some(shared) = &self.shared else { return };
        match charge.checked_sub(self.charged) {
            Some(0) => {}
            Some(more) => shared.enter(more),
            None => shared.leave(self.charged - charge),
        }
        self.charged = charge;
    }

    /// Time in which nothing was read for lack of room inside does not count.
    pub(super) fn excuse(&mut self) {
        self.begun = self.begun.map(|_| Instant::now());
    }

    /// As [`Self::fill`], but a frame that has begun must arrive in time if what is held is shared.
    ///
    /// # Errors
    /// The stream ended, or is too slow.
    pub(super) async fn fill_in_time<R: AsyncRead + Unpin>(&mut self, reader: &mut R) -> Result<(), StreamEnd> {
        match self.begun.filter(|_| self.shared.is_some()) {
            None => self.fill(reader).await,
            Some(begun) => timeout_at(begun + FRAME_TIME, self.fill(reader)).await.unwrap_or_else(|_| {
                Err(io::Error::new(io::ErrorKind::TimedOut, "a frame that had begun did not arrive in time").into())
            }),
        }
    }

    /// The next whole frame, header included, if it has arrived. Only frames of `kind` may come.
    ///
    /// # Errors
    /// The bytes are no frame, or a frame of another kind, or longer than its kind allows.
    pub(super) fn next(&mut self, kind: Kind) -> Result<Option<&[u8]>, StreamEnd> {
        let pending = self.bytes.get(self.start..).unwrap_or_default();
        let Some(header) = pending.get(..HEADER_LEN) else {
            self.missing = HEADER_LEN - pending.len();
            self.begun = if pending.is_empty() { None } else { self.begun.or_else(|| Some(Instant::now())) };
            return Ok(None);
        };
        let header = codec::parse_header(header)?;
        if header.kind != kind {
            return Err(StreamEnd::Unexpected(header.kind));
        }
        let whole = HEADER_LEN + header.length as usize;
        if pending.len() < whole {
            self.missing = whole - pending.len();
            self.begun = self.begun.or_else(|| Some(Instant::now()));
            return Ok(None);
        }
        self.begun = None;
        let begin = self.start;
        self.start += whole;
        Ok(self.bytes.get(begin..begin + whole))
    }

    /// Waits for bytes and takes in what there is, in one read. Nothing is lost if the wait is cancelled.
    ///
    /// # Errors
    /// The stream ended.
    pub(super) async fn fill<R: AsyncRead + Unpin>(&mut self, reader: &mut R) -> Result<(), StreamEnd> {
        if let Some(shared) = self.shared.as_ref().filter(|_| self.bytes.len() - self.start + self.missing > FREE) {
            shared.room().await;
        }
        self.make_room();
        let read = match self.bytes.is_empty() && self.bytes.capacity() > FREE {
            false => reader.read_buf(&mut self.bytes).await?,
            true => match timeout(IDLE, reader.read_buf(&mut self.bytes)).await {
                Ok(read) => read?,
                Err(_) => {
                    self.bytes = Vec::with_capacity(SMALL);
                    reader.read_buf(&mut self.bytes).await?
                }
            },
        };
        match read {
            0 if self.bytes.is_empty() => Err(StreamEnd::Closed),
            0 => Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            _ => {
                self.busy = self.bytes.len() == self.bytes.capacity();
                Ok(())
            }
        }
    }

    /// Waits for the next frame and reads it.
    ///
    /// # Errors
    /// The stream ended before.
    pub(super) async fn receive<T, R>(&mut self, reader: &mut R, kind: Kind) -> Result<T, StreamEnd>
    where
        T: serde::de::DeserializeOwned,
        R: AsyncRead + Unpin,
    {
        loop {
            if let Some(frame) = self.next(kind)? {
                return Ok(codec::decode(kind, frame)?);
            }
            self.fill(reader).await?;
        }
    }

    /// Drops what was taken and offers room for what is missing.
    fn make_room(&mut self) {
        if self.start == self.bytes.len() {
            self.bytes.clear();
            if self.bytes.capacity() > LARGE {
                self.bytes = Vec::new();
            }
        } else if self.start > 0 {
            self.bytes.drain(..self.start);
        }
        self.start = 0;
        // A claimed length is believed only as far as the bytes that have come: at most doubling.
        let believed = self.missing.min(self.bytes.len().max(LARGE));
        self.bytes.reserve_exact(believed.max(if self.busy { LARGE } else { SMALL }));
        self.settle(if self.bytes.is_empty() { 0 } else { self.bytes.capacity().saturating_sub(FREE) });
    }
}

impl Drop for FrameBuffer {
    fn drop(&mut self) {
        self.settle(0);
    }
}

#[cfg(test)]
mod tests {
    use super::super::wire::{ClientFrame, Hello};
    use super::*;
    use quorate_core::message::Request;
    use quorate_spec::ids::GroupId;

    fn frame(ticket: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        let frame = ClientFrame { ticket, request: Request::RegisterClient };
        codec::encode_into(Kind::Request, &frame, &mut bytes).expect("small");
        bytes
    }

    fn tickets(buffer: &mut FrameBuffer) -> Vec<u64> {
        let mut tickets = Vec::new();
        while let Some(frame) = buffer.next(Kind::Request).expect("well-formed") {
            tickets.push(codec::decode::<ClientFrame>(Kind::Request, frame).expect("whole").ticket);
        }
        tickets
    }

    #[tokio::test]
    async fn frames_come_out_however_the_bytes_come_in() {
        let stream: Vec<u8> = (0..50).flat_map(frame).collect();
        for piece in [1, 7, 64, 4096] {
            let (mut buffer, mut seen) = (FrameBuffer::default(), Vec::new());
            for mut bytes in stream.chunks(piece) {
                while !bytes.is_empty() {
                    buffer.fill(&mut bytes).await.expect("bytes");
                    seen.extend(tickets(&mut buffer));
                }
            }
            assert_eq!(seen, (0..50).collect::<Vec<_>>(), "in pieces of {piece}");
            assert!(matches!(buffer.fill(&mut &[][..]).await, Err(StreamEnd::Closed)));
        }
    }

    #[tokio::test]
    async fn a_stream_cut_within_a_frame_is_not_a_clean_end() {
        let bytes = frame(1);
        let mut buffer = FrameBuffer::default();
        let mut part = &bytes[..bytes.len() - 1];
        while !part.is_empty() {
            buffer.fill(&mut part).await.expect("bytes");
        }
        assert!(tickets(&mut buffer).is_empty());
        assert!(matches!(buffer.fill(&mut part).await, Err(StreamEnd::Io(_))));
    }

    #[tokio::test]
    async fn a_claimed_length_is_not_allocated_before_its_bytes_come() {
        let key = vec![0; 3 << 20].into();
        let large = ClientFrame { ticket: 1, request: Request::Get { group: GroupId::CONTROLLER, key } };
        let mut bytes = Vec::new();
        codec::encode_into(Kind::Request, &large, &mut bytes).expect("allowed");
        bytes.truncate(HEADER_LEN);
        let mut buffer = FrameBuffer::default();
        let mut rest = &bytes[..];
        buffer.fill(&mut rest).await.expect("bytes");
        assert!(buffer.next(Kind::Request).expect("allowed").is_none());
        buffer.make_room();
        assert!(buffer.missing > LARGE && buffer.bytes.capacity() <= LARGE + SMALL + HEADER_LEN);
    }

    #[tokio::test]
    async fn other_kinds_and_garbage_end_the_stream() {
        let mut hello = Vec::new();
        codec::encode_into(Kind::Hello, &Hello::Client { cluster: None }, &mut hello).expect("small");
        let mut buffer = FrameBuffer::default();
        buffer.fill(&mut &hello[..]).await.expect("bytes");
        assert!(matches!(buffer.next(Kind::Request), Err(StreamEnd::Unexpected(Kind::Hello))));

        let mut buffer = FrameBuffer::default();
        buffer.fill(&mut &b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"[..]).await.expect("bytes");
        assert!(matches!(buffer.next(Kind::Hello), Err(StreamEnd::Malformed(_))));
    }
}
