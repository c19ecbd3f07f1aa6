use quorate_proofs::conform::*;
use std::io::Write;
fn main() {
    let seed: u64 = std::env::args().nth(1).unwrap().parse().unwrap();
    let steps: usize = std::env::args().nth(2).unwrap().parse().unwrap();
    let events = quorate_proofs::models::raft::record(seed, steps);
    let mut out = std::fs::File::create(format!("/tmp/trace-{seed}.jsonl")).unwrap();
    let mut counts = std::collections::BTreeMap::new();
    for event in &events { writeln!(out, "{}", serde_json::to_string(event).unwrap()).unwrap(); *counts.entry(event.action.map_or("-", |a| a.name())).or_insert(0) += 1; }
    println!("{} events {counts:?}", events.len());
    if std::env::args().nth(3).is_some() { return; }
    let checker = Checker::find().unwrap();
    let start = std::time::Instant::now();
    match conform(&checker, &events).unwrap() {
        Verdict::Accepted => println!("seed {seed} accepted in {:?}", start.elapsed()),
        Verdict::Refused { explained, found } => {
            println!("seed {seed} refused after {explained} of {} {:?} {:?}", events.len(), found.status, found.broken);
            for event in &events[explained.saturating_sub(3)..=explained] { println!("{}", serde_json::to_string(event).unwrap()); }
            println!("{}", &found.said[..found.said.len().min(600)]);
        }
    }
}
