//! A cluster of child processes on this machine: `quorate up`, the demo and the process tests share it.
//!
//! It starts, kills, pauses and restarts `quorate node`s and reads nothing of theirs but their logs: whatever it knows
//! of the cluster's state it asks through the client (see [`watch`]). Dropping it kills every child and waits for it.
//! Start nodes from a thread that lives as long as the cluster: a child ends with the thread that started it.

mod child;
mod layout;
pub mod ports;
pub mod watch;

pub use child::{DIE_WITH_PARENT, die_with_parent};
pub use layout::Layout;

use child::Process;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

/// How long a node may take to stop when asked to.
const STOP_PATIENCE: Duration = Duration::from_secs(8);

/// How to make a local cluster.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The program to run as `PROGRAM node ..`.
    pub program: PathBuf,
    /// Where data and logs go: `node-ID/` and `node-ID.log`.
    pub directory: PathBuf,
    /// The nodes.
    pub layout: Layout,
    /// Where they listen, in the order of the nodes.
    pub addresses: Vec<String>,
    /// The cluster's name, if it is not the default.
    pub cluster: Option<String>,
    /// More arguments for every node.
    pub arguments: Vec<String>,
}

impl Settings {
    /// This very program, in `directory`, on ports that are free now.
    ///
    /// # Errors
    /// The running program cannot be found, or there are no ports.
    pub fn here(directory: PathBuf, layout: Layout) -> io::Result<Self> {
        let addresses = ports::here(&ports::free(layout.nodes().count())?);
        Ok(Self {
            program: std::env::current_exe()?,
            directory,
            layout,
            addresses,
            cluster: None,
            arguments: Vec::new(),
        })
    }
}

/// A cluster of child processes.
#[derive(Debug)]
pub struct LocalCluster {
    settings: Settings,
    addresses: BTreeMap<u64, String>,
    running: BTreeMap<u64, Process>,
    kills: u64,
}

impl LocalCluster {
    /// A cluster of which nothing runs yet. Makes the directory; data that is there is used.
    ///
    /// # Errors
    /// The layout cannot work, the addresses are too few or the directory cannot be made.
    pub fn new(settings: Settings) -> io::Result<Self> {
        settings.layout.check().map_err(io::Error::other)?;
        if settings.addresses.len() < settings.layout.nodes().count() {
            return Err(io::Error::other("fewer addresses than nodes"));
        }
        std::fs::create_dir_all(&settings.directory)?;
        let addresses = settings.layout.nodes().zip(settings.addresses.iter().cloned()).collect();
        Ok(Self { settings, addresses, running: BTreeMap::new(), kills: 0 })
    }

    /// The nodes.
    pub fn layout(&self) -> Layout {
        self.settings.layout
    }

    /// Where everything is.
    pub fn directory(&self) -> &Path {
        &self.settings.directory
    }

    /// What a node says goes here.
    pub fn log_path(&self, id: u64) -> PathBuf {
        self.settings.directory.join(format!("node-{id}.log"))
    }

    /// A node's data.
    pub fn data_path(&self, id: u64) -> PathBuf {
        self.settings.directory.join(format!("node-{id}"))
    }

    /// The addresses of all nodes.
    pub fn addresses(&self) -> &BTreeMap<u64, String> {
        &self.addresses
    }

    /// Where clients begin: the controller's members.
    pub fn seeds(&self) -> Vec<String> {
        self.settings.layout.controller_nodes().filter_map(|id| self.addresses.get(&id).cloned()).collect()
    }

    /// How many waits for a child ended by signal 9.
    pub fn kills(&self) -> u64 {
        self.kills
    }

    fn arguments(&self, id: u64, address: &str) -> Vec<String> {
        let controllers: Vec<String> = self
            .settings
            .layout
            .controller_nodes()
            .filter_map(|id| self.addresses.get(&id).map(|address| format!("{id}={address}")))
            .collect();
        let mut arguments = vec![
            "node".into(),
            "--data".into(),
            self.data_path(id).display().to_string(),
            "--listen".into(),
            address.into(),
            "--advertise".into(),
            address.into(),
            "--id".into(),
            id.to_string(),
            "--controllers".into(),
            controllers.join(","),
            "--shards".into(),
            self.settings.layout.shards.to_string(),
        ];
        if let Some(cluster) = &self.settings.cluster {
            arguments.extend(["--cluster".into(), cluster.clone()]);
        }
        arguments.extend(self.settings.arguments.iter().cloned());
        arguments
    }

    /// Starts a node that does not run.
    ///
    /// # Errors
    /// There is no such node, it runs, or the process cannot be started.
    pub fn start(&mut self, id: u64) -> io::Result<()> {
        let address = self.addresses.get(&id).ok_or_else(|| unknown(id))?;
        if let Some(process) = self.running.get_mut(&id)
            && process.ended()?.is_none()
        {
            return Err(io::Error::other(format!("node {id} runs already")));
        }
        let process = Process::start(&self.settings.program, &self.arguments(id, address), &self.log_path(id))?;
        self.running.insert(id, process);
        Ok(())
    }

    /// Starts every node that does not run.
    ///
    /// # Errors
    /// A process cannot be started.
    pub fn start_all(&mut self) -> io::Result<()> {
        for id in self.settings.layout.nodes() {
            if !self.running.contains_key(&id) {
                self.start(id)?;
            }
        }
        Ok(())
    }

    /// The process of a node that runs.
    ///
    /// # Errors
    /// The node does not run.
    pub fn pid(&self, id: u64) -> io::Result<u32> {
        self.running.get(&id).map(Process::id).ok_or_else(|| not_running(id))
    }

    /// SIGKILL, and waits for the end. True if that is what ended it.
    ///
    /// # Errors
    /// The node does not run.
    pub fn kill(&mut self, id: u64) -> io::Result<bool> {
        let mut process = self.running.remove(&id).ok_or_else(|| not_running(id))?;
        process.strike()?;
        let killed = process.wait_killed()?;
        self.kills += u64::from(killed);
        Ok(killed)
    }

    /// SIGKILL for all at once: every process is struck before the first is waited for. Returns how many it ended.
    ///
    /// # Errors
    /// A signal cannot be sent.
    pub fn kill_all(&mut self) -> io::Result<u64> {
        for process in self.running.values_mut() {
            process.strike()?;
        }
        let mut killed = 0;
        for process in std::mem::take(&mut self.running).into_values() {
            killed += u64::from(process.wait_killed()?);
        }
        self.kills += killed;
        Ok(killed)
    }

    /// SIGTERM, and waits for the end.
    ///
    /// # Errors
    /// The node does not run.
    pub fn stop(&mut self, id: u64) -> io::Result<ExitStatus> {
        let mut process = self.running.remove(&id).ok_or_else(|| not_running(id))?;
        process.ask_to_stop()?;
        process.wait_stopped(STOP_PATIENCE)
    }

    /// SIGTERM for all, and waits for every end.
    ///
    /// # Errors
    /// A signal cannot be sent.
    pub fn stop_all(&mut self) -> io::Result<()> {
        for process in self.running.values_mut() {
            process.ask_to_stop()?;
        }
        for mut process in std::mem::take(&mut self.running).into_values() {
            process.wait_stopped(STOP_PATIENCE)?;
        }
        Ok(())
    }

    /// SIGSTOP: the node stays connected and answers nothing.
    ///
    /// # Errors
    /// The node does not run.
    pub fn pause(&mut self, id: u64) -> io::Result<()> {
        self.running.get_mut(&id).ok_or_else(|| not_running(id))?.pause()
    }

    /// SIGCONT.
    ///
    /// # Errors
    /// The node does not run.
    pub fn resume(&mut self, id: u64) -> io::Result<()> {
        self.running.get_mut(&id).ok_or_else(|| not_running(id))?.resume()
    }

    /// SIGCONT for every node that is paused.
    ///
    /// # Errors
    /// A signal cannot be sent.
    pub fn resume_all(&mut self) -> io::Result<()> {
        self.running.values_mut().try_for_each(Process::resume)
    }

    /// Nodes that ended though nobody asked them to, and how. A healthy cluster has none.
    ///
    /// # Errors
    /// A process cannot be looked at.
    pub fn fallen(&mut self) -> io::Result<Vec<(u64, ExitStatus)>> {
        let mut fallen = Vec::new();
        for (id, process) in &mut self.running {
            fallen.extend(process.ended()?.map(|status| (*id, status)));
        }
        Ok(fallen)
    }
}

impl Drop for LocalCluster {
    /// Leaves no process behind; there is nobody left to tell about a failure.
    fn drop(&mut self) {
        if let Err(error) = self.kill_all() {
            eprintln!("a node could not be stopped: {error}");
        }
    }
}

fn unknown(id: u64) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("there is no node {id}"))
}

fn not_running(id: u64) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("node {id} does not run"))
}

#[cfg(test)]
mod tests;
