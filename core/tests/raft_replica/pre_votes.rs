//! Asking before campaigning: who is refused, and what a refusal teaches.

use crate::script::play;

#[test]
fn a_pre_vote_is_refused_while_the_leader_is_alive() {
    play(
        "
        cluster 3
        elect 1
        campaign 2
        deliver 2->3 PreVote
        deliver 2->1 PreVote
        network
        ----
        1: leads term 1
        3->2 PreVoteRefused term 1
        1->2 PreVoteRefused term 1

        settle
        state 1 2 3
        ----
        1: Leader, term 1, voted for 1, commit 1, log -/1
        2: PreCandidate, term 1, voted for 1, commit 0, log -/1
        3: Follower of 1, term 1, voted for 1, commit 0, log -/1

        campaign 3
        campaign 2
        deliver 2->3 PreVote
        network
        state 3
        ----
        3->1 PreVote term 2, log ends at 1/1
        3->2 PreVote term 2, log ends at 1/1
        2->1 PreVote term 2, log ends at 1/1
        3->2 PreVoteGranted term 2
        3: PreCandidate, term 1, voted for 1, commit 0, log -/1
        ",
    );
}

#[test]
fn a_pre_candidate_learns_of_a_higher_term() {
    play(
        "
        cluster 3
        elect 1
        cut 1
        campaign 3
        forget
        elect 2                     # term 2 begins without node 1
        state 1 2 3
        ----
        1: leads term 1
        2: leads term 2
        1: Leader, term 1, voted for 1, commit 1, log -/1
        2: Leader, term 2, voted for 2, commit 2, log -/1 -/2
        3: Follower of 2, term 2, voted for 2, commit 0, log -/1 -/2

        cut 2
        join 1
        check-quorum 1
        check-quorum 1
        campaign 1                  # asks about term 2, which has been
        deliver 1->3 PreVote
        network
        ----
        1: stepped down
        3->1 PreVoteRefused term 2

        deliver 3->1
        state 1
        pending 1
        ----
        1: Follower, term 2, voted for nobody, commit 1, log -/1
        1 has not synced: term 2 with a vote for nobody
        ",
    );
}

#[test]
fn logs_are_compared_by_term_before_length() {
    play(
        "
        cluster 3
        elect 1
        cut 1
        propose 1 a b c
        sync 1
        campaign 3
        forget
        elect 2
        state 1 2 3
        ----
        1: leads term 1
        1: took 3 from 2 on
        2: leads term 2
        1: Leader, term 1, voted for 1, commit 1, log -/1 a/1 b/1 c/1
        2: Leader, term 2, voted for 2, commit 2, log -/1 -/2
        3: Follower of 2, term 2, voted for 2, commit 0, log -/1 -/2

        cut 2
        join 1
        check-quorum 1
        check-quorum 1
        campaign 1
        settle                      # it learns of term 2
        campaign 3
        forget
        campaign 1                  # its log is longer, but of an older term
        deliver 1->3 PreVote
        network
        ----
        1: stepped down
        3->1 PreVoteRefused term 2

        forget
        elect 3
        heartbeat 3
        settle
        state 1 3
        ----
        3: leads term 3
        1: Follower of 3, term 3, voted for 3, commit 3, log -/1 -/2 -/3
        3: Leader, term 3, voted for 3, commit 3, log -/1 -/2 -/3
        ",
    );
}
