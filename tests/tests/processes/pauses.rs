//! A shard moves while one of its keys is written: for how long is no write acknowledged?

use quorate_tests::campaign::{Campaign, Figures};
use quorate_tests::load::Load;
use quorate_tests::world::{World, key_per_shard, layout};
use std::time::Duration;

/// Sizes of the moving shard in MiB, ascending.
const SIZES: [usize; 4] = [0, 1, 16, 64];

/// The longest time between two consecutive `answers`, of those times that touch `moved`. In milliseconds.
fn pause(mut answers: Vec<u64>, moved: (u64, u64)) -> f64 {
    answers.sort_unstable();
    let gaps = answers.iter().zip(answers.iter().skip(1));
    let touching = gaps.filter(|(before, after)| **after > moved.0 && **before < moved.1);
    touching.map(|(before, after)| after - before).max().expect("it is written all the time") as f64 / 1e6
}

/// So many moves of every size, between two groups, to and fro.
async fn move_some(moves: u64, sizes: &[usize]) -> Figures {
    let world = World::joined(layout(2), 2, "").await;
    let client = world.client().await;
    let moving = *world.shards_of(1).await.first().expect("group 1 owns shards");
    let anchor = key_per_shard(10, "k").remove(&moving).expect("a key of the shard");
    let keys = (0..2).map(|client| (0..2).map(|key| format!("{{{anchor}}}{client}.{key}")).collect());
    let load = Load::on(async || world.client().await, keys, Duration::from_millis(1)).await;
    let (mut filled, mut turn, mut moved) = (0, 0, Vec::new());
    for size in sizes {
        while filled < *size {
            client.put(format!("{{{anchor}}}:{filled}"), vec![b'v'; 1 << 20]).await.expect("the shard is served");
            filled += 1;
        }
        for _ in 0..moves {
            load.progress(100).await;
            let begun = load.recorder().now();
            client.move_shard(moving, 2 - turn % 2).await.expect("the controller takes the move");
            turn += 1;
            world.settled().await;
            moved.push((format!("{size} MiB"), (begun, load.recorder().now())));
        }
    }
    load.progress(100).await;
    let recording = load.judge(client).await;
    let figures = Figures::of(moved.len() as u64, &recording);
    let answers: Vec<u64> = recording.operations.iter().filter_map(|operation| operation.returned).collect();
    moved.iter().fold(figures, |figures, (size, moved)| figures.waited(size, vec![pause(answers.clone(), *moved)]))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_moving_shard_pauses_and_goes_on() {
    let campaign = Campaign::new("pauses", 2);
    let sizes = if campaign.is_long() { &SIZES[..] } else { &SIZES[..2] };
    campaign
        .run(4 * sizes.len() as u64, async |_, count| move_some(count.div_ceil(sizes.len() as u64), sizes).await)
        .await;
}

#[test]
fn a_pause_is_the_longest_time_without_an_answer_that_touches_the_move() {
    let answers = vec![0, 9_000_000, 10_000_000, 13_000_000, 12_000_000, 20_000_000];
    assert_eq!(pause(answers.clone(), (9_500_000, 12_500_000)), 2.0);
    assert_eq!(pause(answers, (12_500_000, 13_500_000)), 7.0);
}
