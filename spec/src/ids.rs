//! Identifiers and counters, one type each, without arithmetic.
//!
//! Two numbers of different meaning never meet by accident: a term is not a log index. What may be done to a counter is
//! a named operation (`next`, `prev`), so that a reader sees every place where it moves.

use core::fmt;

/// Declares a `u64` newtype with `new`, `get`, `ZERO`, `LARGEST` and `Display`.
macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        id!($(#[$doc])* $name, $prefix, u64::MAX);
    };
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $largest:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize))]
        #[cfg_attr(feature = "serde", serde(transparent))]
        pub struct $name(u64);

        #[cfg(feature = "serde")]
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                at_most(Self::LARGEST.0, deserializer).map(Self)
            }
        }

        impl $name {
            /// The smallest value; for counters, "none yet".
            pub const ZERO: Self = Self(0);

            /// The largest value that is read from a message or a file.
            pub const LARGEST: Self = Self($largest);

            /// Wraps a raw number.
            pub const fn new(raw: u64) -> Self {
                Self(raw)
            }

            /// The raw number, for printing, encoding and indexing.
            pub const fn get(self) -> u64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }
    };
}

/// Reads a number that must not be larger than `largest`.
#[cfg(feature = "serde")]
fn at_most<'de, D: serde::Deserializer<'de>>(largest: u64, deserializer: D) -> Result<u64, D::Error> {
    let raw = <u64 as serde::Deserialize>::deserialize(deserializer)?;
    if raw <= largest {
        return Ok(raw);
    }
    let expected = "a counter below 2^63, which nothing that counts from 0 ever reaches";
    Err(serde::de::Error::invalid_value(serde::de::Unexpected::Unsigned(raw), &expected))
}

/// Declares an [`id!`] that also counts upwards. One that comes from outside is below 2^63, so that counting on from it
/// never overflows: no counter gets there honestly.
macro_rules! counter {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        id!($(#[$doc])* $name, $prefix, (1 << 63) - 1);

        impl $name {
            /// The following value. Counters of 64 bits do not run out; overflow is a bug and stops the process.
            #[must_use]
            pub const fn next(self) -> Self {
                Self(self.0 + 1)
            }
        }
    };
}

counter!(
    /// A Raft term (Raft paper 5.1). 0 before the first election.
    Term,
    ""
);
counter!(
    /// A position in a Raft log (Raft paper 5.3). The first entry is at 1; 0 is "before the log".
    LogIndex,
    ""
);
counter!(
    /// The number of a configuration. 0 is the initial one, without groups.
    ConfigNum,
    ""
);
counter!(
    /// A client session, issued by the controller, strictly increasing. 0 is never issued.
    ClientId,
    "c"
);
counter!(
    /// A client's request number within its session, strictly increasing from 1.
    Seq,
    "#"
);
counter!(
    /// A durable write of one lane, counted within one boot and never reused within it.
    WriteId,
    "w"
);
counter!(
    /// A round of leadership confirmation, never reused within a term (Raft dissertation 6.4).
    ReadContext,
    "r"
);
counter!(
    /// An opening of a data directory. Later boots have greater numbers; of two copies that are opened one is the later.
    Boot,
    "b"
);
counter!(
    /// The version of the controller's directory of nodes and groups.
    DirectoryVersion,
    "d"
);
counter!(
    /// What the runtime calls one local request, so that the answer finds its way back. Unique within a boot.
    Ticket,
    "t"
);
id!(
    /// A node (a process with a data directory). At least 1.
    NodeId,
    "n"
);
id!(
    /// A replica group's number as operators use it. 0 is the controller group; a number may leave and join again.
    Gid,
    "g"
);
id!(
    /// A shard, from 0 to the cluster's number of shards - 1.
    ShardId,
    "s"
);
id!(
    /// A hash slot of the key space, from 0 to 16383.
    Slot,
    ""
);

impl LogIndex {
    /// The preceding index. The index before 0 is 0.
    #[must_use]
    pub const fn prev(self) -> Self {
        Self(self.0.saturating_sub(1))
    }

    /// The index `n` places further on.
    #[must_use]
    pub const fn plus(self, n: u64) -> Self {
        Self(self.0 + n)
    }

    /// How many entries lie in `(earlier, self]`; 0 if `earlier` is not earlier.
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// A replica group's identity: its number and the configuration that created it.
///
/// A gid that leaves and joins again is a *new* group (`rejoined-gid-mistaken` in the bug catalogue).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct GroupId {
    /// The number operators use.
    pub gid: Gid,
    /// The configuration whose Join created the group; 0 only for the controller group.
    pub born: ConfigNum,
}

impl GroupId {
    /// The controller group.
    pub const CONTROLLER: Self = Self { gid: Gid::ZERO, born: ConfigNum::ZERO };

    /// A data group `gid` created by configuration `born`.
    pub const fn new(gid: Gid, born: ConfigNum) -> Self {
        Self { gid, born }
    }
}

impl fmt::Display for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.gid, self.born)
    }
}

/// The stamp of a data directory: drawn at random when the directory is made, so that a wiped directory is another one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(transparent))]
pub struct Stamp(u128);

impl Stamp {
    /// Wraps a raw stamp.
    pub const fn new(raw: u128) -> Self {
        Self(raw)
    }

    /// The raw stamp.
    pub const fn get(self) -> u128 {
        self.0
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// Where in a shard's history something happened: the configuration under which the shard was served, then the log
/// index in that group's log. Positions of one shard are ordered lexicographically, and that order is the order of effect:
/// under one configuration one group serves the shard, and a group's log indices grow over all its configurations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Position {
    /// The configuration that the serving group had adopted.
    pub config: ConfigNum,
    /// The log index: of the write itself, or the applied index from which a read was answered.
    pub index: LogIndex,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.config, self.index)
    }
}
