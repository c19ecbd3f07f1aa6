//! A history survives its file, and a broken file is refused.

use super::*;
use quorate_spec::history::{Report, Verdict};

fn operation(process: u64, call: Call, outcome: Outcome, invoked: u64) -> Operation {
    let returned = (outcome != Outcome::Unknown).then_some(invoked + 5);
    let done = matches!(outcome, Outcome::Done | Outcome::Value(_));
    let position = Position { config: ConfigNum::new(2), index: LogIndex::new(invoked) };
    let place = done.then_some((ShardId::new(7), position));
    Operation { process, key: b"k\0\xff".to_vec(), call, outcome, invoked, returned, place }
}

fn sample() -> Vec<Operation> {
    vec![
        operation(1, Call::Put(b"a".to_vec()), Outcome::Done, 10),
        operation(2, Call::Append(b"\x80b".to_vec()), Outcome::Unknown, 12),
        operation(1, Call::Get, Outcome::Value(Some(b"a\x80b".to_vec())), 20),
        operation(1, Call::Get, Outcome::Value(None), 30),
        operation(3, Call::Append(b"c".to_vec()), Outcome::Failed, 31),
    ]
}

#[test]
fn a_history_survives_its_file() {
    let mut file = Vec::new();
    write(&mut file, &sample()).unwrap();
    assert_eq!(read(file.as_slice()).unwrap(), sample());
}

#[test]
fn lines_have_jepsens_shape() {
    let mut file = Vec::new();
    write(&mut file, &sample()[..1]).unwrap();
    let text = String::from_utf8(file).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], r#"{"process":1,"type":"invoke","f":"put","key":"awD/","value":"YQ==","time":10}"#);
    let ok = r#""type":"ok","f":"put","key":"awD/","value":"YQ==","time":15,"shard":7,"config":2,"index":10}"#;
    assert_eq!(lines[1], format!(r#"{{"process":1,{ok}"#));
}

#[test]
fn an_info_line_leaves_the_operation_open() {
    let mut file = Vec::new();
    let call = Call::Append(b"x".to_vec());
    write_invoke(&mut file, 4, b"k", &call, 1).unwrap();
    write_return(&mut file, 4, b"k", &call, &Outcome::Unknown, None, 9).unwrap();
    let read_back = read(file.as_slice()).unwrap();
    assert_eq!((read_back[0].outcome.clone(), read_back[0].returned), (Outcome::Unknown, None));
    write_invoke(&mut file, 4, b"k", &Call::Get, 10).unwrap();
    assert!(matches!(read(file.as_slice()), Err(ReadError::Line(3, _))), "its process number is spent");
}

#[test]
fn broken_histories_are_refused_with_their_line() {
    let ok = r#"{"process":1,"type":"ok","f":"get","key":"aw==","value":null,"time":2}"#;
    let invoke = r#"{"process":1,"type":"invoke","f":"get","key":"aw==","value":null,"time":3}"#;
    let cases = [
        (format!("{ok}\n"), 1, "returns without having invoked"),
        (format!("{invoke}\n{ok}\n"), 2, "before it invoked"),
        (format!("{invoke}\n\n{}\n", ok.replace("get", "put")), 3, "another operation"),
        ("{}\n".into(), 1, "missing field"),
        (format!("{}\n", invoke.replace("aw==", "?")), 1, "not base64"),
        (format!("{}\n", invoke.replace("get", "put")), 1, "without a value"),
    ];
    for (text, line, why) in cases {
        match read(text.as_bytes()) {
            Err(ReadError::Line(found, message)) => {
                assert_eq!(found, line, "{message}");
                assert!(message.contains(why), "{message}");
            }
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn canned_histories_are_judged() {
    let place = |index| Some((ShardId::new(0), Position { config: ConfigNum::new(1), index: LogIndex::new(index) }));
    let op = |process, call, outcome, invoked, index| Operation {
        process,
        key: b"k".to_vec(),
        call,
        outcome,
        invoked,
        returned: Some(invoked + 1),
        place: place(index),
    };
    let appended = op(1, Call::Append(b"a;".to_vec()), Outcome::Done, 1, 5);
    let read = |value: Option<&[u8]>| op(1, Call::Get, Outcome::Value(value.map(Vec::from)), 3, 6);
    assert!(judge(&[appended.clone(), read(Some(b"a;"))]).holds());
    assert!(!judge(&[appended.clone(), read(None)]).linearizable(), "an acknowledged write was not seen");
    assert!(!judge(&[appended.clone(), read(Some(b"x"))]).linearizable(), "a value that nobody wrote");
    assert!(!judge(&[appended, read(Some(b"a;a;"))]).at_most_once(), "an append took effect twice");
}

#[test]
fn an_undecided_judge_is_not_a_pass() {
    let undecided = Verdict::Unknown("out of budget".into());
    let judgement = Judgement { linearizable: undecided, at_most_once: Verdict::Pass, report: Report::default() };
    assert!(!judgement.holds());
}
