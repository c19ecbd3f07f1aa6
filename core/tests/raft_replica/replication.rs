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
        win 2 with 3
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
        network
        ----
        2->1 Heartbeat term 2, commit 0, r0
        2->3 Heartbeat term 2, commit 4, r0
        2->1 Append term 2, after 2/1: [], commit 4

        deliver 2->1 Heartbeat
        deliver 2->1 Append         # it verifies the entry at 2, not the one that follows
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
        cluster 5 append=1
        elect 1
        propose 1 a                 # (a) in term 1, on nodes 1 and 2
        deliver 1->2
        sync 1
        sync 2
        crash 1 before-sync
        win 5 with 3 4              # (b) in term 2, on node 5
        sync 5
        crash 5 before-sync
        disk 1 2 3 4 5
        ----
        1: leads term 1
        1: took 1 from 2 on
        5: leads term 2
        1 durable: term 1, voted for 1, log -/1 a/1
        2 durable: term 1, voted for 1, log -/1 a/1
        3 durable: term 2, voted for 5, log -/1
        4 durable: term 2, voted for 5, log -/1
        5 durable: term 2, voted for 5, log -/1 -/2

        restart 1
        campaign 1
        deliver 1->3
        deliver 3->1
        forget
        win 1 with 2 3              # (c) in term 3: the entry of term 1 reaches a majority
        sync 1
        drop 1->2 Append
        heartbeat 1
        deliver 1->2 Append
        sync 2
        deliver 2->1 Appended
        deliver 1->3 Append
        sync 3
        deliver 3->1 AppendRefused
        drop 1->3 Append
        deliver 1->3 Append
        sync 3
        deliver 3->1 Appended
        disk 1 2 3
        state 1
        ----
        1: leads term 3
        1 durable: term 3, voted for 1, log -/1 a/1 -/3
        2 durable: term 3, voted for 1, log -/1 a/1
        3 durable: term 3, voted for 1, log -/1 a/1
        1: Leader, term 3, voted for 1, commit 0, log -/1 a/1 -/3

        crash 1 before-sync         # (d) so node 5 may still replace it
        restart 5
        campaign 5
        deliver 5->3
        deliver 3->5
        forget
        win 5 with 3 4
        settle
        heartbeat 5
        settle
        state 2 3 4 5
        ----
        5: leads term 4
        2: Follower of 5, term 4, voted for nobody, commit 3, log -/1 -/2 -/4
        3: Follower of 5, term 4, voted for 5, commit 3, log -/1 -/2 -/4
        4: Follower of 5, term 4, voted for 5, commit 3, log -/1 -/2 -/4
        5: Leader, term 4, voted for 5, commit 3, log -/1 -/2 -/4
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
        again 1->2 Append
        deliver 1->2 Append 2
        sync 2
        state 2
        ----
        1: leads term 1
        1: took 1 from 2 on
        1: took 1 from 3 on
        2: Follower of 1, term 1, voted for 1, commit 1, log -/1 a/1 b/1

        deliver 1->2 Append         # the first one again
        pending 2
        network
        state 2
        ----
        2 has not synced:
        1->3 Append term 1, after 1/1: [a/1], commit 1
        1->3 Append term 1, after 2/1: [b/1], commit 1
        2->1 Appended term 1, matched 2
        2->1 Appended term 1, matched 3
        2->1 Appended term 1, matched 2
        2: Follower of 1, term 1, voted for 1, commit 1, log -/1 a/1 b/1
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
        1 durable: term 1, voted for 1, snapshot 3/1 [a b], log (2/1) b/1 c/1 d/1

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
        3->1 AppendRefused term 2, rejected 0, the log ends at 2

        deliver 3->1
        state 1
        ----
        1: stepped down
        1: Follower, term 2, voted for nobody, commit 1, log -/1 x/1
        ",
    );
}

#[test]
fn a_late_acknowledgement_takes_nothing_back() {
    play(
        "
        cluster 3
        elect 1
        propose 1 a
        propose 1 b
        deliver 1->2
        deliver 1->2
        sync 2
        deliver 2->1 Appended 2
        matched 1
        ----
        1: leads term 1
        1: took 1 from 2 on
        1: took 1 from 3 on
        1 counts 1 up to 1, 2 up to 3, 3 up to 1

        deliver 2->1 Appended
        matched 1
        ----
        1 counts 1 up to 1, 2 up to 3, 3 up to 1
        ",
    );
}

#[test]
fn an_acknowledgement_of_an_earlier_term_does_not_count() {
    play(
        "
        cluster 5
        elect 1
        propose 1 a
        deliver 1->2
        sync 2                      # its acknowledgement will come late
        sync 1
        win 3 with 4 5
        drop 1->3
        deliver 3->2 Append
        sync 2
        disk 2
        ----
        1: leads term 1
        1: took 1 from 2 on
        3: leads term 2
        2 durable: term 2, voted for nobody, log -/1 -/2

        check-quorum 1
        check-quorum 1
        campaign 1
        deliver 1->4 PreVote
        deliver 4->1
        win 1 with 4 5
        deliver 2->1 Appended
        matched 1
        ----
        1: stepped down
        1: leads term 3
        1 counts 1 up to 0, 2 up to 0, 3 up to 0, 4 up to 0, 5 up to 0
        ",
    );
}
