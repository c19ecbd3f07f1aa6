//! Runs that must fail: worlds in which something is broken on purpose that no correct node makes up for. A judge that
//! does not object to its canary cannot be trusted with anything else.
//!
//! Every judge has one, and every class of faults has one in which that very fault is not survivable: it takes a majority,
//! or it never ends, or users or disks make of it what they must not. Each runs a second time without what is broken, as a
//! control: then nobody may object.

mod acts;
mod song;

use super::disk::{Misdeeds, Outage};
use super::faults::{Fault, Part};
use super::judge::{Finding, PROGRESS};
use super::network::{End, Links};
use super::operator::join;
use super::process::Directory;
use super::setup::{Setup, small_limits};
use super::verdicts::{Judge, objections};
use super::workload::Workload;
use super::world::{Sabotage, World};
use acts::{each, lie, lose_last, sabotage, send_again, start_all};
use quorate_core::limits::Limits;
pub use song::Song;
use std::collections::BTreeSet;
use std::time::Duration;

/// A run that must fail.
pub struct Canary {
    /// Its name.
    pub name: &'static str,
    /// The classes of faults that are in it, and of what is counted apart.
    pub classes: &'static [&'static str],
    /// The judges that must object.
    pub judges: &'static [Judge],
    /// Whether the specification's invariants are checked as it goes. If so the run ends there.
    watch: bool,
    /// Whether snapshots are written.
    snapshots: bool,
    /// What happens between work and judgement. Only if it is told so something is broken.
    act: fn(&mut World, bool),
}

/// A second of virtual time.
const SECOND: Duration = Duration::from_secs(1);
/// For ever.
const EVER: Duration = Duration::from_secs(1_000_000);
/// What loses data is seen by both judges of histories.
const LOSS: &[Judge] = &[Judge::Certificate, Judge::Search];
/// What takes effect twice is seen by these.
const TWICE: &[Judge] = &[Judge::AtMostOnce, Judge::Certificate];
/// A cluster that gets stuck must not answer wrongly either: nobody else may object.
const STUCK: &[Judge] = &[Judge::Progress];

/// All canaries.
pub const CANARIES: &[Canary] = &[
    canary("lying-majority", &["lying-syncs", "lost-sector"], LOSS, lie),
    canary("lying-majority-torn", &["lying-syncs", "torn-sector"], LOSS, |world, broken| {
        let lie = |process| Fault::LyingSyncs { process, part: Part::Wal, time: EVER };
        lose_last(world, broken.then_some(lie), Outage::Power { kept: 1 }, |_| {});
    }),
    Canary { watch: true, ..canary("lying-majority-watched", &["lying-syncs"], &[Judge::Invariants], lie) },
    canary("last-write-lost-everywhere", &["lost-write"], LOSS, |world, broken| {
        let lose = |process| Fault::LostWrite { process, part: Part::Wal, time: EVER };
        lose_last(world, broken.then_some(lose), Outage::Process, |_| {});
    }),
    canary("last-write-misdirected-everywhere", &["misdirected-write"], LOSS, |world, broken| {
        let mislead = |process| Fault::MisdirectedWrite { process, part: Part::Wal, astray: false, time: EVER };
        lose_last(world, broken.then_some(mislead), Outage::Process, |_| {});
    }),
    canary("last-write-astray-everywhere", &["misdirected-write"], LOSS, |world, broken| {
        let mislead = |process| Fault::MisdirectedWrite { process, part: Part::Wal, astray: true, time: EVER };
        lose_last(world, broken.then_some(mislead), Outage::Process, |_| {});
    }),
    canary("last-frame-rots-everywhere", &["bit-rot"], LOSS, |world, broken| {
        lose_last(world, None, Outage::Process, if broken { World::rot_last_frames } else { |_| {} });
    }),
    // Snapshots are missed: all stop loudly, and nobody answers wrongly.
    Canary {
        snapshots: true,
        ..canary("lying-snapshots", &["lying-syncs", "lost-name"], STUCK, |world, broken| {
            (0..3).filter(|_| broken).for_each(|process| {
                world.inject(0, &Fault::LyingSyncs { process, part: Part::Snapshots, time: EVER });
            });
            world.run_for(5 * SECOND);
            world.crash_all(0..6, Outage::Power { kept: 0 });
            start_all(world);
            world.conclude();
        })
    },
    Canary {
        snapshots: true,
        ..canary("snapshots-lost-and-astray", &["lost-write", "misdirected-write"], STUCK, |world, broken| {
            let (part, time) = (Part::Snapshots, EVER);
            if broken {
                world.inject(0, &Fault::LostWrite { process: 0, part, time });
                world.inject(0, &Fault::MisdirectedWrite { process: 1, part, astray: true, time });
            }
            let hit = |world: &World, process, of: fn(&Misdeeds) -> u64| {
                of(&world.process(process).directory.snapshots.misdeeds()) > 0
            };
            world.run_until(20 * SECOND, |world| hit(world, 0, |it| it.dropped) && hit(world, 1, |it| it.misdirected));
            // Until the log names them.
            world.run_for(SECOND / 10);
            world.crash_all([0, 1], Outage::Process);
            start_all(world);
            world.conclude();
        })
    },
    Canary {
        snapshots: true,
        ..canary("rotten-snapshots", &["bit-rot"], STUCK, |world, broken| {
            world.run_for(5 * SECOND);
            (0..2).filter(|_| broken).for_each(|process| {
                world.inject(0, &Fault::Rot { process, part: Part::Snapshots, bits: 2 });
            });
            world.never_repair();
            world.conclude();
        })
    },
    canary("old-copies-everywhere", &["old-copy"], LOSS, |world, broken| {
        let copies: Vec<Directory> = (0..3).map(|process| world.process(process).directory.copy()).collect();
        world.run_for(3 * SECOND);
        if broken {
            world.replace_directories("old-copy", copies, true);
        }
        world.settle();
    }),
    canary("old-copy-unnoticed", &["old-copy"], &[Judge::Recovery], |world, broken| {
        let copies = (0..3).map(|process| world.process(process).directory.copy()).collect();
        world.run_for(3 * SECOND);
        if broken {
            return world.replace_directories("old-copy", copies, false);
        }
        world.settle();
    }),
    canary("wiped-under-their-old-names", &["wiped-directory"], LOSS, |world, broken| {
        let wiped = |process| Directory {
            wal: Default::default(),
            snapshots: Default::default(),
            logged: false,
            ..world.process(process).directory.clone()
        };
        let wiped = (0..3).map(wiped).collect();
        if broken {
            world.replace_directories("wiped-directory", wiped, true);
        }
        world.run_for(2 * SECOND);
        let operator = world.add_client();
        world.call_and_wait(operator, join(&[(1, &[0, 1, 2])]));
        world.settle();
    }),
    canary("checksums-that-fit", &["corrupt-frame", "damaged-frames"], &[Judge::Frames], |world, broken| {
        world.network.forges = broken;
        world.inject(0, &Fault::DamagedFrames { time: 5 * SECOND });
        world.run_for(5 * SECOND);
        world.settle();
    }),
    canary("doubles-taken-for-new", &["doubled-frames", "doubled-frame"], TWICE, |world, broken| {
        world.sabotage = broken.then_some(Sabotage::DoublesCount);
        world.network.repeats_requests = true;
        world.inject(0, &Fault::DoubledFrames { time: 3 * SECOND });
        world.run_for(3 * SECOND);
        world.settle();
    }),
    canary("frames-cut-for-ever", &["cut-frame", "oversized-frame"], STUCK, |world, broken| {
        world.network.links.damaged = if broken { 1000 } else { 0 };
        world.conclude();
    }),
    canary("stale-store", &[], LOSS, |world, broken| sabotage(world, broken.then_some(Sabotage::StaleReads))),
    // Only huge values are long enough to be cut.
    canary("values-cut-short", &["huge-value"], LOSS, |world, broken| {
        sabotage(world, broken.then_some(Sabotage::ShortReads));
    }),
    canary("sent-again-to-the-next-leader", &["leadership-transfer"], TWICE, |world, broken| {
        send_again(world, |world, leader| {
            let to = (leader + 1) % 3;
            each(world, broken, to..to + 1, |to| Fault::Transfer { group: 0, to });
        });
    }),
    canary("sent-again-in-the-next-session", &["expired-sessions"], TWICE, |world, broken| {
        send_again(world, |world, _| each(world, broken, 0..1, |_| Fault::ExpiredSessions));
    }),
    canary("crashed-for-ever", &["crash"], STUCK, |world, broken| {
        each(world, broken, 0..2, |process| Fault::Crash { process, down: EVER });
        world.conclude();
    }),
    canary("without-power-for-ever", &["power-cut"], STUCK, |world, broken| {
        each(world, broken, 0..2, |process| Fault::PowerCut { process, kept: 500, down: EVER });
        world.conclude();
    }),
    canary("all-without-power-for-ever", &["blackout"], STUCK, |world, broken| {
        each(world, broken, 0..1, |_| Fault::Blackout { kept: 500, down: EVER });
        world.conclude();
    }),
    canary("paused-for-ever", &["pause"], STUCK, |world, broken| {
        each(world, broken, 0..2, |process| Fault::Pause { process, time: EVER });
        world.conclude();
    }),
    canary("partitioned-for-ever", &["partition", "blocked-frame"], STUCK, |world, broken| {
        each(world, broken, 0..2, |process| Fault::Partition { side: vec![process], time: EVER });
        world.conclude();
    }),
    canary("one-way-for-ever", &["one-way-partition"], STUCK, |world, broken| {
        each(world, broken, 0..3, |from| Fault::OneWay { from, to: (from + 1) % 3, time: EVER });
        world.conclude();
    }),
    canary("isolated-for-ever", &["isolation"], STUCK, |world, broken| {
        each(world, broken, 0..2, |process| Fault::Isolation { process, time: EVER });
        world.conclude();
    }),
    canary("partly-partitioned-for-ever", &["partial-partition"], STUCK, |world, broken| {
        // Each of them reaches three others, but none of its own group.
        each(world, broken, 0..1, |_| Fault::PartialPartition { pairs: vec![(0, 1), (1, 2), (0, 2)], time: EVER });
        world.conclude();
    }),
    canary("clients-cut-off-for-ever", &["client-partition"], STUCK, |world, broken| {
        if broken {
            let clients = (0..world.client_count()).flat_map(|client| (0..3).map(move |process| (client, process)));
            world.inject(0, &Fault::ClientPartition { cut: clients.collect(), time: EVER });
            // Nor does the one who comes to read in the end.
            let reader = End::Client(world.client_count());
            (0..3).for_each(|process| world.network.block(reader, End::Process(process)));
        }
        world.run_for(SECOND);
        world.conclude();
    }),
    canary("slow-for-ever", &["slow-link"], STUCK, |world, broken| {
        each(world, broken, 0..3, |from| Fault::SlowLink { from, to: (from + 1) % 3, by: EVER, time: EVER });
        world.conclude();
    }),
    canary("lossy-for-ever", &["unreliable-network", "lost-frame"], STUCK, |world, broken| {
        each(world, broken, 0..1, |_| Fault::Unreliable { time: EVER });
        if broken {
            world.network.links.lost = 1000;
        }
        world.conclude();
    }),
    canary("late-for-ever", &["long-reordering", "late-frame"], STUCK, |world, broken| {
        each(world, broken, 0..1, |_| Fault::Reordering { time: EVER });
        if broken {
            world.network.links = Links { reordered: 1000, slowest: EVER, ..world.network.links.clone() };
        }
        world.conclude();
    }),
    canary("unreadable-for-ever", &["read-error"], STUCK, |world, broken| {
        each(world, broken, 0..2, |process| Fault::ReadError { process, part: Part::Wal });
        world.never_repair();
        world.conclude();
    }),
    canary("unwritable-for-ever", &["write-error", "sync-error"], STUCK, |world, broken| {
        each(world, broken, 0..1, |process| Fault::WriteError { process, part: Part::Wal });
        each(world, broken, 1..2, |process| Fault::SyncError { process, part: Part::Wal });
        world.never_repair();
        world.run_for(2 * SECOND);
        world.conclude();
    }),
    canary("full-for-ever", &["full-disk"], STUCK, |world, broken| {
        each(world, broken, 0..3, |process| Fault::FullDisk { process, time: EVER });
        // Nor is there any when something is removed.
        (0..3)
            .filter(|_| broken)
            .for_each(|process| world.process(process).directory.wal.misbehave(|it| it.capacity = Some(0)));
        world.run_for(20 * SECOND);
        world.conclude();
    }),
    canary("disks-slow-for-ever", &["slow-disk"], STUCK, |world, broken| {
        each(world, broken, 0..3, |process| Fault::SlowDisk { process, factor: 1_000_000, time: EVER });
        world.crash_all([0, 1, 2], Outage::Process);
        start_all(world);
        world.conclude();
    }),
    canary("clocks-that-stand-still", &["clock-drift"], STUCK, |world, broken| {
        each(world, broken, 0..3, |process| Fault::ClockDrift { process, pace: 1_000_000_000, time: EVER });
        world.run_for(2 * SECOND);
        world.crash_all([0, 1, 2], Outage::Process);
        start_all(world);
        world.conclude();
    }),
    canary("clocks-that-jump-for-ever", &["clock-jump"], STUCK, |world, broken| {
        for _ in 0..1500 {
            each(world, broken, 0..3, |process| Fault::ClockJump { process, by: EVER });
            world.run_for(Duration::from_millis(1));
        }
        let recent = (world.now() - SECOND).as_nanos() as u64;
        if !world.history.iter().any(|it| it.returned.is_some_and(|returned| returned >= recent)) {
            return world.fail(PROGRESS, "nobody gets on while all clocks jump".into());
        }
        world.conclude();
    }),
    canary("strangers-instead", &["stranger"], STUCK, |world, broken| {
        world.crash_all([0, 1], Outage::Process);
        if broken {
            each(world, true, 0..2, |process| Fault::Stranger { process, time: EVER });
        } else {
            start_all(world);
        }
        world.conclude();
    }),
    canary("twin-that-hears-nothing", &["twin"], &[Judge::Identity], |world, broken| {
        world.run_until(10 * SECOND, |world| world.inject(0, &Fault::Twin { process: 2, time: 3 * SECOND }));
        world.run_for(3 * SECOND - Duration::from_millis(1));
        if broken {
            world.isolate(2, true, true);
        }
        world.run_for(10 * SECOND);
        world.settle();
    }),
    canary("joined-by-the-dead", &["join", "move"], STUCK, |world, broken| {
        if broken {
            world.crash_all([3, 4, 5], Outage::Process);
        }
        world.inject(0, &Fault::Join { gid: 2, servers: vec![3, 4, 5] });
        world.run_for(2 * SECOND);
        let moved = (0..10).any(|shard| world.inject(0, &Fault::Move { shard, gid: 2 }));
        assert!(moved, "not all shards are there");
        world.run_for(2 * SECOND);
        world.conclude();
    }),
    canary("everybody-left", &["leave"], STUCK, |world, broken| {
        each(world, broken, 0..1, |_| Fault::Leave { gid: 1 });
        world.run_for(2 * SECOND);
        world.conclude();
    }),
];

const fn canary(
    name: &'static str,
    classes: &'static [&'static str],
    judges: &'static [Judge],
    act: fn(&mut World, bool),
) -> Canary {
    Canary { name, classes, judges, watch: false, snapshots: false, act }
}

impl Canary {
    /// Runs it.
    pub fn sing(&self) -> Song {
        self.run(true)
    }

    /// Runs the same with nothing broken.
    pub fn control(&self) -> Song {
        self.run(false)
    }

    fn run(&self, broken: bool) -> Song {
        // What lies then is the log alone: it neither rotates nor goes with snapshots that are honest.
        let limits = Limits { snapshot_log_bytes: 1 << 30, ..small_limits() };
        let limits = if self.snapshots { small_limits() } else { limits };
        let setup = Setup { seed: 11, watch: self.watch, segment_bytes: 1 << 20, limits, ..Setup::default() };
        let mut world = World::new(setup);
        let operator = world.add_client();
        if !world.found(operator, &[(1, &[0, 1, 2])]) {
            let missing = self.classes.to_vec();
            return Song { objections: BTreeSet::new(), violation: None, missing, passes: false };
        }
        world.reckless = broken;
        for _ in 0..3 {
            let client = world.add_client();
            let huge = Workload { huge: 20, huge_bytes: 8 << 10, ..Workload::default() };
            world.put_to_work(client, Workload { keys: 3, gets: 600, puts: 0, ..huge });
        }
        world.run_for(3 * SECOND);
        (self.act)(&mut world, broken);
        world.note_hits();
        let apart = world.counted_apart();
        let happened = |class: &str| world.faults.get(class).or(apart.get(class)).is_some_and(|count| *count > 0);
        Song {
            objections: objections(&world),
            violation: world.violation().cloned(),
            missing: self.classes.iter().copied().filter(|class| !happened(class)).collect(),
            passes: matches!(world.judge(), Finding::Pass),
        }
    }

    /// Whether a run fails as it must: its classes happened, and those object that must. Who is only stuck is not wrong.
    pub fn is_dead(&self, song: &Song) -> bool {
        let objects = if self.judges == STUCK {
            song.objections.iter().eq(self.judges)
        } else {
            self.judges.iter().all(|judge| song.objections.contains(judge))
        };
        objects && song.missing.is_empty()
    }
}
