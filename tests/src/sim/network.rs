//! The network: when a frame arrives, how often, in which state, and who cannot reach whom.

use super::random::Random;
use super::time::Moment;
use quorate::codec::{HEADER_LEN, finish_frame, parse_header};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// One end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum End {
    /// A process, by its number in the world.
    Process(usize),
    /// A client, by its number in the world.
    Client(usize),
}

/// How all links behave. Numbers are cases in a thousand.
#[derive(Clone, Debug)]
pub struct Links {
    /// The shortest delay.
    pub fastest: Duration,
    /// The longest delay.
    pub slowest: Duration,
    /// Lost.
    pub lost: u32,
    /// Delivered twice.
    pub doubled: u32,
    /// Replies and messages that come much later than those sent after them (0.2 s to 2.2 s).
    pub reordered: u32,
    /// Damaged on the way: flipped bits, cut short, or with a length beyond all limits. The connection does not survive.
    pub damaged: u32,
}

impl Links {
    /// A good network.
    pub const fn reliable() -> Self {
        let (fastest, slowest) = (Duration::from_micros(100), Duration::from_millis(2));
        Self { fastest, slowest, lost: 0, doubled: 0, reordered: 0, damaged: 0 }
    }

    /// The lab's unreliable network: 0 to 26 ms, a tenth lost each way.
    pub const fn unreliable() -> Self {
        Self { fastest: Duration::ZERO, slowest: Duration::from_millis(26), lost: 100, doubled: 20, ..Self::reliable() }
    }

    /// The lab's long reordering: two thirds come 0.2 to 2.2 s late.
    pub const fn long_reordering() -> Self {
        Self { reordered: 667, ..Self::unreliable() }
    }
}

/// What happens to a frame on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// Bits flip.
    Corrupt,
    /// The connection ends within the frame.
    Cut,
    /// Its header claims more than its kind allows.
    Oversized,
}

/// One arrival of a frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    pub(super) delay: Duration,
    pub(super) damage: Option<Damage>,
    /// It came before.
    pub(super) again: bool,
}

/// How often the network did what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Frames sent.
    pub sent: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Frames lost by chance.
    pub lost: u64,
    /// Frames that met a partition.
    pub blocked: u64,
    /// Frames delivered twice.
    pub doubled: u64,
    /// Frames delayed for long.
    pub reordered: u64,
    /// Frames whose bits flipped.
    pub corrupted: u64,
    /// Frames cut.
    pub cut: u64,
    /// Frames with a length beyond all limits.
    pub oversized: u64,
    /// Frames on a slow link.
    pub slowed: u64,
}

/// The network.
#[derive(Debug)]
pub struct Network {
    /// How links behave.
    pub links: Links,
    /// What it did so far.
    pub traffic: Traffic,
    /// Flipped bits come with a checksum that fits: then the receiver cannot know.
    pub forges: bool,
    /// What clients send may arrive twice too, which nobody makes up for.
    pub repeats_requests: bool,
    /// From whom to whom nothing gets through.
    blocked: BTreeSet<(End, End)>,
    /// How many frames met a cut or a slow direction, by where they went.
    met: BTreeMap<(End, End), u64>,
    /// Additional delay of single directions.
    slow: BTreeMap<(End, End), Duration>,
    /// When the last connection of a link ended in disorder: what was under way then is lost.
    ended: BTreeMap<(End, End), Moment>,
    random: Random,
}

impl Network {
    /// A network in which everybody reaches everybody.
    pub(super) fn new(links: Links, random: Random) -> Self {
        Self {
            links,
            traffic: Traffic::default(),
            forges: false,
            repeats_requests: false,
            blocked: BTreeSet::new(),
            met: BTreeMap::new(),
            slow: BTreeMap::new(),
            ended: BTreeMap::new(),
            random,
        }
    }

    /// What a client sends arrives once, as on a TCP connection: the client's machine rests on it (see the core's `client`).
    fn repeats(&self, from: End) -> bool {
        self.repeats_requests || !matches!(from, End::Client(_))
    }

    /// Nothing gets through from `from` to `to`: a one-way partition.
    pub fn block(&mut self, from: End, to: End) {
        self.blocked.insert((from, to));
    }

    /// Lets through again.
    pub fn unblock(&mut self, from: End, to: End) {
        self.blocked.remove(&(from, to));
    }

    /// Only processes of one set reach each other; those in none reach everybody. Clients are not concerned.
    pub fn partition(&mut self, sets: &[&[usize]]) {
        for (place, set) in sets.iter().enumerate() {
            for other in sets.iter().enumerate().filter(|(other, _)| *other != place).flat_map(|(_, set)| *set) {
                for one in *set {
                    self.block(End::Process(*one), End::Process(*other));
                }
            }
        }
    }

    /// Everybody reaches everybody again, at the usual speed.
    pub fn heal(&mut self) {
        self.blocked.clear();
        self.slow.clear();
    }

    /// Makes one direction of a link slower.
    pub fn slow_down(&mut self, from: End, to: End, by: Duration) {
        self.slow.insert((from, to), by);
    }

    /// Makes it as fast as others again.
    pub fn speed_up(&mut self, from: End, to: End) {
        self.slow.remove(&(from, to));
    }

    /// Whether anything gets through from `from` to `to`.
    pub fn reaches(&self, from: End, to: End) -> bool {
        !self.blocked.contains(&(from, to))
    }

    /// Whether what goes from `from` to `to` is stopped or slowed down.
    pub(super) fn hinders(&self, from: End, to: End) -> bool {
        !self.reaches(from, to) || self.slow.contains_key(&(from, to))
    }

    /// How many frames met a cut or a slow direction between these so far.
    pub(super) fn met(&self, pairs: &[(End, End)]) -> u64 {
        pairs.iter().filter_map(|pair| self.met.get(pair)).sum()
    }

    /// Something meets a cut.
    pub(super) fn meet_cut(&mut self, from: End, to: End) {
        self.traffic.blocked += 1;
        *self.met.entry((from, to)).or_default() += 1;
    }

    /// The time that something takes.
    pub(super) fn delay(&mut self, from: End, to: End) -> Duration {
        let delay = self.random.between(self.links.fastest, self.links.slowest);
        match self.slow.get(&(from, to)) {
            None => delay,
            Some(more) => {
                self.traffic.slowed += 1;
                *self.met.entry((from, to)).or_default() += 1;
                delay + *more
            }
        }
    }

    /// When and how a frame arrives: not at all, once, or twice.
    pub(super) fn send(&mut self, from: End, to: End, bytes: usize) -> Vec<Arrival> {
        self.traffic.sent += 1;
        self.traffic.bytes += bytes as u64;
        if !self.reaches(from, to) {
            self.meet_cut(from, to);
            return Vec::new();
        }
        if self.random.per_mille(self.links.lost) {
            self.traffic.lost += 1;
            return Vec::new();
        }
        let mut delay = self.delay(from, to);
        if self.random.per_mille(self.links.reordered) {
            self.traffic.reordered += 1;
            delay += self.random.between(Duration::from_millis(200), Duration::from_millis(2200));
        }
        let mut first = Arrival { delay, damage: None, again: false };
        if self.random.per_mille(self.links.damaged) {
            first.damage = Some(self.damage());
        } else if self.random.per_mille(self.links.doubled) && self.repeats(from) {
            self.traffic.doubled += 1;
            return vec![first, Arrival { delay: delay + self.delay(from, to), damage: None, again: true }];
        }
        vec![first]
    }

    fn damage(&mut self) -> Damage {
        let (damage, count) = match self.random.below(3) {
            0 => (Damage::Corrupt, &mut self.traffic.corrupted),
            1 => (Damage::Cut, &mut self.traffic.cut),
            _ => (Damage::Oversized, &mut self.traffic.oversized),
        };
        *count += 1;
        damage
    }

    /// A connection ends in disorder.
    pub(super) fn end_connection(&mut self, link: (End, End), now: Moment) {
        self.ended.insert(link, now);
    }

    /// Whether the connection by which something was sent ended before it arrived.
    pub(super) fn broke_since(&self, link: (End, End), sent: Moment) -> bool {
        !self.ended.is_empty() && self.ended.get(&link).is_some_and(|ended| *ended >= sent)
    }

    /// A frame as it arrives.
    pub(super) fn carry(&mut self, mut frame: Vec<u8>, damage: Option<Damage>) -> Vec<u8> {
        match damage {
            None => {}
            Some(Damage::Corrupt) => {
                let (first, count) = (self.random.below(frame.len()), 1 + self.random.below(3));
                let first = if self.forges {
                    HEADER_LEN + first % frame.len().saturating_sub(HEADER_LEN).max(1)
                } else {
                    first
                };
                for byte in frame.iter_mut().skip(first).take(count) {
                    *byte ^= 1 << self.random.below(8);
                }
                if self.forges
                    && let Ok(header) = parse_header(&frame)
                {
                    // It cannot be too long: it was a frame before.
                    let _ = finish_frame(header.kind, &mut frame, 0);
                }
            }
            Some(Damage::Cut) => frame.truncate(self.random.below(frame.len())),
            Some(Damage::Oversized) => {
                if let Some(length) = frame.get_mut(8..12) {
                    length.copy_from_slice(&u32::MAX.to_le_bytes());
                }
            }
        }
        frame
    }
}
