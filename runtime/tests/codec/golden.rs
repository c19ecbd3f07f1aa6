//! Bytes that are on disks already. If one of these tests fails, the format changed: raise `FORMAT_VERSION` and write the
//! way from the old one, or undo the change.

use crate::samples::{configuration, group, mark, node_info, put};
use quorate::codec::{self, Kind};
use quorate_core::effect::Write;
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
    golden(Kind::Request, Request::Status, "");
    golden(
        Kind::Request,
        Request::Get {
            group: group(),
            key: "key".into(),
        },
        "",
    );
    golden(Kind::Reply, Reply::Refused(Refusal::KeyTooLarge { limit: 4096 }), "");
    let granted = raft::Message::Election(Election::VoteGranted { term: Term::new(3) });
    golden(
        Kind::Peer,
        Message::Data {
            group: group(),
            message: granted,
        },
        "",
    );
}

#[test]
fn writes() {
    let data = |write| Write::Data { group: group(), write };
    let hard = HardState {
        term: Term::new(300),
        voted_for: Some(NodeId::new(2)),
    };
    golden(Kind::WalFrame, data(raft::Write::HardState(hard)), "");
    let command = Arc::new(Entry {
        term: Term::new(3),
        kind: EntryKind::Command(put()),
    });
    let entries = vec![
        Arc::new(Entry {
            term: Term::new(3),
            kind: EntryKind::Noop,
        }),
        command,
    ];
    golden(
        Kind::WalFrame,
        data(raft::Write::Append {
            first: LogIndex::new(70_000),
            entries,
        }),
        "",
    );
    golden(Kind::WalFrame, data(raft::Write::Mark(mark())), "");
    golden(
        Kind::WalFrame,
        Write::CreateData {
            group: group(),
            mark: mark(),
            config: configuration(),
        },
        "",
    );
    golden(
        Kind::WalFrame,
        Write::Pin {
            node: NodeId::new(2),
            info: node_info(),
        },
        "",
    );
}
