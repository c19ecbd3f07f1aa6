//! One server of the other store as a child process, and what it said last.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// How many lines of a log are shown when something fails.
const LAST_LINES: usize = 4;

/// A running server. Killed when dropped.
pub(crate) struct Server {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Server {
    /// Starts it; what it says goes to `NAME.log` in `directory`.
    pub(crate) fn start(name: &str, command: &mut Command, directory: &Path) -> Result<Self, String> {
        let log = directory.join(format!("{name}.log"));
        let out = File::create(&log).map_err(|error| format!("{}: {error}", log.display()))?;
        let errors = out.try_clone().map_err(|error| format!("{}: {error}", log.display()))?;
        let child = command.stdin(Stdio::null()).stdout(out).stderr(errors).spawn();
        let child = child.map_err(|error| format!("{name} cannot be started: {error}"))?;
        Ok(Self { name: name.to_owned(), child, log })
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// An error if it has ended, with what it said last.
    pub(crate) fn still_runs(&mut self) -> Result<(), String> {
        match self.child.try_wait() {
            Ok(None) => Ok(()),
            Ok(Some(status)) => Err(format!("{} has ended: {status}; {}", self.name, self.last_words())),
            Err(error) => Err(format!("{} cannot be looked at: {error}", self.name)),
        }
    }

    /// The end of its log.
    pub(crate) fn last_words(&self) -> String {
        last_words(&self.name, &self.log)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The end of the log of the server `name`.
pub(crate) fn last_words(name: &str, log: &Path) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    match lines.get(lines.len().saturating_sub(LAST_LINES)..) {
        None | Some([]) => format!("{name} said nothing"),
        Some(last) => format!("{name} said last:\n  {}", last.join("\n  ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_ends_is_noticed_with_its_last_lines() {
        let directory = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "seq 1 9; echo 'port taken' >&2; exit 3"]);
        let mut server = Server::start("peer", &mut command, directory.path()).unwrap();
        server.child.wait().unwrap();
        let error = server.still_runs().unwrap_err();
        assert_eq!(error, "peer has ended: exit status: 3; peer said last:\n  7\n  8\n  9\n  port taken");
    }

    #[test]
    fn a_server_that_runs_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let mut server = Server::start("peer", Command::new("sleep").arg("60"), directory.path()).unwrap();
        assert_eq!(server.still_runs(), Ok(()));
        assert_eq!(server.last_words(), "peer said nothing");
    }
}
