//! The shipped binary holds no deliberate bugs: they are a feature of the core that only the checks turn on.

use quorate_tests::world::binary;
use std::process::Command;

#[test]
fn the_shipped_binary_has_no_mutants() {
    let output = Command::new(binary()).arg("--version").output().expect("the binary runs");
    let version = String::from_utf8(output.stdout).expect("a version is text");
    assert!(version.contains("features:"), "it names its features: {version}");
    assert!(!version.contains("mutants"), "it was built with deliberate bugs in it: {version}");
    let bytes = std::fs::read(binary()).expect("the binary can be read");
    for name in ["vote-nonatomic", "truncate-on-any-append", "idle-group-vote-purged", "torn-tail-mid-log"] {
        let found = bytes.windows(name.len()).any(|window| window == name.as_bytes());
        assert!(!found, "the binary knows the mutant {name}");
    }
}
