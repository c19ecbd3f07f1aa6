//! `quorate demo`: a cluster of real processes, clients at work, faults under way, and a history that is judged.
//!
//! The demo believes nothing it is told by itself: what counts is the history file, read back and handed to the judges,
//! and whether enough happened for their verdict to mean something. It can fail: see [`sabotage`].

mod audit;
mod faults;
mod findings;
mod moves;
mod place;
mod plan;
mod progress;
mod recorder;
mod report;
mod sabotage;
mod session;
mod tokens;
mod workload;

use crate::cli::{Failure, Report};
use crate::client_api::{Client, Options};
use crate::cluster::{Layout, LocalCluster, Settings, watch};
use crate::history;
use clap::Args;
use faults::Faults;
use findings::{Findings, Totals};
use place::Place;
use plan::Done;
use progress::Progress;
use quorate_core::controller::Configuration;
use quorate_spec::history::Operation;
use quorate_spec::ids::ConfigNum;
use recorder::Recorder;
use sabotage::Sabotage;
use session::{Counters, Shared};
use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::Instant;
use workload::{Contents, Workload};

/// Three groups at first; the nodes of the fourth are spare until it joins.
const LAYOUT: Layout = Layout { controllers: 3, groups: 4, nodes_per_group: 3, shards: 64 };
const FIRST_GROUPS: u64 = 3;
/// How long the cluster may take to be ready, at the beginning and after the restart.
const READY: Duration = Duration::from_secs(20);
/// After this much of the whole run the load ends, reached or not: the rest needs its time too.
const CUT_OFF: Duration = Duration::from_secs(64);
/// How long a client tries before it reports an unknown outcome.
const DEADLINE: Duration = Duration::from_secs(10);
/// The load goes on until so many operations were answered.
const ENOUGH: u64 = 20_500;

/// The only reason to end early that is nobody's fault.
const INTERRUPTED: &str = "interrupted";

/// Arguments of demo.
#[derive(Clone, Debug, Args)]
pub struct DemoArgs {
    /// How long the clients work at least; the fault plan is spread over it.
    #[arg(long, default_value_t = 38, value_parser = clap::value_parser!(u64).range(1..=60))]
    seconds: u64,
    /// Clients that work at the same time, each in a session of its own.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=256))]
    clients: u16,
    /// Keep data, logs, history and records of what the nodes were given in this new or empty directory.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Let the clients lie, to see the demo fail.
    #[arg(long, hide = true, value_enum)]
    sabotage: Option<Sabotage>,
}

/// Runs the demo. Ctrl-C ends it and leaves no process behind.
pub(crate) async fn run(arguments: DemoArgs) -> Result<Report, Failure> {
    let place = Place::make(arguments.keep.as_deref())?;
    let counters = Arc::new(Counters::default());
    let progress = Progress::new(Arc::clone(&counters));
    let drawing = tokio::spawn(Arc::clone(&progress).keep_drawing());
    let performed = tokio::select! {
        performed = perform(&arguments, &place, &counters, &progress) => performed,
        () = interrupted() => Err(INTERRUPTED.into()),
    };
    drawing.abort();
    progress.clear();
    if performed.as_ref().is_err_and(|why| why == INTERRUPTED) {
        place.abandon();
        return Err(Failure::told("the demo was interrupted: it proves nothing"));
    }
    let next = format!("read the logs in {}", place.directory().display());
    let findings = performed.map_err(|why| Failure::new(format!("the demo did not come to its end: {why}"), next))?;
    if findings.hold() {
        place.tidy_up();
    }
    Ok(Report::new(findings.json(), findings.text()).failed_if(!findings.hold()))
}

/// Returns on Ctrl-C or when asked to stop.
async fn interrupted() {
    let Ok(mut terminated) = signal(SignalKind::terminate()) else { return std::future::pending().await };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => (),
        _ = terminated.recv() => (),
    }
}

/// A running demo.
struct Stage<'a> {
    arguments: &'a DemoArgs,
    cluster: LocalCluster,
    shared: Shared,
    keys: Arc<Vec<Vec<u8>>>,
    progress: &'a Arc<Progress>,
    /// The configuration in force when the load had ended.
    last_config: ConfigNum,
    troubles: Vec<String>,
}

async fn perform(
    arguments: &DemoArgs,
    place: &Place,
    counters: &Arc<Counters>,
    progress: &Arc<Progress>,
) -> Result<Findings, String> {
    let told = |error: std::io::Error| error.to_string();
    let mut settings = Settings::here(place.directory().to_path_buf(), LAYOUT).map_err(told)?;
    if arguments.keep.is_some() {
        settings.arguments.extend(["--record".into(), place.records().display().to_string()]);
    }
    let cluster = LocalCluster::new(settings).map_err(told)?;
    let recorder = Arc::new(Recorder::create(&place.history()).map_err(told)?);
    let options = Options { deadline: DEADLINE, ..Options::new(cluster.seeds()) };
    let counters = Arc::clone(counters);
    let shared = Shared { options, recorder, counters, sabotage: arguments.sabotage };
    let keys = Arc::new(tokens::keys(LAYOUT.shards));
    let mut stage =
        Stage { arguments, cluster, shared, keys, progress, last_config: ConfigNum::ZERO, troubles: Vec::new() };

    let admin = stage.start().await?;
    let done = stage.load(admin).await?;
    let killed_at_end = stage.restart_everything().await?;
    let (configs, contents) = stage.read_back().await;
    let operations = stage.read_history(place)?;
    progress.phase(5, Duration::from_secs(3));
    stage.find(done, killed_at_end, &configs, &contents, operations, place).await
}

impl Stage<'_> {
    /// Starts every process, and lets the first groups join.
    async fn start(&mut self) -> Result<Client, String> {
        self.progress.phase(0, Duration::from_secs(5));
        self.cluster.start_all().map_err(|error| error.to_string())?;
        let admin = watch::connect(&self.shared.options, READY).await?;
        watch::all_answer(&admin, self.cluster.addresses(), READY).await?;
        let groups = LAYOUT.groups(1..FIRST_GROUPS + 1);
        watch::join(&admin, &groups, READY).await?;
        watch::settle(&admin, self.cluster.addresses(), READY).await?;
        let count = LAYOUT.nodes().count();
        self.progress.note(&format!("{count} processes are up: 3 controllers, groups 1 to {FIRST_GROUPS}, 3 spare"));
        Ok(admin)
    }

    /// Clients work while the fault plan is carried out, and until they have done enough.
    async fn load(&mut self, admin: Client) -> Result<Done, String> {
        let length = Duration::from_secs(self.arguments.seconds);
        self.progress.phase(1, length);
        let begun = Instant::now();
        let cut_off = begun + CUT_OFF.saturating_sub(self.progress.elapsed());
        let workload = Workload::start(&self.shared, &self.keys, self.arguments.clients).await?;
        let options = self.shared.options.clone();
        let faults = Faults::new(&mut self.cluster, admin, options, Arc::clone(self.progress));
        let mut done = faults.carry_out(length, cut_off).await;
        let enough = || self.shared.counters.answered.load(Relaxed) >= ENOUGH && begun.elapsed() >= length;
        while !enough() && Instant::now() < cut_off {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        self.troubles.append(&mut done.troubles);
        self.troubles.extend(workload.stop().await);
        let admin = watch::connect(&self.shared.options, READY).await?;
        match watch::settle(&admin, self.cluster.addresses(), READY).await {
            Ok(config) => self.last_config = config.num,
            Err(why) => self.trouble(format!("when the load had ended: {why}")),
        }
        Ok(done)
    }

    /// Kills every process at once and starts all of them again. Whatever does not come back is a finding, not an end.
    async fn restart_everything(&mut self) -> Result<u64, String> {
        self.progress.phase(2, Duration::from_secs(5));
        let killed = self.cluster.kill_all().map_err(|error| error.to_string())?;
        self.progress.note(&format!("killed all {killed} processes at once"));
        self.cluster.start_all().map_err(|error| error.to_string())?;
        if let Err(why) = self.come_back().await {
            self.trouble(format!("after the restart of everything: {why}"));
        }
        Ok(killed)
    }

    /// Waits until every node answers and the last configuration is in force again.
    async fn come_back(&self) -> Result<(), String> {
        let admin = watch::connect(&self.shared.options, READY).await?;
        watch::all_answer(&admin, self.cluster.addresses(), READY).await?;
        let config = watch::settle(&admin, self.cluster.addresses(), READY).await?;
        if config.num < self.last_config {
            return Err(format!("the controller fell back from configuration {} to {}", self.last_config, config.num));
        }
        Ok(())
    }

    /// Reads every key, and every configuration that there was; as much as can be read.
    async fn read_back(&mut self) -> (Vec<Arc<Configuration>>, Contents) {
        self.progress.phase(3, Duration::from_secs(1));
        let contents = workload::read_back(&self.shared, &self.keys).await;
        let unread = self.keys.len() - contents.len();
        if unread > 0 {
            self.trouble(format!("{unread} of {} keys could not be read back", self.keys.len()));
        }
        let configs = self.configurations().await;
        (configs.map_err(|why| self.trouble(why)).unwrap_or_default(), contents)
    }

    async fn configurations(&self) -> Result<Vec<Arc<Configuration>>, String> {
        let admin = watch::connect(&self.shared.options, READY).await?;
        let query = async |num| admin.query(num).await.map_err(|error| format!("query: {error}"));
        let last = query(None).await?.num.get();
        let mut configs = Vec::new();
        for num in 0..=last {
            configs.push(query(Some(num)).await?);
        }
        Ok(configs)
    }

    fn trouble(&mut self, what: String) {
        self.progress.note(&format!("trouble: {what}"));
        self.troubles.push(what);
    }

    /// From here on only the file counts.
    fn read_history(&self, place: &Place) -> Result<Vec<Operation>, String> {
        self.progress.phase(4, Duration::from_secs(1));
        self.shared.recorder.finish().map_err(|error| format!("the history cannot be written: {error}"))?;
        let file = File::open(place.history()).map_err(|error| format!("the history cannot be opened: {error}"))?;
        history::read(BufReader::new(file)).map_err(|error| error.to_string())
    }

    async fn find(
        &mut self,
        done: Done,
        killed_at_end: u64,
        configs: &[Arc<Configuration>],
        contents: &Contents,
        operations: Vec<Operation>,
        place: &Place,
    ) -> Result<Findings, String> {
        let (totals, lost) = (Totals::of(&operations), audit::lost_writes(&operations, contents));
        let judging = tokio::task::spawn_blocking(move || history::judge(&operations));
        let judgement = judging.await.map_err(|error| format!("a judge broke off: {error}"))?;
        for (id, status) in self.cluster.fallen().unwrap_or_default() {
            self.troubles.push(format!("node {id} ended by itself: {status}"));
        }
        let longest_wait = Duration::from_nanos(self.shared.counters.longest_wait.load(Relaxed));
        Ok(Findings {
            judgement,
            totals,
            shards: LAYOUT.shards,
            processes: LAYOUT.nodes().count() as u64,
            clients: self.arguments.clients,
            keys: self.keys.len(),
            done,
            moves: moves::between_disjoint_groups(configs),
            kills: self.cluster.kills(),
            killed_at_end,
            longest_pause_ms: longest_wait.as_secs_f64() * 1e3,
            lost,
            troubles: std::mem::take(&mut self.troubles),
            seconds: self.progress.elapsed().as_secs_f64(),
            history: place.history(),
        })
    }
}
