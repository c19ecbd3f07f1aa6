---------------------------------- MODULE TraceRaft ----------------------------------
(***********************************************************************************)
(* Is a recorded run of one group a behaviour of Raft? The generated module TraceData *)
(* holds the events of all its nodes in one order, Event(1) to Event(Count). Next    *)
(* takes the next one, if a step of the protocol with its name and parameters leads  *)
(* to the very state that it tells. So a run is accepted if and only if some         *)
(* behaviour takes all of its events: if `NotAccepted` breaks, and nothing before.   *)
(*                                                                                 *)
(* An event is a record: name, node, the parameters of its action, `after`, which is *)
(* <<>> or <<what the node's memory, role and commit index were then>>, and `disk`,  *)
(* which is <<>> or <<what its disk held then>>. An append or a proposal of several  *)
(* entries is as many events in a row, as in Raft.                                   *)
(*                                                                                 *)
(* Not judged: whether pre-votes were granted (they bind nobody, so here anybody may *)
(* campaign), and which of the rounds of a read a heartbeat asked about (any answer  *)
(* that is given after the read began, in its term, is as good).                     *)
(***********************************************************************************)
EXTENDS LateRaft, TraceData

VARIABLES
    taken,      \* how many events were taken
    content     \* what each entry that was seen says: index, term and a name for its content

-----------------------------------------------------------------------------------
(* What a recorded state says about a state of the specification.                   *)

\* A log that begins after a base.
ShowsLog(log, shown) ==
    /\ Len(log) = shown.base + Len(shown.log)
    /\ shown.base > 0 => log[shown.base] = shown.baseTerm
    /\ \A i \in 1..Len(shown.log) : log[shown.base + i] = shown.log[i][1]

Shows(own, shown) ==
    /\ own.term = shown.term
    /\ own.vote = shown.vote
    /\ own.base = shown.snapshot
    /\ ShowsLog(own.log, shown)

After(n, after) ==
    IF after = <<>> THEN TRUE
    ELSE /\ role'[n] = after[1].role
         /\ commit'[n] = after[1].commit
         /\ Shows(memory'[n], after[1].memory)

\* Equal index and term mean equal content.
Contents(shown) == {<<shown.base + i, shown.log[i][1], shown.log[i][2]>> : i \in 1..Len(shown.log)}
Seen(e) ==
    (IF e.after = <<>> THEN {} ELSE Contents(e.after[1].memory)) \cup (IF e.disk = <<>> THEN {} ELSE Contents(e.disk[1]))
Learn(e) ==
    /\ content' = content \cup Seen(e)
    /\ Cardinality({<<entry[1], entry[2]>> : entry \in content'}) = Cardinality(content')

-----------------------------------------------------------------------------------
(* The steps that an event may stand for.                                           *)

Stutter == UNCHANGED <<memory, role, granted, commit, sent, told, committed, reads, restarts>>

\* What is of an old term is refused. So is what does not fit, but its sender leads.
Appended(e, n) ==
    /\ e.term \in Term
    /\ leader[e.term] = e.from
    /\ IF e.term < memory[n].term THEN ~e.accepted /\ Stutter
       ELSE /\ e.term = memory[n].term
            /\ IF e.accepted /\ e.index > 0
               THEN e.index \in DOMAIN sent[e.term] /\ AppendAlone(n, e.term, e.index)
               ELSE Follow(n, e.from)

Named(e, n) ==
    CASE e.name = "StartPreVote" -> e.term = memory[n].term + 1 /\ (StartPreVote(n) \/ AskAgain(n))
      [] e.name = "StartElection" -> e.term = memory[n].term + 1 /\ AnyElection(n)
      [] e.name = "HandleRequestVote" ->
            e.term = memory[n].term /\ IF Asked(e.from) = e.term THEN HandleRequestVote(n, e.from)
                                       ELSE LateVote(n, e.from, e.term)
      [] e.name = "StepDown" -> AnyStepDown(n, e.term)
      [] e.name = "BecomeLeader" -> e.term = memory[n].term /\ BecomeLeader(n)
      [] e.name = "Propose" -> e.term = memory[n].term /\ e.index = Len(memory[n].log) + 1 /\ Propose(n)
      [] e.name = "HandleAppend" -> Appended(e, n)
      [] e.name = "AdvanceCommit" -> CommitTo(n, e.index) \/ LearnCommit(n, e.index)
      [] e.name = "CompactLog" -> CompactTo(n, e.index)
      [] e.name = "HandleSnapshotChunk" -> Follow(n, e.from)
      [] e.name = "InstallSnapshot" -> \E t \in Term : InstallLate(n, t, e.index)
      [] e.name = "RequestRead" -> e.read \in Read /\ e.index = commit[n] /\ RequestRead(n, e.read)
      [] e.name = "HandleHeartbeat" ->
            e.term = memory[n].term /\ HeartbeatForAll(n, e.term) /\ leader[e.term] = e.from
      [] e.name = "ConfirmRead" -> e.read \in Read /\ e.index = reads[e.read].index /\ ConfirmRead(n, e.read)
      [] OTHER -> FALSE

\* Writes become durable one by one before the event that says that they are, or that a crash did not take them.
Durable(e, n) == Shows(disk[n], e.disk[1])

Take(e) ==
    LET n == e.node IN
    /\ taken' = taken + 1
    /\ Learn(e)
    /\ CASE e.name = "SyncWrites" -> Durable(e, n) /\ Stutter /\ UNCHANGED <<disk, votes, acks, lane, asked, leader, highest>>
         [] e.name = "Restart" -> Durable(e, n) /\ e.term = disk[n].term /\ RestartFromDisk(n)
         [] OTHER -> Named(e, n) /\ Lag /\ Noted(n)
    /\ After(n, e.after)

Sync(e) ==
    /\ e.name \in {"SyncWrites", "Restart"}
    /\ ~Durable(e, e.node)
    /\ SyncNext(e.node)
    /\ UNCHANGED <<taken, content>>

TraceInit == InitLate /\ taken = 0 /\ content = {}

TraceNext ==
    /\ taken < Count
    /\ LET e == Event(taken + 1) IN Take(e) \/ Sync(e)

TraceSpec == TraceInit /\ [][TraceNext]_<<late, taken, content>>

NotAccepted == taken < Count
===================================================================================
