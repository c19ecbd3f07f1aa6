//! The client: routing, redirection, retry and session as a sans-IO machine.
//!
//! `Client::step(Input) -> Effects`, like every other machine: whoever drives it owns the sockets, the clock and the
//! dice. It decides where an attempt goes, when the same request is sent again, and what the caller is told.
//!
//! # What it promises
//!
//! - A write is one (session, number) from its first attempt to its end. It is sent again under the same pair until it
//!   is answered or its deadline passes, so it takes effect at most once (`resend-under-new-id` in the bug catalogue).
//! - Once an attempt went unanswered, nothing but the write's own answer makes it certain again: a deadline or any
//!   refusal then ends in [`Outcome::Unknown`].
//! - One write per session and shard is outstanding; later ones of the shard queue in the order of their [`CallId`]s.
//! - A refusal is about an attempt, never about the request: it is not remembered as an answer (`wrong-group-cached`).
//! - Nothing spins: every request is followed by an answer, a broken connection, or a timer, and after as many hops as a
//!   group has servers comes a back-off.
//!
//! # The contract with whoever drives it
//!
//! 1. A request is delivered at most once (one TCP connection, no repetition below this machine).
//! 2. `Disconnected` follows every broken connection, `Unreachable` every one that could not be opened; no reply of an
//!    earlier connection is reported after that.
//! 3. Timers fire at most once per arming; when is the driver's choice. A disarmed timer does not fire.
//! 4. Call ids grow: a later call has a greater id.
//!
//! What is absent: sockets, clocks, randomness. Back-off lengths are named by their round; the driver draws them.

mod machine;
mod pursuit;
mod refresh;
mod replies;
mod routes;
mod session;
mod types;

pub use machine::Client;
pub use types::{CallId, Effects, Endpoint, Input, Operation, Outcome, Task, Timer, TimerChange, Trouble, Wait};
