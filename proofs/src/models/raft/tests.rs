//! Reductions against searches without them, what the judges see, and what a person reads.

use super::*;
use crate::verify::{Budget, Outcome, verify};
use quorate_spec::ids::Term;
use std::collections::{BTreeMap, HashSet};

/// What can be seen of a run, whoever's names it happened under: who led which term, what was committed, and the terms
/// and logs on the disks. Looked at whenever no disk has anything to do: moments within a sync are what a reduction
/// leaves out.
type Facts = (Vec<(Term, u64)>, Vec<(Term, Option<Byte>)>, Vec<(Term, Vec<(Term, Option<Byte>)>)>);

struct Reached {
    states: usize,
    /// The states as a search with symmetry tells them apart.
    orbits: HashSet<u64>,
    facts: HashSet<Facts>,
    violated: bool,
}

impl Reached {
    /// Whether a search showed these facts, or that with the same leaders and on the same disks even more was committed: a
    /// leader that counts its own copy late, so that it commits late, is what syncing at once leaves out.
    fn shows(&self, (leaders, log, disks): &Facts) -> bool {
        let covers = |facts: &&Facts| facts.0 == *leaders && facts.2 == *disks && facts.1.starts_with(log);
        self.facts.iter().any(|facts| covers(&facts))
    }
}

/// All states of a scope, by a search of our own.
fn reach(scope: Scope) -> Reached {
    let symmetric =
        RaftModel::at(Scope { reductions: Reductions { symmetry: true, ..scope.reductions }, ..scope.clone() });
    let model = RaftModel::at(scope);
    let mut reached = Reached { states: 0, orbits: HashSet::new(), facts: HashSet::new(), violated: false };
    let mut seen = HashSet::new();
    let mut queue = model.init_states();
    while let Some(state) = queue.pop() {
        if !seen.insert(state.key) {
            continue;
        }
        reached.states += 1;
        reached.violated |= state.violation.is_some();
        reached.orbits.insert(orbit(&symmetric, &state));
        if state.nodes.iter().all(|node| node.local.pending.is_empty()) {
            reached.facts.insert(facts(&state));
        }
        let mut actions = Vec::new();
        model.actions(&state, &mut actions);
        queue.extend(actions.into_iter().filter_map(|action| model.next_state(&state, action)));
    }
    reached
}

/// The key that the state has where names do not matter.
fn orbit(symmetric: &RaftModel, state: &RaftState) -> u64 {
    let renamings = &symmetric.renamings;
    let nodes: Vec<_> = state.nodes.iter().map(|node| symmetric.tables.node(node.local.clone(), renamings)).collect();
    let mut network = Network::empty(renamings.len());
    for envelope in state.network.iter() {
        network.insert(envelope, renamings.of_envelope(envelope));
    }
    let mut ghost = Ghost::clone(&state.ghost);
    ghost.hashes = renamings.hashes(|name| ghost.renamed(name));
    renamings.key(&nodes, &network, &ghost, state.spent, state.violation.is_some())
}

/// Leaders are numbered in the order in which they first led.
fn facts(state: &RaftState) -> Facts {
    let mut names = BTreeMap::new();
    let leaders = state.ghost.raft.leaders.iter().map(|(term, node)| {
        let fresh = names.len() as u64;
        (*term, *names.entry(*node).or_insert(fresh))
    });
    let mut disks: Vec<_> = state
        .nodes
        .iter()
        .map(|node| &node.local.disk)
        .map(|disk| {
            let entries = disk.entries.iter().map(|entry| (entry.term, entry.payload().copied()));
            (disk.hard.term, entries.collect())
        })
        .collect();
    disks.sort();
    (leaders.collect(), state.ghost.log.clone(), disks)
}

fn small(nodes: u64, terms: u64, entries: u8, crashes: u8) -> Scope {
    let plain = Scope::named("election").expect("there is such a scope");
    Scope {
        nodes,
        terms,
        entries,
        crashes,
        only_elections: entries == 0,
        start: "",
        progress: 0,
        reductions: Reductions::NONE,
        ..plain
    }
}

/// Small enough to be searched without reductions. (In a group of one a vote synced at once is an election at once.)
fn small_scopes() -> Vec<Scope> {
    vec![
        Scope { campaigns: 1, ..small(2, 1, 1, 0) },
        Scope { campaigns: 2, ..small(2, 2, 0, 1) },
        Scope { campaigns: 2, only_elections: false, ..small(2, 2, 0, 0) },
        Scope { campaigns: 1, only_elections: false, ..small(2, 1, 0, 1) },
        Scope { campaigns: 1, ..small(2, 1, 1, 1) },
        Scope { campaigns: 2, ..small(3, 1, 0, 0) },
    ]
}

#[test]
fn each_reduction_shows_what_the_full_search_shows() {
    let none = Reductions::NONE;
    for scope in small_scopes() {
        let full = reach(scope.clone());
        assert!(!full.violated && full.facts.len() > 1);
        let each = [
            Reductions { symmetry: true, ..none },
            Reductions { dead_messages: true, ..none },
            Reductions { sync_at_once: true, ..none },
            Reductions { sync_at_once: true, unseen: true, ..none },
            Reductions::ALL,
        ];
        for reductions in each {
            let reduced = reach(Scope { reductions, ..scope.clone() });
            let hidden: Vec<&Facts> = full.facts.iter().filter(|facts| !reduced.shows(facts)).collect();
            assert!(hidden.is_empty(), "{reductions:?} of {scope:?} hides {hidden:?}");
            // Hearing of terms at any time is more than refusals do, so a small search may grow by it.
            assert!(reductions.dead_messages || reduced.facts.is_subset(&full.facts), "{reductions:?} of {scope:?}");
            assert!(reductions.dead_messages || reduced.states <= full.states, "{reductions:?}: {}", reduced.states);
            assert!(!reduced.violated);
        }
        let symmetric = reach(Scope { reductions: Reductions { symmetry: true, ..none }, ..scope.clone() });
        assert_eq!(symmetric.orbits, full.orbits, "one state for each orbit, and every orbit");
        assert_eq!(symmetric.states, full.orbits.len());
    }
}

#[test]
fn a_leader_that_forgets_its_vote_is_seen() {
    // The judges are not asleep: a node whose disk lost its vote can give it again, and two leaders come of it.
    let model = RaftModel::at(Scope { crashes: 0, ..Scope::named("election").expect("there is such a scope") });
    let before = model.play(model.boot(), "campaign 1; campaign 3; deliver 1>2; deliver 2>1");
    let mut forgotten = before.clone();
    let mut disk = before.nodes[1].local.disk.clone();
    disk.hard.voted_for = None;
    let mut local = before.nodes[1].local.clone();
    local.disk = disk;
    let (local, _) = local.crash(0, &model.manner);
    forgotten.nodes[1] = model.tables.node(local, &model.renamings);
    let mut states = vec![forgotten];
    let mut found = None;
    for _ in 0..3 {
        states = states.iter().flat_map(|state| model.next_steps(state)).map(|(_, state)| state).collect();
        found = found.or(states.iter().find_map(|state| state.violation.clone()));
    }
    assert_eq!(found.map(|violation| violation.property), Some(invariants::election_safety::NAME));
}

#[test]
fn one_and_two_nodes_are_exhausted_and_make_progress_everywhere() {
    for (nodes, terms, entries) in [(1, 2, 1), (2, 1, 1)] {
        let scope = Scope { progress: 8, campaigns: 2, reductions: Reductions::ALL, ..small(nodes, terms, entries, 1) };
        let report = verify(&Arc::new(RaftModel::at(scope)), &Budget::default(), |_| {});
        assert_eq!(report.outcome, Outcome::Exhausted);
        assert!(report.properties.iter().all(|property| property.holds));
    }
}

#[test]
fn every_scope_starts_and_has_a_name_of_its_own() {
    let names: HashSet<&str> = scopes().map(|(name, _)| name).collect();
    assert_eq!(names.len(), scopes().count());
    for name in names {
        let model = RaftModel::new(name).expect("the table names it");
        let state = model.init_states().swap_remove(0);
        assert_eq!(state.violation, None, "{name}");
        let mut actions = Vec::new();
        model.actions(&state, &mut actions);
        assert!(!actions.is_empty() && !model.bounds().is_empty());
        for action in &actions {
            assert!(model.sentence(&state, action).len() > 10);
            let text = serde_json::to_string(action).expect("an action is data");
            assert_eq!(serde_json::from_str::<RaftAction>(&text).ok().as_ref(), Some(action));
        }
    }
    assert!(RaftModel::new("no such scope").is_none());
}

#[test]
fn a_run_reads_aloud() {
    let model = RaftModel::at(Scope { start: "", ..Scope::named("commit").expect("there is such a scope") });
    let mut state = model.boot();
    let mut text = Vec::new();
    for step in ["campaign 1", "deliver 1>2 unsynced", "crash 2"] {
        let after = model.play(state.clone(), step);
        text.extend(model.changes(&state, &after));
        state = after;
    }
    let expected = [
        "n1 role: Follower -> Candidate",
        "n1 term: 0 -> 1",
        "n1 vote: nobody -> n1",
        "n1 disk: term 0, vote nobody, log [] -> term 1, vote n1, log []",
        "sent n1 -> n2 RequestVote: vote for me in term 1; my log ends at 0 of term 0",
        "sent n1 -> n3 RequestVote: vote for me in term 1; my log ends at 0 of term 0",
        "n2 term: 0 -> 1",
        "n2 vote: nobody -> n1",
        "n2 pending writes:  -> term 1 with a vote for n1",
        "n2 term: 1 -> 0",
        "n2 vote: n1 -> nobody",
        "n2 pending writes: term 1 with a vote for n1 -> ",
    ];
    assert_eq!(text, expected);
}

/// Found by the scope `reads-again`: a follower answered a heartbeat of an old term with its own term and the old term's
/// read round, so that the same leader, leading again, took it for an answer to a round of the new term.
#[test]
fn an_answer_to_an_earlier_term_confirms_no_read() {
    let model = RaftModel::new("reads-again").expect("there is such a scope");
    let state = model.init_states().swap_remove(0);
    assert_eq!(state.ghost.raft.leaders[&Term::new(4)], NodeId::new(2));
    assert_eq!(state.ghost.log.last(), Some(&(Term::new(4), None)), "the new leader has committed its empty entry");
    let state = model.play(state, "read 1");
    let state = model.play(state, "deliver 2>1");
    assert_eq!(state.violation, None);
    assert!(state.ghost.reads.is_empty(), "the old leader heard of its successor and gave the read up");
}
