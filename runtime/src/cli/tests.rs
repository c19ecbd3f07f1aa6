//! The command line says what it means.

use super::*;

fn parse(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(std::iter::once("quorate").chain(line.split_whitespace()))
}

#[test]
fn the_definition_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn every_command_shows_an_example() {
    let mut command = Cli::command();
    command.build();
    for command in command.get_subcommands_mut().filter(|command| command.get_name() != "help") {
        let name = command.get_name().to_owned();
        let help = command.render_help().to_string();
        assert!(help.contains("Example:\n  quorate ") && help.contains(&format!("quorate {name}")), "{name}: {help}");
        assert!(command.get_about().is_some(), "{name} says what it does");
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
