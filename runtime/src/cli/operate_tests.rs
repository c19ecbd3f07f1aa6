//! How a configuration is shown.

use super::*;
use quorate_core::controller::{Assignment, GroupInfo};
use quorate_spec::ids::{ConfigNum, Gid, GroupId, NodeId};

fn config() -> Configuration {
    let id = GroupId::new(Gid::new(2), ConfigNum::new(1));
    let owned = Assignment { owner: Some(id), origin: None };
    Configuration {
        num: ConfigNum::new(5),
        shards: vec![owned, owned, Assignment::default(), owned],
        groups: BTreeMap::from([(id.gid, GroupInfo { id, servers: vec![NodeId::new(4), NodeId::new(5)] })]),
        ..Configuration::default()
    }
}

#[test]
fn a_configuration_is_shown_as_a_table() {
    let expected = "configuration 5\n\
                    GROUP  NODES   SHARDS  WHICH\n\
                    2      4,5     3       0-1 3\n\
                    -      nobody  1       2\n";
    assert_eq!(config_text(&config()), expected);
}

#[test]
fn a_configuration_is_shown_as_json() {
    let expected = json!({
        "config": 5, "groups": { "2": { "nodes": [4, 5], "born": 1 } }, "shards": [2, 2, null, 2], "floor": 0
    });
    assert_eq!(config_json(&config()), expected);
}
