//! The cluster handles processes; what they do is not its business, so that a shell script may stand in for a node.

use super::*;
use std::os::unix::fs::PermissionsExt;

fn cluster(directory: &Path) -> LocalCluster {
    let program = directory.join("stand-in");
    std::fs::write(&program, "#!/bin/sh\necho \"$@\"\nexec sleep 60\n").unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let layout = Layout { controllers: 1, groups: 1, nodes_per_group: 2, shards: 4 };
    let addresses = ports::here(&[7001, 7002, 7003]);
    let directory = directory.to_path_buf();
    let arguments = vec!["--log".into(), "json".into()];
    LocalCluster::new(Settings { program, directory, layout, addresses, cluster: Some("test".into()), arguments })
        .unwrap()
}

#[test]
fn kills_are_counted_and_nodes_start_again() {
    let directory = tempfile::tempdir().unwrap();
    let mut cluster = cluster(directory.path());
    cluster.start_all().unwrap();
    assert!(cluster.start(2).is_err(), "it runs already");
    assert!(cluster.kill(2).unwrap());
    assert!(cluster.kill(2).is_err(), "it does not run");
    cluster.start(2).unwrap();
    cluster.pause(3).unwrap();
    assert!(cluster.fallen().unwrap().is_empty());
    cluster.stop(1).unwrap();
    assert_eq!(cluster.kills(), 1, "a stop is not a kill");
    assert_eq!(cluster.kill_all().unwrap(), 2);
    assert_eq!(cluster.kills(), 3);
    assert!(cluster.start(9).is_err(), "there is no such node");
}

#[test]
fn a_node_is_told_who_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let cluster = cluster(directory.path());
    let arguments = cluster.arguments(2, "127.0.0.1:7002").join(" ");
    let data = cluster.data_path(2).display().to_string();
    let expected = format!(
        "node --data {data} --listen 127.0.0.1:7002 --advertise 127.0.0.1:7002 --id 2 --controllers 1=127.0.0.1:7001 \
         --shards 4 --cluster test --log json"
    );
    assert_eq!(arguments, expected);
    assert_eq!(cluster.seeds(), ["127.0.0.1:7001"]);
}
