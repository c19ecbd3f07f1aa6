//! The clusters of the scenarios, their users and their operator.

use quorate_core::client::{Operation as Asked, Outcome as Told};
use quorate_core::controller::Configuration;
use quorate_core::message::Request;
use quorate_core::node::Node;
use quorate_core::raft::Replica;
use quorate_core::shard::Command;
use quorate_core::status::ReplicaStatus;
use quorate_spec::history::{Call, Operation, Outcome};
use quorate_spec::ids::{ConfigNum, Gid, GroupId};
use quorate_tests::sim::cli::write_traces;
use quorate_tests::sim::judge::Finding;
use quorate_tests::sim::operator::{join, leave, shift};
use quorate_tests::sim::setup::Setup;
use quorate_tests::sim::workload::Workload;
use quorate_tests::sim::world::World;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Shards of every cluster with several groups, as in the lab.
pub(crate) const SHARDS: u32 = 10;
/// Long enough for whatever must come about once nothing hinders it.
const PATIENCE: Duration = Duration::from_secs(30);
/// The users of single operations have numbers from here on; those of workloads begin at 1.
const FIRST_USER: u64 = 1_000_000;

/// Milliseconds of virtual time.
pub(crate) const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// A user who does one thing after the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct User {
    /// The client that works for the user.
    pub(crate) client: usize,
    process: u64,
}

/// A simulated cluster of groups with numbers from 1 on, and an operator.
pub(crate) struct Lab {
    pub(crate) world: World,
    pub(crate) operator: usize,
    groups: Vec<Vec<usize>>,
    users: u64,
    tokens: u64,
    /// Where traces go if the test fails; a new directory of its own for `None`.
    traces: Option<PathBuf>,
}

impl Drop for Lab {
    /// A test that fails leaves what every process was given.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        let finding = match self.world.violation() {
            Some(violation) => Finding::Fail(violation.clone()),
            None => Finding::Unknown("the test failed here, and says why".into()),
        };
        let directory = self.traces.take().or_else(|| Some(tempfile::tempdir().ok()?.keep()));
        if let Some(directory) = directory {
            write_traces(&self.world.traces(&finding), &directory);
        }
    }
}

impl Lab {
    /// One group of so many servers, the processes from 1 on, at work. Process 0 is the controller, which is not what is
    /// tested here.
    pub(crate) fn one_group(servers: usize, setup: Setup) -> Self {
        let setup = Setup { nodes: servers + 1, controllers: 1, ..setup };
        let mut lab = Self::new(setup, vec![(1..=servers).collect()]);
        let servers = lab.servers(1);
        assert!(lab.world.found(lab.operator, &[(1, &servers)]), "the group is made: {:?}", lab.world.violation());
        lab
    }

    /// Three controllers, the processes 0 to 2, and servers for so many groups of three. The first `joined` of the groups
    /// have joined and are at work.
    pub(crate) fn sharded(groups: usize, joined: u64, setup: Setup) -> Self {
        let setup = Setup { nodes: 3 + 3 * groups, controllers: 3, shards: SHARDS, ..setup };
        let mut lab = Self::new(setup, (0..groups).map(|group| (3 + 3 * group..6 + 3 * group).collect()).collect());
        assert!(lab.world.wait_for_registration(), "every node is registered");
        if joined > 0 {
            lab.join(&(1..=joined).collect::<Vec<_>>());
            lab.settled();
        }
        lab
    }

    fn new(setup: Setup, groups: Vec<Vec<usize>>) -> Self {
        let mut world = World::new(Setup { records: true, ..setup });
        let operator = world.add_client();
        Self { world, operator, groups, users: FIRST_USER, tokens: 0, traces: None }
    }

    /// The processes of a group.
    pub(crate) fn servers(&self, gid: u64) -> Vec<usize> {
        self.groups[gid as usize - 1].clone()
    }

    /// The latest identity of a group of which there are replicas.
    pub(crate) fn id(&self, gid: u64) -> GroupId {
        let group = self.world.groups().into_iter().rfind(|group| group.gid == Gid::new(gid));
        group.unwrap_or_else(|| panic!("group {gid} has replicas"))
    }

    pub(crate) fn run(&mut self, milliseconds: u64) {
        self.world.run_for(ms(milliseconds));
        self.unbroken();
    }

    fn unbroken(&self) {
        if let Some(violation) = self.world.violation() {
            panic!("at {:?}: {violation:?}", self.world.now());
        }
    }

    /// Waits for something that must come about.
    #[track_caller]
    pub(crate) fn until(&mut self, what: &str, done: impl FnMut(&mut World) -> bool) {
        self.within(PATIENCE, what, done);
    }

    /// Waits for something that must come about in bounded virtual time. Says how long it took.
    #[track_caller]
    pub(crate) fn within(&mut self, time: Duration, what: &str, done: impl FnMut(&mut World) -> bool) -> Duration {
        let begun = self.world.now();
        let came = self.world.run_until(time, done);
        self.unbroken();
        assert!(came, "within {time:?}: {what}");
        self.world.now() - begun
    }
}

/// The operator.
impl Lab {
    /// Has the operator change the configuration, which must make a new one.
    #[track_caller]
    pub(crate) fn change(&mut self, change: Asked) {
        let told = self.world.call_and_wait(self.operator, change);
        self.unbroken();
        assert!(matches!(told, Some(Told::Changed { changed: true, .. })), "{told:?}");
    }

    #[track_caller]
    pub(crate) fn join(&mut self, gids: &[u64]) {
        let change = self.joining(gids);
        self.change(change);
    }

    /// The change that lets groups join on their servers.
    pub(crate) fn joining(&self, gids: &[u64]) -> Asked {
        let groups: Vec<(u64, &[usize])> =
            gids.iter().map(|gid| (*gid, self.groups[*gid as usize - 1].as_slice())).collect();
        join(&groups)
    }

    #[track_caller]
    pub(crate) fn leave(&mut self, gids: &[u64]) {
        self.change(leave(gids));
    }

    #[track_caller]
    pub(crate) fn shift(&mut self, shard: u64, gid: u64) {
        self.change(shift(shard, gid));
    }

    /// Waits until every group has the latest configuration and all its shards.
    #[track_caller]
    pub(crate) fn settled(&mut self) {
        self.until("all groups settle", |world| world.is_settled());
    }

    /// A configuration as the controller tells it; the latest for `None`.
    #[track_caller]
    pub(crate) fn query(&mut self, num: Option<u64>) -> Arc<Configuration> {
        match self.world.call_and_wait(self.operator, Asked::Query { num: num.map(ConfigNum::new) }) {
            Some(Told::Configuration(config)) => config,
            told => panic!("the controller answers: {told:?}"),
        }
    }

    /// The shards that the latest configuration gives to a group.
    #[track_caller]
    pub(crate) fn shards_of(&mut self, gid: u64) -> Vec<u64> {
        let config = self.query(None);
        let owned = config.shards.iter().zip(0..).filter(|(it, _)| it.owner.is_some_and(|it| it.gid == Gid::new(gid)));
        owned.map(|(_, shard)| shard).collect()
    }
}

/// Users.
impl Lab {
    pub(crate) fn user(&mut self) -> User {
        self.users += 1;
        User { client: self.world.add_client(), process: self.users }
    }

    /// A token that nobody wrote before, for users' writes.
    pub(crate) fn token(&mut self, user: &User) -> Vec<u8> {
        self.tokens += 1;
        format!("{}.{};", user.process, self.tokens).into_bytes()
    }

    /// Does one operation as part of the history and waits until it is over, one way or another.
    pub(crate) fn perform(&mut self, user: &mut User, key: &str, call: Call) -> Operation {
        let place = self.world.history.len();
        let id = self.world.operate(user.client, user.process, key.as_bytes(), call);
        let (client, patience) = (user.client, self.world.setup.deadline * 2);
        self.world.run_until(patience, |world| !world.is_under_way(client, id));
        self.unbroken();
        let operation = self.world.history[place].clone();
        if operation.outcome == Outcome::Unknown {
            self.users += 1;
            user.process = self.users;
        }
        operation
    }

    /// Appends a token to a key, which must succeed.
    #[track_caller]
    pub(crate) fn append(&mut self, user: &mut User, key: &str) -> Operation {
        let token = self.token(user);
        let operation = self.perform(user, key, Call::Append(token));
        assert_eq!(operation.outcome, Outcome::Done, "{operation:?}");
        operation
    }

    #[track_caller]
    pub(crate) fn put(&mut self, user: &mut User, key: &str, value: &[u8]) -> Operation {
        let operation = self.perform(user, key, Call::Put(value.to_vec()));
        assert_eq!(operation.outcome, Outcome::Done, "{operation:?}");
        operation
    }

    #[track_caller]
    pub(crate) fn get(&mut self, user: &mut User, key: &str) -> Option<Vec<u8>> {
        match self.perform(user, key, Call::Get) {
            Operation { outcome: Outcome::Value(value), .. } => value,
            operation => panic!("the read is answered: {operation:?}"),
        }
    }

    /// Appends to and reads each of these keys; all must succeed.
    #[track_caller]
    pub(crate) fn serve<'a>(&mut self, user: &mut User, keys: impl IntoIterator<Item = &'a String>) {
        for key in keys {
            self.append(user, key);
            assert!(self.get(user, key).is_some());
        }
    }

    /// Puts new users to work.
    pub(crate) fn work(&mut self, users: usize, workload: &Workload) {
        for _ in 0..users {
            let client = self.world.add_client();
            self.world.put_to_work(client, workload.clone());
        }
    }

    /// Waits until users were answered so many times what they ask from now on.
    #[track_caller]
    pub(crate) fn progress(&mut self, answers: usize) {
        let begun = self.world.history.len();
        self.until("users are answered", |world| {
            world.history[begun..].iter().filter(|operation| operation.returned.is_some()).count() >= answers
        });
    }
}

/// What is seen from outside.
impl Lab {
    /// A process's replica of a group, if it is up and has one.
    pub(crate) fn replica(&self, process: usize, group: GroupId) -> Option<&Replica<Command>> {
        let node: &Node = self.world.process(process).node()?;
        node.groups().find(|it| it.id() == group).map(|it| it.replica())
    }

    /// The state of a process's replicas of data groups, as an operator sees it.
    pub(crate) fn statuses(&self, process: usize) -> Vec<ReplicaStatus> {
        let status = self.world.process(process).node().map(|node| node.status());
        let replicas = status.into_iter().flat_map(|status| status.replicas);
        replicas.filter(|replica| replica.group != GroupId::CONTROLLER).collect()
    }

    /// Logical bytes of live entries that a process holds for data groups.
    pub(crate) fn log_bytes(&self, process: usize) -> u64 {
        let node = self.world.process(process).node();
        node.into_iter().flat_map(|node| node.groups()).map(|group| group.replica().log_bytes()).sum()
    }

    /// How often an action of the specification was taken so far.
    pub(crate) fn count(&self, action: &str) -> u64 {
        assert!(quorate_spec::action::Action::NAMES.contains(&action), "{action} is an action");
        self.world.actions().get(action).copied().unwrap_or(0)
    }

    /// Hands a request of a user who knows better to a process; the answer is not waited for.
    pub(crate) fn ask_node(&mut self, process: usize, request: Request) {
        self.world.ask_node(process, request);
        self.unbroken();
    }

    /// The end: everything is healed and must get on, every key is read, and all judges are content. Every append is
    /// there at most once, the acknowledged ones exactly once, and those of one user in their order. Says how many appends
    /// were there to be looked at: those to keys that nobody put anything to.
    #[track_caller]
    pub(crate) fn pass(mut self) -> usize {
        self.world.settle();
        let finding = self.world.judge();
        assert_eq!(finding.word(), "pass", "at {:?}: {finding:?}", self.world.now());
        let ordered = in_order(&self.world.history);
        let Self { world, .. } = &self;
        let (operations, time) = (world.history.len(), world.now());
        println!("{operations} operations, {ordered} appends in order, {time:?}, {:?}", world.counts);
        ordered
    }
}

/// Of every key that was only appended to, the last value holds each user's tokens in order, and the acknowledged ones once.
/// Says how many those values hold.
fn in_order(history: &[Operation]) -> usize {
    let mut appends = 0;
    let mut last: BTreeMap<&[u8], &[u8]> = BTreeMap::new();
    for operation in history {
        if let Outcome::Value(Some(value)) = &operation.outcome {
            last.insert(&operation.key, value);
        }
    }
    for operation in history.iter().filter(|operation| matches!(operation.call, Call::Put(_))) {
        last.remove(operation.key.as_slice());
    }
    for (key, value) in last {
        let text = String::from_utf8_lossy(value);
        let (mut latest, mut times): (BTreeMap<&str, u64>, BTreeMap<&str, usize>) = Default::default();
        for token in text.split_terminator(';') {
            *times.entry(token).or_default() += 1;
            appends += 1;
            let (user, number) = token.split_once('.').expect("a token is user.number;");
            let number = number.parse().expect("numbers are numbers");
            let before = latest.insert(user, number);
            assert!(before.is_none_or(|before| before < number), "{token} comes after {before:?} in {text}");
        }
        let appended = |operation: &&Operation| operation.key == key && operation.outcome == Outcome::Done;
        for operation in history.iter().filter(appended) {
            let Call::Append(token) = &operation.call else { unreachable!("nothing was put") };
            let token = String::from_utf8_lossy(token);
            assert_eq!(times.get(token.trim_end_matches(';')), Some(&1), "{token} in {text}");
        }
    }
    appends
}

#[test]
fn a_scenario_that_fails_leaves_traces_of_every_process() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let mut lab = Lab::one_group(3, Setup::default());
    lab.traces = Some(directory.path().to_path_buf());
    let failed = std::thread::spawn(move || lab.within(ms(10), "what never comes", |_| false)).join();
    assert!(failed.is_err());
    for process in 0..4 {
        let file = directory.path().join(format!("process-{process}.trace.json"));
        let text = std::fs::read_to_string(file).expect("every process left a trace");
        let trace: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
        assert_eq!((&trace["model"], &trace["property"]), (&"record".into(), &"WholeRun".into()));
        assert!(trace["steps"].as_array().is_some_and(|steps| steps.len() > 10), "process {process}");
    }
}
