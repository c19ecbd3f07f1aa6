//! Every block of the chapter is run as it stands there, while clients work. What it says is to be so afterwards is looked at
//! from outside, and the history of all clients goes to the judges: no operation may have failed, nothing acknowledged may
//! be lost or be there twice.

use crate::site::{ALL, ANYWHERE, SHARDS, Site, connect};
use quorate::client_api::Client;
use quorate::cluster::watch::Statuses;
use quorate_spec::views::Role;
use quorate_tests::hosts::SUBNET;
use quorate_tests::load::Load;
use quorate_tests::world::key_per_shard;
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

/// The hosts of the beginning.
const FIRST: RangeInclusive<u64> = 1..=9;
/// How many clients work meanwhile.
const CLIENTS: u64 = 6;

impl Site {
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

async fn follow_the_chapter(mut site: Site) {
    let begun = Instant::now();
    let passed = |what: &str| println!("{:>5.1} s: {what}", begun.elapsed().as_secs_f64());
    site.set_up(FIRST);
    // What the chapter installed is a unit that systemd itself understands.
    site.network.run(1, "systemd-analyze verify /etc/systemd/system/quorate.service");
    let said = site.anywhere("anywhere: the first groups");
    assert!(said.ends_with("hello\n"), "the last command read it: {said}");
    let client = connect().await;
    site.settled(&client, FIRST).await;
    passed("nine nodes serve");
    let keys = key_per_shard(SHARDS, "k").into_values().collect();
    let load = Load::start(connect, CLIENTS, keys, Duration::from_millis(15)).await;
    site.add_a_group(&client).await;
    passed("a third group serves");
    site.restart_all();
    passed("every node was restarted");
    site.retire_a_group(&client).await;
    passed("group 2 has left and is stopped");
    site.cut_off_a_leader(&client).await;
    passed("a leader was cut off and follows again");
    assert_eq!(site.chapter.left(), 0, "every block of the chapter was run");
    let recording = load.judge(connect().await).await;
    assert!(recording.operations.len() > 1000, "the clients got somewhere");
    passed("judged");
}

#[test]
fn the_readme_followed_to_the_letter_on_hosts_of_their_own() {
    Site::begin(FIRST).in_the_network(follow_the_chapter);
}
