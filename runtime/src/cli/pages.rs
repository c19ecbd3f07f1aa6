//! Manual pages and shell completions, from the very definition that parses the command line.
//!
//! They are committed too (`runtime/man`, `runtime/completions`), for packages; a test fails when those are stale.

use super::output::{Failure, Outcome, Report};
use clap::{Args, Command};
use clap_complete::Shell;
use clap_mangen::Man;
use serde_json::json;
use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

/// The shells whose completions are written by `pages`, and the names of the files.
const SHELLS: [(Shell, &str); 3] =
    [(Shell::Bash, "quorate.bash"), (Shell::Zsh, "_quorate"), (Shell::Fish, "quorate.fish")];

/// Arguments of completions.
#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

/// Arguments of pages.
#[derive(Debug, Args)]
pub(super) struct PagesArgs {
    /// Where `man/` and `completions/` go; made if it is not there.
    dir: PathBuf,
}

/// Prints the completions for a shell.
pub(super) fn completions(arguments: &CompletionsArgs) -> Outcome {
    let script = script(arguments.shell);
    let json = json!({ "shell": arguments.shell.to_string(), "script": String::from_utf8_lossy(&script) });
    Ok(Report::new(json, script))
}

/// Writes every page into a directory.
pub(super) fn write(arguments: &PagesArgs) -> Outcome {
    let failed = |path: &PathBuf, error: io::Error| {
        Failure::new(format!("{}: {error}", path.display()), "choose a directory that can be written")
    };
    let mut text = String::new();
    let mut written = Vec::new();
    for (name, page) in all().map_err(|error| failed(&arguments.dir, error))? {
        let path = arguments.dir.join(name);
        let folder = path.parent().unwrap_or(&arguments.dir);
        fs::create_dir_all(folder).and_then(|()| fs::write(&path, page)).map_err(|error| failed(&path, error))?;
        text.push_str(&format!("{}\n", path.display()));
        written.push(path);
    }
    Ok(Report::new(json!({ "written": written }), text))
}

/// Every page: where it goes, and what it says.
pub(super) fn all() -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut command = definition().disable_help_subcommand(true);
    command.build();
    let mut pages = vec![("man/quorate.1".to_owned(), manual(&command)?)];
    for command in command.get_subcommands() {
        pages.push((format!("man/quorate-{}.1", command.get_name()), manual(command)?));
    }
    pages.extend(SHELLS.map(|(shell, name)| (format!("completions/{name}"), script(shell))));
    Ok(pages)
}

/// The definition, with a version that does not depend on how this program was built.
fn definition() -> Command {
    super::command().version(env!("CARGO_PKG_VERSION"))
}

fn script(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut definition(), "quorate", &mut script);
    script
}

/// One manual page. The examples that follow the flags in `--help` keep their lines: they are to be copied.
fn manual(command: &Command) -> io::Result<Vec<u8>> {
    let man = Man::new(command.clone()).manual("Quorate").source(concat!("Quorate ", env!("CARGO_PKG_VERSION")));
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    let more = command.get_after_help().map_or(String::new(), ToString::to_string);
    let more = more.strip_prefix("Examples:\n").unwrap_or(&more);
    let (examples, notes) = more.split_once("\n\n").unwrap_or((more, ""));
    writeln!(page, ".SH EXAMPLES\n.nf")?;
    examples.lines().try_for_each(|line| writeln!(page, "{}", escaped(line)))?;
    writeln!(page, ".fi")?;
    if !notes.is_empty() {
        writeln!(page, ".SH NOTES")?;
        notes.lines().try_for_each(|line| writeln!(page, "{}\n.PP", escaped(line)))?;
    }
    man.render_version_section(&mut page)?;
    Ok(page)
}

/// A line of text for roff, taken literally: hyphens and quotes that can be copied, no line that is a request.
fn escaped(line: &str) -> String {
    format!("\\&{}", line.replace('\\', "\\e").replace('-', "\\-").replace('\'', "\\(aq").replace('`', "\\(ga"))
}

#[cfg(test)]
#[path = "pages_tests.rs"]
mod tests;
