//! The trace file: JSON that names what to run, so that a person may read it too.

use super::Run;
use crate::scenario::Scenario;
use quorate_spec::Violation;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The version of this format. A file of another one is refused.
pub const FORMAT: u32 = 1;

/// The model of a trace that a node's record was made into (`quorate-sim replay --trace`): its steps were taken by a real
/// node, and [`RecordModel`](crate::models::record::RecordModel) takes them again.
pub const RECORD: &str = "record";

/// A run, by names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trace {
    /// [`FORMAT`].
    pub format: u32,
    /// The version of Quorate that wrote it.
    pub version: String,
    /// The model.
    pub model: String,
    /// The scope.
    pub scope: String,
    /// The mutant that was selected.
    pub mutant: Option<String>,
    /// The property that the last step violates.
    pub property: Option<String>,
    /// The evidence of the violation.
    pub evidence: Option<String>,
    /// Which of the model's initial states it starts from.
    pub initial: usize,
    /// How a real node began, if this is its record: in base64, for [`RecordModel`](crate::models::record::RecordModel).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
    /// The steps.
    pub steps: Vec<TraceStep>,
}

/// One step of a trace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TraceStep {
    /// For people; ignored when the file is read.
    pub sentence: String,
    /// The model's action.
    pub action: Value,
}

/// Why a trace cannot be used. Each says what to do.
#[derive(Debug)]
pub enum TraceError {
    /// The file cannot be read or written.
    Io(PathBuf, std::io::Error),
    /// It is not a trace.
    NotATrace(PathBuf, String),
    /// It is of another version.
    OtherVersion(PathBuf, String),
    /// This version does not take the steps that it tells.
    Diverges {
        /// The step, counted from 1.
        step: usize,
        /// How the trace tells it.
        sentence: String,
        /// Who wrote the trace.
        version: String,
    },
}

impl fmt::Display for TraceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(path, error) => write!(f, "{}: {error}", path.display()),
            Self::NotATrace(path, why) => {
                write!(f, "{} is not a trace ({why}): give a file written by 'quorate-check check'", path.display())
            }
            Self::OtherVersion(path, version) => write!(
                f,
                "{} was written by quorate-check {version}, this is {}: check the same model and scope again to get a new one",
                path.display(),
                env!("CARGO_PKG_VERSION")
            ),
            Self::Diverges { step, sentence, version } => write!(
                f,
                "step {step} of the trace ({sentence}) cannot be taken: the code has changed since {version} wrote it; \
                 check the same model and scope again to get a new one"
            ),
        }
    }
}

impl std::error::Error for TraceError {}

impl Trace {
    /// Names a run.
    pub fn of<S: Scenario>(scenario: &S, run: &Run<S>, mutant: Option<&str>) -> Self {
        let violation: Option<&Violation> = run.violation();
        let steps = run.steps.iter().map(|step| TraceStep {
            sentence: scenario.sentence(&step.before, &step.action),
            action: serde_json::to_value(&step.action).expect("an action is plain data"),
        });
        Self {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            model: scenario.model().to_owned(),
            scope: scenario.scope().to_owned(),
            mutant: mutant.map(str::to_owned),
            property: violation.map(|violation| violation.property.to_owned()),
            evidence: violation.map(|violation| violation.evidence.clone()),
            initial: run.initial,
            start: None,
            steps: steps.collect(),
        }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// It cannot be read, is no trace, or is of another version.
    pub fn load(path: &Path) -> Result<Self, TraceError> {
        let text = std::fs::read(path).map_err(|error| TraceError::Io(path.to_owned(), error))?;
        let value: Value =
            serde_json::from_slice(&text).map_err(|error| TraceError::NotATrace(path.to_owned(), error.to_string()))?;
        let format = value.get("format").and_then(Value::as_u64);
        if format.is_some_and(|format| format != u64::from(FORMAT)) {
            let version = value.get("version").and_then(Value::as_str).unwrap_or("of an unknown version");
            return Err(TraceError::OtherVersion(path.to_owned(), version.to_owned()));
        }
        serde_json::from_value(value).map_err(|error| TraceError::NotATrace(path.to_owned(), error.to_string()))
    }

    /// Writes a file.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), TraceError> {
        let mut text = serde_json::to_string_pretty(self).expect("a trace is plain data");
        text.push('\n');
        std::fs::write(path, text).map_err(|error| TraceError::Io(path.to_owned(), error))
    }

    /// That this version does not take a step, by its place from 0.
    pub fn diverges(&self, place: usize) -> TraceError {
        TraceError::Diverges {
            step: place + 1,
            sentence: self.steps.get(place).map(|step| step.sentence.clone()).unwrap_or_default(),
            version: self.version.clone(),
        }
    }

    /// Steps a scenario through the trace.
    ///
    /// # Errors
    /// The first step that this version does not take.
    pub fn replay<S: Scenario>(&self, scenario: &Arc<S>) -> Result<Run<S>, TraceError> {
        let mut actions = Vec::with_capacity(self.steps.len());
        for (place, step) in self.steps.iter().enumerate() {
            actions.push(serde_json::from_value(step.action.clone()).map_err(|_| self.diverges(place))?);
        }
        Run::replay(scenario, self.initial, &actions).map_err(|place| self.diverges(place))
    }
}

#[cfg(test)]
mod tests {
    use super::super::toy::{Say, Toy};
    use super::*;

    fn toy() -> Arc<Toy> {
        Arc::default()
    }

    fn trace() -> Trace {
        let run = Run::replay(&toy(), 0, &[Say::Send, Say::Lose, Say::Break]).expect("the toy takes these");
        Trace::of(toy().as_ref(), &run, Some("toy-mutant"))
    }

    #[test]
    fn a_trace_survives_its_file() {
        let folder = std::env::temp_dir().join(format!("quorate-trace-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a scratch folder");
        let path = folder.join("trace.json");
        trace().save(&path).expect("a scratch folder can be written to");
        let loaded = Trace::load(&path).expect("what was written can be read");
        assert_eq!(loaded, trace());
        assert_eq!(loaded.property.as_deref(), Some("Toy"));
        let run = loaded.replay(&toy()).expect("the same code takes the same steps");
        assert_eq!(run.steps.len(), 3);
        assert_eq!(run.places(&toy()), [0, 0, 1, 0]);

        let refused = |text: &str| {
            std::fs::write(&path, text).expect("a scratch folder can be written to");
            Trace::load(&path).expect_err("refused").to_string()
        };
        assert!(refused("not json").contains("is not a trace"));
        assert!(refused("{}").contains("is not a trace"));
        assert!(refused(r#"{"format": 99, "version": "9.9"}"#).contains("written by quorate-check 9.9"));
        std::fs::remove_dir_all(&folder).expect("ours");
        assert!(Trace::load(&path).expect_err("gone").to_string().contains("trace.json"));
    }

    #[test]
    fn a_step_that_this_code_does_not_take_is_named() {
        let mut other = trace();
        other.steps.swap(0, 2);
        let error = other.replay(&toy()).expect_err("nothing is broken before anything is sent");
        assert!(error.to_string().contains("step 1 of the trace (the toy breaks)"), "{error}");
        other.steps[0].action = Value::from("Dance");
        assert!(matches!(other.replay(&toy()), Err(TraceError::Diverges { step: 1, .. })));
    }
}
