//! A whole node on disks that stop at any step: the real core, log, snapshots and recovery, one voter in every group, so
//! that nobody else covers for what it loses. A client appends to one key; in the end the value holds every acknowledged
//! token once and in order.

use super::Broken;
use super::disk::MemDisk;
use super::lane::{Choices, options};
use quorate::recovery::{self, Opened, RecoveryError};
use quorate::server::retention::{Release, Retention};
use quorate::snapshot::{SnapshotError, Snapshots};
use quorate::wal::{Wal, WalError};
use quorate_core::controller::{Answer, Change};
use quorate_core::digest::digest_of;
use quorate_core::effect::{Effects, SnapshotWork, TimerChange, Write};
use quorate_core::input::{Durable, Input, Restarted, Timer};
use quorate_core::limits::{Limits, RaftLimits};
use quorate_core::message::{Peer, Reply, Request};
use quorate_core::node::Node;
use quorate_core::raft::LogPosition;
use quorate_core::shard::WriteOp;
use quorate_core::spec::ids::{Boot, ClientId, ConfigNum, Gid, GroupId, NodeId, Seq, Stamp, Ticket, WriteId};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

const ME: NodeId = NodeId::new(1);
const KEY: &str = "k";
/// Steps between crashes, at most; and to the end of the story.
const LIFE: u64 = 300;
const CRASHES: u64 = 5;
/// Within so many steps without a crash everything is answered.
const PATIENCE: u64 = 3000;

pub(super) fn check(seed: u64) -> Result<u64, Broken> {
    let mut world = World::new(seed);
    for _ in 0..CRASHES {
        world.boot()?;
        world.disks.wal.stop_after(world.choices.below(120) as usize);
        world.disks.snapshots.stop_after(world.choices.below(60) as usize);
        let life = world.choices.below(LIFE);
        for _ in 0..life {
            if !world.act()? {
                break;
            }
        }
        world.crash();
    }
    world.boot()?;
    let deadline = world.steps + PATIENCE;
    while world.read.is_none() {
        if world.steps > deadline {
            let seen = world.up.as_ref().map(|up| (up.asked, up.lane.len(), &up.timers, up.node.status()));
            return Err(world.broken("Progress", format!("nothing is answered any more: {seen:?}")));
        }
        world.act()?;
    }
    world.judge()?;
    Ok(world.steps)
}

/// A node's two directories.
#[derive(Clone, Default)]
struct Disks {
    wal: MemDisk,
    snapshots: MemDisk,
}

/// A running node.
struct Up {
    node: Node,
    wal: Wal<MemDisk>,
    snapshots: Snapshots<MemDisk>,
    retention: Retention,
    /// Submitted and not synced.
    lane: VecDeque<(WriteId, Write)>,
    works: VecDeque<SnapshotWork>,
    timers: BTreeSet<Timer>,
    /// The request that waits for an answer.
    asked: Option<Ticket>,
    tickets: Ticket,
}

/// The node, its client and what was promised.
struct World {
    choices: Choices,
    disks: Disks,
    boots: u64,
    steps: u64,
    up: Option<Box<Up>>,
    client: Option<ClientId>,
    group: Option<GroupId>,
    /// The number of the change by which the group joins.
    change: Seq,
    acknowledged: u64,
    /// The value at the end.
    read: Option<Vec<u8>>,
    /// The state of every snapshot that was asked for.
    images: BTreeMap<(GroupId, LogPosition), u64>,
}

impl World {
    fn new(seed: u64) -> Self {
        Self {
            choices: Choices::new(seed),
            disks: Disks::default(),
            boots: 0,
            steps: 0,
            up: None,
            client: None,
            group: None,
            change: Seq::ZERO.next(),
            acknowledged: 0,
            read: None,
            images: BTreeMap::new(),
        }
    }

    fn broken(&self, property: &'static str, evidence: String) -> Broken {
        Broken::new(property, self.steps, evidence)
    }

    /// Opens the directories and constructs the node from them.
    fn boot(&mut self) -> Result<(), Broken> {
        let snapshots = Snapshots::new(self.disks.snapshots.clone(), options().identity, 1 << 10);
        let opened = recovery::open(self.disks.wal.clone(), &snapshots, options());
        let Opened { durable, wal, .. } = opened.map_err(|error: RecoveryError| {
            self.broken("Recovers", format!("after an honest crash the directory does not open: {error}"))
        })?;
        self.judge_images(&durable)?;
        self.boots += 1;
        let restarted = Restarted {
            me: Peer { node: ME, stamp: Stamp::new(7), boot: Boot::new(self.boots) },
            address: "a:1".into(),
            controllers: BTreeMap::from([(ME, "a:1".into())]),
            shards: 1,
            durable,
        };
        let raft = RaftLimits { trailing_entries: 1, ..RaftLimits::default() };
        let limits = Limits { snapshot_log_bytes: 400, raft, ..Limits::default() };
        let (node, effects) = Node::new(restarted, limits);
        self.up = Some(Box::new(Up {
            node,
            wal,
            snapshots,
            retention: Retention::default(),
            lane: VecDeque::new(),
            works: VecDeque::new(),
            timers: BTreeSet::new(),
            asked: None,
            tickets: Ticket::ZERO,
        }));
        self.perform(effects);
        Ok(())
    }

    /// A recovered image is the one that its mark names.
    fn judge_images(&self, durable: &Durable) -> Result<(), Broken> {
        let controller =
            durable.controller.iter().map(|own| (GroupId::CONTROLLER, own.mark.last, digest_of(&own.image)));
        let data = durable.data.iter().map(|(group, own)| (*group, own.mark.last, digest_of(&own.image)));
        for (group, last, digest) in controller.chain(data) {
            if self.images.get(&(group, last)).is_some_and(|image| *image != digest) {
                let evidence =
                    format!("group {group} comes back with another state than it had at index {}", last.index);
                return Err(self.broken("StateMachineSafety", evidence));
            }
        }
        Ok(())
    }

    /// The power goes, or only the process; what is not synced may be lost.
    fn crash(&mut self) {
        self.up = None;
        if self.choices.below(3) == 0 {
            self.disks.wal.go_on();
            self.disks.snapshots.go_on();
            return;
        }
        let odds = self.choices.below(5);
        let Self { choices, disks, .. } = self;
        *disks = Disks {
            wal: disks.wal.crash(|| choices.below(4) < odds),
            snapshots: disks.snapshots.crash(|| choices.below(4) < odds),
        };
    }

    /// One thing happens. `false`: the disk stopped.
    fn act(&mut self) -> Result<bool, Broken> {
        self.steps += 1;
        match self.choices.below(10) {
            0..3 => self.sync(),
            3 => self.write_snapshot(),
            4..7 => {
                self.fire();
                Ok(true)
            }
            _ => {
                self.ask();
                Ok(true)
            }
        }
    }

    fn step(&mut self, input: Input) {
        let effects = self.up.as_mut().map(|up| up.node.step(input)).unwrap_or_default();
        self.perform(effects);
    }

    fn perform(&mut self, effects: Effects) {
        let Some(up) = &mut self.up else { return };
        for (id, write) in effects.writes {
            up.retention.note(id, &write);
            up.lane.push_back((id, write));
        }
        for change in effects.timers {
            match change {
                TimerChange::Arm(timer) => drop(up.timers.insert(timer)),
                TimerChange::Disarm(timer) => drop(up.timers.remove(&timer)),
            }
        }
        for work in effects.snapshots {
            let (place, image) = match &work {
                SnapshotWork::Controller(work) => ((GroupId::CONTROLLER, work.mark.last), digest_of(&work.image)),
                SnapshotWork::Data { group, work } => ((*group, work.mark.last), digest_of(&work.image)),
            };
            self.images.insert(place, image);
            up.works.push_back(work);
        }
        for (ticket, reply) in effects.replies {
            self.hear(ticket, reply);
        }
    }

    /// Some of what waits becomes durable.
    fn sync(&mut self) -> Result<bool, Broken> {
        let Some(up) = self.up.as_mut().filter(|up| !up.lane.is_empty()) else { return Ok(true) };
        let count = 1 + self.choices.below(up.lane.len() as u64) as usize;
        let writes: Vec<Write> = up.lane.iter().take(count).map(|(_, write)| write.clone()).collect();
        let committed = match up.wal.commit_some(&writes) {
            Ok(committed) => committed,
            Err(WalError::Io { .. }) => return Ok(false),
            Err(error) => return Err(self.broken("Legal", format!("a write of the core is refused: {error}"))),
        };
        let Some((last, _)) = up.lane.drain(..committed).next_back() else { return Ok(true) };
        for release in up.retention.synced(last) {
            let removed = match release {
                Release::Older { group, keep } => up.snapshots.remove_older(group, keep),
                Release::All { group } => up.snapshots.remove_group(group),
            };
            if removed.is_err() {
                return Ok(false);
            }
        }
        self.step(Input::Synced { write: last });
        Ok(true)
    }

    fn write_snapshot(&mut self) -> Result<bool, Broken> {
        let Some(up) = &mut self.up else { return Ok(true) };
        let Some(work) = up.works.pop_front() else { return Ok(true) };
        let (group, last, written) = match &work {
            SnapshotWork::Controller(work) => {
                (GroupId::CONTROLLER, work.mark.last, up.snapshots.write(GroupId::CONTROLLER, work))
            }
            SnapshotWork::Data { group, work } => (*group, work.mark.last, up.snapshots.write(*group, work)),
        };
        match written {
            Ok(_) => self.step(Input::SnapshotWritten { group, last }),
            Err(SnapshotError::Io { .. }) => return Ok(false),
            Err(error) => return Err(self.broken("Legal", format!("a snapshot is refused: {error}"))),
        }
        Ok(true)
    }

    /// Any armed timer.
    fn fire(&mut self) {
        let Some(up) = self.up.as_mut().filter(|up| !up.timers.is_empty()) else { return };
        let place = self.choices.below(up.timers.len() as u64) as usize;
        if let Some(timer) = up.timers.iter().nth(place).copied() {
            up.timers.remove(&timer);
            self.step(Input::Fired { timer });
        }
    }

    /// The client asks for what comes next, if nothing is outstanding. After a crash it asks for the same again.
    fn ask(&mut self) {
        let last_life = self.boots > CRASHES;
        let Some(up) = self.up.as_mut().filter(|up| up.asked.is_none()) else { return };
        let request = match (self.client, self.group) {
            (None, _) => Request::RegisterClient,
            (Some(client), None) => {
                let groups = BTreeMap::from([(Gid::new(1), vec![ME])]);
                Request::Change { client, seq: self.change, change: Change::Join { groups } }
            }
            (Some(_), Some(group)) if last_life && self.acknowledged > 0 && self.choices.below(8) == 0 => {
                Request::Get { group, key: KEY.into() }
            }
            (Some(client), Some(group)) => {
                let op = WriteOp::Append { value: token(self.acknowledged).as_str().into() };
                Request::Write { group, client, seq: Seq::new(self.acknowledged + 1), key: KEY.into(), op }
            }
        };
        up.tickets = up.tickets.next();
        up.asked = Some(up.tickets);
        let requests = vec![(up.tickets, request)];
        self.step(Input::Requests { requests });
    }

    fn hear(&mut self, ticket: Ticket, reply: Reply) {
        let Some(up) = self.up.as_mut().filter(|up| up.asked == Some(ticket)) else { return };
        up.asked = None;
        match reply {
            Reply::Controller(Answer::ClientRegistered { client }) => self.client = Some(client),
            Reply::Controller(Answer::Changed { config } | Answer::Unchanged { config }) => {
                self.group = Some(GroupId::new(Gid::new(1), ConfigNum::new(config.get())));
            }
            // The node is not registered yet. That was the answer to this number: another try is another request.
            Reply::Controller(Answer::Refused(_)) => self.change = self.change.next(),
            Reply::Written { .. } => self.acknowledged += 1,
            Reply::Value { value, .. } => self.read = Some(value.map(|value| value.to_vec()).unwrap_or_default()),
            // Asked again later.
            _ => {}
        }
    }

    /// Every acknowledged token once and in order; the outstanding one once or not at all.
    fn judge(&self) -> Result<(), Broken> {
        let read = String::from_utf8_lossy(self.read.as_deref().unwrap_or_default()).into_owned();
        let promised: String = (0..self.acknowledged).map(token).collect();
        let rest = read.strip_prefix(&promised);
        match rest {
            Some(rest) if rest.is_empty() || rest == token(self.acknowledged) => Ok(()),
            _ if read.len() > promised.len() => {
                Err(self.broken("AtMostOnce", format!("{promised:?} was appended and {read:?} is there")))
            }
            _ => Err(self.broken("Durability", format!("{promised:?} was acknowledged and {read:?} is there"))),
        }
    }
}

/// The text of a token.
fn token(number: u64) -> String {
    format!("{number};")
}
