//! The world: processes, clients, one network, one clock. It only moves when it is told to run.

use super::clients::SimClient;
use super::digest::Digest;
use super::faults::{Awaited, Fault, Mend};
use super::network::Network;
use super::process::{Directory, Process};
use super::random::Random;
use super::setup::Setup;
use super::tally::Tally;
use super::time::{Moment, Queue};
use super::watch::Watch;
use crate::story::Story;
use quorate_core::bytes::Bytes;
use quorate_core::client;
use quorate_core::input::Timer;
use quorate_core::message::{Peer, Reply};
use quorate_core::node::Node;
use quorate_spec::Violation;
use quorate_spec::history::Operation;
use quorate_spec::ids::{Boot, GroupId, NodeId, Stamp};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// The name of the simulated cluster.
pub(super) const CLUSTER: &str = "sim";

/// Something that is going to happen.
#[derive(Debug)]
pub(super) enum Event {
    /// A frame of a peer arrives.
    Frame(Frame),
    /// A timer may be due.
    Due { process: usize, life: u64, timer: Timer },
    /// The lane's job is over.
    Committed { process: usize, life: u64 },
    /// A segment is prepared.
    Prepared { process: usize, life: u64 },
    /// A full disk is looked at again.
    Look { process: usize, life: u64 },
    /// A snapshot is written.
    Written { process: usize, life: u64 },
    /// A snapshot that found no space is tried again.
    WriteAgain { process: usize, life: u64 },
    /// A client's frame arrives.
    Request { process: usize, life: u64, client: usize, connection: u64, frame: Vec<u8>, damaged: bool, again: bool },
    /// A node's frame arrives at a client.
    Reply { client: usize, process: usize, connection: u64, frame: Vec<u8>, damaged: bool },
    /// A client's timer may be due.
    ClientDue { client: usize, timer: client::Timer },
    /// A client notices the end of a connection.
    Closed { client: usize, process: usize, connection: u64, unsent: bool },
    /// A client of the workload asks for the next thing.
    Ask { client: usize },
    /// A process is started.
    Start { process: usize },
    /// A fault ends.
    Mend { number: u64 },
    /// The second part of a fault.
    Fault { fault: Box<Fault> },
}

/// A frame between processes.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) from: usize,
    pub(super) to: usize,
    /// What the sender's hello said.
    pub(super) sender: Peer,
    /// The directory that it is meant for, if the sender knows it.
    pub(super) pinned: Option<Stamp>,
    /// Sent back by the receiver of another frame.
    pub(super) back: bool,
    pub(super) sent: Moment,
    pub(super) damaged: bool,
    pub(super) bytes: Vec<u8>,
}

/// How much happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Events.
    pub events: u64,
    /// Steps of nodes.
    pub steps: u64,
    /// Damaged frames that were refused.
    pub refused_frames: u64,
    /// Peers that were refused.
    pub refused_peers: u64,
    /// Starts that a damaged directory refused.
    pub refused_starts: u64,
    /// Starts without something that was durable once: the others made up for it.
    pub silent_losses: u64,
    /// Processes that ended because their disk failed.
    pub disk_failures: u64,
    /// Frames of the logs.
    pub commits: u64,
    /// Snapshots written.
    pub snapshots: u64,
}

/// A lie told to users, for the judges to notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    /// Every read of a key finds what the first one found.
    StaleReads,
    /// Of a long value the end is missing.
    ShortReads,
    /// A write that comes twice is taken for two.
    DoublesCount,
}

/// A simulated cluster and its users.
pub struct World {
    /// What it began with.
    pub setup: Setup,
    /// The network.
    pub network: Network,
    /// How much happened.
    pub counts: Counts,
    /// What clients were told, for the judges.
    pub history: Vec<Operation>,
    pub(super) now: Moment,
    pub(super) queue: Queue<Event>,
    pub(super) processes: Vec<Process>,
    pub(super) clients: Vec<SimClient>,
    pub(super) addresses: BTreeMap<Bytes, usize>,
    pub(super) watch: Watch,
    pub(super) tallies: BTreeMap<GroupId, Tally>,
    /// The answer to the last question that was asked of a node directly.
    pub(super) answer: Option<Reply>,
    pub(super) digest: Digest,
    pub(super) random: Random,
    pub(super) violation: Option<Violation>,
    /// Tell each step on standard error.
    pub trace: bool,
    pub(super) stories: BTreeMap<usize, Story>,
    /// Let disks lose what nobody makes up for: then the judges must notice.
    pub reckless: bool,
    /// Lie to users.
    pub sabotage: Option<Sabotage>,
    pub(super) first_reads: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    /// How many faults of each class hit.
    pub faults: BTreeMap<&'static str, u64>,
    pub(super) awaited: Vec<Awaited>,
    /// How many huge values were written.
    pub huge_values: u64,
    pub(super) mends: BTreeMap<u64, Mend>,
    pub(super) last_mend: u64,
    /// Until when no other fault is injected.
    pub(super) quiet_until: Moment,
    /// The latest boot of each node that each process heard of, while there are two of one.
    pub(super) heard: BTreeMap<(usize, NodeId), Boot>,
    last_life: u64,
    pub(super) last_connection: u64,
    pub(super) last_user: u64,
    /// What the runtime takes for the time. Only differences matter.
    pub(super) epoch: Instant,
}

impl World {
    /// A world in which every process has just been started on an empty directory.
    pub fn new(setup: Setup) -> Self {
        let random = Random::new(setup.seed, 1);
        let network = Network::new(setup.links.clone(), Random::new(setup.seed, 2));
        let mut world = Self {
            network,
            counts: Counts::default(),
            history: Vec::new(),
            now: Duration::ZERO,
            queue: Queue::new(),
            processes: Vec::new(),
            clients: Vec::new(),
            addresses: BTreeMap::new(),
            watch: Watch::new(setup.watch),
            tallies: BTreeMap::new(),
            answer: None,
            digest: Digest::default(),
            random,
            violation: None,
            trace: false,
            stories: BTreeMap::new(),
            reckless: false,
            sabotage: None,
            first_reads: BTreeMap::new(),
            faults: BTreeMap::new(),
            awaited: Vec::new(),
            huge_values: 0,
            mends: BTreeMap::new(),
            last_mend: 0,
            quiet_until: Duration::ZERO,
            heard: BTreeMap::new(),
            last_life: 0,
            last_connection: 0,
            last_user: 0,
            epoch: Instant::now(),
            setup,
        };
        for number in 0..world.setup.nodes {
            let directory = Directory::new(&mut world.random);
            world.add_process(NodeId::new(number as u64 + 1), directory);
        }
        (0..world.setup.nodes).for_each(|process| world.start(process));
        world
    }

    /// Adds a process that is down: a node `id` with this data directory, at an address of its own. Says its number.
    pub fn add_process(&mut self, id: NodeId, directory: Directory) -> usize {
        let number = self.processes.len();
        let address = Bytes::from(format!("host{number}:7000").as_str());
        self.addresses.insert(address.clone(), number);
        self.processes.push(Process::new(id, address, directory));
        number
    }

    /// The time.
    pub fn now(&self) -> Moment {
        self.now
    }

    /// The digest of everything that happened so far.
    pub fn digest(&self) -> u64 {
        self.digest.value()
    }

    /// What was found to be wrong so far.
    pub fn violation(&self) -> Option<&Violation> {
        self.violation.as_ref()
    }

    /// How often each of the specification's actions was taken.
    pub fn actions(&self) -> BTreeMap<&'static str, u64> {
        self.watch.actions()
    }

    /// How many processes there are.
    pub fn process_count(&self) -> usize {
        self.processes.len()
    }

    /// A process.
    ///
    /// # Panics
    /// There is none of that number.
    pub fn process(&self, number: usize) -> &Process {
        &self.processes[number]
    }

    /// The same, to be changed.
    ///
    /// # Panics
    /// There is none of that number.
    pub fn process_mut(&mut self, number: usize) -> &mut Process {
        &mut self.processes[number]
    }

    /// The nodes that are up, and their processes' numbers.
    pub fn nodes(&self) -> impl Iterator<Item = (usize, &Node)> {
        self.processes.iter().enumerate().filter_map(|(number, process)| Some((number, process.node()?)))
    }

    /// Runs for a while. Stops early at a violation.
    pub fn run_for(&mut self, time: Duration) {
        self.run_until(time, |_| false);
    }

    /// Runs until `done` holds, at most for a while. Says whether it holds. It is asked every 10 ms.
    pub fn run_until(&mut self, time: Duration, mut done: impl FnMut(&mut Self) -> bool) -> bool {
        let end = self.now + time;
        loop {
            if self.violation.is_some() || done(self) {
                return self.violation.is_none();
            }
            if self.now >= end {
                return false;
            }
            let pause = (self.now + Duration::from_millis(10)).min(end);
            self.advance(pause);
        }
    }

    /// Runs up to a moment.
    pub fn advance(&mut self, to: Moment) {
        while self.violation.is_none()
            && let Some((at, event)) = self.queue.pop(to)
        {
            self.now = at;
            self.happen(event);
        }
        self.now = self.now.max(to);
    }

    fn happen(&mut self, event: Event) {
        if let Some(process) = event.process()
            && let until = self.processes[process].paused_until
            && until > self.now
        {
            self.queue.push(until, event);
            return;
        }
        self.counts.events += 1;
        self.digest.add(self.now.as_nanos() as u64);
        match event {
            Event::Frame(frame) => self.frame_arrives(frame),
            Event::Due { process, life, timer } => self.due(process, life, timer),
            Event::Committed { process, life } => self.committed(process, life),
            Event::Prepared { process, life } => self.prepared(process, life),
            Event::Look { process, life } => self.look(process, life),
            Event::Written { process, life } => self.written(process, life),
            Event::WriteAgain { process, life } => {
                if self.processes[process].life() == Some(life) {
                    self.pump_snapshots(process);
                }
            }
            Event::Request { process, life, client, connection, frame, damaged, again } => {
                self.request_arrives(process, life, client, connection, &frame, (damaged, again));
            }
            Event::Reply { client, process, connection, frame, damaged } => {
                self.reply_arrives(client, process, connection, &frame, damaged);
            }
            Event::ClientDue { client, timer } => self.client_due(client, timer),
            Event::Closed { client, process, connection, unsent } => self.closed(client, process, connection, unsent),
            Event::Ask { client } => self.ask(client),
            Event::Start { process } => self.start_or_repair(process),
            Event::Mend { number } => self.mend(number),
            Event::Fault { fault } => _ = self.inject(0, &fault),
        }
    }

    /// The next life.
    pub(super) fn next_life(&mut self) -> u64 {
        self.last_life += 1;
        self.last_life
    }

    /// Something is wrong: the run ends.
    pub(super) fn fail(&mut self, property: &'static str, evidence: String) {
        let violation = Violation::new(property, evidence);
        self.violation.get_or_insert(violation);
    }

    /// What the runtime takes for the time.
    pub(super) fn instant(&self) -> Instant {
        self.epoch + self.now
    }
}

impl Event {
    /// The process that takes part in it, and must not stand still for that.
    fn process(&self) -> Option<usize> {
        match self {
            Self::Frame(frame) => Some(frame.to),
            Self::Due { process, .. }
            | Self::Committed { process, .. }
            | Self::Prepared { process, .. }
            | Self::Look { process, .. }
            | Self::Written { process, .. }
            | Self::WriteAgain { process, .. }
            | Self::Request { process, .. } => Some(*process),
            Self::Reply { .. }
            | Self::ClientDue { .. }
            | Self::Closed { .. }
            | Self::Ask { .. }
            | Self::Start { .. }
            | Self::Mend { .. }
            | Self::Fault { .. } => None,
        }
    }
}
