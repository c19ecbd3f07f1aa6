//! How leadership ends: no quorum any more, or handed over.

use crate::script::play;

#[test]
fn a_leader_that_hears_of_no_quorum_steps_down() {
    play(
        "
        cluster 3
        elect 1
        check-quorum 1
        state 1
        ----
        1: leads term 1
        1: Leader, term 1, voted for 1, commit 1, log -/1

        heartbeat 1
        deliver 1->3 Heartbeat
        deliver 3->1 HeartbeatAck
        forget
        check-quorum 1
        state 1
        ----
        1: Leader, term 1, voted for 1, commit 1, log -/1

        read 1
        check-quorum 1
        state 1
        ----
        1: reads as r1
        1: stepped down
        1: Follower, term 1, voted for 1, commit 1, log -/1
        ",
    );
}

#[test]
fn leadership_is_handed_over_to_a_follower_that_has_everything() {
    play(
        "
        cluster 3
        elect 1
        propose 1 a
        transfer 1 to 2
        propose 1 b
        network
        ----
        1: leads term 1
        1: took 1 from 2 on
        1: not the leader, ask 2
        1->2 Append term 1, after 1/1: [a/1], commit 1
        1->3 Append term 1, after 1/1: [a/1], commit 1

        deliver 1->2
        sync 2
        deliver 2->1
        network
        ----
        1->3 Append term 1, after 1/1: [a/1], commit 1
        1->2 TimeoutNow term 1

        deliver 1->2 TimeoutNow
        settle
        state 1 2 3
        ----
        1: stepped down
        2: leads term 2
        1: Follower of 2, term 2, voted for 2, commit 2, log -/1 a/1 -/2
        2: Leader, term 2, voted for 2, commit 3, log -/1 a/1 -/2
        3: Follower of 2, term 2, voted for 2, commit 1, log -/1 a/1 -/2

        transfer 1 to 3
        transfer 2 to 2
        transfer 2 to 9
        propose 2 c
        ----
        2: took 1 from 4 on
        ",
    );
}

#[test]
fn a_transfer_that_does_not_happen_is_given_up() {
    play(
        "
        cluster 3
        elect 1
        crash 2 before-sync
        propose 1 a
        settle
        transfer 1 to 2
        propose 1 b
        ----
        1: leads term 1
        1: took 1 from 2 on
        1: not the leader, ask 2

        check-quorum 1
        propose 1 b
        ----
        1: took 1 from 3 on
        ",
    );
}
