//! Who may lead, and what of it survives a crash.

use crate::script::play;

#[test]
fn an_election() {
    play(
        "
        cluster 3
        campaign 1
        network
        ----
        1->2 PreVote term 1, log ends at 0/0
        1->3 PreVote term 1, log ends at 0/0

        deliver 1->2 PreVote
        deliver 2->1 PreVoteGranted
        pending 1
        network
        ----
        1 has not synced: term 1 with a vote for 1
        1->3 PreVote term 1, log ends at 0/0

        sync 1
        network
        state 1
        ----
        1->3 PreVote term 1, log ends at 0/0
        1->2 RequestVote term 1, log ends at 0/0
        1->3 RequestVote term 1, log ends at 0/0
        1: Candidate, term 1, voted for 1, commit 0, log

        deliver 1->2 RequestVote
        sync 2
        deliver 2->1 VoteGranted
        state 1 2
        pending 1
        ----
        1: leads term 1
        1: Leader, term 1, voted for 1, commit 0, log -/1
        2: Follower, term 1, voted for 1, commit 0, log
        1 has not synced: [-/1] from 1 on

        settle
        state 1 2 3
        ----
        1: Leader, term 1, voted for 1, commit 1, log -/1
        2: Follower of 1, term 1, voted for 1, commit 0, log -/1
        3: Follower of 1, term 1, voted for 1, commit 0, log -/1

        heartbeat 1
        settle
        state 1 2 3
        ----
        1: Leader, term 1, voted for 1, commit 1, log -/1
        2: Follower of 1, term 1, voted for 1, commit 1, log -/1
        3: Follower of 1, term 1, voted for 1, commit 1, log -/1
        ",
    );
}

#[test]
fn a_group_of_one_elects_itself_when_its_vote_is_durable() {
    play(
        "
        cluster 1
        campaign 1
        state 1
        ----
        1: Candidate, term 1, voted for 1, commit 0, log

        sync 1
        state 1
        ----
        1: leads term 1
        1: Leader, term 1, voted for 1, commit 0, log -/1

        propose 1 a
        read 1
        sync 1
        state 1
        ----
        1: took 1 from 2 on
        1: reads as r1
        1: r1 is ready at 1
        1: Leader, term 1, voted for 1, commit 2, log -/1 a/1

        read 1
        ----
        1: reads as r2
        1: r2 is ready at 2
        ",
    );
}

#[test]
fn a_vote_that_was_not_synced_does_not_survive() {
    play(
        "
        cluster 3
        campaign 1
        deliver 1->2 PreVote
        deliver 2->1 PreVoteGranted
        sync 1
        deliver 1->2 RequestVote
        state 2
        pending 2
        network
        ----
        2: Follower, term 1, voted for 1, commit 0, log
        2 has not synced: term 1 with a vote for 1
        1->3 PreVote term 1, log ends at 0/0
        1->3 RequestVote term 1, log ends at 0/0

        crash 2 before-sync
        restart 2
        state 2
        ----
        2: Follower, term 0, voted for nobody, commit 0, log

        deliver 1->3 PreVote
        deliver 1->3 RequestVote
        crash 3 keeping 1
        restart 3
        state 3
        network
        ----
        3: Follower, term 1, voted for 1, commit 0, log
        3->1 PreVoteGranted term 1
        ",
    );
}

#[test]
fn a_request_for_votes_waits_for_the_whole_log_that_it_advertises() {
    play(
        "
        cluster 3
        elect 1
        propose 1 a
        deliver 1->2 Append
        deliver 1->3 Append
        pending 2
        ----
        1: leads term 1
        1: took 1 from 2 on
        2 has not synced: [a/1] from 2 on

        crash 1 before-sync
        forget
        campaign 2
        campaign 3
        deliver 2->3 PreVote
        deliver 3->2 PreVoteGranted
        state 2
        pending 2
        network
        ----
        2: Candidate, term 2, voted for 2, commit 1, log -/1 a/1
        2 has not synced: [a/1] from 2 on, term 2 with a vote for 2
        2->1 PreVote term 2, log ends at 2/1
        3->1 PreVote term 2, log ends at 2/1
        3->2 PreVote term 2, log ends at 2/1

        sync 2 1
        network
        ----
        2->1 PreVote term 2, log ends at 2/1
        3->1 PreVote term 2, log ends at 2/1
        3->2 PreVote term 2, log ends at 2/1
        2->1 Appended term 1, matched 2

        sync 2
        network
        ----
        2->1 PreVote term 2, log ends at 2/1
        3->1 PreVote term 2, log ends at 2/1
        3->2 PreVote term 2, log ends at 2/1
        2->1 Appended term 1, matched 2
        2->1 RequestVote term 2, log ends at 2/1
        2->3 RequestVote term 2, log ends at 2/1
        ",
    );
}

#[test]
fn only_votes_of_the_own_term_count() {
    play(
        "
        cluster 5
        campaign 1
        deliver 1->2
        deliver 1->3
        deliver 2->1
        deliver 3->1
        sync 1
        deliver 1->2 RequestVote
        deliver 1->3 RequestVote
        sync 2
        sync 3
        campaign 1
        drop 1->4 PreVote
        drop 1->5 PreVote
        deliver 1->4 PreVote
        deliver 1->5 PreVote
        deliver 4->1
        deliver 5->1
        sync 1
        state 1
        ----
        1: Candidate, term 2, voted for 1, commit 0, log

        deliver 2->1 VoteGranted    # of term 1
        deliver 3->1 VoteGranted
        state 1
        ----
        1: Candidate, term 2, voted for 1, commit 0, log
        ",
    );
}

#[test]
fn a_vote_that_comes_twice_counts_once() {
    play(
        "
        cluster 5
        campaign 1
        deliver 1->2
        deliver 1->3
        deliver 2->1
        deliver 3->1
        sync 1
        deliver 1->2 RequestVote
        sync 2
        again 2->1 VoteGranted
        deliver 2->1 VoteGranted
        state 1
        ----
        1: Candidate, term 1, voted for 1, commit 0, log

        deliver 1->3 RequestVote
        sync 3
        deliver 3->1 VoteGranted
        ----
        1: leads term 1
        ",
    );
}

#[test]
fn a_node_votes_once_per_term_across_a_crash_too() {
    play(
        "
        cluster 3
        campaign 1
        campaign 2
        deliver 1->3 PreVote
        deliver 2->3 PreVote
        deliver 3->1
        deliver 3->2
        sync 1
        sync 2
        deliver 1->3 RequestVote
        again 2->3 RequestVote
        sync 3
        state 3
        network
        ----
        3: Follower, term 1, voted for 1, commit 0, log
        1->2 PreVote term 1, log ends at 0/0
        2->1 PreVote term 1, log ends at 0/0
        1->2 RequestVote term 1, log ends at 0/0
        2->1 RequestVote term 1, log ends at 0/0
        2->3 RequestVote term 1, log ends at 0/0
        3->1 VoteGranted term 1
        3->2 VoteRefused term 1

        crash 3 before-sync
        restart 3
        deliver 2->3 RequestVote
        state 3
        network
        ----
        3: Follower, term 1, voted for 1, commit 0, log
        1->2 PreVote term 1, log ends at 0/0
        2->1 PreVote term 1, log ends at 0/0
        1->2 RequestVote term 1, log ends at 0/0
        2->1 RequestVote term 1, log ends at 0/0
        3->1 VoteGranted term 1
        3->2 VoteRefused term 1
        3->2 VoteRefused term 1
        ",
    );
}
