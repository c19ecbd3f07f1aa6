//! All models and scopes by name, and one way to get at them: a [`Visitor`] is handed the scenario that is asked for.

use crate::models::client::{self, ClientModel};
use crate::models::controller::{self, ControllerModel};
use crate::models::identity::{self, IdentityModel};
use crate::models::raft::{self, RaftModel};
use crate::models::shards::{self, ShardsModel};
use crate::models::stack::{self, StackModel};
use crate::scenario::Scenario;
use std::fmt;

/// A model, as `quorate-check list` shows it.
#[derive(Clone, Copy, Debug)]
pub struct ModelInfo {
    /// Its name on the command line.
    pub name: &'static str,
    /// What of the core it drives.
    pub purpose: &'static str,
    /// Its scopes: name and purpose.
    pub scopes: fn() -> Vec<(&'static str, &'static str)>,
}

/// All models.
pub const MODELS: &[ModelInfo] = &[
    ModelInfo {
        name: "raft",
        purpose: "the replicas of one group: elections, replication, crashes, snapshots, reads, transfer",
        scopes: || raft::scopes().collect(),
    },
    ModelInfo {
        name: "controller",
        purpose: "the controller's state machine under every sequence of commands",
        scopes: || controller::SCOPES.to_vec(),
    },
    ModelInfo {
        name: "shards",
        purpose: "data groups over abstract logs: migration, sessions, clients",
        scopes: || shards::SCOPES.to_vec(),
    },
    ModelInfo {
        name: "client",
        purpose: "the client machine against everything that a cluster may answer",
        scopes: || client::SCOPES.to_vec(),
    },
    ModelInfo {
        name: "identity",
        purpose: "wiped, copied and re-created directories and replicas",
        scopes: || identity::SCOPES.to_vec(),
    },
    ModelInfo {
        name: "stack",
        purpose: "whole nodes: controller, data groups and clients together",
        scopes: || stack::SCOPES.to_vec(),
    },
];

/// What is done with a scenario, whatever its type.
pub trait Visitor {
    /// What comes of it.
    type Output;
    /// Does it.
    fn visit<S: Scenario>(self, scenario: S) -> Self::Output;
}

/// A name that is not in the registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// What kind of thing: a model, a scope of a model, a mutant, a property.
    pub kind: String,
    /// The name that was given.
    pub given: String,
    /// The names that there are.
    pub known: Vec<String>,
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no {} '{}': ", self.kind, self.given)?;
        if self.known.len() <= MOST_NAMED {
            return write!(f, "choose one of {}", self.known.join(", "));
        }
        let all = self.known.len();
        write!(f, "'quorate-check list' names all {all}; most like it are {}", self.most_alike().join(", "))
    }
}

/// So many names fit on a line.
const MOST_NAMED: usize = 24;

impl Unknown {
    /// The three names that share most pairs of letters with the one that was given.
    fn most_alike(&self) -> Vec<&str> {
        let given = self.given.to_lowercase();
        let pairs: Vec<&[u8]> = given.as_bytes().windows(2).collect();
        let shared = |name: &&str| name.as_bytes().windows(2).filter(|pair| pairs.contains(pair)).count();
        let mut names: Vec<&str> = self.known.iter().map(String::as_str).collect();
        names.sort_by_key(|name| std::cmp::Reverse(shared(name)));
        names.truncate(3);
        names
    }
}

impl std::error::Error for Unknown {}

/// The model of this name.
///
/// # Errors
/// There is none.
pub fn model(name: &str) -> Result<&'static ModelInfo, Unknown> {
    MODELS.iter().find(|model| model.name == name).ok_or_else(|| Unknown {
        kind: "model".to_owned(),
        given: name.to_owned(),
        known: MODELS.iter().map(|model| model.name.to_owned()).collect(),
    })
}

/// Hands the scenario of this name to the visitor.
///
/// # Errors
/// There is no such model or scope.
pub fn visit<V: Visitor>(name: &str, scope: &str, visitor: V) -> Result<V::Output, Unknown> {
    let info = model(name)?;
    let unknown = || Unknown {
        kind: format!("scope of model '{name}' called"),
        given: scope.to_owned(),
        known: (info.scopes)().iter().map(|(scope, _)| (*scope).to_owned()).collect(),
    };
    Ok(match name {
        "raft" => visitor.visit(RaftModel::new(scope).ok_or_else(unknown)?),
        "controller" => visitor.visit(ControllerModel::new(scope).ok_or_else(unknown)?),
        "shards" => visitor.visit(ShardsModel::new(scope).ok_or_else(unknown)?),
        "client" => visitor.visit(ClientModel::new(scope).ok_or_else(unknown)?),
        "identity" => visitor.visit(IdentityModel::new(scope).ok_or_else(unknown)?),
        _ => visitor.visit(StackModel::new(scope).ok_or_else(unknown)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Names;

    impl Visitor for Names {
        type Output = (&'static str, &'static str, usize);
        fn visit<S: Scenario>(self, scenario: S) -> Self::Output {
            (scenario.model(), scenario.scope(), scenario.properties_judged().len())
        }
    }

    #[test]
    fn every_scope_that_is_listed_can_be_had_under_its_name() {
        for info in MODELS {
            for (scope, purpose) in (info.scopes)() {
                let (model, found, properties) = visit(info.name, scope, Names).expect("it is listed");
                assert_eq!((model, found), (info.name, scope));
                assert!(properties >= 3 && !purpose.is_empty(), "{model} {scope} judges something and says what for");
            }
            assert!((info.scopes)().iter().any(|(scope, _)| *scope == "default"), "{} has a default scope", info.name);
        }
    }

    #[test]
    fn among_many_names_those_are_told_that_are_most_like_it() {
        let known = (0..30).map(|number| format!("name-{number}")).chain(["figure-8".to_owned()]).collect();
        let told = Unknown { kind: "mutant".to_owned(), given: "Figure8".to_owned(), known }.to_string();
        assert!(told.contains("names all 31; most like it are figure-8, "), "{told}");
    }

    #[test]
    fn an_unknown_name_is_told_with_those_that_there_are() {
        let model = visit("rft", "default", Names).expect_err("no such model").to_string();
        assert!(model.contains("'rft'") && model.contains("raft, controller"), "{model}");
        let scope = visit("raft", "wide", Names).expect_err("no such scope").to_string();
        assert!(scope.contains("'wide'") && scope.contains("default"), "{scope}");
    }
}
