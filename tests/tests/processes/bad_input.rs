//! What people get wrong, on the shipped binary: each mistake has one clear answer, and nothing is lost by it.

use quorate::cluster::Layout;
use quorate_tests::command::{Running, Said, Stray, quorate};
use quorate_tests::world::{World, binary};
use std::process::Command;

/// One controller, and two groups of one node of which the first has joined: nodes 1, 2 and 3.
const SMALL: Layout = Layout { controllers: 1, groups: 2, nodes_per_group: 1, shards: 10 };

/// Runs a command against a world, with `input` on its standard input.
fn ask(world: &World, arguments: &[&str], input: &[u8]) -> Said {
    let mut command = Command::new(binary());
    command.args(arguments).env("QUORATE_SEEDS", world.cluster.seeds().join(","));
    Running::start(&mut command, input).wait()
}

/// What was there before is there after.
fn nothing_lost(world: &World) {
    ask(world, &["get", "kept"], b"").done("before\n");
    ask(world, &["put", "alive", "yes"], b"").done("ok: shard");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_and_values_are_bytes_within_their_limits() {
    let world = World::joined(SMALL, 1, "key_bytes = 100\nvalue_bytes = 1000").await;
    ask(&world, &["put", "kept", "before"], b"").done("ok: shard");
    let (key, value) = ("k".repeat(100), vec![b'v'; 1000]);
    ask(&world, &["put", &key, "-"], &value).done("ok: shard");
    ask(&world, &["get", &key], b"").done(&"v".repeat(1000));

    let long = "k".repeat(101);
    ask(&world, &["put", &long, "v"], b"").refused(1, "the key is over the limit of 100 bytes: shorten it");
    ask(&world, &["get", &long], b"").refused(1, "the key is over the limit of 100 bytes");
    let says = "the value is, or would grow, over the limit of 1000 bytes: split it";
    ask(&world, &["put", "kept", "-"], &[b'v'; 1001]).refused(1, says);
    ask(&world, &["append", &key, "1"], b"").refused(1, says);
    ask(&world, &["put", "kept", "-"], &vec![b'v'; 5 << 20]).refused(1, "over the limit of");
    ask(&world, &["get", &key], b"").done(&"v".repeat(1000));

    // All bytes, of any value: also such as no text has.
    let all: Vec<u8> = (0..=255).collect();
    let hex: String = all.iter().map(|byte| format!("{byte:02x}")).collect();
    ask(&world, &["put", "--hex", "00ff0a80", &hex], b"").done("ok: shard");
    ask(&world, &["get", "--hex", "00ff0a80"], b"").done(&hex);
    ask(&world, &["put", "raw", "-"], &all).done("ok: shard");
    let raw = ask(&world, &["get", "raw", "--raw"], b"");
    assert_eq!((raw.status.code(), raw.out), (Some(0), all));
    ask(&world, &["put", "", ""], b"").done("ok: shard");
    ask(&world, &["get", "--hex", "0g"], b"").refused_as_usage("is not pairs of hexadecimal digits");
    nothing_lost(&world);
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_that_cannot_be_are_refused_and_change_nothing() {
    let world = World::joined(SMALL, 1, "").await;
    ask(&world, &["put", "kept", "before"], b"").done("ok: shard");
    let before = ask(&world, &["query", "--json"], b"");
    for (arguments, says) in [
        (&["join", "1=3"][..], "group 1 exists with other servers (see `quorate query`): use another number"),
        (&["join", "5=3,3"], "group 5 names node 3 twice: name each once"),
        (&["join", "5=3,99"], "group 5 names node 99, which is not registered: start that node first"),
        (&["join", "0=3"], "group 0 is the controller's own: use a number from 1"),
        (&["leave", "9"], "there is no group 9 in the latest configuration: see `quorate query`"),
        (&["leave", "1", "9"], "there is no group 9 in the latest configuration"),
        (&["move", "3", "9"], "there is no group 9 in the latest configuration"),
        (&["move", "10", "1"], "there is no shard 10: see `quorate query`"),
        (&["query", "1000000000"], "there is no configuration 1000000000: the latest is 1"),
        (&["query", "18446744073709551615"], "the latest is 1"),
        (&["transfer", "1", "3"], "that node is not a voter of the group"),
    ] {
        ask(&world, arguments, b"").refused(1, says);
    }
    for (arguments, says) in [
        (&["join", "5"][..], "a group is GID=NODE,NODE,.."),
        (&["join", "5=3", "5=3"], "group 5 is named twice"),
        (&["join"], "required"),
        (&["move", "three", "1"], "invalid digit"),
        (&["put", "key"], "required"),
        (&["put", "key", "value", "--frobnicate"], "unexpected argument '--frobnicate'"),
        (&["get", "key", "--deadline", "0"], "0 is not in 1..=3600"),
        (&["get", "key", "--seeds", "nowhere"], "an address is HOST:PORT"),
        (&["frobnicate"], "unrecognized subcommand 'frobnicate'"),
    ] {
        ask(&world, arguments, b"").refused_as_usage(says);
    }
    ask(&world, &["join", "1=2"], b"").done("it is so already");
    let after = ask(&world, &["query", "--json"], b"");
    assert_eq!(String::from_utf8_lossy(&before.out), String::from_utf8_lossy(&after.out));
    nothing_lost(&world);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_cannot_start_says_why_and_touches_nothing() {
    let mut world = World::start(SMALL, "").await;
    let place = tempfile::tempdir().expect("a temporary directory");
    let fresh = place.path().join("fresh");
    // A port that a node has.
    let taken = Stray { listen: world.cluster.addresses()[&2].clone(), ..Stray::of(&world, 7, &fresh) };
    taken.start().wait().refused(1, "another process has it: stop that one, or give another --listen");
    assert!(!fresh.exists(), "it must not have begun");
    let nowhere = Stray { listen: "192.0.2.1:7001".into(), ..taken.clone() };
    nowhere.start().wait().refused(1, "it is no address of this machine: correct --listen");

    let file = place.path().join("node.toml");
    let config = file.to_str().expect("text");
    for (text, says) in [
        ("id = 7\nlisten_on = 'x'\n", "line 2 of the configuration"),
        ("id = 7\nlisten_on = 'x'\n", "unknown field `listen_on`, expected one of `data`, `listen`"),
        ("[limits]\nvalue_size = 1\n", "unknown field `value_size`"),
        ("id = 'seven'\n", "line 1 of the configuration"),
        ("id = \n", "line 1 of the configuration"),
        ("[limits]\nvalue_bytes = 100000000\n", "limits.key_bytes and limits.value_bytes may be"),
        ("", "--data is missing: give --data DIR, or data = \"DIR\" in the file of --config"),
    ] {
        std::fs::write(&file, text).expect("written");
        let whole = text.starts_with("[limits]");
        let flags: &[&str] = if whole {
            &["--data", "d", "--listen", "127.0.0.1:0", "--id", "7", "--controllers", "1=a:1"]
        } else {
            &[]
        };
        quorate(&[&["node", "--config", config][..], flags].concat()).refused(2, says);
    }
    quorate(&["node", "--config", "/nowhere.toml"]).refused(2, "cannot read the configuration /nowhere.toml");
    quorate(&["node", "--frobnicate"]).refused_as_usage("unexpected argument '--frobnicate'");
    assert_eq!(world.cluster.fallen().expect("processes can be looked at"), []);
}

#[test]
fn an_unreachable_cluster_is_named_with_what_happened_at_each_address() {
    let ports = quorate::cluster::ports::free(2).expect("free ports");
    let seeds = format!("127.0.0.1:{},127.0.0.1:{}", ports[0], ports[1]);
    let said = quorate(&["put", "key", "value", "--seeds", &seeds]);
    said.refused(1, "no node could be reached");
    for port in ports {
        said.refused(1, &format!("127.0.0.1:{port}: Connection refused"));
    }
    said.refused(1, "next: check that it runs");
    // Something listens there, and it is not a node.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound").to_string();
    let web = std::thread::spawn(move || {
        use std::io::{Read, Write};
        let (mut stream, _) = listener.accept().expect("a connection");
        let mut hello = [0; 17];
        stream.read_exact(&mut hello).expect("a hello");
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").expect("open");
    });
    quorate(&["get", "key", "--seeds", &address]).refused(1, "not a frame of this protocol");
    web.join().expect("it answered");
}
