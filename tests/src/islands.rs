//! A cluster whose nodes are hosts of their own, so that what goes between any two of them can be lost.
//!
//! Only their network is their own: the nodes are processes of the test and use its file system. A frame to a node that is
//! cut off goes to a station that does not exist, so that nobody is told: connections stand, and nothing arrives. Clients
//! and the operator are a host too, which is never cut off. Needs root.

use crate::hosts::{Network, SUBNET, live_in};
use crate::world::binary;
use quorate::cluster::{Layout, Settings};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Where clients and the operator are.
const ANYWHERE: u64 = 200;
/// Where a frame goes that is to be lost.
const NOBODY: &str = "02:00:00:00:00:00";
/// Clears what was cut before.
const HEAL: &str = "ip neigh flush dev eth0 nud permanent";

/// The hosts of one cluster.
#[derive(Debug)]
pub struct Islands {
    network: Network,
    layout: Layout,
}

impl Islands {
    /// A host for every node of `layout`, and one for the clients. Nothing runs on them yet.
    pub fn new(layout: Layout) -> Self {
        let mut network = Network::new(&binary(), Path::new("/bin/true"));
        for number in layout.nodes().chain([ANYWHERE]) {
            network.add(number);
        }
        Self { network, layout }
    }

    /// The nodes that they are for.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// Calls `act` in a runtime that lives where the clients are.
    pub fn inhabit<F: Future<Output = ()>>(&self, act: impl FnOnce() -> F + Send) {
        live_in(&self.network.host(ANYWHERE).network_path(), act);
    }

    /// Puts every node on its host; `directory` is for what starts it there.
    pub fn settle(&self, settings: &mut Settings, directory: &Path) {
        settings.addresses = self.layout.nodes().map(|node| format!("{SUBNET}.{node}:7001")).collect();
        settings.program = self.starter(&settings.program, directory);
    }

    /// A program that looks for its `--id` and becomes `program` on the host of that number.
    fn starter(&self, program: &Path, directory: &Path) -> PathBuf {
        let mut cases = String::new();
        for node in self.layout.nodes() {
            cases += &format!("  '--id {node}') net={} ;;\n", self.network.host(node).network_path());
        }
        let script = format!(
            "#!/bin/sh\nlast=\nfor word; do\n  case \"$last $word\" in\n{cases}  esac\n  last=$word\ndone\n\
             exec nsenter --net=\"$net\" -- '{}' \"$@\"\n",
            program.display()
        );
        let starter = directory.join("on-its-host");
        fs::write(&starter, script).expect("the directory can be written");
        fs::set_permissions(&starter, fs::Permissions::from_mode(0o755)).expect("it is ours");
        starter
    }

    /// Cuts every way between nodes of different parts; whatever was cut before and is not between them is healed. A node
    /// in no part hears all.
    pub fn cut(&self, parts: &[Vec<u64>]) {
        std::thread::scope(|at_once| {
            for (part, nodes) in parts.iter().enumerate() {
                let others = parts.iter().enumerate().filter(|(other, _)| *other != part).flat_map(|(_, nodes)| nodes);
                let mut script = HEAL.to_owned();
                for other in others {
                    script += &format!("\nip neigh replace {SUBNET}.{other} lladdr {NOBODY} nud permanent dev eth0");
                }
                for node in nodes {
                    let script = script.clone();
                    at_once.spawn(move || self.network.rewire(*node, &script));
                }
            }
        });
    }

    /// Heals everything.
    pub fn heal(&self) {
        self.cut(&[self.layout.nodes().collect()]);
    }
}
