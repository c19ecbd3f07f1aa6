//! The scopes: budgets and switches, as plain data.

use quorate_core::limits::RaftLimits;
use quorate_core::raft::{Hints, Message};

use super::payload::Byte;

/// One scope.
#[derive(Clone, Debug)]
pub struct Scope {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it is for, in one line.
    pub purpose: &'static str,
    /// Nodes, all of them voters.
    pub nodes: u64,
    /// The highest term that anybody campaigns for.
    pub terms: u64,
    /// How often a node begins to campaign; `u8::MAX` for as often as terms allow.
    pub campaigns: u8,
    /// Commands that clients propose; every leader adds an empty entry of its own.
    pub entries: u8,
    /// Crashes, each with a restart.
    pub crashes: u8,
    /// Snapshots that are begun.
    pub snapshots: u8,
    /// Reads that are asked for.
    pub reads: u8,
    /// Transfers of leadership that are asked for.
    pub transfers: u8,
    /// Heartbeats by the timer: followers hear of commits, and what is missing is found.
    pub beats: u8,
    /// Whether leaders check that a quorum still answers.
    pub check_quorum: bool,
    /// Whether pre-votes are sent. Otherwise they are granted whenever they are wanted, which is more than a real quorum
    /// would do: they bind nobody, and safety does not rest on them.
    pub pre_votes: bool,
    /// Whether everything but elections is lost.
    pub only_elections: bool,
    /// Bytes of entries in one append: 1 sends entries one by one.
    pub append_bytes: usize,
    /// What makes the search smaller.
    pub reductions: Reductions,
    /// In one of so many states, chosen by hash, a fair schedule must make progress; 0 for none.
    pub progress: u64,
    /// What happens before the search begins; see `start`.
    pub start: &'static str,
    /// The steps that the scope must reach.
    pub must_fire: &'static [&'static str],
}

/// What makes a search smaller without hiding anything. Each is argued where it is done, and compared with searches
/// without it in `tests`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reductions {
    /// Worlds that differ in the names of nodes are one; see `symmetry`.
    pub symmetry: bool,
    /// Messages that can never matter again are taken out; see `dead`.
    pub dead_messages: bool,
    /// Writes are synced at once, or wait for a crash; see `actions`.
    pub sync_at_once: bool,
    /// A node that waits for its crash takes no steps that nobody sees; see `actions`. Rests on `sync_at_once`.
    pub unseen: bool,
}

impl Reductions {
    /// All of them.
    pub const ALL: Self = Self { symmetry: true, dead_messages: true, sync_at_once: true, unseen: true };
    /// All but that old messages stay, so that a bug that believes them is seen.
    pub const KEEP_MESSAGES: Self = Self { dead_messages: false, ..Self::ALL };
    /// None.
    pub const NONE: Self = Self { symmetry: false, dead_messages: false, sync_at_once: false, unseen: false };
}

const ELECTIONS: &[&str] =
    &["StartElection", "HandleRequestVote", "HandleVoteReply", "BecomeLeader", "StepDown", "SyncWrites"];
const REPLICATION: &[&str] = &[
    "StartElection",
    "HandleRequestVote",
    "HandleVoteReply",
    "BecomeLeader",
    "StepDown",
    "SyncWrites",
    "Propose",
    "SendAppend",
    "HandleAppend",
    "HandleAppendReply",
    "AdvanceCommit",
    "Apply",
];
const CRASHING: &[&str] = &[
    "StartElection",
    "HandleRequestVote",
    "HandleVoteReply",
    "BecomeLeader",
    "StepDown",
    "SyncWrites",
    "Propose",
    "SendAppend",
    "HandleAppend",
    "HandleAppendReply",
    "AdvanceCommit",
    "Apply",
    "Restart",
];

/// Three nodes, two terms, nothing else.
const PLAIN: Scope = Scope {
    name: "plain",
    purpose: "nothing but elections in two terms",
    nodes: 3,
    terms: 2,
    campaigns: u8::MAX,
    entries: 0,
    crashes: 0,
    snapshots: 0,
    reads: 0,
    transfers: 0,
    beats: 0,
    check_quorum: false,
    pre_votes: false,
    only_elections: false,
    append_bytes: 1 << 20,
    reductions: Reductions::ALL,
    progress: 0,
    start: "",
    must_fire: ELECTIONS,
};

/// All scopes.
pub(super) const ALL: &[Scope] = &[
    Scope {
        name: "default",
        purpose: "replication through a change of leaders: two terms, two commands",
        entries: 2,
        progress: 64,
        must_fire: REPLICATION,
        ..PLAIN
    },
    Scope {
        name: "heartbeats",
        purpose: "one leader, one command, a heartbeat: followers hear of commits, and what is missing is found",
        terms: 1,
        campaigns: 1,
        entries: 1,
        beats: 1,
        progress: 64,
        must_fire: &["HandleHeartbeat", "AdvanceCommit", "Apply", "HandleAppend", "HandleAppendReply"],
        ..PLAIN
    },
    Scope {
        name: "deep",
        purpose: "three terms, one command, a crash that loses what was not synced",
        terms: 3,
        entries: 1,
        crashes: 1,
        progress: 4096,
        must_fire: CRASHING,
        ..PLAIN
    },
    Scope {
        name: "deep2",
        purpose: "two terms, two commands, a crash that loses what was not synced",
        entries: 2,
        crashes: 1,
        progress: 4096,
        must_fire: CRASHING,
        ..PLAIN
    },
    Scope {
        name: "election",
        purpose: "votes, old votes and a crash of a voter: three campaigns, all messages stay, nothing is replicated",
        campaigns: 3,
        crashes: 1,
        only_elections: true,
        reductions: Reductions::KEEP_MESSAGES,
        ..PLAIN
    },
    Scope {
        name: "rivals",
        purpose: "one leads, another still asks for votes in the same term, and a voter hears of the next term and crashes",
        campaigns: 3,
        crashes: 1,
        only_elections: true,
        reductions: Reductions::KEEP_MESSAGES,
        start: "campaign 1; deliver 1>3; deliver 3>1; campaign 2",
        must_fire: &["StartElection", "HandleRequestVote", "HandleVoteReply", "BecomeLeader", "Restart"],
        ..PLAIN
    },
    Scope {
        name: "five",
        purpose: "five voters, one term, two candidates: nobody's vote counts twice",
        nodes: 5,
        terms: 1,
        campaigns: 2,
        only_elections: true,
        reductions: Reductions::KEEP_MESSAGES,
        must_fire: &["StartElection", "HandleRequestVote", "HandleVoteReply", "BecomeLeader"],
        ..PLAIN
    },
    Scope {
        name: "prevote",
        purpose: "pre-votes in full: three campaigns in two terms",
        campaigns: 3,
        pre_votes: true,
        only_elections: true,
        progress: 64,
        must_fire: &["StartPreVote", "HandlePreVote", "HandlePreVoteReply", "StartElection", "BecomeLeader"],
        ..PLAIN
    },
    Scope {
        name: "prevote-crash",
        purpose: "a crash among pre-votes: one term, two campaigns",
        terms: 1,
        campaigns: 2,
        crashes: 1,
        pre_votes: true,
        only_elections: true,
        reductions: Reductions::KEEP_MESSAGES,
        must_fire: &["StartPreVote", "HandlePreVote", "HandlePreVoteReply", "StartElection", "BecomeLeader", "Restart"],
        ..PLAIN
    },
    Scope {
        name: "behind",
        purpose: "the longest log is in the lowest term; pre-votes in full",
        campaigns: 3,
        pre_votes: true,
        check_quorum: true,
        reductions: Reductions::KEEP_MESSAGES,
        progress: 1,
        start: "campaign 1; deliver 1>2; deliver 2>1; deliver 1>2; deliver 2>1; lose; check 1; \
                campaign 2; deliver 2>3; deliver 3>2; lose",
        must_fire: &["StartPreVote", "HandlePreVote", "HandlePreVoteReply"],
        ..PLAIN
    },
    Scope {
        name: "lengths",
        purpose: "a longer log of an older term against a shorter one of a newer term",
        terms: 3,
        entries: 1,
        append_bytes: 1,
        progress: 4,
        start: "campaign 1; deliver 1>2; deliver 2>1; propose 1; lose; campaign 2; \
                deliver 2>1; deliver 2>3; deliver 3>2",
        must_fire: &["StartElection", "HandleRequestVote", "BecomeLeader", "HandleAppend", "AdvanceCommit"],
        ..PLAIN
    },
    Scope {
        name: "unsynced",
        purpose: "a voter whose disk has not synced a committed entry stands for election, and crashes",
        campaigns: 3,
        crashes: 1,
        start: "campaign 1; deliver 1>2; deliver 1>3; deliver 3>1; deliver 1>3; deliver 3>1; deliver 1>2 unsynced",
        must_fire: &["StartElection", "HandleRequestVote", "HandleVoteReply", "BecomeLeader", "Restart"],
        ..PLAIN
    },
    Scope {
        name: "compacted",
        purpose: "a leader whose log begins after its snapshot, and a follower with another entry there",
        terms: 3,
        crashes: 1,
        snapshots: 1,
        reductions: Reductions::KEEP_MESSAGES,
        start: "campaign 1; deliver 1>2; deliver 2>1; lose; \
                campaign 2; deliver 2>1; deliver 2>3; deliver 3>2; \
                deliver 2>3; deliver 3>2; snapshot 2; file 2; lose; crash 2; campaign 2; deliver 2>3",
        must_fire: &["BecomeLeader", "HandleAppend", "SendSnapshot", "InstallSnapshot"],
        ..PLAIN
    },
    Scope {
        name: "suffix",
        purpose: "an append that ends before its follower's log does, whose rest was never committed",
        entries: 1,
        beats: 1,
        append_bytes: 1,
        progress: 1,
        start: "campaign 1; deliver 1>2; deliver 2>1; deliver 1>2; deliver 2>1; propose 1; lose; \
                campaign 2; deliver 2>3; deliver 3>2; deliver 2>3; deliver 3>2; deliver 2>3; deliver 3>2; \
                deliver 2>3; deliver 3>2; lose",
        must_fire: &["HandleHeartbeat", "HandleAppend", "HandleAppendReply", "Apply"],
        ..PLAIN
    },
    Scope {
        name: "commit",
        purpose: "two campaigns, one command and a crash",
        campaigns: 2,
        entries: 1,
        crashes: 1,
        start: "campaign 1; deliver 1>2; deliver 2>1",
        must_fire: CRASHING,
        ..PLAIN
    },
    Scope {
        name: "figure8",
        purpose: "an entry of an old term reaches a majority (Raft paper, figure 8)",
        terms: 4,
        entries: 0,
        append_bytes: 1,
        start: "campaign 1; deliver 1>2; deliver 2>1; lose; \
                campaign 2; deliver 2>1; deliver 2>3; deliver 3>2; lose; campaign 1",
        must_fire: &["StartElection", "BecomeLeader", "HandleAppend", "HandleAppendReply", "AdvanceCommit"],
        ..PLAIN
    },
    Scope {
        name: "snapshot",
        purpose: "a snapshot replaces the log that it covers, and a crash",
        terms: 1,
        entries: 1,
        crashes: 1,
        snapshots: 1,
        start: "campaign 1; deliver 1>2; deliver 2>1; deliver 1>2; deliver 2>1",
        must_fire: &["TakeSnapshot", "CompactLog", "Restart"],
        ..PLAIN
    },
    Scope {
        name: "install",
        purpose: "a follower that needs what a snapshot replaced",
        terms: 1,
        entries: 1,
        snapshots: 1,
        beats: 1,
        start: "campaign 1; deliver 1>2; deliver 2>1; deliver 1>2; deliver 2>1",
        must_fire: &[
            "TakeSnapshot",
            "CompactLog",
            "SendSnapshot",
            "HandleSnapshotChunk",
            "InstallSnapshot",
            "HandleSnapshotReply",
        ],
        ..PLAIN
    },
    Scope {
        name: "late",
        purpose: "a snapshot that comes after its follower has gone on without it",
        terms: 1,
        entries: 1,
        snapshots: 1,
        beats: 1,
        start: "campaign 1; deliver 1>2; deliver 2>1; deliver 1>2; deliver 2>1; snapshot 1; file 1; heartbeat 1",
        must_fire: &["Propose", "HandleAppend", "AdvanceCommit", "HandleSnapshotChunk", "HandleSnapshotReply"],
        ..PLAIN
    },
    Scope {
        name: "reads",
        purpose: "a read of a leader that may have been replaced",
        campaigns: 2,
        reads: 1,
        start: "campaign 1; deliver 1>2; deliver 2>1",
        must_fire: &["RequestRead", "ConfirmRead", "HandleHeartbeat", "HandleHeartbeatReply", "StepDown"],
        ..PLAIN
    },
    Scope {
        name: "reads-again",
        purpose: "a leader leads again: what answers a read round of its earlier term must not count in this one",
        terms: 4,
        campaigns: 5,
        reads: 2,
        reductions: Reductions::KEEP_MESSAGES,
        start: "campaign 1; deliver 1>2; deliver 2>1; deliver 1>2; deliver 2>1; read 1; \
                campaign 3; campaign 3; deliver 3>1; campaign 1; deliver 1>2; deliver 2>1; deliver 1>2; deliver 2>1; \
                campaign 2; deliver 2>3; deliver 3>2; deliver 2>3; deliver 3>2; deliver 2>3; deliver 3>2",
        must_fire: &["RequestRead", "ConfirmRead", "HandleHeartbeat", "HandleHeartbeatReply", "StepDown"],
        ..PLAIN
    },
    Scope {
        name: "transfer",
        purpose: "a leader hands over, and checks that a quorum answers; nobody else campaigns",
        campaigns: 1,
        transfers: 1,
        beats: 1,
        check_quorum: true,
        start: "campaign 1; deliver 1>2; deliver 2>1",
        must_fire: &["TransferLeadership", "HandleTimeoutNow", "StartElection", "BecomeLeader", "StepDown"],
        ..PLAIN
    },
];

impl Scope {
    /// The scope of this name.
    pub fn named(name: &str) -> Option<Self> {
        ALL.iter().find(|scope| scope.name == name).cloned()
    }

    /// What no step of this scope ever asks for.
    pub const fn hints(&self) -> Hints {
        let snapshots = self.snapshots > 0;
        Hints {
            heard: !self.pre_votes,
            leader: !snapshots,
            recent: !self.check_quorum && !snapshots,
            // A chunk stays in the network, so sending it again changes nothing.
            repeats: true,
        }
    }

    /// The replicas' limits. What bounds bytes has tests of its own in the core.
    pub fn limits(&self) -> RaftLimits {
        RaftLimits { append_bytes: self.append_bytes, chunk_bytes: 1, trailing_entries: 0, ..RaftLimits::default() }
    }

    /// Whether anybody but a leader sends what does not wait for the disk.
    pub const fn has_unsynced_messages(&self) -> bool {
        self.pre_votes || self.beats > 0 || self.reads > 0 || self.snapshots > 0
    }

    /// Whether the network loses such messages always.
    pub const fn loses(&self, message: &Message<Byte>) -> bool {
        self.only_elections && !matches!(message, Message::Election(_))
    }

    /// Whether progress is tried from a state with this key.
    pub const fn tries_progress(&self, key: u64) -> bool {
        self.progress > 0 && key.is_multiple_of(self.progress)
    }
}
