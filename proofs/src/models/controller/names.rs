//! The names of what the controller model judges, beyond the specification's.

/// A replica rebuilt from an image comes to the same as one that applied the whole log.
pub const DETERMINISM: &str = "Determinism";
/// Configurations are only added, one at a time.
pub const IMMUTABLE_HISTORY: &str = "ImmutableHistory";
/// A retry changes nothing, so that a request acts at most once, and gets the first answer; a new request is answered
/// truly.
pub const FIRST_ANSWER: &str = "FirstAnswer";
/// A configuration differs from the one before it by what was asked for, and by nothing else.
pub const CHANGE_AS_ASKED: &str = "ChangeAsAsked";
/// Session ids only grow, and the live ones are bounded.
pub const SESSION_IDS: &str = "SessionIds";
/// A known node keeps its stamp.
pub const NODE_IDENTITY: &str = "NodeIdentity";
/// A group that is listed, or where an unowned shard froze, stays in the directory.
pub const ORIGIN_KEPT: &str = "OriginKept";
