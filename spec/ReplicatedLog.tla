------------------------------- MODULE ReplicatedLog -------------------------------
(***********************************************************************************)
(* What the machines of one group may rely on: one log.                            *)
(*                                                                                 *)
(* What is committed is one sequence of entries that only grows. Every replica has  *)
(* applied a prefix of it: some are ahead, some behind, and one that restarts falls  *)
(* back to an earlier prefix of the same sequence. A read is answered at an index   *)
(* that covers everything that was committed when it was asked for.                 *)
(*                                                                                 *)
(* There are no terms, leaders, votes, messages, disks or crashes here: Raft has    *)
(* them, and refines this module. ShardKV takes each group to be such a log, applied *)
(* as soon as it is committed; a replica that lags behind merely says late what was  *)
(* true of its group, and what ShardKV lets anybody conclude from it stays true.     *)
(***********************************************************************************)
EXTENDS Naturals, Sequences

CONSTANTS
    Node,       \* the replicas
    Entry,      \* what can be in the log
    MaxLog,     \* bounds the model: the longest log
    Read        \* the reads that clients ask for

VARIABLES
    log,        \* the committed entries
    applied,    \* applied[n]: those that replica n has applied
    reads       \* reads[r]: "none", "asked" or "ready"; what was committed then; the answer's index

vars == <<log, applied, reads>>

\* Sequences of at most MaxLog entries.
Batch == UNION {[1..length -> Entry] : length \in 0..MaxLog}

Init ==
    /\ log = <<>>
    /\ applied = [n \in Node |-> <<>>]
    /\ reads = [r \in Read |-> [state |-> "none", since |-> 0, index |-> 0]]

\* A replica learns that more is committed, and applies it. It may be the first to know: then it is now
\* that the log grows.
AdvanceCommit(n) ==
    /\ \E new \in Batch : Len(log) + Len(new) <= MaxLog /\ log' = log \o new
    /\ \E i \in Len(applied[n]) + 1 .. Len(log') :
           /\ Len(log') > Len(log) => i = Len(log')
           /\ applied' = [applied EXCEPT ![n] = SubSeq(log', 1, i)]
    /\ reads' = reads

\* A replica forgets what it applied after its last durable snapshot.
Restart(n) ==
    /\ \E i \in 0..Len(applied[n]) : applied' = [applied EXCEPT ![n] = SubSeq(@, 1, i)]
    /\ log' = log
    /\ reads' = reads

RequestRead(r) ==
    /\ reads[r].state = "none"
    /\ reads' = [reads EXCEPT ![r].state = "asked", ![r].since = Len(log)]
    /\ log' = log
    /\ applied' = applied

\* Whoever answers it has applied up to the index, or waits until it has.
ConfirmRead(r) ==
    /\ reads[r].state = "asked"
    /\ \E i \in reads[r].since..Len(log) : reads' = [reads EXCEPT ![r].state = "ready", ![r].index = i]
    /\ log' = log
    /\ applied' = applied

Next ==
    \/ \E n \in Node : AdvanceCommit(n) \/ Restart(n)
    \/ \E r \in Read : RequestRead(r) \/ ConfirmRead(r)

Spec == Init /\ [][Next]_vars

-----------------------------------------------------------------------------------
IsPrefix(short, long) == Len(short) <= Len(long) /\ short = SubSeq(long, 1, Len(short))

\* Everybody has applied the same, as far as it has come.
OneHistory == \A n \in Node : IsPrefix(applied[n], log)

\* The log only grows.
OnlyGrows == [][IsPrefix(log, log')]_vars

ReadsAreRecent == \A r \in Read : reads[r].state = "ready" => reads[r].since <= reads[r].index
===================================================================================
