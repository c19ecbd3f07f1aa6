--------------------------------- MODULE MCLateRaft ---------------------------------
(***********************************************************************************)
(* The bounds within which LateRaft is explored, under the properties of Raft. Nodes *)
(* are alike, so states that differ by a renaming of nodes are explored once.       *)
(***********************************************************************************)
EXTENDS LateRaft, TLC

Renamings == Permutations(Node)
=====================================================================================
