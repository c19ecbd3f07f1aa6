//! What a seed means: the shape of a cluster, its users, and a schedule of faults.

use super::faults::{Fault, Part, partial};
use super::network::Links;
use super::random::Random;
use super::setup::{Setup, small_limits};
use super::time::Moment;
use super::workload::Workload;
use std::time::Duration;

/// A fault and when it comes, counted from when the cluster serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scheduled {
    /// Its place in the whole schedule.
    pub number: usize,
    /// When.
    pub at: Moment,
    /// What.
    pub fault: Fault,
}

/// A run before it is run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The cluster.
    pub setup: Setup,
    /// The groups that join first: their numbers and their processes.
    pub groups: Vec<(u64, Vec<usize>)>,
    /// How many users there are.
    pub users: usize,
    /// What they do.
    pub workload: Workload,
    /// For how long there are faults.
    pub length: Duration,
    /// From one fault to the next: one of these times in milliseconds, on average.
    pub paces: &'static [u64],
    /// The faults, in the order of time.
    pub faults: Vec<Scheduled>,
    /// Let disks lose what nobody makes up for.
    pub reckless: bool,
    /// Tell every step on standard error.
    pub trace: bool,
    /// Keep what every node was given, as traces.
    pub records: bool,
    /// The faults come denser than those of the seed alone.
    pub dense: bool,
}

/// How many milliseconds apart faults come, on average: one of these in each run.
const PACES: [u64; 3] = [300, 1000, 3000];
/// The same where more of them are to overlap.
const DENSE_PACES: [u64; 3] = [100, 300, 1000];

/// The cast of a cluster: how many processes, and which of them serve which group.
const CASTS: [(usize, &[&[usize]]); 5] = [
    (3, &[&[0, 1, 2]]),
    (3, &[&[0, 1, 2], &[0, 1, 2]]),
    (5, &[&[0, 1, 2, 3, 4], &[2, 3, 4]]),
    (6, &[&[3, 4, 5], &[0, 1, 2]]),
    (9, &[&[3, 4, 5], &[6, 7, 8], &[0, 4, 8]]),
];

/// Of a thousand runs, how many are calm.
const CALM: u32 = 400;

impl Plan {
    /// The plan of a seed. Most runs are busy: a minute in which users and faults leave a cluster no rest. The others are
    /// [calm](Self::calm).
    pub fn of(seed: u64) -> Self {
        Self::paced(seed, false)
    }

    /// The plan of a seed with about three times as many faults, so that more of them overlap.
    pub fn dense(seed: u64) -> Self {
        Self::paced(seed, true)
    }

    /// How it is named on the command line.
    pub fn name(&self) -> String {
        let dense = if self.dense { " --dense" } else { "" };
        format!("--seed {}{dense}", self.setup.seed)
    }

    fn paced(seed: u64, dense: bool) -> Self {
        let mut random = Random::new(seed, 3);
        let (nodes, groups) = *random.pick(&CASTS);
        let setup = Setup {
            seed,
            nodes,
            controllers: 3,
            shards: *random.pick(&[4, 10, 16]),
            limits: small_limits(),
            segment_bytes: *random.pick(&[16, 32, 64]) << 10,
            election: *random.pick(&[Duration::from_millis(300), Duration::from_secs(1)]),
            links: Links { slowest: Duration::from_millis(*random.pick(&[1, 5, 20])), ..Links::reliable() },
            ..Setup::default()
        };
        let groups = groups.iter().enumerate().map(|(place, servers)| (place as u64 + 1, servers.to_vec())).collect();
        let (users, pace) = *random.pick(&[(2, 20), (5, 40), (8, 100)]);
        let workload = Workload {
            keys: *random.pick(&[2, 8, 20]),
            think: Duration::from_millis(pace),
            huge: 2,
            huge_bytes: 8 << 10,
            ..Workload::default()
        };
        let mut plan = Self {
            setup,
            groups,
            users,
            workload,
            length: Duration::from_secs(60),
            paces: &PACES,
            faults: Vec::new(),
            reckless: false,
            trace: false,
            records: false,
            dense,
        };
        if !dense && Random::new(seed, 4).per_mille(CALM) {
            plan.calm();
        }
        plan.faults = plan.schedule(&mut random);
        plan
    }

    /// Makes it ten minutes of what most days are like: few users, and a fault comes when the last one is nearly forgotten.
    /// Time-outs of every length are met, logs stay short for long, and the clocks have time to go apart.
    fn calm(&mut self) {
        self.length = Duration::from_secs(600);
        self.paces = &[5000, 10_000];
        self.setup.election = Duration::from_secs(1);
        (self.workload.think, self.workload.era) = (Duration::from_secs(2), Duration::from_secs(100));
    }

    /// The same with these faults only, by their numbers.
    #[must_use]
    pub fn only(mut self, numbers: &[usize]) -> Self {
        self.faults.retain(|scheduled| numbers.contains(&scheduled.number));
        self
    }

    /// Faults all along, at a pace of the run's own.
    fn schedule(&self, random: &mut Random) -> Vec<Scheduled> {
        let pace = *random.pick(if self.dense { &DENSE_PACES } else { self.paces });
        let (mut at, mut faults) = (Duration::ZERO, Vec::new());
        loop {
            at += random.between(Duration::ZERO, Duration::from_millis(2 * pace));
            if at >= self.length {
                return faults;
            }
            faults.push(Scheduled { number: faults.len(), at, fault: self.draw(random) });
        }
    }

    fn draw(&self, random: &mut Random) -> Fault {
        let nodes = self.setup.nodes;
        let process = random.below(nodes);
        let other = (process + 1 + random.below(nodes - 1)) % nodes;
        let down = random.between(Duration::from_millis(10), Duration::from_secs(2));
        let time = random.between(Duration::from_millis(100), Duration::from_secs(3));
        let kept = *random.pick(&[0, 300, 900, 1000]);
        let part = *random.pick(&[Part::Wal, Part::Wal, Part::Snapshots]);
        match random.below(44) {
            0..3 => Fault::Crash { process, down },
            3..7 => Fault::PowerCut { process, kept, down },
            7 => Fault::Blackout { kept, down },
            8 | 9 => Fault::Pause { process, time: time * 2 },
            10 | 11 => {
                // Never all and never nobody.
                let of_side = |it: &usize| *it == process || (*it != other && random.per_mille(400));
                Fault::Partition { side: (0..nodes).filter(of_side).collect(), time }
            }
            12 => Fault::OneWay { from: process, to: other, time },
            13 => Fault::Isolation { process, time },
            14 => Fault::SlowLink { from: process, to: other, by: down, time },
            15 => Fault::Unreliable { time },
            16 => Fault::Reordering { time },
            17 => Fault::DamagedFrames { time },
            18 => Fault::LyingSyncs { process, part, time },
            19 => Fault::LostWrite { process, part, time },
            20 => Fault::MisdirectedWrite { process, part, astray: random.per_mille(500), time },
            21 => Fault::Rot { process, part, bits: 1 + random.below(3) },
            22 => Fault::ReadError { process, part },
            23 => Fault::WriteError { process, part },
            24 => Fault::SyncError { process, part },
            25 => Fault::FullDisk { process, time },
            26 => Fault::SlowDisk { process, factor: 2 + random.below(100) as u32, time },
            27 => Fault::ClockJump { process, by: time * 4 },
            28 => Fault::ClockDrift { process, pace: 300 + random.below(2000) as u32, time: time * 3 },
            29 => Fault::Wiped { process, time },
            30 => Fault::OldCopy { process, age: time * 3 },
            31 => Fault::Stranger { process, time },
            32 => Fault::Twin { process, time: Duration::from_secs(3) },
            33 | 34 => self.draw_join(random),
            35 => Fault::Leave { gid: 1 + random.below(self.groups.len() + 1) as u64 },
            36 | 37 => Fault::Move {
                shard: random.below(self.setup.shards as usize) as u64,
                gid: 1 + random.below(self.groups.len() + 1) as u64,
            },
            38 => Fault::Transfer { group: random.below(4), to: process },
            39 => Fault::DoubledFrames { time },
            40 | 41 => Fault::PartialPartition { pairs: partial::draw(nodes, random), time: time * 2 },
            42 => Fault::ClientPartition { cut: partial::draw_clients(self.users + 1, nodes, random), time: time * 2 },
            _ => Fault::ExpiredSessions,
        }
    }

    /// A group that left comes back, or one more comes.
    fn draw_join(&self, random: &mut Random) -> Fault {
        let (gid, servers) = random.pick(&self.groups).clone();
        if random.per_mille(500) {
            return Fault::Join { gid, servers };
        }
        let first = random.below(self.setup.nodes);
        let servers = (0..3).map(|place| (first + place) % self.setup.nodes).collect();
        Fault::Join { gid: self.groups.len() as u64 + 1, servers }
    }
}
