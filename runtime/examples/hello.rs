//! Connects to a cluster, writes a key twice and reads it back.
//!
//! `quorate up` in one terminal, then `cargo run --example hello` in another; `cargo run --example hello -- HOST:PORT`
//! for a cluster elsewhere.

use quorate::client_api::{Client, Options};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let seed = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:7001".into());
    let client = Client::connect(Options::new(vec![seed])).await?;

    client.put("greeting", "hello").await?;
    let written = client.append("greeting", ", world").await?;
    let read = client.get("greeting").await?;

    let value = read.value.map(|value| String::from_utf8_lossy(&value).into_owned());
    println!("greeting = {value:?}");
    println!("shard {}, written at {}, read at {}", read.shard, written.position, read.position);
    Ok(())
}
