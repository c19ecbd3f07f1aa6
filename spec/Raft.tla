------------------------------------ MODULE Raft ------------------------------------
(***********************************************************************************)
(* How one replica group keeps one log (Ongaro and Ousterhout, "In search of an     *)
(* understandable consensus algorithm"; Ongaro's dissertation).                     *)
(*                                                                                 *)
(* A node has a memory and a disk. Every decision is made in memory at once; the     *)
(* disk follows when SyncWrites says so, and a crash takes the memory back to it.    *)
(* What binds a node (its vote, its acknowledgement of entries, its asking for       *)
(* votes, a leader's own copy of its log) is heard by others only when the disk has  *)
(* it. Only a leader's entries may travel ahead of its disk.                         *)
(*                                                                                 *)
(* What it guarantees: module ReplicatedLog. At most one node leads a term; who      *)
(* leads has all that was ever committed; what is committed is on the disks of a     *)
(* majority and is applied alike everywhere; a read that a majority confirmed sees   *)
(* all that was committed when it began.                                             *)
(*                                                                                 *)
(* The network is not a bag of messages but what may be in it: whatever a leader has *)
(* ever had in its log of a term may arrive at anybody at any time, any number of    *)
(* times, in any pieces, or never; and a vote or an acknowledgement, once given, may *)
(* be counted at any time. So handling a reply is part of the step that rests on it. *)
(*                                                                                 *)
(* An entry is the term that made it: a leader makes one entry per index and term,   *)
(* so index and term together name its content.                                      *)
(*                                                                                 *)
(* Absent: timers, membership change, flow control, chunks of snapshots, transfers   *)
(* of leadership.                                                                    *)
(***********************************************************************************)
EXTENDS Naturals, Sequences, FiniteSets

CONSTANTS
    Node,           \* the voters
    Nobody,         \* no vote
    MaxTerm,        \* the last term,
    MaxLog,         \* the longest log
    MaxRestarts,    \* and the number of crashes that are explored
    PreVote,        \* whether candidates ask first,
    Snapshots,      \* and whether logs are compacted
    Read            \* the reads that clients ask for

VARIABLES
    memory,     \* memory[n]: term, vote, log, and the base: how much of the log a snapshot stands for
    disk,       \* disk[n]: the same, as a crash would leave it
    role,       \* role[n]: "Follower", "PreCandidate", "Candidate" or "Leader"
    granted,    \* granted[n]: who would vote for pre-candidate n
    commit,     \* commit[n]: how much n knows to be committed, and has applied
    votes,      \* the votes that candidates may count
    acks,       \* acks[t][n]: how much of its log the leader of term t may take to be on n's disk
    sent,       \* sent[t]: the log of term t's leader, as far as anybody may have heard of it
    told,       \* told[t]: its commit index, likewise
    committed,  \* what was ever committed; nobody sees it
    reads,      \* reads[r]: who answers it, in which term, at which index, and who confirmed
    restarts    \* how often a node crashed

vars == <<memory, disk, role, granted, commit, votes, acks, sent, told, committed, reads, restarts>>

Term == 1..MaxTerm
Quorum(nodes) == 2 * Cardinality(nodes) > Cardinality(Node)
IsPrefix(short, long) == Len(short) <= Len(long) /\ short = SubSeq(long, 1, Len(short))
Min(a, b) == IF a < b THEN a ELSE b
Max(a, b) == IF a < b THEN b ELSE a

LastTerm(log) == IF log = <<>> THEN 0 ELSE log[Len(log)]

\* Raft 5.4.1: by last term, then by length.
UpToDate(log, other) ==
    \/ LastTerm(log) > LastTerm(other)
    \/ LastTerm(log) = LastTerm(other) /\ Len(log) >= Len(other)

\* Follows in term t with vote v.
InTerm(n, t, v) ==
    memory' = [memory EXCEPT ![n].term = t, ![n].vote = v]

Log == INSTANCE ReplicatedLog WITH
    Entry <- Term,
    log <- committed,
    applied <- [n \in Node |-> SubSeq(memory[n].log, 1, commit[n])],
    reads <- [r \in Read |-> [state |-> reads[r].state, since |-> reads[r].since,
                              index |-> IF reads[r].state = "ready" THEN reads[r].index ELSE 0]]
Refinement == Log!Init /\ [][Log!Next]_(Log!vars)

-----------------------------------------------------------------------------------
Blank == [term |-> 0, vote |-> Nobody, log |-> <<>>, base |-> 0]
NoRead == [state |-> "none", node |-> Nobody, term |-> 0, since |-> 0, index |-> 0, confirmed |-> {}]

Init ==
    /\ memory = [n \in Node |-> Blank]
    /\ disk = [n \in Node |-> Blank]
    /\ role = [n \in Node |-> "Follower"]
    /\ granted = [n \in Node |-> {}]
    /\ commit = [n \in Node |-> 0]
    /\ votes = {}
    /\ acks = [t \in Term |-> [n \in Node |-> 0]]
    /\ sent = [t \in Term |-> <<>>]
    /\ told = [t \in Term |-> 0]
    /\ committed = <<>>
    /\ reads = [r \in Read |-> NoRead]
    /\ restarts = 0

-----------------------------------------------------------------------------------
(* The disk. The steps below change the memory only.                                *)

\* The length of what two logs have in common.
Common(log, other) ==
    Cardinality({i \in 1..Min(Len(log), Len(other)) : SubSeq(log, 1, i) = SubSeq(other, 1, i)})

\* The disks of `nodes` speak: of their votes, and of how much they have of the logs of their terms' leaders.
\* A vote is dead when its candidate stands in that term no more, an acknowledgement when nobody leads in its term:
\* what is dead is forgotten.
Say(nodes) ==
    LET new == {[term |-> disk'[n].term, voter |-> n, candidate |-> disk'[n].vote] :
                    n \in {m \in nodes : disk'[m].vote # Nobody}} IN
    /\ votes' = {vote \in votes \cup new :
           LET candidate == vote.candidate IN
           \/ vote.term > memory'[candidate].term
           \/ vote.term = memory'[candidate].term /\ role'[candidate] = "Candidate"}
    /\ acks' = [t \in Term |->
           IF \A m \in Node : role'[m] # "Leader" \/ memory'[m].term # t THEN [n \in Node |-> 0]
           ELSE [n \in Node |-> IF n \in nodes /\ disk'[n].term = t
                                THEN Max(acks[t][n], Common(disk'[n].log, sent'[t])) ELSE acks[t][n]]]

\* All that n wrote is durable, and what waited for that is said.
SyncWrites(n) ==
    /\ \/ disk[n] # memory[n]
       \/ \E t \in Term : t = disk[n].term /\ acks[t][n] < Common(disk[n].log, sent[t])
    /\ disk' = [disk EXCEPT ![n] = memory[n]]
    /\ UNCHANGED <<memory, role, granted, commit, sent, told, committed, reads, restarts>>
    /\ Say({n})

\* While a crash may come, the disk lags. When none will, a slow disk cannot be told from a slow network, and is not
\* explored.
Lag ==
    IF restarts' < MaxRestarts THEN disk' = disk /\ Say({}) ELSE disk' = memory' /\ Say(Node)

\* A node crashes and starts again from its disk.
Restart(n) ==
    /\ restarts < MaxRestarts
    /\ restarts' = restarts + 1
    /\ memory' = [memory EXCEPT ![n] = disk[n]]
    /\ role' = [role EXCEPT ![n] = "Follower"]
    /\ granted' = [granted EXCEPT ![n] = {}]
    /\ commit' = [commit EXCEPT ![n] = disk[n].base]
    /\ UNCHANGED <<sent, told, committed, reads>>

-----------------------------------------------------------------------------------
(* Elections.                                                                       *)

\* Whoever does not hear of a leader first asks whether it could win (dissertation 9.6).
StartPreVote(n) ==
    /\ PreVote
    /\ role[n] \notin {"Leader", "PreCandidate"}
    /\ memory[n].term < MaxTerm
    /\ role' = [role EXCEPT ![n] = "PreCandidate"]
    /\ granted' = [granted EXCEPT ![n] = {n}]
    /\ UNCHANGED <<memory, commit, sent, told, committed, reads, restarts>>

\* The answer binds nobody.
HandlePreVote(n, from) ==
    /\ role[from] = "PreCandidate"
    /\ role[n] # "Leader"
    /\ ~Quorum(granted[from])
    /\ memory[from].term >= memory[n].term
    /\ UpToDate(memory[from].log, memory[n].log)
    /\ granted' = [granted EXCEPT ![from] = @ \cup {n}]
    /\ UNCHANGED <<memory, role, commit, sent, told, committed, reads, restarts>>

\* A new term, and the own vote in it.
Campaign(n) ==
    /\ memory[n].term < MaxTerm
    /\ InTerm(n, memory[n].term + 1, n)
    /\ role' = [role EXCEPT ![n] = "Candidate"]
    /\ granted' = [granted EXCEPT ![n] = {}]
    /\ UNCHANGED <<commit, sent, told, committed, reads, restarts>>

StartElection(n) == role[n] = "PreCandidate" /\ Quorum(granted[n]) /\ Campaign(n)

\* A leader may tell a node to campaign without asking (dissertation 3.10). Nothing rests on who tells it, so
\* here anybody may do so at any time.
HandleTimeoutNow(n) == ~PreVote /\ role[n] # "Leader" /\ Campaign(n)

\* The term of the candidate, whose disk has what it asks with: its term, its vote and its whole log.
Asked(from) == IF role[from] = "Candidate" /\ disk[from] = memory[from] THEN memory[from].term ELSE 0

\* One vote per term, and only for a log that is up to date (5.2, 5.4.1).
HandleRequestVote(n, from) ==
    LET t == Asked(from)
        own == memory[n] IN
    /\ n # from
    /\ t > own.term \/ (t = own.term /\ own.vote \in {Nobody, from} /\ role[n] # "Leader")
    /\ UpToDate(memory[from].log, own.log)
    /\ InTerm(n, t, from)
    /\ role' = [role EXCEPT ![n] = "Follower"]
    /\ granted' = [granted EXCEPT ![n] = {}]
    /\ UNCHANGED <<commit, sent, told, committed, reads, restarts>>

\* Its log is not: the candidate is refused, but its term is entered.
StepDown(n, from) ==
    /\ Asked(from) > memory[n].term
    /\ ~UpToDate(memory[from].log, memory[n].log)
    /\ InTerm(n, Asked(from), Nobody)
    /\ role' = [role EXCEPT ![n] = "Follower"]
    /\ granted' = [granted EXCEPT ![n] = {}]
    /\ UNCHANGED <<commit, sent, told, committed, reads, restarts>>

\* With the durable votes of a majority; its first entry is an empty one of its term.
BecomeLeader(n) ==
    LET t == memory[n].term
        log == Append(memory[n].log, t) IN
    /\ role[n] = "Candidate"
    /\ Len(memory[n].log) < MaxLog
    /\ Quorum({m \in Node : [term |-> t, voter |-> m, candidate |-> n] \in votes})
    /\ role' = [role EXCEPT ![n] = "Leader"]
    /\ memory' = [memory EXCEPT ![n].log = log]
    /\ sent' = [sent EXCEPT ![t] = log]
    /\ UNCHANGED <<granted, commit, told, committed, reads, restarts>>

-----------------------------------------------------------------------------------
(* Replication.                                                                     *)

Propose(n) ==
    LET t == memory[n].term
        log == Append(memory[n].log, t) IN
    /\ role[n] = "Leader"
    /\ Len(memory[n].log) < MaxLog
    /\ memory' = [memory EXCEPT ![n].log = log]
    /\ sent' = [sent EXCEPT ![t] = log]
    /\ UNCHANGED <<role, granted, commit, told, committed, reads, restarts>>

\* Entry i of term t's leader arrives, with the term of the entry before it and the leader's commit index. (An
\* append of several entries is as many in a row; one of none is the last one again.) What agrees stays; an entry
\* that differs goes, with all that follows it.
HandleAppend(n, t, i) ==
    LET own == memory[n]
        log == IF i <= own.base \/ (i <= Len(own.log) /\ own.log[i] = sent[t][i]) THEN own.log
               ELSE Append(SubSeq(own.log, 1, i - 1), sent[t][i]) IN
    /\ t >= own.term
    /\ t = own.term => role[n] # "Leader"
    /\ i - 1 <= Len(own.log)
    /\ i - 1 <= own.base \/ own.log[i - 1] = sent[t][i - 1]
    /\ memory' = [memory EXCEPT ![n].term = t, ![n].vote = IF t > own.term THEN Nobody ELSE @, ![n].log = log]
    /\ commit' = [commit EXCEPT ![n] = Max(@, Min(told[t], i))]
    /\ role' = [role EXCEPT ![n] = "Follower"]
    /\ granted' = [granted EXCEPT ![n] = {}]
    /\ UNCHANGED <<sent, told, committed, reads, restarts>>

\* How much of its log a leader may take to be on the disks of a majority.
Held(n) ==
    LET lengths == {i \in 0..Len(memory[n].log) : Quorum({m \in Node : acks[memory[n].term][m] >= i})} IN
    CHOOSE i \in lengths : \A j \in lengths : j <= i

\* By counting, only an entry of the own term is committed, and what is before it (5.4.2).
AdvanceCommit(n) ==
    LET i == Held(n) IN
    /\ role[n] = "Leader"
    /\ i > commit[n]
    /\ memory[n].log[i] = memory[n].term
    /\ commit' = [commit EXCEPT ![n] = i]
    /\ told' = [told EXCEPT ![memory[n].term] = i]
    /\ committed' = IF i > Len(committed) THEN SubSeq(memory[n].log, 1, i) ELSE committed
    /\ UNCHANGED <<memory, role, granted, sent, reads, restarts>>

-----------------------------------------------------------------------------------
(* Snapshots.                                                                       *)

\* A durable snapshot of what n has applied takes the place of the beginning of its log.
CompactLog(n) ==
    /\ Snapshots
    /\ commit[n] > memory[n].base
    /\ memory' = [memory EXCEPT ![n].base = commit[n]]
    /\ UNCHANGED <<role, granted, commit, sent, told, committed, reads, restarts>>

\* A snapshot that ends with entry i of term t's leader arrives. It takes nobody back; and a log that has that entry
\* keeps what follows it.
InstallSnapshot(n, t, i) ==
    LET own == memory[n]
        holds == i <= Len(own.log) /\ own.log[i] = sent[t][i] IN
    /\ Snapshots
    /\ t >= own.term
    /\ t = own.term => role[n] # "Leader"
    /\ commit[n] < i
    /\ memory' = [memory EXCEPT ![n].term = t, ![n].vote = IF t > own.term THEN Nobody ELSE @,
                                ![n].log = IF holds THEN @ ELSE SubSeq(sent[t], 1, i),
                                ![n].base = i]
    /\ commit' = [commit EXCEPT ![n] = i]
    /\ role' = [role EXCEPT ![n] = "Follower"]
    /\ granted' = [granted EXCEPT ![n] = {}]
    /\ UNCHANGED <<sent, told, committed, reads, restarts>>

-----------------------------------------------------------------------------------
(* Reads (dissertation 6.4).                                                        *)

\* A read is opened at the commit index, once an entry of the own term is committed.
RequestRead(n, r) ==
    /\ role[n] = "Leader"
    /\ reads[r].state = "none"
    /\ commit[n] > 0 /\ memory[n].log[commit[n]] = memory[n].term
    /\ reads' = [reads EXCEPT ![r] = [state |-> "asked", node |-> n, term |-> memory[n].term,
                                      since |-> Len(committed), index |-> commit[n], confirmed |-> {n}]]
    /\ UNCHANGED <<memory, role, granted, commit, sent, told, committed, restarts>>

\* A node that has not heard of a newer term answers the heartbeat that asks for the read.
HandleHeartbeat(n, r) ==
    LET t == reads[r].term
        own == memory[n] IN
    /\ reads[r].state = "asked"
    /\ n # reads[r].node
    /\ t >= own.term
    /\ reads' = [reads EXCEPT ![r].confirmed = @ \cup {n}]
    /\ memory' = [memory EXCEPT ![n].term = t, ![n].vote = IF t > own.term THEN Nobody ELSE @]
    /\ role' = [role EXCEPT ![n] = "Follower"]
    /\ granted' = [granted EXCEPT ![n] = {}]
    /\ UNCHANGED <<commit, sent, told, committed, restarts>>

\* A majority answered: nobody led a newer term when the read began.
ConfirmRead(n, r) ==
    /\ reads[r].state = "asked"
    /\ role[n] = "Leader"
    /\ reads[r].node = n /\ reads[r].term = memory[n].term
    /\ Quorum(reads[r].confirmed)
    /\ reads' = [reads EXCEPT ![r].state = "ready"]
    /\ UNCHANGED <<memory, role, granted, commit, sent, told, committed, restarts>>

-----------------------------------------------------------------------------------
Step(n) ==
    \/ StartPreVote(n)
    \/ StartElection(n)
    \/ HandleTimeoutNow(n)
    \/ BecomeLeader(n)
    \/ Propose(n)
    \/ AdvanceCommit(n)
    \/ CompactLog(n)
    \/ Restart(n)
    \/ \E from \in Node : HandlePreVote(n, from) \/ HandleRequestVote(n, from) \/ StepDown(n, from)
    \/ \E t \in Term : \/ \E i \in DOMAIN sent[t] : HandleAppend(n, t, i)
                       \/ \E i \in 1..told[t] : InstallSnapshot(n, t, i)
    \/ \E r \in Read : RequestRead(n, r) \/ HandleHeartbeat(n, r) \/ ConfirmRead(n, r)

Next == \E n \in Node : SyncWrites(n) \/ (Step(n) /\ Lag)

Spec == Init /\ [][Next]_vars

-----------------------------------------------------------------------------------
(* Properties. Each is also a Rust function of spec/src/invariants.                  *)

Leader(n) == role[n] = "Leader"

\* One replica makes sense by itself.
TypeOK ==
    \A n \in Node :
        LET own == memory[n] IN
        /\ own.base <= commit[n] /\ commit[n] <= Len(own.log)
        /\ \A i \in 2..Len(own.log) : own.log[i - 1] <= own.log[i]
        /\ LastTerm(own.log) <= own.term
        /\ role[n] \in {"Candidate", "Leader"} => own.vote = n
        /\ role[n] = "Leader" => \A m \in Node : acks[own.term][m] <= Len(own.log)

ElectionSafety ==
    \A m, n \in Node : (Leader(m) /\ Leader(n) /\ memory[m].term = memory[n].term) => m = n

LogMatching ==
    \A m, n \in Node : \A i \in 1..Min(Len(memory[m].log), Len(memory[n].log)) :
        memory[m].log[i] = memory[n].log[i] =>
            SubSeq(memory[m].log, 1, i) = SubSeq(memory[n].log, 1, i)

\* What a leader committed is in the logs of all leaders of later terms.
LeaderCompleteness ==
    \A n \in Node : Leader(n) =>
        \A t \in 1..memory[n].term : IsPrefix(SubSeq(sent[t], 1, told[t]), memory[n].log)

StateMachineSafety ==
    \A n \in Node : IsPrefix(SubSeq(memory[n].log, 1, commit[n]), committed)

\* What was committed would survive a crash of every node now.
CommittedDurable ==
    Quorum({n \in Node : IsPrefix(committed, disk[n].log)})

\* A leader only appends to its log.
LeaderAppendOnly ==
    [][\A n \in Node : (Leader(n) /\ Leader(n)' /\ memory[n].term = memory'[n].term) =>
           IsPrefix(memory[n].log, memory'[n].log)]_vars

\* Between crashes nothing moves back; a vote does not change within its term.
Monotonic ==
    [][\A n \in Node :
           \/ restarts' # restarts
           \/ /\ memory[n].term <= memory'[n].term
              /\ commit[n] <= commit'[n]
              /\ memory[n].base <= memory'[n].base
              /\ (memory[n].term = memory'[n].term /\ memory[n].vote # Nobody) => memory[n].vote = memory'[n].vote
              /\ LET t == memory[n].term IN
                 (Leader(n) /\ Leader(n)' /\ t = memory'[n].term) => \A m \in Node : acks[t][m] <= acks'[t][m]
      ]_vars
===================================================================================
