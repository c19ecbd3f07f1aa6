//! The real driver between real sockets, a scripted core and a disk that syncs when it is told to: the core hears of a
//! write only once it is durable, writes reach the disk in their order, every request reaches the core once, every answer
//! goes to who asked, and a timer fires once per arming and never when disarmed. Nothing is claimed about when.

use super::Broken;
use crate::raw::Raw;
use quorate::codec::Kind;
use quorate::driver::{Driver, Event, Machine, Storage};
use quorate::transport::wire::{ClientFrame, ReplyFrame};
use quorate::transport::{Deliver, Identity, Listener, Peers};
use quorate_core::bytes::Bytes;
use quorate_core::controller::NodeInfo;
use quorate_core::effect::{Effects, SnapshotWork, TimerChange, Write};
use quorate_core::input::{Input, Timer};
use quorate_core::message::{Peer, Reply, Request};
use quorate_core::spec::ids::{Boot, ConfigNum, GroupId, NodeId, ShardId, Stamp, Ticket, WriteId};
use quorate_core::status::{HostStatus, NodeStatus};
use std::collections::BTreeSet;
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc::unbounded_channel;

/// Requests per connection.
const REQUESTS: u64 = 20;
/// The timer that stays armed, and a shorter one that is disarmed.
const ARMED: Timer = Timer::Poll;
const DISARMED: Timer = Timer::Drive { group: GroupId::CONTROLLER };
/// How long anything may take: never an assertion about speed.
const PATIENCE: Duration = Duration::from_secs(60);

/// What was seen, and what is the first thing wrong with it.
#[derive(Debug, Default)]
struct Seen {
    submitted: WriteId,
    /// Up to here the disk has synced.
    synced: WriteId,
    /// Up to here the driver was told so.
    durable: WriteId,
    /// The timer that stays armed has fired.
    fired: bool,
    keys: BTreeSet<Bytes>,
    broken: Option<Broken>,
}

#[derive(Clone, Debug, Default)]
struct Shared(Arc<Mutex<Seen>>);

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    fn wrong(&mut self, property: &'static str, evidence: String) {
        let steps = self.submitted.get();
        self.broken.get_or_insert_with(|| Broken::new(property, steps, evidence));
    }
}

/// Two writes for every request; the answer, which is the key, when they are durable.
struct Script {
    seen: Shared,
    write: WriteId,
    waiting: Vec<(WriteId, Ticket, Bytes)>,
    armed: bool,
    firings: Sender<()>,
}

impl Script {
    fn ask(&mut self, ticket: Ticket, request: Request, effects: &mut Effects) {
        let Request::Get { key, .. } = request else { return };
        let mut seen = self.seen.lock();
        if !seen.keys.insert(key.clone()) {
            seen.wrong("RequestOnce", format!("the core is given the request for {key:?} again"));
            return;
        }
        drop(seen);
        for _ in 0..2 {
            self.write = self.write.next();
            let info = NodeInfo { address: "x:1".into(), stamp: Stamp::new(1) };
            effects.writes.push((self.write, Write::Pin { node: NodeId::new(7), info }));
        }
        self.waiting.push((self.write, ticket, key));
    }

    /// A long timer is armed, and a short one armed and disarmed again: when the long one fires, the short one is overdue.
    fn arm(&mut self, effects: &mut Effects) {
        self.armed = true;
        let changes = [TimerChange::Arm(DISARMED), TimerChange::Disarm(DISARMED), TimerChange::Arm(ARMED)];
        effects.timers.extend(changes);
    }

    fn fired(&self, timer: Timer) {
        let mut seen = self.seen.lock();
        if timer != ARMED {
            seen.wrong("NeverWhenDisarmed", format!("{timer:?} fires though it was disarmed"));
            return;
        }
        if seen.fired {
            seen.wrong("OncePerArming", format!("{timer:?} was armed once and fires again"));
        }
        seen.fired = true;
        // Nobody listens any more once the check is over.
        let _ = self.firings.send(());
    }
}

impl Machine for Script {
    fn step(&mut self, input: Input) -> Effects {
        let mut effects = Effects::default();
        match input {
            Input::Requests { requests } => {
                if !self.armed {
                    self.arm(&mut effects);
                }
                for (ticket, request) in requests {
                    self.ask(ticket, request, &mut effects);
                }
            }
            Input::Fired { timer } => self.fired(timer),
            Input::Synced { write } => {
                let mut seen = self.seen.lock();
                if write > seen.durable {
                    let durable = seen.durable;
                    seen.wrong("SyncedIsDurable", format!("the core is told of write {write}, durable is {durable}"));
                }
                drop(seen);
                let (durable, waiting) = self.waiting.drain(..).partition(|(rests_on, ..)| *rests_on <= write);
                self.waiting = waiting;
                let position = Default::default();
                let answer = |(_, ticket, key): (WriteId, Ticket, Bytes)| {
                    (ticket, Reply::Value { value: Some(key), shard: ShardId::new(0), position })
                };
                effects.replies.extend(Vec::into_iter(durable).map(answer));
            }
            _ => {}
        }
        effects
    }

    fn status(&self) -> NodeStatus {
        NodeStatus {
            node: NodeId::new(1),
            address: "here:1".into(),
            boot: Boot::new(1),
            config: ConfigNum::ZERO,
            may_be_stopped: false,
            replicas: Vec::new(),
            disk_full: false,
            host: None,
        }
    }
}

/// Collects until it is told to sync.
struct HeldDisk {
    seen: Shared,
    submitted: Sender<WriteId>,
}

impl Storage for HeldDisk {
    fn submit(&mut self, writes: Vec<(WriteId, Write)>) {
        let mut seen = self.seen.lock();
        for (write, _) in writes {
            if write <= seen.submitted {
                let before = seen.submitted;
                seen.wrong("LaneInOrder", format!("write {write} is submitted after write {before}"));
            }
            seen.submitted = seen.submitted.max(write);
        }
        // Nobody listens any more once the check is over.
        let _ = self.submitted.send(seen.submitted);
    }

    fn synced(&mut self, write: WriteId) {
        let mut seen = self.seen.lock();
        seen.durable = write.min(seen.synced);
    }

    fn write_snapshot(&mut self, _work: SnapshotWork) {}

    fn host(&self) -> HostStatus {
        HostStatus::default()
    }
}

pub(super) fn check(seed: u64) -> Result<u64, Broken> {
    let seen = Shared::default();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("threads");
    let (events, inbox) = unbounded_channel();
    let (submitted, submissions) = mpsc::channel();
    let (told, firings) = mpsc::channel();
    let me = Peer { node: NodeId::new(1), stamp: Stamp::new(1), boot: Boot::new(1) };
    let socket = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a port");
    let address = socket.local_addr().expect("bound").to_string();
    let identity = Arc::new(Identity { cluster: "test".to_owned(), me, address: address.clone() });
    let arrivals = events.clone();
    let deliver: Deliver = Arc::new(move |arrival| drop(arrivals.send(Event::Arrived(arrival))));
    let peers = Peers::new(Arc::clone(&identity), Arc::clone(&deliver), runtime.handle().clone());
    runtime.spawn(Listener::new(identity, peers.pins(), deliver).run(socket));
    let script = Script { seen: seen.clone(), write: WriteId::ZERO, waiting: Vec::new(), armed: false, firings: told };
    let disk = HeldDisk { seen: seen.clone(), submitted };
    let driver = Driver::new(me, script, disk, peers, Duration::from_secs(600));
    let handle = runtime.handle().clone();
    let thread = std::thread::spawn(move || handle.block_on(driver.run(Effects::default(), inbox)).0);

    let mut clients = [Raw::open(&address), Raw::open(&address)];
    for ticket in 1..=REQUESTS {
        for (name, client) in clients.iter_mut().enumerate() {
            let request = Request::Get { group: GroupId::CONTROLLER, key: key(seed, name, ticket) };
            client.send(Kind::Request, &ClientFrame { ticket, request });
        }
    }
    // Two writes for each request: all of them wait before any is synced.
    let all = WriteId::new(2 * 2 * REQUESTS);
    while submissions.recv_timeout(PATIENCE).expect("the driver submits") < all {}
    seen.lock().synced = all;
    events.send(Event::Synced(all)).expect("it runs");
    for (name, client) in clients.iter_mut().enumerate() {
        for _ in 0..REQUESTS {
            let ReplyFrame { ticket, reply } = client.receive(Kind::Reply);
            let own = key(seed, name, ticket);
            if !matches!(&reply, Reply::Value { value: Some(value), .. } if *value == own) {
                seen.lock().wrong("AnswerIsItsOwn", format!("the request for {own:?} is answered with {reply:?}"));
            }
        }
    }
    // The driver ends after the batch in which it fires: what else fires with it is seen.
    firings.recv_timeout(PATIENCE).expect("a timer fires");
    events.send(Event::Shutdown).expect("it runs");
    thread.join().expect("the driver ends");
    runtime.shutdown_background();
    let broken = seen.lock().broken.take();
    broken.map_or(Ok(all.get()), Err)
}

fn key(seed: u64, client: usize, ticket: u64) -> Bytes {
    format!("{seed}-{client}-{ticket}").as_str().into()
}
