//! Whether the address that this node tells the others leads back to it. It is the mistake that is noticed last: a node
//! with a wrong address reaches everybody, and nobody reaches it.

use super::frames::FrameBuffer;
use super::link::write_in_time;
use super::wire::{Hello, HelloReply};
use super::{HELLO_TIMEOUT, Identity};
use crate::codec::{self, Kind};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

/// How often it is tried before anything is said, and the pause between: an address may come up after the node.
const ATTEMPTS: usize = 3;
const PAUSE: Duration = Duration::from_secs(1);

/// Dials the advertised address and warns if nobody or somebody else answers. Only a warning: behind some routers a host
/// cannot reach itself by the address that others use.
pub async fn check(identity: Arc<Identity>) {
    let mut trouble = String::new();
    for _ in 0..ATTEMPTS {
        match ask(&identity).await {
            Ok(()) => return,
            Err(why) => trouble = why,
        }
        sleep(PAUSE).await;
    }
    let address = &identity.address;
    tracing::warn!(
        "other nodes are told to reach this one at {address}, but {trouble}: correct --advertise (or --listen, or its \
         entry in --controllers)"
    );
}

/// Who answers at the advertised address?
async fn ask(identity: &Identity) -> Result<(), String> {
    let answer = timeout(HELLO_TIMEOUT, async {
        let mut stream = TcpStream::connect(&identity.address).await.map_err(|error| error.to_string())?;
        let mut hello = Vec::new();
        codec::encode_into(Kind::Hello, &Hello::Client { cluster: None }, &mut hello)
            .map_err(|error| error.to_string())?;
        write_in_time(&mut stream, &hello).await.map_err(|error| error.to_string())?;
        let reply = FrameBuffer::default().receive(&mut stream, Kind::HelloReply).await;
        reply.map_err(|end| end.to_string())
    });
    match answer.await {
        Ok(Ok(HelloReply::Welcome { from, cluster }))
            if from.node != identity.me.node || cluster != identity.cluster =>
        {
            Err(format!("node {} of cluster {cluster:?} answers there", from.node.get()))
        }
        Ok(Ok(HelloReply::Welcome { from, .. })) if from != identity.me => {
            Err(format!("another process with the id {} answers there", from.node.get()))
        }
        // Refused: by a node that has too many clients already. So somebody is there, and only this one would be.
        Ok(Ok(HelloReply::Welcome { .. } | HelloReply::Refused { .. })) => Ok(()),
        Ok(Err(why)) => Err(format!("nobody answers there ({why})")),
        Err(_) => Err("nobody answers there in time".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Deliver, Listener};
    use super::*;
    use quorate_core::message::Peer;
    use quorate_spec::ids::{Boot, NodeId, Stamp};
    use tokio::net::TcpListener;

    fn identity(node: u64, address: &str) -> Identity {
        let me = Peer { node: NodeId::new(node), stamp: Stamp::default(), boot: Boot::ZERO };
        Identity { cluster: "c".into(), me, address: address.into() }
    }

    #[tokio::test]
    async fn only_the_node_itself_is_the_right_answer() {
        let socket = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = socket.local_addr().expect("bound").to_string();
        let nothing: Deliver = Arc::new(drop);
        tokio::spawn(Listener::new(Arc::new(identity(4, &address)), Arc::default(), nothing).run(socket));
        assert_eq!(ask(&identity(4, &address)).await, Ok(()));
        let other = ask(&identity(5, &address)).await.expect_err("node 4 is there");
        assert!(other.contains("node 4 of cluster \"c\" answers there"), "{other}");
        let mut twin = identity(4, &address);
        twin.me.stamp = Stamp::new(7);
        let twin = ask(&twin).await.expect_err("another directory's node 4 is there");
        assert!(twin.contains("another process with the id 4"), "{twin}");
        let closed = TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("bound").to_string();
        let nobody = ask(&identity(4, &closed)).await.expect_err("nobody listens");
        assert!(nobody.contains("nobody answers there"), "{nobody}");
    }
}
