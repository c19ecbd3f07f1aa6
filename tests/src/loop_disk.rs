//! A file system of its own in a file, whose power can be cut: what its disk holds at one moment is copied, and the copy
//! takes its place. Needs root, for loop mounts.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The kernel commits nothing by itself: what is on the disk is what was synced, or written early by chance.
const OPTIONS: &str = "loop,commit=3600";
/// How often a file system is tried to be unmounted that a process which has just ended still holds.
const TRIES: u32 = 100;

fn run(program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).output().unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a temporary path is UTF-8")
}

/// A mounted file system; unmounted when dropped.
#[derive(Debug)]
pub struct LoopDisk {
    mount: PathBuf,
    image: PathBuf,
}

impl LoopDisk {
    /// Formats a file beside the directory `mount`, and mounts it there: empty.
    pub fn format(mount: PathBuf, megabytes: u64) -> Self {
        let image = mount.with_extension("img");
        let file = std::fs::File::create(&image).expect("an image");
        file.set_len(megabytes << 20).expect("a sparse image");
        run("mkfs.ext4", &["-q", text(&image)]);
        std::fs::create_dir_all(&mount).expect("a mount point");
        let disk = Self { mount, image };
        disk.mount();
        std::fs::remove_dir(disk.mount.join("lost+found")).expect("it was made with the file system");
        run("sync", &["--file-system", text(&disk.mount)]);
        disk
    }

    fn mount(&self) {
        run("mount", &["-o", OPTIONS, text(&self.image), text(&self.mount)]);
    }

    fn copy(&self) -> PathBuf {
        self.image.with_extension("copy")
    }

    /// Copies what the disk holds, as it is: what the kernel has not been asked to write stays behind.
    pub fn copy_image(&self) {
        run("cp", &["--sparse=always", text(&self.image), text(&self.copy())]);
    }

    /// Goes on with the copy. Nobody may have a file open any more.
    pub fn swap(&self) {
        let mut unmount = Command::new("umount");
        unmount.arg(&self.mount);
        for _ in 0..TRIES {
            if unmount.output().expect("umount is there: apt-get install mount").status.success() {
                std::fs::rename(self.copy(), &self.image).expect("the copy is beside it");
                return self.mount();
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!("{} is still in use", self.mount.display());
    }
}

impl Drop for LoopDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.mount).status();
    }
}
