//! What a round measured, and the medians over rounds.

use crate::usage::Usage;
use std::time::Duration;

/// What was measured of one store, mix and number of clients.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Figures {
    /// Operations per second.
    pub(crate) throughput: f64,
    /// Half of the operations took at most this long, in microseconds.
    pub(crate) p50: f64,
    /// 99 of 100 operations did.
    pub(crate) p99: f64,
    /// 999 of 1000 did.
    pub(crate) p999: f64,
    /// Bytes written to disk per operation.
    pub(crate) bytes: f64,
    /// Processor time of the servers, in microseconds per operation.
    pub(crate) cpu: f64,
    /// Processor time of the clients, which is that of this program, in microseconds per operation.
    pub(crate) client_cpu: f64,
    /// Resident memory of the servers at the end, in bytes.
    pub(crate) memory: f64,
    /// The part of the machine's processors that others used: nothing on a quiet machine, 1 at most.
    pub(crate) others: f64,
}

impl Figures {
    /// From the waits of all operations that ended within `length`, and what was used meanwhile, by the whole `machine`
    /// too. There must have been some.
    pub(crate) fn of(
        mut waits: Vec<Duration>,
        length: Duration,
        servers: Usage,
        clients: Usage,
        machine: Duration,
    ) -> Option<Self> {
        waits.sort_unstable();
        let last = waits.len().checked_sub(1)?;
        let operations = waits.len() as f64;
        let wait = |per_mille: usize| {
            let rank = (waits.len() * per_mille).div_ceil(1000).saturating_sub(1).min(last);
            waits.get(rank).map(|wait| (wait.as_secs_f64() * 1e6).round())
        };
        let each = |cpu: Duration| cpu.as_secs_f64() * 1e6 / operations;
        let processors = std::thread::available_parallelism().map_or(1, usize::from) as f64;
        let others = machine.saturating_sub(servers.cpu + clients.cpu);
        Some(Self {
            throughput: operations / length.as_secs_f64(),
            p50: wait(500)?,
            p99: wait(990)?,
            p999: wait(999)?,
            bytes: servers.written as f64 / operations,
            cpu: each(servers.cpu),
            client_cpu: each(clients.cpu),
            memory: servers.resident as f64,
            others: (others.as_secs_f64() / (length.as_secs_f64() * processors)).min(1.0),
        })
    }

    /// Each figure's median over the rounds, of which there is at least one.
    pub(crate) fn median(rounds: &[Self]) -> Self {
        let of = |figure: fn(&Self) -> f64| median(rounds.iter().map(figure).collect());
        Self {
            throughput: of(|round| round.throughput),
            p50: of(|round| round.p50),
            p99: of(|round| round.p99),
            p999: of(|round| round.p999),
            bytes: of(|round| round.bytes),
            cpu: of(|round| round.cpu),
            client_cpu: of(|round| round.client_cpu),
            memory: of(|round| round.memory),
            others: of(|round| round.others),
        }
    }
}

/// The middle value; the mean of the two in the middle if there is an even number.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = values.get(middle).copied().unwrap_or(f64::NAN);
    match values.len() % 2 {
        0 => (upper + values.get(middle.wrapping_sub(1)).copied().unwrap_or(f64::NAN)) / 2.0,
        _ => upper,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_ranks() {
        let waits = (1..=2000).rev().map(Duration::from_micros).collect();
        let servers = Usage { cpu: Duration::from_millis(20), written: 4_096_000, resident: 77 };
        let clients = Usage { cpu: Duration::from_millis(10), ..Usage::default() };
        let machine = Duration::from_millis(2_030);
        let figures = Figures::of(waits, Duration::from_secs(4), servers, clients, machine).unwrap();
        let processors = std::thread::available_parallelism().map_or(1, usize::from) as f64;
        let expected = Figures {
            throughput: 500.0,
            p50: 1000.0,
            p99: 1980.0,
            p999: 1998.0,
            bytes: 2048.0,
            cpu: 10.0,
            client_cpu: 5.0,
            memory: 77.0,
            others: 0.5 / processors,
        };
        assert_eq!(figures, expected);
        let one =
            Figures::of(vec![Duration::from_micros(7)], Duration::from_secs(1), servers, clients, machine).unwrap();
        assert_eq!((one.p50, one.p999), (7.0, 7.0));
        assert_eq!(Figures::of(Vec::new(), Duration::from_secs(1), servers, clients, machine), None);
    }

    #[test]
    fn medians_do_not_follow_outliers() {
        assert_eq!(median(vec![9000.0, 1.0, 3.0]), 3.0);
        assert_eq!(median(vec![4.0, 1.0, 3.0, 900.0]), 3.5);
        assert_eq!(median(vec![5.0]), 5.0);
    }
}
