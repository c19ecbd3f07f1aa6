----------------------------------- MODULE MCKV -----------------------------------
(* The bounds within which KV is explored: who asks for what.                       *)
EXTENDS KV

Requests == <<<<[op |-> "Append", key |-> "a"], [op |-> "Put", key |-> "b"]>>,
              <<[op |-> "Append", key |-> "a"], [op |-> "Get", key |-> "a"]>>>>
===================================================================================
