//! Tells the service manager how the node is, if one asked for it: `sd_notify(3)`, which is one datagram.

use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// The environment variable that names the socket.
const SOCKET: &str = "NOTIFY_SOCKET";
/// The node serves.
pub(super) const READY: &str = "READY=1";
/// The node has begun to stop.
pub(super) const STOPPING: &str = "STOPPING=1";

/// Says `state`. Nobody may have asked; and a service manager that does not listen is no reason to stop.
pub(super) fn tell(state: &str) {
    if let Some(socket) = std::env::var_os(SOCKET).filter(|socket| !socket.is_empty())
        && let Err(error) = send(&socket, state)
    {
        tracing::warn!(%error, ?socket, "the service manager cannot be told that {state}");
    }
}

/// A name that begins with `@` is an abstract one.
fn send(socket: &OsStr, state: &str) -> io::Result<()> {
    let address = match socket.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(socket)?,
    };
    UnixDatagram::unbound()?.send_to_addr(state.as_bytes(), &address).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn heard(listening: &UnixDatagram) -> String {
        listening.set_read_timeout(Some(Duration::from_secs(30))).expect("a time-out");
        let mut words = [0; 64];
        let length = listening.recv(&mut words).expect("something was said");
        String::from_utf8_lossy(&words[..length]).into_owned()
    }

    #[test]
    fn it_is_said_where_it_was_asked_for() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("notify");
        let listening = UnixDatagram::bind(&path).expect("a socket");
        send(path.as_os_str(), READY).expect("said");
        assert_eq!(heard(&listening), "READY=1");

        let name = format!("quorate-notify-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).expect("a name");
        let listening = UnixDatagram::bind_addr(&address).expect("a socket");
        send(OsStr::new(&format!("@{name}")), STOPPING).expect("said");
        assert_eq!(heard(&listening), "STOPPING=1");
        assert!(send(directory.path().join("nobody").as_os_str(), READY).is_err());
    }
}
