//! Counting sync calls, and how many of them durable answers need.
//!
//! A server runs under `strace` from its start, which stops it at these calls only and lets all others through, and
//! writes down when each was made. That is close to full speed, but not quite: so the counts come from a pass of their
//! own.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// The calls after which data is on the disk. `sync_file_range` is not one: it promises nothing after a power cut.
const CALLS: &str = "fsync,fdatasync,msync,sync,syncfs";

/// What the traces' names begin with.
const TRACE: &str = "syncs.";

/// A script in `directory` that runs `program` with the arguments that it is given and writes its sync calls down there.
pub(crate) fn counted(program: &Path, directory: &Path) -> Result<std::path::PathBuf, String> {
    let quoted = |path: &Path| format!("'{}'", path.display().to_string().replace('\'', r"'\''"));
    let (program, traces) = (quoted(program), quoted(&directory.join(TRACE)));
    // With -D the tracer is a grandchild: the server keeps the process id and the parent that it is given.
    let script = format!(
        "#!/bin/sh\nexec strace -D -f -qq --seccomp-bpf -ttt -e signal=none -e trace={CALLS} -o {traces}$$ {program} \"$@\"\n"
    );
    let path = directory.join("counted.sh");
    fs::write(&path, script)
        .and_then(|()| fs::set_permissions(&path, fs::Permissions::from_mode(0o700)))
        .map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(path)
}

/// How many sync calls were done between two moments (seconds since 1970), by all servers traced in `directory`.
pub(crate) fn count(directory: &Path, from: f64, to: f64) -> Result<u64, String> {
    let wrong = |error: std::io::Error| format!("{}: {error}", directory.display());
    let mut calls = 0;
    for entry in fs::read_dir(directory).map_err(wrong)? {
        let entry = entry.map_err(wrong)?;
        if entry.file_name().to_string_lossy().starts_with(TRACE) {
            calls += done(&fs::read_to_string(entry.path()).map_err(wrong)?, from, to);
        }
    }
    Ok(calls)
}

/// Counts the calls that succeeded. A call during which another thread made one is two lines, of which the second has
/// the result: `PID TIME fdatasync(3 <unfinished ...>` and `PID TIME <... fdatasync resumed>) = 0`.
fn done(trace: &str, from: f64, to: f64) -> u64 {
    let within = |line: &&str| {
        let time = line.split_whitespace().nth(1).and_then(|time| time.parse::<f64>().ok());
        line.ends_with("= 0") && time.is_some_and(|time| from <= time && time <= to)
    };
    trace.lines().filter(within).count() as u64
}

/// The fewest syncs with which `operations` writes can have been durable before they were answered. A client has one
/// write in flight, so a sync of one disk covers at most one write of each client, and each write must be on `disks`
/// disks. Writes in flight when counting began and when it ended may have been synced outside.
pub(crate) fn needed(operations: u64, clients: u64, disks: u64) -> u64 {
    (operations.saturating_sub(2 * clients) * disks).div_ceil(clients).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;
    use std::time::{Duration, Instant, SystemTime};

    #[test]
    fn only_calls_that_succeeded_in_time_count() {
        let trace = "11 10.000000 fdatasync(4) = 0\n\
                     11 12.000000 fdatasync(4 <unfinished ...>\n\
                     12 12.100000 fsync(5) = -1 EIO (Input/output error)\n\
                     12 12.200000 fsync(5)                = 0\n\
                     11 12.300000 <... fdatasync resumed>) = 0\n\
                     11 14.000000 fdatasync(4) = 0\n";
        assert_eq!(done(trace, 11.0, 13.0), 2);
        assert_eq!(done(trace, 0.0, 20.0), 4);
    }

    #[test]
    fn a_sync_covers_at_most_one_write_of_each_client() {
        assert_eq!(needed(1_002, 1, 1), 1_000);
        assert_eq!(needed(1_002, 1, 2), 2_000);
        assert_eq!(needed(6_400 + 128, 64, 2), 200);
        assert_eq!(needed(3, 64, 2), 1, "never none");
    }

    #[test]
    fn the_syncs_of_a_program_are_counted() {
        let directory = tempfile::tempdir().unwrap();
        let script = counted(Path::new("sh"), directory.path()).unwrap();
        let inner = "for i in 1 2 3; do echo $i >\"$0\"; sync -d \"$0\"; done";
        let file = directory.path().join("it's a file");
        assert!(Command::new(script).args(["-c", inner]).arg(&file).status().unwrap().success());
        let deadline = Instant::now() + Duration::from_secs(30);
        let now = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs_f64();
        while count(directory.path(), 0.0, now()).unwrap() < 3 {
            assert!(Instant::now() < deadline, "the tracer writes down what it saw");
        }
        assert_eq!(count(directory.path(), 0.0, now()).unwrap(), 3);
        assert_eq!(count(directory.path(), now(), now() + 1.0).unwrap(), 0);
    }
}
