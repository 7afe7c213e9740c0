//! The features of all pairs of a window, found by its words.

use std::hint::black_box;

use xxhash_rust::xxh3::xxh3_64;

use super::groups::{self, Groups, Kinds};
use super::index::{Found, Index, Ranked, ranked};
use super::ngrams::{ACTOR, Masked, NgramParams, SHAPES, STATE, Words, hash_of, stem};
use crate::document::{Party, Strength};

/// Finds what [`NgramParams::features`] names, without names: what the pairs of a window share is looked up once for all, and
/// for each pair what holds one of its names.
#[derive(Debug)]
pub(crate) struct Scorer<'m> {
    index: &'m Index,
    params: &'m NgramParams,
    kinds: Kinds,
    /// What the model knows of what is said of a pair beside its words.
    shapes: [Found; SHAPES.len()],
    /// The words of the window, the names of all parties masked as those of others.
    masked: Masked,
    /// Its n-grams and stems, as far as the model knows them.
    shared: Vec<Run>,
    /// The text of the window with the names of a pair masked, and which groups each of its words is in.
    text: Vec<u8>,
    places: Vec<Groups>,
    /// For each word the next from there on that names one of the pair.
    next: Vec<usize>,
    /// The n-grams that hold a name of the pair.
    own: Vec<Run>,
    given: Vec<Ranked>,
    scratch: Vec<Ranked>,
}

/// A run of words, or the stem of a word.
#[derive(Debug, Clone, Copy)]
struct Run {
    start: usize,
    end: usize,
    hash: u64,
    /// The groups that it can be in.
    groups: Groups,
    /// What the model knows of it.
    found: Found,
}

impl Run {
    fn new(start: usize, end: usize, hash: u64, groups: Groups) -> Self {
        Self { start, end, hash, groups, found: Found { groups: 0, first: 0 } }
    }
}

impl<'m> Scorer<'m> {
    pub fn new(index: &'m Index, params: &'m NgramParams) -> Self {
        Self {
            index,
            params,
            kinds: Kinds::new(params),
            shapes: SHAPES.map(|shape| index.find(hash_of(shape))),
            masked: Masked::default(),
            shared: Vec::new(),
            text: Vec::new(),
            places: Vec::new(),
            next: Vec::new(),
            own: Vec::new(),
            given: Vec::new(),
            scratch: Vec::new(),
        }
    }

    /// Reads a window, before its first pair.
    pub fn read(&mut self, words: &Words<'_>) {
        let Self { index, kinds, masked, shared, .. } = self;
        words.mask_into(|_| None, masked);
        shared.clear();
        for start in 0..words.len() {
            for end in start + 1..=(start + kinds.longest).min(words.len()) {
                shared.push(Run::new(start, end, hash_of(masked.words(start..end)), kinds.of(end - start)));
            }
            if kinds.stems != 0
                && let Some(stem) = stem(masked.words(start..start + 1))
            {
                shared.push(Run::new(start, start + 1, hash_of(stem), kinds.stems));
            }
        }
        look_up(index, shared);
        self.text.clear();
        self.text.extend_from_slice(self.masked.text.as_bytes());
        self.places.resize(words.len(), 0);
        self.next.resize(words.len(), 0);
    }

    /// The features of a pair of the window that was read, each as often as it occurs, ascending by rank.
    pub fn features(&mut self, words: &Words<'_>, pair: (Party, Party), strength: Strength) -> &[Ranked] {
        let Self { index, params, kinds, shapes, masked, shared, text, places, next, own, given, scratch, .. } = self;
        given.clear();
        let features = index.features();
        let Some((state, actor)) = words.nearest(pair) else { return given };
        groups::fill(places, params, state, actor);
        let named = || words.named().iter().filter(|(_, party)| *party == pair.0 || *party == pair.1);
        let mut from = 0;
        for &(at, party) in named() {
            next[from..=at].fill(at);
            from = at + 1;
            let mask = if party == pair.0 { STATE } else { ACTOR };
            // Masks are equally long, so that no other word moves.
            text[masked.starts[at]..][..mask.len()].copy_from_slice(mask.as_bytes());
        }
        next[from..].fill(usize::MAX);
        own.clear();
        let mut from = 0;
        for &(at, _) in named() {
            // What begins before the name before this one holds that one, and is there already.
            for start in from.max((at + 1).saturating_sub(kinds.longest))..=at {
                for end in at + 1..=(start + kinds.longest).min(words.len()) {
                    let hash = xxh3_64(&text[masked.starts[start]..masked.starts[end] - 1]);
                    let groups = places[start] & places[end - 1] & kinds.of(end - start);
                    own.push(Run::new(start, end, hash, groups));
                }
            }
            from = at + 1;
        }
        look_up(index, own);
        for run in shared.iter() {
            let groups = places[run.start] & places[run.end - 1] & run.groups;
            if groups != 0 && next[run.start] >= run.end {
                given.extend(ranked(features, run.found.features(groups)));
            }
        }
        for run in own.iter() {
            given.extend(ranked(features, run.found.features(run.groups)));
        }
        for shape in words.shapes((state, actor), pair, strength) {
            given.extend(ranked(features, shapes[shape].features(groups::SHAPE)));
        }
        for &(at, _) in named() {
            let other = masked.starts[at]..masked.starts[at + 1] - 1;
            text[other.clone()].copy_from_slice(&masked.text.as_bytes()[other]);
        }
        sort(given, scratch, features.len());
        given
    }
}

/// Sorts features whose ranks are below `count`: by their upper bits, which are spread as hashes are, then the few that are
/// not in order yet. Twice as fast as comparing them all.
fn sort(given: &mut Vec<Ranked>, scratch: &mut Vec<Ranked>, count: usize) {
    const BUCKETS: usize = 256;
    // As many on average of one bucket would be too many to be put in order one by one.
    if given.len() > 8 * BUCKETS {
        return given.sort_unstable();
    }
    let shift = u32::BITS + (count.max(2) - 1).ilog2().saturating_sub(BUCKETS.ilog2() - 1);
    let bucket = |ranked: Ranked| (ranked >> shift) as usize % BUCKETS;
    let mut next = [0u16; BUCKETS];
    given.iter().for_each(|&ranked| next[bucket(ranked)] += 1);
    let mut before = 0;
    for next in &mut next {
        before += std::mem::replace(next, before);
    }
    scratch.clear();
    scratch.resize(given.len(), 0);
    for &ranked in given.iter() {
        let next = &mut next[bucket(ranked)];
        scratch[usize::from(*next)] = ranked;
        *next += 1;
    }
    for i in 1..scratch.len() {
        let ranked = scratch[i];
        let mut at = i;
        while at > 0 && scratch[at - 1] > ranked {
            scratch[at] = scratch[at - 1];
            at -= 1;
        }
        scratch[at] = ranked;
    }
    std::mem::swap(given, scratch);
}

/// Keeps those of the runs that the model knows.
///
/// Memory is asked for many runs at once: what is waited for is more than what is computed.
fn look_up(index: &Index, runs: &mut Vec<Run>) {
    let mut kept = 0;
    for at in 0..runs.len() {
        let run = runs[at];
        let found = index.find(run.hash);
        runs[kept] = Run { found, ..run };
        // No branch: the processor cannot guess which are there.
        kept += usize::from(found.groups & run.groups != 0);
    }
    runs.truncate(kept);
    black_box(runs.iter().fold(0, |all, run| all ^ index.features().rank(run.found.first)));
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn sorts_as_comparing_does(
            count in 1..600_000u64,
            numbers in proptest::collection::vec(0..u64::MAX, 0..3000),
        ) {
            let mut given: Vec<Ranked> = numbers.iter().map(|n| (n % count) << 32 | n >> 32).collect();
            let mut expected = given.clone();
            expected.sort_unstable();
            sort(&mut given, &mut vec![7; 5], count as usize);
            proptest::prop_assert_eq!(given, expected);
        }
    }
}
