//! The committed pages are those of this program, and the chapter for operators names its limits.

use super::*;
use quorate_core::limits::Limits;
use std::collections::BTreeSet;
use std::path::Path;

const RENEW: &str = "renew them: cargo run -p quorate -- pages runtime";

#[test]
fn the_committed_pages_are_not_stale() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let pages = all().expect("rendered to memory");
    for (name, page) in &pages {
        let committed = fs::read(root.join(name)).unwrap_or_default();
        assert!(committed == *page, "runtime/{name} is not what the program says; {RENEW}");
    }
    let mut found = BTreeSet::new();
    for folder in ["man", "completions"] {
        let entries = fs::read_dir(root.join(folder)).expect(RENEW);
        found.extend(entries.flatten().map(|it| format!("{folder}/{}", it.file_name().to_string_lossy())));
    }
    let expected: BTreeSet<String> = pages.into_iter().map(|(name, _)| name).collect();
    assert_eq!(found, expected, "a page of a command that is no more; remove it");
}

#[test]
fn a_manual_page_keeps_examples_as_they_are_typed() {
    let (_, page) = all().expect("rendered").into_iter().find(|(name, _)| name == "man/quorate-put.1").expect("a page");
    let page = String::from_utf8(page).expect("text");
    assert!(page.contains(".SH EXAMPLES\n.nf\n\\&  quorate put greeting hello\n"), "{page}");
    assert!(page.contains("\\(aq{user7}:name\\(aq"), "quotes that a shell understands: {page}");
}

#[test]
fn pages_are_written_where_they_are_wanted() {
    let directory = tempfile::tempdir().expect("a directory");
    let report = write(&PagesArgs { dir: directory.path().join("new") }).expect("written");
    let written = report.json["written"].as_array().expect("a list").len();
    assert_eq!(written, all().expect("rendered").len());
    assert!(directory.path().join("new/man/quorate-status.1").exists());
    let file = tempfile::NamedTempFile::new().expect("a file");
    assert!(write(&PagesArgs { dir: file.path().to_path_buf() }).is_err(), "a file is no directory");
}

#[test]
fn completions_know_the_commands() {
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        let report = completions(&CompletionsArgs { shell }).expect("printed");
        let script = String::from_utf8(report.text).expect("text");
        assert!(script.contains("transfer") && script.contains("value-bytes"), "{shell}");
    }
}

#[test]
fn the_chapter_for_operators_names_every_limit_as_it_is() {
    let chapter = include_str!("../../OPERATING.md");
    let Limits { key_bytes, value_bytes, sessions, raft, .. } = Limits::default();
    let Limits { shard_chunk_bytes, snapshot_log_bytes, snapshot_state_percent, .. } = Limits::default();
    let limits: [(&str, u64); 11] = [
        ("key_bytes", key_bytes as u64),
        ("value_bytes", value_bytes as u64),
        ("sessions", sessions),
        ("uncommitted_bytes", raft.uncommitted_bytes),
        ("snapshot_log_bytes", snapshot_log_bytes),
        ("snapshot_state_percent", snapshot_state_percent),
        ("trailing_entries", raft.trailing_entries),
        ("append_bytes", raft.append_bytes as u64),
        ("inflight_appends", raft.inflight_appends as u64),
        ("chunk_bytes", raft.chunk_bytes as u64),
        ("shard_chunk_bytes", shard_chunk_bytes as u64),
    ];
    for (name, default) in limits {
        assert!(chapter.contains(&format!("| `{name}` | {default} |")), "OPERATING.md: {name} is {default}");
    }
}
