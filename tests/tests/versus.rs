//! `versus` as its users run it: a short comparison with each store, a store that lies about its syncs, and every usual
//! mistake. What it measures is not asserted, only that it was measured and adds up.

use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

/// The program, with its data on the disk that holds the build.
fn versus(arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_versus"));
    command.args(["--dir", env!("CARGO_TARGET_TMPDIR")]).args(arguments.split_whitespace());
    command
}

fn run(command: &mut Command) -> Output {
    command.output().expect("versus runs")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What it said, if it failed as it should.
fn failed(output: &Output, code: i32) -> String {
    let said = said(output);
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(output.stdout.is_empty(), "nothing is reported");
    said
}

/// A directory with a program `name` that is this shell script.
fn with_program(name: &str, script: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join(name);
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("a script");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("a script that can be run");
    directory
}

/// A search path that begins with `first`.
fn path_from(first: &Path) -> String {
    format!("{}:{}", first.display(), std::env::var("PATH").unwrap_or_default())
}

fn number(value: &Value, name: &str) -> f64 {
    value[name].as_f64().unwrap_or_else(|| panic!("{name} is a number in {value}"))
}

/// Compares with `peer` and checks the shape of what is reported, and that it adds up.
fn compared(peer: &str) {
    let arguments = "--clients 2,2 --mix put,get --seconds 1 --rounds 1 --keys 200 --json --against";
    let output = run(versus(arguments).arg(peer));
    assert!(output.status.success(), "{}", said(&output));
    let report: Value = serde_json::from_slice(&output.stdout).expect("standard output is one JSON value");
    let rows = report["rows"].as_array().expect("rows");
    let ratios = report["ratios"].as_array().expect("ratios");
    assert_eq!((rows.len(), ratios.len()), (4, 2), "a cell that is named twice is measured once: {report}");
    for (ratio, mix) in ratios.iter().zip(["put", "get"]) {
        let row = |target: &str| {
            let named = |row: &&Value| row["target"] == target && row["mix"] == mix && row["clients"] == 2;
            rows.iter().find(named).unwrap_or_else(|| panic!("no row of {target}, {mix}: {report}"))
        };
        let (ours, theirs) = (row("quorate"), row(peer));
        assert_eq!((&ratio["mix"], &ratio["clients"]), (&mix.into(), &2.into()));
        for (name, of) in [("throughput", "throughput"), ("p50", "p50_us"), ("p99", "p99_us"), ("cpu", "cpu_us_per_op")]
        {
            let quotient = number(ours, of) / number(theirs, of);
            assert!((number(ratio, name) / quotient - 1.0).abs() < 1e-9, "{name} is ours / theirs: {report}");
        }
        for row in [ours, theirs] {
            for name in ["throughput", "p50_us", "cpu_us_per_op", "client_cpu_us_per_op", "memory_bytes"] {
                assert!(number(row, name) > 0.0, "{name}: {row}");
            }
            assert!(number(row, "p50_us") <= number(row, "p99_us") && number(row, "p99_us") <= number(row, "p999_us"));
            assert_eq!(row["throughput_of_rounds"], serde_json::json!([row["throughput"]]), "the median of one round");
            assert!((0.0..=1.0).contains(&number(row, "others_cpu")), "a part of the processors: {row}");
            let syncs = number(row, "syncs_counted");
            assert!(mix == "get" || (syncs > 0.0 && number(row, "bytes_per_op") > 256.0), "puts are durable: {row}");
            let each = syncs / number(row, "operations_while_counting");
            assert!((number(row, "syncs_per_op") - each).abs() < 1e-9, "{row}");
        }
    }
}

#[test]
fn etcd_is_compared() {
    compared("etcd");
}

#[test]
fn redis_is_compared() {
    compared("redis");
}

/// The last of two settings counts, so that this Redis syncs once a second, whatever it is told.
#[test]
fn a_store_that_answers_before_it_syncs_voids_the_comparison() {
    let script = "case \"$1\" in --version) exec /usr/bin/redis-server --version ;; \
                  *) exec /usr/bin/redis-server \"$@\" --appendfsync everysec ;; esac";
    let lying = with_program("redis-server", script);
    let mut command = versus("--against redis --clients 2 --mix put --seconds 1 --rounds 1 --keys 10");
    let error = failed(&run(command.env("PATH", path_from(lying.path()))), 1);
    assert!(error.contains("the comparison is void: redis answered"), "{error}");
}

#[test]
fn a_store_that_does_not_start_is_shown_with_its_last_words() {
    let script = "[ \"$1\" = --version ] || { echo 'listen tcp 127.0.0.1:2380: address already in use'; exit 1; }";
    let broken = with_program("etcd", script);
    let mut command = versus("--against etcd --clients 1 --mix put --seconds 1 --rounds 1 --keys 10");
    let error = failed(&run(command.env("PATH", path_from(broken.path()))), 1);
    assert!(error.contains("etcd-1 has ended: exit status: 1") && error.contains("address already in use"), "{error}");
}

#[test]
fn a_missing_program_is_named_with_how_to_install_it() {
    let empty = tempfile::tempdir().expect("a temporary directory");
    for (peer, line) in [
        ("etcd", "error: etcd is missing: install it with 'apt-get install etcd-server'\n"),
        ("redis", "error: redis-server is missing: install it with 'apt-get install redis-server'\n"),
    ] {
        assert_eq!(failed(&run(versus("--against").arg(peer).env("PATH", empty.path())), 1), line);
    }
    let error = failed(&run(versus("").env("QUORATE_BIN", empty.path().join("quorate"))), 1);
    assert!(error.contains("run 'cargo build --release -p quorate' first") && error.lines().count() == 1, "{error}");
}

#[test]
fn bad_usage_is_refused() {
    for (wrong, named) in [
        ("--against mongo", "'mongo'"),
        ("--mix foo", "'foo'"),
        ("--clients 0", "'0'"),
        ("--clients 1,many", "'many'"),
        ("--rounds 0", "'0'"),
        ("--seconds 0", "'0'"),
        ("--value-bytes 0", "'0'"),
        ("--value-bytes 2000000", "'2000000'"),
        ("--value-bytes 1000000 --keys 1000000", "at most --keys 268"),
    ] {
        let error = failed(&run(&mut versus(wrong)), 2);
        assert!(error.starts_with("error: ") && error.contains(named), "{wrong}: {error}");
    }
    let mut elsewhere = Command::new(env!("CARGO_BIN_EXE_versus"));
    let error = failed(&run(elsewhere.args(["--dir", "/nowhere"])), 1);
    assert!(error.contains("/nowhere") && error.contains("--dir") && error.lines().count() == 1, "{error}");
}
