//! What a scope is: budgets and switches, as plain data. The scopes themselves are in `table`.

use super::payload::Byte;
use super::table;
use quorate_core::limits::RaftLimits;
use quorate_core::raft::{Hints, Message};

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
    /// Writes are synced at once, or wait for a crash; see `crashes`.
    pub sync_at_once: bool,
    /// A node that waits for its crash takes no steps that nobody sees; see `crashes`. Rests on `sync_at_once`.
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

impl Scope {
    /// The scope of this name.
    pub fn named(name: &str) -> Option<Self> {
        table::ALL.iter().find(|scope| scope.name == name).cloned()
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
