//! Ports for processes that will be killed and started again.
//!
//! Below the range from which the system takes the ports of outgoing connections: a port in that range can be lost to a
//! neighbour's connection while its node is down, and the node could then not come back.

use std::io;
use std::net::{Ipv4Addr, TcpListener};

const LOWEST: u16 = 10_000;
const USUAL_EPHEMERAL: u16 = 32_768;

/// Where the system's range for outgoing connections begins.
fn ephemeral_start() -> u16 {
    let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    range.split_whitespace().next().and_then(|low| low.parse().ok()).unwrap_or(USUAL_EPHEMERAL)
}

/// `count` ports of 127.0.0.1 on which nobody listens now.
///
/// # Errors
/// There are not that many.
pub fn free(count: usize) -> io::Result<Vec<u16>> {
    let end = ephemeral_start();
    let (low, high) = if end > LOWEST + 1_000 { (LOWEST, end) } else { (LOWEST, u16::MAX) };
    let start = fastrand::u16(low..high);
    let candidates = (start..high).chain(low..start);
    // All are held until the last is found, so that none is given twice.
    let held: Vec<(u16, TcpListener)> = candidates
        .filter_map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok().map(|listener| (port, listener)))
        .take(count)
        .collect();
    if held.len() < count {
        return Err(io::Error::new(io::ErrorKind::AddrInUse, format!("no {count} free ports in {low}..{high}")));
    }
    Ok(held.into_iter().map(|(port, _)| port).collect())
}

/// The addresses of these ports on this machine.
pub fn here(ports: &[u16]) -> Vec<String> {
    ports.iter().map(|port| format!("127.0.0.1:{port}")).collect()
}

/// `count` ports from `base` on.
///
/// # Errors
/// One of them is taken: names it.
pub fn from_base(base: u16, count: usize) -> io::Result<Vec<u16>> {
    let count = u16::try_from(count).map_err(|_| io::Error::other("too many ports"))?;
    let end = base.checked_add(count).ok_or_else(|| io::Error::other("ports end at 65535: choose a lower base"))?;
    let ports: Vec<u16> = (base..end).collect();
    for port in &ports {
        TcpListener::bind((Ipv4Addr::LOCALHOST, *port))
            .map_err(|error| io::Error::new(error.kind(), format!("port {port}: {error}")))?;
    }
    Ok(ports)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn free_ports_differ_and_can_be_bound() {
        let ports = free(20).unwrap();
        assert_eq!(ports.iter().collect::<BTreeSet<_>>().len(), 20);
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, ports[0])).unwrap();
        let error = from_base(ports[0], 1).unwrap_err();
        assert!(error.to_string().contains(&format!("port {}", ports[0])), "{error}");
        drop(taken);
        assert!(from_base(u16::MAX, 2).is_err());
    }
}
