//! Partial partitions: who does not reach whom, although somebody reaches both.

use crate::sim::random::Random;

/// The numbers below `count` in any order.
pub fn shuffled(count: usize, random: &mut Random) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    for place in (1..count).rev() {
        order.swap(place, random.below(place + 1));
    }
    order
}

/// Two halves that do not reach each other, and one, the first, that reaches both.
pub fn bridge(order: &[usize]) -> Vec<(usize, usize)> {
    let Some((_, others)) = order.split_first() else { return Vec::new() };
    let (here, there) = others.split_at(others.len() / 2);
    here.iter().flat_map(|one| there.iter().map(|other| (*one, *other))).collect()
}

/// A ring in which everybody reaches only so many neighbours that they are a majority with it, each another one.
pub fn ring(order: &[usize]) -> Vec<(usize, usize)> {
    let (count, reach) = (order.len(), (order.len() / 2).div_ceil(2));
    let far = |one: usize, other: usize| (other - one).min(count - (other - one)) > reach;
    let pairs = (0..count).flat_map(|one| (one + 1..count).map(move |other| (one, other)));
    pairs.filter(|(one, other)| far(*one, *other)).map(|(one, other)| (order[one], order[other])).collect()
}

/// One of these forms, or two that do not reach each other.
pub fn draw(count: usize, random: &mut Random) -> Vec<(usize, usize)> {
    let order = shuffled(count, random);
    let pairs = match random.below(3) {
        0 => Vec::new(),
        1 => bridge(&order),
        _ => ring(&order),
    };
    if pairs.is_empty() { vec![(order[0], order[1])] } else { pairs }
}

/// Each of these clients misses some of these processes, but not all.
pub fn draw_clients(clients: usize, count: usize, random: &mut Random) -> Vec<(usize, usize)> {
    let mut cut = Vec::new();
    for client in 0..clients {
        let missed = 1 + random.below(count - 1);
        cut.extend(shuffled(count, random).into_iter().take(missed).map(|process| (client, process)));
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many each one reaches, itself included.
    fn reached(count: usize, cut: &[(usize, usize)]) -> Vec<usize> {
        let misses = |one: usize| cut.iter().filter(|(a, b)| *a == one || *b == one).count();
        (0..count).map(|one| count - misses(one)).collect()
    }

    #[test]
    fn a_bridge_joins_two_halves() {
        assert_eq!(bridge(&[2, 0, 1]), [(0, 1)]);
        assert_eq!(bridge(&[4, 0, 1, 2, 3]), [(0, 2), (0, 3), (1, 2), (1, 3)]);
        assert_eq!(reached(5, &bridge(&[4, 0, 1, 2, 3])), [3, 3, 3, 3, 5]);
    }

    #[test]
    fn in_a_ring_everybody_sees_a_majority_and_nobody_all() {
        assert_eq!(ring(&[0, 1, 2]), []);
        for count in [5, 6, 9] {
            let order = shuffled(count, &mut Random::new(count as u64, 1));
            let reached = reached(count, &ring(&order));
            assert!(reached.iter().all(|it| *it > count / 2 && *it < count), "{count}: {reached:?}");
        }
    }
}
