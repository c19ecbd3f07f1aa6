//! That the TLA+ modules speak the language of the code: every action that a module can take bears a name of
//! [`Action::NAMES`], every property that the invariants cite is defined in its module and checked by a scope, and every
//! scope and mutant is complete. Whether the properties hold is for `spec/check` to say.

use quorate_spec::action::Action;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The modules that have actions.
const MODULES: [&str; 4] = ["KV", "ShardKV", "ReplicatedLog", "Raft"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the workspace").join("spec")
}

fn read(name: impl AsRef<Path>) -> String {
    let path = folder().join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{} cannot be read: {error}", path.display()))
}

/// The names of the files of a kind, without the extension, under `spec/` or a folder of it.
fn files(under: &str, extension: Option<&str>) -> BTreeSet<String> {
    let entries = fs::read_dir(folder().join(under)).expect("the folder is there").flatten();
    let paths = entries.map(|entry| entry.path()).filter(|path| path.is_file());
    let of_kind = paths.filter(|path| path.extension().and_then(|it| it.to_str()) == extension);
    let names = of_kind.filter_map(|path| path.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned));
    names.collect()
}

/// The definitions of a module: name and body, comments removed.
fn definitions(module: &str) -> BTreeMap<String, String> {
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    let mut current = None;
    for line in read(format!("{module}.tla")).lines() {
        let line = line.split("\\*").next().unwrap_or_default();
        if line.starts_with("(*") || line.starts_with("---") || line.starts_with("===") {
            continue;
        }
        if let Some((head, body)) = line.split_once("==").filter(|_| line.starts_with(char::is_alphabetic)) {
            let name: String = head.chars().take_while(|letter| letter.is_alphanumeric()).collect();
            found.insert(name.clone(), body.to_owned());
            current = Some(name);
        } else if let Some(body) = current.as_ref().and_then(|name| found.get_mut(name)) {
            body.push('\n');
            body.push_str(line);
        }
    }
    found
}

/// The identifiers in a text. What is behind a `!` is another module's.
fn identifiers(text: &str) -> BTreeSet<String> {
    let words = text.split(|letter: char| !(letter.is_alphanumeric() || letter == '_' || letter == '!'));
    words.filter(|word| !word.contains('!')).map(str::to_owned).collect()
}

fn changes_state(body: &str) -> bool {
    body.contains('\'') || body.contains("UNCHANGED")
}

/// What a step of the module can be: from `Next` down through definitions that only say which steps there are.
fn actions(module: &str) -> BTreeSet<String> {
    let definitions = definitions(module);
    let (mut found, mut seen) = (BTreeSet::new(), BTreeSet::new());
    let mut open = vec!["Next".to_owned()];
    while let Some(name) = open.pop() {
        let Some(body) = definitions.get(&name).filter(|_| seen.insert(name.clone())) else {
            continue;
        };
        if Action::NAMES.contains(&name.as_str()) || changes_state(body) {
            found.insert(name);
        } else {
            open.extend(identifiers(body));
        }
    }
    found
}

#[test]
fn every_action_bears_a_name_of_the_code() {
    // `Lag` says when the disk follows the memory; it is a part of every step and no step by itself.
    let parts = ["Lag"];
    for module in MODULES {
        let actions = actions(module);
        assert!(actions.len() >= 4, "{module} has actions: {actions:?}");
        for action in actions.iter().filter(|action| !parts.contains(&action.as_str())) {
            assert!(Action::NAMES.contains(&action.as_str()), "{module}!{action} is no name of spec::Action");
        }
    }
    assert!(actions("ShardKV").contains("AdoptConfiguration") && actions("ShardKV").contains("Move"));
    assert!(actions("Raft").contains("HandleAppend") && actions("Raft").contains("SyncWrites"));
}

#[test]
fn every_event_of_a_trace_bears_a_name_of_the_code() {
    for module in ["TraceRaft.tla", "TraceShardKV.tla"] {
        let module = read(module);
        let names = module.split("e.name = \"").skip(1).filter_map(|rest| rest.split('"').next());
        let names: BTreeSet<&str> = names.collect();
        assert!(names.len() >= 15, "the events of a trace: {names:?}");
        let unknown: Vec<_> = names.iter().filter(|name| !Action::NAMES.contains(name)).collect();
        assert!(unknown.is_empty(), "{unknown:?} are no names of spec::Action");
    }
}

/// The properties that the scopes of a module check.
fn checked(module: &str) -> BTreeSet<String> {
    let scopes = files("", Some("cfg"));
    let of_module = scopes.iter().filter(|scope| scope.split('.').next() == Some(module));
    let text: String = of_module.map(|scope| read(format!("{scope}.cfg"))).collect();
    let lines = text.lines().filter(|line| line.starts_with("INVARIANTS ") || line.starts_with("PROPERTIES "));
    lines.flat_map(identifiers).collect()
}

#[test]
fn every_property_that_the_invariants_cite_is_defined_and_checked() {
    let table = read("src/invariants/mod.rs");
    let cited: Vec<(&str, &str)> = table
        .lines()
        .filter(|line| line.starts_with("//! |"))
        .flat_map(|line| line.split('`'))
        .filter_map(|word| word.split_once('!').filter(|(module, _)| MODULES.contains(module)))
        .collect();
    assert!(cited.len() >= 16, "the table of the invariants names their TLA+ properties: {cited:?}");
    for (module, property) in cited {
        assert!(definitions(module).contains_key(property), "{module}.tla does not define {property}");
        assert!(checked(module).contains(property), "no scope of {module} checks {property}");
    }
}

/// The scopes with their numbers of states.
fn counts() -> BTreeMap<String, u64> {
    let text = read("counts");
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let count = |line: &str| {
        let (scope, states) = line.split_once(' ').expect("a scope and its number");
        (scope.to_owned(), states.trim().parse().expect("a number of states"))
    };
    lines.map(count).collect()
}

#[test]
fn every_scope_has_its_number_of_states() {
    let counts = counts();
    assert_eq!(counts.keys().cloned().collect::<BTreeSet<_>>(), files("", Some("cfg")));
    for scope in counts.keys() {
        let module = scope.split('.').next().unwrap_or_default();
        assert!(files("", Some("tla")).contains(&format!("MC{module}")), "{scope} belongs to a module");
    }
    let total: u64 = counts.values().sum();
    assert!(total <= 150_000, "{total} states take longer than the quick tests may");
}

#[test]
fn every_mutant_is_complete_and_every_cited_property_has_one() {
    let mut broken = BTreeSet::new();
    let mutants = files("mutants", None);
    assert!(mutants.len() >= 12, "{} mutants", mutants.len());
    for mutant in mutants {
        let text = read(Path::new("mutants").join(&mutant));
        let value = |key: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(": "));
            line.unwrap_or_else(|| panic!("{mutant} does not say its {key}")).to_owned()
        };
        let (module, scope, caught) = (value("module"), value("scope"), value("caught"));
        assert!(!value("why").is_empty() && counts().contains_key(&scope), "{mutant} names the scope {scope}");
        assert!(checked(&module).contains(&caught), "{mutant} is to break {caught}, which {module} does not check");
        let source = read(format!("{module}.tla"));
        let (old, new): (Vec<&str>, Vec<&str>) = text
            .lines()
            .filter(|line| line.starts_with("- ") || line.starts_with("+ "))
            .partition(|l| l.starts_with('-'));
        assert!(!old.is_empty() && old.len() == new.len(), "{mutant} replaces lines one by one");
        for line in old {
            let times = source.lines().filter(|it| Some(*it) == line.strip_prefix("- ")).count();
            assert_eq!(times, 1, "{mutant}: {line:?} is in {module}.tla {times} times");
        }
        broken.insert((module, caught));
    }
    for module in ["ShardKV", "Raft"] {
        let unbroken: Vec<_> =
            checked(module).into_iter().filter(|it| !broken.contains(&(module.to_owned(), it.clone()))).collect();
        let words = ["INVARIANTS", "PROPERTIES"].map(str::to_owned);
        let unbroken: Vec<_> = unbroken.into_iter().filter(|it| !it.is_empty() && !words.contains(it)).collect();
        assert!(unbroken.is_empty(), "no mutant of {module} breaks {unbroken:?}");
    }
}
