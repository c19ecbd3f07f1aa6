//! Turns Debian's package index on standard input into JSON lines on standard output, name -> whole record: real, uneven
//! input for `quorate load`.
//!
//! `apt-cache dumpavail | cargo run --release -p quorate-tests --example package_index > packages.jsonl`
//!
//! A package that is listed in several versions gets one key per version (`name`, `name#2`, ..), so that no record
//! replaces another and every one can be verified.

use std::collections::HashMap;
use std::io::{BufRead, BufWriter, Write, stdin, stdout};

fn main() -> std::io::Result<()> {
    let mut out = BufWriter::new(stdout().lock());
    let mut seen: HashMap<String, u32> = HashMap::new();
    let mut record = String::new();
    let mut input = stdin().lock();
    loop {
        let begin = record.len();
        let read = input.read_line(&mut record)?;
        if read == 0 || record[begin..].trim().is_empty() {
            record.truncate(begin);
            if let Some(name) = record.lines().find_map(|line| line.strip_prefix("Package: ")) {
                let times = seen.entry(name.to_owned()).or_default();
                *times += 1;
                let key = if *times == 1 { name.to_owned() } else { format!("{name}#{times}") };
                writeln!(out, "{}", serde_json::json!({ "key": key, "value": record }))?;
            }
            record.clear();
        }
        if read == 0 {
            return out.flush();
        }
    }
}
