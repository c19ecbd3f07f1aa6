//! Hosts with addresses of their own, on one machine: each is a process namespace with a network, an /etc and a /var/lib of
//! its own, all on one bridge, which has a namespace too. Needs root.
//!
//! Nothing has a name outside: no interface, no mount, no user is seen by the rest of the machine, so that runs cannot
//! collide. The first process of a host waits for its standard input to end; with it end all processes of the host, and
//! with the last of them the namespaces. So nothing stays behind, even if the test is killed.

use crate::records::Records;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::os::fd::AsFd;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// What the first process of a host does: says its id outside, mounts what is the host's own, and waits. The shell reaps
/// whatever other processes of the host leave behind.
const INIT: &str = r#"
cut -d' ' -f4 /proc/self/stat
mount -t proc proc /proc
for own in etc var/lib usr/local/bin; do mount --bind "$1/$own" "/$own"; done
ip link set lo up
echo ready
cat > /dev/null
exit 0
"#;
/// What a host's /etc begins with: users and how names are looked up.
const ETC: [&str; 9] =
    ["passwd", "group", "shadow", "gshadow", "login.defs", "nsswitch.conf", "hosts", "ld.so.cache", "ld.so.conf"];
/// How many seconds a script may take before it is ended: it waits for something that does not come.
const GIVE_UP: &str = "120";
/// Where commands are looked for, after the stand-ins.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The addresses' first three numbers. The fourth is the host's.
pub const SUBNET: &str = "10.7.0";

/// A host.
#[derive(Debug)]
pub struct Host {
    init: Child,
    /// The first process's id outside.
    pid: String,
    directory: PathBuf,
}

impl Host {
    fn boot(directory: PathBuf) -> Self {
        for own in ["etc", "var/lib", "usr/local/bin"] {
            fs::create_dir_all(directory.join(own)).expect("the directory can be written");
        }
        for name in ETC {
            let (from, to) = (Path::new("/etc").join(name), directory.join("etc").join(name));
            if from.exists() {
                fs::copy(from, to).expect("root can read it");
            }
        }
        let mut init = Command::new("unshare")
            .args(["--mount", "--net", "--pid", "--fork", "--kill-child", "--propagation", "private"])
            .args(["sh", "-euc", INIT, "init"])
            .arg(&directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("unshare is there: apt-get install util-linux");
        let mut says = BufReader::new(init.stdout.take().expect("it is piped")).lines();
        let pid = says.next().and_then(Result::ok).unwrap_or_default();
        let ready = says.next().and_then(Result::ok);
        assert_eq!(ready.as_deref(), Some("ready"), "a host needs root and network namespaces (iproute2): see above");
        Self { init, pid, directory }
    }

    /// Runs a script on the host as root, from this directory.
    pub fn run(&self, from: &Path, tools: &Path, script: &str) -> Output {
        Command::new("timeout")
            .args([GIVE_UP, "nsenter", "--target", &self.pid, "--mount", "--net", "--pid", "--", "sh", "-euc"])
            .arg(format!("cd '{}'\n{script}", from.display()))
            .env("PATH", format!("{}:{PATH}", tools.display()))
            .stdin(Stdio::null())
            .output()
            .expect("timeout is there: apt-get install coreutils")
    }

    /// Its network, for `nsenter --net`.
    pub fn network_path(&self) -> String {
        format!("/proc/{}/ns/net", self.pid)
    }

    /// Where the service of this name records what it is given.
    fn records(&self, service: &str) -> PathBuf {
        self.directory.join(format!("var/lib/{service}.records"))
    }

    /// What the service of this name has said.
    pub fn journal(&self, service: &str) -> String {
        fs::read_to_string(self.directory.join(format!("var/lib/{service}.journal"))).unwrap_or_default()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // Its first process ends, and the kernel ends all others of the host before that is over.
        drop(self.init.stdin.take());
        let _ = self.init.wait(); // It may have ended already.
    }
}

/// Calls `act` in a runtime that lives in the network of this path, and waits for its end.
pub fn live_in<F: Future<Output = ()>>(network: &str, act: impl FnOnce() -> F + Send) {
    let life = || {
        let link = File::open(network).expect("the host is up");
        move_into_link_name_space(link.as_fd(), Some(LinkNameSpaceType::Network)).expect("root may");
        // Its threads, and the processes that they start, are where this thread is.
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads");
        runtime.block_on(act());
    };
    if let Err(panic) = std::thread::scope(|scope| scope.spawn(life).join()) {
        std::panic::resume_unwind(panic);
    }
}

/// Hosts on one bridge. Host `n` is at 10.7.0.n.
#[derive(Debug)]
pub struct Network {
    hosts: Vec<(u64, Host)>,
    switch: Host,
    tools: PathBuf,
    tree: PathBuf,
    // Removed last.
    directory: tempfile::TempDir,
}

impl Drop for Network {
    /// When the hosts are over, what their nodes recorded is replayed.
    fn drop(&mut self) {
        let recorded = self.hosts.iter().map(|(number, host)| (*number, host.records("quorate")));
        let recorded: Vec<_> = recorded.filter(|(_, folder)| folder.exists()).collect();
        self.hosts.clear();
        if recorded.is_empty() {
            return;
        }
        let records = Records::wanted();
        for (number, folder) in recorded {
            fs::rename(folder, records.path().join(format!("host-{number}"))).expect("both are temporary directories");
        }
    }
}

impl Network {
    /// A network without hosts. Commands run in a directory that looks like the repository's after `program` was built;
    /// `stand_in` is called for systemctl and journalctl.
    pub fn new(program: &Path, stand_in: &Path) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let (tools, tree) = (directory.path().join("tools"), directory.path().join("tree"));
        fs::create_dir_all(&tools).expect("a directory");
        fs::create_dir_all(tree.join("target/release")).expect("a directory");
        let link = |to: &Path, at: PathBuf| symlink(to, at).expect("a link");
        for name in ["systemctl", "journalctl"] {
            link(stand_in, tools.join(name));
        }
        link(program, tree.join("target/release/quorate"));
        link(&crate::chapter::root().join("runtime"), tree.join("runtime"));
        let switch = Host::boot(directory.path().join("switch"));
        let network = Self { hosts: Vec::new(), switch, tools, tree, directory };
        network.wire(&network.switch, "ip link add bridge0 type bridge && ip link set bridge0 up");
        network
    }

    /// Runs what connects hosts, outside of their mounts and processes.
    fn wire(&self, host: &Host, script: &str) {
        let mut command = Command::new("nsenter");
        command.args(["--target", &host.pid, "--net", "--", "sh", "-euc", script]).stdin(Stdio::null());
        let output = command.output().expect("nsenter is there: apt-get install util-linux");
        assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Adds a host.
    pub fn add(&mut self, number: u64) {
        let host = Host::boot(self.directory.path().join(format!("host-{number}")));
        let pid = &host.pid;
        let plug = format!(
            "ip link add port{number} type veth peer name eth0 netns {pid}; ip link set port{number} master bridge0 up"
        );
        self.wire(&self.switch, &plug);
        self.wire(&host, &format!("ip address add {SUBNET}.{number}/24 dev eth0; ip link set eth0 up"));
        self.hosts.push((number, host));
    }

    /// A host.
    pub fn host(&self, number: u64) -> &Host {
        let found = self.hosts.iter().find(|(other, _)| *other == number);
        &found.unwrap_or_else(|| panic!("there is no host {number}")).1
    }

    /// Runs a script in a host's network, with the files and processes of the test.
    pub fn rewire(&self, number: u64, script: &str) {
        self.wire(self.host(number), script);
    }

    /// Runs a script on a host.
    pub fn try_run(&self, number: u64, script: &str) -> Output {
        self.host(number).run(&self.tree, &self.tools, script)
    }

    /// Runs a script on a host, which must work. Returns what it printed.
    pub fn run(&self, number: u64, script: &str) -> String {
        let output = self.try_run(number, script);
        let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(
            output.status.success(),
            "on host {number}:\n{script}{} {said}{errors}\n{}",
            output.status,
            self.last_words()
        );
        said.into_owned()
    }

    /// The end of what every host's nodes said, for a failed test's report.
    pub fn last_words(&self) -> String {
        let mut words = String::new();
        for (number, host) in &self.hosts {
            let journal = host.journal("quorate");
            let lines: Vec<&str> = journal.lines().collect();
            words += &format!("host {number}:\n  {}\n", lines[lines.len().saturating_sub(4)..].join("\n  "));
        }
        words
    }
}
