//! Where log lines go: standard error, as text or as JSON, of one level and above. Standard output stays free for answers.

use crate::config::{LogFormat, LogLevel};
use std::io::IsTerminal;
use tracing::level_filters::LevelFilter;

/// Sets up logging for the process. The first call counts; a second one changes nothing.
pub fn init(format: LogFormat, level: LogLevel) {
    let builder =
        // A log line that cannot be written (a full disk, a reader that ended) must not end the node.
        tracing_subscriber::fmt().log_internal_errors(false).with_writer(std::io::stderr).with_max_level(filter(level)).with_target(false);
    let result = match format {
        LogFormat::Text => builder.with_ansi(std::io::stderr().is_terminal()).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).with_current_span(false).try_init(),
    };
    // Another subscriber is in place already, as in tests: it takes the events.
    drop(result);
}

fn filter(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Off => LevelFilter::OFF,
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    }
}
