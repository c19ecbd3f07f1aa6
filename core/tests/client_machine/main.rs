//! The client machine, from outside: scripts of its rules, and random play against a cluster that loses and delays.

mod cluster;
mod random;
mod routing;
mod sessions;
mod support;
