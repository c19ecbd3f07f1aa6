//! Why a request did not work, what is certain about it, and what to do next.

use quorate_core::client::Trouble;
use quorate_core::controller;
use quorate_core::message::Refusal;
use std::fmt;

/// Why a request did not work. What it says of the request is certain: see [`Self::is_unknown`] and
/// [`Self::definitely_not_executed`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// A write or a change may have taken effect, may still, or may never: an attempt went unanswered.
    Unknown {
        /// What stood in the way last.
        why: Trouble,
    },
    /// The deadline passed before a write or a change was executed. It has no effect, now or later.
    NotExecuted {
        /// What stood in the way last.
        why: Trouble,
    },
    /// The deadline of a request without effect passed.
    Timeout {
        /// What stood in the way last.
        why: Trouble,
    },
    /// The cluster refused the request for good. It has no effect, now or later.
    Refused {
        /// Why.
        message: String,
    },
    /// No node could be reached.
    Unreachable {
        /// Each address that was tried, and what happened.
        tried: Vec<(String, String)>,
    },
    /// The nodes belong to another cluster than the one asked for.
    OtherCluster {
        /// What the node said.
        message: String,
    },
    /// The value is over the limit, or would grow over it. It has no effect.
    ValueTooLarge {
        /// The limit, in bytes.
        limit: u64,
    },
    /// The key is over the limit. It has no effect.
    KeyTooLarge {
        /// The limit, in bytes.
        limit: u64,
    },
    /// The client's task has ended with its runtime, so that nobody waits for answers any more.
    Closed,
}

impl Error {
    /// Whether the request may have taken effect, or may still. Only ever so for writes, changes and transfers.
    pub const fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown { .. } | Self::Closed)
    }

    /// Whether the request certainly has no effect, now or later. The opposite of [`Self::is_unknown`].
    pub const fn definitely_not_executed(&self) -> bool {
        !self.is_unknown()
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::KeyTooLarge { limit } => Self::KeyTooLarge { limit },
            Refusal::ValueTooLarge { limit } => Self::ValueTooLarge { limit },
            Refusal::BadTransferTarget => Self::Refused {
                message: "that node is not a voter of the group: name one of those that `quorate status` lists".into(),
            },
            other => Self::Refused { message: format!("the node refused the request: {other:?}") },
        }
    }
}

impl From<controller::Refusal> for Error {
    fn from(refusal: controller::Refusal) -> Self {
        Self::Refused { message: controller_says(&refusal) }
    }
}

/// The controller's refusal as a sentence that says what to do.
fn controller_says(refusal: &controller::Refusal) -> String {
    use controller::Refusal;
    match refusal {
        Refusal::ReservedGid => "group 0 is the controller's own: use a number from 1".into(),
        Refusal::NothingNamed => "no group was named: name at least one".into(),
        Refusal::NoServers { gid } => format!("group {} has no servers: name at least one node", gid.get()),
        Refusal::ServerTwice { gid, node } => {
            format!("group {} names node {} twice: name each once", gid.get(), node.get())
        }
        Refusal::UnknownServer { gid, node } => {
            let (gid, node) = (gid.get(), node.get());
            format!("group {gid} names node {node}, which is not registered: start that node first, or name another")
        }
        Refusal::GroupExists { gid } => {
            let gid = gid.get();
            format!(
                "group {gid} exists with other servers (see `quorate query`): use another number, or let it leave first"
            )
        }
        Refusal::UnknownGroup { gid } => {
            format!("there is no group {} in the latest configuration: see `quorate query`", gid.get())
        }
        Refusal::UnknownShard { shard } => format!("there is no shard {}: see `quorate query`", shard.get()),
        Refusal::BadFloor => "the session floor only rises, and not beyond the sessions issued".into(),
        Refusal::OtherStamp { node } => {
            format!("node {} is registered with another data directory: give the new one another id", node.get())
        }
        Refusal::SessionExpired | Refusal::Superseded | Refusal::SeqReused => {
            format!("the controller refused the session ({refusal:?}): connect again")
        }
        Refusal::NotRetirable => "the group is part of the latest configuration: let it leave first".into(),
    }
}

/// What stood in the way, and what to do about it.
const fn trouble_says(why: Trouble) -> &'static str {
    match why {
        Trouble::Waiting => "it waited behind others, or for an answer: allow a longer deadline",
        Trouble::NoMap => "no node told where shards are: check that the nodes run",
        Trouble::NoOwner => "no group serves the key's shard: let a group join",
        Trouble::UnknownGroup => "the group, or the address of its servers, is not known: check that its nodes run",
        Trouble::Unreachable => "no server of the group could be reached: check that its nodes run",
        Trouble::Silent => "the group's servers did not answer in time: check that most of them run",
        Trouble::NoLeader => "no server leads the group: check that most of its nodes run and reach each other",
        Trouble::Moving => "the key's shard is moving between groups: check that both run",
        Trouble::Overloaded => "the group has too much to do: send less, or later",
        Trouble::DiskFull => "a server's disk is full: make space",
        Trouble::SessionEnded => "the cluster ended this client's session: ask again, or raise the limit on sessions",
        Trouble::Nonsense => "a server answered what was not asked: check that all nodes and clients have one version",
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { why } => {
                write!(f, "the outcome is unknown (read before asking again); last, {}", trouble_says(*why))
            }
            Self::NotExecuted { why } => write!(f, "not executed before the deadline: {}", trouble_says(*why)),
            Self::Timeout { why } => write!(f, "no answer before the deadline: {}", trouble_says(*why)),
            Self::Refused { message } => f.write_str(message),
            Self::Unreachable { tried } => {
                f.write_str("no node could be reached")?;
                for (at, (address, what)) in tried.iter().enumerate() {
                    write!(f, "{}{address}: {what}", if at == 0 { ": " } else { "; " })?;
                }
                Ok(())
            }
            Self::OtherCluster { message } => write!(f, "this is not the cluster asked for: {message}"),
            Self::ValueTooLarge { limit } => {
                write!(f, "the value is, or would grow, over the limit of {limit} bytes: split it")
            }
            Self::KeyTooLarge { limit } => write!(f, "the key is over the limit of {limit} bytes: shorten it"),
            Self::Closed => f.write_str("the client's task has ended: connect again"),
        }
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_says_what_is_certain() {
        let why = Trouble::Silent;
        assert!(Error::Unknown { why }.is_unknown() && !Error::Unknown { why }.definitely_not_executed());
        for error in [Error::NotExecuted { why }, Error::Timeout { why }, Error::ValueTooLarge { limit: 1 }] {
            assert!(error.definitely_not_executed() && !error.is_unknown(), "{error}");
        }
    }

    #[test]
    fn the_limit_is_in_the_message() {
        assert!(Error::from(Refusal::KeyTooLarge { limit: 4096 }).to_string().contains("4096"));
        let gid = quorate_spec::ids::Gid::new(7);
        assert!(Error::from(controller::Refusal::UnknownGroup { gid }).to_string().contains("no group 7 "));
    }
}
