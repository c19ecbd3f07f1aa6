//! The mutants: their names are the bug catalogue's, and one acts exactly while it is selected.
#![cfg(feature = "mutants")]

use quorate_core::limits::RaftLimits;
use quorate_core::mutants::{self, Mutant};
use quorate_core::raft::{Durable, Election, Image, Input, LogPosition, Message, Payload, Replica};
use quorate_core::spec::ids::{NodeId, Term};
use std::collections::BTreeSet;

/// The rows of the bug catalogue that concern the core. Its other rows are faults of the disk below it
/// (`continue-after-failed-sync`, `idle-group-vote-purged`, `torn-tail-mid-log`: the simulation has them) or need a
/// change of membership, which does not exist yet.
const CATALOGUE: &str = "
    vote-nonatomic term-vote-volatile no-self-vote-record stale-vote-reply prevote-reply-as-vote prevote-resets-vote
    leader-grants-vote duplicate-vote-counted log-up-to-date-by-length lastlog-vector-compare
    prevote-ignores-higher-term vote-before-sync request-vote-before-sync
    figure-8 read-quorum-minus-one commit-regress match-regress commit-on-nack truncate-on-any-append
    delete-then-append-crash commit-beyond-append ack-before-sync leader-counts-itself-unsynced
    empty-append-instead-of-snapshot compacted-term-zero-matches
    snapshot-rewinds-applied snapshot-drops-sessions snapshot-before-durable vote-log-reorder completion-by-index
    applied-outside-transaction wiped-disk-votes
    local-read read-before-own-term-commit read-before-apply dedupe-at-propose-only reply-from-wrong-entry
    session-expiry-by-local-clock floor-left-behind superseded-answered resend-under-new-id expired-session-reexecutes
    serve-before-data source-serves-after-freeze freeze-at-propose-only dedupe-left-behind install-twice gc-before-ack
    stale-delete config-skipped config-outside-log pull-from-stale-leader handoff-by-timeout wrong-group-cached
    rebalance-by-hash-order returning-shard-overwrites rejoined-gid-mistaken replica-recreated restart-livelock
";

/// Ours, for properties that none of the above breaks first.
const OWN: &str = "
    prev-term-unchecked truncate-not-written leader-cuts-own-log proposal-appended-twice old-round-confirmed
    frozen-copy-written origin-forgotten
    larger-share-by-gid configuration-rewritten move-rebalances session-issued-again stamp-replaced
    retired-while-needed lost-pull-not-repeated retried-change-acts-twice second-write-outstanding
    refused-though-uncertain deadline-forgets-attempt seq-reused answer-by-server refusal-not-retried one-way-pinning
    pin-before-durable older-boot-believed unsynced-dropped-at-step-down copy-dropped-at-return
";

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Nothing;

impl Payload for Nothing {
    type Image = Nothing;

    fn bytes(&self) -> usize {
        0
    }
}

impl Image for Nothing {
    type Chunk = ();
    type Cursor = ();

    fn chunk(&self, _from: &(), _limit: usize) -> ((), Option<()>) {
        ((), None)
    }

    fn blank() -> Self {
        Self
    }

    fn absorb(&mut self, _chunk: ()) {}
}

/// Whether a node answers a request for its vote before its disk has answered.
fn votes_at_once() -> bool {
    let voters: BTreeSet<NodeId> = (1..=3).map(NodeId::new).collect();
    let (mut replica, _) = Replica::new(NodeId::new(1), Durable::genesis(voters, Nothing), RaftLimits::default());
    let ask = Message::<Nothing>::Election(Election::RequestVote { term: Term::new(1), last: LogPosition::default() });
    !replica.step(Input::Received { from: NodeId::new(2), message: ask }).sends.is_empty()
}

/// One test: the selection is the whole process's.
#[test]
fn a_mutant_has_the_catalogues_name_and_acts_while_it_is_selected() {
    let names: Vec<&str> = CATALOGUE.split_whitespace().chain(OWN.split_whitespace()).collect();
    assert_eq!(Mutant::ALL.iter().map(|mutant| mutant.name()).collect::<Vec<_>>(), names);
    for mutant in Mutant::ALL {
        assert_eq!(Mutant::from_name(mutant.name()), Some(*mutant));
        assert!(mutant.about().ends_with('.'), "{} is told in a sentence", mutant.name());
        mutants::select(Some(*mutant));
        assert!(mutants::selected() == Some(*mutant) && mutants::any_selected());
        assert!(Mutant::ALL.iter().all(|other| mutants::is(*other) == (other == mutant)));
        assert_eq!(votes_at_once(), *mutant == Mutant::VoteBeforeSync, "{}", mutant.name());
    }
    mutants::select(None);
    assert!(mutants::selected().is_none() && !mutants::any_selected() && !votes_at_once());
    assert_eq!(Mutant::from_name("figure-9"), None);
}
