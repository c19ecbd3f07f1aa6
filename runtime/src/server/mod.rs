//! A running node: everything opened, put together, announced, and taken apart again in good order.
//!
//! The order matters. The port is bound first (a node that cannot have it must not touch the data directory), then the
//! directory is locked and recovered, and only a node that stands is announced as ready.

mod disk;
mod notify;
pub mod retention;
mod traced;
mod usage;

use crate::config::NodeConfig;
use crate::driver::{Driver, Ending, Event};
use crate::record::{Recorded, Recorder};
use crate::trace;
use crate::transport::{Deliver, Identity, Listener, Peers, reach};
use disk::Opened;
use quorate_core::effect::Halt;
use quorate_core::input::Restarted;
use quorate_core::message::PeerRefusal;
use quorate_core::node::Node;
use quorate_spec::ids::NodeId;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::runtime::{self, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use traced::{Trace, Traced};

/// How long the last answers may take to leave.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// As many file descriptors as are of use.
const DESCRIPTORS: u64 = 65_536;

/// Why a node could not start or had to stop, in one line that says what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerError(String);

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ServerError {}

/// Runs a node on this thread until it is told to stop (SIGTERM or SIGINT: it hands its leaderships over first), or must.
///
/// # Errors
/// It cannot start: the port, the data directory; or the cluster refuses it. A failed write of the log ends the process
/// at once instead: nothing may be said after it.
pub fn run(config: &NodeConfig) -> Result<(), ServerError> {
    trace::init(config.log, config.log_level);
    raise_descriptors();
    let runtime = start_runtime()?;
    let socket = runtime.block_on(bind(&config.listen))?;
    let address = advertised(config, &socket)?;
    let (sender, inbox) = unbounded_channel();
    let Opened { me, durable, storage } = disk::open(config, &sender).map_err(ServerError)?;

    let identity = Arc::new(Identity { cluster: config.cluster.clone(), me, address: address.clone() });
    let mut peers = Peers::new(Arc::clone(&identity), deliver(sender.clone()), runtime.handle().clone());
    let pins = peers.pins();
    for (node, address) in &config.controllers {
        peers.set_address(*node, address);
    }
    let restarted = Restarted {
        me,
        address: address.as_str().into(),
        controllers: config.controllers.iter().map(|(node, at)| (*node, at.as_str().into())).collect(),
        shards: config.shards,
        durable,
    };
    let recorder = record(config, &restarted);
    let trace = config.trace.as_deref().map(|folder| Trace::open(folder, me.node, &restarted.durable)).transpose()?;
    let (node, effects) = Node::new(restarted, config.limits.clone());
    let node = Traced::new(Recorded::new(node, &effects, recorder), &effects, trace);
    let driver = Driver::new(me, node, storage, peers, config.election);

    runtime.spawn(Listener::new(Arc::clone(&identity), pins, deliver(sender.clone())).run(socket));
    runtime.spawn(reach::check(identity));
    runtime.block_on(async { stop_on_signals(sender) })?;
    let data = config.data.display();
    tracing::info!(node = me.node.get(), %address, %data, boot = me.boot.get(), "ready");
    notify::tell(notify::READY);
    // Spawned, so that it takes its turn behind the connections that are ready: see `start_runtime`.
    let driven = runtime.block_on(async { tokio::spawn(driver.run(effects, inbox)).await });
    let (ending, storage) = driven.map_err(|error| ServerError(format!("the node broke off: {error}")))?;
    finish(ending, me.node, storage, runtime)
}

/// Begins the record of this run, if one is wanted. A node that cannot be recorded runs all the same.
fn record(config: &NodeConfig, restarted: &Restarted) -> Option<Recorder> {
    let directory = config.record.as_ref()?;
    let begun = Recorder::begin(directory, config.record_bytes, restarted, &config.limits);
    begun.inspect_err(|error| tracing::warn!(%error, directory = %directory.display(), "this run is not recorded")).ok()
}

/// Lets the last answers out and the last writes finish.
fn finish(ending: Ending, me: NodeId, storage: disk::NodeDisk, runtime: Runtime) -> Result<(), ServerError> {
    match ending {
        Ending::Halted(halt) => {
            runtime.shutdown_background();
            Err(ServerError(explain(halt, me)))
        }
        Ending::Deserted => Err(ServerError("the node's threads ended: this is a bug, please report it".to_owned())),
        Ending::Shutdown => {
            let_out(&runtime);
            // Nobody is served any more: clients and peers are to notice at once, not when the last write is done.
            runtime.shutdown_background();
            storage.close();
            tracing::info!("stopped");
            Ok(())
        }
    }
}

/// Runs the connections for as long as the last answers may take: nobody else does, where they share this thread.
fn let_out(runtime: &Runtime) {
    runtime.block_on(async { tokio::time::sleep(LAST_WORDS).await });
}

/// From how many cores on the network gets threads of its own.
const CORES_FOR_NETWORK: usize = 8;
/// How many tasks run before the sockets are looked at again: all that one look made ready, as a rule.
const TASKS_PER_LOOK: u32 = 1024;

/// The thread of the network, which is the driver's too. A request then wakes nobody on its way to the node and back,
/// which on few cores is worth more than doing both at once; on many there are threads that mostly move bytes. Tasks
/// run in the order in which they became ready: everything that one look at the sockets found is read before the driver
/// takes it in as one batch, and all answers leave before the next look.
fn start_runtime() -> Result<Runtime, ServerError> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut builder = match cores {
        ..CORES_FOR_NETWORK => runtime::Builder::new_current_thread(),
        _ => runtime::Builder::new_multi_thread(),
    };
    if cores >= CORES_FOR_NETWORK {
        builder.worker_threads((cores / 4).min(4));
    }
    builder.event_interval(TASKS_PER_LOOK).thread_name("quorate-net").enable_all().build().map_err(|error| {
        ServerError(format!("cannot start threads: {error}; raise the limit of processes (ulimit -u)"))
    })
}

/// Takes all the file descriptors that the process may have, if they are a sensible number: connections need one each, and
/// the log must never be left without.
fn raise_descriptors() {
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.unwrap_or(DESCRIPTORS).min(DESCRIPTORS);
    if limit.current.is_some_and(|current| current < most)
        && let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: Some(most), ..limit })
    {
        tracing::warn!(%error, "cannot raise the limit of open files: fewer connections are taken");
    }
}

/// Binds the port, or says why not.
async fn bind(listen: &str) -> Result<TcpListener, ServerError> {
    TcpListener::bind(listen).await.map_err(|error| {
        let remedy = match error.kind() {
            io::ErrorKind::AddrInUse => "another process has it: stop that one, or give another --listen",
            io::ErrorKind::AddrNotAvailable => "it is no address of this machine: correct --listen",
            io::ErrorKind::PermissionDenied => "ports below 1024 need privileges: give another --listen",
            _ => "correct --listen",
        };
        ServerError(format!("cannot listen on {listen} ({error}): {remedy}"))
    })
}

/// Where others reach this node: as told, as the controller's members are told, or where it listens.
fn advertised(config: &NodeConfig, socket: &TcpListener) -> Result<String, ServerError> {
    if let Some(address) = config.advertise.as_ref().or_else(|| config.controllers.get(&config.id)) {
        return Ok(address.clone());
    }
    let bound = socket.local_addr().map_err(|error| ServerError(format!("cannot tell the bound address: {error}")))?;
    if bound.ip().is_unspecified() {
        return Err(ServerError(format!(
            "--listen {} is every address of this machine: give --advertise HOST:PORT, where other nodes reach it",
            config.listen
        )));
    }
    Ok(SocketAddr::to_string(&bound))
}

/// Arrivals become events.
fn deliver(sender: UnboundedSender<Event>) -> Deliver {
    // A closed channel means that the driver has ended: nothing that arrives matters any more.
    Arc::new(move |arrival| drop(sender.send(Event::Arrived(arrival))))
}

/// The first SIGTERM or SIGINT begins a farewell, the second ends the process at once.
fn stop_on_signals(sender: UnboundedSender<Event>) -> Result<(), ServerError> {
    let failed = |error| ServerError(format!("cannot handle signals: {error}"));
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    tokio::spawn(async move {
        for attempt in 0.. {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if attempt > 0 {
                tracing::warn!("told to stop again: ending at once");
                std::process::exit(1);
            }
            tracing::info!("stopping: handing leaderships over");
            notify::tell(notify::STOPPING);
            drop(sender.send(Event::Shutdown));
        }
    });
    Ok(())
}

/// Why the node `me` must stop, and what to do.
fn explain(halt: Halt, me: NodeId) -> String {
    let Halt::Refused { by, reason } = halt;
    // It may have found out by itself, from the cluster's directory.
    let by = if by == me { "the cluster".to_owned() } else { format!("node {}", by.get()) };
    match reason {
        PeerRefusal::OtherStamp => format!(
            "{by} knows this id with another data directory: start this one under a new --id, or put back the \
             directory that the id belongs to"
        ),
        PeerRefusal::OlderBoot { seen } => format!(
            "{by} has met a later run of this data directory (boot {}): this one is an old copy, or a second copy is \
             running; keep the newest only, and give any other an empty directory and a new --id",
            seen.get()
        ),
        PeerRefusal::OtherBootstrap => {
            format!("{by} was started with another --shards or other --controllers: give the same on every node")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_answers_leave_before_the_end() {
        let runtime = start_runtime().expect("threads");
        let answer = runtime.spawn(tokio::task::yield_now());
        let_out(&runtime);
        assert!(answer.is_finished(), "connections go on meanwhile");
    }

    #[tokio::test]
    async fn a_port_in_use_is_one_clear_line() {
        let taken = bind("127.0.0.1:0").await.expect("a free port");
        let address = taken.local_addr().expect("bound").to_string();
        let error = bind(&address).await.expect_err("in use").to_string();
        assert!(
            error.contains(&address) && error.contains("give another --listen") && !error.contains('\n'),
            "{error}"
        );
        let error = bind("192.0.2.1:0").await.expect_err("foreign").to_string();
        assert!(error.contains("no address of this machine"), "{error}");
    }
}
