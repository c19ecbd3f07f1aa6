//! A leader's knowledge of one follower: how far its log matches, what was sent, and what to send next.
//!
//! Knowledge only grows: an acknowledgement that comes late or twice takes nothing back (`match-regress`), and a refusal
//! is never taken for an acknowledgement (`commit-on-nack`).

use super::types::{Image, Mark, Payload};
use crate::mutants::mutant;
use alloc::collections::VecDeque;
use quorate_spec::ids::{LogIndex, ReadContext};

/// One follower, as its leader knows it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Progress<P: Payload> {
    /// Up to where its durable log matches the leader's.
    pub(super) matched: LogIndex,
    /// The next entry to send: always after `matched`.
    pub(super) next: LogIndex,
    /// How it is being sent to.
    pub(super) flow: Flow<P>,
    /// Whether it was heard of since the last check of the quorum.
    pub(super) recent: bool,
    /// The newest read round that it has answered.
    pub(super) read: ReadContext,
}

/// How a follower is being sent to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Flow<P: Payload> {
    /// Where the logs part is not known: one append at a time.
    Probe {
        /// Whether one is on its way.
        sent: bool,
    },
    /// The logs match up to `next` if nothing was lost: appends are pipelined.
    Replicate {
        /// The last index of each append that is not acknowledged yet.
        inflight: VecDeque<LogIndex>,
    },
    /// The follower needs entries that are compacted away.
    Snapshot {
        /// The snapshot on its way; `None` until the caller has given an image.
        sending: Option<Sending<P>>,
    },
}

/// A snapshot on its way to a follower, one chunk at a time.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Sending<P: Payload> {
    /// What it covers.
    pub(super) mark: Mark,
    /// The state.
    pub(super) image: P::Image,
    /// Where the chunk begins that is on its way.
    pub(super) from: <P::Image as Image>::Cursor,
    /// How many heartbeats ago it was sent, counted within a short cycle.
    quiet: u8,
}

impl<P: Payload> Sending<P> {
    /// A snapshot of which nothing was sent.
    pub(super) fn new(mark: Mark, image: P::Image) -> Self {
        Self { mark, image, from: Default::default(), quiet: 0 }
    }

    /// The follower asks for the chunk at `from`. Returns whether that is another one than the one on its way: a
    /// repeated request for that one is answered by it, or two chunks would chase each other to the end.
    pub(super) fn proceed(&mut self, from: <P::Image as Image>::Cursor) -> bool {
        if from == self.from {
            return false;
        }
        self.from = from;
        self.quiet = 0;
        true
    }

    /// Forgets for how many heartbeats the chunk went unanswered.
    pub(super) const fn forget_repeats(&mut self) {
        self.quiet = 0;
    }

    /// A heartbeat passed. Returns whether to send the outstanding chunk again: after two, four and eight of them, then
    /// after every eight, because a follower is silent while it makes a whole snapshot durable.
    pub(super) fn is_overdue(&mut self) -> bool {
        self.quiet += 1;
        match self.quiet {
            2 | 4 | 8 => true,
            16 => {
                self.quiet = 8;
                true
            }
            _ => false,
        }
    }
}

impl<P: Payload> Progress<P> {
    /// A follower of which nothing is known: try at the end of the log.
    pub(super) const fn unknown(next: LogIndex) -> Self {
        Self {
            matched: LogIndex::ZERO,
            next,
            flow: Flow::Probe { sent: false },
            recent: false,
            read: ReadContext::ZERO,
        }
    }

    /// Whether it waits for an image to be sent.
    pub(super) const fn wants_image(&self) -> bool {
        matches!(self.flow, Flow::Snapshot { sending: None })
    }

    /// Whether an append may go now: a probe if none is on its way, the next entries if the window has room.
    pub(super) fn may_send(&self, window: usize, last: LogIndex) -> bool {
        match &self.flow {
            Flow::Probe { sent } => !sent,
            Flow::Replicate { inflight } => self.next <= last && inflight.len() < window.max(1),
            Flow::Snapshot { .. } => false,
        }
    }

    /// An append of `count` entries from `next` on was sent.
    pub(super) fn sent(&mut self, count: u64) {
        match &mut self.flow {
            Flow::Probe { sent } => *sent = true,
            Flow::Replicate { inflight } => {
                let last = self.next.prev().plus(count);
                inflight.push_back(last);
                self.next = last.next();
            }
            Flow::Snapshot { .. } => {}
        }
    }

    /// The follower's durable log matches up to `matched`; `base` is where the leader's own log begins.
    pub(super) fn acknowledged(&mut self, matched: LogIndex, base: LogIndex) {
        self.matched = if mutant!(MatchRegress) { matched } else { self.matched.max(matched) };
        self.next = self.next.max(self.matched.next());
        match &mut self.flow {
            Flow::Probe { .. } => self.replicate(),
            Flow::Replicate { inflight } => while inflight.pop_front_if(|last| *last <= matched).is_some() {},
            // It found what it needed elsewhere, or the snapshot is in.
            Flow::Snapshot { .. } if self.matched >= base => self.replicate(),
            // It is in, but the log was compacted further meanwhile: another one.
            Flow::Snapshot { sending: Some(sending) } if self.matched >= sending.mark.last.index => {
                self.flow = Flow::Snapshot { sending: None };
            }
            Flow::Snapshot { .. } => {}
        }
    }

    /// Everything after what matches is sent, pipelined.
    fn replicate(&mut self) {
        self.next = self.matched.next();
        self.flow = Flow::Replicate { inflight: VecDeque::new() };
    }

    /// Whether a refusal of the append after `rejected` says something new. One that came late or twice does not.
    pub(super) fn is_news(&self, rejected: LogIndex) -> bool {
        match &self.flow {
            Flow::Probe { .. } => rejected > self.matched && rejected == self.next.prev(),
            Flow::Replicate { .. } => rejected > self.matched && rejected < self.next,
            Flow::Snapshot { .. } => false,
        }
    }

    /// Goes back to before `rejected`, to `next` if that lies between it and what matches.
    pub(super) fn back_to(&mut self, next: LogIndex, rejected: LogIndex) {
        self.next = next.min(rejected).max(self.matched.next());
        self.flow = Flow::Probe { sent: false };
    }
}
