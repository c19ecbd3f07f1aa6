//! Configurations that are understood, and those that are refused with what to do.

use super::*;
use clap::Parser;
use std::io::Write;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    node: NodeArgs,
}

fn parse(flags: &str) -> Result<NodeConfig, String> {
    let line = Line::try_parse_from(std::iter::once("node").chain(flags.split_whitespace()));
    NodeConfig::from_args(line.map_err(|error| error.to_string())?.node).map_err(|error| error.to_string())
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(text.as_bytes()).expect("written");
    file
}

const WHOLE: &str = "--data /d --listen 127.0.0.1:7001 --id 1 --controllers 1=127.0.0.1:7001,2=b:7002";

fn refused(flags: &str, says: &str) {
    let error = parse(flags).expect_err(flags);
    assert!(error.contains(says), "{flags}: {error:?} does not say {says:?}");
}

#[test]
fn flags_alone_suffice_and_the_rest_has_defaults() {
    let config = parse(WHOLE).expect("whole");
    assert_eq!(config.id, NodeId::new(1));
    assert_eq!(config.controllers.len(), 2);
    assert_eq!(config.controllers.get(&NodeId::new(2)).map(String::as_str), Some("b:7002"));
    assert_eq!((config.cluster.as_str(), config.shards), ("quorate", 64));
    assert_eq!(config.election, Duration::from_millis(300));
    assert_eq!((config.advertise, config.limits), (None, Limits::default()));
}

#[test]
fn a_file_says_the_same_and_flags_override_it() {
    let file = file(
        "data = '/d'\nlisten = '0.0.0.0:7001'\nadvertise = 'a:7001'\nid = 1\nshards = 10\nlog = 'json'\nlog_level = 'debug'\n\
         [controllers]\n1 = 'a:7001'\n[limits]\nvalue_bytes = 1000\ntrailing_entries = 5\n",
    );
    let config = parse(&format!("--config {} --shards 12 --cluster other", file.path().display())).expect("whole");
    assert_eq!((config.shards, config.cluster.as_str()), (12, "other"));
    assert_eq!((config.log, config.log_level), (LogFormat::Json, LogLevel::Debug));
    assert_eq!(config.advertise.as_deref(), Some("a:7001"));
    assert_eq!(config.controllers, BTreeMap::from([(NodeId::new(1), "a:7001".to_owned())]));
    assert_eq!((config.limits.value_bytes, config.limits.raft.trailing_entries), (1000, 5));
    assert_eq!(config.limits.key_bytes, Limits::default().key_bytes);
}

#[test]
fn unknown_settings_are_refused_with_the_line_and_the_known_ones() {
    for (text, field) in [("id = 1\nlisten_on = 'x'\n", "listen_on"), ("[limits]\nvalue_size = 1\n", "value_size")] {
        let file = file(text);
        let error = parse(&format!("--config {}", file.path().display())).expect_err("unknown");
        assert!(error.contains(field) && error.contains("line 2") && error.contains("expected one of"), "{error}");
        assert!(!error.contains('\n'), "{error}");
    }
}

#[test]
fn what_cannot_work_is_refused_with_what_to_do() {
    refused("--listen a:1 --id 1 --controllers 1=a:1", "--data is missing");
    refused("--data d --id 1 --controllers 1=a:1", "--listen is missing");
    refused("--data d --listen a:1 --controllers 1=a:1", "--id is missing");
    refused("--data d --listen a:1 --id 1", "Give --controllers 1=HOST:PORT");
    refused("--data d --listen a:1 --id 0 --controllers 1=a:1", "begin at 1");
    refused("--data d --listen a --id 1 --controllers 1=a:1", "write HOST:PORT");
    refused("--data d --listen a:99999 --id 1 --controllers 1=a:1", "write HOST:PORT");
    refused("--data d --listen a:1 --id 1 --controllers 1=a:1,1=b:1", "names node 1 twice");
    refused("--data d --listen a:1 --id 1 --controllers a:1", "write ID=HOST:PORT");
    refused("--data d --listen a:1 --id 1 --controllers 1=0.0.0.0:7001", "nobody can dial");
    refused(&format!("{WHOLE} --advertise 127.0.0.1:0"), "nobody can dial");
    refused(&format!("{WHOLE} --advertise c:7001"), "give the same address, or leave --advertise out");
    refused(&format!("{WHOLE} --shards 0"), "give 1 to 16384");
    refused(&format!("{WHOLE} --shards 16385"), "give 1 to 16384");
    refused(&format!("{WHOLE} --election-ms 5"), "give 50 to 60000");
    refused(&format!("{WHOLE} --config /nowhere.toml"), "cannot read the configuration /nowhere.toml");
}

#[test]
fn limits_that_no_frame_could_carry_are_refused() {
    for line in ["value_bytes = 100000000", "chunk_bytes = 100000000", "append_bytes = 0", "sessions = 0"] {
        let file = file(&format!("[limits]\n{line}\n"));
        refused(&format!("{WHOLE} --config {}", file.path().display()), "limits.");
    }
}

#[test]
fn the_log_before_a_snapshot_may_be_any_sensible_part_of_the_state() {
    let with = |line: &str| {
        let file = file(&format!("[limits]\nsnapshot_state_percent = {line}\n"));
        parse(&format!("{WHOLE} --config {}", file.path().display())).map(|config| config.limits.snapshot_state_percent)
    };
    assert_eq!([with("0"), with("25"), with("10_000")], [Ok(0), Ok(25), Ok(10_000)]);
    for line in ["10_001", "9_223_372_036_854_775_807"] {
        let error = with(line).expect_err("absurd");
        assert!(error.contains("limits.snapshot_state_percent") && error.contains("give 0 to 10000"), "{error}");
    }
    for line in ["-1", "1.5", "'all'"] {
        let error = with(line).expect_err("no such number");
        assert!(error.contains("line 2") && error.contains("expected u64"), "{error}");
    }
}

#[test]
fn the_example_files_are_understood_and_the_full_one_says_the_defaults() {
    let example = |name: &str| format!("--config {}/examples/config/{name}", env!("CARGO_MANIFEST_DIR"));
    let node = parse(&example("node.toml")).expect("an example");
    let full = parse(&example("full.toml")).expect("an example");
    assert_eq!((node.limits, full.limits), (Limits::default(), Limits::default()));
    assert_eq!((full.cluster.as_str(), full.shards), (DEFAULT_CLUSTER, DEFAULT_SHARDS));
    assert_eq!(full.election, Duration::from_millis(DEFAULT_ELECTION_MS));
    assert_eq!((full.log, full.log_level), (LogFormat::default(), LogLevel::default()));
    let text = std::fs::read_to_string(format!("{}/examples/config/full.toml", env!("CARGO_MANIFEST_DIR")));
    let text = text.expect("an example");
    for setting in file::SETTINGS {
        assert!(text.contains(&format!("{setting} = ")), "full.toml leaves {setting} out");
    }
}
