//! The small files of a data directory: text for people, with a checksum for us.

use super::{DataDirError, FORMAT_VERSION};
use quorate_core::spec::ids::{Boot, NodeId, Stamp};
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

/// The contents of the identity file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IdentityFile {
    format: u16,
    cluster: String,
    node: u64,
    stamp: String,
    check: String,
}

impl IdentityFile {
    pub(super) fn new(cluster: &str, node: NodeId, stamp: Stamp) -> Self {
        let mut file = Self {
            format: FORMAT_VERSION,
            cluster: cluster.into(),
            node: node.get(),
            stamp: stamp.to_string(),
            check: String::new(),
        };
        file.check = file.sum();
        file
    }

    fn sum(&self) -> String {
        let Self { format, cluster, node, stamp, check: _ } = self;
        checksum(&format!("{format} {node} {stamp} {cluster}"))
    }

    pub(super) fn to_text(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("invariant: plain fields serialize");
        text.push('\n');
        text
    }

    /// Reads it.
    pub(super) fn read(path: &Path) -> Result<Self, DataDirError> {
        let damaged = |what: String| DataDirError::Damaged { file: path.into(), what };
        let bytes = fs::read(path).map_err(DataDirError::io("reading", path))?;
        let value: serde_json::Value = serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
        let format = value.get("format").and_then(serde_json::Value::as_u64);
        let format = format.and_then(|format| u16::try_from(format).ok()).ok_or_else(|| damaged("no format".into()))?;
        if format > FORMAT_VERSION {
            let path = path.parent().unwrap_or(path).to_path_buf();
            return Err(DataDirError::Newer { path, format });
        }
        let file: Self = serde_json::from_value(value).map_err(|error| damaged(error.to_string()))?;
        if file.check != file.sum() {
            return Err(damaged("its checksum does not match".into()));
        }
        file.stamp()?;
        Ok(file)
    }

    /// Refuses another cluster or node.
    pub(super) fn check_expected(&self, path: &Path, cluster: &str, node: NodeId) -> Result<(), DataDirError> {
        if self.cluster != cluster {
            let (found, expected) = (self.cluster.clone(), cluster.into());
            return Err(DataDirError::OtherCluster { path: path.into(), found, expected });
        }
        if self.node != node.get() {
            let found = NodeId::new(self.node);
            return Err(DataDirError::OtherNode { path: path.into(), found, expected: node });
        }
        Ok(())
    }

    pub(super) fn stamp(&self) -> Result<Stamp, DataDirError> {
        let parsed = u128::from_str_radix(&self.stamp, 16).map(Stamp::new);
        parsed.map_err(|error| DataDirError::Damaged { file: super::IDENTITY.into(), what: error.to_string() })
    }
}

fn checksum(text: &str) -> String {
    format!("{:08x}", crc32fast::hash(text.as_bytes()))
}

/// The boot counter as text.
pub(super) fn boot_text(boot: Boot) -> String {
    format!("{} {}\n", boot.get(), checksum(&boot.get().to_string()))
}

/// Reads the boot counter. It is never guessed: a smaller one than was used before would be taken for an old copy.
pub(super) fn read_boot(path: &Path) -> Result<Boot, DataDirError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(DataDirError::Damaged { file: path.into(), what: "it is missing".into() });
        }
        Err(error) => return Err(DataDirError::io("reading", path)(error)),
    };
    let parsed = text.split(' ').next().and_then(|number| number.parse().ok()).map(Boot::new);
    let valid = parsed.filter(|boot| boot_text(*boot) == text);
    valid.ok_or_else(|| DataDirError::Damaged { file: path.into(), what: "its checksum does not match".into() })
}

/// The name of a file while it is written.
pub(super) fn unfinished(name: &str) -> String {
    format!("{name}.tmp")
}

/// Replaces a file, durably: a crash leaves the old one or the new one.
pub(super) fn write_durably(directory: &Path, name: &str, text: &str) -> Result<(), DataDirError> {
    let (temporary, path) = (directory.join(unfinished(name)), directory.join(name));
    let written = File::create(&temporary).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.map_err(DataDirError::io("writing", &temporary))?;
    fs::rename(&temporary, &path).map_err(DataDirError::io("naming", &path))?;
    let synced = File::open(directory).and_then(|directory| directory.sync_all());
    synced.map_err(DataDirError::io("syncing", directory))
}
