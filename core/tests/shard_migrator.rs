//! The driver of migrations: what it proposes and asks, in how many messages, and what it does when nothing answers.

mod shard_support;

use quorate_core::controller::Directory;
use quorate_core::shard::{Command, Cursor, Drive, Known, Migrator, Pace, ShardMessage};
use quorate_core::spec::ids::{GroupId, NodeId};
use shard_support::*;

const ALL: usize = 1 << 20;
const ME: NodeId = NodeId::new(21);

fn directory(plan: &Plan, groups: &[GroupId]) -> Directory {
    Directory {
        config: plan.latest().num,
        groups: groups.iter().map(|group| (*group, servers(*group))).collect(),
        ..Directory::default()
    }
}

/// Groups 1 and 3 give up shards to group 2, which has adopted the configuration that says so.
struct Scene {
    plan: Plan,
    sources: Vec<Log>,
    target: Log,
    directory: Directory,
    migrator: Migrator,
}

impl Scene {
    /// `owners` is the first owner (by gid) of each shard; every shard holds `keys` keys.
    fn new(owners: &[u64], keys: usize, pace: Pace) -> Self {
        let mut plan = Plan::new(owners.len());
        let (ids, b) = ([gid(1, 1), gid(3, 1)], gid(2, 1));
        plan.publish(|draft| {
            ids.iter().chain([&b]).for_each(|group| draft.list(*group));
            draft.owners = owners.iter().map(|number| Some(gid(*number, 1))).collect();
        });
        let mut sources = ids.map(|group| Log::new(group, &plan));
        for source in &mut sources {
            source.adopt(&plan, 1);
            for number in source.state.serving().collect::<Vec<_>>() {
                for nth in 0..keys {
                    let seq = number.get() * keys as u64 + nth as u64 + 1;
                    source.done(9, seq, &key_in(number, owners.len() as u32, nth), put("value"));
                }
            }
        }
        let mut target = Log::new(b, &plan);
        plan.publish(|draft| draft.owners.fill(Some(b)));
        target.adopt(&plan, 2);
        let directory = directory(&plan, &[ids[0], ids[1], b]);
        Self { plan, sources: sources.into(), target, directory, migrator: Migrator::with_pace(pace) }
    }

    fn freeze(&mut self) {
        for source in &mut self.sources {
            source.adopt(&self.plan, 2);
        }
    }

    fn drive(&mut self, tick: bool) -> Drive {
        let next = self.plan.after(self.target.state.config().num);
        let known = Known { next, directory: &self.directory };
        self.migrator.drive(ME, &self.target.state, known, tick)
    }

    /// What the asked replica answers to one sent message, given to the driver.
    fn answer(&mut self, send: &(GroupId, NodeId, ShardMessage), limit: usize) -> Drive {
        let (group, node, message) = send;
        let source = self.sources.iter().find(|source| source.state.group() == *group).expect("a known origin");
        let answer = source.state.answer(message, limit).expect("an answer");
        self.migrator.received(&self.target.state, *node, &answer)
    }

    fn apply(&mut self, drive: &Drive) {
        for command in &drive.propose {
            self.target.apply(command);
        }
    }
}

fn asked(drive: &Drive) -> Vec<(u64, u64, Cursor)> {
    let pulls = drive.sends.iter().filter_map(|(_, node, message)| match message {
        ShardMessage::Pull { shard, from, .. } => Some((shard.get(), node.get(), from.clone())),
        _ => None,
    });
    pulls.collect()
}

#[test]
fn a_small_shard_moves_in_one_round_trip_and_one_entry() {
    let mut scene = Scene::new(&[1], 3, Pace::default());
    scene.freeze();
    let first = scene.drive(false);
    assert_eq!(asked(&first), [(0, 11, Cursor::Start)]);
    assert!(first.propose.is_empty());
    let second = scene.answer(&first.sends[0], ALL);
    assert_eq!((second.propose.len(), second.sends.len()), (1, 0));
    assert_eq!(scene.migrator.total(shard(0)), Some(scene.sources[0].state.data_bytes()));
    scene.apply(&second);
    assert!(scene.target.state.settled() && scene.target.state.serves(shard(0)));
    let third = scene.drive(false);
    let hints: Vec<_> = third.sends.iter().map(|(_, node, message)| (node.get(), message.clone())).collect();
    let (target, origin) = (scene.target.state.group(), origin(gid(1, 1), 2));
    let confirmed = ShardMessage::Confirmed { target, shard: shard(0), origin };
    assert_eq!(hints, [11, 12, 13].map(|node| (node, confirmed.clone())), "all of the origin are told, once");
    assert_eq!(scene.drive(false), Drive::default());
}

#[test]
fn parts_run_ahead_of_what_is_applied_within_a_bound() {
    let mut scene = Scene::new(&[1], 20, Pace { ahead: 3, ..Pace::default() });
    scene.freeze();
    let mut last = scene.drive(false);
    let mut proposed = Vec::new();
    while let Some(send) = last.sends.first().cloned() {
        last = scene.answer(&send, 1);
        let again = scene.answer(&send, 1);
        assert_eq!(again, Drive::default(), "a repeated part is not proposed twice");
        proposed.append(&mut last.propose);
    }
    assert_eq!(proposed.len(), 3, "then it waits for the log");
    assert_eq!(scene.drive(false), Drive::default());
    scene.target.apply(&proposed[0]);
    assert_eq!(scene.drive(false).sends.len(), 1, "one applied, one more asked for");
}

#[test]
fn a_refused_question_goes_round_the_members_and_then_waits_for_the_tick() {
    let mut scene = Scene::new(&[1], 1, Pace::default());
    let mut drive = scene.drive(false);
    let mut members = Vec::new();
    while let Some(send) = drive.sends.first().cloned() {
        members.push(send.1.get());
        drive = scene.answer(&send, ALL);
    }
    assert_eq!(members, [11, 12, 13], "nobody has frozen it yet; each was asked once");
    assert_eq!(scene.drive(false), Drive::default());
    scene.freeze();
    let drive = scene.drive(true);
    assert_eq!(asked(&drive), [(0, 11, Cursor::Start)]);
    let drive = scene.answer(&drive.sends[0], ALL);
    scene.apply(&drive);
    assert!(scene.target.state.settled());
}

#[test]
fn what_is_lost_is_asked_again_of_another_member_from_the_replicated_cursor() {
    let mut scene = Scene::new(&[1], 20, Pace { ahead: 2, ..Pace::default() });
    scene.freeze();
    let drive = scene.drive(false);
    let drive = scene.answer(&drive.sends[0], 1);
    scene.apply(&drive);
    let here = scene.drive(false);
    assert_eq!(here, Drive::default(), "the question is open");
    assert_eq!(asked(&scene.drive(true)), [], "it may be on its way");
    let again = asked(&scene.drive(true));
    assert_eq!(again.len(), 1);
    assert_eq!((again[0].1, &again[0].2), (12, &asked(&drive)[0].2));
    scene.migrator = Migrator::new();
    assert_eq!(asked(&scene.drive(false))[0].2, again[0].2, "a new leader finds the same work");
}

#[test]
fn a_slow_log_is_not_given_the_same_parts_at_every_tick() {
    let mut scene = Scene::new(&[1], 20, Pace { ahead: 1, patience: 3, ..Pace::default() });
    scene.freeze();
    let drive = scene.drive(false);
    let part = scene.answer(&drive.sends[0], 1);
    assert_eq!(part.propose.len(), 1);
    let asked: Vec<usize> = (0..6).map(|_| asked(&scene.drive(true)).len()).collect();
    assert_eq!(asked, [0, 0, 0, 1, 1, 1], "proposed and not applied: three ticks; asked and not answered: one");
}

#[test]
fn an_origin_that_is_down_holds_up_no_other() {
    let mut scene = Scene::new(&[1, 1, 1, 1, 3, 1], 1, Pace { pulls: 2, looks: 3, ..Pace::default() });
    scene.freeze();
    let mut sends = scene.drive(false).sends;
    for _ in 0..20 {
        for send in sends.iter().filter(|send| send.0 == gid(3, 1) && matches!(send.2, ShardMessage::Pull { .. })) {
            let drive = scene.answer(send, ALL);
            scene.apply(&drive);
        }
        sends = scene.drive(true).sends;
    }
    assert!(scene.target.state.serves(shard(4)), "the only shard of the group that is up");
    assert_eq!(scene.target.state.awaiting().count(), 5);
}

#[test]
fn many_shards_move_a_few_at_a_time() {
    let mut scene = Scene::new(&[1; 40], 1, Pace { pulls: 3, looks: 5, ..Pace::default() });
    scene.freeze();
    let mut rounds = 0;
    while !scene.target.state.settled() {
        let drive = scene.drive(true);
        let pulls: Vec<_> = drive.sends.iter().filter(|send| matches!(send.2, ShardMessage::Pull { .. })).collect();
        assert!(pulls.len() <= 3);
        for send in pulls {
            let drive = scene.answer(send, ALL);
            scene.apply(&drive);
        }
        rounds += 1;
        assert!(rounds < 200, "every tick moves something");
    }
}

#[test]
fn a_member_of_both_groups_asks_itself_first() {
    let mut scene = Scene::new(&[1], 1, Pace::default());
    scene.freeze();
    scene.directory.groups.insert(gid(1, 1), vec![NodeId::new(11), ME]);
    assert_eq!(asked(&scene.drive(false)), [(0, ME.get(), Cursor::Start)]);
}

#[test]
fn a_configuration_is_proposed_once_and_again_when_it_seems_lost() {
    let mut plan = Plan::new(1);
    let group = gid(2, 1);
    plan.give(&[(0, Some(group))]);
    let log = Log::new(group, &plan);
    let directory = directory(&plan, &[group]);
    let known = Known { next: Some(plan.get(1)), directory: &directory };
    let mut migrator = Migrator::new();
    let adopts = [false, false, true, true, true].map(|tick| migrator.drive(ME, &log.state, known, tick).propose.len());
    assert_eq!(adopts, [1, 0, 0, 1, 0]);
    let skipped = Known { next: Some(plan.get(0)), directory: &directory };
    assert_eq!(Migrator::new().drive(ME, &log.state, skipped, true), Drive::default());
    let mut scene = Scene::new(&[1], 1, Pace::default());
    scene.plan.give(&[(0, None)]);
    assert!(scene.drive(true).propose.is_empty(), "not while a shard is awaited");
}

/// Group 1 with a frozen copy that group 2 has taken over in configuration 2.
fn giver() -> (Plan, Log, Migrator) {
    let mut plan = Plan::new(1);
    let (a, b) = (gid(1, 1), gid(2, 2));
    plan.give(&[(0, Some(a))]);
    plan.publish(|draft| {
        draft.list(b);
        draft.leave(a);
        draft.owners[0] = Some(b);
    });
    let mut log = Log::new(a, &plan);
    log.adopt(&plan, 2);
    (plan, log, Migrator::new())
}

#[test]
fn a_copy_is_collected_when_its_taker_confirms_and_the_group_retires() {
    let (plan, mut log, mut migrator) = giver();
    let directory = directory(&plan, &[gid(1, 1), gid(2, 2)]);
    let known = Known { next: None, directory: &directory };
    let mut questions = Vec::new();
    for _ in 0..4 {
        let drive = migrator.drive(ME, &log.state, known, true);
        assert!(drive.propose.is_empty() && !drive.retire);
        questions.extend(drive.sends.iter().map(|(group, node, _)| (*group, node.get())));
    }
    assert_eq!(questions, [21, 22, 23, 21].map(|node| (gid(2, 2), node)), "another member each time");
    let origin = origin(gid(1, 1), 2);
    let stranger = ShardMessage::Confirmed { target: gid(2, 1), shard: shard(0), origin };
    assert_eq!(migrator.received(&log.state, ME, &stranger), Drive::default(), "another identity has no say");
    let confirmed = ShardMessage::Confirmed { target: gid(2, 2), shard: shard(0), origin };
    let drive = migrator.received(&log.state, ME, &confirmed);
    assert_eq!(drive.propose, [Command::Collect { shard: shard(0), config: config_num(2) }]);
    assert_eq!(migrator.received(&log.state, ME, &confirmed), Drive::default(), "proposed once");
    assert_eq!(migrator.drive(ME, &log.state, known, true), Drive::default(), "nothing to ask meanwhile");
    log.apply(&drive.propose[0]);
    assert!(migrator.drive(ME, &log.state, known, false).retire);
    assert_eq!(migrator.received(&log.state, ME, &confirmed), Drive::default());
}

#[test]
fn a_copy_whose_taker_has_retired_is_collected_but_not_on_old_news() {
    let (plan, log, mut migrator) = giver();
    let mut directory = directory(&plan, &[gid(1, 1)]);
    directory.config = config_num(1);
    let drive = migrator.drive(ME, &log.state, Known { next: None, directory: &directory }, true);
    assert_eq!(drive, Drive::default(), "this directory is older than the taker");
    directory.config = config_num(2);
    let drive = migrator.drive(ME, &log.state, Known { next: None, directory: &directory }, true);
    assert_eq!(drive.propose.len(), 1);
    let again: usize = (0..3)
        .map(|_| migrator.drive(ME, &log.state, Known { next: None, directory: &directory }, true).propose.len())
        .sum();
    assert_eq!(again, 1, "a lost proposal is made again, not at every tick");
}

#[test]
fn a_confirmation_before_the_taker_is_known_is_not_believed() {
    let mut plan = Plan::new(1);
    let a = gid(1, 1);
    plan.give(&[(0, Some(a))]);
    plan.give(&[(0, None)]);
    let mut log = Log::new(a, &plan);
    log.adopt(&plan, 2);
    let confirmed = ShardMessage::Confirmed { target: gid(2, 3), shard: shard(0), origin: origin(a, 2) };
    assert_eq!(Migrator::new().received(&log.state, ME, &confirmed), Drive::default());
}

#[test]
fn every_copy_is_asked_about_in_turn_and_of_every_member() {
    let mut plan = Plan::new(3);
    let (a, b) = (gid(1, 1), gid(2, 1));
    plan.publish(|draft| {
        draft.list(a);
        draft.list(b);
        draft.owners.fill(Some(a));
    });
    plan.publish(|draft| draft.owners.fill(Some(b)));
    let mut log = Log::new(a, &plan);
    log.adopt(&plan, 2);
    let directory = directory(&plan, &[a, b]);
    let mut migrator = Migrator::with_pace(Pace { looks: 2, ..Pace::default() });
    let mut asked = std::collections::BTreeSet::new();
    for _ in 0..6 {
        let drive = migrator.drive(ME, &log.state, Known { next: None, directory: &directory }, true);
        assert!(drive.sends.len() <= 2);
        asked.extend(drive.sends.iter().map(|(_, node, message)| match message {
            ShardMessage::Confirm { shard, .. } => (shard.get(), node.get()),
            other => panic!("{other:?}"),
        }));
    }
    assert_eq!(asked.len(), 9, "three copies, three members");
}
