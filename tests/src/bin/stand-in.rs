//! Stands in for `systemctl` and `journalctl` (by the name that it is called by) on a host that systemd does not run on:
//! it starts, stops and shows one service as its unit in /etc/systemd/system says.
//!
//! It knows what a deployment needs: ExecStart, User, StateDirectory, LimitNOFILE, UMask, Type=notify (a start returns
//! when the service says that it is ready), KillSignal=SIGTERM and TimeoutStopSec. It restarts nothing by itself, and
//! what the unit says about confinement is not in force.

use quorate::cli::print_bytes;
use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, setrlimit};
use std::fs::{self, File};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, chown};
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

type Result<T> = std::result::Result<T, String>;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().collect();
    let (program, words) = words.split_first().expect("a program has a name");
    let program = program.rsplit('/').next().unwrap_or_default();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match (program, &words[..]) {
        ("systemctl", ["daemon-reload"]) => Ok(()),
        ("systemctl", ["enable", "--now", name] | ["start", name]) => Service::read(name).and_then(|it| it.start()),
        ("systemctl", ["disable", "--now", name] | ["stop", name]) => Service::read(name).and_then(|it| it.stop()),
        ("systemctl", ["restart", name]) => Service::read(name).and_then(|it| it.stop().and_then(|()| it.start())),
        ("journalctl", ["-u", name, ..]) => Service::read(name).and_then(|it| it.show()),
        _ => Err(format!("the stand-in does not know: {program} {words:?}")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{program}: {why}");
            ExitCode::FAILURE
        }
    }
}

/// A unit, as far as it is understood.
struct Service {
    name: String,
    settings: Vec<(String, String)>,
}

/// Prefixes what failed.
fn failed<E: std::fmt::Display>(what: impl std::fmt::Display) -> impl FnOnce(E) -> String {
    move |error| format!("{what}: {error}")
}

impl Service {
    fn read(name: &str) -> Result<Self> {
        let path = format!("/etc/systemd/system/{name}.service");
        let text = fs::read_to_string(&path).map_err(failed(&path))?;
        let settings = text.lines().filter(|line| !line.starts_with(['#', '[']));
        let settings = settings.filter_map(|line| line.split_once('=').map(|(key, value)| (key.into(), value.into())));
        Ok(Self { name: name.into(), settings: settings.collect() })
    }

    fn setting(&self, key: &str) -> Result<&str> {
        let found = self.settings.iter().find(|(name, _)| name == key);
        found.map(|(_, value)| value.as_str()).ok_or_else(|| format!("the unit does not say {key}="))
    }

    fn file(&self, kind: &str) -> PathBuf {
        Path::new("/var/lib").join(format!("{}.{kind}", self.name))
    }

    /// The process of the service, if it runs. It is there until the host's first process has waited for it: before that
    /// some of its threads may still hold the port.
    fn process(&self) -> Option<Pid> {
        let pid = Pid::from_raw(fs::read_to_string(self.file("pid")).ok()?.trim().parse().ok()?)?;
        Path::new(&format!("/proc/{}", pid.as_raw_nonzero())).exists().then_some(pid)
    }

    /// The ids of the service's user and group.
    fn user(&self) -> Result<(u32, u32)> {
        let name = self.setting("User")?;
        let users = fs::read_to_string("/etc/passwd").map_err(failed("/etc/passwd"))?;
        let fields = users.lines().map(|line| line.split(':').collect::<Vec<_>>());
        let mut found = fields.filter(|fields| fields.first() == Some(&name));
        let ids = found.next().and_then(|fields| Some((fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?)));
        ids.ok_or_else(|| format!("there is no user {name}"))
    }

    fn start(&self) -> Result<()> {
        if self.process().is_some() {
            return Ok(());
        }
        let (user, group) = self.user()?;
        let state = Path::new("/var/lib").join(self.setting("StateDirectory")?);
        fs::DirBuilder::new().recursive(true).mode(0o750).create(&state).map_err(failed(state.display()))?;
        chown(&state, Some(user), Some(group)).map_err(failed(state.display()))?;
        let files: u64 = self.setting("LimitNOFILE")?.parse().map_err(failed("LimitNOFILE"))?;
        let most = getrlimit(Resource::Nofile).maximum; // Root in a container may not raise it.
        let files = most.map_or(files, |most| files.min(most));
        setrlimit(Resource::Nofile, Rlimit { current: Some(files), maximum: most }).map_err(failed("LimitNOFILE"))?;
        let mask = u32::from_str_radix(self.setting("UMask")?, 8).map_err(failed("UMask"))?;
        let journal = File::options().create(true).append(true).open(self.file("journal"));
        let journal = journal.map_err(failed("the journal"))?;

        let socket = self.file("notify");
        let _ = fs::remove_file(&socket); // Of an earlier start; if there is none, so much the better.
        let listening = UnixDatagram::bind(&socket).map_err(failed(socket.display()))?;
        fs::set_permissions(&socket, fs::Permissions::from_mode(0o666)).map_err(failed(socket.display()))?;
        rustix::process::umask(rustix::fs::Mode::from_raw_mode(mask));
        let mut words = self.setting("ExecStart")?.split_whitespace();
        let program = words.next().ok_or("ExecStart= is empty")?;
        // For the test, which replays it: what the unit says is the same without.
        let records = self.file("records");
        fs::create_dir_all(&records).map_err(failed(records.display()))?;
        chown(&records, Some(user), Some(group)).map_err(failed(records.display()))?;
        let mut child = Command::new(program)
            .args(words)
            .arg("--record")
            .arg(&records)
            .env_clear()
            .env("NOTIFY_SOCKET", &socket)
            .current_dir("/")
            .uid(user)
            .gid(group)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(journal.try_clone().map_err(failed("the journal"))?)
            .stderr(journal)
            .spawn()
            .map_err(failed(program))?;
        fs::write(self.file("pid"), child.id().to_string()).map_err(failed("the process id"))?;
        if self.setting("Type")? != "notify" {
            return Ok(());
        }
        wait_until_ready(&listening, &mut child)
            .map_err(|why| format!("Job for {0}.service failed: {why}. See \"journalctl -u {0}\".", self.name))
    }

    fn stop(&self) -> Result<()> {
        let Some(pid) = self.process() else { return Ok(()) };
        if self.setting("KillSignal")? != "SIGTERM" {
            return Err("the stand-in knows KillSignal=SIGTERM only".into());
        }
        kill_process(pid, Signal::TERM).map_err(failed("SIGTERM"))?;
        let patience = self.setting("TimeoutStopSec")?.parse().map_err(failed("TimeoutStopSec"))?;
        let deadline = Instant::now() + Duration::from_secs(patience);
        while self.process().is_some() {
            if Instant::now() > deadline {
                kill_process(pid, Signal::KILL).map_err(failed("SIGKILL"))?;
                return Err(format!("{} did not stop within TimeoutStopSec={patience} and was killed", self.name));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    fn show(&self) -> Result<()> {
        print_bytes(&fs::read(self.file("journal")).map_err(failed("the journal"))?);
        Ok(())
    }
}

/// Waits for `READY=1`, as Type=notify says.
fn wait_until_ready(listening: &UnixDatagram, child: &mut std::process::Child) -> Result<()> {
    listening.set_read_timeout(Some(Duration::from_millis(20))).map_err(failed("the notify socket"))?;
    let mut words = [0; 256];
    loop {
        if let Ok(length) = listening.recv(&mut words)
            && words[..length].split(|byte| *byte == b'\n').any(|word| word == b"READY=1")
        {
            return Ok(());
        }
        if let Some(status) = child.try_wait().map_err(failed("the process"))? {
            return Err(status.to_string());
        }
    }
}
