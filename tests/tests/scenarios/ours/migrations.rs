//! Every step of a migration, from the birth of a group to its end, crossed with a crash of each side, of its leader alone
//! and of one other server alone.

use super::{fill, keys, lab, users};
use crate::lab::Lab;
use quorate_core::client::Operation as Asked;
use quorate_spec::ids::GroupId;
use quorate_tests::sim::disk::Outage;
use quorate_tests::sim::operator::{leave, shift};
use std::time::Duration;

/// What happens.
#[derive(Clone, Copy, Debug)]
enum Story {
    /// Group 1 is the first one of all.
    Birth,
    /// One shard moves from group 1 to group 2.
    Move,
    /// Group 1 leaves, and group 2 gets all that it has.
    End,
}

/// The steps of each story, by the actions of the specification, in the order in which they happen first.
const STEPS: &[(Story, &[&str])] = &[
    (Story::Birth, &["CreateReplica", "AdoptConfiguration", "StartEmpty"]),
    (Story::Move, &["AdoptConfiguration", "Freeze", "Pull", "SendChunk", "InstallChunk", "Install", "Collect"]),
    (Story::End, &["Retire", "DestroyReplica"]),
];

/// Who loses its power.
#[derive(Clone, Copy, Debug)]
enum Victims {
    /// All servers of these groups.
    Groups(&'static [u64]),
    /// Of a group, the leader.
    Leader(u64),
    /// Of a group, one server that does not lead it.
    Follower(u64),
    /// The controllers.
    Controllers,
}

impl Story {
    /// The group that gives, the one that takes, or both, and of each the leader or another server alone; and the
    /// controllers, where they have a part.
    const fn victims(self) -> &'static [Victims] {
        use Victims::{Controllers, Follower, Groups, Leader};
        match self {
            Self::Birth => &[Groups(&[1]), Leader(1), Follower(1), Controllers],
            Self::Move => {
                &[Groups(&[1]), Groups(&[2]), Groups(&[1, 2]), Leader(1), Leader(2), Follower(1), Follower(2)]
            }
            Self::End => &[
                Groups(&[1]),
                Groups(&[2]),
                Groups(&[1, 2]),
                Leader(1),
                Leader(2),
                Follower(1),
                Follower(2),
                Controllers,
            ],
        }
    }

    /// How many groups there are before it.
    const fn groups(self) -> u64 {
        match self {
            Self::Birth => 0,
            Self::Move | Self::End => 2,
        }
    }

    fn change(self, lab: &Lab, moving: u64) -> Asked {
        match self {
            Self::Birth => lab.joining(&[1]),
            Self::Move => shift(moving, 2),
            Self::End => leave(&[1]),
        }
    }
}

impl Victims {
    /// The processes. A group that has no leader yet, or no more, is taken for one that its first server leads.
    fn of(self, lab: &Lab) -> Vec<usize> {
        let leader = |gid| {
            let group = lab.world.groups().into_iter().rfind(|group: &GroupId| group.gid.get() == gid);
            group.and_then(|group| lab.world.leader(group)).unwrap_or(lab.servers(gid)[0])
        };
        match self {
            Self::Groups(gids) => gids.iter().flat_map(|gid| lab.servers(*gid)).collect(),
            Self::Leader(gid) => vec![leader(gid)],
            Self::Follower(gid) => {
                lab.servers(gid).into_iter().find(|server| *server != leader(gid)).into_iter().collect()
            }
            Self::Controllers => (0..3).collect(),
        }
    }
}

/// When the step was taken for the `nth` time in the story, all victims lose their power, for a second.
fn crash_at(story: Story, step: &str, nth: u64, victims: Victims, seed: u64) {
    let (mut lab, keys) = (lab(seed, story.groups()), keys());
    let mut moving = 0;
    if story.groups() > 0 {
        moving = lab.shards_of(1)[0];
        fill(&mut lab, &keys[&moving], 3, 1500);
        lab.work(3, &users());
        lab.progress(20);
    }
    let before = lab.count(step);
    let change = story.change(&lab, moving);
    let call = lab.world.call(lab.operator, change);
    let end = lab.world.now() + Duration::from_secs(10);
    while lab.count(step) < before + nth {
        assert!(lab.world.now() < end, "{step} is taken {nth} times in the story");
        lab.world.run_for(Duration::from_micros(50));
    }
    let victims = victims.of(&lab);
    lab.world.crash_all(victims.iter().copied(), Outage::Power { kept: 500 });
    lab.run(1000);
    victims.into_iter().for_each(|server| lab.world.start(server));
    let operator = lab.operator;
    lab.until("the operator is answered", |world| world.outcome(operator, call).is_some());
    lab.settled();
    match story {
        Story::Birth => {
            assert_eq!(lab.shards_of(1).len(), keys.len());
            lab.work(3, &users());
        }
        Story::Move => assert!(lab.shards_of(2).contains(&moving)),
        Story::End => {
            assert_eq!(lab.shards_of(2).len(), keys.len());
            lab.until("the old group retires", |world| world.groups().iter().all(|group| group.gid.get() != 1));
        }
    }
    lab.progress(20);
    lab.pass();
}

/// Row `every step of a migration crossed with a crash of each side`. A step is taken by up to three replicas: the crash
/// comes when the first, and when the last but one has taken it.
#[test]
fn ours_every_step_of_a_migration_crossed_with_a_crash_of_each_side() {
    let mut seed = 150;
    for (story, steps) in STEPS {
        for (step, victims) in steps.iter().flat_map(|step| story.victims().iter().map(move |victims| (step, victims)))
        {
            for nth in [1, 2] {
                seed += 1;
                println!("{story:?}: {step} for the {nth}. time, {victims:?} lose their power, seed {seed}");
                crash_at(*story, step, nth, *victims, seed);
            }
        }
    }
}
