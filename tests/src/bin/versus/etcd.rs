//! etcd: three members, asked over gRPC. gRPC is five bytes before a message on HTTP/2, and a status after it.

use crate::process::Server;
use crate::protobuf::{self, message};
use crate::store::{Connection, Later, Target};
use bytes::{BufMut, Bytes, BytesMut};
use h2::client::SendRequest;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;

/// How long it may take to start.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long a first answer may take: what listens there may be something else, and silent.
const ANSWER: Duration = Duration::from_secs(2);

/// What the backend may hold: its default of 2 GB is soon full of large values, of which it keeps every version.
const QUOTA_BYTES: u64 = 8 << 30;

/// A running cluster.
pub(crate) struct Cluster {
    members: Vec<Server>,
    leader: String,
}

impl Cluster {
    pub(crate) async fn start(program: &Path, directory: &Path) -> Result<Self, String> {
        let ports = quorate::cluster::ports::free(6).map_err(|error| error.to_string())?;
        let (clients, peers) = ports.split_at(3);
        let url = |port: &u16| format!("http://127.0.0.1:{port}");
        let named: Vec<String> =
            peers.iter().zip(1..).map(|(port, number)| format!("m{number}={}", url(port))).collect();
        let mut cluster = Self { members: Vec::new(), leader: String::new() };
        for (number, (client, peer)) in (1..).zip(clients.iter().zip(peers)) {
            let mut member = Command::new(program);
            member
                .args(["--name", &format!("m{number}"), "--data-dir"])
                .arg(directory.join(format!("m{number}")))
                .args(["--listen-client-urls", &url(client), "--advertise-client-urls", &url(client)])
                .args(["--listen-peer-urls", &url(peer), "--initial-advertise-peer-urls", &url(peer)])
                .args(["--initial-cluster", &named.join(","), "--initial-cluster-state", "new"])
                .args(["--quota-backend-bytes", &QUOTA_BYTES.to_string(), "--log-level", "error"]);
            cluster.members.push(Server::start(&format!("etcd-{number}"), &mut member, directory)?);
        }
        let addresses: Vec<String> = clients.iter().map(|port| format!("127.0.0.1:{port}")).collect();
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            cluster.members.iter_mut().try_for_each(Server::still_runs)?;
            for address in &addresses {
                if leads(address).await.unwrap_or(false) {
                    cluster.leader.clone_from(address);
                    return Ok(cluster);
                }
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err(format!("etcd does not start: no member leads after {} s; {}", PATIENCE.as_secs(), cluster.last_words()))
    }
}

impl Target for Cluster {
    fn connect(&self) -> Later<'_, Box<dyn Connection>> {
        Box::pin(async { Ok(Box::new(Etcd::open(&self.leader).await?) as Box<dyn Connection>) })
    }

    fn processes(&self) -> Vec<u32> {
        self.members.iter().map(Server::id).collect()
    }

    fn last_words(&self) -> String {
        self.members.iter().map(Server::last_words).collect::<Vec<_>>().join("\n")
    }
}

/// Whether the member at `address` leads: its StatusResponse names its own id as the leader's.
async fn leads(address: &str) -> Result<bool, String> {
    let path = "/etcdserverpb.Maintenance/Status";
    let status = tokio::time::timeout(ANSWER, async { Etcd::open(address).await?.call(path, Bytes::new()).await });
    let status = status.await.map_err(|_| format!("{address} does not answer"))??;
    let header = protobuf::bytes(&status, 1).ok_or("a status without a header")?;
    let (member, leader) = (protobuf::number(header, 2), protobuf::number(&status, 4));
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
        let message = message(&[(1, key), (2, value)]);
        Box::pin(async move { self.call("/etcdserverpb.KV/Put", message).await.map(drop) })
    }

    fn get<'a>(&'a mut self, key: &'a [u8]) -> Later<'a, Option<Bytes>> {
        // Without `serializable` a range is linearizable.
        let message = message(&[(1, key)]);
        Box::pin(async move {
            let answer = self.call("/etcdserverpb.KV/Range", message).await?;
            // RangeResponse.kvs, and in it KeyValue.value.
            let value = protobuf::bytes(&answer, 2).map(|found| protobuf::bytes(found, 5).unwrap_or_default());
            Ok(value.map(|value| answer.slice_ref(value)))
        })
    }
}
