//! Reads: confirmed by a quorum, and never before an entry of the own term is committed.

use crate::script::play;

#[test]
fn a_read_is_ready_when_a_quorum_has_confirmed_the_leader() {
    play(
        "
        cluster 5
        elect 1
        propose 1 a
        settle
        read 1
        network
        ----
        1: leads term 1
        1: took 1 from 2 on
        1: reads as r1
        1->2 Heartbeat term 1, commit 2, r1
        1->3 Heartbeat term 1, commit 2, r1
        1->4 Heartbeat term 1, commit 2, r1
        1->5 Heartbeat term 1, commit 2, r1

        deliver 1->2
        deliver 2->1
        ----

        deliver 1->3
        deliver 3->1
        ----
        1: r1 is ready at 2
        ",
    );
}

#[test]
fn reads_that_come_while_a_round_is_on_its_way_share_the_next_one() {
    play(
        "
        cluster 3
        elect 1
        read 1
        read 1
        read 1
        network
        ----
        1: leads term 1
        1: reads as r1
        1: reads as r2
        1: reads as r3
        1->2 Heartbeat term 1, commit 1, r1
        1->3 Heartbeat term 1, commit 1, r1

        deliver 1->2
        deliver 2->1
        network
        ----
        1: r1 is ready at 1
        1->3 Heartbeat term 1, commit 1, r1
        1->2 Heartbeat term 1, commit 1, r3
        1->3 Heartbeat term 1, commit 1, r3

        again 1->3
        deliver 3->1
        deliver 1->3 Heartbeat
        deliver 1->3 Heartbeat
        deliver 3->1
        deliver 3->1
        ----
        1: r2 is ready at 1
        1: r3 is ready at 1
        ",
    );
}

#[test]
fn a_read_waits_for_an_entry_of_the_own_term_to_be_committed() {
    play(
        "
        cluster 3
        elect 1
        propose 1 a
        settle
        crash 1 before-sync
        campaign 2
        campaign 3
        campaign 2
        deliver 2->3
        deliver 2->3
        deliver 3->2
        deliver 3->2
        sync 2
        deliver 2->3 RequestVote
        sync 3
        deliver 3->2 VoteGranted
        read 2
        state 2
        network
        ----
        1: leads term 1
        1: took 1 from 2 on
        2: leads term 2
        2: reads as r1
        2: Leader, term 2, voted for 2, commit 1, log -/1 a/1 -/2
        2->1 PreVote term 2, log ends at 2/1
        3->1 PreVote term 2, log ends at 2/1
        2->1 PreVote term 2, log ends at 2/1
        3->2 PreVoteGranted term 2
        2->3 PreVoteGranted term 2
        2->1 RequestVote term 2, log ends at 2/1
        2->1 Append term 2, after 2/1: [-/2], commit 1
        2->3 Append term 2, after 2/1: [-/2], commit 1

        sync 2
        deliver 2->3 Append
        sync 3
        deliver 3->2 Appended
        network
        ----
        2->1 PreVote term 2, log ends at 2/1
        3->1 PreVote term 2, log ends at 2/1
        2->1 PreVote term 2, log ends at 2/1
        3->2 PreVoteGranted term 2
        2->3 PreVoteGranted term 2
        2->1 RequestVote term 2, log ends at 2/1
        2->1 Append term 2, after 2/1: [-/2], commit 1
        2->1 Heartbeat term 2, commit 0, r1
        2->3 Heartbeat term 2, commit 3, r1

        deliver 2->3 Heartbeat
        deliver 3->2 HeartbeatAck
        ----
        2: r1 is ready at 3
        ",
    );
}

#[test]
fn a_deposed_leader_confirms_nothing() {
    play(
        "
        cluster 3
        elect 1
        cut 1
        campaign 3
        forget
        elect 2
        propose 2 b
        settle
        join 1
        read 1
        deliver 1->2
        network
        ----
        1: leads term 1
        2: leads term 2
        2: took 1 from 3 on
        1: reads as r1
        1->3 Heartbeat term 1, commit 1, r1
        2->1 HeartbeatAck term 2, r0

        deliver 2->1
        state 1
        ----
        1: stepped down
        1: Follower, term 2, voted for nobody, commit 1, log -/1

        read 1
        read 2
        settle
        ----
        1: cannot read, ask around
        2: reads as r1
        2: r1 is ready at 3
        ",
    );
}

#[test]
fn the_heartbeat_timer_repeats_a_round_that_was_lost() {
    play(
        "
        cluster 3
        elect 1
        read 1
        forget
        heartbeat 1
        network
        ----
        1: leads term 1
        1: reads as r1
        1->2 Heartbeat term 1, commit 1, r1
        1->3 Heartbeat term 1, commit 1, r1

        settle
        ----
        1: r1 is ready at 1
        ",
    );
}

#[test]
fn an_answer_of_an_earlier_term_confirms_nothing() {
    play(
        "
        cluster 3
        elect 1
        read 1
        deliver 1->2 Heartbeat      # the answer will come late
        win 2 with 3
        check-quorum 1
        check-quorum 1
        campaign 1
        deliver 1->3 PreVote
        deliver 3->1
        win 1 with 3
        sync 1
        deliver 1->3 Append
        sync 3
        deliver 3->1 Appended
        read 1
        deliver 2->1 HeartbeatAck
        network
        ----
        1: leads term 1
        1: reads as r1
        2: leads term 2
        1: stepped down
        1: leads term 3
        1: reads as r1
        1->3 Heartbeat term 1, commit 1, r1
        2->1 Append term 2, after 1/1: [-/2], commit 1
        2->3 Append term 2, after 1/1: [-/2], commit 1
        1->2 PreVote term 2, log ends at 1/1
        1->2 Append term 3, after 1/1: [-/3], commit 1
        1->2 Heartbeat term 3, commit 0, r1
        1->3 Heartbeat term 3, commit 2, r1

        deliver 1->3 Heartbeat 2
        deliver 3->1 HeartbeatAck
        ----
        1: r1 is ready at 2
        ",
    );
}
