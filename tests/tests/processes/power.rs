//! One power cut: the file system's image is copied while the nodes write, mounted again, and the nodes start on it.
//! What was acknowledged before the copy began must be there: SIGKILL alone proves nothing about syncs.

use quorate_tests::inject;
use quorate_tests::ledger::{Ledger, append_until};
use quorate_tests::world::{World, layout};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A file system of its own in a file, mounted through a loop device; unmounted when dropped.
struct LoopDisk {
    mount: PathBuf,
}

fn run(program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).output().unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a temporary path is UTF-8")
}

impl LoopDisk {
    fn format(image: &Path, megabytes: u64) {
        let file = std::fs::File::create(image).expect("an image");
        file.set_len(megabytes << 20).expect("a sparse image");
        run("mkfs.ext4", &["-q", text(image)]);
    }

    fn mount(image: &Path, mount: PathBuf) -> Self {
        std::fs::create_dir_all(&mount).expect("a mount point");
        run("mount", &["-o", "loop", text(image), text(&mount)]);
        Self { mount }
    }
}

impl Drop for LoopDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.mount).status();
    }
}

/// Cuts the power in mid-load and starts on what the disk holds. Gives what the writers were promised, and the first
/// promise that is broken afterwards. With `lying` disks every sync is skipped and reported as done.
async fn cut_power(lying: bool) -> (usize, Result<(), String>) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (image, copy) = (directory.path().join("disk.img"), directory.path().join("after.img"));
    LoopDisk::format(&image, 2048);
    let disk = LoopDisk::mount(&image, directory.path().join("before"));
    let mut world = World::start_in(&disk.mount, layout(1), "snapshot_log_bytes = 65536").await;
    world.client().await.join([(1, world.servers(1))].into()).await.expect("the group joins");
    world.settled().await;
    let nodes: Vec<u64> = world.cluster.layout().nodes().collect();
    let mut tracers = Vec::new();
    for node in nodes.iter().filter(|_| lying) {
        tracers.push(inject::syncs(world.cluster.pid(*node).expect("the node runs"), inject::LIE));
    }

    let stop = Arc::new(AtomicBool::new(false));
    let mut writers = Vec::new();
    for number in 0..8 {
        let client = world.client_for(Duration::from_secs(5)).await;
        let pause = Duration::from_millis(2);
        writers.push(tokio::spawn(append_until(client, format!("writer{number}"), Arc::clone(&stop), pause)));
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    // Every process stands still in the middle of whatever it does; then what the disk holds is copied, as it is. What the
    // kernel has not been asked to write stays behind: nothing here syncs or unmounts first.
    for node in &nodes {
        world.cluster.pause(*node).expect("the node runs");
    }
    run("cp", &["--sparse=always", text(&image), text(&copy)]);
    stop.store(true, Ordering::Relaxed);
    world.cluster.kill_all().expect("every node is killed");
    for mut tracer in tracers {
        let _ = tracer.wait();
    }
    let mut ledgers = Vec::new();
    for writer in writers {
        ledgers.push(writer.await.expect("a writer ends"));
    }
    drop(world);
    drop(disk);

    let disk = LoopDisk::mount(&copy, directory.path().join("after"));
    let promises = ledgers.iter().map(Ledger::acknowledged).sum();
    let world = match lying {
        // A cluster that lost what it was built on need not even come up.
        true => World::start_within(&disk.mount, layout(1), "", Duration::from_secs(10)).await,
        false => Some(World::start_in(&disk.mount, layout(1), "").await),
    };
    match world {
        Some(world) => (promises, world.kept(&ledgers).await),
        None => (promises, Err("the cluster does not come up".to_owned())),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_power_cut_loses_no_acknowledged_write() {
    let (promises, kept) = cut_power(false).await;
    assert_eq!(kept, Ok(()));
    assert!(promises > 50, "the cut was in mid-load: {promises}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_power_cut_on_lying_disks_is_noticed() {
    let (promises, kept) = cut_power(true).await;
    assert!(promises > 50, "the cut was in mid-load: {promises}");
    assert!(kept.is_err(), "no sync was made, and yet nothing was lost: this test cuts nothing");
}
