//! A solver as a child process: a text goes in, one word comes out. It is killed when its time is up.

use std::io::{ErrorKind, Read, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// Which program decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Solver {
    /// z3.
    #[default]
    Z3,
    /// cvc5.
    Cvc5,
}

/// What a solver answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// There is a model: the text that follows, if one was asked for.
    Sat(String),
    /// There is none.
    Unsat,
    /// It does not know.
    Unknown,
    /// It was killed.
    TimedOut,
    /// It said something else: a fault of the text or of the solver.
    Other(String),
}

/// The arguments of a solver, and how long it may take with them.
type Way = (&'static [&'static str], Duration);

impl Solver {
    /// The name of the program and of its package.
    pub fn name(self) -> &'static str {
        match self {
            Self::Z3 => "z3",
            Self::Cvc5 => "cvc5",
        }
    }

    /// By its name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Z3, Self::Cvc5].into_iter().find(|solver| solver.name() == name)
    }

    /// The ways to ask it, each with the most time that it gets: the next one is for what one leaves unanswered.
    const fn ways(self) -> &'static [Way] {
        const Z3: &[Way] = &[(&["-in"], Duration::MAX)];
        // Instances for the terms that are there decide most obligations at once, but never that there is a model.
        const CVC5: &[Way] = &[
            (&["--lang=smt2", "--produce-models"], Duration::from_secs(1)),
            (&["--lang=smt2", "--produce-models", "--finite-model-find"], Duration::MAX),
        ];
        match self {
            Self::Z3 => Z3,
            Self::Cvc5 => CVC5,
        }
    }

    /// The version that is installed, or the line that says how to install it.
    pub fn version(self) -> Result<String, String> {
        let missing = || format!("{0} is not installed: apt-get install {0}", self.name());
        let output = Command::new(self.name()).arg("--version").output().map_err(|error| match error.kind() {
            ErrorKind::NotFound => missing(),
            _ => format!("{} does not start: {error}", self.name()),
        })?;
        let text = String::from_utf8_lossy(&output.stdout);
        Ok(text.lines().next().unwrap_or_default().trim().to_owned())
    }

    /// Asks, for at most `limit`.
    pub fn ask(self, text: &str, limit: Duration) -> Answer {
        let began = Instant::now();
        let mut answer = Answer::Unknown;
        for (arguments, most) in self.ways() {
            answer = self.run(arguments, text, (*most).min(limit.saturating_sub(began.elapsed())));
            if !matches!(answer, Answer::Unknown | Answer::TimedOut) {
                break;
            }
        }
        answer
    }

    fn run(self, arguments: &[&str], text: &str, limit: Duration) -> Answer {
        let mut command = Command::new(self.name());
        let started =
            command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut child = match started {
            Ok(child) => child,
            Err(error) => return Answer::Other(format!("{} does not start: {error}", self.name())),
        };
        let (Some(mut input), Some(mut output)) = (child.stdin.take(), child.stdout.take()) else {
            return Answer::Other("no pipe to the solver".to_owned());
        };
        // A solver that ends early closes the pipe; what it said is the answer, so the failed write is not.
        let _ = input.write_all(text.as_bytes());
        drop(input);
        let (report, reported) = mpsc::channel();
        let reader = thread::spawn(move || {
            let mut said = String::new();
            let read = output.read_to_string(&mut said);
            let _ = report.send(read.map(|_| said));
        });
        let answer = match reported.recv_timeout(limit) {
            Ok(Ok(said)) => understand(&said),
            Ok(Err(error)) => Answer::Other(error.to_string()),
            Err(_) => Answer::TimedOut,
        };
        let _ = child.kill();
        let _ = child.wait();
        let _ = reader.join();
        answer
    }
}

fn understand(said: &str) -> Answer {
    let (first, rest) = said.trim().split_once('\n').unwrap_or((said.trim(), ""));
    match first.trim() {
        "sat" => Answer::Sat(rest.to_owned()),
        "unsat" => Answer::Unsat,
        "unknown" => Answer::Unknown,
        _ => Answer::Other(said.lines().next().unwrap_or("no answer").to_owned()),
    }
}
