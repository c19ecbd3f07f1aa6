//! Snapshots: the parts of the state, of any size, make the same state again.

use crate::support::*;
use quorate_core::controller::{Chunk, Command, Controller, Cursor, Item};
use quorate_core::raft::{Image, Payload};
use quorate_core::spec::ids::{ClientId, Seq};

/// Cuts the state into chunks of about `limit` bytes.
pub(crate) fn chunks(controller: &Controller, limit: usize) -> Vec<Chunk> {
    let (mut chunks, mut from) = (Vec::new(), Some(Cursor::default()));
    while let Some(cursor) = from {
        let (chunk, next) = controller.chunk(&cursor, limit);
        assert!(!chunk.items.is_empty(), "every chunk moves on");
        assert!(next.is_none_or(|next| next > cursor), "every cursor moves on");
        chunks.push(chunk);
        from = next;
    }
    chunks
}

/// Puts the state together again.
pub(crate) fn restored(chunks: Vec<Chunk>) -> Controller {
    let mut controller = Controller::blank();
    for chunk in chunks {
        controller.absorb(chunk);
    }
    controller
}

/// The sessions whose last request is remembered.
pub(crate) fn session_records(controller: &Controller) -> Vec<ClientId> {
    let items = chunks(controller, usize::MAX).into_iter().flat_map(|chunk| chunk.items);
    items.filter_map(|item| if let Item::Session(client, _) = item { Some(client) } else { None }).collect()
}

/// A state with everything in it.
fn well_used() -> Cluster {
    let mut cluster = Cluster::new(7);
    for seq in 1..10 {
        let client = cluster.register_client(1_000);
        cluster.change(join(&[(seq, &[seq, seq + 1])]));
        cluster.apply(&Command::Change { client, seq: Seq::new(seq), change: leave(&[seq % 3 + 1]) });
    }
    cluster.change(raise_floor(1));
    cluster.retire(group(2, 3));
    cluster
}

#[test]
fn chunks_of_any_size_make_the_same_state() {
    let original = well_used().controller;
    for limit in [0, 1, 100, 1_000, 5_000, usize::MAX] {
        assert_eq!(restored(chunks(&original, limit)), original, "chunks of {limit} bytes");
    }
    let genesis = Controller::genesis(3);
    assert_eq!(restored(chunks(&genesis, 0)), genesis);
}

#[test]
fn a_chunk_holds_one_item_or_about_the_limit() {
    let original = well_used().controller;
    let single = chunks(&original, 0);
    assert!(single.iter().all(|chunk| chunk.items.len() == 1));
    assert_eq!(chunks(&original, usize::MAX).len(), 1);
    let some = chunks(&original, 1_000).len();
    assert!((2..single.len()).contains(&some), "{some} chunks of 1,000 bytes, {} items", single.len());
}

/// `snapshot-drops-sessions`: a retry after a restore gets its first answer, and numbers go on where they were.
#[test]
fn a_restored_controller_goes_on_like_the_original() {
    let mut original = well_used();
    let retry = Command::Change { client: client(1), seq: original.seq, change: raise_floor(1) };
    let mut restored = Cluster { controller: restored(chunks(&original.controller, 200)), seq: original.seq };
    let before = original.latest().num;
    assert_eq!(restored.apply(&retry), changed(before.get()), "the first answer, not BadFloor");
    assert_eq!(restored.register_client(1_000), original.register_client(1_000));
    assert_eq!(restored.change(join(&[(9, &[1])])), original.change(join(&[(9, &[1])])));
    assert_eq!(restored.change(leave(&[5])), original.change(leave(&[5])));
    assert_eq!(restored.controller, original.controller);
}

#[test]
#[should_panic(expected = "in order, each once")]
fn a_chunk_out_of_order_is_a_bug() {
    let mut out_of_order = chunks(&well_used().controller, 0);
    out_of_order.swap(1, 2);
    restored(out_of_order);
}

#[test]
fn larger_commands_count_for_more_bytes() {
    let command = |change| Command::Change { client: client(1), seq: Seq::new(1), change }.bytes();
    assert!(command(join(&[(1, &[1, 2, 3])])) > command(join(&[(1, &[1])])));
    assert!(command(leave(&[1, 2])) > command(leave(&[1])));
    assert!(register_node(1).bytes() > 0);
}

/// Compiles only if what travels and what is written can be encoded.
#[cfg(feature = "serde")]
#[test]
fn commands_chunks_and_cursors_can_be_encoded() {
    fn encodable<T: serde::Serialize + for<'de> serde::Deserialize<'de>>() {}
    encodable::<Command>();
    encodable::<Chunk>();
    encodable::<Cursor>();
}
