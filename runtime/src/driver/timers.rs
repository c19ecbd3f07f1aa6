//! When named timers are due. The core names them; how long they take is decided here and nowhere else.
//!
//! Arming anew is the common case (an election timer with every append), so it only notes the new deadline; the queue
//! entry of the old one is moved when it comes up.

use crate::mutants::mutant;
use quorate_core::effect::TimerChange;
use quorate_core::input::Timer;
use quorate_core::raft;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::{Duration, Instant};

/// How often a data group's leader looks after its migrations.
const DRIVE: Duration = Duration::from_millis(25);
/// How often a node asks the controller for news.
const POLL: Duration = Duration::from_millis(50);

/// All armed timers of a node.
#[derive(Debug)]
pub(super) struct Timers {
    /// One election time-out.
    election: Duration,
    armed: BTreeMap<Timer, Armed>,
    /// The earliest entry of a timer is the one that counts; others are left over.
    queue: BinaryHeap<Reverse<(Instant, Timer)>>,
}

#[derive(Clone, Copy, Debug)]
struct Armed {
    /// When it is due; `None`: disarmed.
    due: Option<Instant>,
    /// The queue entry that counts, at most `due`.
    queued: Option<Instant>,
    /// A late election time-out was put off once already.
    spared: bool,
}

impl Timers {
    /// Nothing armed; `election` is the election time-out.
    pub(super) fn new(election: Duration) -> Self {
        Self { election, armed: BTreeMap::new(), queue: BinaryHeap::new() }
    }

    /// Starts or stops a timer.
    pub(super) fn change(&mut self, change: TimerChange, now: Instant) {
        match change {
            TimerChange::Arm(timer) => {
                let due = now + self.draw(timer);
                self.set(timer, due, false);
            }
            TimerChange::Disarm(_) if mutant!(TimerNotDisarmed) => {}
            TimerChange::Disarm(timer) => {
                if let Some(armed) = self.armed.get_mut(&timer) {
                    armed.due = None;
                }
            }
        }
    }

    /// When to look again; `None`: nothing is armed.
    pub(super) fn next(&self) -> Option<Instant> {
        self.queue.peek().map(|Reverse((at, _))| *at)
    }

    /// A timer that is due; it is disarmed by being told.
    pub(super) fn pop(&mut self, now: Instant) -> Option<Timer> {
        loop {
            let Reverse((at, timer)) = *self.queue.peek().filter(|Reverse((at, _))| *at <= now)?;
            self.queue.pop();
            let Some(armed) = self.armed.get_mut(&timer).filter(|armed| armed.queued == Some(at)) else {
                continue;
            };
            armed.queued = None;
            let Some(due) = armed.due else {
                self.armed.remove(&timer);
                continue;
            };
            if due > now {
                let spared = armed.spared;
                self.set(timer, due, spared);
            } else if is_election(timer) && !armed.spared && now - due > self.election / 4 {
                // This process was not running when the timer was due (starved, stopped): what the leader said in the
                // meantime may be waiting to be read. Let it arrive before concluding that there is no leader.
                let due = now + self.election / 4;
                self.set(timer, due, true);
            } else {
                self.armed.remove(&timer);
                return Some(timer);
            }
        }
    }

    fn set(&mut self, timer: Timer, due: Instant, spared: bool) {
        let armed = self.armed.entry(timer).or_insert(Armed { due: None, queued: None, spared });
        armed.due = Some(due);
        armed.spared = spared;
        if armed.queued.is_none_or(|queued| due < queued) {
            armed.queued = Some(due);
            self.queue.push(Reverse((due, timer)));
        }
    }

    fn draw(&self, timer: Timer) -> Duration {
        match timer {
            Timer::Raft { timer: raft::Timer::Election, .. } => self.election + self.election.mul_f64(fastrand::f64()),
            Timer::Raft { timer: raft::Timer::Heartbeat, .. } => self.election / 5,
            Timer::Raft { timer: raft::Timer::CheckQuorum, .. } => self.election,
            Timer::Drive { .. } => DRIVE,
            Timer::Poll => POLL,
        }
    }
}

fn is_election(timer: Timer) -> bool {
    matches!(timer, Timer::Raft { timer: raft::Timer::Election, .. })
}

#[cfg(test)]
mod tests {
    use super::*;
    use quorate_spec::ids::GroupId;

    const T: Duration = Duration::from_millis(300);
    const ELECTION: Timer = Timer::Raft { group: GroupId::CONTROLLER, timer: raft::Timer::Election };
    const HEARTBEAT: Timer = Timer::Raft { group: GroupId::CONTROLLER, timer: raft::Timer::Heartbeat };

    fn all(timers: &mut Timers, now: Instant) -> Vec<Timer> {
        std::iter::from_fn(|| timers.pop(now)).collect()
    }

    #[test]
    fn fires_once_per_arming_and_in_order_of_time() {
        let (mut timers, start) = (Timers::new(T), Instant::now());
        timers.change(TimerChange::Arm(Timer::Poll), start);
        timers.change(TimerChange::Arm(HEARTBEAT), start);
        assert_eq!(timers.next(), Some(start + POLL));
        assert_eq!(all(&mut timers, start + POLL - Duration::from_nanos(1)), []);
        assert_eq!(all(&mut timers, start + T), [Timer::Poll, HEARTBEAT]);
        assert_eq!(all(&mut timers, start + 10 * T), []);
        assert_eq!(timers.next(), None);
    }

    #[test]
    fn a_disarmed_timer_does_not_fire_and_can_be_armed_again() {
        let (mut timers, start) = (Timers::new(T), Instant::now());
        timers.change(TimerChange::Arm(HEARTBEAT), start);
        timers.change(TimerChange::Disarm(HEARTBEAT), start);
        assert_eq!(all(&mut timers, start + T), []);
        timers.change(TimerChange::Arm(HEARTBEAT), start + T);
        timers.change(TimerChange::Disarm(HEARTBEAT), start + T);
        timers.change(TimerChange::Arm(HEARTBEAT), start + T);
        assert_eq!(all(&mut timers, start + 2 * T), [HEARTBEAT]);
    }

    #[test]
    fn arming_again_moves_the_deadline_and_keeps_the_queue_small() {
        let (mut timers, start) = (Timers::new(T), Instant::now());
        for step in 0..1000 {
            timers.change(TimerChange::Arm(HEARTBEAT), start + Duration::from_millis(step));
        }
        assert_eq!(timers.queue.len(), 1);
        let last = start + Duration::from_millis(999) + T / 5;
        assert_eq!(all(&mut timers, last - Duration::from_millis(1)), []);
        assert_eq!(all(&mut timers, last), [HEARTBEAT]);
    }

    #[test]
    fn elections_wait_between_one_and_two_timeouts() {
        let (mut timers, start) = (Timers::new(T), Instant::now());
        for _ in 0..200 {
            timers.change(TimerChange::Arm(ELECTION), start);
            let due = timers.armed.get(&ELECTION).and_then(|armed| armed.due).expect("armed");
            assert!(due >= start + T && due <= start + 2 * T);
        }
        assert_eq!(all(&mut timers, start + T - Duration::from_nanos(1)), []);
    }

    #[test]
    fn an_election_found_late_is_put_off_once() {
        let (mut timers, start) = (Timers::new(T), Instant::now());
        timers.change(TimerChange::Arm(ELECTION), start);
        let late = start + 20 * T;
        assert_eq!(all(&mut timers, late), []);
        assert_eq!(timers.next(), Some(late + T / 4));
        assert_eq!(all(&mut timers, late + 20 * T), [ELECTION]);
    }
}
