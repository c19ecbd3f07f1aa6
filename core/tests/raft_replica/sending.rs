//! What a leader sends: how much, how often, and what again.

use crate::script::play;

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
        win 2 with 3
        propose 2 b c d
        settle
        crash 2 before-sync
        restart 2
        win 3 with 2
        settle
        state 1 2 3
        ----
        1: leads term 1
        1: took 1 from 2 on
        1: took 5 from 3 on
        2: leads term 2
        2: took 3 from 4 on
        3: leads term 3
        1: Leader, term 1, voted for 1, commit 2, log -/1 a/1 x1/1 x2/1 x3/1 x4/1 x5/1
        2: Follower of 3, term 3, voted for 3, commit 3, log -/1 a/1 -/2 b/2 c/2 d/2 -/3
        3: Leader, term 3, voted for 3, commit 7, log -/1 a/1 -/2 b/2 c/2 d/2 -/3

        join 1
        heartbeat 3
        deliver 3->1 Append
        sync 1
        network
        ----
        1: stepped down
        3->1 Heartbeat term 3, commit 0, r0
        3->2 Heartbeat term 3, commit 7, r0
        1->3 AppendRefused term 3, rejected 6, there is term 1 from 1 on

        deliver 1->3 AppendRefused
        matched 3
        network
        ----
        3 counts 1 up to 0, 2 up to 7, 3 up to 7
        3->1 Heartbeat term 3, commit 0, r0
        3->2 Heartbeat term 3, commit 7, r0
        3->1 Append term 3, after 2/1: [-/2 b/2 c/2 d/2 -/3], commit 7

        deliver 3->1 Append
        pending 1
        sync 1
        deliver 1->3 Appended
        state 1
        ----
        1 has not synced: no entries from 3 on, [-/2 b/2 c/2 d/2 -/3] from 3 on
        1: Follower of 3, term 3, voted for nobody, commit 7, log -/1 a/1 -/2 b/2 c/2 d/2 -/3
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
        2->1 AppendRefused term 1, rejected 4, the log ends at 3

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
