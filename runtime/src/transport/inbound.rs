//! A peer's connection to this node: messages in; out go echoes of pings, and the refusal of a peer that is not believed.

use super::frames::{FrameBuffer, StreamEnd};
use super::gauge::Gauge;
use super::link::{append_frame, write_in_time};
use super::wire::{PeerFrame, PeerFrameRef};
use super::{Arrival, Deliver, Pins, lock};
use crate::codec::{self, Kind};
use quorate_core::message::{Message, Peer, PeerRefusal};
use std::sync::{Arc, Mutex};
use tokio::net::TcpStream;
use tokio::net::tcp::ReadHalf;
use tokio::sync::Notify;

/// How many bytes of one peer may wait for the core before no more are read.
const WAITING_BYTES: usize = 16 << 20;

/// A peer's connection, as the driver sees it.
#[derive(Debug)]
pub struct Caller {
    /// Bytes of messages that wait for the core.
    waiting: Gauge,
    refusal: Mutex<Option<PeerRefusal>>,
    refused: Notify,
}

impl Caller {
    fn new() -> Self {
        Self { waiting: Gauge::new(WAITING_BYTES), refusal: Mutex::default(), refused: Notify::new() }
    }

    /// Messages of so many bytes have been stepped through.
    pub fn done(&self, bytes: usize) {
        self.waiting.leave(bytes);
    }

    /// The peer is not believed: it is told so on its connection, which is then closed.
    pub fn refuse(&self, reason: PeerRefusal) {
        *lock(&self.refusal) = Some(reason);
        self.refused.notify_one();
    }
}

/// Receives from one peer until the connection ends. Once it is pinned its unfinished frames are its own affair.
pub(super) async fn serve(
    mut stream: TcpStream,
    mut buffer: FrameBuffer,
    from: Peer,
    pins: Arc<Pins>,
    deliver: Deliver,
) -> StreamEnd {
    let (mut reader, mut writer) = stream.split();
    let caller = Arc::new(Caller::new());
    loop {
        let batch = match take(&mut buffer) {
            Ok(batch) => batch,
            Err(end) => return end,
        };
        if !batch.messages.is_empty() {
            caller.waiting.enter(batch.bytes);
            let (messages, bytes) = (batch.messages, batch.bytes);
            deliver(Arrival::Messages { from, messages, bytes, caller: Arc::clone(&caller) });
        }
        let mut out = Vec::new();
        if batch.pinged {
            append_frame(&PeerFrameRef::Pong, &mut out);
        }
        let mut refusal = lock(&caller.refusal).take();
        if refusal.is_none() && out.is_empty() {
            if buffer.is_charged() && pins.knows(from) {
                buffer.discharge();
            }
            tokio::select! {
                read = read(&caller, &mut buffer, &mut reader) => match read {
                    Ok(()) => continue,
                    Err(end) => return end,
                },
                () = caller.refused.notified() => refusal = lock(&caller.refusal).take(),
            }
        }
        if let Some(reason) = refusal {
            append_frame(&PeerFrameRef::Message(&Message::Refused { whom: from, reason }), &mut out);
        }
        if let Err(error) = write_in_time(&mut writer, &out).await {
            return error.into();
        }
        if let Some(reason) = refusal {
            tracing::info!(node = from.node.get(), stamp = %from.stamp, boot = from.boot.get(), ?reason, "refused a node");
            return StreamEnd::Closed;
        }
    }
}

/// Waits for room inside, then for bytes. Nothing is lost if the wait is cancelled.
async fn read(caller: &Caller, buffer: &mut FrameBuffer, reader: &mut ReadHalf<'_>) -> Result<(), StreamEnd> {
    if !caller.waiting.has_room() {
        caller.waiting.room().await;
        buffer.excuse();
    }
    buffer.fill_in_time(reader).await
}

/// What one read brought.
#[derive(Default)]
struct Batch {
    messages: Vec<Message>,
    bytes: usize,
    pinged: bool,
}

/// Every whole frame in the buffer.
fn take(buffer: &mut FrameBuffer) -> Result<Batch, StreamEnd> {
    let mut batch = Batch::default();
    while let Some(frame) = buffer.next(Kind::Peer)? {
        match codec::decode(Kind::Peer, frame)? {
            // A refusal only ever goes back.
            PeerFrame::Message(Message::Refused { .. }) | PeerFrame::Pong => {
                return Err(StreamEnd::Unexpected(Kind::Peer));
            }
            PeerFrame::Message(message) => {
                batch.bytes += frame.len();
                batch.messages.push(message);
            }
            PeerFrame::Ping => batch.pinged = true,
        }
    }
    Ok(batch)
}
