//! What a simulated disk owes, and when it does not owe it any more.

use super::{Outage, SimDisk};
use crate::sim::random::Random;
use quorate::disk::{Disk, DiskFile};

const POWER: Outage = Outage::Power { kept: 0 };

/// A disk with one durable file of zeros.
fn disk_with_file() -> (SimDisk, <SimDisk as Disk>::File) {
    let disk = SimDisk::default();
    let mut file = disk.create("log").expect("it does not fail");
    file.preallocate(4096).expect("it does not fail");
    disk.sync_dir().expect("it does not fail");
    disk.settle();
    (disk, file)
}

fn write(file: &mut <SimDisk as Disk>::File, at: u64, byte: u8) {
    file.write_at(at, &[byte; 512]).and_then(|()| file.sync_data()).expect("it does not fail");
}

/// The first byte of each of the first four sectors.
fn firsts(disk: &SimDisk) -> [u8; 4] {
    let file = disk.open("log").expect("it is there");
    let first = |sector: u64| {
        let mut byte = [0];
        file.read_at(sector * 512, &mut byte).expect("it does not fail");
        byte[0]
    };
    [first(0), first(1), first(2), first(3)]
}

#[test]
fn a_repair_puts_back_what_went_elsewhere_and_what_it_hit() {
    let (disk, mut file) = disk_with_file();
    write(&mut file, 0, 1);
    disk.misbehave(|it| it.misdirect_write = true);
    write(&mut file, 512, 2);
    disk.settle();
    assert!(disk.owes());
    disk.crash(POWER, &mut Random::new(1, 1));
    assert_eq!(firsts(&disk), [2, 0, 0, 0]);
    disk.repair();
    assert_eq!(firsts(&disk), [1, 2, 0, 0]);
}

#[test]
fn a_good_write_over_a_misdirected_one_survives_the_repair() {
    let (disk, mut file) = disk_with_file();
    disk.misbehave(|it| it.misdirect_write = true);
    // At the beginning of a file it arrives a sector too late, where the next one belongs.
    write(&mut file, 0, 1);
    write(&mut file, 512, 2);
    disk.settle();
    disk.repair();
    assert_eq!(firsts(&disk), [1, 2, 0, 0]);
}

#[test]
fn what_the_last_call_did_wrong_is_owed_before_the_crash_is_over() {
    let owed = (0..20).filter(|seed| {
        let (disk, mut file) = disk_with_file();
        disk.misbehave(|it| it.misdirect_write = true);
        write(&mut file, 512, 2);
        assert!(!disk.owes(), "nothing arrived yet");
        disk.interrupt(&mut Random::new(*seed, 1));
        disk.owes()
    });
    assert!((1..20).contains(&owed.count()), "some crashes come before the write and some after it");
}

#[test]
fn reading_does_not_make_durable_what_a_lying_sync_left_behind() {
    let (disk, mut file) = disk_with_file();
    disk.misbehave(|it| it.lies = true);
    write(&mut file, 0, 1);
    disk.settle();
    disk.crash(Outage::Process, &mut Random::new(1, 1));
    assert_eq!(firsts(&disk), [1, 0, 0, 0], "the system's memory still has it");
    disk.forgive();
    assert!(disk.owes());
    disk.misbehave(|it| it.lies = false);
    let mut file = disk.open("log").expect("it is there");
    file.sync_data().expect("it does not fail");
    disk.settle();
    assert!(!disk.owes());
    disk.crash(POWER, &mut Random::new(1, 1));
    assert_eq!(firsts(&disk), [1, 0, 0, 0]);
}

#[test]
fn a_write_that_goes_astray_hits_another_file_and_both_can_be_put_right() {
    let (disk, mut file) = disk_with_file();
    write(&mut file, 0, 1);
    write(&mut file, 512, 2);
    let mut other = disk.create("other").expect("there is room");
    disk.sync_dir().expect("it does not fail");
    disk.settle();
    disk.misbehave(|it| (it.misdirect_write, it.astray) = (true, true));
    other.write_at(0, &[9; 100]).and_then(|()| other.sync_data()).expect("it does not fail");
    disk.settle();
    assert_eq!((disk.misdeeds().misdirected, disk.misdeeds().astray), (1, 1));
    disk.crash(POWER, &mut Random::new(1, 1));
    assert_eq!(firsts(&disk), [9, 2, 0, 0]);
    let length = |name: &str| disk.open(name).and_then(|file| file.size()).expect("it is there");
    assert_eq!(length("other"), 0);
    disk.repair();
    assert_eq!((firsts(&disk), length("other")), ([1, 2, 0, 0], 100));
}

#[test]
fn nothing_is_owed_to_a_file_that_is_gone() {
    let (disk, mut file) = disk_with_file();
    disk.misbehave(|it| it.drop_write = true);
    write(&mut file, 0, 1);
    disk.settle();
    assert!(disk.owes());
    disk.remove("log").and_then(|()| disk.sync_dir()).expect("it does not fail");
    disk.settle();
    assert!(!disk.owes());
}
