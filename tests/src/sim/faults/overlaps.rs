//! Faults that overlap.

use super::{Fault, Part};
use crate::sim::setup::Setup;
use crate::sim::world::World;
use std::time::Duration;

const PROCESS: usize = 2;
const SOON: Duration = Duration::from_secs(1);
const LATER: Duration = Duration::from_secs(3);

/// A cluster of three whose one group works, and the operator's client.
fn world(seed: u64) -> (World, usize) {
    let mut world = World::new(Setup { seed, nodes: 3, ..Setup::default() });
    let operator = world.add_client();
    assert!(world.found(operator, &[(1, &[0, 1, 2])]), "the group is made: {:?}", world.violation());
    (world, operator)
}

/// All that put one directory of a process in the place of another, or a second process beside it.
fn exchanges(time: Duration) -> [Fault; 4] {
    let process = PROCESS;
    [
        Fault::Wiped { process, time },
        Fault::OldCopy { process, age: Duration::ZERO },
        Fault::Stranger { process, time },
        Fault::Twin { process, time },
    ]
}

#[test]
fn a_directory_comes_back_before_it_is_put_aside_again() {
    for number in 0..4 {
        let (mut world, operator) = world(1);
        let own = world.process(PROCESS).directory.stamp;
        assert!(world.inject(operator, &Fault::Wiped { process: PROCESS, time: SOON }));
        assert_ne!(world.process(PROCESS).directory.stamp, own, "it finds its directory empty");
        let fault = &exchanges(LATER)[number];
        let processes = world.process_count();
        assert!(!world.inject(operator, fault), "while it has another directory: {fault:?}");
        // An old copy is made by the first fault of its kind, and put in by the second.
        assert!(!world.inject(operator, fault), "while it has another directory: {fault:?}");
        assert_eq!((world.process_count(), world.faults.get(fault.class())), (processes, wiped(fault)), "{fault:?}");
        world.run_for(LATER * 2);
        assert_eq!(world.process(PROCESS).directory.stamp, own, "after {fault:?} it has its own again");
        world.settle();
        assert_eq!(world.judge().word(), "pass", "{fault:?}: {:?}", world.judge());
    }
}

/// How often faults of this class were counted: the first one was.
fn wiped(fault: &Fault) -> Option<&u64> {
    matches!(fault, Fault::Wiped { .. }).then_some(&1)
}

/// What is put aside meanwhile would not be made whole: another directory would.
#[test]
fn nothing_is_put_aside_while_something_of_it_is_to_be_mended() {
    let process = PROCESS;
    let faults = [
        Fault::FullDisk { process, time: SOON },
        Fault::LyingSyncs { process, part: Part::Wal, time: SOON },
        Fault::LostWrite { process, part: Part::Wal, time: SOON },
        Fault::SyncError { process, part: Part::Wal },
    ];
    for first in faults {
        let (mut world, operator) = world(1);
        assert!(world.inject(operator, &first));
        let second = Fault::Wiped { process, time: LATER };
        assert!(!world.inject(operator, &second), "while there is {first:?}");
        world.run_until(Duration::from_secs(20), |world| world.mends.is_empty() && world.process(PROCESS).is_up());
        assert!(world.inject(operator, &second), "after {first:?}");
        world.settle();
        assert_eq!(world.judge().word(), "pass", "{first:?}: {:?}", world.judge());
    }
}
