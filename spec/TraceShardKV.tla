-------------------------------- MODULE TraceShardKV --------------------------------
(***********************************************************************************)
(* Is a run of data groups a behaviour of ShardKV? The generated module TraceData    *)
(* holds the shards, the keys, what clients ask for (TraceShardOf, TraceProgram) and *)
(* the events of the run in their order, Event(1) to Event(Count). Next takes the    *)
(* next one, if a step with its name and parameters leads to the very state that it  *)
(* tells. So a run is accepted if and only if some behaviour takes all of its        *)
(* events: if `NotAccepted` breaks, and nothing before.                              *)
(*                                                                                 *)
(* An event is a record: name, the parameters of its action, `after`, which is <<>>  *)
(* or <<what its group holds then>>, and `made`, which is <<>> or <<the configuration *)
(* that the change made>>. A value is the marks of the writes that made it.          *)
(*                                                                                 *)
(* Not judged: the version of a value (the code tells the log index instead), and    *)
(* the parts of a copy one by one: the first that is taken in stands for its sending. *)
(***********************************************************************************)
EXTENDS ShardKV, TraceData

VARIABLE taken      \* how many events were taken

NoScript == <<>>

-----------------------------------------------------------------------------------
(* What a run shows of a state.                                                     *)

ShowCopy(copy) ==
    [data |-> {<<k, copy.data[k].value>> : k \in DOMAIN copy.data},
     last |-> {<<c, copy.last[c].seq>> : c \in {d \in Client : copy.last[d].seq > 0}},
     floor |-> copy.floor]

ShowGroup(own) ==
    [config |-> own.config,
     serving |-> {<<s, ShowCopy(own.serving[s])>> : s \in DOMAIN own.serving},
     frozen |-> {<<x[1], x[2], ShowCopy(own.frozen[x])>> : x \in DOMAIN own.frozen}]

ShowConfiguration(config) ==
    [members |-> config.members,
     owners |-> {<<s, config.owner[s]>> : s \in Shard},
     origins |-> {<<s, config.origin[s]>> : s \in Shard},
     floor |-> config.floor]

After(e) == IF e.after = <<>> THEN TRUE ELSE ShowGroup(group'[e.group]) = e.after[1]
Made(e) == IF e.made = <<>> THEN TRUE ELSE ShowConfiguration(configs'[Latest + 1]) = e.made[1]

-----------------------------------------------------------------------------------
(* The steps that an event may stand for.                                           *)

\* One of the requests that clients make.
Known(e) == e.client \in Client /\ e.seq \in DOMAIN Program[e.client]

ShardOfWrite(c, q) == ShardOf[Program[c][q].key]
Serves(g, s) == s \in DOMAIN group[g].serving

\* The last write is answered again, though its client waits no more: nothing changes.
RepeatLate(g, c, q) ==
    LET s == ShardOfWrite(c, q) IN
    /\ ~(Abs!Waiting(c) /\ q = sent[c])
    /\ Serves(g, s) /\ c >= group[g].serving[s].floor /\ q = group[g].serving[s].last[c].seq
    /\ UNCHANGED vars

\* What is refused is another group's, of an ended session, or older than the session's last write.
Refuse(g, c, q) ==
    LET s == ShardOfWrite(c, q) IN
    /\ q <= sent[c]
    /\ IF Serves(g, s) THEN c < group[g].serving[s].floor \/ q < group[g].serving[s].last[c].seq ELSE TRUE
    /\ UNCHANGED vars

Asked(e) ==
    CASE e.name = "SendRequest" -> e.seq = sent[e.client] + 1 /\ SendRequest(e.client)
      [] e.name = "Complete" -> e.seq = sent[e.client] /\ Complete(e.client)
      [] e.name = "GiveUp" -> e.seq = sent[e.client] /\ GiveUp(e.client)
      [] e.name = "Execute" -> Execute(e.group, e.client, e.seq)
      [] e.name = "Repeat" ->
            \/ e.seq = sent[e.client] /\ Repeat(e.group, e.client)
            \/ RepeatLate(e.group, e.client, e.seq)
      [] e.name = "Refuse" -> Refuse(e.group, e.client, e.seq)
      [] e.name = "Read" ->
            /\ e.seq = sent[e.client]
            /\ Read(e.group, e.client)
            /\ \A answer \in replies'[e.client] : answer.value = e.value

Named(e) ==
    CASE e.name = "Join" -> Join(e.gids)
      [] e.name = "Leave" -> Leave(e.gids)
      [] e.name = "Move" -> e.shard \in Shard /\ Move(e.shard, e.gid)
      [] e.name = "RaiseFloor" -> RaiseFloor(e.floor)
      [] e.name = "AdoptConfiguration" -> e.config = group[e.group].config + 1 /\ AdoptConfiguration(e.group)
      [] e.name = "SendChunk" -> SendChunk(e.group, e.shard, e.config)
      [] e.name = "Install" ->
            e.config = group[e.group].config /\ \E m \in net : m.shard = e.shard /\ Install(e.group, m)
      [] e.name = "Collect" -> Collect(e.group, e.shard, e.config)
      [] e.name \in {"SendRequest", "Complete", "GiveUp", "Execute", "Repeat", "Refuse", "Read"} -> Known(e) /\ Asked(e)
      [] OTHER -> FALSE

Take(e) ==
    /\ taken' = taken + 1
    /\ Named(e)
    /\ After(e)
    /\ Made(e)

TraceInit == Init /\ taken = 0

TraceNext == taken < Count /\ Take(Event(taken + 1))

TraceSpec == TraceInit /\ [][TraceNext]_<<vars, taken>>

NotAccepted == taken < Count
===================================================================================
