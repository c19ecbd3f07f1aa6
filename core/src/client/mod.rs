//! The client: routing, redirection, retry and session as a sans-IO machine.
