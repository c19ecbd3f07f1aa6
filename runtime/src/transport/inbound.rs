//! A peer's connection to this node: messages in, echoes of pings out.

use super::frames::{FrameBuffer, StreamEnd};
use super::gauge::Gauge;
use super::link::{append_frame, write_in_time};
use super::wire::{PeerFrame, PeerFrameRef};
use super::{Arrival, Deliver};
use crate::codec::{self, Kind};
use quorate_core::message::{Message, Peer};
use std::sync::Arc;
use tokio::net::TcpStream;

/// How many bytes of one peer may wait for the core before no more are read.
const WAITING_BYTES: usize = 16 << 20;

/// Receives from one peer until the connection ends.
pub(super) async fn serve(mut stream: TcpStream, mut buffer: FrameBuffer, from: Peer, deliver: Deliver) -> StreamEnd {
    let (mut reader, mut writer) = stream.split();
    let waiting = Arc::new(Gauge::new(WAITING_BYTES));
    loop {
        let batch = match take(&mut buffer) {
            Ok(batch) => batch,
            Err(end) => return end,
        };
        if !batch.messages.is_empty() {
            waiting.enter(batch.bytes);
            deliver(Arrival::Messages {
                from,
                messages: batch.messages,
                bytes: batch.bytes,
                waiting: Arc::clone(&waiting),
            });
        }
        if batch.pinged {
            let mut out = Vec::new();
            append_frame(&PeerFrameRef::Pong, &mut out);
            if let Err(error) = write_in_time(&mut writer, &out).await {
                return error.into();
            }
        }
        waiting.room().await;
        if let Err(end) = buffer.fill(&mut reader).await {
            return end;
        }
    }
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
            PeerFrame::Message(message) => {
                batch.bytes += frame.len();
                batch.messages.push(message);
            }
            PeerFrame::Ping => batch.pinged = true,
            PeerFrame::Pong => return Err(StreamEnd::Unexpected(Kind::Peer)),
        }
    }
    Ok(batch)
}
