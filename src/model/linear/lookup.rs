//! Finds a hash among many.

use std::ops::Range;

/// Where each of some hashes stands.
///
/// Hashes of the same top bits have their entries side by side, two to four on average where hashes are spread evenly: the eight
/// bits of each that come next, and its place. So for a hash that is not there, as most are that are asked for, two small tables
/// are read, of two to three bytes a hash together, which stay near the processor.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Lookup {
    /// `starts[t]..starts[t + 1]` are the entries of hashes whose top bits are `t`.
    starts: Vec<u32>,
    shift: u32,
    /// The next bits of each entry's hash, and a few bytes after the last, so that [`EACH`] can be read from any.
    bits: Vec<u8>,
    places: Vec<u32>,
}

/// So many entries are compared at a time: as many as a number has bytes.
const EACH: usize = 8;

/// Longer runs of entries are in the order of their hashes, and searched by halves: hashes that are spread evenly have none.
const LONG: usize = 4 * EACH;

/// One in each byte of a number.
const ONES: u64 = u64::from_le_bytes([1; EACH]);

/// The first bit of each byte of a number.
const TOPS: u64 = ONES << 7;

impl Lookup {
    /// Of `count` hashes, each with its place; `hash_at` says which stands at a place.
    pub fn new(count: u32, hashes: impl Iterator<Item = (u64, u32)> + Clone, hash_at: impl Fn(u32) -> u64) -> Self {
        let top_bits = count.div_ceil(4).max(2).next_power_of_two().ilog2();
        let shift = u64::BITS - top_bits;
        // How many have each top, two places further on; then, of all tops before, one place further on, and up from there
        // while the entries are put in.
        let mut starts = vec![0; (1 << top_bits) + 2];
        for (hash, _) in hashes.clone() {
            starts[(hash >> shift) as usize + 2] += 1;
        }
        let mut before = 0;
        for start in &mut starts {
            before += *start;
            *start = before;
        }
        let mut bits = vec![0; count as usize + EACH];
        let mut places = vec![0; count as usize];
        for (hash, place) in hashes {
            let next = &mut starts[(hash >> shift) as usize + 1];
            bits[*next as usize] = next_bits(hash, shift);
            places[*next as usize] = place;
            *next += 1;
        }
        starts.pop();
        let mut all = Self { starts, shift, bits, places };
        for top in 0..1 << top_bits {
            let entries = all.entries(top << shift);
            if entries.len() > LONG {
                all.places[entries.clone()].sort_unstable_by_key(|place| hash_at(*place));
                for at in entries {
                    all.bits[at] = next_bits(hash_at(all.places[at]), shift);
                }
            }
        }
        all
    }

    /// Whether a hash is there twice.
    pub fn has_twice(&self, hash_at: impl Fn(u32) -> u64) -> bool {
        self.starts.windows(2).any(|pair| {
            let entries = pair[0] as usize..pair[1] as usize;
            let (bits, places) = (&self.bits[entries.clone()], &self.places[entries]);
            let are_one = |i: usize, j: usize| bits[i] == bits[j] && hash_at(places[i]) == hash_at(places[j]);
            let least = |i: usize| if places.len() > LONG { i - 1 } else { 0 };
            (1..places.len()).any(|i| (least(i)..i).any(|j| are_one(i, j)))
        })
    }

    /// The place of a hash, where `hash_at` is as for [`new`](Self::new).
    #[inline]
    pub fn find(&self, hash: u64, hash_at: impl Fn(u32) -> u64) -> Option<u32> {
        let entries = self.entries(hash);
        if entries.len() > LONG {
            let places = &self.places[entries];
            return places.binary_search_by_key(&hash, |place| hash_at(*place)).ok().map(|at| places[at]);
        }
        let (mut at, end) = (entries.start, entries.end);
        while at < end {
            let mut alike = self.alike(hash, at..end);
            while alike != 0 {
                let place = self.places[at + alike.trailing_zeros() as usize / 8];
                if hash_at(place) == hash {
                    return Some(place);
                }
                alike &= alike - 1;
            }
            at += EACH;
        }
        None
    }

    /// The only entry that can be that of a hash, most often, and whether any can: to be asked of many, one after the other,
    /// as there is nothing to guess for a processor.
    #[inline]
    pub fn likely(&self, hash: u64) -> (u32, bool) {
        let entries = self.entries(hash);
        let alike = self.alike(hash, entries.clone());
        let first = entries.start + alike.trailing_zeros() as usize / 8;
        (first as u32, (alike != 0) | (entries.len() > EACH))
    }

    /// The place of an entry that [`likely`](Self::likely) said that it can be.
    #[inline]
    pub fn place(&self, entry: u32) -> u32 {
        self.places[entry as usize]
    }

    #[inline]
    fn entries(&self, hash: u64) -> Range<usize> {
        let top = (hash >> self.shift) as usize;
        self.starts[top] as usize..self.starts[top + 1] as usize
    }

    /// Which of the first entries have the bits of a hash: the first bit of the byte of each; perhaps of some after the first
    /// that do not.
    #[inline]
    fn alike(&self, hash: u64, entries: Range<usize>) -> u64 {
        let bits = u64::from_le_bytes(*self.bits[entries.start..].first_chunk().expect("bytes after the last"));
        let differing = bits ^ (u64::from(next_bits(hash, self.shift)) * ONES);
        let alike = differing.wrapping_sub(ONES) & !differing & TOPS;
        let beyond = u64::MAX.checked_shl(8 * entries.len().min(EACH) as u32).unwrap_or(0);
        alike & !beyond
    }
}

/// The bits of a hash after the top ones.
#[inline]
fn next_bits(hash: u64, shift: u32) -> u8 {
    (hash >> (shift - u8::BITS)) as u8
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lookup(hashes: &[u64]) -> Lookup {
        Lookup::new(hashes.len() as u32, hashes.iter().copied().zip(0..), |place| hashes[place as usize])
    }

    proptest! {
        #[test]
        fn finds_each_in_its_place_and_no_other(
            // Which bits of the hashes differ: all, the lowest, those of the tables.
            shift in prop_oneof![Just(0u32), Just(50), Just(56)],
            left in prop_oneof![Just(0u32), Just(44), Just(50)],
            hashes in proptest::collection::hash_set(any::<u64>(), 0..300),
            others in proptest::collection::vec(any::<u64>(), 100),
        ) {
            let spread = |hash: u64| hash >> shift << left;
            let mut hashes: Vec<u64> = hashes.into_iter().map(spread).collect();
            let mut seen = std::collections::HashSet::new();
            hashes.retain(|hash| seen.insert(*hash));
            let lookup = lookup(&hashes);
            let find = |hash| {
                let found = lookup.find(hash, |place| hashes[place as usize]);
                let (entry, may_be) = lookup.likely(hash);
                assert!(may_be || found.is_none());
                assert!(!may_be || (lookup.place(entry) as usize) < hashes.len());
                found
            };
            for (place, hash) in (0u32..).zip(&hashes) {
                prop_assert_eq!(find(*hash), Some(place));
            }
            for hash in others.into_iter().chain(hashes.iter().flat_map(|hash| [hash ^ 1, hash ^ 1 << 63])) {
                prop_assert_eq!(find(hash).is_some(), seen.contains(&hash));
            }
        }
    }

    #[test]
    fn what_is_likely_is_most_often_so() {
        let hashes: Vec<u64> = (0..2000u64).map(|n| n.wrapping_mul(0x9E37_79B9_7F4A_7C15)).collect();
        let (known, unknown) = hashes.split_at(1000);
        let lookup = lookup(known);
        let likely = |hash: &u64| Some(lookup.likely(*hash)).filter(|(_, may_be)| *may_be);
        let is_right =
            |(place, hash): &(u32, &u64)| likely(hash).is_some_and(|(entry, _)| lookup.place(entry) == *place);
        assert!((0..).zip(known).filter(is_right).count() > 950);
        assert!(unknown.iter().filter_map(likely).count() < 50);
    }

    #[test]
    fn a_hash_that_is_there_twice_is_seen() {
        for count in [2, 3, 1000] {
            // Far apart; with the same top bits.
            for spread in [1, 0x9E37_79B9_7F4A_7C15u64] {
                let mut hashes: Vec<u64> = (0..count).map(|n: u64| n.wrapping_mul(spread)).collect();
                let has_twice = |hashes: &[u64]| lookup(hashes).has_twice(|place| hashes[place as usize]);
                assert!(!has_twice(&hashes));
                hashes[count as usize - 1] = hashes[0];
                assert!(has_twice(&hashes), "{count} {spread}");
            }
        }
        assert_eq!(lookup(&[]).find(7, |_| 7), None);
    }
}
