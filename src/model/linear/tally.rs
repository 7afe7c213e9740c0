//! The features of two pairs counted, and given back in the order of their ranks.
//!
//! [`Counts`](super::features::Counts) does so by the hashes of their names, for models that know nothing else of them.

/// A feature: its rank in the upper half, its place in the lower, so that the numbers sort as the ranks do.
pub(crate) type Ranked = u64;

/// More than any rank and place.
const FREE: Ranked = Ranked::MAX;

/// The feature of a rank, at a place.
#[inline]
pub(crate) fn ranked(rank: u32, place: u32) -> Ranked {
    u64::from(rank) << 32 | u64::from(place)
}

/// How many pairs are counted side by side.
pub(crate) const PAIRS: usize = 2;

/// A number for each of the pairs: that of the first in the lower half, that of the second in the upper.
pub(crate) type Both = u64;

/// Bits of the number of one pair.
pub(crate) const HALF: u32 = 32;

/// One for each pair.
pub(crate) const ONE_EACH: Both = 1 | 1 << HALF;

/// The same number for both pairs.
#[inline]
pub(crate) fn both(number: u32) -> Both {
    u64::from(number) * ONE_EACH
}

/// Ranks are spread over this many slots.
const SLOTS: usize = 1 << 10;
/// How many features the slots take, so that most have a slot to themselves.
const MOST: usize = SLOTS / 2;
/// Behind the last slot there is room for all that can be moved up beyond it.
const ALL: usize = SLOTS + MOST;

/// So many slots have their bits in one number.
const TOGETHER: usize = u64::BITS as usize;

/// A feature and how often each pair has it.
#[derive(Debug, Clone, Copy)]
struct Slot {
    feature: Ranked,
    count: Both,
}

/// Counts features whose ranks are spread evenly, as those of hashes are: each is put into the slot that its rank says, or
/// moves those behind it up, so the slots are in order whenever they are read.
#[derive(Debug)]
pub(crate) struct Tally {
    /// How many slots there are for each rank, times 2^32.
    slots_of_rank: u64,
    slots: Box<[Slot; ALL]>,
    /// Which slots are taken, a bit for each.
    taken: [u64; ALL / TOGETHER],
    /// How many were put there, some of them again; so no fewer than are taken.
    len: usize,
    /// What came when that would have been more than [`MOST`], each time that it did.
    more: Vec<(Ranked, Both)>,
}

impl Tally {
    /// For features whose ranks are below `count`, which is at most 2^32.
    pub fn new(count: usize) -> Self {
        Self {
            slots_of_rank: ((SLOTS as u64) << 32) / (count as u64).max(SLOTS as u64),
            slots: Box::new([Slot { feature: FREE, count: 0 }; ALL]),
            taken: [0; ALL / TOGETHER],
            len: 0,
            more: Vec::new(),
        }
    }

    /// Counts a feature so often for each pair.
    #[inline]
    pub fn add(&mut self, feature: Ranked, count: Both) {
        self.add_all(&[(feature, count)]);
    }

    /// The same for many features.
    #[inline]
    pub fn add_all(&mut self, features: &[(Ranked, Both)]) {
        let (fit, rest) = features.split_at(features.len().min(MOST - self.len));
        self.len += fit.len();
        for &(feature, count) in fit {
            self.put(Slot { feature, count });
        }
        self.more.extend_from_slice(rest);
    }

    /// Adds to the slot of a feature, or puts it into one that was free, of which there are some.
    #[inline]
    fn put(&mut self, mut moved: Slot) {
        let mut at = (((moved.feature >> 32) * self.slots_of_rank) >> 32) as usize;
        loop {
            let here = &mut self.slots[at];
            if here.feature == FREE {
                *here = moved;
                self.taken[at / TOGETHER] |= 1 << (at % TOGETHER);
                return;
            }
            if here.feature == moved.feature {
                here.count += moved.count;
                return;
            }
            if here.feature > moved.feature {
                std::mem::swap(here, &mut moved);
            }
            at += 1;
        }
    }

    /// Whether nothing is counted.
    pub fn is_empty(&self) -> bool {
        self.len == 0 && self.more.is_empty()
    }

    /// Calls `each(place, count)` for every feature, by rank, and forgets them.
    #[inline]
    pub fn drain(&mut self, mut each: impl FnMut(u32, Both)) {
        if !self.more.is_empty() {
            return self.drain_all(each);
        }
        for (taken, slots) in self.taken.iter_mut().zip(self.slots.as_chunks_mut::<TOGETHER>().0) {
            let mut left = std::mem::take(taken);
            while left != 0 {
                let slot = &mut slots[left.trailing_zeros() as usize % TOGETHER];
                left &= left - 1;
                each(slot.feature as u32, slot.count);
                slot.feature = FREE;
            }
        }
        self.len = 0;
    }

    /// The same where `more` has some.
    #[cold]
    fn drain_all(&mut self, mut each: impl FnMut(u32, Both)) {
        let mut all = std::mem::take(&mut self.more);
        let in_slots = self.slots.iter_mut().filter(|slot| slot.feature != FREE);
        all.extend(in_slots.map(|slot| (std::mem::replace(&mut slot.feature, FREE), slot.count)));
        self.taken.fill(0);
        self.len = 0;
        all.sort_unstable();
        for same in all.chunk_by(|a, b| a.0 == b.0) {
            each(same[0].0 as u32, same.iter().map(|(_, count)| count).sum());
        }
        all.clear();
        self.more = all;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn counts_in_the_order_of_the_ranks(
            count in 1..600_000u32,
            // One after the other, with one tally: a few, many of few, many.
            rows in proptest::collection::vec(
                (1..=32u32, proptest::collection::vec(0..u32::MAX, 0..2000)), 1..4),
        ) {
            let mut tally = Tally::new(count as usize);
            for (bits, numbers) in rows {
                let ranks: Vec<u32> = numbers.iter().map(|n| (n >> (32 - bits)) % count).collect();
                let mut expected = BTreeMap::<u32, Both>::new();
                for (&rank, count) in ranks.iter().zip([1, 1 << HALF, ONE_EACH].into_iter().cycle()) {
                    tally.add(ranked(rank, !rank), count);
                    *expected.entry(rank).or_default() += count;
                }
                let mut found = Vec::new();
                tally.drain(|place, count| found.push((!place, count)));
                prop_assert_eq!(found, expected.into_iter().collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn the_last_ranks_move_beyond_the_last_slot() {
        let last = |count: usize| count.saturating_sub(MOST) as u32..count as u32;
        for count in [1, SLOTS - 1, SLOTS, SLOTS + 1, (1 << 18) + 1, 1 << 20, u32::MAX as usize] {
            let mut tally = Tally::new(count);
            last(count).rev().chain(last(count).step_by(3)).for_each(|rank| tally.add(ranked(rank, !rank), 1));
            let mut found = Vec::new();
            tally.drain(|place, count| found.push((!place, count)));
            let expected = last(count).map(|rank| (rank, 1 + Both::from((rank - last(count).start) % 3 == 0)));
            assert!(found.into_iter().eq(expected), "{count}");
            assert!(tally.is_empty());
        }
    }
}
