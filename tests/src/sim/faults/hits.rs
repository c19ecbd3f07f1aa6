//! Which faults count: those that came to something, each once.
//!
//! A cut counts when a frame meets it, a disk's fault when the disk commits it (one that is silent: when a process goes
//! down without what it believed to have, and nobody put it back before), a change when the cluster made it. What was
//! drawn and came to nothing is not counted.

use super::APART;
use super::mend::Mend;
use crate::sim::disk::{Misbehaviour, Misdeeds, Outage, SimDisk};
use crate::sim::network::{End, Traffic};
use crate::sim::world::World;
use quorate_core::client::{CallId, Operation, Outcome};
use std::collections::BTreeMap;

/// What came of a fault so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Came {
    /// It was not possible, or it is over and changed nothing.
    Nothing,
    /// It is there, and nothing met it yet.
    Open,
    /// It hit.
    Hit,
}

impl From<bool> for Came {
    fn from(hit: bool) -> Self {
        if hit { Self::Hit } else { Self::Nothing }
    }
}

/// A fault that is there and did not hit yet.
pub(crate) struct Awaited {
    class: &'static str,
    what: What,
}

enum What {
    /// One of these disks is to do it; before, it had done so this many times.
    Disks { disks: Vec<SimDisk>, before: u64 },
    /// A frame is to meet a cut or a slow link.
    Pairs { pairs: Vec<(End, End)>, before: u64 },
    /// The network is to treat a frame so.
    Links { before: u64 },
    /// A call is to change something.
    Call { client: usize, call: CallId },
}

/// How often a disk did what a class is.
fn deeds(class: &str, misdeeds: &Misdeeds) -> u64 {
    match class {
        "lying-syncs" => misdeeds.lies,
        "lost-write" => misdeeds.dropped,
        "misdirected-write" => misdeeds.misdirected,
        "read-error" => misdeeds.read_errors,
        "write-error" => misdeeds.write_errors,
        "sync-error" => misdeeds.sync_errors,
        "full-disk" => misdeeds.full,
        _ => 0,
    }
}

/// Whether a disk is about to do what a class is.
fn is_armed(class: &str, misbehaviour: &Misbehaviour) -> bool {
    match class {
        "lying-syncs" => misbehaviour.lies,
        "lost-write" => misbehaviour.drop_write,
        "misdirected-write" => misbehaviour.misdirect_write,
        "read-error" => misbehaviour.fail_read,
        "write-error" => misbehaviour.fail_write,
        "sync-error" => misbehaviour.fail_sync,
        "full-disk" => misbehaviour.capacity.is_some(),
        _ => false,
    }
}

/// Whether the process does not hear of it from its disk.
fn is_silent(class: &str) -> bool {
    matches!(class, "lying-syncs" | "lost-write" | "misdirected-write")
}

/// How many frames were treated as a class of faults has it.
fn treated(class: &str, traffic: &Traffic) -> u64 {
    match class {
        "unreliable-network" => traffic.lost + traffic.doubled,
        "long-reordering" => traffic.reordered,
        "doubled-frames" => traffic.doubled,
        "damaged-frames" => traffic.corrupted + traffic.cut + traffic.oversized,
        _ => 0,
    }
}

fn all_deeds(class: &str, disks: &[SimDisk]) -> u64 {
    disks.iter().map(|disk| deeds(class, &disk.misdeeds())).sum()
}

impl Awaited {
    fn came(&self, world: &World) -> Came {
        let class = self.class;
        let (hit, over) = match &self.what {
            What::Disks { disks, before } => {
                let done = all_deeds(class, disks) > *before;
                let armed = disks.iter().any(|disk| is_armed(class, &disk.misbehaviour()));
                // Of a silent one only the end of the process tells.
                (done && !is_silent(class), !done && !armed)
            }
            What::Pairs { pairs, before } => {
                (world.network.met(pairs) > *before, !pairs.iter().any(|(from, to)| world.network.hinders(*from, *to)))
            }
            What::Links { before } => (treated(class, &world.network.traffic) > *before, !world.has_odd_links()),
            What::Call { client, call } => match world.outcome(*client, *call) {
                None => (false, false),
                Some(Outcome::Changed { changed, .. }) => (*changed, true),
                Some(_) => (false, true),
            },
        };
        match (hit, over) {
            (true, _) => Came::Hit,
            (false, true) => Came::Nothing,
            (false, false) => Came::Open,
        }
    }
}

impl World {
    /// Counts a fault.
    pub(super) fn count_fault(&mut self, class: &'static str) {
        *self.faults.entry(class).or_default() += 1;
    }

    /// Counts the faults that hit meanwhile, and forgets those that came to nothing.
    pub fn note_hits(&mut self) {
        for awaited in std::mem::take(&mut self.awaited) {
            match awaited.came(self) {
                Came::Hit => self.count_fault(awaited.class),
                Came::Open => self.awaited.push(awaited),
                Came::Nothing => {}
            }
        }
    }

    /// How often each of [`APART`] happened.
    pub fn counted_apart(&self) -> BTreeMap<&'static str, u64> {
        let disks =
            self.processes.iter().flat_map(|it| [it.directory.wal.misdeeds(), it.directory.snapshots.misdeeds()]);
        let disks: Vec<Misdeeds> = disks.collect();
        let sum = |of: fn(&Misdeeds) -> u64| disks.iter().map(of).sum::<u64>();
        let traffic = &self.network.traffic;
        let count = |class| match class {
            "lost-frame" => traffic.lost,
            "blocked-frame" => traffic.blocked,
            "doubled-frame" => traffic.doubled,
            "late-frame" => traffic.reordered,
            "corrupt-frame" => traffic.corrupted,
            "cut-frame" => traffic.cut,
            "oversized-frame" => traffic.oversized,
            "torn-sector" => sum(|it| it.torn),
            "lost-sector" => sum(|it| it.lost),
            "lost-name" => sum(|it| it.lost_names),
            "huge-value" => self.huge_values,
            _ => 0,
        };
        APART.into_iter().map(|class| (class, count(class))).collect()
    }

    /// A process goes down. What its disk silently failed to keep is lost now, or somebody put it back (`kept`).
    pub(in crate::sim) fn note_loss(&mut self, disk: &SimDisk, outage: Outage, kept: bool) {
        for awaited in std::mem::take(&mut self.awaited) {
            let What::Disks { disks, before } = &awaited.what else {
                self.awaited.push(awaited);
                continue;
            };
            let class = awaited.class;
            let concerned = is_silent(class) && disks.iter().any(|it| it.is(disk)) && all_deeds(class, disks) > *before;
            // What was only not synced is there after a process alone went down.
            let spared = class == "lying-syncs" && outage == Outage::Process && !kept;
            match (concerned, spared) {
                (false, _) | (true, true) => self.awaited.push(awaited),
                (true, false) if !kept && disk.owes() => self.count_fault(class),
                (true, false) => {}
            }
        }
    }

    /// Whether the network as a whole is out of order, for a while.
    pub(super) fn has_odd_links(&self) -> bool {
        self.mends.values().any(|mend| matches!(mend, Mend::Links))
    }

    /// Disks are told to misbehave, unless one does already.
    pub(super) fn spoil(
        &mut self,
        class: &'static str,
        disks: Vec<SimDisk>,
        change: impl Fn(&mut Misbehaviour),
    ) -> Came {
        if disks.iter().any(|disk| is_armed(class, &disk.misbehaviour())) {
            return Came::Nothing;
        }
        disks.iter().for_each(|disk| disk.misbehave(&change));
        let before = all_deeds(class, &disks);
        self.awaited.push(Awaited { class, what: What::Disks { disks, before } });
        Came::Open
    }

    /// Frames are to meet something on their way between these.
    pub(super) fn await_frames(&mut self, class: &'static str, pairs: Vec<(End, End)>) -> Came {
        let before = self.network.met(&pairs);
        self.awaited.push(Awaited { class, what: What::Pairs { pairs, before } });
        Came::Open
    }

    /// The network is to treat frames so.
    pub(super) fn await_treatment(&mut self, class: &'static str) -> Came {
        let before = treated(class, &self.network.traffic);
        self.awaited.push(Awaited { class, what: What::Links { before } });
        Came::Open
    }

    /// The operator asks for a change.
    pub(super) fn await_change(&mut self, class: &'static str, client: usize, operation: Operation) -> Came {
        let call = self.call(client, operation);
        self.awaited.push(Awaited { class, what: What::Call { client, call } });
        Came::Open
    }
}
