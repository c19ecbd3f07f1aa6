//! Redis: one server that syncs its append-only file before it answers a write, and takes no other snapshots. Asked in
//! its own protocol, RESP, of which two commands need a few lines.

use crate::process::Server;
use crate::store::{Connection, Later, Target};
use bytes::Bytes;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// How long it may take to start.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long a first answer may take: what listens there may be something else, and silent.
const ANSWER: Duration = Duration::from_secs(2);

/// The longest answer that is taken.
const MOST_BYTES: usize = 64 << 20;

/// A running server.
pub(crate) struct Single {
    server: Server,
    address: String,
}

impl Single {
    pub(crate) async fn start(program: &Path, directory: &Path) -> Result<Self, String> {
        let port = quorate::cluster::ports::free(1).map_err(|error| error.to_string())?;
        let port = port.first().copied().ok_or("no free port")?;
        Self::start_on(port, program, directory).await
    }

    async fn start_on(port: u16, program: &Path, directory: &Path) -> Result<Self, String> {
        let mut command = Command::new(program);
        command.args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--dir"]).arg(directory).args([
            "--appendonly",
            "yes",
            "--appendfsync",
            "always",
            "--save",
            "",
            "--daemonize",
            "no",
        ]);
        let server = Server::start("redis", &mut command, directory)?;
        let mut single = Self { server, address: format!("127.0.0.1:{port}") };
        let deadline = Instant::now() + PATIENCE;
        loop {
            single.server.still_runs()?;
            match serving(&single.address).await {
                Ok(process) if process == single.server.id() => return Ok(single),
                Ok(other) => return Err(format!("{} is served by another Redis, process {other}", single.address)),
                Err(error) if Instant::now() > deadline => {
                    return Err(format!("redis does not start: {error}; {}", single.last_words()));
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }
}

impl Target for Single {
    fn connect(&self) -> Later<'_, Box<dyn Connection>> {
        Box::pin(async { Ok(Box::new(Redis::open(&self.address).await?) as Box<dyn Connection>) })
    }

    fn processes(&self) -> Vec<u32> {
        vec![self.server.id()]
    }

    fn last_words(&self) -> String {
        self.server.last_words()
    }
}

/// The process that answers at `address`.
async fn serving(address: &str) -> Result<u32, String> {
    let about = tokio::time::timeout(ANSWER, async { Redis::open(address).await?.call(&[b"INFO", b"server"]).await });
    let about = about.await.map_err(|_| format!("{address} does not answer"))??.unwrap_or_default();
    let about = String::from_utf8_lossy(&about);
    let process = about.lines().find_map(|line| line.strip_prefix("process_id:"));
    process.and_then(|process| process.trim().parse().ok()).ok_or_else(|| "it does not name its process".to_owned())
}

/// One connection.
struct Redis {
    stream: BufReader<TcpStream>,
    request: Vec<u8>,
}

impl Redis {
    async fn open(address: &str) -> Result<Self, String> {
        let stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
        stream.set_nodelay(true).map_err(|error| error.to_string())?;
        Ok(Self { stream: BufReader::new(stream), request: Vec::new() })
    }

    /// One command and its answer.
    async fn call(&mut self, words: &[&[u8]]) -> Result<Option<Bytes>, String> {
        self.request.clear();
        encode(words, &mut self.request);
        self.stream.get_mut().write_all(&self.request).await.map_err(|error| error.to_string())?;
        answer(&mut self.stream).await
    }
}

impl Connection for Redis {
    fn put<'a>(&'a mut self, key: &'a [u8], value: &'a [u8]) -> Later<'a, ()> {
        Box::pin(async move {
            match self.call(&[b"SET", key, value]).await? {
                Some(said) if said == b"OK".as_slice() => Ok(()),
                other => Err(format!("Redis answered a SET with {other:?}")),
            }
        })
    }

    fn get<'a>(&'a mut self, key: &'a [u8]) -> Later<'a, Option<Bytes>> {
        Box::pin(async move { self.call(&[b"GET", key]).await })
    }
}

/// A command: an array of byte strings.
fn encode(words: &[&[u8]], request: &mut Vec<u8>) {
    request.extend(format!("*{}\r\n", words.len()).into_bytes());
    for word in words {
        request.extend(format!("${}\r\n", word.len()).into_bytes());
        request.extend_from_slice(word);
        request.extend_from_slice(b"\r\n");
    }
}

/// Reads one answer that is not an array: a line, a number, a byte string or nothing.
async fn answer(stream: &mut (impl AsyncBufRead + Unpin)) -> Result<Option<Bytes>, String> {
    let mut line = Vec::new();
    stream.read_until(b'\n', &mut line).await.map_err(|error| error.to_string())?;
    let line = line.strip_suffix(b"\r\n").ok_or("Redis closed the connection")?;
    let text = String::from_utf8_lossy(line.get(1..).unwrap_or_default());
    match line.first() {
        Some(b'+' | b':') => Ok(Some(Bytes::copy_from_slice(text.as_bytes()))),
        Some(b'-') => Err(format!("Redis refused: {text}")),
        Some(b'$') if text == "-1" => Ok(None),
        Some(b'$') => {
            let length = text.parse().ok().filter(|length| *length <= MOST_BYTES);
            let length = length.ok_or_else(|| format!("Redis announced {text} bytes"))?;
            let mut value = vec![0; length + 2];
            stream.read_exact(&mut value).await.map_err(|error| error.to_string())?;
            value.truncate(length);
            Ok(Some(value.into()))
        }
        _ => Err(format!("Redis answered {:?}", String::from_utf8_lossy(line))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_encoded_as_resp() {
        let mut request = Vec::new();
        encode(&[b"SET", b"k", b"a\r\nb"], &mut request);
        assert_eq!(request, b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$4\r\na\r\nb\r\n");
    }

    #[tokio::test]
    async fn answers_are_read_one_after_the_other() {
        let mut stream = b"+OK\r\n$4\r\na\r\nb\r\n$-1\r\n$0\r\n\r\n:7\r\n".as_slice();
        for expected in [Some("OK"), Some("a\r\nb"), None, Some(""), Some("7")] {
            assert_eq!(answer(&mut stream).await, Ok(expected.map(Bytes::from)));
        }
        assert!(stream.is_empty());
    }

    #[tokio::test]
    async fn refusals_and_nonsense_are_errors() {
        for (said, error) in [
            ("-MISCONF disk\r\n", "Redis refused: MISCONF disk"),
            ("", "Redis closed the connection"),
            ("+O", "Redis closed the connection"),
            ("$99999999999\r\n", "Redis announced 99999999999 bytes"),
            ("$x\r\n", "Redis announced x bytes"),
            ("*1\r\n", "Redis answered \"*1\""),
            ("\r\n", "Redis answered \"\""),
        ] {
            assert_eq!(answer(&mut said.as_bytes()).await, Err(error.to_owned()), "{said:?}");
        }
        assert!(answer(&mut b"$5\r\nab".as_slice()).await.is_err(), "a value that is cut");
    }

    #[tokio::test]
    async fn a_port_in_use_is_said() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let directory = tempfile::tempdir().unwrap();
        let port = taken.local_addr().unwrap().port();
        let started = Single::start_on(port, Path::new("redis-server"), directory.path());
        let error = started.await.err().expect("the port is taken");
        assert!(error.contains("redis has ended") && error.contains("Address already in use"), "{error}");
    }
}
