//! The house rules that a compiler does not check: who may depend on whom, what the core may not know, how long a file
//! may grow, and that the names of steps are the same everywhere.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the workspace").to_path_buf()
}

fn sources(under: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(under)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a source folder can be read").flatten() {
            let path = entry.path();
            if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("a source file is UTF-8");
                found.push((path, text));
            }
        }
    }
    assert!(!found.is_empty(), "{under} holds sources");
    found
}

/// The `quorate*` packages that a manifest names under `[dependencies]`.
fn dependencies(package: &str) -> BTreeSet<String> {
    let manifest = fs::read_to_string(root().join(package).join("Cargo.toml")).expect("every package has a manifest");
    let names = manifest.lines().filter_map(|line| line.split(['.', ' ', '=']).next());
    names.filter(|name| name.starts_with("quorate")).map(str::to_owned).collect()
}

#[test]
fn dependencies_point_one_way() {
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(dependencies("spec"), set(&[]));
    assert_eq!(dependencies("core"), set(&["quorate-spec"]));
    assert_eq!(dependencies("proofs"), set(&["quorate-spec", "quorate-core"]));
    assert_eq!(dependencies("runtime"), set(&["quorate-spec", "quorate-core"]));
}

#[test]
fn the_core_is_pure() {
    let forbidden = [
        "std::time",
        "std::net",
        "std::fs",
        "std::thread",
        "HashMap",
        "HashSet",
        "rand::",
        "tokio",
        "f32",
        "f64",
        "unsafe ",
    ];
    for (path, text) in sources("core/src").into_iter().chain(sources("spec/src")) {
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
            for word in forbidden {
                assert!(!line.contains(word), "{}: {word} in {line}", path.display());
            }
        }
    }
    for package in ["spec", "core"] {
        let lib = fs::read_to_string(root().join(package).join("src/lib.rs")).expect("every package has a lib.rs");
        assert!(lib.contains("#![no_std]") && lib.contains("#![forbid(unsafe_code)]"), "{package} is no_std and safe");
    }
}

#[test]
fn only_the_codec_names_bincode() {
    for (path, text) in sources("runtime/src") {
        let inside = path.components().any(|part| part.as_os_str() == "codec");
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        assert!(inside || !code.into_iter().any(|line| line.contains("bincode")), "{} names bincode", path.display());
    }
}

#[test]
fn files_open_with_their_purpose_and_stay_short() {
    for package in ["spec", "core", "proofs", "runtime", "tests"] {
        for (path, text) in sources(package) {
            assert!(text.starts_with("//!") || text.starts_with("#!"), "{} does not say what it is", path.display());
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            assert!(code.lines().count() <= 400, "{} has grown into two ideas", path.display());
        }
    }
}

#[test]
fn the_core_takes_every_step_of_the_vocabulary() {
    let core: String = sources("core/src").into_iter().map(|(_, text)| text).collect();
    for name in quorate_spec::action::Action::NAMES {
        let taken = core
            .match_indices(&format!("Action::{name}"))
            .any(|(at, found)| !core[at + found.len()..].starts_with(|next: char| next.is_alphanumeric()));
        assert!(taken, "nothing in the core is labelled {name}");
    }
}
