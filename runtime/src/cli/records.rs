//! The files that `load` reads: key<TAB>value lines, or JSON lines.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::ValueEnum;
use serde::Deserialize;
use std::io::{self, BufRead};
use std::path::Path;

/// One key and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// The line it is on, from 1.
    pub(super) line: u64,
    pub(super) key: Vec<u8>,
    pub(super) value: Vec<u8>,
}

/// How the lines are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// By the file's name (.json, .jsonl, .ndjson), else by its first line.
    Auto,
    /// key<TAB>value: everything after the first tab is the value.
    Tsv,
    /// One JSON object per line.
    Jsonl,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct JsonRecord {
    key: Option<String>,
    value: Option<String>,
    key_b64: Option<String>,
    value_b64: Option<String>,
}

impl Format {
    /// Settles [`Format::Auto`]. A hash tag also begins with `{`, so the first line must be a whole JSON record to count.
    pub(super) fn settle(self, path: &Path, first_line: &[u8]) -> Self {
        let name = path.extension().and_then(|extension| extension.to_str());
        match (self, name) {
            (Self::Tsv | Self::Jsonl, _) => self,
            (Self::Auto, Some("json" | "jsonl" | "ndjson")) => Self::Jsonl,
            (Self::Auto, _) if parse_json(first_line).is_ok() => Self::Jsonl,
            (Self::Auto, _) => Self::Tsv,
        }
    }
}

fn one_of(text: Option<String>, base64: Option<String>, name: &str) -> Result<Vec<u8>, String> {
    match (text, base64) {
        (Some(text), None) => Ok(text.into_bytes()),
        (None, Some(base64)) => STANDARD.decode(base64).map_err(|error| format!("{name}_b64: {error}")),
        _ => Err(format!("give either {name} or {name}_b64")),
    }
}

fn parse_json(line: &[u8]) -> Result<(Vec<u8>, Vec<u8>), String> {
    let record: JsonRecord = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    Ok((one_of(record.key, record.key_b64, "key")?, one_of(record.value, record.value_b64, "value")?))
}

fn parse_tsv(line: &[u8]) -> Result<(Vec<u8>, Vec<u8>), String> {
    let tab = line.iter().position(|byte| *byte == b'\t').ok_or("no tab between key and value")?;
    let (key, value) = line.split_at(tab);
    Ok((key.to_vec(), value.get(1..).unwrap_or_default().to_vec()))
}

/// Reads a file record by record, holding one line at a time.
pub(super) struct Records<R> {
    input: R,
    path: std::path::PathBuf,
    format: Format,
    line: u64,
}

impl<R: BufRead> Records<R> {
    pub(super) fn new(input: R, path: &Path, format: Format) -> Self {
        Self { input, path: path.to_path_buf(), format, line: 0 }
    }

    fn next_line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        if self.input.read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        self.line += 1;
        if line.last() == Some(&b'\n') {
            line.pop();
            if line.last() == Some(&b'\r') {
                line.pop();
            }
        }
        Ok(Some(line))
    }

    fn next_record(&mut self) -> Result<Option<Record>, String> {
        loop {
            let Some(line) = self.next_line().map_err(|error| format!("after line {}: {error}", self.line))? else {
                return Ok(None);
            };
            if line.is_empty() {
                continue;
            }
            self.format = self.format.settle(&self.path, &line);
            let parsed = if self.format == Format::Jsonl { parse_json(&line) } else { parse_tsv(&line) };
            let (key, value) = parsed.map_err(|why| format!("line {}: {why}", self.line))?;
            return Ok(Some(Record { line: self.line, key, value }));
        }
    }
}

impl<R: BufRead> Iterator for Records<R> {
    type Item = Result<Record, String>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_record().transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(name: &str, format: Format, text: &[u8]) -> Result<Vec<Record>, String> {
        Records::new(text, Path::new(name), format).collect()
    }

    fn record(line: u64, key: &[u8], value: &[u8]) -> Record {
        Record { line, key: key.to_vec(), value: value.to_vec() }
    }

    #[test]
    fn tabs_separate_keys_from_values() {
        let found = all("words", Format::Auto, b"a\tb\r\n\n\xff\tx\ty\nempty\t").unwrap();
        assert_eq!(found, [record(1, b"a", b"b"), record(3, b"\xff", b"x\ty"), record(4, b"empty", b"")]);
        assert_eq!(all("words", Format::Auto, b"a\tb\nc\n").unwrap_err(), "line 2: no tab between key and value");
    }

    #[test]
    fn json_lines_hold_text_or_base64() {
        let text = b"{\"key\":\"a\",\"value\":\"\\u00e4\"}\n{\"key_b64\":\"/w==\",\"value\":\"\"}\n";
        let expected = [record(1, b"a", "ä".as_bytes()), record(2, b"\xff", b"")];
        assert_eq!(all("dump", Format::Auto, text).unwrap(), expected, "by the first line");
        assert_eq!(all("dump.jsonl", Format::Auto, text).unwrap(), expected, "by the name");
        let wrong = all("dump.jsonl", Format::Auto, b"{\"key\":\"a\",\"key_b64\":\"YQ==\",\"value\":\"\"}");
        assert!(wrong.unwrap_err().contains("either key or key_b64"));
        assert!(all("dump.jsonl", Format::Auto, b"{\"key\":\"a\",\"value\":\"\",\"ttl\":1}").is_err());
    }

    #[test]
    fn a_hash_tag_is_not_json() {
        assert_eq!(all("words", Format::Auto, b"{user1}:a\tb").unwrap(), [record(1, b"{user1}:a", b"b")]);
    }
}
