//! The shipped binary as a person at a shell meets it: what it says, on which stream, and how it ends.

use crate::records::Records;
use crate::world::{PATIENCE, World, binary};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A process of the binary, killed when dropped. What it says goes to files, so that it never waits for a reader.
#[derive(Debug)]
pub struct Running {
    child: Child,
    directory: tempfile::TempDir,
}

/// What a process said before it ended.
#[derive(Debug)]
pub struct Said {
    /// How it ended.
    pub status: ExitStatus,
    /// Its standard output.
    pub out: Vec<u8>,
    /// Its standard error.
    pub err: String,
}

/// Runs `quorate` with these arguments to its end.
pub fn quorate(arguments: &[&str]) -> Said {
    Running::start(Command::new(binary()).args(arguments), b"").wait()
}

impl Running {
    /// Starts `command` with `input` to read.
    pub fn start(command: &mut Command, input: &[u8]) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let file = |name: &str| std::fs::File::create(directory.path().join(name)).expect("a file");
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(file("out"))
            .stderr(file("err"))
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let mut stdin = child.stdin.take().expect("it was asked for");
        // It may end without reading: then nobody wants the rest.
        let _ = stdin.write_all(input);
        drop(stdin);
        Self { child, directory }
    }

    /// What it has said on standard error so far.
    pub fn err(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("err")).expect("its standard error is a file")
    }

    /// What it has said on standard output so far.
    pub fn out(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("out")).expect("its standard output is a file")
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child can be waited for")
    }

    /// Waits for its end.
    pub fn wait(mut self) -> Said {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.ended() {
                break status;
            }
            assert!(Instant::now() < deadline, "it goes on and on: {}", self.err());
            std::thread::sleep(Duration::from_millis(10));
        };
        let out = std::fs::read(self.directory.path().join("out")).expect("its standard output is a file");
        Said { status, out, err: self.err() }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Said {
    /// It was refused, with this exit code: one line says why, and maybe a second one what to do next. Nothing else.
    #[track_caller]
    pub fn refused(&self, code: i32, says: &str) {
        let lines: Vec<&str> = self.err.lines().collect();
        let shape = match lines.as_slice() {
            [why] => why.starts_with("error: "),
            [why, next] => why.starts_with("error: ") && next.starts_with("  next: "),
            _ => false,
        };
        assert!(shape && self.err.contains(says), "it does not say {says:?} in one line: {}", self.err);
        assert_eq!(self.status.code(), Some(code), "{}", self.err);
        assert!(self.out.is_empty(), "{}", String::from_utf8_lossy(&self.out));
    }

    /// It was not understood (exit code 2): the first line says why, and what follows how it is asked.
    #[track_caller]
    pub fn refused_as_usage(&self, says: &str) {
        let told = self.err.starts_with("error: ") && self.err.contains(says);
        assert!(told, "it does not say {says:?}: {}", self.err);
        assert_eq!(self.status.code(), Some(2), "{}", self.err);
        assert!(self.out.is_empty(), "{}", String::from_utf8_lossy(&self.out));
    }

    /// It was done, and said this.
    #[track_caller]
    pub fn done(&self, says: &str) {
        let out = String::from_utf8_lossy(&self.out);
        assert!(self.status.success() && out.contains(says), "{out}{}", self.err);
    }
}

/// A node that does not belong to its world, or should not.
#[derive(Clone, Debug)]
pub struct Stray {
    /// Its id.
    pub id: u64,
    /// Its data directory.
    pub data: PathBuf,
    /// The addresses of the controller's members, by id.
    pub controllers: Vec<(u64, String)>,
    /// Its cluster's name, if it is not the default.
    pub cluster: Option<String>,
    /// The level of its log.
    pub log: &'static str,
    /// Where it listens.
    pub listen: String,
    /// Where it records what it is given: with the world's nodes, which replays all.
    pub record: PathBuf,
}

impl Stray {
    /// A node `id` with the controllers of `world` at a free port; it says only what ends it.
    pub fn of(world: &World, id: u64, data: &Path) -> Self {
        let addresses = world.cluster.addresses();
        let members = world.cluster.layout().controller_nodes();
        let controllers = members.map(|member| (member, addresses[&member].clone())).collect();
        let port = quorate::cluster::ports::free(1).expect("a free port")[0];
        let listen = format!("127.0.0.1:{port}");
        Self {
            id,
            data: data.to_path_buf(),
            controllers,
            cluster: None,
            log: "off",
            listen,
            record: world.records.apart(),
        }
    }

    /// The command that runs it.
    pub fn command(&self, program: &Path) -> Command {
        let controllers: Vec<String> = self.controllers.iter().map(|(id, address)| format!("{id}={address}")).collect();
        let mut command = Command::new(program);
        command.args(["node", "--shards", "10", "--log-level", self.log, "--listen", &self.listen]);
        command.args(["--id", &self.id.to_string(), "--controllers", &controllers.join(",")]);
        command.arg("--data").arg(&self.data);
        command.args(Records::arguments(&self.record));
        if let Some(cluster) = &self.cluster {
            command.args(["--cluster", cluster]);
        }
        command
    }

    /// Runs it.
    pub fn start(&self) -> Running {
        Running::start(&mut self.command(&binary()), b"")
    }
}
