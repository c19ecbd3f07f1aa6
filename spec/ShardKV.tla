---------------------------------- MODULE ShardKV ----------------------------------
(***********************************************************************************)
(* How shards move between replica groups without anybody noticing.                *)
(*                                                                                 *)
(* Keys belong to shards. A numbered chain of configurations says which group owns *)
(* each shard. Every group is one atomic state machine here (its log is Raft's     *)
(* business: see ReplicatedLog), and takes the configurations one by one, each as  *)
(* one step of its own, at its own pace. Taking one, a group stops serving what it *)
(* loses *in that very step* and sets it aside as a frozen copy; what it gains it  *)
(* awaits, and serves it only when it has installed the frozen copy of the group   *)
(* that had it last: the shard's origin, which the configurations hand on even     *)
(* while nobody owns the shard. It takes no further configuration before it has    *)
(* all of it. A frozen copy never changes, and is dropped only after the new owner *)
(* has installed it. So at each moment a shard is in exactly one place: with the   *)
(* one group that serves it, or else in its newest frozen copy.                    *)
(*                                                                                 *)
(* What migration guarantees: the groups together are the atomic map of module KV. *)
(* No acknowledged write is lost, no read is stale, and each write takes effect at *)
(* most once however often it is sent and to whomever, because the record of each  *)
(* client's last write, and the floor under which sessions have ended, are part of *)
(* the copy: they freeze, travel and are installed with the data. Only a shard that *)
(* never had an owner starts empty. A group that leaves keeps its frozen copies    *)
(* until somebody has taken them over, also if nobody is left to; when it joins    *)
(* again it is another group, that fetches them like any other. Of a session below *)
(* the floor nothing is executed any more: its client cannot know what became of   *)
(* a request that it had open.                                                     *)
(*                                                                                 *)
(* What it does not: that anything happens. From the freeze to the installation    *)
(* nobody serves the shard, and a group that awaits one takes no configuration     *)
(* further, for as long as the origin stays silent. It serves its other shards     *)
(* meanwhile.                                                                      *)
(*                                                                                 *)
(* Absent: time, leaders, chunks (a copy travels whole), replicas that lag behind  *)
(* their group, the retirement of groups that hold nothing any more.               *)
(***********************************************************************************)
EXTENDS Naturals, Sequences, FiniteSets

CONSTANTS
    Key,        \* the keys
    Shard,      \* the shards
    ShardOf,    \* ShardOf[k]: the shard of key k, for ever
    Program,    \* Program[c]: the requests that client c makes, in order; clients are numbers
    Script      \* Script[n]: the changes that may make configuration n; bounds the model

VARIABLES
    configs,    \* configs[n]: configuration n
    group,      \* group[g]: the state of group g
    net,        \* copies of shards on their way; nothing is ever lost for good or delivered only once
    sent, outcome, effects, replies     \* the clients, as in KV

vars == <<configs, group, net, sent, outcome, effects, replies>>
clients == <<sent, outcome, effects, replies>>

-----------------------------------------------------------------------------------
(* Groups and configurations.                                                       *)

\* A group is <<gid, the configuration that listed it first>>: a gid that leaves and joins
\* again, even with the same servers, is another group.
Nobody == <<0, 0>>

\* Where a shard's data froze last: the group, and the configuration that took it away.
Nowhere == [group |-> Nobody, config |-> 0]

Latest == Cardinality(DOMAIN configs) - 1

\* How many shards `owner` gives to g.
Load(owner, g) == Cardinality({s \in Shard : owner[s] = g})

Even(owner, members) ==
    /\ \A s \in Shard : owner[s] \in members
    /\ \A g, h \in members : Load(owner, g) <= Load(owner, h) + 1

Moves(old, new) == Cardinality({s \in Shard : old[s] # new[s]})

\* The even assignments to `members` that move the fewest shards. (The code picks one of them.)
Rebalanced(old, members) ==
    IF members = {} THEN {[s \in Shard |-> Nobody]}
    ELSE LET even == {owner \in [Shard -> members] : Even(owner, members)} IN
         {owner \in even : \A other \in even : Moves(old, owner) <= Moves(old, other)}

\* The shards that g owns under its configuration and whose data has not arrived.
Awaiting(g) ==
    {s \in Shard : configs[group[g].config].owner[s] = g} \ DOMAIN group[g].serving

\* Whether the group that took over the copy frozen at `origin` has installed it. Once true this stays
\* true, whatever becomes of the shard, so it does not matter how late the news arrives.
Taken(s, origin) ==
    LET heirs == {n \in DOMAIN configs : configs[n].origin[s] = origin /\ configs[n].owner[s] # Nobody} IN
    \E n \in heirs :
        /\ \A m \in heirs : n <= m
        /\ LET heir == group[configs[n].owner[s]] IN
           heir.config > n \/ (heir.config = n /\ s \in DOMAIN heir.serving)

-----------------------------------------------------------------------------------
(* Copies of shards: data, the last write of each session, and the session floor.   *)

Missing == [value |-> <<>>, version |-> 0]
NoRecord == [seq |-> 0, answer |-> Missing]

Client == DOMAIN Program
Keys(s) == {k \in Key : ShardOf[k] = s}

Blank(s, floor) ==
    [data |-> [k \in Keys(s) |-> Missing], last |-> [c \in Client |-> NoRecord], floor |-> floor]

\* Sessions below the floor have ended; their records go. A floor never sinks.
UnderFloor(copy, floor) ==
    IF floor <= copy.floor THEN copy
    ELSE [copy EXCEPT !.floor = floor,
                      !.last = [c \in Client |-> IF c < floor THEN NoRecord ELSE copy.last[c]]]

\* The one place where shard s lives: served, or else its newest frozen copy.
Authority(s) ==
    LET servers == {g \in DOMAIN group : s \in DOMAIN group[g].serving}
        frozen == {<<g, n>> \in DOMAIN group \X DOMAIN configs : <<s, n>> \in DOMAIN group[g].frozen} IN
    IF servers # {} THEN group[CHOOSE g \in servers : TRUE].serving[s]
    ELSE IF frozen = {} THEN Blank(s, 0)
    ELSE LET newest == CHOOSE x \in frozen : \A y \in frozen : y[2] <= x[2] IN
         group[newest[1]].frozen[<<s, newest[2]>>]

\* What this module implements. The map is nowhere written down: it is where the shards are.
Abs == INSTANCE KV WITH store <- [k \in Key |-> Authority(ShardOf[k]).data[k]]
Refinement == Abs!Init /\ [][Abs!Next]_(Abs!vars)

-----------------------------------------------------------------------------------
Init ==
    /\ configs = [n \in {0} |-> [owner |-> [s \in Shard |-> Nobody], origin |-> [s \in Shard |-> Nowhere],
                                 members |-> {}, floor |-> 0, by |-> "Init"]]
    /\ group = [g \in {} |-> {}]
    /\ net = {}
    /\ sent = [c \in Client |-> 0]
    /\ outcome = [c \in Client |-> <<>>]
    /\ effects = [c \in Client |-> [q \in DOMAIN Program[c] |-> <<>>]]
    /\ replies = [c \in Client |-> {}]

-----------------------------------------------------------------------------------
(* The controller: one change, one configuration.                                   *)

\* Whoever loses a shard in configuration n becomes its origin; an origin stays while nobody owns the shard.
Origins(old, owner, n) ==
    [s \in Shard |-> IF old.owner[s] \notin {owner[s], Nobody}
                     THEN [group |-> old.owner[s], config |-> n]
                     ELSE old.origin[s]]

NewConfiguration(owner, members, floor, by) ==
    LET n == Latest + 1
        new == [owner |-> owner, origin |-> Origins(configs[Latest], owner, n),
                members |-> members, floor |-> floor, by |-> by] IN
    /\ configs' = [m \in 0..n |-> IF m = n THEN new ELSE configs[m]]
    /\ net' = net
    /\ UNCHANGED clients

\* New groups start at the configuration before their birth, with nothing.
Join(gids) ==
    LET old == configs[Latest]
        born == {<<gid, Latest + 1>> : gid \in gids} IN
    /\ \A g \in old.members : g[1] \notin gids
    /\ \E owner \in Rebalanced(old.owner, old.members \cup born) :
           NewConfiguration(owner, old.members \cup born, old.floor, "Join")
    /\ group' = [g \in DOMAIN group \cup born |->
                    IF g \in born THEN [config |-> Latest, serving |-> [s \in {} |-> {}], frozen |-> [x \in {} |-> {}]]
                    ELSE group[g]]

\* Groups that leave keep what they hold until it is taken over.
Leave(gids) ==
    LET old == configs[Latest]
        rest == {g \in old.members : g[1] \notin gids} IN
    /\ \A gid \in gids : \E g \in old.members : g[1] = gid
    /\ \E owner \in Rebalanced(old.owner, rest) : NewConfiguration(owner, rest, old.floor, "Leave")
    /\ group' = group

Move(s, gid) ==
    LET old == configs[Latest] IN
    \E g \in old.members :
        /\ g[1] = gid
        /\ old.owner[s] # g
        /\ NewConfiguration([old.owner EXCEPT ![s] = g], old.members, old.floor, "Move")
        /\ group' = group

RaiseFloor(floor) ==
    LET old == configs[Latest] IN
    /\ floor > old.floor
    /\ NewConfiguration(old.owner, old.members, floor, "RaiseFloor")
    /\ group' = group

Reconfigure ==
    /\ Latest < Len(Script)
    /\ \E change \in Script[Latest + 1] :
           \/ change.by = "Join" /\ Join(change.gids)
           \/ change.by = "Leave" /\ Leave(change.gids)
           \/ change.by = "Move" /\ Move(change.shard, change.gid)
           \/ change.by = "RaiseFloor" /\ RaiseFloor(change.floor)

-----------------------------------------------------------------------------------
(* Migration.                                                                       *)

\* One step of the group: freeze what goes, raise the floor of what stays, start empty what never had
\* an owner, and await the rest. Only the next configuration, and only when nothing is awaited.
AdoptConfiguration(g) ==
    LET old == group[g]
        n == old.config + 1 IN
    /\ n <= Latest
    /\ Awaiting(g) = {}
    /\ LET new == configs[n]
           lost == {s \in DOMAIN old.serving : new.owner[s] # g}
           kept == DOMAIN old.serving \ lost
           fresh == {s \in Shard \ kept : new.owner[s] = g /\ new.origin[s] = Nowhere} IN
       group' = [group EXCEPT ![g] =
           [config |-> n,
            serving |-> [s \in kept \cup fresh |->
                IF s \in kept THEN UnderFloor(old.serving[s], new.floor) ELSE Blank(s, new.floor)],
            frozen |-> [x \in DOMAIN old.frozen \cup {<<s, n>> : s \in lost} |->
                IF x[2] = n THEN old.serving[x[1]] ELSE old.frozen[x]]]]
    /\ net' = net
    /\ UNCHANGED <<configs, clients>>

\* The origin answers whoever awaits a copy that it holds.
SendChunk(g, s, n) ==
    /\ <<s, n>> \in DOMAIN group[g].frozen
    /\ \E heir \in DOMAIN group :
           s \in Awaiting(heir) /\ configs[group[heir].config].origin[s] = [group |-> g, config |-> n]
    /\ net' = net \cup {[shard |-> s, origin |-> [group |-> g, config |-> n], copy |-> group[g].frozen[<<s, n>>]]}
    /\ group' = group
    /\ UNCHANGED <<configs, clients>>

\* Data, sessions and floor arrive in the step that starts serving: only the copy that is awaited, and once.
Install(g, m) ==
    LET own == group[g]
        now == configs[own.config] IN
    /\ m.shard \in Awaiting(g)
    /\ m.origin = now.origin[m.shard]
    /\ group' = [group EXCEPT ![g].serving =
           [s \in DOMAIN own.serving \cup {m.shard} |->
               IF s = m.shard THEN UnderFloor(m.copy, now.floor) ELSE own.serving[s]]]
    /\ net' = net
    /\ UNCHANGED <<configs, clients>>

\* A frozen copy that has been taken over is dropped.
Collect(g, s, n) ==
    /\ <<s, n>> \in DOMAIN group[g].frozen
    /\ Taken(s, [group |-> g, config |-> n])
    /\ group' = [group EXCEPT ![g].frozen = [x \in DOMAIN @ \ {<<s, n>>} |-> @[x]]]
    /\ net' = net
    /\ UNCHANGED <<configs, clients>>

-----------------------------------------------------------------------------------
(* Clients. A request, once sent, may reach any group at any time and any number of  *)
(* times. A group that does not serve the shard refuses without a trace.             *)

SendRequest(c) == UNCHANGED <<configs, group, net>> /\ Abs!SendRequest(c)
Complete(c) == UNCHANGED <<configs, group, net>> /\ Abs!Complete(c)
GiveUp(c) == UNCHANGED <<configs, group, net>> /\ Abs!GiveUp(c)

\* A write that the session has not seen takes effect and is recorded, in one step.
Execute(g, c, q) ==
    LET k == Program[c][q].key
        s == ShardOf[k] IN
    /\ q <= sent[c]
    /\ Abs!IsWrite(c, q)
    /\ s \in DOMAIN group[g].serving
    /\ LET copy == group[g].serving[s]
           new == Abs!Written(copy.data[k], c, q) IN
       /\ c >= copy.floor
       /\ q > copy.last[c].seq
       /\ group' = [group EXCEPT ![g].serving[s] =
              [copy EXCEPT !.data[k] = new, !.last[c] = [seq |-> q, answer |-> new]]]
       /\ effects' = [effects EXCEPT ![c][q] = Append(@, new)]
       /\ Abs!Reply(c, q, new)
    /\ net' = net
    /\ UNCHANGED <<configs, sent, outcome>>

\* A write that arrives again gets its first answer again.
Repeat(g, c) ==
    LET q == sent[c] IN
    /\ Abs!Waiting(c)
    /\ Abs!IsWrite(c, q)
    /\ LET s == ShardOf[Program[c][q].key] IN
       /\ s \in DOMAIN group[g].serving
       /\ c >= group[g].serving[s].floor
       /\ q = group[g].serving[s].last[c].seq
       /\ Abs!Reply(c, q, group[g].serving[s].last[c].answer)
    /\ UNCHANGED <<configs, group, net, sent, outcome, effects>>

\* Reads are not recorded.
Read(g, c) ==
    LET q == sent[c] IN
    /\ Abs!Waiting(c)
    /\ ~Abs!IsWrite(c, q)
    /\ LET k == Program[c][q].key IN
       /\ ShardOf[k] \in DOMAIN group[g].serving
       /\ Abs!Reply(c, q, group[g].serving[ShardOf[k]].data[k])
    /\ UNCHANGED <<configs, group, net, sent, outcome, effects>>

-----------------------------------------------------------------------------------
Next ==
    \/ Reconfigure
    \/ \E g \in DOMAIN group :
           \/ AdoptConfiguration(g)
           \/ \E x \in DOMAIN group[g].frozen : SendChunk(g, x[1], x[2]) \/ Collect(g, x[1], x[2])
           \/ \E m \in net : Install(g, m)
           \/ \E c \in Client :
                  \/ \E q \in DOMAIN Program[c] : Execute(g, c, q)
                  \/ Repeat(g, c)
                  \/ Read(g, c)
    \/ \E c \in Client : SendRequest(c) \/ Complete(c) \/ GiveUp(c)

Spec == Init /\ [][Next]_vars

-----------------------------------------------------------------------------------
(* Properties. Each is also a Rust function of spec/src/invariants.                  *)

\* A shard is served by at most one group, and by the one that its own configuration says.
OneOwner ==
    \A g \in DOMAIN group : \A s \in DOMAIN group[g].serving :
        /\ configs[group[g].config].owner[s] = g
        /\ \A h \in DOMAIN group : s \in DOMAIN group[h].serving => h = g

\* A copy that a configuration points to exists, from the freeze on, until it is taken over.
NoShardLost ==
    \A n \in DOMAIN configs : \A s \in Shard :
        LET origin == configs[n].origin[s] IN
        \/ origin = Nowhere
        \/ Taken(s, origin)
        \/ group[origin.group].config < origin.config
        \/ <<s, origin.config>> \in DOMAIN group[origin.group].frozen

\* The copies of shard s with their ages: one frozen by configuration n is older than one served under it.
Copies(s) ==
    UNION {{[age |-> 2 * x[2], copy |-> group[g].frozen[x]] : x \in {y \in DOMAIN group[g].frozen : y[1] = s}}
           \cup {[age |-> 2 * group[g].config + 1, copy |-> group[g].serving[s]] : r \in {s} \cap DOMAIN group[g].serving}
           : g \in DOMAIN group}

\* Of live sessions, a later copy knows at least what an earlier one knew; and floors do not sink.
SessionOrder ==
    \A s \in Shard : \A old, new \in Copies(s) :
        old.age < new.age =>
            /\ old.copy.floor <= new.copy.floor
            /\ \A c \in Client : c >= new.copy.floor => old.copy.last[c].seq <= new.copy.last[c].seq

AtMostOnce == \A c \in Client : \A q \in DOMAIN Program[c] : Len(effects[c][q]) <= 1

\* Owners are members, members bear their own birth, and each configuration follows from the one before.
ConfigurationWellFormed ==
    \A n \in DOMAIN configs \ {0} :
        LET old == configs[n - 1]
            new == configs[n] IN
        /\ \A s \in Shard : new.owner[s] \in new.members \cup {Nobody}
        /\ \A g \in new.members : IF g \in old.members THEN g[2] < n ELSE g[2] = n
        /\ \A g, h \in new.members : g[1] = h[1] => g = h
        /\ old.floor <= new.floor
        /\ \A s \in Shard :
               IF old.owner[s] # Nobody /\ old.owner[s] # new.owner[s]
               THEN new.origin[s] = [group |-> old.owner[s], config |-> n]
               ELSE new.origin[s] = old.origin[s]

\* After a Join or a Leave loads differ by at most one, and only what that takes has moved: of each group that
\* stays, what exceeds its share, where those that had more keep the larger shares.
ConfigurationBalanced ==
    \A n \in {m \in DOMAIN configs : configs[m].by \in {"Join", "Leave"} /\ configs[m].members # {}} :
        LET old == configs[n - 1].owner
            new == configs[n].owner
            members == configs[n].members
            share == Cardinality(Shard) \div Cardinality(members)
            spare == Cardinality(Shard) - share * Cardinality(members)
            kept == Cardinality({<<g, i>> \in members \X (1..share) : i <= Load(old, g)})
            larger == Cardinality({g \in members : Load(old, g) > share}) IN
        /\ Even(new, members)
        /\ Moves(old, new) <= Cardinality(Shard) - kept - (IF larger < spare THEN larger ELSE spare)

\* A group takes configurations one by one, only when it awaits nothing; its roles change only so, but for
\* shards that it awaited and now serves.
ConfigStep ==
    [][\A g \in DOMAIN group :
           \/ /\ group'[g].config = group[g].config + 1
              /\ Awaiting(g) = {}
           \/ /\ group'[g].config = group[g].config
              /\ DOMAIN group[g].serving \subseteq DOMAIN group'[g].serving
      ]_vars

\* A frozen copy is what was served until the configuration that froze it, and never changes.
FrozenImmutable ==
    [][\A g \in DOMAIN group : \A x \in DOMAIN group'[g].frozen :
           IF x \in DOMAIN group[g].frozen
           THEN group'[g].frozen[x] = group[g].frozen[x]
           ELSE /\ group'[g].config = x[2]
                /\ group[g].config < x[2]
                /\ x[1] \in DOMAIN group[g].serving
                /\ group'[g].frozen[x] = group[g].serving[x[1]]
      ]_vars
===================================================================================
