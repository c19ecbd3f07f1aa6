//! Runs that must fail: worlds in which something is broken on purpose that no correct node makes up for. A judge that
//! does not object to its canary cannot be trusted with anything else.
//!
//! Every judge has one, and every class of faults has one in which that very fault is not survivable: it takes a majority,
//! or it never ends.

use super::disk::Outage;
use super::faults::Fault;
use super::judge::PROGRESS;
use super::network::{End, Links};
use super::operator::{join, leave, shift};
use super::process::Directory;
use super::setup::{Setup, small_limits};
use super::verdicts::{Judge, objections};
use super::workload::Workload;
use super::world::{Sabotage, World};
use quorate_core::client::Operation as Asked;
use quorate_core::limits::Limits;
use quorate_core::message::Request;
use quorate_core::shard::WriteOp;
use quorate_spec::Violation;
use quorate_spec::history::Call;
use std::collections::BTreeSet;
use std::time::Duration;

/// A run that must fail.
pub struct Canary {
    /// Its name.
    pub name: &'static str,
    /// The classes of faults that are in it.
    pub classes: &'static [&'static str],
    /// The judges that must object.
    pub judges: &'static [Judge],
    /// Whether the specification's invariants are checked as it goes. If so the run ends there.
    watch: bool,
    /// What happens between work and judgement.
    act: fn(&mut World),
}

/// A second of virtual time.
const SECOND: Duration = Duration::from_secs(1);
/// For ever.
const EVER: Duration = Duration::from_secs(1_000_000);
/// What loses data is seen by both judges of histories.
const LOSS: &[Judge] = &[Judge::Certificate, Judge::Search];
/// What takes effect twice is seen by these.
const TWICE: &[Judge] = &[Judge::AtMostOnce, Judge::Certificate];
const STUCK: &[Judge] = &[Judge::Progress];

/// All canaries.
pub const CANARIES: &[Canary] = &[
    canary("lying-majority", &["lying-syncs", "lost-sector", "lost-name"], LOSS, lie),
    canary("lying-majority-torn", &["torn-sector"], LOSS, |world| {
        let lie = |world: &World, process| world.process(process).directory.wal.misbehave(|it| it.lies = true);
        lose_last(world, lie, Outage::Power { kept: 1 }, |_| {});
    }),
    Canary { watch: true, ..canary("lying-majority-watched", &["lying-syncs"], &[Judge::Invariants], lie) },
    canary("last-write-lost-everywhere", &["lost-write"], LOSS, |world| {
        let lose = |world: &World, process| world.process(process).directory.wal.misbehave(|it| it.drop_write = true);
        lose_last(world, lose, Outage::Process, |_| {});
    }),
    canary("last-write-misdirected-everywhere", &["misdirected-write"], LOSS, |world| {
        let mislead =
            |world: &World, process| world.process(process).directory.wal.misbehave(|it| it.misdirect_write = true);
        lose_last(world, mislead, Outage::Process, |_| {});
    }),
    canary("last-frame-rots-everywhere", &["bit-rot"], LOSS, |world| {
        lose_last(world, |_, _| {}, Outage::Process, World::rot_last_frames);
    }),
    canary("old-copies-everywhere", &["old-copy"], LOSS, |world| {
        let copies: Vec<Directory> = (0..3).map(|process| world.process(process).directory.copy()).collect();
        world.run_for(3 * SECOND);
        world.replace_directories(copies, true);
        world.settle();
    }),
    canary("old-copy-unnoticed", &["old-copy"], &[Judge::Recovery], |world| {
        let copies = (0..3).map(|process| world.process(process).directory.copy()).collect();
        world.run_for(3 * SECOND);
        world.replace_directories(copies, false);
    }),
    canary("wiped-under-their-old-names", &["wiped-directory"], LOSS, |world| {
        let wiped = |process| Directory {
            wal: Default::default(),
            snapshots: Default::default(),
            logged: false,
            ..world.process(process).directory.clone()
        };
        let wiped = (0..3).map(wiped).collect();
        world.replace_directories(wiped, true);
        world.run_for(2 * SECOND);
        let operator = world.add_client();
        world.call_and_wait(operator, join(&[(1, &[0, 1, 2])]));
        world.settle();
    }),
    canary("checksums-that-fit", &["corrupt-frame", "damaged-frames"], &[Judge::Frames], |world| {
        world.network.forges = true;
        world.network.links.damaged = 50;
        world.run_for(5 * SECOND);
    }),
    canary("doubles-taken-for-new", &["doubled-frames", "doubled-frame"], TWICE, |world| {
        world.sabotage = Some(Sabotage::DoublesCount);
        world.inject(0, &Fault::DoubledFrames { time: 3 * SECOND });
        world.run_for(3 * SECOND);
        world.settle();
    }),
    canary("frames-cut-for-ever", &["cut-frame", "oversized-frame"], STUCK, |world| {
        world.network.links.damaged = 1000;
        world.conclude();
    }),
    canary("stale-store", &[], LOSS, |world| sabotage(world, Sabotage::StaleReads)),
    canary("values-cut-short", &["huge-value"], LOSS, |world| sabotage(world, Sabotage::ShortReads)),
    canary("sent-again-to-the-next-leader", &["leadership-transfer"], TWICE, |world| {
        send_twice(world, |world| {
            let group = *world.groups().first().expect("a group was founded");
            let leader = world.leader(group).expect("it has a leader");
            let to = world.process((leader + 1) % 3).id;
            world.ask_node(leader, Request::TransferLeadership { group, to });
        });
    }),
    canary("sent-again-in-the-next-session", &["expired-sessions"], TWICE, |world| {
        send_twice(world, |world| _ = world.inject(0, &Fault::ExpiredSessions));
    }),
    canary("crashed-for-ever", &["crash"], STUCK, |world| {
        world.crash_all([0, 1], Outage::Process);
        world.conclude();
    }),
    canary("without-power-for-ever", &["power-cut", "blackout"], STUCK, |world| {
        world.crash_all([0, 1, 2], Outage::Power { kept: 500 });
        world.conclude();
    }),
    canary("paused-for-ever", &["pause"], STUCK, |world| {
        (0..2).for_each(|process| world.pause(process, EVER));
        world.conclude();
    }),
    canary("partitioned-for-ever", &["partition", "blocked-frame"], STUCK, |world| {
        world.network.partition(&[&[0], &[1], &[2]]);
        world.conclude();
    }),
    canary("one-way-for-ever", &["one-way-partition"], STUCK, |world| {
        for (from, to) in [(0, 1), (1, 2), (2, 0)] {
            world.network.block(End::Process(from), End::Process(to));
        }
        world.conclude();
    }),
    canary("isolated-for-ever", &["isolation"], STUCK, |world| {
        (0..2).for_each(|process| world.isolate(process, true, true));
        world.conclude();
    }),
    canary("partly-partitioned-for-ever", &["partial-partition"], STUCK, |world| {
        // Each of them reaches three others, but none of its own group.
        world.inject(0, &Fault::PartialPartition { pairs: vec![(0, 1), (1, 2), (0, 2)], time: EVER });
        world.conclude();
    }),
    canary("clients-cut-off-for-ever", &["client-partition"], STUCK, |world| {
        let clients = (0..world.client_count()).flat_map(|client| (0..3).map(move |process| (client, process)));
        world.inject(0, &Fault::ClientPartition { cut: clients.collect(), time: EVER });
        // Nor does the one who comes to read in the end.
        let reader = End::Client(world.client_count());
        (0..3).for_each(|process| world.network.block(reader, End::Process(process)));
        world.conclude();
    }),
    canary("slow-for-ever", &["slow-link"], STUCK, |world| {
        for (from, to) in [(0, 1), (1, 2), (2, 0)] {
            world.network.slow_down(End::Process(from), End::Process(to), EVER);
        }
        world.conclude();
    }),
    canary("lossy-for-ever", &["unreliable-network", "lost-frame"], STUCK, |world| {
        world.network.links = Links { lost: 1000, ..Links::unreliable() };
        world.conclude();
    }),
    canary("late-for-ever", &["long-reordering", "late-frame"], STUCK, |world| {
        world.network.links = Links { reordered: 1000, slowest: EVER, ..Links::long_reordering() };
        world.conclude();
    }),
    canary("unreadable-for-ever", &["read-error"], STUCK, |world| {
        world.crash_all([0, 1], Outage::Process);
        for process in 0..2 {
            world.process(process).directory.wal.misbehave(|it| it.fail_read = true);
            world.start(process);
        }
        world.conclude();
    }),
    canary("unwritable-for-ever", &["write-error", "sync-error"], STUCK, |world| {
        world.process(0).directory.wal.misbehave(|it| it.fail_write = true);
        world.process(1).directory.wal.misbehave(|it| it.fail_sync = true);
        world.run_for(2 * SECOND);
        world.conclude();
    }),
    canary("full-for-ever", &["full-disk"], STUCK, |world| {
        (0..3).for_each(|process| world.process(process).directory.wal.misbehave(|it| it.capacity = Some(0)));
        world.run_for(20 * SECOND);
        world.conclude();
    }),
    canary("disks-slow-for-ever", &["slow-disk"], STUCK, |world| {
        (0..3).for_each(|process| world.process_mut(process).disk_factor = 1_000_000);
        world.crash_all([0, 1, 2], Outage::Process);
        start_all(world);
        world.conclude();
    }),
    canary("clocks-that-stand-still", &["clock-drift"], STUCK, |world| {
        (0..3).for_each(|process| world.process_mut(process).clock = 1_000_000_000);
        world.run_for(2 * SECOND);
        world.crash_all([0, 1, 2], Outage::Process);
        start_all(world);
        world.conclude();
    }),
    canary("clocks-that-jump-for-ever", &["clock-jump"], STUCK, |world| {
        for _ in 0..1000 {
            (0..3).for_each(|process| _ = world.inject(0, &Fault::ClockJump { process, by: EVER }));
            world.run_for(Duration::from_millis(5));
        }
        world.stop_work();
        if !world.is_quiet() {
            world.fail(PROGRESS, "nobody gets on while all clocks jump".into());
        }
    }),
    canary("strangers-instead", &["stranger"], STUCK, |world| {
        world.crash_all([0, 1], Outage::Process);
        (0..2).for_each(|process| _ = world.inject(0, &Fault::Stranger { process, time: EVER }));
        world.conclude();
    }),
    canary("twin-that-hears-nothing", &["twin"], &[Judge::Identity], |world| {
        world.run_until(10 * SECOND, |world| world.inject(0, &Fault::Twin { process: 2, time: 3 * SECOND }));
        world.run_for(3 * SECOND - Duration::from_millis(1));
        world.isolate(2, true, true);
        world.run_for(10 * SECOND);
    }),
    canary("joined-by-the-dead", &["join", "move"], STUCK, |world| {
        let operator = world.add_client();
        world.crash_all([3, 4, 5], Outage::Process);
        world.call_and_wait(operator, join(&[(2, &[3, 4, 5])]));
        world.call_and_wait(operator, shift(0, 2));
        world.conclude();
    }),
    canary("everybody-left", &["leave"], STUCK, |world| {
        let operator = world.add_client();
        world.call_and_wait(operator, leave(&[1]));
        world.conclude();
    }),
];

const fn canary(
    name: &'static str,
    classes: &'static [&'static str],
    judges: &'static [Judge],
    act: fn(&mut World),
) -> Canary {
    Canary { name, classes, judges, watch: false, act }
}

impl Canary {
    /// Runs it, and says which judges object.
    pub fn sing(&self) -> (BTreeSet<Judge>, Option<Violation>) {
        // What lies then is the log alone: it neither rotates nor goes with snapshots that are honest.
        let limits = Limits { snapshot_log_bytes: 1 << 30, ..small_limits() };
        let setup = Setup { seed: 11, watch: self.watch, segment_bytes: 1 << 20, limits, ..Setup::default() };
        let mut world = World::new(setup);
        let operator = world.add_client();
        if !world.found(operator, &[(1, &[0, 1, 2])]) {
            return (BTreeSet::new(), None);
        }
        world.reckless = true;
        for _ in 0..3 {
            let client = world.add_client();
            world.put_to_work(
                client,
                Workload { keys: 3, gets: 600, puts: 0, huge: 20, huge_bytes: 3000, ..Workload::default() },
            );
        }
        world.run_for(3 * SECOND);
        (self.act)(&mut world);
        (objections(&world), world.violation().cloned())
    }

    /// Whether all judges object that must.
    pub fn is_dead(&self) -> bool {
        let (objections, _) = self.sing();
        self.judges.iter().all(|judge| objections.contains(judge))
    }
}

fn start_all(world: &mut World) {
    (0..world.process_count()).for_each(|process| world.start(process));
}

/// All syncs lie for a while; then all power fails.
fn lie(world: &mut World) {
    for process in 0..3 {
        world.process(process).directory.wal.misbehave(|it| it.lies = true);
    }
    world.run_for(SECOND / 2);
    world.crash_all([0, 1, 2], Outage::Power { kept: 0 });
    world.settle();
}

/// Users stop; one last, long write is made while `break_disk` holds for every disk; then all processes go down.
fn lose_last(world: &mut World, break_disk: fn(&World, usize), outage: Outage, after: fn(&mut World)) {
    world.stop_work();
    let client = world.add_client();
    world.operate(client, 900, b"last", Call::Append(b"900.1;".to_vec()));
    world.run_until(30 * SECOND, |world| world.is_quiet());
    world.run_for(SECOND);
    (0..3).for_each(|process| break_disk(world, process));
    world.operate(client, 900, b"last", Call::Append(format!("{}900.2;", "x".repeat(3000)).into_bytes()));
    world.run_until(30 * SECOND, |world| world.is_quiet());
    world.run_for(SECOND);
    world.crash_all([0, 1, 2], outage);
    after(world);
    world.settle();
}

fn sabotage(world: &mut World, sabotage: Sabotage) {
    world.sabotage = Some(sabotage);
    world.run_for(3 * SECOND);
    world.sabotage = None;
    world.settle();
}

/// A write is made, and after something else made once more under another session, as a careless client would.
fn send_twice(world: &mut World, between: fn(&mut World)) {
    let (one, other) = (world.add_client(), world.add_client());
    world.operate(one, 901, b"twice", Call::Append(b"901.1;".to_vec()));
    world.run_for(2 * SECOND);
    between(world);
    world.run_for(2 * SECOND);
    let op = WriteOp::Append { value: b"901.1;".as_slice().into() };
    world.call_and_wait(other, Asked::Write { key: b"twice".as_slice().into(), op });
    world.settle();
}
