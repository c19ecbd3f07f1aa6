//! A full disk, really full: a small file system in memory. Writes are refused with the reason, reads are answered, the node
//! stays up, and when there is space again everything goes on, with nothing lost. At rest and under load.

use quorate::client_api::{Client, Error, Options, Trouble};
use quorate::cluster::Layout;
use quorate_tests::ledger::append_until;
use quorate_tests::small_disk::SmallDisk;
use quorate_tests::world::World;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// One controller and one group of one node, so that the full disk is the only one of its group.
const TINY: Layout = Layout { controllers: 1, groups: 1, nodes_per_group: 1, shards: 10 };
/// The group's node.
const NODE: u64 = 2;

/// Writes large values until one is refused because the disk is full. Says which were acknowledged, and the refusal.
async fn write_until_refused(client: &Client, value: &[u8]) -> (BTreeSet<String>, Error) {
    let mut taken = BTreeSet::new();
    for number in 0..1000 {
        let key = format!("key{}", number % 20);
        match client.put(&key, value).await {
            Ok(_) => drop(taken.insert(key)),
            Err(error) if is_full(&error) => return (taken, error),
            // A slow machine: nothing is known of this one.
            Err(error) => println!("{key}: {error}"),
        }
    }
    panic!("1000 MiB went onto a disk of 256 MiB");
}

async fn short(world: &World) -> Client {
    let deadline = Duration::from_secs(2);
    Client::connect(Options { deadline, ..Options::new(world.cluster.seeds()) }).await.expect("the cluster runs")
}

fn is_full(error: &Error) -> bool {
    matches!(error, Error::NotExecuted { why: Trouble::DiskFull } | Error::Unknown { why: Trouble::DiskFull })
}

/// A cluster whose group's node has a small disk.
async fn start(directory: &Path) -> (SmallDisk, World) {
    let disk = SmallDisk::mount(directory.join(format!("node-{NODE}")), 256);
    // Entries below a snapshot are kept by number: with values as large as here the default would be four such disks.
    let world = World::start_in(directory, TINY, "trailing_entries = 16").await;
    world.client().await.join([(1, vec![NODE])].into()).await.expect("the group joins");
    world.settled().await;
    (disk, world)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_writes_with_the_reason_and_recovers() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (disk, mut world) = start(directory.path()).await;
    let client = short(&world).await;
    client.put("before", "1").await.expect("there is space");
    let ballast = disk.fill();
    let value = vec![b'v'; 1 << 20];
    let (taken, error) = write_until_refused(&client, &value).await;
    assert!(error.to_string().contains("a server's disk is full: make space"), "{error}");
    // It stays so, certainly not executed; what only reads is answered, and the node says what is wrong.
    let refused = short(&world).await.put("refused", "1").await;
    assert_eq!(refused.expect_err("the disk is full"), Error::NotExecuted { why: Trouble::DiskFull });
    assert_eq!(client.get("before").await.expect("it reads").value.as_deref(), Some(b"1".as_slice()));
    assert!(world.status(NODE).await.is_some());
    assert_eq!(world.cluster.fallen().expect("processes can be looked at"), [], "{}", world.last_words());
    assert!(world.last_words().contains("the disk is full: writes are refused until there is space; free some"));

    std::fs::remove_file(ballast).expect("space is made");
    let patient = world.client().await;
    patient.put("after", "1").await.expect("there is space again");
    assert_eq!(patient.get("refused").await.expect("it reads").value, None, "what was refused was not executed");
    // What was acknowledged is there, also after a crash.
    world.cluster.kill(NODE).expect("the node runs");
    world.cluster.start(NODE).expect("the node starts again");
    for key in taken {
        let read = patient.get(&key).await.expect("it reads").value;
        assert!(read.as_deref() == Some(&value[..]), "{key} was acknowledged");
    }
    for key in ["before", "after"] {
        assert_eq!(patient.get(key).await.expect("it reads").value.as_deref(), Some(b"1".as_slice()), "{key}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fills_up_under_load_loses_nothing_and_goes_on_when_there_is_space() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (disk, mut world) = start(directory.path()).await;
    let stop = Arc::new(AtomicBool::new(false));
    let mut writers = Vec::new();
    for number in 0..8 {
        let client = world.client_for(Duration::from_secs(5)).await;
        let pause = Duration::from_millis(2);
        writers.push(tokio::spawn(append_until(client, format!("writer{number}"), Arc::clone(&stop), pause)));
    }
    for _ in 0..2 {
        let ballast = disk.fill();
        let client = short(&world).await;
        write_until_refused(&client, &vec![b'v'; 1 << 20]).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        std::fs::remove_file(ballast).expect("space is made");
        world.client().await.put("space", "1").await.expect("there is space again");
    }
    stop.store(true, Ordering::Relaxed);
    let mut ledgers = Vec::new();
    for writer in writers {
        ledgers.push(writer.await.expect("a writer ends"));
    }
    assert_eq!(world.cluster.fallen().expect("processes can be looked at"), [], "{}", world.last_words());
    world.check(&ledgers).await;
    world.cluster.kill(NODE).expect("the node runs");
    world.cluster.start(NODE).expect("the node starts again");
    world.check(&ledgers).await;
    assert!(ledgers.iter().all(|ledger| ledger.acknowledged() > 0), "every writer got somewhere");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_finds_a_full_disk_when_it_starts_says_so() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let disk = SmallDisk::mount(directory.path().join("disk"), 16);
    let address = format!("127.0.0.1:{}", quorate::cluster::ports::free(1).expect("a free port")[0]);
    let stray = quorate_tests::command::Stray {
        id: 1,
        data: disk.path().join("data"),
        controllers: vec![(1, address.clone())],
        cluster: None,
        log: "off",
        listen: address,
        record: directory.path().join("records"),
    };
    // 16 MiB are fewer than one segment of the log takes.
    stray.start().wait().refused(1, "the disk is full: free space on it; nothing is lost");
}
