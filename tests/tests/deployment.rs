//! The README's chapter on deployment, followed to the letter on hosts with addresses of their own, while clients work.
//!
//! Every block of the chapter is run as it stands there. What it says is to be so afterwards is looked at from outside,
//! and the history of all clients goes to the judges: no operation may have failed, nothing acknowledged may be lost or be
//! there twice.

use quorate::client_api::{Client, Options};
use quorate::cluster::watch::{self, Statuses};
use quorate::history;
use quorate_spec::history::Call;
use quorate_spec::views::Role;
use quorate_tests::chapter::{Block, Chapter, root};
use quorate_tests::hosts::{Network, SUBNET};
use quorate_tests::recorder::{Recorder, work};
use quorate_tests::world::{PATIENCE, binary, key_per_shard};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Where clients and the operator are.
const ANYWHERE: u64 = 100;
const FIRST: RangeInclusive<u64> = 1..=9;
const ALL: RangeInclusive<u64> = 1..=12;
const SHARDS: u32 = 64;
const CLIENTS: u64 = 6;

/// The deployment so far.
struct Site {
    chapter: Chapter,
    network: Network,
    /// What every host is set up with, to be done again on those that come later.
    setup: [Block; 3],
}

/// Clients at work.
struct Load {
    recorder: Arc<Recorder>,
    keys: Arc<Vec<String>>,
    stop: Arc<AtomicBool>,
    at_work: JoinSet<()>,
}

/// The addresses of nodes.
fn addresses(nodes: RangeInclusive<u64>) -> BTreeMap<u64, String> {
    nodes.map(|node| (node, format!("{SUBNET}.{node}:7001"))).collect()
}

fn options() -> Options {
    Options { cluster: Some("example".into()), ..Options::new(addresses(1..=3).into_values().collect()) }
}

async fn connect() -> Client {
    watch::connect(&options(), PATIENCE).await.expect("the controllers serve")
}

impl Load {
    async fn start() -> Self {
        let keys: Vec<String> = key_per_shard(SHARDS, "k").into_values().collect();
        let (recorder, keys, stop) = (Arc::new(Recorder::default()), Arc::new(keys), Arc::default());
        let mut at_work = JoinSet::new();
        for process in 0..CLIENTS {
            let (recorder, keys, stop) = (Arc::clone(&recorder), Arc::clone(&keys), Arc::clone(&stop));
            let client = connect().await;
            at_work.spawn(work(recorder, client, process, keys, stop, Duration::from_millis(15)));
        }
        Self { recorder, keys, stop, at_work }
    }

    /// Ends the work, reads everything back and hands the whole history to the judges.
    async fn judge(mut self) {
        self.stop.store(true, Ordering::Relaxed);
        while let Some(ended) = self.at_work.join_next().await {
            ended.expect("a client does not panic");
        }
        let reader = connect().await;
        for key in self.keys.iter() {
            self.recorder.perform(&reader, CLIENTS, key.as_bytes(), Call::Get).await;
        }
        let recording = self.recorder.finish();
        let operations = recording.operations.len();
        println!("{operations} operations, the longest took {:?}", recording.longest);
        assert!(recording.troubles.is_empty(), "clients retry by themselves: {:#?}", recording.troubles);
        let judgement = history::judge(&recording.operations);
        let (order, once) = (history::describe(&judgement.linearizable), history::describe(&judgement.at_most_once));
        assert!(judgement.holds(), "linearizable: {order}; at most once: {once}");
        assert!(operations > 1000, "the clients got somewhere: {operations}");
    }
}

impl Site {
    /// The first nine hosts, set up and started.
    fn begin() -> Self {
        let stand_in = Path::new(env!("CARGO_BIN_EXE_stand-in"));
        let mut network = Network::new(&binary(), stand_in);
        for number in FIRST.chain([ANYWHERE]) {
            network.add(number);
        }
        let mut chapter = Chapter::of_readme("Deployment on several hosts");
        let program = chapter.take("on every host: the program");
        let shown = chapter.take("/etc/quorate/node.toml: one node. `id` and `listen` are this host's own; the rest is the same on every host.");
        let configuration =
            chapter.take("on every host: the configuration; the first line with its own id and address");
        let start = chapter.take("on every host: start");
        let example = std::fs::read_to_string(root().join("runtime/examples/config/node.toml"));
        assert_eq!(
            shown.text,
            example.expect("it is there"),
            "the file that the chapter shows is the one that it copies"
        );
        let site = Self { chapter, network, setup: [program, configuration, start] };
        site.network.run(ANYWHERE, &site.setup[0].text);
        site.set_up(FIRST);
        // What the chapter installed is a unit that systemd itself understands.
        site.network.run(1, "systemd-analyze verify /etc/systemd/system/quorate.service");
        site
    }

    /// Runs what is for every host on these, all at once: the order does not matter.
    fn set_up(&self, hosts: RangeInclusive<u64>) {
        std::thread::scope(|at_once| {
            for host in hosts {
                at_once.spawn(move || {
                    let [program, configuration, start] = &self.setup;
                    self.network.run(host, &own(program, host));
                    self.network.run(host, &own(configuration, host));
                    let said = self.network.run(host, &own(start, host));
                    assert!(said.contains("ready"), "the journal shows it: {said}");
                });
            }
        });
    }

    /// Runs the next block, which must be this one, from anywhere. Returns what it printed.
    fn anywhere(&mut self, title: &str) -> String {
        let block = self.chapter.take(title);
        self.network.run(ANYWHERE, &block.text)
    }

    /// Waits until something is so of the nodes' states, as they tell it themselves.
    async fn until<T>(&self, client: &Client, what: &str, look: impl Fn(&Statuses) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let statuses = watch::statuses(client, &addresses(ALL)).await;
            if let Some(found) = look(&statuses) {
                return found;
            }
            assert!(Instant::now() < deadline, "gave up waiting: {what}\n{}", self.network.last_words());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn settled(&self, client: &Client, nodes: RangeInclusive<u64>) {
        if let Err(why) = watch::settle(client, &addresses(nodes), PATIENCE).await {
            panic!("{why}\n{}", self.network.last_words());
        }
    }

    /// Three more hosts, set up in the same way; a third of the shards goes there.
    async fn add_a_group(&mut self, client: &Client) {
        for host in 10..=12 {
            self.network.add(host);
        }
        self.set_up(10..=12);
        let said = self.anywhere("anywhere: a third group");
        assert!(said.contains("10,11,12"), "the configuration shows the group: {said}");
        self.settled(client, ALL).await;
        let config = client.query(None).await.expect("the controllers serve");
        let owner = |shard: usize| config.shards[shard].owner.map(|group| group.gid.get());
        assert_eq!(owner(17), Some(3), "the move came after the join");
        assert!((0..SHARDS as usize).filter(|shard| owner(*shard) == Some(3)).count() >= 21);
    }

    /// Every node is restarted, one after the other; each stopped in good order.
    fn restart_all(&mut self) {
        let block = self.chapter.take("on every host, one after the other: restart");
        for host in ALL {
            self.network.run(host, &block.text);
            let journal = self.network.host(host).journal("quorate");
            let stopped = journal.lines().filter(|line| line.contains("stopped")).count();
            assert_eq!(stopped, 1, "host {host} handed over and ended by itself:\n{journal}");
        }
    }

    /// A group leaves, its nodes say when they may be stopped, and are.
    async fn retire_a_group(&mut self, client: &Client) {
        self.anywhere("anywhere: a group leaves");
        self.until(client, "the nodes of group 2 may be stopped", |statuses| {
            (7..=9).all(|node| statuses.get(&node).is_some_and(|status| status.may_be_stopped)).then_some(())
        })
        .await;
        let stop = self.chapter.take("on the hosts of the group that left, once they may be stopped");
        for host in 7..=9 {
            self.network.run(host, &stop.text);
        }
        self.settled(client, ALL).await;
    }

    /// The leader's host of group 1 loses its network, the others go on without it, and it comes back by itself.
    async fn cut_off_a_leader(&mut self, client: &Client) {
        let cut = self.chapter.take("on one host: the way to all others is gone");
        let back = self.chapter.take("on that host: and back again");
        let (old, term) = self.until(client, "group 1 has a leader", |statuses| leader(statuses, 1)).await;
        let others: Vec<u64> = ALL.chain([ANYWHERE]).filter(|host| *host != old && !(7..=9).contains(host)).collect();
        self.network.run(old, &cut.text);
        for host in &others {
            self.network.run(*host, &format!("ip route add blackhole {SUBNET}.{old}/32"));
        }
        let new = self
            .until(client, "the others elect a leader", |statuses| {
                assert!(!statuses.contains_key(&old), "host {old} is cut off");
                leader(statuses, 1).filter(|(_, newer)| *newer > term)
            })
            .await;
        let committed = |statuses: &Statuses, node| {
            let replicas = statuses.get(&node).map(|status| status.replicas.iter());
            replicas?.find(|replica| replica.group.gid.get() == 1).map(|replica| (replica.role, replica.commit))
        };
        for key in key_per_shard(SHARDS, "while-cut-off").into_values() {
            client.put(&key, "progress").await.expect("every shard is served by a majority");
        }
        let (_, reached) = self.until(client, "it answers", |statuses| committed(statuses, new.0)).await;
        self.network.run(old, &back.text);
        for host in &others {
            self.network.run(*host, &format!("ip route del blackhole {SUBNET}.{old}/32"));
        }
        self.until(client, "the old leader follows", |statuses| {
            committed(statuses, old).filter(|(role, commit)| *role == Role::Follower && *commit >= reached)
        })
        .await;
        println!("host {old} led group 1 in term {term}; cut off, host {} in term {}; healed", new.0, new.1);
    }
}

/// A group's leader and its term, of those that say so the one with the highest term.
fn leader(statuses: &Statuses, gid: u64) -> Option<(u64, u64)> {
    let replicas = statuses.iter().flat_map(|(node, status)| status.replicas.iter().map(|replica| (*node, replica)));
    let leading = replicas.filter(|(_, replica)| replica.group.gid.get() == gid && replica.role == Role::Leader);
    leading.map(|(node, replica)| (node, replica.term.get())).max_by_key(|(_, term)| *term)
}

/// A block as the host runs it: where the chapter says "the first line with its own id and address", with those.
fn own(block: &Block, host: u64) -> String {
    let (first, own) = (format!("\nID=1 ADDRESS={SUBNET}.1\n"), format!("\nID={host} ADDRESS={SUBNET}.{host}\n"));
    assert_eq!(block.text.contains(&first), block.title.ends_with("with its own id and address"), "{}", block.title);
    block.text.replace(&first, &own)
}

async fn follow_the_chapter(mut site: Site) {
    let said = site.anywhere("anywhere: the first groups");
    assert!(said.ends_with("hello\n"), "the last command read it: {said}");
    let client = connect().await;
    site.settled(&client, FIRST).await;
    let load = Load::start().await;
    site.add_a_group(&client).await;
    site.restart_all();
    site.retire_a_group(&client).await;
    site.cut_off_a_leader(&client).await;
    assert_eq!(site.chapter.left(), 0, "every block of the chapter was run");
    load.judge().await;
}

#[test]
fn the_readme_followed_to_the_letter_on_hosts_of_their_own() {
    // A thread that may live in another network: the runtime's threads are started by it, and so are where it is.
    let world = std::thread::spawn(|| {
        let site = Site::begin();
        site.network.enter(ANYWHERE);
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads");
        runtime.block_on(follow_the_chapter(site));
    });
    if let Err(panic) = world.join() {
        std::panic::resume_unwind(panic);
    }
}
