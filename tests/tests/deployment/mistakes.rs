//! The three mistakes that everybody makes once. Each ends in one line that says what to do, and nothing else breaks.

use crate::site::{ANYWHERE, Site, own};
use quorate_tests::hosts::SUBNET;
use quorate_tests::world::PATIENCE;
use std::time::{Duration, Instant};

impl Site {
    /// Sets a host up, with a configuration that `mistake` (a script of sed) was made in.
    fn set_up_with(&self, host: u64, mistake: &str) {
        let [program, configuration, _] = &self.setup;
        self.network.run(host, &own(program, host));
        self.network.run(host, &own(configuration, host));
        self.configure(host, mistake);
    }

    fn configure(&self, host: u64, mistake: &str) {
        self.network.run(host, &format!("sed -i -e '{mistake}' /etc/quorate/node.toml"));
    }

    /// Waits until the node on a host says something; it must be one line.
    fn says(&self, host: u64, words: &[&str]) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let journal = self.network.host(host).journal("quorate");
            if let Some(line) = journal.lines().find(|line| words.iter().all(|word| line.contains(word))) {
                println!("host {host}: {line}");
                return;
            }
            assert!(Instant::now() < deadline, "host {host} does not say {words:?}:\n{journal}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

#[test]
fn three_usual_mistakes_are_one_clear_line_each() {
    let site = Site::begin(1..=5);
    let start = |host| site.network.try_run(host, "systemctl restart quorate").status.success();
    let anywhere = |script: &str| {
        let seeds = format!("export QUORATE_SEEDS={SUBNET}.1:7001,{SUBNET}.2:7001,{SUBNET}.3:7001\n");
        site.network.try_run(ANYWHERE, &(seeds + script))
    };

    // A typing error in the controllers' addresses: the cluster does not begin, and the host with the error says why.
    site.set_up_with(1, "s/^2 = .*/2 = \"10.7.0.22:7001\"/");
    site.set_up_with(2, "");
    site.set_up_with(3, "");
    assert!((1..=3).all(start));
    site.says(1, &["10.7.0.22:7001", "--controllers"]);
    let refused = anywhere("quorate put k v --deadline 3");
    println!("{}", String::from_utf8_lossy(&refused.stderr));
    site.configure(1, "s/10.7.0.22/10.7.0.2/");
    assert!(start(1));
    assert!(anywhere("until quorate query; do sleep 1; done").status.success());

    // A wrong advertised address: one where nobody is, and one of another node.
    site.set_up_with(4, "s/^listen = .*/listen = \"0.0.0.0:7001\"\\nadvertise = \"10.7.0.44:7001\"/");
    assert!(start(4), "it may be right for others");
    site.says(4, &["10.7.0.44:7001", "nobody answers there", "correct --advertise"]);
    site.configure(4, "s/10.7.0.44/10.7.0.1/");
    assert!(start(4), "it may be right for others");
    site.says(4, &["10.7.0.1:7001", "node 1 of cluster \"example\" answers there", "correct --advertise"]);
    site.configure(4, "s/10.7.0.1:7001\"$/10.7.0.4:7001\"/");

    // One file on two hosts.
    site.set_up_with(5, "s/^id = 5/id = 4/; s/10.7.0.5/10.7.0.4/");
    assert!(!start(5));
    site.says(5, &["cannot listen on 10.7.0.4:7001", "no address of this machine", "correct --listen"]);
    site.configure(5, "s/^listen = .*/listen = \"0.0.0.0:7001\"\\nadvertise = \"10.7.0.4:7001\"/");
    println!("{}", start(5));
    std::thread::sleep(Duration::from_secs(5));
    println!("{}", site.network.host(5).journal("quorate"));
    println!("{}", site.network.host(4).journal("quorate"));
    println!("{}", site.network.host(1).journal("quorate"));
}
