//! Whose directory is it? Every directory that is not this node's, and every node that is not who it says, is refused in one
//! line that says what to do; and the cluster goes on as if nothing had been.

use quorate::client_api::{Client, Error, Options};
use quorate::cluster::Layout;
use quorate_tests::command::{Running, Stray};
use quorate_tests::world::{PATIENCE, World, binary, layout};
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// One controller and one group of one node.
const TINY: Layout = Layout { controllers: 1, groups: 1, nodes_per_group: 1, shards: 10 };

/// A copy of a directory, all of it.
fn copy(from: &Path, to: PathBuf) -> PathBuf {
    let status = Command::new("cp").arg("-r").arg(from).arg(&to).status().expect("cp runs");
    assert!(status.success());
    to
}

/// The first segment of a directory's log.
fn segment(data: &Path) -> PathBuf {
    let entries = std::fs::read_dir(data.join("wal")).expect("it has a log").flatten();
    let mut names: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    names.retain(|path| path.extension().is_none_or(|extension| extension != "tmp") && !path.ends_with("spare"));
    names.sort();
    names.into_iter().next().expect("it has a segment")
}

/// The cluster takes writes, and no node has ended.
async fn unharmed(world: &mut World, client: &Client, value: &str) {
    client.put("alive", value).await.unwrap_or_else(|error| panic!("{error}\n{}", world.last_words()));
    let read = client.get("alive").await.expect("it was written");
    assert_eq!(read.value.as_deref(), Some(value.as_bytes()));
    assert_eq!(world.cluster.fallen().expect("processes can be looked at"), [], "{}", world.last_words());
    for node in world.cluster.layout().nodes() {
        world.until("every node tells its state", async |world| world.status(node).await).await;
    }
}

/// Waits until a running process has said something.
async fn until_said(running: &Running, what: &str) {
    let deadline = Instant::now() + PATIENCE;
    while !running.err().contains(what) {
        assert!(Instant::now() < deadline, "it never says {what:?}: {}", running.err());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn directories_that_are_not_this_nodes_are_refused() {
    let mut world = World::joined(layout(1), 1, "").await;
    let client = world.client().await;
    for number in 0..20 {
        client.put(format!("key{number}"), vec![b'v'; 5000]).await.expect("the group serves");
    }
    unharmed(&mut world, &client, "before").await;
    let node = world.servers(1)[0];
    let place = tempfile::tempdir().expect("a temporary directory");
    let at = |name: &str| place.path().join(name);
    let refused = |id: u64, data: &Path, says: &str| Stray::of(&world, id, data).start().wait().refused(1, says);

    refused(node, &world.cluster.data_path(node), "is in use by another process: stop it");
    let copied = copy(&world.cluster.data_path(node), at("copied"));
    refused(9, &copied, "belongs to node 4, not 9: start it with --id 4");
    let other = Stray { cluster: Some("other".into()), ..Stray::of(&world, node, &copied) };
    other.start().wait().refused(1, "belongs to cluster \"quorate\", not \"other\"");

    let newer = copy(&copied, at("newer"));
    let identity = std::fs::read_to_string(newer.join("IDENTITY")).expect("it has an identity");
    std::fs::write(newer.join("IDENTITY"), identity.replace("\"format\": 1", "\"format\": 2")).expect("written");
    refused(node, &newer, "was made by a newer version (format 2): upgrade this program");

    let cut = copy(&copied, at("cut"));
    let file = std::fs::File::options().write(true).open(segment(&cut)).expect("a segment");
    file.set_len(40_000).expect("it can be cut");
    refused(node, &cut, "was cut short");
    let zeroed = copy(&copied, at("zeroed"));
    let file = std::fs::File::options().write(true).open(segment(&zeroed)).expect("a segment");
    file.write_all_at(&[0; 8192], 20_480).expect("it can be overwritten");
    refused(node, &zeroed, "is damaged at byte");

    for (name, says) in [("IDENTITY", "has data and no IDENTITY file"), ("BOOT", "is damaged (it is missing)")] {
        let lacking = copy(&copied, at(&format!("without-{name}")));
        std::fs::remove_file(lacking.join(name)).expect("it was there");
        refused(node, &lacking, says);
    }
    std::fs::write(at("file"), "text").expect("written");
    refused(node, &at("file"), "is not a directory: name another data directory");
    refused(node, &at("file").join("below"), "check permissions");
    refused(node, place.path(), "is not a data directory of quorate");
    unreadable(&world, node, place.path());
    unharmed(&mut world, &client, "after").await;
}

/// Root may read everything: so the node is started as nobody, from a place where nobody may run it.
fn unreadable(world: &World, node: u64, place: &Path) {
    std::fs::set_permissions(place, std::fs::Permissions::from_mode(0o755)).expect("permissions");
    let (program, data) = (place.join("quorate"), place.join("private"));
    std::fs::copy(binary(), &program).expect("the binary can be copied");
    std::fs::create_dir(&data).expect("a directory");
    std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o000)).expect("permissions");
    let mut command = Stray::of(world, node, &data).command(&program);
    if rustix::process::geteuid().is_root() {
        command.uid(65_534).gid(65_534);
    }
    Running::start(&mut command, b"").wait().refused(1, "Permission denied (os error 13); check permissions");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wiped_directory_is_refused_and_the_right_one_comes_back() {
    let mut world = World::joined(layout(1), 1, "").await;
    let client = world.client().await;
    unharmed(&mut world, &client, "before").await;
    // A member of the controller, and a node of the group: both would vote under their old names.
    for node in [1, world.servers(1)[0]] {
        let (data, aside) = (world.cluster.data_path(node), world.cluster.directory().join(format!("aside-{node}")));
        world.cluster.kill(node).expect("the node runs");
        std::fs::rename(&data, &aside).expect("it can be moved");
        let wiped = Stray { listen: world.cluster.addresses()[&node].clone(), ..Stray::of(&world, node, &data) };
        wiped.start().wait().refused(1, "knows this id with another data directory: start this one under a new --id");
        client.put("meanwhile", node.to_string()).await.expect("a majority is up");
        std::fs::remove_dir_all(&data).expect("it can be removed");
        std::fs::rename(&aside, &data).expect("it can be moved back");
        world.cluster.start(node).expect("the node starts again");
    }
    unharmed(&mut world, &client, "after").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_nodes_with_one_id_the_wrong_one_stops() {
    let mut world = World::joined(layout(1), 1, "").await;
    let client = world.client().await;
    unharmed(&mut world, &client, "before").await;
    let place = tempfile::tempdir().expect("a temporary directory");
    for node in [1, world.servers(1)[0]] {
        // At another address, with a directory of its own: nobody dials it there, and it must hear of it all the same.
        let second = Stray::of(&world, node, &place.path().join(node.to_string()));
        second.start().wait().refused(1, "knows this id with another data directory: start this one under a new --id");
        unharmed(&mut world, &client, &format!("after {node}")).await;
    }
    // At the same address.
    let second = Stray::of(&world, 4, &place.path().join("same"));
    let second = Stray { listen: world.cluster.addresses()[&4].clone(), ..second };
    second.start().wait().refused(1, "another process has it: stop that one, or give another --listen");
    unharmed(&mut world, &client, "after").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_copies_of_one_directory_one_stops() {
    let mut world = World::joined(layout(1), 1, "").await;
    let client = world.client().await;
    let node = world.servers(1)[1];
    world.cluster.kill(node).expect("the node runs");
    let place = tempfile::tempdir().expect("a temporary directory");
    let copied = copy(&world.cluster.data_path(node), place.path().join("copy"));
    world.cluster.start(node).expect("the node starts again");
    let mut second = Stray::of(&world, node, &copied).start();
    let deadline = Instant::now() + PATIENCE;
    let words = loop {
        if second.ended().is_some() {
            break second.err();
        }
        if let Some((fallen, _)) = world.cluster.fallen().expect("processes can be looked at").first() {
            assert_eq!(*fallen, node, "{}", world.last_words());
            break std::fs::read_to_string(world.cluster.log_path(node)).expect("a log");
        }
        assert!(Instant::now() < deadline, "both go on");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert!(words.contains("this one is an old copy, or a second copy is running; keep the newest only"), "{words}");
    client.put("x", "after").await.expect("a majority is up");
    let fallen = world.cluster.fallen().expect("processes can be looked at").len();
    assert_eq!(usize::from(second.ended().is_some()) + fallen, 1, "the later one goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn clusters_do_not_mix() {
    let (mut one, mut two) = (World::joined(TINY, 1, "").await, World::joined(TINY, 1, "").await);
    let clients = [one.client().await, two.client().await];
    // A client that is given both of the same name settles on one.
    let seeds: Vec<String> = [one.cluster.seeds(), two.cluster.seeds()].concat();
    let both = Client::connect(Options::new(seeds)).await.expect("one of them is reached");
    for number in 0..20 {
        both.put(format!("key{number}"), "x").await.expect("it is served");
    }
    let mut holding = Vec::new();
    for client in &clients {
        let mut keys = 0;
        for number in 0..20 {
            keys += u64::from(client.get(format!("key{number}")).await.expect("it is served").value.is_some());
        }
        holding.push(keys);
    }
    let other = match holding.as_slice() {
        [20, 0] => &two,
        [0, 20] => &one,
        other => panic!("keys went to both: {other:?}"),
    };
    for address in other.cluster.addresses().values() {
        let told = both.status(address).await;
        assert!(
            matches!(&told, Err(Error::OtherCluster { message }) if message.contains("of the same name")),
            "{told:?}"
        );
    }

    // A node of one that is pointed at the other's controller does not speak to it, and says what to do.
    one.cluster.kill(2).expect("the node runs");
    let lost = Stray {
        controllers: Stray::of(&two, 2, Path::new("")).controllers,
        log: "warn",
        ..Stray::of(&one, 2, &one.cluster.data_path(2))
    };
    let lost = lost.start();
    until_said(
        &lost,
        "belongs to another cluster; put its own directory back, or correct its address in --controllers",
    )
    .await;
    unharmed(&mut two, &clients[1], "after").await;
    drop(lost);
    one.cluster.start(2).expect("it starts where it belongs");

    // Of another name.
    let place = tempfile::tempdir().expect("a temporary directory");
    let named = Stray { cluster: Some("other".into()), log: "warn", ..Stray::of(&one, 7, place.path()) }.start();
    until_said(&named, "belongs to cluster \"quorate\", not \"other\": give both nodes the same --cluster").await;
    drop(named);
    let wrong = Options { cluster: Some("other".into()), ..Options::new(one.cluster.seeds()) };
    let told = Client::connect(wrong).await.map(drop);
    assert!(
        matches!(&told, Err(Error::OtherCluster { message }) if message.contains("give the right --cluster")),
        "{told:?}"
    );
    unharmed(&mut one, &clients[0], "after").await;
    unharmed(&mut two, &clients[1], "at the end").await;
}
