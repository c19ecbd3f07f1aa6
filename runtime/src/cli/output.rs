//! What a command hands back, and the only place that prints it.

use serde_json::{Value, json};
use std::io::Write;
use std::process::ExitCode;

/// What a command ends with.
pub(crate) type Outcome = Result<Report, Failure>;

/// What a command did.
#[derive(Debug, Default)]
pub struct Report {
    /// For `--json`.
    pub json: Value,
    /// For people, on standard output. Bytes: a value need not be text.
    pub text: Vec<u8>,
    /// A remark on standard error.
    pub note: Option<String>,
    /// It was done, and the answer is no: exit code 1.
    pub failed: bool,
    /// Standard output holds the answer already.
    printed: bool,
}

impl Report {
    /// A success.
    pub fn new(json: Value, text: impl Into<Vec<u8>>) -> Self {
        Self { json, text: text.into(), ..Self::default() }
    }

    /// A success whose answer was printed while the command went on.
    pub(super) fn already_printed() -> Self {
        Self { printed: true, ..Self::default() }
    }

    /// With a remark on standard error.
    #[must_use]
    pub fn with_note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }

    /// As a failure, if `failed`.
    #[must_use]
    pub fn failed_if(mut self, failed: bool) -> Self {
        self.failed = failed;
        self
    }
}

/// Why a command did not do what was asked, and what to do next.
#[derive(Debug)]
pub struct Failure {
    message: String,
    next: Option<String>,
    code: u8,
}

impl Failure {
    /// It was refused or failed (exit code 1).
    pub fn new(message: impl Into<String>, next: impl Into<String>) -> Self {
        Self { message: message.into(), next: Some(next.into()), code: 1 }
    }

    /// As [`Self::new`], with a message that says itself what to do.
    pub fn told(message: impl Into<String>) -> Self {
        Self { message: message.into(), next: None, code: 1 }
    }

    /// As wrong usage (exit code 2).
    #[must_use]
    pub fn as_usage(self) -> Self {
        Self { code: 2, ..self }
    }

    /// It was asked wrongly (exit code 2).
    pub fn usage(message: impl Into<String>) -> Self {
        Self { message: message.into(), next: Some("see `quorate help`".into()), code: 2 }
    }
}

/// Prints one JSON value and a line end.
pub(super) fn print_json(value: &Value) {
    print_bytes(format!("{value}\n").as_bytes());
}

/// Prints; a reader that has gone away (`| head`) is not an error.
pub fn print_bytes(bytes: &[u8]) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(bytes).and_then(|()| out.flush());
}

/// Prints the outcome. The exit code says it too.
pub(super) fn finish(outcome: Outcome, json: bool) -> ExitCode {
    match outcome {
        Ok(report) => {
            if json && !report.printed {
                print_json(&report.json);
            } else {
                print_bytes(&report.text);
            }
            if let Some(note) = report.note.filter(|_| !json || report.failed) {
                eprintln!("{note}");
            }
            ExitCode::from(u8::from(report.failed))
        }
        Err(failure) => {
            let message = failure.message.trim_end();
            let message = message.strip_prefix("error: ").unwrap_or(message);
            if json {
                print_json(&json!({ "error": message, "next": &failure.next }));
            }
            eprintln!("error: {message}");
            if let Some(next) = failure.next {
                eprintln!("  next: {next}");
            }
            ExitCode::from(failure.code)
        }
    }
}
