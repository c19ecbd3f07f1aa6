//! Appending, acknowledging, committing.

use crate::script::play;

#[test]
fn an_acknowledgement_waits_for_the_disk() {
    play(
        "
        cluster 3
        elect 1
        propose 1 a
        deliver 1->2
        network
        pending 2
        ----
        1: leads term 1
        1: took 1 from 2 on
        1->3 Append term 1, after 1/1: [a/1], commit 1
        2 has not synced: [a/1] from 2 on

        sync 2
        network
        ----
        1->3 Append term 1, after 1/1: [a/1], commit 1
        2->1 Appended term 1, matched 2

        crash 3 before-sync
        restart 3
        deliver 1->3
        crash 3 before-sync
        restart 3
        state 3
        network
        ----
        3: Follower, term 1, voted for 1, commit 0, log -/1
        2->1 Appended term 1, matched 2
        ",
    );
}

#[test]
fn a_leader_does_not_count_its_own_copy_before_it_is_durable() {
    play(
        "
        cluster 3
        elect 1
        propose 1 a
        deliver 1->2
        sync 2
        deliver 2->1
        state 1
        ----
        1: leads term 1
        1: took 1 from 2 on
        1: Leader, term 1, voted for 1, commit 1, log -/1 a/1

        sync 1
        state 1
        ----
        1: Leader, term 1, voted for 1, commit 2, log -/1 a/1
        ",
    );
}

#[test]
fn a_quorum_of_others_commits_before_the_leaders_own_disk() {
    play(
        "
        cluster 3
        elect 1
        propose 1 a
        deliver 1->2
        deliver 1->3
        sync 2
        sync 3
        deliver 2->1
        deliver 3->1
        state 1
        pending 1
        ----
        1: leads term 1
        1: took 1 from 2 on
        1: Leader, term 1, voted for 1, commit 2, log -/1 a/1
        1 has not synced: [a/1] from 2 on
        ",
    );
}

#[test]
fn what_hangs_at_the_end_of_an_append_is_not_committed() {
    play(
        "
        cluster 3
        elect 1
        propose 1 a
        settle
        cut 1
        propose 1 x
        sync 1
        campaign 3
        forget
        elect 2
        propose 2 b
        settle
        state 1 2 3
        ----
        1: leads term 1
        1: took 1 from 2 on
        1: took 1 from 3 on
        2: leads term 2
        2: took 1 from 4 on
        1: Leader, term 1, voted for 1, commit 2, log -/1 a/1 x/1
        2: Leader, term 2, voted for 2, commit 4, log -/1 a/1 -/2 b/2
        3: Follower of 2, term 2, voted for 2, commit 3, log -/1 a/1 -/2 b/2

        join 1
        heartbeat 2
        deliver 2->1 Heartbeat
        state 1
        ----
        1: stepped down
        1: Follower of 2, term 2, voted for nobody, commit 2, log -/1 a/1 x/1

        settle
        heartbeat 2
        settle
        state 1
        ----
        1: Follower of 2, term 2, voted for nobody, commit 4, log -/1 a/1 -/2 b/2
        ",
    );
}

#[test]
fn an_entry_of_an_earlier_term_is_not_committed_by_counting_copies() {
    // Raft paper, figure 8.
    play(
        "
        cluster 5
        elect 1
        heartbeat 1
        settle
        cut 3
        cut 4
        cut 5
        propose 1 a
        deliver 1->2
        sync 1
        sync 2
        crash 1 before-sync
        forget
        state 2
        ----
        1: leads term 1
        1: took 1 from 2 on
        2: Follower of 1, term 1, voted for 1, commit 1, log -/1 a/1

        join 3
        join 4
        join 5
        cut 2
        campaign 3
        campaign 4
        elect 5
        crash 5 keeping 9
        state 3 4
        ----
        3: Candidate, term 2, voted for 3, commit 1, log -/1
        4: Candidate, term 2, voted for 4, commit 1, log -/1
        ",
    );
}

#[test]
fn a_leader_backs_up_a_whole_term_at_a_time() {
    play(
        "
        cluster 3
        elect 1
        propose 1 a
        settle
        cut 1
        propose 1 x1 x2 x3 x4 x5
        sync 1
        campaign 3
        forget
        elect 2
        propose 2 b c d
        settle
        state 1 2
        ----

        join 1
        heartbeat 2
        deliver 2->1 Heartbeat
        network
        ----

        deliver 2->1 Append
        sync 1
        network
        ----

        deliver 1->2 HeartbeatAck
        deliver 1->2 AppendRefused
        network
        ----

        deliver 2->1 Append
        pending 1
        sync 1
        deliver 1->2 Appended
        state 1
        ----
        ",
    );
}

#[test]
fn an_append_that_comes_late_removes_nothing() {
    play(
        "
        cluster 3
        elect 1
        propose 1 a
        propose 1 b
        again 1->2
        deliver 1->2
        deliver 1->2
        sync 2
        network
        state 2
        ----
        1: leads term 1
        1: took 1 from 2 on
        1: took 1 from 3 on
        1->3 Append term 1, after 1/1: [a/1], commit 1
        1->3 Append term 1, after 2/1: [b/1], commit 1
        2->1 Appended term 1, matched 2
        2->1 Appended term 1, matched 2
        2->1 Appended term 1, matched 3
        2: Follower of 1, term 1, voted for 1, commit 1, log -/1 a/1 b/1

        settle
        state 1 2
        ----
        1: Leader, term 1, voted for 1, commit 3, log -/1 a/1 b/1
        2: Follower of 1, term 1, voted for 1, commit 1, log -/1 a/1 b/1
        ",
    );
}

#[test]
fn a_lost_append_is_found_by_the_next_heartbeat() {
    play(
        "
        cluster 3
        elect 1
        propose 1 a
        propose 1 b
        settle
        propose 1 c
        drop 1->2
        propose 1 d
        deliver 1->2
        sync 2
        network
        ----
        1: leads term 1
        1: took 1 from 2 on
        1: took 1 from 3 on
        1: took 1 from 4 on
        1: took 1 from 5 on
        1->3 Append term 1, after 3/1: [c/1], commit 3
        1->3 Append term 1, after 4/1: [d/1], commit 3
        2->1 AppendRefused term 1, rejected 4, Short { last: LogIndex(3) }

        deliver 2->1 AppendRefused
        network
        ----
        1->3 Append term 1, after 3/1: [c/1], commit 3
        1->3 Append term 1, after 4/1: [d/1], commit 3
        1->2 Append term 1, after 3/1: [c/1 d/1], commit 3

        forget
        settle
        state 1 2
        ----
        1: Leader, term 1, voted for 1, commit 3, log -/1 a/1 b/1 c/1 d/1
        2: Follower of 1, term 1, voted for 1, commit 1, log -/1 a/1 b/1

        heartbeat 1
        settle
        state 1 2 3
        ----
        1: Leader, term 1, voted for 1, commit 5, log -/1 a/1 b/1 c/1 d/1
        2: Follower of 1, term 1, voted for 1, commit 3, log -/1 a/1 b/1 c/1 d/1
        3: Follower of 1, term 1, voted for 1, commit 3, log -/1 a/1 b/1 c/1 d/1
        ",
    );
}

#[test]
fn an_acknowledgement_that_was_lost_is_found_without_sending_the_entries_again() {
    play(
        "
        cluster 3
        elect 1
        cut 3
        propose 1 a b c
        deliver 1->2
        sync 1
        sync 2
        forget
        heartbeat 1
        network
        ----
        1: leads term 1
        1: took 3 from 2 on
        1->2 Heartbeat term 1, commit 1, r0
        1->2 Append term 1, after 4/1: [], commit 1

        settle
        state 1
        ----
        1: Leader, term 1, voted for 1, commit 4, log -/1 a/1 b/1 c/1
        ",
    );
}

#[test]
fn appends_are_limited_in_size_and_number() {
    play(
        "
        cluster 3 append=40 window=2
        elect 1
        propose 1 a b c d e f g
        network
        ----
        1: leads term 1
        1: took 7 from 2 on
        1->2 Append term 1, after 1/1: [a/1 b/1], commit 1
        1->2 Append term 1, after 3/1: [c/1 d/1], commit 1
        1->3 Append term 1, after 1/1: [a/1 b/1], commit 1
        1->3 Append term 1, after 3/1: [c/1 d/1], commit 1

        deliver 1->2
        sync 2
        deliver 2->1
        network
        ----
        1->2 Append term 1, after 3/1: [c/1 d/1], commit 1
        1->3 Append term 1, after 1/1: [a/1 b/1], commit 1
        1->3 Append term 1, after 3/1: [c/1 d/1], commit 1
        1->2 Append term 1, after 5/1: [e/1 f/1], commit 1
        ",
    );
}

#[test]
fn uncommitted_proposals_are_bounded_but_one_always_goes() {
    play(
        "
        cluster 3 quota=40
        elect 1
        propose 1 a b c
        propose 1 d
        ----
        1: leads term 1
        1: took 2 from 2 on
        1: took 0 from 4 on

        settle
        propose 1 a-word-that-alone-is-more-than-the-quota-allows next
        propose 2 e
        ----
        1: took 1 from 4 on
        2: not the leader, ask 1

        settle
        state 1
        ----
        1: Leader, term 1, voted for 1, commit 4, log -/1 a/1 b/1 a-word-that-alone-is-more-than-the-quota-allows/1
        ",
    );
}

#[test]
fn a_restarted_node_commits_again_from_its_snapshot_on() {
    play(
        "
        cluster 3 trailing=1
        elect 1
        propose 1 a b
        settle
        snapshot 1
        written 1
        propose 1 c d
        settle
        state 1
        disk 1
        ----
        1: leads term 1
        1: took 2 from 2 on
        1: took 2 from 4 on
        1: Leader, term 1, voted for 1, commit 5, log (2/1) b/1 c/1 d/1
        1 durable: term 1, voted for 1, snapshot 3/1 "a b", log (2/1) b/1 c/1 d/1

        crash 1 before-sync
        restart 1
        state 1
        ----
        1: Follower, term 1, voted for 1, commit 3, log (2/1) b/1 c/1 d/1

        campaign 3
        forget
        elect 2
        heartbeat 2
        settle
        state 1
        ----
        2: leads term 2
        1: Follower of 2, term 2, voted for 2, commit 6, log (2/1) b/1 c/1 d/1 -/2
        ",
    );
}

#[test]
fn a_deposed_leader_learns_it_from_the_refusal() {
    play(
        "
        cluster 3
        elect 1
        cut 1
        campaign 3
        forget
        elect 2
        join 1
        propose 1 x
        deliver 1->3
        sync 3
        network
        ----
        1: leads term 1
        2: leads term 2
        1: took 1 from 2 on
        1->2 Append term 1, after 1/1: [x/1], commit 1
        3->1 AppendRefused term 2, rejected 1, Short { last: LogIndex(2) }

        deliver 3->1
        state 1
        ----
        1: stepped down
        1: Follower, term 2, voted for nobody, commit 1, log -/1 x/1
        ",
    );
}
