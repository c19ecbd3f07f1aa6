//! One node as a child process: started, signalled, waited for.

use rustix::process::{Pid, Signal, kill_process};
use std::fs::File;
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Tells `quorate node` that it belongs to a local cluster and must not outlive it, even if the parent is killed.
pub const DIE_WITH_PARENT: &str = "QUORATE_DIE_WITH_PARENT";

/// Called by the child when it starts: the kernel ends it when the thread that started it ends.
///
/// # Errors
/// The kernel refuses, or the parent is gone already.
pub fn die_with_parent() -> io::Result<()> {
    let Some(parent) = std::env::var(DIE_WITH_PARENT).ok().and_then(|pid| pid.parse::<i32>().ok()) else {
        return Ok(());
    };
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    // The parent may have ended before the line above.
    if rustix::process::getppid().map(Pid::as_raw_nonzero).map(i32::from) != Some(parent) {
        return Err(io::Error::other("the process that started this node is gone"));
    }
    Ok(())
}

/// A running node.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    paused: bool,
}

impl Process {
    /// Starts `program` with `arguments`; what it says goes to the end of `log`.
    pub(super) fn start(program: &Path, arguments: &[String], log: &Path) -> io::Result<Self> {
        let out = File::options().create(true).append(true).open(log)?;
        let errors = out.try_clone()?;
        let child = Command::new(program)
            .args(arguments)
            .env(DIE_WITH_PARENT, std::process::id().to_string())
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(errors)
            .process_group(0) // Ctrl-C is for the parent, which ends its children in order.
            .spawn()
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", program.display())))?;
        Ok(Self { child, paused: false })
    }

    /// Its process id.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    fn signal(&self, signal: Signal) -> io::Result<()> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        let pid = pid.ok_or_else(|| io::Error::other("the process has no usable id"))?;
        Ok(kill_process(pid, signal)?)
    }

    /// Whether it has ended, and how.
    pub(super) fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// SIGKILL without waiting, so that several can be struck at once.
    pub(super) fn strike(&mut self) -> io::Result<()> {
        if self.ended()?.is_none() { self.signal(Signal::KILL) } else { Ok(()) }
    }

    /// Waits for the end. True if it was by signal 9.
    pub(super) fn wait_killed(mut self) -> io::Result<bool> {
        Ok(self.child.wait()?.signal() == Some(Signal::KILL.as_raw()))
    }

    /// SIGTERM: asks it to hand over and stop. A paused process would not hear it.
    pub(super) fn ask_to_stop(&mut self) -> io::Result<()> {
        self.resume()?;
        if self.ended()?.is_none() { self.signal(Signal::TERM) } else { Ok(()) }
    }

    /// Waits up to `patience` for the end after [`Self::ask_to_stop`], then kills.
    pub(super) fn wait_stopped(&mut self, patience: Duration) -> io::Result<ExitStatus> {
        let deadline = Instant::now() + patience;
        while Instant::now() < deadline {
            if let Some(status) = self.ended()? {
                return Ok(status);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        self.strike()?;
        self.child.wait()
    }

    /// SIGSTOP: it stays connected and answers nothing.
    pub(super) fn pause(&mut self) -> io::Result<()> {
        self.signal(Signal::STOP)?;
        self.paused = true;
        Ok(())
    }

    /// SIGCONT.
    pub(super) fn resume(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.paused) { self.signal(Signal::CONT) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeper(directory: &Path) -> Process {
        Process::start(Path::new("/bin/sh"), &["-c".into(), "echo up; sleep 60".into()], &directory.join("log"))
            .unwrap()
    }

    #[test]
    fn a_killed_process_counts_as_killed() {
        let directory = tempfile::tempdir().unwrap();
        let mut process = sleeper(directory.path());
        assert_eq!(process.ended().unwrap(), None);
        process.strike().unwrap();
        assert!(process.wait_killed().unwrap());
    }

    #[test]
    fn a_stopped_process_does_not_count_as_killed() {
        let directory = tempfile::tempdir().unwrap();
        let mut process = sleeper(directory.path());
        process.pause().unwrap();
        process.ask_to_stop().unwrap();
        let status = process.wait_stopped(Duration::from_secs(30)).unwrap();
        assert_eq!(status.signal(), Some(Signal::TERM.as_raw()), "it was resumed, and ended by the request");
    }
}
