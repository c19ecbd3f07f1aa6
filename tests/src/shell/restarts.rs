//! What a restart must not forget: that the node has voted, and that its replica of a group was destroyed. The real core,
//! log and recovery; both stories are told step by step.

use super::Broken;
use super::disk::MemDisk;
use super::lane::{create_controller, group, options, start};
use quorate::recovery;
use quorate::snapshot::Snapshots;
use quorate::wal::Wal;
use quorate_core::controller::{Configuration, Directory, NodeInfo};
use quorate_core::effect::{Effects, Write};
use quorate_core::input::{Input, Restarted};
use quorate_core::limits::Limits;
use quorate_core::message::{DirectoryMessage, Message, Peer};
use quorate_core::node::Node;
use quorate_core::raft::{self, Election, LogPosition};
use quorate_core::spec::ids::{Boot, ConfigNum, DirectoryVersion, NodeId, Stamp, Term};
use std::collections::BTreeMap;
use std::sync::Arc;

const ME: NodeId = NodeId::new(1);
/// As many shards as [`create_controller`] says.
const SHARDS: u32 = 64;

pub(super) fn check(seed: u64) -> Result<u64, Broken> {
    Ok(two_candidates(Term::new(5 + seed))? + an_old_directory(1 + seed)?)
}

/// A node and its directory, of which everything written is synced at once.
struct Life {
    node: Node,
    wal: Wal<MemDisk>,
    disk: MemDisk,
}

impl Life {
    /// The node that comes up from what a power cut leaves, in a cluster with these controller members.
    fn after_power_cut(disk: &MemDisk, boot: u64, members: &[u64]) -> Result<Self, Broken> {
        let disk = disk.crash(|| false);
        let snapshots = Snapshots::new(MemDisk::default(), options().identity, 1 << 10);
        let opened = recovery::open(disk.clone(), &snapshots, options());
        let opened = opened.map_err(|error| Broken::new("Recovers", boot, error.to_string()))?;
        let restarted = Restarted {
            me: Peer { boot: Boot::new(boot), ..peer(1) },
            address: "host:1".into(),
            controllers: members.iter().map(|member| (NodeId::new(*member), info(*member).address)).collect(),
            shards: SHARDS,
            durable: opened.durable,
        };
        let (node, effects) = Node::new(restarted, Limits::default());
        let mut life = Self { node, wal: opened.wal, disk };
        life.perform(effects);
        Ok(life)
    }

    /// A message arrives, and what it makes the node write is synced: what it wrote and what it sends.
    fn hear(&mut self, from: u64, message: Message) -> (Vec<Write>, Vec<(NodeId, Message)>) {
        let effects = self.node.step(Input::Received { from: peer(from), message });
        self.perform(effects)
    }

    fn perform(&mut self, effects: Effects) -> (Vec<Write>, Vec<(NodeId, Message)>) {
        let mut sends = effects.sends;
        let Some((last, _)) = effects.writes.last() else { return (Vec::new(), sends) };
        let synced = Input::Synced { write: *last };
        let mut writes: Vec<Write> = effects.writes.into_iter().map(|(_, write)| write).collect();
        self.wal.commit(&writes).expect("a legal write on a disk that works");
        let next = self.node.step(synced);
        let (more, released) = self.perform(next);
        writes.extend(more);
        sends.extend(released);
        (writes, sends)
    }
}

fn info(node: u64) -> NodeInfo {
    // The node's own stamp is that of its directory.
    let stamp = if node == 1 { Stamp::new(7) } else { Stamp::new(node.into()) };
    NodeInfo { address: format!("host:{node}").as_str().into(), stamp }
}

fn peer(node: u64) -> Peer {
    Peer { node: NodeId::new(node), stamp: info(node).stamp, boot: Boot::new(1) }
}

fn pin(node: u64) -> Write {
    Write::Pin { node: NodeId::new(node), info: info(node) }
}

/// A directory in which this much was written and synced.
fn written(writes: &[Write]) -> MemDisk {
    let disk = MemDisk::default();
    let (mut wal, _) = Wal::open(disk.clone(), options()).expect("an empty directory");
    wal.commit(writes).expect("a legal write on a disk that works");
    disk
}

/// Node 2 gets the vote of the term; the power goes; node 3 asks for a vote of the same term.
fn two_candidates(term: Term) -> Result<u64, Broken> {
    let disk = written(&[create_controller(), pin(2), pin(3)]);
    debug_assert!(start().voters.len() == 3, "two candidates besides the voter");
    let ask =
        || Message::Controller(raft::Message::Election(Election::RequestVote { term, last: LogPosition::default() }));
    let grants = |sends: &[(NodeId, Message)], to: u64| {
        sends.contains(&(NodeId::new(to), Message::Controller(raft::Message::Election(Election::VoteGranted { term }))))
    };
    let mut voter = Life::after_power_cut(&disk, 1, &[1, 2, 3])?;
    let (_, sends) = voter.hear(2, ask());
    if !grants(&sends, 2) {
        return Err(Broken::new("Progress", 1, format!("the first candidate of term {term} does not get the vote")));
    }
    let mut voter = Life::after_power_cut(&voter.disk, 2, &[1, 2, 3])?;
    let (_, sends) = voter.hear(3, ask());
    if grants(&sends, 3) {
        return Err(Broken::new("ElectionSafety", 2, format!("in term {term} both node 2 and node 3 have its vote")));
    }
    Ok(2)
}

/// A group names the node, and retires; the power goes; an old directory that still has the group arrives.
fn an_old_directory(gid: u64) -> Result<u64, Broken> {
    let group = group(gid);
    let configs: Vec<Arc<Configuration>> = (0..=gid)
        .map(|num| Arc::new(Configuration { num: ConfigNum::new(num), ..Configuration::genesis(SHARDS) }))
        .collect();
    let news = |version: u64, groups: BTreeMap<_, _>| {
        let nodes = [1, 2].map(|node| (NodeId::new(node), info(node))).into();
        let (version, config) = (DirectoryVersion::new(version), ConfigNum::new(gid));
        let directory = Some(Arc::new(Directory { version, config, nodes, groups }));
        Message::Directory(DirectoryMessage::News { configs: configs.clone(), directory })
    };
    let there = || news(1, BTreeMap::from([(group, vec![ME])]));
    let creates = |writes: &[Write]| writes.iter().any(|write| matches!(write, Write::CreateData { .. }));
    let mut host = Life::after_power_cut(&written(&[pin(2)]), 1, &[2])?;
    if !creates(&host.hear(2, there()).0) {
        return Err(Broken::new("Progress", 1, format!("group {group} names the node, which makes no replica")));
    }
    if !host.hear(2, news(2, BTreeMap::new())).0.contains(&Write::Tombstone { group }) {
        return Err(Broken::new("Progress", 2, format!("group {group} retired, and its replica is not destroyed")));
    }
    let mut host = Life::after_power_cut(&host.disk, 2, &[2])?;
    if creates(&host.hear(2, there()).0) {
        return Err(Broken::new("OneLife", 3, format!("the destroyed replica of group {group} is made again")));
    }
    Ok(3)
}
