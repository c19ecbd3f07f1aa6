//! System-call injection: what a running process is told about its syncs.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Every sync of the process fails from now on.
pub const FAIL: &str = "error=EIO";
/// Every sync of the process is skipped from now on, and reported as done: a disk that lies.
pub const LIE: &str = "retval=0";

/// Attaches to a running process and all its threads. Ends with the process, or when killed.
pub fn syncs(pid: u32, what: &str) -> Child {
    let mut tracer = Command::new("strace")
        .args(["-f", "-qq", "-e", "trace=fdatasync,fsync", "-e"])
        .arg(format!("inject=fdatasync,fsync:{what}"))
        .args(["-o", "/dev/null", "-p", &pid.to_string()])
        .stderr(Stdio::null())
        .spawn()
        .expect("strace is missing: apt-get install strace");
    while !traced(pid) {
        if tracer.try_wait().expect("strace can be waited for").is_some() {
            // A process may end by its first failed sync before it is seen to be traced.
            assert!(has_ended(pid), "strace could not attach");
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    tracer
}

/// Whether a process is gone, but for its parent's knowing.
fn has_ended(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/status")).map_or(true, |status| status.contains("\nState:\tZ"))
}

/// Whether every thread of a process is traced.
fn traced(pid: u32) -> bool {
    let Ok(threads) = std::fs::read_dir(format!("/proc/{pid}/task")) else { return false };
    threads.flatten().all(|thread| {
        let status = std::fs::read_to_string(thread.path().join("status")).unwrap_or_default();
        status.lines().any(|line| line.strip_prefix("TracerPid:").is_some_and(|tracer| tracer.trim() != "0"))
    })
}
