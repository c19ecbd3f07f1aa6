//! All scopes: what each is for, and how far it goes.

use super::scopes::{Reductions, Scope};

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
        progress: 64,
        must_fire: CRASHING,
        ..PLAIN
    },
    Scope {
        name: "deep2",
        purpose: "two terms, two commands, a crash that loses what was not synced",
        entries: 2,
        crashes: 1,
        progress: 64,
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
        progress: 16,
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
