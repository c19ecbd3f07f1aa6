//! Carries the fault [plan](super::plan) out. A step that does not work out is told in the report and fails the demo; the others go on.

use super::plan::{Done, Kill, PLAN, Part, Step};
use super::progress::Progress;
use super::session::CONNECT_PATIENCE;
use crate::client_api::{Changed, Client, Options};
use crate::cluster::{LocalCluster, watch};
use quorate_core::controller::Configuration;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

/// How long a configuration may take to be in force everywhere while nodes are down.
const SETTLE_PATIENCE: Duration = Duration::from_secs(15);
/// How long a killed node stays down.
const DOWN: Duration = Duration::from_millis(1_200);
/// How long a paused node stays paused: longer than an election takes.
const PAUSE: Duration = Duration::from_millis(1_500);
/// How often a kill in mid-move is tried: a move may be over before its end can be struck.
const ATTEMPTS: u32 = 4;

/// Carries the plan out.
pub(super) struct Faults<'a> {
    cluster: &'a mut LocalCluster,
    admin: Client,
    options: Options,
    progress: Arc<Progress>,
    done: Done,
}

impl<'a> Faults<'a> {
    /// Ready to begin.
    pub(super) fn new(cluster: &'a mut LocalCluster, admin: Client, options: Options, progress: Arc<Progress>) -> Self {
        Self { cluster, admin, options, progress, done: Done::default() }
    }

    /// Carries the plan out, its steps spread over `length`; none begins after `cut_off`.
    pub(super) async fn carry_out(mut self, length: Duration, cut_off: Instant) -> Done {
        let begun = Instant::now();
        let pace = length / (PLAN.len() as u32 + 1);
        for (nth, step) in (1..).zip(PLAN) {
            sleep_until((begun + pace * nth).min(cut_off)).await;
            if Instant::now() >= cut_off {
                self.done.troubles.push(format!("no time was left for {step:?}"));
                continue;
            }
            let taken = timeout_at(cut_off, self.take(step)).await;
            if let Err(why) = taken.unwrap_or_else(|_| Err("no time was left".into())) {
                self.progress.note(&format!("this did not work: {why}"));
                self.done.troubles.push(format!("{step:?}: {why}"));
            }
            if let Err(why) = self.revive().await {
                self.done.troubles.push(why);
            }
        }
        self.done
    }

    async fn take(&mut self, step: Step) -> Result<(), String> {
        match step {
            Step::Join(gid) => self.join(gid).await,
            Step::Leave(gid) => self.leave(gid).await,
            Step::KillLeader(gid) => self.kill_leader(gid).await,
            Step::MoveAndKill { from, to, part } => self.move_and_kill(from, to, part).await,
            Step::PauseLeader(gid) => self.pause_leader(gid).await,
            Step::Transfer(gid) => self.transfer(gid).await,
            Step::RoundTrip { home, away } => self.round_trip(home, away).await,
        }
    }

    async fn leader(&self, gid: u64) -> Result<u64, String> {
        let deadline = Instant::now() + SETTLE_PATIENCE;
        loop {
            match watch::leader(&watch::statuses(&self.admin, self.cluster.addresses()).await, gid) {
                Some(leader) => return Ok(leader),
                None if Instant::now() >= deadline => return Err(format!("group {gid} has no leader")),
                None => sleep(Duration::from_millis(50)).await,
            }
        }
    }

    async fn settle(&self) -> Result<Arc<Configuration>, String> {
        watch::settle(&self.admin, self.cluster.addresses(), SETTLE_PATIENCE).await
    }

    /// Starts or resumes whatever a step left down, and whatever fell by itself, which is told.
    async fn revive(&mut self) -> Result<(), String> {
        for (id, status) in self.cluster.fallen().map_err(|error| error.to_string())? {
            self.done.troubles.push(format!("node {id} ended by itself: {status}"));
            self.cluster.start(id).map_err(|error| error.to_string())?;
        }
        self.cluster.resume_all().and_then(|()| self.cluster.start_all()).map_err(|error| error.to_string())
    }

    /// A change is asked for until its answer is known: each of them asks for a state, so that asking twice is harmless.
    async fn change<F>(&mut self, what: &str, ask: impl Fn(Client) -> F) -> Result<Changed, String>
    where
        F: Future<Output = Result<Changed, crate::client_api::Error>>,
    {
        let deadline = Instant::now() + SETTLE_PATIENCE;
        loop {
            match ask(self.admin.clone()).await {
                Ok(changed) => return Ok(changed),
                Err(error) if Instant::now() >= deadline => return Err(format!("{what}: {error}")),
                Err(_) => {
                    sleep(Duration::from_millis(100)).await;
                    self.admin = watch::connect(&self.options, CONNECT_PATIENCE).await?;
                }
            }
        }
    }

    async fn join(&mut self, gid: u64) -> Result<(), String> {
        let groups = self.cluster.layout().groups([gid]);
        self.progress.note(&format!("group {gid} joins: shards move to it"));
        self.change("join", |admin| {
            let groups = groups.clone();
            async move { admin.join(groups).await }
        })
        .await?;
        self.done.joins += 1;
        self.settle().await.map(drop)
    }

    async fn leave(&mut self, gid: u64) -> Result<(), String> {
        self.progress.note(&format!("group {gid} leaves: its shards move to the others"));
        self.change("leave", |admin| async move { admin.leave([gid].into()).await }).await?;
        self.done.leaves += 1;
        self.settle().await.map(drop)
    }

    async fn ask_move(&mut self, shard: u64, to: u64) -> Result<(), String> {
        self.change("move", |admin| async move { admin.move_shard(shard, to).await }).await?;
        self.done.moves_asked += 1;
        Ok(())
    }

    async fn a_shard_of(&self, gid: u64) -> Result<u64, String> {
        let config = self.settle().await?;
        let owned =
            (0..).zip(&config.shards).filter(|(_, shard)| shard.owner.is_some_and(|owner| owner.gid.get() == gid));
        let owned: Vec<u64> = owned.map(|(shard, _)| shard).collect();
        owned.get(fastrand::usize(0..owned.len().max(1))).copied().ok_or_else(|| format!("group {gid} owns no shard"))
    }

    fn kill(&mut self, node: u64) -> Result<(), String> {
        match self.cluster.kill(node) {
            Ok(true) => Ok(()),
            Ok(false) => Err(format!("node {node} had ended before it was killed")),
            Err(error) => Err(error.to_string()),
        }
    }

    async fn kill_leader(&mut self, gid: u64) -> Result<(), String> {
        let node = self.leader(gid).await?;
        self.kill(node)?;
        self.progress.note(&format!("killed node {node}, which led group {gid}"));
        self.done.kills.push(Kill { node, part: Part::Leader, mid_move: false });
        self.restart(node).await
    }

    async fn restart(&mut self, node: u64) -> Result<(), String> {
        sleep(DOWN).await;
        self.cluster.start(node).map_err(|error| error.to_string())?;
        self.progress.note(&format!("restarted node {node}"));
        Ok(())
    }

    /// Moves shards until one end of a move was killed before the move was over.
    async fn move_and_kill(&mut self, from: u64, to: u64, part: Part) -> Result<(), String> {
        for _ in 0..ATTEMPTS {
            let shard = self.a_shard_of(from).await?;
            let gid = match part {
                Part::Source | Part::Leader => from,
                Part::Target => to,
                Part::Controller => 0,
            };
            let node = self.leader(gid).await?;
            self.ask_move(shard, to).await?;
            self.kill(node)?;
            let statuses = watch::statuses(&self.admin, self.cluster.addresses()).await;
            let mid_move = watch::in_mid_move(&statuses, to, shard);
            self.done.kills.push(Kill { node, part, mid_move });
            let whom = match part {
                Part::Source | Part::Leader => "the leader of its source",
                Part::Target => "the leader of its target",
                Part::Controller => "the leader of the controller",
            };
            let when = if mid_move { "under way" } else { "just over" };
            self.progress
                .note(&format!("shard {shard} moves from group {from} to {to}; killed node {node}, {whom}: {when}"));
            self.restart(node).await?;
            self.settle().await?;
            if mid_move || part == Part::Controller {
                return Ok(());
            }
        }
        Err(format!("every move was over before its {part:?} could be killed"))
    }

    /// A paused leader does not know that it was replaced, and must not answer from what it had.
    async fn pause_leader(&mut self, gid: u64) -> Result<(), String> {
        let node = self.leader(gid).await?;
        self.cluster.pause(node).map_err(|error| error.to_string())?;
        self.progress.note(&format!("paused node {node}, which leads group {gid}"));
        sleep(PAUSE).await;
        self.cluster.resume(node).map_err(|error| error.to_string())?;
        self.progress.note(&format!("node {node} goes on, unaware"));
        self.done.pauses += 1;
        Ok(())
    }

    async fn transfer(&mut self, gid: u64) -> Result<(), String> {
        let leader = self.leader(gid).await?;
        let to = self.cluster.layout().group_nodes(gid).into_iter().find(|node| *node != leader);
        let to = to.ok_or("the group has one node")?;
        self.admin.transfer(gid, to).await.map_err(|error| format!("transfer: {error}"))?;
        self.progress.note(&format!("node {leader} hands the leadership of group {gid} to node {to}"));
        self.done.transfers += 1;
        Ok(())
    }

    /// Shards go and come back while the first of them are still on their way: copies of several ages exist at once.
    async fn round_trip(&mut self, home: u64, away: u64) -> Result<(), String> {
        let (first, second) = (self.a_shard_of(home).await?, self.a_shard_of(away).await?);
        self.progress
            .note(&format!("shards {first} and {second} change places between groups {home} and {away}, and back"));
        for (shard, to) in [(first, away), (second, home), (first, home), (second, away)] {
            self.ask_move(shard, to).await?;
        }
        self.settle().await.map(drop)
    }
}
