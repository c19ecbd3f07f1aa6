//! stateright's Explorer, opened at a run: a page of our own over its program, so that a person sees the drawing, the
//! step and the violation at once.
//!
//! The Explorer reads its page from the folder `ui/` of the working directory. A temporary one is made and entered, which
//! is why this is for a process that does nothing else.

use crate::scenario::Scenario;
use crate::trace::Run;
use std::fs;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;

const PAGE: &str = include_str!("../ui/index.htm");
const STYLE: &str = include_str!("../ui/app.css");

/// What the page says at its head.
pub struct Head {
    /// The selected mutant.
    pub mutant: Option<String>,
    /// The violation of the run that it opens at.
    pub verdict: Option<String>,
}

/// The link that opens the Explorer at the end of a run.
pub fn link<S: Scenario>(address: SocketAddr, scenario: &S, run: &Run<S>) -> String {
    let places: Vec<String> = run.places(scenario).iter().map(ToString::to_string).collect();
    format!("http://{address}/#/steps/{}", places.join("/"))
}

/// The address itself, if it can be listened to; for port 0, one with a port that is free now.
///
/// # Errors
/// It is in use, or not of this machine.
pub fn try_address(address: SocketAddr) -> io::Result<SocketAddr> {
    TcpListener::bind(address)?.local_addr()
}

/// Serves the Explorer until the process ends.
///
/// # Errors
/// The page cannot be written to the temporary folder.
pub fn serve<S: Scenario>(scenario: S, address: SocketAddr, head: &Head) -> io::Result<()> {
    let folder = folder();
    fs::create_dir_all(folder.join("ui"))?;
    fs::write(folder.join("ui/index.htm"), page(&scenario, head))?;
    fs::write(folder.join("ui/app.css"), STYLE)?;
    std::env::set_current_dir(&folder)?;
    scenario.checker().serve(address);
    Ok(())
}

fn folder() -> PathBuf {
    std::env::temp_dir().join(format!("quorate-explorer-{}", std::process::id()))
}

fn page<S: Scenario>(scenario: &S, head: &Head) -> String {
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let mutant = head.mutant.as_ref().map(|mutant| format!(", with the deliberate bug {mutant}")).unwrap_or_default();
    let title = format!("{} / {}{mutant}", scenario.model(), scenario.scope());
    let verdict = head.verdict.as_ref().map(|verdict| format!("<p class=\"verdict\">{}</p>", escape(verdict)));
    PAGE.replace("@@TITLE@@", &escape(&title))
        .replace("@@BOUNDS@@", &escape(&scenario.bounds()))
        .replace("@@VERDICT@@", &verdict.unwrap_or_default())
}
