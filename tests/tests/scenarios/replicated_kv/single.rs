//! Scenarios with a course of their own.

use super::{LOG_FACTOR, setup};
use crate::lab::{Lab, ms};
use quorate_spec::history::{Call, Outcome};
use quorate_tests::sim::network::End;

/// Row `one-partition`: what reaches only a minority is not answered; when the parts are one again it is, within 3 s.
#[test]
fn replicated_kv_one_partition() {
    let mut lab = Lab::one_group(5, setup(81, None));
    let (mut known, mut reader, mut writer) = (lab.user(), lab.user(), lab.user());
    lab.put(&mut known, "1", b"13");
    for user in [&mut reader, &mut writer] {
        lab.put(user, "another", b"everybody knows the way");
    }
    let leader = lab.world.leader(lab.id(1)).expect("the group has a leader");
    let others: Vec<usize> = lab.servers(1).into_iter().filter(|server| *server != leader).collect();
    // The old leader is in the minority.
    let (minority, majority) = ([leader, others[0]], [others[1], others[2], others[3]]);
    lab.world.network.partition(&[&minority, &majority]);
    for (user, server) in [&reader, &writer].into_iter().flat_map(|user| majority.map(|server| (user, server))) {
        let (user, server) = (End::Client(user.client), End::Process(server));
        lab.world.network.block(user, server);
        lab.world.network.block(server, user);
    }
    lab.put(&mut known, "1", b"14");
    let first = lab.world.history.len();
    let read = lab.world.operate(reader.client, 100, b"1", Call::Get);
    let written = lab.world.operate(writer.client, 101, b"1", Call::Put(b"15".to_vec()));
    lab.run(1000);
    assert!(lab.world.is_under_way(reader.client, read), "a minority answers no read");
    assert!(lab.world.is_under_way(writer.client, written), "a minority answers no write");
    assert_eq!(lab.get(&mut known, "1"), Some(b"14".to_vec()), "the majority goes on, without that write");
    lab.put(&mut known, "1", b"16");
    lab.world.network.heal();
    let took = lab.within(ms(3000), "what waited is answered after healing", |world| world.is_quiet());
    println!("answered {took:?} after healing");
    let waited = &lab.world.history[first..first + 2];
    assert!(matches!(waited[0].outcome, Outcome::Value(Some(_))), "{waited:?}");
    assert_eq!(waited[1].outcome, Outcome::Done, "{waited:?}");
    assert_eq!(lab.get(&mut known, "1"), Some(b"15".to_vec()));
    lab.pass();
}

/// Row `speed`: 1,000 appends by one client, each done once. How fast is a matter for the benches.
#[test]
fn replicated_kv_speed() {
    let mut lab = Lab::one_group(5, setup(82, None));
    let mut user = lab.user();
    let begun = lab.world.now();
    for _ in 0..1000 {
        lab.append(&mut user, "x");
    }
    println!("1000 appends in {:?} of virtual time", lab.world.now() - begun);
    lab.pass();
}

/// Row `snapshot-rpc`: servers that were away get a snapshot, and with it make a majority.
#[test]
fn replicated_kv_snapshot_rpc() {
    const LIMIT: u64 = 1000;
    let mut lab = Lab::one_group(5, setup(83, Some(LIMIT)));
    let mut user = lab.user();
    lab.put(&mut user, "a", b"A");
    let leader = lab.world.leader(lab.id(1)).expect("the group has a leader");
    let others: Vec<usize> = lab.servers(1).into_iter().filter(|server| *server != leader).collect();
    let (present, away) = ([leader, others[0], others[1]], [others[2], others[3]]);
    lab.world.network.partition(&[&present, &away]);
    for number in 0..50 {
        lab.put(&mut user, &number.to_string(), number.to_string().as_bytes());
    }
    lab.run(600);
    lab.put(&mut user, "b", b"B");
    for server in present {
        let bytes = lab.log_bytes(server);
        assert!(bytes <= LOG_FACTOR * LIMIT, "the log of {server} has {bytes} bytes");
    }
    assert_eq!(lab.count("InstallSnapshot"), 0);
    lab.world.network.heal();
    lab.world.network.partition(&[&[leader, away[0], away[1]], &present[1..]]);
    for (key, value) in [("c", "C"), ("d", "D")] {
        lab.put(&mut user, key, value.as_bytes());
    }
    // The first may be one that was begun before it was cut off, and then another follows.
    assert!((2..=4).contains(&lab.count("InstallSnapshot")), "the log that two of them lacked is gone");
    for (key, value) in [("a", "A"), ("b", "B"), ("1", "1"), ("49", "49")] {
        assert_eq!(lab.get(&mut user, key), Some(value.as_bytes().to_vec()));
    }
    lab.world.network.heal();
    lab.put(&mut user, "e", b"E");
    assert_eq!(lab.get(&mut user, "c"), Some(b"C".to_vec()));
    lab.pass();
}

/// Row `snapshot-size`: a snapshot of one small key has at most 500 bytes, and the log stays within its bound.
#[test]
fn replicated_kv_snapshot_size() {
    const LIMIT: u64 = 1000;
    let mut lab = Lab::one_group(5, setup(84, Some(LIMIT)));
    let mut user = lab.user();
    for number in 0..200 {
        let value = if number % 2 == 0 { "0" } else { "1" };
        lab.put(&mut user, "x", value.as_bytes());
        assert_eq!(lab.get(&mut user, "x"), Some(value.as_bytes().to_vec()));
    }
    for server in lab.servers(1) {
        let bytes = lab.log_bytes(server);
        assert!(bytes <= LOG_FACTOR * LIMIT, "the log of {server} has {bytes} bytes");
        let files = lab.world.process(server).directory.snapshots.files();
        let largest = files.iter().map(|(_, length)| *length).max().expect("it wrote snapshots");
        println!("log {bytes} bytes, snapshots {files:?}");
        assert!(largest <= 500, "a snapshot of {largest} bytes: {files:?}");
    }
    lab.pass();
}
