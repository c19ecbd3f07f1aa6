----------------------------------- MODULE MCRaft -----------------------------------
(***********************************************************************************)
(* The bounds within which Raft is explored. Nodes are alike, so states that differ *)
(* by a renaming of nodes are explored once.                                        *)
(***********************************************************************************)
EXTENDS Raft, TLC

Renamings == Permutations(Node)

(***********************************************************************************)
(* Directed scopes start in a reachable state, a few steps before it gets hard.     *)
(***********************************************************************************)
Quiet ==
    /\ disk = memory
    /\ granted = [n \in Node |-> {}]
    /\ votes = {}
    /\ reads = [r \in Read |-> NoRead]
    /\ restarts = 0

\* Where figure 8 of the Raft paper begins: one node led term 1 and another, elected by the third, term 2; nobody has
\* heard of the entry that each has.
InitDivided ==
    /\ \E first, second \in Node :
           /\ first # second
           /\ memory = [n \in Node |->
                  [term |-> 2, vote |-> IF n = first THEN Nobody ELSE second, base |-> 0,
                   log |-> IF n = first THEN <<1>> ELSE IF n = second THEN <<2>> ELSE <<>>]]
    /\ Quiet
    /\ role = [n \in Node |-> "Follower"]
    /\ commit = [n \in Node |-> 0]
    /\ acks = [t \in Term |-> [n \in Node |-> 0]]
    /\ sent = [t \in Term |-> IF t \in {1, 2} THEN <<t>> ELSE <<>>]
    /\ told = [t \in Term |-> 0]
    /\ committed = <<>>

SpecDivided == InitDivided /\ [][Next]_vars

\* One node leads term 1 by the vote of another, and has committed its first entry with the help of the third.
Led(first, second, term) ==
    /\ first # second
    /\ memory = [n \in Node |->
           [term |-> IF n = first THEN term ELSE 1, vote |-> IF n = second THEN Nobody ELSE first, base |-> 0,
            log |-> IF n \in {first, second} THEN <<1>> ELSE <<>>]]
    /\ Quiet
    /\ sent = [t \in Term |-> IF t = 1 THEN <<1>> ELSE <<>>]
    /\ told = [t \in Term |-> IF t = 1 THEN 1 ELSE 0]
    /\ committed = <<1>>

InitLed ==
    \E first, second \in Node :
        /\ Led(first, second, 1)
        /\ role = [n \in Node |-> IF n = first THEN "Leader" ELSE "Follower"]
        /\ commit = [n \in Node |-> IF n = first THEN 1 ELSE 0]
        /\ acks = [t \in Term |-> [n \in Node |-> IF t = 1 /\ n \in {first, second} THEN 1 ELSE 0]]

SpecLed == InitLed /\ [][Next]_vars

\* The same, after that leader crashed, asked for votes in term 2 and crashed again: it cannot vote there any more.
InitOrphaned ==
    /\ \E first, second \in Node : Led(first, second, 2)
    /\ role = [n \in Node |-> "Follower"]
    /\ commit = [n \in Node |-> 0]
    /\ acks = [t \in Term |-> [n \in Node |-> 0]]

SpecOrphaned == InitOrphaned /\ [][Next]_vars

\* Refinement, for a scope that does not start where Raft does.
RefinementFromHere == [][Log!Next]_(Log!vars)
===================================================================================
