//! What the nodes of a test record of themselves. When the test is over, every record is stepped through the core again: it
//! must do the same, effect by effect. Where it does not, and where the test fails, the records stay.

use crate::place::Place;
use crate::replay::{End, Replayed, replay_all};
use std::path::{Path, PathBuf};

/// How long the record of one run of a node may be, in bytes: enough for the whole of nearly every test.
const BYTES: u64 = 16 << 20;

/// The records of a test's nodes, checked when dropped: the nodes must be over by then.
#[derive(Debug, Default)]
pub struct Records {
    place: Place,
    /// There must be some.
    pub wanted: bool,
}

impl Records {
    /// Of nodes that must leave some.
    pub fn wanted() -> Self {
        Self { place: Place::default(), wanted: true }
    }

    /// Where they are.
    pub fn path(&self) -> &Path {
        self.place.path()
    }

    /// Where nodes record that bear the ids, and perhaps the boots, of others of the test.
    pub fn apart(&self) -> PathBuf {
        let folders = || (0..).map(|number: u64| self.path().join(format!("apart-{number}")));
        let folder = folders().find(|folder| !folder.exists()).expect("numbers do not run out");
        std::fs::create_dir(&folder).expect("there is room");
        folder
    }

    /// The arguments that have a node record here.
    pub fn arguments(directory: &Path) -> [String; 4] {
        ["--record".into(), directory.display().to_string(), "--record-bytes".into(), BYTES.to_string()]
    }
}

impl Drop for Records {
    fn drop(&mut self) {
        let how = format!("quorate-sim replay {}/RECORD", self.path().display());
        if std::thread::panicking() {
            println!("what the nodes were given: {how}");
            return;
        }
        let replayed = replay_all(self.path()).unwrap_or_else(|error| panic!("{error}\nagain: {how}"));
        println!("{}", tell(&replayed));
        let did = |record: &Replayed| record.inputs > 0 && record.effects > 0;
        assert!(!self.wanted || replayed.iter().any(did), "the nodes recorded what they did");
    }
}

/// What came of them in a line, and those that do not hold their whole run.
pub fn tell(replayed: &[Replayed]) -> String {
    let (inputs, effects) =
        replayed.iter().fold((0, 0), |(inputs, effects), record| (inputs + record.inputs, effects + record.effects));
    let mut told = format!("{} records replayed: {inputs} inputs, {effects} effects, all the same", replayed.len());
    for Replayed { node, boot, inputs, .. } in replayed.iter().filter(|record| record.end == End::Full) {
        let (node, boot) = (node.get(), boot.get());
        told += &format!("\n  node {node}, boot {boot}: only the first {inputs} inputs, the record was full then");
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;
    use quorate_spec::ids::{Boot, NodeId};

    /// What a test's thread leaves of its records.
    fn left(test: impl FnOnce(Records) + Send + 'static) -> bool {
        let records = Records::default();
        let path = records.path().to_owned();
        let failed = std::thread::spawn(|| test(records)).join().is_err();
        let left = path.exists();
        assert!(std::fs::remove_dir_all(path).is_ok() == left);
        assert_eq!(failed, left, "a test that passes leaves nothing");
        left
    }

    #[test]
    fn records_stay_if_the_test_fails_or_the_replay_differs() {
        assert!(!left(drop));
        assert!(left(|_records| panic!("the test fails")));
        assert!(left(|records| std::fs::write(records.path().join("node-1-1.record"), "nothing").expect("written")));
        assert!(left(|mut records| records.wanted = true));
        assert!(left(|records| std::fs::write(records.apart().join("node-1-1.record"), "nothing").expect("written")));
    }

    #[test]
    fn a_record_that_was_full_is_told() {
        let whole = Replayed { node: NodeId::new(4), boot: Boot::new(2), inputs: 70, effects: 90, end: End::Whole };
        let full = Replayed { inputs: 7, end: End::Full, ..whole.clone() };
        assert_eq!(tell(std::slice::from_ref(&whole)), "1 records replayed: 70 inputs, 90 effects, all the same");
        let told = tell(&[whole, full]);
        assert!(told.contains("\n  node 4, boot 2: only the first 7 inputs, the record was full then"), "{told}");
    }
}
