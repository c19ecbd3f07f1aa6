//! etcd: three members, asked over gRPC. Three calls with a handful of fields are encoded here by hand: a protobuf
//! compiler and a gRPC stack would be most of this package.

use crate::load::{Connection, Later, Target};
use bytes::{BufMut, Bytes, BytesMut};
use h2::client::SendRequest;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;

/// A running cluster. Killed when dropped.
pub(crate) struct Cluster {
    members: Vec<Child>,
    leader: String,
}

impl Cluster {
    pub(crate) async fn start(directory: &Path) -> Result<Self, String> {
        let ports = quorate::cluster::ports::free(6).map_err(|error| error.to_string())?;
        let (clients, peers) = ports.split_at(3);
        let url = |port: &u16| format!("http://127.0.0.1:{port}");
        let named: Vec<String> =
            peers.iter().zip(1..).map(|(port, number)| format!("m{number}={}", url(port))).collect();
        let mut cluster = Self { members: Vec::new(), leader: String::new() };
        for (number, (client, peer)) in (1..).zip(clients.iter().zip(peers)) {
            let member = Command::new("etcd")
                .args(["--name", &format!("m{number}"), "--data-dir"])
                .arg(directory.join(format!("m{number}")))
                .args(["--listen-client-urls", &url(client), "--advertise-client-urls", &url(client)])
                .args(["--listen-peer-urls", &url(peer), "--initial-advertise-peer-urls", &url(peer)])
                .args(["--initial-cluster", &named.join(","), "--initial-cluster-state", "new", "--log-level", "error"])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .map_err(|error| format!("etcd: {error}; install it with 'apt-get install etcd-server'"))?;
            cluster.members.push(member);
        }
        let addresses: Vec<String> = clients.iter().map(|port| format!("127.0.0.1:{port}")).collect();
        let deadline = Instant::now() + Duration::from_secs(60);
        while Instant::now() < deadline {
            for address in &addresses {
                if leads(address).await.unwrap_or(false) {
                    cluster.leader.clone_from(address);
                    return Ok(cluster);
                }
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Err("etcd does not start: no member leads".to_owned())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for member in &mut self.members {
            let _ = member.kill();
            let _ = member.wait();
        }
    }
}

impl Target for Cluster {
    fn connect(&mut self) -> Later<'_, Box<dyn Connection>> {
        Box::pin(async { Ok(Box::new(Etcd::open(&self.leader).await?) as Box<dyn Connection>) })
    }
}

/// Whether the member at `address` leads: its StatusResponse names its own id as the leader's.
async fn leads(address: &str) -> Result<bool, String> {
    let status = Etcd::open(address).await?.call("/etcdserverpb.Maintenance/Status", Bytes::new()).await?;
    let header = field(&status, 1).ok_or("a status without a header")?;
    let (member, leader) = (number(header.bytes, 2), number(&status, 4));
    Ok(member.is_some() && member == leader)
}

/// One connection.
struct Etcd {
    calls: SendRequest<Bytes>,
}

impl Etcd {
    async fn open(address: &str) -> Result<Self, String> {
        let stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
        stream.set_nodelay(true).map_err(|error| error.to_string())?;
        let (calls, connection) = h2::client::handshake(stream).await.map_err(|error| error.to_string())?;
        tokio::spawn(connection);
        Ok(Self { calls })
    }

    /// One unary call: the message with gRPC's five bytes before it, and the answer without them.
    async fn call(&mut self, path: &str, message: Bytes) -> Result<Bytes, String> {
        let request = http::Request::post(format!("http://etcd{path}"))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .body(())
            .map_err(|error| error.to_string())?;
        let mut calls = self.calls.clone().ready().await.map_err(|error| error.to_string())?;
        let (response, mut stream) = calls.send_request(request, false).map_err(|error| error.to_string())?;
        let mut frame = BytesMut::with_capacity(message.len() + 5);
        frame.put_u8(0);
        frame.put_u32(message.len() as u32);
        frame.put(message);
        stream.send_data(frame.freeze(), true).map_err(|error| error.to_string())?;
        let mut body = response.await.map_err(|error| error.to_string())?.into_body();
        let mut answer = BytesMut::new();
        while let Some(data) = body.data().await {
            let data = data.map_err(|error| error.to_string())?;
            let _ = body.flow_control().release_capacity(data.len());
            answer.put(data);
        }
        let trailers = body.trailers().await.map_err(|error| error.to_string())?;
        let status = trailers.as_ref().and_then(|trailers| trailers.get("grpc-status"));
        if status.is_none_or(|status| status != "0") || answer.len() < 5 {
            return Err(format!("etcd refused {path}: {trailers:?}"));
        }
        Ok(answer.freeze().slice(5..))
    }
}

impl Connection for Etcd {
    fn put<'a>(&'a mut self, key: &'a [u8], value: &'a [u8]) -> Later<'a, ()> {
        let message = fields(&[(1, key), (2, value)]);
        Box::pin(async move { self.call("/etcdserverpb.KV/Put", message).await.map(drop) })
    }

    fn get<'a>(&'a mut self, key: &'a [u8]) -> Later<'a, ()> {
        // Without `serializable` a range is linearizable.
        let message = fields(&[(1, key)]);
        Box::pin(async move { self.call("/etcdserverpb.KV/Range", message).await.map(drop) })
    }
}

/// A protobuf message of byte fields.
fn fields(fields: &[(u8, &[u8])]) -> Bytes {
    let mut message = BytesMut::new();
    for (number, bytes) in fields {
        message.put_u8(number << 3 | 2);
        let mut length = bytes.len();
        while length >= 128 {
            message.put_u8(length as u8 & 127 | 128);
            length >>= 7;
        }
        message.put_u8(length as u8);
        message.put_slice(bytes);
    }
    message.freeze()
}

/// A field of a protobuf message: its number if it is one, its bytes if it has some.
struct Field<'a> {
    number: u64,
    bytes: &'a [u8],
}

fn field(message: &[u8], wanted: u64) -> Option<Field<'_>> {
    let mut rest = message;
    while !rest.is_empty() {
        let tag = varint(&mut rest)?;
        let number = varint(&mut rest)?;
        let bytes = match tag & 7 {
            0 => &[],
            2 => rest.split_off(..usize::try_from(number).ok()?)?,
            _ => return None,
        };
        if tag >> 3 == wanted {
            return Some(Field { number, bytes });
        }
    }
    None
}

fn number(message: &[u8], wanted: u64) -> Option<u64> {
    field(message, wanted).map(|field| field.number)
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = bytes.split_off_first()?;
        value |= u64::from(byte & 127) << shift;
        if byte & 128 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_encoded_as_protobuf() {
        let long = [7; 300];
        let message = fields(&[(1, b"k"), (2, &long)]);
        assert_eq!(&message[..6], [0x0a, 1, b'k', 0x12, 0xac, 0x02]);
        assert_eq!(field(&message, 2).map(|field| field.bytes), Some(long.as_slice()));
        assert_eq!(number(&[0x10, 0x96, 0x01], 2), Some(150), "the example of the protobuf manual");
    }
}
