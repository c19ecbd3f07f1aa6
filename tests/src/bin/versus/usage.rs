//! What processes have used so far, as the kernel counts it under `/proc` and `/sys`, and on what kind of file system.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The unit of processor times under `/proc`, the same on every machine that runs Debian.
const TICKS_PER_SECOND: u64 = 100;

/// What some processes have used since they started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Processor time, of the kernel on their behalf and of children that have ended too.
    pub(crate) cpu: Duration,
    /// Bytes written to disk; see [`Disk`].
    pub(crate) written: u64,
    /// Bytes of memory that they hold now.
    pub(crate) resident: u64,
}

impl Usage {
    /// Of all these processes together.
    pub(crate) fn of(processes: &[u32], disk: &Disk) -> Result<Self, String> {
        let mut sum = Self::default();
        if let Disk::Device(path) = disk {
            sum.written = device_written(path)?;
        }
        for process in processes {
            let read = |name: &str| {
                let path = format!("/proc/{process}/{name}");
                fs::read_to_string(&path).map_err(|error| format!("{path}: {error}; is the server still running?"))
            };
            sum.cpu += cpu(&read("stat")?).ok_or("/proc/PID/stat looks different here")?;
            if *disk == Disk::Processes {
                sum.written += field(&read("io")?, "write_bytes:").ok_or("/proc/PID/io has no write_bytes here")?;
            }
            // A process that has ended and was not waited for has no memory.
            let resident =
                field(&read("status")?, "VmRSS:").ok_or_else(|| format!("server process {process} ended"))?;
            sum.resident += resident << 10;
        }
        Ok(sum)
    }

    /// What was used since an earlier moment; memory is as it is now.
    pub(crate) fn since(self, earlier: Self) -> Self {
        Self {
            cpu: self.cpu.saturating_sub(earlier.cpu),
            written: self.written.saturating_sub(earlier.written),
            resident: self.resident,
        }
    }
}

/// Where written bytes are counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Disk {
    /// At the block device that holds the data, by its file of statistics: what really reaches the disk, the file
    /// system's journal too, and whatever else the machine writes there.
    Device(PathBuf),
    /// By process, where the file system shows no device. Every page that becomes dirty counts whole, and pages may be
    /// large: on Linux 6.18 with ext4 up to 1 MiB for one byte, of which only the changed blocks are written.
    Processes,
}

impl Disk {
    /// That of a directory.
    pub(crate) fn of(directory: &Path) -> Self {
        let device = fs::metadata(directory).map(|found| found.dev()).ok().and_then(|device| {
            let number = format!("{}:{}", rustix::fs::major(device), rustix::fs::minor(device));
            let path = Path::new("/sys/dev/block").join(number).join("stat");
            device_written(&path).is_ok().then_some(path)
        });
        device.map_or(Self::Processes, Self::Device)
    }
}

/// Bytes written to a block device, from its file of statistics.
fn device_written(path: &Path) -> Result<u64, String> {
    let shown = path.display();
    let text = fs::read_to_string(path).map_err(|error| format!("{shown}: {error}"))?;
    let sectors = text.split_whitespace().nth(6).and_then(|sectors| sectors.parse::<u64>().ok());
    // A sector is 512 bytes there, whatever the device's own are.
    sectors.map(|sectors| sectors * 512).ok_or_else(|| format!("{shown} looks different here"))
}

/// User and system time of the process and of the children that it has waited for. The name, in parentheses, may hold
/// anything.
fn cpu(stat: &str) -> Option<Duration> {
    let (_, fields) = stat.rsplit_once(')')?;
    let times: Vec<u64> = fields.split_whitespace().skip(11).take(4).filter_map(|time| time.parse().ok()).collect();
    (times.len() == 4).then(|| Duration::from_millis(times.iter().sum::<u64>() * 1000 / TICKS_PER_SECOND))
}

/// Processor time of the whole machine that was not idle, whoever used it.
pub(crate) fn machine_busy() -> Result<Duration, String> {
    let text = fs::read_to_string("/proc/stat").map_err(|error| format!("/proc/stat: {error}"))?;
    busy(&text).ok_or_else(|| "/proc/stat looks different here".to_owned())
}

/// From the first line: user, nice, system, (idle, waiting for disks,) interrupts of two kinds, stolen by other machines.
fn busy(stat: &str) -> Option<Duration> {
    let times: Option<Vec<u64>> =
        stat.lines().next()?.strip_prefix("cpu ")?.split_whitespace().map(|time| time.parse().ok()).collect();
    let ticks: u64 = [0, 1, 2, 5, 6, 7].iter().map(|field| times.as_ref()?.get(*field).copied()).sum::<Option<_>>()?;
    Some(Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND))
}

/// The number that follows `name` at the start of a line.
fn field(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name)).and_then(|rest| rest.split_whitespace().next()?.parse().ok())
}

/// The kind of file system that holds a directory. One in memory is refused: a sync costs nothing there.
pub(crate) fn file_system(directory: &Path) -> Result<String, String> {
    let shown = directory.display();
    let found = rustix::fs::statfs(directory)
        .map_err(|error| format!("no directory {shown} for data ({error}): name another with --dir"))?;
    Ok(match found.f_type as u32 {
        0x0102_1994 | 0x8584_58f6 => {
            return Err(format!(
                "{shown} is in memory, where a sync costs nothing: name a directory on a disk with --dir"
            ));
        }
        0xef53 => "ext4".to_owned(),
        0x5846_5342 => "xfs".to_owned(),
        0x9123_683e => "btrfs".to_owned(),
        0x2fc1_2fc1 => "zfs".to_owned(),
        0x794c_7630 => "overlayfs".to_owned(),
        other => format!("file system {other:#x}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_process_uses_is_counted() {
        let me = [std::process::id()];
        let before = Usage::of(&me, &Disk::Processes).unwrap();
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let on_device = Usage::of(&me, &Disk::of(here)).unwrap();
        let mut file = tempfile::NamedTempFile::new_in(here).unwrap();
        std::io::Write::write_all(&mut file, &[7; 1 << 20]).unwrap();
        file.as_file().sync_all().unwrap();
        let memory = vec![1_u8; 64 << 20];
        let used = loop {
            let used = Usage::of(&me, &Disk::Processes).unwrap().since(before);
            if used.cpu >= Duration::from_millis(20) {
                break used;
            }
        };
        assert!(used.written >= 1 << 20, "{used:?}");
        let on_device = Usage::of(&me, &Disk::of(here)).unwrap().since(on_device);
        assert!(on_device.written >= 1 << 20, "{on_device:?} by {:?}", Disk::of(here));
        assert!(used.resident >= before.resident + memory.len() as u64 / 2, "{used:?} after {before:?}");
        assert!(Usage::of(&[u32::MAX], &Disk::Processes).unwrap_err().contains("still running"));
        let mut ended = std::process::Command::new("true").spawn().unwrap();
        let error = loop {
            if let Err(error) = Usage::of(&[ended.id()], &Disk::of(here)) {
                break error;
            }
        };
        assert_eq!(error, format!("server process {} ended", ended.id()));
        ended.wait().unwrap();
    }

    #[test]
    fn what_the_kernel_prints_is_understood() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 1 0 0 0 10 20 30 40 20 0 1 0 5 0 0";
        assert_eq!(cpu(stat), Some(Duration::from_secs(1)));
        assert_eq!(cpu("7 (a) S 1 2"), None);
        assert_eq!(busy("cpu  100 10 200 5000 700 1 2 3 0 0\ncpu0 1 1"), Some(Duration::from_millis(3_160)));
        assert_eq!(busy("cpu  100 10"), None);
        assert!(machine_busy().unwrap() > Duration::ZERO);
        assert_eq!(field("a: 1\nVmRSS:\t  52 kB\n", "VmRSS:"), Some(52));
    }

    #[test]
    fn a_directory_in_memory_is_refused() {
        assert!(file_system(Path::new("/dev/shm")).unwrap_err().contains("--dir"));
        assert!(file_system(Path::new("/nowhere")).unwrap_err().contains("--dir"));
        assert!(file_system(Path::new(env!("CARGO_MANIFEST_DIR"))).is_ok());
    }
}
