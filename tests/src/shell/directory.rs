//! Real data directories: a wiped one is another one, every opening is later than the one before, one process at a time.

use super::Broken;
use quorate::data_dir::DataDir;
use quorate_core::spec::ids::NodeId;

const OPENINGS: u64 = 5;

pub(super) fn check(_seed: u64) -> Result<u64, Broken> {
    let place = tempfile::tempdir().expect("a temporary directory");
    let path = place.path().join("node-1");
    let open = || DataDir::open_or_create(&path, "test", NodeId::new(1));
    let first = open().expect("a new directory");
    let (stamp, mut boot) = (first.stamp, first.boot);
    if open().is_ok() {
        return Err(Broken::new("OneProcess", 1, "a directory that is in use is opened again"));
    }
    drop(first);
    for opening in 1..=OPENINGS {
        let again = open().expect("our own directory");
        if again.boot <= boot {
            let evidence = format!("boot {} after {}", again.boot.get(), boot.get());
            return Err(Broken::new("BootsGrow", opening, evidence));
        }
        boot = again.boot;
    }
    std::fs::remove_dir_all(&path).expect("ours");
    let wiped = open().expect("a new directory");
    if wiped.stamp == stamp {
        return Err(Broken::new("WipedIsAnother", OPENINGS, "a wiped directory comes back under its old stamp"));
    }
    Ok(OPENINGS)
}
