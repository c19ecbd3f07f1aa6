//! A random lane of writes on a disk that crashes, is killed, or fails a sync: what comes back is a state that the lane
//! passed through, not before the last acknowledged write.

use super::Broken;
use super::disk::MemDisk;
use super::lane::{Choices, Model, lane, options};
use quorate::wal::{Wal, WalError};
use quorate_core::effect::Write;
use quorate_core::raft::HardState;
use quorate_core::spec::ids::GroupId;
use std::collections::BTreeMap;

const LANE: usize = 300;
const CRASHES: usize = 3;

/// How a run ends.
#[derive(Clone, Copy, Debug)]
enum End {
    /// The power goes: unsynced sectors are kept or lost.
    Power,
    /// The process is killed and starts again, then the power goes: what it saw in between must stay.
    KilledThenPower,
    /// One sync fails, and what it was to make durable is forgotten, as Linux does it; then the power goes.
    FailedSync,
}

pub(super) fn check(seed: u64) -> Result<u64, Broken> {
    let mut choices = Choices::new(seed);
    let (writes, states) = lane(seed, LANE);
    let mut disk = MemDisk::default();
    let mut acknowledged = 0;
    for _ in 0..CRASHES {
        let end = match choices.below(3) {
            0 => End::Power,
            1 => End::KilledThenPower,
            _ => End::FailedSync,
        };
        match end {
            End::Power | End::KilledThenPower => disk.stop_after(choices.below(200) as usize),
            End::FailedSync => disk.fail_one_sync(choices.below(60) as usize),
        }
        acknowledged = run(&disk, &writes, acknowledged, &mut choices)?;
        if let End::KilledThenPower = end {
            disk.go_on();
            acknowledged = acknowledged.max(recovered(&disk, &states, acknowledged)?);
            disk = disk.crash(|| false);
        } else {
            let odds = if let End::Power = end { choices.below(5) } else { 0 };
            disk = disk.crash(|| choices.below(4) < odds);
        }
        acknowledged = recovered(&disk, &states, acknowledged)?;
    }
    Ok(acknowledged as u64)
}

/// Commits the lane from `done` on until the disk stops, or once a sync has failed. Says how many are acknowledged.
fn run(disk: &MemDisk, writes: &[Write], mut done: usize, choices: &mut Choices) -> Result<usize, Broken> {
    let Ok((mut wal, _)) = Wal::open(disk.clone(), options()) else { return Ok(done) };
    while done < writes.len() && !disk.a_sync_failed() {
        let batch = &writes[done..(done + 1 + choices.below(6) as usize).min(writes.len())];
        match wal.commit_some(batch) {
            Ok(count) => done += count,
            Err(WalError::Io { .. }) => break,
            Err(error) => return Err(Broken::new("Legal", done as u64, format!("a legal write is refused: {error}"))),
        }
    }
    Ok(done)
}

/// Opens the log, as the next life does, and says which state of the lane it holds.
fn recovered(disk: &MemDisk, states: &[Model], acknowledged: usize) -> Result<usize, Broken> {
    let broken = |property, evidence: String| Broken::new(property, acknowledged as u64, evidence);
    let opened = Wal::open(disk.clone(), options());
    let (wal, _) = opened.map_err(|error| broken("Recovers", format!("after an honest crash: {error}")))?;
    let model = Model::of(wal.fold());
    if let Some(count) = (acknowledged..states.len()).find(|count| states[*count] == model) {
        return Ok(count);
    }
    for (group, promised) in votes(&states[acknowledged]) {
        let kept = votes(&model).get(&group).copied().unwrap_or_default();
        if kept.term < promised.term || (kept.term == promised.term && kept.voted_for != promised.voted_for) {
            let evidence = format!("group {group} voted {promised:?} and comes back with {kept:?}");
            return Err(broken("VotesKept", evidence));
        }
    }
    match states[..acknowledged].iter().rposition(|state| *state == model) {
        Some(count) => Err(broken("Durability", format!("{acknowledged} writes acknowledged, {count} came back"))),
        None => Err(broken("Atomicity", format!("the log holds no state that the lane passed through: {model:?}"))),
    }
}

/// The votes of the groups that are there.
fn votes(model: &Model) -> BTreeMap<GroupId, HardState> {
    let controller = model.controller.as_ref().map(|replica| (GroupId::CONTROLLER, replica.hard));
    model.data.iter().map(|(group, replica)| (*group, replica.hard)).chain(controller).collect()
}
