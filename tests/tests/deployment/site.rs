//! Hosts that are set up as the chapter says, and how they are looked at from outside.

use quorate::client_api::{Client, Options};
use quorate::cluster::watch::{self, Statuses};
use quorate_tests::chapter::{Block, Chapter, root};
use quorate_tests::hosts::{Network, SUBNET, live_in};
use quorate_tests::world::{PATIENCE, binary};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::Path;
use std::time::{Duration, Instant};

/// Where clients and the operator are.
pub(crate) const ANYWHERE: u64 = 100;
/// All hosts that the chapter has.
pub(crate) const ALL: RangeInclusive<u64> = 1..=12;
/// As the chapter's configuration says.
pub(crate) const SHARDS: u32 = 64;

/// The deployment so far.
pub(crate) struct Site {
    pub(crate) chapter: Chapter,
    pub(crate) network: Network,
    /// What every host is set up with, to be done again on those that come later.
    pub(crate) setup: [Block; 3],
}

/// The addresses of nodes.
pub(crate) fn addresses(nodes: RangeInclusive<u64>) -> BTreeMap<u64, String> {
    nodes.map(|node| (node, format!("{SUBNET}.{node}:7001"))).collect()
}

pub(crate) fn options() -> Options {
    Options { cluster: Some("example".into()), ..Options::new(addresses(1..=3).into_values().collect()) }
}

pub(crate) async fn connect() -> Client {
    watch::connect(&options(), PATIENCE).await.expect("the controllers serve")
}

impl Site {
    /// These hosts, with the program, and the rest of the chapter still to be done.
    pub(crate) fn begin(hosts: RangeInclusive<u64>) -> Self {
        let stand_in = Path::new(env!("CARGO_BIN_EXE_stand-in"));
        let mut network = Network::new(&binary(), stand_in);
        for number in hosts.chain([ANYWHERE]) {
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
        site
    }

    /// Calls `act` in a runtime that lives in the operator's network.
    pub(crate) fn in_the_network<F: Future<Output = ()>>(self, act: impl FnOnce(Self) -> F + Send) {
        let network = self.network.host(ANYWHERE).network_path();
        live_in(&network, || act(self));
    }

    /// Runs what is for every host on these, all at once: the order does not matter.
    pub(crate) fn set_up(&self, hosts: RangeInclusive<u64>) {
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
    pub(crate) fn anywhere(&mut self, title: &str) -> String {
        let block = self.chapter.take(title);
        self.network.run(ANYWHERE, &block.text)
    }

    /// Waits until something is so of the nodes' states, as they tell it themselves.
    pub(crate) async fn until<T>(&self, client: &Client, what: &str, look: impl Fn(&Statuses) -> Option<T>) -> T {
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

    pub(crate) async fn settled(&self, client: &Client, nodes: RangeInclusive<u64>) {
        if let Err(why) = watch::settle(client, &addresses(nodes), PATIENCE).await {
            panic!("{why}\n{}", self.network.last_words());
        }
    }
}

/// A block as the host runs it: where the chapter says "the first line with its own id and address", with those.
pub(crate) fn own(block: &Block, host: u64) -> String {
    let (first, own) = (format!("\nID=1 ADDRESS={SUBNET}.1\n"), format!("\nID={host} ADDRESS={SUBNET}.{host}\n"));
    assert_eq!(block.text.contains(&first), block.title.ends_with("with its own id and address"), "{}", block.title);
    block.text.replace(&first, &own)
}
