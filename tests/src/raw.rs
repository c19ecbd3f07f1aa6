//! One raw connection to one node, without the client's redirections: well-formed frames, or any bytes at all.

use quorate::transport::wire::{Hello, HelloReply};
use quorate::{codec, codec::Kind};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// A connection.
#[derive(Debug)]
pub struct Raw(pub TcpStream);

impl Raw {
    /// Connects and says nothing.
    pub fn connect(address: &str) -> Self {
        let stream = TcpStream::connect(address).expect("the node listens");
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a time-out");
        stream.set_write_timeout(Some(Duration::from_secs(60))).expect("a time-out");
        Self(stream)
    }

    /// Connects as a client.
    pub fn open(address: &str) -> Self {
        let mut raw = Self::connect(address);
        let answer = raw.greet(&Hello::Client { cluster: None });
        assert!(matches!(answer, HelloReply::Welcome { .. }), "{answer:?}");
        raw
    }

    /// Says hello and hears the answer.
    pub fn greet(&mut self, hello: &Hello) -> HelloReply {
        self.send(Kind::Hello, hello);
        self.receive(Kind::HelloReply)
    }

    /// Sends one frame.
    pub fn send<T: serde::Serialize>(&mut self, kind: Kind, value: &T) {
        let frame = codec::encode(kind, value).expect("it can be encoded");
        self.0.write_all(&frame).expect("it can be sent");
    }

    /// Receives one frame.
    pub fn receive<T: serde::de::DeserializeOwned>(&mut self, kind: Kind) -> T {
        let mut frame = vec![0; codec::HEADER_LEN];
        self.0.read_exact(&mut frame).expect("an answer comes");
        let header = codec::parse_header(&frame).expect("a header");
        frame.resize(codec::HEADER_LEN + header.length as usize, 0);
        self.0.read_exact(&mut frame[codec::HEADER_LEN..]).expect("a body comes");
        codec::decode(kind, &frame).expect("it can be decoded")
    }

    /// Whether the node closes the connection without another word.
    pub fn is_closed(&mut self) -> bool {
        let mut rest = Vec::new();
        match self.0.read_to_end(&mut rest) {
            Ok(_) => rest.is_empty(),
            // A reset is a close too: what was sent was not read to its end.
            Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
        }
    }
}
