//! The driver: one task that owns the node. It turns what happens into [`Input`]s, steps, and performs the [`Effects`].
//!
//! It works in batches. Everything that waits is taken at once: all durable writes as one, all messages, all timers that
//! are due, all client requests as one input; then the writes of all these steps go to the disk as one batch, and every
//! peer and client connection is woken at most once. So the busier the node, the cheaper each request. On a machine of few
//! cores it shares one thread with the connections: it then runs when everything that was readable has been read, and no
//! request wakes a thread on its way to the node and back.
//!
//! What is absent: any decision of the protocol, and anything that blocks.

mod alarm;
mod farewell;
mod labels;
mod storage;
mod tickets;
mod timers;

pub use storage::Storage;

use crate::mutants::mutant;
use crate::transport::{Arrival, Caller, Peers};
use alarm::Alarm;
use farewell::Farewell;
use quorate_core::effect::{Effects, Halt, Write};
use quorate_core::input::Input;
use quorate_core::message::{Message, Peer, PeerRefusal, Reply, Request};
use quorate_core::raft::LogPosition;
use quorate_core::status::NodeStatus;
use quorate_spec::ids::{GroupId, Ticket, WriteId};
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};
use tickets::Tickets;
use timers::Timers;
use tokio::sync::mpsc::UnboundedReceiver;

/// How many messages and requests one batch takes in, about.
const BATCH: usize = 4096;

/// Something for the driver.
#[derive(Debug)]
pub enum Event {
    /// Messages or requests arrived.
    Arrived(Arrival),
    /// All writes up to this one are durable.
    Synced(WriteId),
    /// A snapshot file is durable.
    SnapshotWritten {
        /// The group.
        group: GroupId,
        /// What it covers.
        last: LogPosition,
    },
    /// The disk is full, or has space again.
    DiskFull(bool),
    /// Hand everything over and end.
    Shutdown,
}

/// Why the driver ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It was told to, and has handed over what it could.
    Shutdown,
    /// The node must stop.
    Halted(Halt),
    /// Nobody is left who could tell it anything.
    Deserted,
}

/// What is driven: the node, or a script in tests.
pub trait Machine {
    /// One step.
    fn step(&mut self, input: Input) -> Effects;

    /// Its state, for people and for a farewell.
    fn status(&self) -> NodeStatus;
}

/// Why the driver goes on.
enum Woken {
    /// Something happened.
    Event(Event),
    /// A timer may be due.
    Alarm,
    /// Nobody is left who could tell it anything.
    Deserted,
}

/// Everything that waited.
#[derive(Default)]
struct Batch {
    size: usize,
    synced: Option<WriteId>,
    disk_full: Option<bool>,
    snapshots: Vec<(GroupId, LogPosition)>,
    messages: Vec<(Peer, Vec<Message>, usize, Arc<Caller>)>,
    refusals: Vec<(Peer, Peer, PeerRefusal)>,
    requests: Vec<(Ticket, Request)>,
    shutdown: bool,
}

/// One node at work, in the task that awaits [`Driver::run`].
pub struct Driver<M, S> {
    me: Peer,
    machine: M,
    storage: S,
    peers: Peers,
    timers: Timers,
    /// Rings when the first timer may be due.
    alarm: Alarm,
    tickets: Tickets,
    /// Writes of this batch's steps.
    writes: Vec<(WriteId, Write)>,
    farewell: Option<Farewell>,
    halt: Option<Halt>,
    now: Instant,
}

impl<M: Machine, S: Storage> Driver<M, S> {
    /// Drives `machine`, which is `me`, with timers drawn from the `election` time-out.
    pub fn new(me: Peer, machine: M, storage: S, peers: Peers, election: Duration) -> Self {
        Self {
            me,
            machine,
            storage,
            peers,
            timers: Timers::new(election),
            alarm: Alarm::default(),
            tickets: Tickets::default(),
            writes: Vec::new(),
            farewell: None,
            halt: None,
            now: Instant::now(),
        }
    }

    /// Performs what construction wanted done, then works until it must end. Must be awaited within a tokio runtime.
    /// The storage comes back for what was submitted last.
    pub async fn run(mut self, initial: Effects, mut inbox: UnboundedReceiver<Event>) -> (Ending, S) {
        let ending = self.drive(initial, &mut inbox).await;
        (ending, self.storage)
    }

    async fn drive(&mut self, initial: Effects, inbox: &mut UnboundedReceiver<Event>) -> Ending {
        self.perform(initial);
        self.flush();
        loop {
            if let Some(halt) = self.halt {
                return Ending::Halted(halt);
            }
            let batch = match self.wait(inbox).await {
                Woken::Event(first) => self.collect(first, inbox),
                Woken::Alarm => Batch::default(),
                Woken::Deserted => return Ending::Deserted,
            };
            self.now = Instant::now();
            self.work(batch);
            self.flush();
            if self.say_farewell() {
                return Ending::Shutdown;
            }
        }
    }

    /// The next event, unless a timer is due before.
    async fn wait(&mut self, inbox: &mut UnboundedReceiver<Event>) -> Woken {
        let farewell = self.farewell.as_ref().map(Farewell::next);
        let due = self.timers.next().into_iter().chain(farewell).min();
        poll_fn(|cx| match (inbox.poll_recv(cx), due) {
            (Poll::Ready(Some(event)), _) => Poll::Ready(Woken::Event(event)),
            (Poll::Ready(None), _) => Poll::Ready(Woken::Deserted),
            (Poll::Pending, Some(at)) => self.alarm.poll(cx, at).map(|()| Woken::Alarm),
            (Poll::Pending, None) => Poll::Pending,
        })
        .await
    }

    /// Everything that waits, up to about [`BATCH`] messages and requests.
    fn collect(&mut self, first: Event, inbox: &mut UnboundedReceiver<Event>) -> Batch {
        let mut batch = Batch::default();
        self.take_in(first, &mut batch);
        while batch.size < BATCH
            && let Ok(event) = inbox.try_recv()
        {
            self.take_in(event, &mut batch);
        }
        batch
    }

    fn take_in(&mut self, event: Event, batch: &mut Batch) {
        match event {
            Event::Arrived(Arrival::Messages { from, messages, bytes, caller }) => {
                batch.size += messages.len();
                batch.messages.push((from, messages, bytes, caller));
            }
            Event::Arrived(Arrival::Refused { by, whom, reason }) => batch.refusals.push((by, whom, reason)),
            Event::Arrived(Arrival::Requests { client, requests }) => {
                batch.size += requests.len();
                for (ticket, request, bytes) in requests {
                    batch.requests.push((self.tickets.register(&client, ticket, bytes), request));
                }
            }
            Event::Synced(write) => batch.synced = batch.synced.max(Some(write)),
            Event::SnapshotWritten { group, last } => batch.snapshots.push((group, last)),
            Event::DiskFull(full) => batch.disk_full = Some(full),
            Event::Shutdown => batch.shutdown = true,
        }
    }

    /// Steps through a batch: the disk first (it releases promises), then messages, then what is due, then requests.
    fn work(&mut self, batch: Batch) {
        if let Some(write) = batch.synced {
            self.storage.synced(write);
            self.step(Input::Synced { write });
        }
        for (group, last) in batch.snapshots {
            self.step(Input::SnapshotWritten { group, last });
        }
        if let Some(full) = batch.disk_full {
            self.step(Input::DiskFull { full });
        }
        for (from, whom, reason) in batch.refusals {
            self.step(Input::Received { from, message: Message::Refused { whom, reason } });
        }
        for (from, messages, bytes, caller) in batch.messages {
            for message in messages {
                let effects = self.machine.step(Input::Received { from, message });
                if let Some(reason) = effects.refused {
                    caller.refuse(reason);
                }
                self.perform(effects);
            }
            caller.done(bytes);
        }
        while let Some(timer) = self.timers.pop(self.now) {
            if mutant!(TimerFiresTwice) {
                self.step(Input::Fired { timer });
            }
            self.step(Input::Fired { timer });
        }
        if mutant!(RequestDeliveredTwice) && !batch.requests.is_empty() {
            self.step(Input::Requests { requests: batch.requests.clone() });
        }
        if !batch.requests.is_empty() {
            self.step(Input::Requests { requests: batch.requests });
        }
        if batch.shutdown && self.farewell.is_none() {
            self.farewell = Some(Farewell::new(self.now));
        }
    }

    fn step(&mut self, input: Input) {
        let effects = self.machine.step(input);
        self.perform(effects);
    }

    /// Performs effects; what goes to the disk, to peers and to clients waits for [`Self::flush`].
    fn perform(&mut self, effects: Effects) {
        // Who is refused was told by the way that its message came.
        let Effects { mut writes, sends, timers, replies, snapshots, addresses, pins, refused: _, halt, labels } =
            effects;
        labels::tell(self.me.node, &labels);
        self.writes.append(&mut writes);
        for (node, address) in addresses {
            match std::str::from_utf8(&address) {
                Ok(address) => self.peers.set_address(node, address),
                Err(_) => tracing::warn!(%node, ?address, "the address is not text: ignored"),
            }
        }
        for (node, stamp) in pins {
            self.peers.pin(node, stamp);
        }
        for (to, message) in sends {
            self.peers.push(to, message);
        }
        for change in timers {
            self.timers.change(change, self.now);
        }
        for (ticket, mut reply) in replies {
            if let Reply::Status(status) = &mut reply {
                Arc::make_mut(status).host = Some(self.storage.host());
            }
            self.tickets.answer(ticket, reply);
        }
        for work in snapshots {
            self.storage.write_snapshot(work);
        }
        self.halt = self.halt.or(halt);
    }

    /// Hands over what the batch's steps wanted, each receiver once.
    fn flush(&mut self) {
        if !self.writes.is_empty() {
            let mut writes = std::mem::take(&mut self.writes);
            let last = writes.last().map(|(id, _)| *id).filter(|_| mutant!(SyncedOnSubmit));
            if mutant!(WritesOutOfOrder) {
                writes.reverse();
            }
            self.storage.submit(writes);
            if let Some(write) = last {
                self.step(Input::Synced { write });
            }
        }
        self.peers.flush();
        self.tickets.flush();
    }

    /// Goes on with a farewell, if one is under way. `true`: it is over.
    fn say_farewell(&mut self) -> bool {
        let now = self.now;
        let Some(farewell) = self.farewell.as_mut().filter(|farewell| farewell.next() <= now) else {
            return false;
        };
        farewell.put_off(now);
        let status = self.machine.status();
        if farewell.is_over(&status, self.tickets.waiting(), now) {
            return true;
        }
        let requests = farewell.requests(&status, now);
        if !requests.is_empty() {
            let requests = requests.into_iter().map(|request| (self.tickets.issue(), request)).collect();
            self.step(Input::Requests { requests });
            self.flush();
        }
        false
    }
}

#[cfg(test)]
mod tests;
