//! The three mistakes that everybody makes once. Each ends in one line that says what to do, the one that the chapter shows,
//! and when it is corrected the node serves.

use crate::site::{ANYWHERE, Site, own};
use quorate_tests::chapter::root;
use quorate_tests::hosts::SUBNET;
use quorate_tests::world::PATIENCE;
use std::time::{Duration, Instant};

impl Site {
    /// Sets a host up, with a configuration that a mistake (a script of sed) was made in.
    fn set_up_with(&self, host: u64, mistake: &str) {
        let [program, ..] = &self.setup;
        self.network.run(host, &own(program, host));
        self.configure_anew(host, mistake);
    }

    fn configure_anew(&self, host: u64, mistake: &str) {
        let [_, configuration, _] = &self.setup;
        self.network.run(host, &own(configuration, host));
        self.configure(host, mistake);
    }

    fn configure(&self, host: u64, change: &str) {
        self.network.run(host, &format!("sed -i -e '{change}' /etc/quorate/node.toml"));
    }

    fn start(&self, host: u64) -> bool {
        self.network.try_run(host, "systemctl restart quorate").status.success()
    }

    /// Waits until the node on a host says, in one line, what it says of this `subject`, with the remedy that the chapter
    /// shows.
    fn says(&self, host: u64, subject: &str, remedy: &str) {
        let readme = std::fs::read_to_string(root().join("README.md")).expect("there is a README");
        assert!(readme.contains(remedy), "the README shows: {remedy}");
        let deadline = Instant::now() + PATIENCE;
        loop {
            let journal = self.network.host(host).journal("quorate");
            if let Some(line) = journal.lines().find(|line| line.contains(subject) && line.contains(remedy)) {
                return println!("host {host}: {line}");
            }
            assert!(Instant::now() < deadline, "host {host} does not say of {subject}: {remedy}\n{journal}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The cluster answers, and knows that many nodes.
    fn serves(&self, nodes: usize) {
        let script = format!(
            "export QUORATE_SEEDS={SUBNET}.1:7001,{SUBNET}.2:7001,{SUBNET}.3:7001
            until quorate query && [ $(quorate status --json | grep -o '\"address\":' | wc -l) -ge {nodes} ]; do sleep 0.1; done"
        );
        self.network.run(ANYWHERE, &script);
    }
}

#[test]
fn three_usual_mistakes_are_one_clear_line_each() {
    let site = Site::begin(1..=5);

    // A typing error in the controllers' addresses: the cluster does not begin, and the host with the error says why.
    site.set_up_with(1, "s/^2 = .*/2 = \"10.7.0.22:7001\"/");
    site.set_up_with(2, "");
    site.set_up_with(3, "");
    std::thread::scope(|at_once| {
        for host in 1..=3 {
            let site = &site;
            at_once.spawn(move || assert!(site.start(host), "host {host} cannot know better yet"));
        }
    });
    site.says(1, "10.7.0.22:7001", "is it up, and is this its address in --controllers and --advertise?");
    site.configure(1, "s/10.7.0.22/10.7.0.2/");
    assert!(site.start(1));
    site.serves(3);

    // A wrong advertised address: one where nobody is, and one of another node. It may be right for others: it runs.
    site.set_up_with(4, "s/^listen = .*/&\\nadvertise = \"10.7.0.4:7002\"/");
    assert!(site.start(4));
    site.says(4, "reach this one at 10.7.0.4:7002, but nobody answers there", "correct --advertise");
    site.configure(4, "s/10.7.0.4:7002/10.7.0.1:7001/");
    assert!(site.start(4));
    site.says(4, "10.7.0.1:7001, but node 1 of cluster \"example\" answers there", "correct --advertise");
    site.configure(4, "/^advertise/d");
    assert!(site.start(4));
    site.serves(4);

    // The file of one host on another.
    site.set_up_with(5, "s/^id = 5/id = 4/; s/10.7.0.5/10.7.0.4/");
    assert!(!site.start(5));
    site.says(5, "cannot listen on 10.7.0.4:7001", "it is no address of this machine: correct --listen");
    site.configure_anew(5, "");
    assert!(site.start(5));
    site.serves(5);
}
