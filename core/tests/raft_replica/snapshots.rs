//! Snapshots: made, sent in parts, installed, and never going back.

use crate::script::play;

#[test]
fn the_log_is_compacted_after_the_snapshot_is_durable() {
    play(
        "
        cluster 3 trailing=1
        elect 1
        propose 1 a b c
        settle
        snapshot 1
        state 1
        pending 1
        ----
        1: leads term 1
        1: took 3 from 2 on
        1: Leader, term 1, voted for 1, commit 4, log -/1 a/1 b/1 c/1
        1 has not synced:

        snapshot 1
        written 1
        state 1
        pending 1
        ----
        1: Leader, term 1, voted for 1, commit 4, log (3/1) c/1
        1 has not synced: snapshot 4/1, log begins after 3/1

        crash 1 keeping 1
        restart 1
        state 1
        disk 1
        ----
        1: Follower, term 1, voted for 1, commit 4, log -/1 a/1 b/1 c/1
        1 durable: term 1, voted for 1, snapshot 4/1 [a b c], log -/1 a/1 b/1 c/1
        ",
    );
}

#[test]
fn a_follower_behind_the_log_gets_the_snapshot_in_parts() {
    play(
        "
        cluster 3 trailing=0 chunk=1
        elect 1
        cut 3
        forget
        propose 1 a b c
        settle
        snapshot 1
        settle
        state 1
        ----
        1: leads term 1
        1: took 3 from 2 on
        1: Leader, term 1, voted for 1, commit 4, log (4/1)

        join 3
        heartbeat 1
        deliver 1->3 Heartbeat
        deliver 3->1
        network
        ----
        1->2 Heartbeat term 1, commit 4, r0
        1->3 Append term 1, after 4/1: [], commit 4

        deliver 1->3 Append
        sync 3
        deliver 3->1 AppendRefused
        network
        ----
        1->2 Heartbeat term 1, commit 4, r0
        1->3 Chunk term 1, of 4/1: 0 to 1 [a]

        deliver 1->3 Chunk
        deliver 3->1
        network
        ----
        1->2 Heartbeat term 1, commit 4, r0
        1->3 Chunk term 1, of 4/1: 1 to 2 [b]

        forget                      # a part is lost
        heartbeat 1
        heartbeat 1
        network
        ----
        1->2 Heartbeat term 1, commit 4, r0
        1->3 Heartbeat term 1, commit 0, r0
        1->2 Heartbeat term 1, commit 4, r0
        1->3 Heartbeat term 1, commit 0, r0
        1->3 Chunk term 1, of 4/1: 1 to 2 [b]

        deliver 1->3 Heartbeat
        deliver 1->3 Heartbeat
        again 1->3 Chunk
        deliver 3->1
        deliver 3->1
        deliver 3->1
        deliver 1->3 Chunk          # twice: it says which one it needs
        deliver 3->1
        network
        ----
        1->2 Heartbeat term 1, commit 4, r0
        1->2 Heartbeat term 1, commit 4, r0
        1->3 Chunk term 1, of 4/1: 2 to the end [c]

        deliver 1->3 Chunk
        state 3
        network
        ----
        3: Follower of 1, term 1, voted for 1, commit 0, log -/1
        1->2 Heartbeat term 1, commit 4, r0
        1->2 Heartbeat term 1, commit 4, r0

        written 3
        pending 3
        network
        ----
        3: installed 4/1
        3 has not synced: snapshot 4/1 for everything
        1->2 Heartbeat term 1, commit 4, r0
        1->2 Heartbeat term 1, commit 4, r0

        sync 3
        deliver 3->1
        settle
        state 3
        ----
        3: Follower of 1, term 1, voted for 1, commit 4, log (4/1)

        propose 1 d
        settle
        heartbeat 1
        settle
        state 1 3
        ----
        1: took 1 from 5 on
        1: Leader, term 1, voted for 1, commit 5, log (4/1) d/1
        3: Follower of 1, term 1, voted for 1, commit 5, log (4/1) d/1
        ",
    );
}

#[test]
fn a_late_snapshot_does_not_take_a_follower_back() {
    play(
        "
        cluster 3 trailing=0
        elect 1
        cut 3
        propose 1 a
        settle
        snapshot 1
        settle
        join 3
        heartbeat 1
        deliver 1->3 Append
        sync 3
        deliver 3->1 AppendRefused
        again 1->3 Chunk
        written 3
        sync 3
        deliver 3->1 Installed
        propose 1 b
        sync 1
        deliver 1->3 Append
        sync 3
        deliver 3->1 Appended
        heartbeat 1
        deliver 1->3 Heartbeat 2
        state 3
        network
        ----
        1: leads term 1
        1: took 1 from 2 on
        3: installed 2/1
        1: took 1 from 3 on
        3: Follower of 1, term 1, voted for 1, commit 3, log (2/1) b/1
        1->2 Heartbeat term 1, commit 2, r0
        1->3 Heartbeat term 1, commit 0, r0
        1->3 Chunk term 1, of 2/1: 0 to the end [a]
        1->2 Append term 1, after 2/1: [b/1], commit 2
        1->2 Heartbeat term 1, commit 2, r0
        1->2 Append term 1, after 3/1: [], commit 3
        3->1 HeartbeatAck term 1, r0

        deliver 1->3 Chunk          # the copy
        state 3
        network
        ----
        3: Follower of 1, term 1, voted for 1, commit 3, log (2/1) b/1
        1->2 Heartbeat term 1, commit 2, r0
        1->3 Heartbeat term 1, commit 0, r0
        1->2 Append term 1, after 2/1: [b/1], commit 2
        1->2 Heartbeat term 1, commit 2, r0
        1->2 Append term 1, after 3/1: [], commit 3
        3->1 HeartbeatAck term 1, r0
        3->1 Installed term 1, matched 3
        ",
    );
}

#[test]
fn a_snapshot_of_what_the_log_holds_only_commits() {
    play(
        "
        cluster 3 trailing=0
        elect 1
        propose 1 a
        deliver 1->2
        sync 1
        sync 2
        deliver 2->1
        snapshot 1
        written 1
        sync 1
        state 1
        ----
        1: leads term 1
        1: took 1 from 2 on
        1: Leader, term 1, voted for 1, commit 2, log (2/1)

        heartbeat 1
        deliver 1->3 Append 2       # overtakes the one with the entry
        sync 3
        deliver 3->1 AppendRefused
        network
        ----
        1->3 Append term 1, after 1/1: [a/1], commit 1
        1->2 Heartbeat term 1, commit 2, r0
        1->3 Heartbeat term 1, commit 0, r0
        1->3 Chunk term 1, of 2/1: 0 to the end [a]

        deliver 1->3 Append
        state 3
        ----
        3: Follower of 1, term 1, voted for 1, commit 1, log -/1 a/1

        deliver 1->3 Chunk
        state 3
        network
        ----
        3: Follower of 1, term 1, voted for 1, commit 2, log -/1 a/1
        1->2 Heartbeat term 1, commit 2, r0
        1->3 Heartbeat term 1, commit 0, r0

        sync 3
        network
        ----
        1->2 Heartbeat term 1, commit 2, r0
        1->3 Heartbeat term 1, commit 0, r0
        3->1 Appended term 1, matched 2
        3->1 Installed term 1, matched 2
        ",
    );
}

#[test]
fn a_snapshot_that_the_log_has_overtaken_when_it_is_written_is_not_installed() {
    play(
        "
        cluster 3 trailing=0
        elect 1
        cut 3
        propose 1 a
        settle
        snapshot 1
        settle
        join 3
        heartbeat 1
        deliver 1->3 Append
        sync 3
        deliver 3->1 AppendRefused
        deliver 1->3 Chunk
        state 3
        ----
        1: leads term 1
        1: took 1 from 2 on
        3: Follower of 1, term 1, voted for 1, commit 0, log -/1

        cut 1
        win 2 with 3                # it still has the entries
        deliver 2->3 Append
        sync 3
        deliver 3->2 AppendRefused
        deliver 2->3 Append
        state 3
        ----
        2: leads term 2
        3: Follower of 2, term 2, voted for 2, commit 1, log -/1 a/1 -/2

        written 3
        pending 3
        state 3
        ----
        3 has not synced: [a/1 -/2] from 2 on, snapshot 2/1, log begins after 2/1
        3: Follower of 2, term 2, voted for 2, commit 2, log (2/1) -/2

        sync 3
        disk 3
        network
        ----
        3 durable: term 2, voted for 2, snapshot 2/1 [a], log (2/1) -/2
        1->2 Heartbeat term 1, commit 2, r0
        1->3 Heartbeat term 1, commit 0, r0
        3->2 Appended term 2, matched 3
        3->2 Installed term 2, matched 2
        ",
    );
}

#[test]
fn what_follows_a_snapshot_on_its_way_is_kept_until_the_follower_has_it() {
    play(
        "
        cluster 3 trailing=0
        elect 1
        cut 3
        propose 1 a
        settle
        snapshot 1
        settle
        join 3
        heartbeat 1
        deliver 1->3 Append
        sync 3
        deliver 3->1 AppendRefused
        deliver 1->3 Chunk
        propose 1 b
        deliver 1->2 Append
        sync 1
        sync 2
        deliver 2->1 Appended
        snapshot 1
        written 1
        sync 1
        state 1 3
        ----
        1: leads term 1
        1: took 1 from 2 on
        1: took 1 from 3 on
        1: Leader, term 1, voted for 1, commit 3, log (2/1) b/1
        3: Follower of 1, term 1, voted for 1, commit 0, log -/1

        propose 1 c                 # the other follower has all by now
        sync 1
        deliver 1->2 Append
        sync 2
        deliver 2->1 Appended
        state 1
        ----
        1: took 1 from 4 on
        1: Leader, term 1, voted for 1, commit 4, log (2/1) b/1 c/1

        settle
        heartbeat 1
        settle
        state 1 3
        ----
        3: installed 2/1
        1: Leader, term 1, voted for 1, commit 4, log (3/1) c/1
        3: Follower of 1, term 1, voted for 1, commit 4, log (2/1) b/1 c/1
        ",
    );
}
