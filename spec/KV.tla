------------------------------------ MODULE KV ------------------------------------
(***********************************************************************************)
(* What a client may rely on: one atomic map.                                      *)
(*                                                                                 *)
(* Every request has one moment, between its sending and the client's learning of  *)
(* its outcome, at which it reads or changes the map; its answer is what its key   *)
(* held right after that moment. A write has at most one such moment in all time,  *)
(* however often it was sent and wherever it arrived. A client that gives up does  *)
(* not know whether its write took effect: it may have, it may yet, it may never.  *)
(*                                                                                 *)
(* There are no shards, groups, servers, messages or sessions here. That they      *)
(* cannot be noticed is what ShardKV shows by refining this module.                *)
(***********************************************************************************)
EXTENDS Naturals, Sequences

CONSTANTS
    Key,        \* the keys
    Program     \* Program[c]: the requests that client c makes, in order

VARIABLES
    store,      \* store[k]: what key k holds
    sent,       \* sent[c]: how many requests client c has sent
    outcome,    \* outcome[c]: what it learnt of those that are over for it
    effects,    \* effects[c][q]: the answer with which its write q took effect, if it did
    replies     \* replies[c]: the answers on their way to its open request

vars == <<store, sent, outcome, effects, replies>>

Client == DOMAIN Program

-----------------------------------------------------------------------------------
(* A key holds the marks <<client, request>> of the writes that made its value, and *)
(* how many writes it has seen: so no two moments of a key look alike, and an answer *)
(* says at which one it was given (the answers of the code carry a log index).       *)
Missing == [value |-> <<>>, version |-> 0]

IsWrite(c, q) == Program[c][q].op # "Get"

\* What a key holds after write q of client c found `old` there.
Written(old, c, q) ==
    [value |-> IF Program[c][q].op = "Put" THEN <<<<c, q>>>> ELSE Append(old.value, <<c, q>>),
     version |-> old.version + 1]

\* The outcome of a request that its client gave up.
Unknown == [unknown |-> TRUE]

Waiting(c) == sent[c] > Len(outcome[c])

\* An answer goes to the client if it still waits for it.
Reply(c, q, answer) ==
    replies' = IF Waiting(c) /\ q = sent[c] THEN [replies EXCEPT ![c] = @ \cup {answer}] ELSE replies

-----------------------------------------------------------------------------------
Init ==
    /\ store = [k \in Key |-> Missing]
    /\ sent = [c \in Client |-> 0]
    /\ outcome = [c \in Client |-> <<>>]
    /\ effects = [c \in Client |-> [q \in DOMAIN Program[c] |-> <<>>]]
    /\ replies = [c \in Client |-> {}]

\* One request at a time: the next one is sent when the last one is over.
SendRequest(c) ==
    /\ ~Waiting(c)
    /\ sent[c] < Len(Program[c])
    /\ sent' = [sent EXCEPT ![c] = @ + 1]
    /\ store' = store
    /\ UNCHANGED <<outcome, effects, replies>>

\* A write takes effect: at any time after it was sent, even given up, but once.
Execute(c, q) ==
    LET k == Program[c][q].key
        new == Written(store[k], c, q) IN
    /\ q <= sent[c]
    /\ IsWrite(c, q)
    /\ effects[c][q] = <<>>
    /\ store' = [store EXCEPT ![k] = new]
    /\ effects' = [effects EXCEPT ![c][q] = <<new>>]
    /\ Reply(c, q, new)
    /\ UNCHANGED <<sent, outcome>>

\* A read may be answered more than once, with what the key holds each time.
Read(c) ==
    /\ Waiting(c)
    /\ ~IsWrite(c, sent[c])
    /\ Reply(c, sent[c], store[Program[c][sent[c]].key])
    /\ store' = store
    /\ UNCHANGED <<sent, outcome, effects>>

Complete(c) ==
    \E answer \in replies[c] :
        /\ outcome' = [outcome EXCEPT ![c] = Append(@, answer)]
        /\ replies' = [replies EXCEPT ![c] = {}]
        /\ store' = store
        /\ UNCHANGED <<sent, effects>>

GiveUp(c) ==
    /\ Waiting(c)
    /\ outcome' = [outcome EXCEPT ![c] = Append(@, Unknown)]
    /\ replies' = [replies EXCEPT ![c] = {}]
    /\ store' = store
    /\ UNCHANGED <<sent, effects>>

Next ==
    \E c \in Client :
        \/ SendRequest(c)
        \/ \E q \in DOMAIN Program[c] : Execute(c, q)
        \/ Read(c)
        \/ Complete(c)
        \/ GiveUp(c)

Spec == Init /\ [][Next]_vars

-----------------------------------------------------------------------------------
\* What an answered write did stays done: its mark is in the value that it answered,
\* and the key has not gone back behind it.
Durable ==
    \A c \in Client : \A q \in DOMAIN outcome[c] :
        (IsWrite(c, q) /\ outcome[c][q] # Unknown) =>
            /\ effects[c][q] = <<outcome[c][q]>>
            /\ store[Program[c][q].key].version >= outcome[c][q].version

\* A client reads its own writes: what it is told of one key never goes back.
OwnOrder ==
    \A c \in Client : \A q, r \in DOMAIN outcome[c] :
        LET told == outcome[c] IN
        (q < r /\ Program[c][q].key = Program[c][r].key /\ told[q] # Unknown /\ told[r] # Unknown) =>
            told[q].version <= told[r].version
===================================================================================
