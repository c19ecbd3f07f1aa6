//! The codec: golden bytes, round trips of every message, and bytes that somebody else made.

mod golden;
mod hostile;
mod samples;
