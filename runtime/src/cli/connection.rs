//! How a client command finds the cluster.

use super::output::Failure;
use crate::client_api::{Client, Error, Options};
use clap::Args;
use std::time::Duration;

/// The environment variable that names the seeds.
const SEEDS: &str = "QUORATE_SEEDS";
/// Where `quorate up` listens.
const DEFAULT_SEED: &str = "127.0.0.1:7001";

/// How to find the cluster.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Which cluster")]
pub(super) struct Connection {
    /// Addresses of some nodes [env: QUORATE_SEEDS] [default: 127.0.0.1:7001, what `quorate up` uses].
    #[arg(long, value_delimiter = ',', value_name = "HOST:PORT,..", value_parser = address)]
    seeds: Vec<String>,
    /// The cluster's name: refuse to talk to another one.
    #[arg(long, value_name = "NAME")]
    cluster: Option<String>,
    /// How long a request may take, with all its retries.
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    deadline: u64,
}

/// `host:port`; the host may be a name.
pub(super) fn address(text: &str) -> Result<String, String> {
    let port = text.rsplit_once(':').filter(|(host, _)| !host.is_empty()).map(|(_, port)| port.parse::<u16>());
    match port {
        Some(Ok(port)) if port > 0 => Ok(text.to_owned()),
        _ => Err("an address is HOST:PORT, such as 127.0.0.1:7001".into()),
    }
}

impl Connection {
    /// The seeds: those given, else those of the environment, else the default.
    fn seeds(&self, environment: Option<String>) -> Result<Vec<String>, Failure> {
        if !self.seeds.is_empty() {
            return Ok(self.seeds.clone());
        }
        let Some(list) = environment.filter(|list| !list.trim().is_empty()) else {
            return Ok(vec![DEFAULT_SEED.into()]);
        };
        let parsed: Result<Vec<String>, String> = list.split(',').map(|seed| address(seed.trim())).collect();
        parsed.map_err(|why| Failure::usage(format!("{SEEDS}={list}: {why}")))
    }

    /// The client's options.
    pub(super) fn options(&self) -> Result<Options, Failure> {
        let mut options = Options::new(self.seeds(std::env::var(SEEDS).ok())?);
        options.cluster.clone_from(&self.cluster);
        options.deadline = Duration::from_secs(self.deadline);
        Ok(options)
    }

    /// Reaches the cluster.
    pub(super) async fn connect(&self) -> Result<Client, Failure> {
        let options = self.options()?;
        let seeds = options.seeds.join(", ");
        Client::connect(options).await.map_err(|error| {
            let next =
                "check that it runs (`quorate up` starts a local one) and that --seeds or QUORATE_SEEDS names it";
            Failure::new(format!("no cluster at {seeds}: {error}"), next)
        })
    }
}

/// An error of a request: what it says includes what is certain and what to do.
pub(super) fn failed(what: &str, error: &Error) -> Failure {
    Failure::told(format!("{what}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_come_from_the_option_then_the_environment_then_the_default() {
        let given = Connection { seeds: vec!["a:1".into()], ..Connection::default() };
        assert_eq!(given.seeds(Some("b:2".into())).unwrap(), ["a:1"]);
        let none = Connection::default();
        assert_eq!(none.seeds(Some("b:2, c:3".into())).unwrap(), ["b:2", "c:3"]);
        assert_eq!(none.seeds(Some(" ".into())).unwrap(), [DEFAULT_SEED]);
        assert_eq!(none.seeds(None).unwrap(), [DEFAULT_SEED]);
        assert!(none.seeds(Some("b".into())).is_err());
    }

    #[test]
    fn an_address_has_a_host_and_a_port() {
        for wrong in ["a", ":1", "a:", "a:0", "a:70000", "a:b"] {
            assert!(address(wrong).is_err(), "{wrong}");
        }
        assert!(address("[::1]:7001").is_ok());
    }
}
