//! The command line says what it means.

use super::*;

fn parse(line: &str) -> Result<Cli, clap::Error> {
    super::parse(std::iter::once("quorate").chain(line.split_whitespace()))
}

/// The words of a line as a shell would pass them to `quorate`: of each command of the line that begins with it. Knows
/// quotes, comments, pipes, `&&` and redirections, which is what the examples use.
fn invocations(line: &str) -> Vec<Vec<String>> {
    let mut words: Vec<String> = Vec::new();
    let mut word = None::<String>;
    let mut quoted = false;
    for letter in line.chars() {
        match letter {
            '\'' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            ' ' if !quoted => words.extend(word.take()),
            '#' if !quoted && word.is_none() => break,
            other => word.get_or_insert_default().push(other),
        }
    }
    assert!(!quoted, "an open quote: {line}");
    words.extend(word);
    let commands = words.split(|word| word == "|" || word == "&&");
    let ours = commands.filter(|words| words.first().is_some_and(|first| first == "quorate"));
    ours.map(|words| words.iter().take_while(|word| *word != "<" && *word != ">").cloned().collect()).collect()
}

/// The lines below `Examples:`.
fn examples(help: &str) -> Vec<String> {
    let below = help.lines().skip_while(|line| *line != "Examples:").skip(1);
    below.take_while(|line| line.starts_with("  ")).map(str::to_owned).collect()
}

#[test]
fn the_definition_is_sound() {
    command().debug_assert();
}

#[test]
fn every_example_is_understood() {
    let mut root = command();
    root.build();
    let mut pages = vec![("quorate".to_owned(), root.clone())];
    pages.extend(
        root.get_subcommands().filter(|it| it.get_name() != "help").map(|it| (it.get_name().into(), it.clone())),
    );
    for (name, mut command) in pages {
        let help = command.render_help().to_string();
        assert!(command.get_about().is_some(), "{name} says what it does");
        let lines = examples(&help);
        let invocations: Vec<Vec<String>> = lines.iter().flat_map(|line| invocations(line)).collect();
        assert_eq!(invocations.len().min(lines.len()), lines.len(), "{name}: every example runs quorate: {lines:?}");
        assert!(!lines.is_empty(), "{name} has an example: {help}");
        for words in invocations {
            let understood = super::parse(&words);
            // `quorate help X` is understood by being answered.
            let asked = understood.as_ref().is_err_and(|error| !error.use_stderr());
            assert!(understood.is_ok() || asked, "{name}: {words:?}: {}", understood.unwrap_err());
            assert!(name == "quorate" || words.contains(&name), "{name}: {words:?} is an example of another command");
        }
    }
}

#[test]
fn every_command_has_its_place_on_the_first_page() {
    let mut root = command();
    root.build();
    let mut listed: Vec<&str> = help::SECTIONS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
    let mut commands: Vec<&str> = root.get_subcommands().map(clap::Command::get_name).collect();
    listed.sort_unstable();
    commands.sort_unstable();
    assert_eq!(listed, commands);
    let page = root.clone().render_help().to_string();
    for (heading, _) in help::SECTIONS {
        assert!(page.contains(&format!("\n{heading}:\n")), "{page}");
    }
    assert!(page.contains("  status       Show groups"), "{page}");
    assert!(page.lines().all(|line| line.chars().count() <= 120), "{page}");
}

#[test]
fn what_is_nearly_right_is_met_with_a_suggestion() {
    for (line, right) in [("statsu", "'status'"), ("bench --client 3", "'--clients'"), ("bench --mix putt", "'put'")] {
        let error = parse(line).map(drop).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{line}");
        assert!(error.to_string().contains(right), "{line}: {error}");
    }
}

#[test]
fn ordinary_lines_are_understood() {
    for line in [
        "demo --json --seconds 20",
        "up --groups 3 --base-port 9000",
        "put k v --seeds a:1,b:2 --json",
        "put k - --deadline 3",
        "put k -5",
        "--json get k --raw",
        "load f --verify --concurrency 8 --format tsv",
        "join 3=10,11,12 4=13",
        "leave 2 3",
        "move 17 2",
        "query",
        "query 4",
        "transfer 0 2",
        "status",
        "bench --clients 64 --mix put --value-bytes 0",
    ] {
        assert!(parse(line).is_ok(), "{line}: {}", parse(line).unwrap_err());
    }
}

#[test]
fn bad_usage_exits_with_2() {
    for line in [
        "",
        "put k",
        "get k --seeds nowhere",
        "join",
        "join 3",
        "leave x",
        "bench --clients 0",
        "bench --mix scan",
        "up --shards 16385",
        "demo --sabotage nothing",
        "gte k",
    ] {
        assert_eq!(parse(line).map(drop).unwrap_err().exit_code(), 2, "{line}");
    }
}

#[test]
fn the_version_names_its_features() {
    assert!(version().contains("(features: "), "{}", version());
    assert!(!version().contains("mutant"), "a build with mutants in it must not be shipped: {}", version());
}
