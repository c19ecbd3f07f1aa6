//! All models and scopes by name, and one way to get at them: a [`Visitor`] is handed the scenario that is asked for.

use crate::models::client::{self, ClientModel};
use crate::models::controller::{self, ControllerModel};
use crate::models::identity::{self, IdentityModel};
use crate::models::raft::{self, RaftModel};
use crate::models::shards::{self, ShardsModel};
use crate::models::stack::StackModel;
use crate::scenario::Scenario;
use std::fmt;

/// A model, as `quorate-check list` shows it.
#[derive(Clone, Copy, Debug)]
pub struct ModelInfo {
    /// Its name on the command line.
    pub name: &'static str,
    /// What of the core it drives.
    pub purpose: &'static str,
    /// Whether its states can all be visited, or only sampled by random walks.
    pub exhaustive: bool,
    /// Its scopes: name and purpose.
    pub scopes: fn() -> Vec<(&'static str, &'static str)>,
}

/// All models.
pub const MODELS: &[ModelInfo] = &[
    ModelInfo {
        name: "raft",
        purpose: "the replicas of one group: elections, replication, crashes, snapshots, reads, transfer",
        exhaustive: true,
        scopes: || raft::scopes().collect(),
    },
    ModelInfo {
        name: "controller",
        purpose: "the controller's state machine under every sequence of commands",
        exhaustive: true,
        scopes: || controller::SCOPES.to_vec(),
    },
    ModelInfo {
        name: "shards",
        purpose: "data groups over abstract logs: migration, sessions, clients",
        exhaustive: true,
        scopes: || shards::SCOPES.to_vec(),
    },
    ModelInfo {
        name: "client",
        purpose: "the client machine against everything that a cluster may answer",
        exhaustive: true,
        scopes: || client::SCOPES.to_vec(),
    },
    ModelInfo {
        name: "identity",
        purpose: "wiped, copied and re-created directories and replicas",
        exhaustive: true,
        scopes: || identity::SCOPES.to_vec(),
    },
    ModelInfo {
        name: "stack",
        purpose: "whole nodes: controller, data groups and clients together",
        exhaustive: false,
        scopes: || StackModel::SCOPES.to_vec(),
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
        write!(f, "there is no {} '{}': choose one of {}", self.kind, self.given, self.known.join(", "))
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
    fn an_unknown_name_is_told_with_those_that_there_are() {
        let model = visit("rft", "default", Names).expect_err("no such model").to_string();
        assert!(model.contains("'rft'") && model.contains("raft, controller"), "{model}");
        let scope = visit("raft", "wide", Names).expect_err("no such scope").to_string();
        assert!(scope.contains("'wide'") && scope.contains("default"), "{scope}");
    }
}
