//! Running `tla-checker` on a generated module.

use super::module::Generated;
use serde_json::Value;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};

/// The folder that holds `spec/` and, unless told otherwise, `target/`.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// The program that explores modules.
#[derive(Clone, Debug)]
pub struct Checker {
    program: PathBuf,
}

/// What it found.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// The property that broke, if one did.
    pub(super) broken: Option<String>,
    /// The state that broke it.
    pub(super) last: Value,
}

impl Found {
    /// The run was taken to its end.
    pub(super) fn is_accepted(&self) -> bool {
        self.broken.as_deref() == Some("NotAccepted")
    }
}

impl Checker {
    /// The checker that `spec/check` built, or the one that the variable TLA names.
    ///
    /// # Errors
    /// It is not there: the message says how to build it.
    pub fn find() -> Result<Self, String> {
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |it| root().join(it));
        let built = target.join("tools/bin/tla");
        let program = std::env::var_os("TLA").map_or(built, PathBuf::from);
        if Command::new(&program).arg("--version").output().is_ok_and(|output| output.status.success()) {
            return Ok(Self { program });
        }
        Err(format!("{} is not there: build it with 'spec/check models KV.clients'", program.display()))
    }

    /// Explores a module with a trace.
    pub(super) fn explore(&self, generated: &Generated) -> io::Result<Found> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("quorate-conform-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let found = self.explore_in(&folder, generated);
        fs::remove_dir_all(&folder)?;
        found
    }

    fn explore_in(&self, folder: &Path, generated: &Generated) -> io::Result<Found> {
        for name in generated.modules {
            let file = format!("{name}.tla");
            fs::copy(root().join("spec").join(&file), folder.join(&file))?;
        }
        let explored = generated.modules.last().copied().unwrap_or_default();
        let (module, config) = (format!("{explored}.tla"), format!("{explored}.cfg"));
        fs::write(folder.join("TraceData.tla"), &generated.data)?;
        fs::write(folder.join(&config), &generated.config)?;
        let mut command = Command::new(&self.program);
        command.args([&module, "--config", &config, "--symbolic-integers", "--json"]);
        let depth = generated.depth.to_string();
        let output = command.args(["--max-depth", &depth]).current_dir(folder).output()?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        let answer = said.lines().rev().find_map(|line| serde_json::from_str::<Value>(line).ok());
        let Some(answer) = answer else {
            return Err(io::Error::other(format!("{} did not answer: {said}", self.program.display())));
        };
        let text = |field: &str| answer.get(field).and_then(Value::as_str).map(str::to_owned);
        let status = text("status").unwrap_or_default();
        // Anything else is no verdict: a module that cannot be read, or a search that stopped at a limit.
        if !["ok", "invariant_violation", "property_violation"].contains(&status.as_str()) {
            return Err(io::Error::other(format!("no verdict: {said}")));
        }
        let trace = answer.get("trace").and_then(Value::as_array);
        let last = trace.and_then(|states| states.last()?.get("state").cloned()).unwrap_or_default();
        Ok(Found { broken: text("invariant_name").or_else(|| text("property")), last })
    }
}
