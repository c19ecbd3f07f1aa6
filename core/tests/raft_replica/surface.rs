//! What the caller can rely on without a schedule: batches cost one write, and a wrong peer changes nothing.

use crate::words::{Text, Word};
use quorate_core::limits::RaftLimits;
use quorate_core::raft::{
    Conflict, Durable, Effects, Election, Entry, EntryKind, HardState, Input, Lag, LogPosition, Mark, Message,
    Proposed, Replica, Replication, Timer, Transfer, Write,
};
use quorate_core::spec::ids::{LogIndex, NodeId, ReadContext, Term, WriteId};
use std::collections::BTreeSet;
use std::sync::Arc;

fn voters() -> BTreeSet<NodeId> {
    (1..=3).map(NodeId::new).collect()
}

fn hear(replica: &mut Replica<Word>, from: u64, message: Message<Word>) -> Effects<Word> {
    replica.step(Input::Received { from: NodeId::new(from), message })
}

/// Node 1 of three, leading term 1 with its empty entry synced and on node 2.
fn leader() -> Replica<Word> {
    leader_with(RaftLimits::default())
}

fn leader_with(limits: RaftLimits) -> Replica<Word> {
    let genesis = Durable::genesis(voters(), Text::default());
    let (mut replica, _) = Replica::new(NodeId::new(1), genesis, limits);
    let _ = replica.step(Input::Fired { timer: Timer::Election });
    let _ = hear(&mut replica, 2, Message::Election(Election::PreVoteGranted { term: Term::new(1) }));
    let _ = replica.step(Input::Synced { write: WriteId::new(1) });
    let _ = hear(&mut replica, 2, Message::Election(Election::VoteGranted { term: Term::new(1) }));
    let _ = replica.step(Input::Synced { write: WriteId::new(2) });
    let appended = Replication::Appended { term: Term::new(1), matched: LogIndex::new(1) };
    let _ = hear(&mut replica, 2, Message::Replication(appended.clone()));
    let _ = hear(&mut replica, 3, Message::Replication(appended));
    assert!(replica.is_leader() && replica.commit() == LogIndex::new(1));
    replica
}

#[test]
fn a_batch_is_one_write_and_one_append_per_follower() {
    let mut replica = leader();
    let payloads: Vec<_> = (0..256).map(|number| Word(number.to_string())).collect();
    let effects = replica.step(Input::Propose { payloads });
    let taken = Proposed::Accepted { term: Term::new(1), first: LogIndex::new(2), count: 256 };
    assert_eq!(effects.proposed, Some(taken));
    assert!(matches!(effects.writes.as_slice(), [(_, Write::Append { entries, .. })] if entries.len() == 256));
    let sent = effects.sends.iter().map(|(_, message)| match message {
        Message::Replication(Replication::Append { entries, .. }) => entries.len(),
        other => panic!("{other:?}"),
    });
    assert_eq!(sent.collect::<Vec<_>>(), [256, 256]);
    let bytes = replica.log_bytes() - 16;
    let lag = |node| Lag { node: NodeId::new(node), entries: 256, bytes, by_snapshot: false };
    assert_eq!(replica.lag(), [lag(2), lag(3)], "everything but the no-op, which both have");
}

#[test]
fn a_leader_whose_own_disk_stalls_takes_in_no_more_than_its_quota() {
    let mut replica = leader_with(RaftLimits { uncommitted_bytes: 100, ..RaftLimits::default() });
    let propose = |replica: &mut Replica<Word>| {
        let proposed = replica.step(Input::Propose { payloads: vec![Word("x".repeat(60))] }).proposed;
        matches!(proposed, Some(Proposed::Accepted { count: 1, .. }))
    };
    assert!(propose(&mut replica));
    let appended = Message::Replication(Replication::Appended { term: Term::new(1), matched: LogIndex::new(2) });
    let _ = hear(&mut replica, 2, appended.clone());
    let _ = hear(&mut replica, 3, appended);
    assert_eq!(replica.commit(), LogIndex::new(2), "the others commit without it");
    assert!(!propose(&mut replica), "what is committed and not durable here still counts");
    let _ = replica.step(Input::Synced { write: WriteId::new(3) });
    assert!(propose(&mut replica));
}

#[test]
fn the_bytes_of_the_log_are_counted_as_it_changes() {
    let mut replica = leader();
    let empty = replica.log_bytes();
    let _ = replica.step(Input::Propose { payloads: vec![Word("word".to_owned()); 10] });
    let full = replica.log_bytes();
    assert_eq!(full, empty * 11 + 40);
    let appended = Replication::Appended { term: Term::new(1), matched: LogIndex::new(11) };
    let _ = hear(&mut replica, 2, Message::Replication(appended));
    let _ = replica.step(Input::Synced { write: WriteId::new(3) });
    let image = Text::default();
    let snapshot = replica.step(Input::Image { image, persist: true }).snapshot.expect("something new is committed");
    assert!(replica.snapshot_in_progress());
    let written = replica.step(Input::SnapshotWritten { last: snapshot.mark.last });
    assert!(!replica.snapshot_in_progress());
    assert!(matches!(written.writes.as_slice(), [(_, Write::Mark(_))]), "fewer entries than are to be kept");
    assert_eq!(replica.log_bytes(), full);
}

/// A disk that lied about a sync: the leader of term 3 was told that entry 2 is its own, and what is there after a restart
/// is what the leader of term 2 never committed. A heartbeat must not commit that.
#[test]
fn a_heartbeat_commits_only_what_the_leader_holds_there() {
    let entry = |term| Arc::new(Entry { term: Term::new(term), kind: EntryKind::Command(Word("of a term".into())) });
    let durable = Durable {
        hard: HardState { term: Term::new(2), voted_for: None },
        entries: vec![entry(1), entry(2)],
        ..Durable::genesis(voters(), Text::default())
    };
    let heartbeat = |term, index| {
        let commit = LogPosition { term: Term::new(term), index: LogIndex::new(index) };
        Message::Replication(Replication::Heartbeat { term: Term::new(3), commit, read: ReadContext::ZERO })
    };
    let (mut replica, _) = Replica::new(NodeId::new(1), durable, RaftLimits::default());
    for (term, index, commits) in [(3, 2, 0), (0, 0, 0), (1, 1, 1), (3, 3, 1), (2, 2, 2)] {
        let effects = hear(&mut replica, 3, heartbeat(term, index));
        assert_eq!(replica.commit(), LogIndex::new(commits), "after term {term} at {index}");
        let answers = |(to, message): &(NodeId, Message<Word>)| {
            *to == NodeId::new(3) && matches!(message, Message::Replication(Replication::HeartbeatAck { .. }))
        };
        assert!(effects.sends.iter().any(answers) || index == 2 && term == 3, "{effects:?}");
        let _ = replica.step(Input::Synced { write: WriteId::new(1) });
    }
}

#[test]
fn a_wrong_peer_changes_nothing() {
    let term = Term::new(1);
    let (far, index) = (LogIndex::new(u64::MAX), LogIndex::new(1));
    let last = LogPosition { term, index };
    let short = |last, rejected| Replication::AppendRefused { term, rejected, conflict: Conflict::Short { last } };
    let nonsense = [
        Message::Replication(Replication::Appended { term, matched: far }),
        Message::Replication(short(far, far)),
        Message::Replication(short(far, index)),
        Message::Replication(short(LogIndex::ZERO, LogIndex::ZERO)),
        Message::Replication(Replication::HeartbeatAck { term, read: ReadContext::new(7) }),
        Message::Replication(Replication::Heartbeat {
            term,
            commit: LogPosition { term, index: far },
            read: ReadContext::ZERO,
        }),
        Message::Replication(Replication::Append { term, prev: last, entries: Vec::new(), commit: far }),
        Message::Transfer(Transfer::Installed { term, matched: far }),
        Message::Transfer(Transfer::Accepted { term, last, next: 3 }),
        Message::Election(Election::VoteGranted { term }),
        Message::Election(Election::PreVoteGranted { term }),
        Message::Election(Election::TimeoutNow { term }),
    ];
    for message in nonsense {
        let mut replica = leader();
        let effects = hear(&mut replica, 3, message.clone());
        assert!(effects.writes.is_empty() && effects.sends.is_empty(), "{message:?}: {effects:?}");
        let (mut heard, mut before) = (replica.view(), leader().view());
        (heard.matched, before.matched) = Default::default();
        assert_eq!(heard, before, "{message:?}");
    }
    let mut replica = leader();
    let stranger = Message::Election(Election::RequestVote { term: Term::new(9), last });
    assert_eq!(hear(&mut replica, 4, stranger.clone()), Effects::default(), "node 4 is no voter");
    assert_eq!(hear(&mut replica, 1, stranger), Effects::default(), "nobody hears of itself");
    assert_eq!(replica, leader());
}

#[test]
fn a_lane_that_contradicts_itself_is_refused() {
    let mut durable: Durable<Word> = Durable::genesis(voters(), Text::default());
    let term = Term::new(2);
    let entries = || (0..3).map(|_| Arc::new(Entry { term, kind: EntryKind::Noop })).collect();
    let at = |index| LogPosition { term, index: LogIndex::new(index) };
    let mark = |index| Mark { last: at(index), voters: voters() };
    let blank = |_: &Mark| Text::default();
    for write in [
        Write::HardState(HardState { term, voted_for: None }),
        Write::Append { first: LogIndex::new(1), entries: entries() },
        Write::Mark(mark(2)),
        Write::Purge { base: at(1) },
    ] {
        durable.fold(write, blank).expect("a lane as a replica writes it");
    }
    let kept = durable.clone();
    for (write, reason) in [
        (Write::HardState(HardState::default()), "term 0 is written after term 2"),
        (Write::Append { first: LogIndex::new(5), entries: entries() }, "entries from 5 on after a log that ends at 3"),
        (Write::Truncate { from: LogIndex::new(2) }, "truncation from 2 of a log that is (2, 3]"),
        (Write::Truncate { from: LogIndex::new(4) }, "truncation from 4 of a log that is (2, 3]"),
        (Write::Mark(mark(4)), "a snapshot mark at index 4 of term 2, which is not in the log"),
        (Write::Purge { base: at(3) }, "purge up to 3 beyond the durable snapshot at 2"),
    ] {
        assert_eq!(durable.fold(write, blank), Err(reason.to_owned()));
    }
    assert_eq!(durable, kept, "an error changes nothing");
    durable.fold(Write::Install(mark(9)), blank).expect("a received snapshot may be far ahead");
    assert_eq!((durable.last_index(), durable.entries.len()), (LogIndex::new(9), 0));
}

/// What is left out of a view is what lies at or below the index, and never anything that is not committed.
#[test]
fn a_view_may_leave_out_what_is_committed() {
    let mut replica = leader();
    let _ = replica.step(Input::Propose { payloads: vec![Word("a".into()), Word("b".into())] });
    let whole = replica.view();
    assert_eq!((whole.log.entries.len(), whole.commit), (3, LogIndex::new(1)));
    assert_eq!(replica.view_after(LogIndex::ZERO), whole);
    for index in [1, 2, u64::MAX] {
        let mut rest = replica.view_after(LogIndex::new(index));
        assert_eq!(
            (rest.log.base_index, rest.log.base_term),
            (LogIndex::new(1), Term::new(1)),
            "not beyond the commit"
        );
        assert_eq!(rest.log.entries, whole.log.entries[1..]);
        rest.log = whole.log.clone();
        assert_eq!(rest, whole, "the rest is the same");
    }
    let entry = |term| Arc::new(Entry { term: Term::new(term), kind: EntryKind::Noop });
    let disk = Durable { entries: vec![entry(1), entry(2)], ..Durable::<Word>::genesis(voters(), Text::default()) };
    let node = NodeId::new(1);
    let (whole, rest) = (disk.view(node), disk.view_after(node, LogIndex::new(1)));
    assert_eq!(
        (rest.log.base_index, rest.log.base_term, rest.snapshot),
        (LogIndex::new(1), Term::new(1), LogIndex::new(1))
    );
    assert_eq!(rest.log.entries, whole.log.entries[1..]);
    let end = disk.view_after(node, LogIndex::new(9));
    assert_eq!((end.snapshot, end.log.last_index(), end.log.entries.len()), (LogIndex::new(2), LogIndex::new(2), 0));
}
