//! Bytes that are on disks already. If one of these tests fails, the format changed: raise `FORMAT_VERSION` and write the
//! way from the old one, or undo the change.

use crate::samples::{configuration, group, mark, node_info, put};
use quorate::codec::{self, Kind};
use quorate::record::Item;
use quorate_core::effect::Write;
use quorate_core::input::{Input, Timer};
use quorate_core::message::{Message, Refusal, Reply, Request};
use quorate_core::raft::{self, Election, Entry, EntryKind, HardState};
use quorate_core::spec::ids::{LogIndex, NodeId, Term};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use std::sync::Arc;

fn golden<T: Serialize + DeserializeOwned + PartialEq + Debug>(kind: Kind, value: T, expected: &str) {
    let frame = codec::encode(kind, &value).unwrap();
    let hex: String = frame.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, expected, "{value:?}");
    assert_eq!(codec::decode::<T>(kind, &frame).unwrap(), value);
}

#[test]
fn messages() {
    golden(Kind::Request, Request::Status, "515254450100040001000000e482ecfb07");
    golden(
        Kind::Request,
        Request::Get { group: group(), key: "key".into() },
        "51525445010004000900000020d3d9f404fb2c0107036b6579",
    );
    golden(
        Kind::Reply,
        Reply::Refused(Refusal::KeyTooLarge { limit: 4096 }),
        "515254450100050005000000a49ad528060afb0010",
    );
    let granted = raft::Message::Election(Election::VoteGranted { term: Term::new(3) });
    golden(
        Kind::Peer,
        Message::Data { group: group(), message: granted },
        "515254450100030008000000dee476f001fb2c0107000403",
    );
}

#[test]
fn records() {
    let frame = codec::encode(Kind::Record, &Item::Input(Input::Fired { timer: Timer::Poll })).unwrap();
    let hex: String = frame.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, "5152544501000a0003000000508895ff010202");
    let back = codec::decode::<Item>(Kind::Record, &frame).unwrap();
    assert!(matches!(back, Item::Input(Input::Fired { timer: Timer::Poll })));
}

#[test]
fn writes() {
    let data = |write| Write::Data { group: group(), write };
    let hard = HardState { term: Term::new(300), voted_for: Some(NodeId::new(2)) };
    golden(
        Kind::WalFrame,
        data(raft::Write::HardState(hard)),
        "51525445010006000b000000b35e7f8203fb2c010700fb2c010102",
    );
    let command = Arc::new(Entry { term: Term::new(3), kind: EntryKind::Command(put()) });
    let entries = vec![Arc::new(Entry { term: Term::new(3), kind: EntryKind::Noop }), command];
    golden(
        Kind::WalFrame,
        data(raft::Write::Append { first: LogIndex::new(70_000), entries }),
        "5152544501000600230000004e7afbb903fb2c010702fc701101000203000301000504036b6579000576616c7565fc00001000",
    );
    golden(
        Kind::WalFrame,
        data(raft::Write::Mark(mark())),
        "51525445010006000f0000004f3c243003fb2c01070303fc70110100020102",
    );
    golden(
        Kind::WalFrame,
        Write::CreateData { group: group(), mark: mark(), config: configuration() },
        "51525445010006002800000068c9e38c02fb2c010703fc70110100020102080201fb2c010701fb2c010706000001fb2c01fb2c01\
         07010102",
    );
    golden(
        Kind::WalFrame,
        Write::Pin { node: NodeId::new(2), info: node_info() },
        "5152544501000600210000005fd39ee005020d31302e302e302e313a37303030fefaffffffffffffffffffffffffffffff",
    );
}
