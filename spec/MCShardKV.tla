--------------------------------- MODULE MCShardKV ---------------------------------
(***********************************************************************************)
(* The bounds within which ShardKV is explored: which shards there are, who asks    *)
(* for what, and what becomes of the configuration meanwhile. A .cfg file per scope *)
(* names one of each.                                                               *)
(***********************************************************************************)
EXTENDS ShardKV

OneShard == [a |-> 1]
TwoShards == [a |-> 1, b |-> 2]

ToAppend(k) == [op |-> "Append", key |-> k]
ToPut(k) == [op |-> "Put", key |-> k]
ToGet(k) == [op |-> "Get", key |-> k]

AppendTwice == <<<<ToAppend("a"), ToAppend("a")>>>>
AppendOnce == <<<<ToAppend("a")>>>>
AppendAndGet == <<<<ToAppend("a")>>, <<ToGet("a")>>>>
PutEach == <<<<ToPut("a"), ToAppend("b")>>>>

ToJoin(gid) == [by |-> "Join", gids |-> {gid}]
ToLeave(gid) == [by |-> "Leave", gids |-> {gid}]
ToMove(s, gid) == [by |-> "Move", shard |-> s, gid |-> gid]
ToRaise(floor) == [by |-> "RaiseFloor", floor |-> floor]

\* A shard goes to another group, comes back, and goes again.
ThereAndBack == <<{ToJoin(1)}, {ToJoin(2)}, {ToMove(1, 2)}, {ToMove(1, 1)}, {ToMove(1, 2)}>>

\* The only group leaves with the data; it is found by another, or by a new group of the same gid.
LeaveAndFind == <<{ToJoin(1)}, {ToLeave(1)}, {ToJoin(1), ToJoin(2)}>>

\* The first session ends before, while or after the shard moves.
EndSession == <<{ToJoin(1)}, {ToJoin(2)}, {ToRaise(2), ToMove(1, 2)}, {ToRaise(2), ToMove(1, 2)}>>

\* Two shards are spread over two groups, and gathered again, or a third group finds nothing to do or takes one.
Rebalance == <<{ToJoin(1)}, {ToJoin(2)}, {ToLeave(1), ToLeave(2), ToJoin(3)}>>
===================================================================================
