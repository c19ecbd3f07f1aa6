//! The controller as a state machine: what each command does to the configurations, the directory and the sessions.

mod history;
mod image;
mod minimal;
mod nodes;
mod random;
mod refusals;
mod sessions;
mod support;
