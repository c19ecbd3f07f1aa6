---------------------------------- MODULE LateRaft ----------------------------------
(***********************************************************************************)
(* Raft as the nodes do it that know less than Raft lets them know. Raft.tla lets a  *)
(* step use all that may be known: the latest commit index, every acknowledgement, a *)
(* whole disk. Messages are late and disks go write by write, so a node may know     *)
(* less. The steps here are those of Raft with less knowledge, and bear the name of  *)
(* the step that they weaken.                                                        *)
(*                                                                                 *)
(* What it guarantees: all that Raft does. None of these steps gives a node a vote,  *)
(* an entry, a commit index or a read that Raft would not give it; the scopes of     *)
(* this module explore them under the properties of Raft.                            *)
(***********************************************************************************)
EXTENDS Raft

VARIABLES
    lane,       \* lane[n]: what the memory of n was after each write that its disk does not have yet, oldest first
    asked,      \* who asked for votes, in which term, with which log
    leader,     \* leader[t]: who led term t
    highest     \* the highest term that anybody entered

late == <<vars, lane, asked, leader, highest>>

InitLate ==
    /\ Init
    /\ lane = [n \in Node |-> <<>>]
    /\ asked = {}
    /\ leader = [t \in Term |-> Nobody]
    /\ highest = 0

-----------------------------------------------------------------------------------
(* Steps of Raft that know less.                                                    *)

Becomes(n, r) ==
    /\ role' = [role EXCEPT ![n] = r]
    /\ granted' = [granted EXCEPT ![n] = {}]

\* A timer of a pre-candidate fires again.
AskAgain(n) ==
    /\ role[n] = "PreCandidate"
    /\ UNCHANGED <<memory, role, granted, commit, sent, told, committed, reads, restarts>>

\* Pre-votes are not judged.
AnyElection(n) == role[n] # "Leader" /\ Campaign(n)

\* The request is late: its candidate stands no more, so the vote is never counted.
LateVote(n, from, t) ==
    LET own == memory[n] IN
    /\ n # from
    /\ Asked(from) # t
    /\ t > own.term \/ (t = own.term /\ own.vote \in {Nobody, from} /\ role[n] # "Leader")
    /\ \E ask \in asked : ask.term = t /\ ask.candidate = from /\ UpToDate(ask.log, own.log)
    /\ InTerm(n, t, from)
    /\ Becomes(n, "Follower")
    /\ UNCHANGED <<commit, sent, told, committed, reads, restarts>>

\* Any message may bring a newer term; a leader that a quorum does not answer gives up.
AnyStepDown(n, t) ==
    /\ \/ t > memory[n].term /\ t <= highest /\ InTerm(n, t, Nobody)
       \/ t = memory[n].term /\ role[n] = "Leader" /\ UNCHANGED memory
    /\ Becomes(n, "Follower")
    /\ UNCHANGED <<commit, sent, told, committed, reads, restarts>>

\* The leader of the own term is heard of, whatever it said.
Follow(n, from) ==
    /\ memory[n].term \in Term /\ leader[memory[n].term] = from
    /\ role[n] # "Leader"
    /\ Becomes(n, "Follower")
    /\ UNCHANGED <<memory, commit, sent, told, committed, reads, restarts>>

\* HandleAppend with an old commit index, or none: what is committed is learnt by LearnCommit.
AppendAlone(n, t, i) ==
    LET own == memory[n]
        log == IF i <= own.base \/ (i <= Len(own.log) /\ own.log[i] = sent[t][i]) THEN own.log
               ELSE Append(SubSeq(own.log, 1, i - 1), sent[t][i]) IN
    /\ t >= own.term
    /\ t = own.term => role[n] # "Leader"
    /\ i - 1 <= Len(own.log)
    /\ i - 1 <= own.base \/ own.log[i - 1] = sent[t][i - 1]
    /\ memory' = [memory EXCEPT ![n].term = t, ![n].vote = IF t > own.term THEN Nobody ELSE @, ![n].log = log]
    /\ Becomes(n, "Follower")
    /\ UNCHANGED <<commit, sent, told, committed, reads, restarts>>

\* A leader said that entry i is committed, and this log has it.
LearnCommit(n, i) ==
    /\ commit[n] < i /\ i <= Len(memory[n].log)
    /\ \E t \in Term : i <= told[t] /\ memory[n].log[i] = sent[t][i]
    /\ commit' = [commit EXCEPT ![n] = i]
    /\ UNCHANGED <<memory, role, granted, sent, told, committed, reads, restarts>>

\* AdvanceCommit before all acknowledgements have come.
CommitTo(n, i) ==
    /\ role[n] = "Leader"
    /\ commit[n] < i /\ i <= Held(n)
    /\ memory[n].log[i] = memory[n].term
    /\ commit' = [commit EXCEPT ![n] = i]
    /\ told' = [told EXCEPT ![memory[n].term] = i]
    /\ committed' = IF i > Len(committed) THEN SubSeq(memory[n].log, 1, i) ELSE committed
    /\ UNCHANGED <<memory, role, granted, sent, reads, restarts>>

\* CompactLog with a snapshot that took its time.
CompactTo(n, i) ==
    /\ memory[n].base < i /\ i <= commit[n]
    /\ memory' = [memory EXCEPT ![n].base = i]
    /\ UNCHANGED <<role, granted, commit, sent, told, committed, reads, restarts>>

\* InstallSnapshot likewise: the node may have entered another term since the snapshot arrived.
InstallLate(n, t, i) ==
    LET own == memory[n]
        holds == i <= Len(own.log) /\ own.log[i] = sent[t][i] IN
    /\ t <= own.term
    /\ role[n] # "Leader"
    /\ commit[n] < i /\ i <= told[t]
    /\ memory' = [memory EXCEPT ![n].log = IF holds THEN @ ELSE SubSeq(sent[t], 1, i), ![n].base = i]
    /\ commit' = [commit EXCEPT ![n] = i]
    /\ Becomes(n, "Follower")
    /\ UNCHANGED <<sent, told, committed, reads, restarts>>

\* One heartbeat for all reads of its leader's.
HeartbeatForAll(n, t) ==
    /\ t = memory[n].term /\ t \in Term
    /\ leader[t] \notin {Nobody, n}
    /\ reads' = [r \in Read |-> IF reads[r].state = "asked" /\ reads[r].term = t /\ reads[r].node # n
                                THEN [reads[r] EXCEPT !.confirmed = @ \cup {n}] ELSE reads[r]]
    /\ Becomes(n, "Follower")
    /\ UNCHANGED <<memory, commit, sent, told, committed, restarts>>

Ask(n, own) == [term |-> own.term, candidate |-> n, log |-> own.log]

\* The oldest write that n's disk does not have becomes durable, and what waited for it is said. If it is the vote of a
\* candidate for itself, that is the request for votes of others, whatever the candidate has become meanwhile.
SyncNext(n) ==
    LET next == Head(lane[n]) IN
    /\ lane[n] # <<>>
    /\ disk' = [disk EXCEPT ![n] = next]
    /\ lane' = [lane EXCEPT ![n] = Tail(@)]
    /\ asked' = IF next.vote = n /\ next.term # disk[n].term
                THEN asked \cup {Ask(n, next)} ELSE asked
    /\ UNCHANGED <<memory, role, granted, commit, sent, told, committed, reads, restarts, leader, highest>>
    /\ Say({n})

\* What a step of n writes. A log that is cut and extended is two writes: a crash may come between them.
Written(n) ==
    LET old == memory[n].log
        new == memory'[n]
        kept == Common(old, new.log) IN
    IF new = memory[n] THEN <<>>
    ELSE IF kept < Len(old) /\ kept < Len(new.log) /\ new.base = memory[n].base
         THEN <<[new EXCEPT !.log = SubSeq(old, 1, kept)], new>>
         ELSE <<new>>

\* What a step of Raft leaves besides Raft's own variables. When no crash will come, disks do not lag (see Raft), and
\* who campaigns asks at once.
Noted(n) ==
    LET lags == restarts < MaxRestarts
        asks == role'[n] = "Candidate" /\ memory'[n].term > memory[n].term IN
    /\ lane' = IF lags THEN [lane EXCEPT ![n] = @ \o Written(n)] ELSE lane
    /\ asked' = IF asks /\ ~lags THEN asked \cup {Ask(n, memory'[n])} ELSE asked
    /\ leader' = IF role[n] # "Leader" /\ role'[n] = "Leader" THEN [leader EXCEPT ![memory[n].term] = n] ELSE leader
    /\ highest' = Max(highest, memory'[n].term)

\* A crash takes what was not written.
RestartFromDisk(n) ==
    /\ Restart(n) /\ Lag
    /\ lane' = IF restarts' < MaxRestarts THEN [lane EXCEPT ![n] = <<>>] ELSE [m \in Node |-> <<>>]
    /\ UNCHANGED <<asked, leader, highest>>

-----------------------------------------------------------------------------------
LateStep(n) ==
    \/ AskAgain(n)
    \/ AnyElection(n)
    \/ BecomeLeader(n)
    \/ Propose(n)
    \/ \E from \in Node : \/ HandleRequestVote(n, from)
                         \/ Follow(n, from)
                         \/ \E t \in Term : LateVote(n, from, t)
    \/ \E t \in Term : \/ AnyStepDown(n, t)
                       \/ HeartbeatForAll(n, t)
                       \/ \E i \in DOMAIN sent[t] : AppendAlone(n, t, i)
                       \/ \E i \in 1..told[t] : Snapshots /\ InstallLate(n, t, i)
    \/ \E i \in DOMAIN memory[n].log : \/ LearnCommit(n, i)
                                      \/ CommitTo(n, i)
                                      \/ Snapshots /\ CompactTo(n, i)
    \/ \E r \in Read : RequestRead(n, r) \/ ConfirmRead(n, r)

LateNext == \E n \in Node :
    \/ LateStep(n) /\ Lag /\ Noted(n)
    \/ SyncNext(n)
    \/ RestartFromDisk(n)

LateSpec == InitLate /\ [][LateNext]_late
===================================================================================
