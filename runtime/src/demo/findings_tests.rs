//! The report says yes only if everything holds.

use super::super::plan::Kill;
use super::*;
use quorate_spec::history::Verdict;
use quorate_spec::ids::Position;
use serde_json::json;

fn good() -> Findings {
    let kill = |part| Kill { node: 5, part, mid_move: true };
    let pass = || Verdict::Pass;
    Findings {
        judgement: Judgement { linearizable: pass(), at_most_once: pass(), report: Default::default() },
        totals: Totals { operations: 20_000, writes: 8_000, failed: 1, unknown: 2, shards_written: 64 },
        shards: 64,
        processes: 15,
        clients: 16,
        keys: 192,
        done: Done { kills: [Part::Leader, Part::Source, Part::Target].map(kill).to_vec(), ..Done::default() },
        moves: 8,
        kills: 18,
        killed_at_end: 15,
        longest_pause_ms: 1234.5,
        lost: Vec::new(),
        troubles: Vec::new(),
        seconds: 50.0,
        history: "/tmp/history.jsonl".into(),
    }
}

#[test]
fn everything_holds_only_if_everything_holds() {
    assert!(good().hold(), "{}", good().text());
    let spoil: [fn(&mut Findings); 11] = [
        |findings| findings.judgement.linearizable = Verdict::Unknown("out of budget".into()),
        |findings| findings.judgement.at_most_once = Verdict::Unknown("?".into()),
        |findings| findings.lost.push("a write".into()),
        |findings| findings.troubles.push("node 3 ended by itself".into()),
        |findings| findings.totals.operations = 19_999,
        |findings| findings.totals.writes = 7_000,
        |findings| findings.totals.shards_written = 63,
        |findings| findings.moves = 7,
        |findings| findings.done.kills.truncate(2),
        |findings| findings.done.kills.iter_mut().for_each(|kill| kill.mid_move = false),
        |findings| findings.seconds = 91.0,
    ];
    for (nth, spoil) in spoil.into_iter().enumerate() {
        let mut findings = good();
        spoil(&mut findings);
        assert!(!findings.hold(), "case {nth}");
        assert!(findings.text().contains("[FAIL]") && findings.text().contains("NOT everything"), "case {nth}");
        assert_eq!(findings.json()["holds"], json!(false), "case {nth}");
    }
}

#[test]
fn json_has_the_agreed_names() {
    let json = good().json();
    let names =
        "linearizable at_most_once operations writes moves kills longest_pause_ms lost_acknowledged_writes history";
    for name in names.split_whitespace() {
        assert!(!json[name].is_null(), "{name}");
    }
    assert_eq!((&json["kills"], &json["lost_acknowledged_writes"]), (&json!(18), &json!(0)));
}

#[test]
fn totals_count_answers() {
    let operation = |call: Call, outcome: Outcome, shard: Option<u64>| Operation {
        process: 1,
        key: Vec::new(),
        call,
        outcome,
        invoked: 1,
        returned: None,
        place: shard.map(|shard| (ShardId::new(shard), Position::default())),
    };
    let totals = Totals::of(&[
        operation(Call::Get, Outcome::Value(None), Some(1)),
        operation(Call::Put(Vec::new()), Outcome::Done, Some(2)),
        operation(Call::Append(Vec::new()), Outcome::Done, Some(2)),
        operation(Call::Append(Vec::new()), Outcome::Unknown, None),
        operation(Call::Get, Outcome::Failed, None),
    ]);
    assert_eq!(totals, Totals { operations: 3, writes: 2, failed: 1, unknown: 1, shards_written: 1 });
}
