//! The features of all pairs of a window, found by its words.

use std::hint::black_box;

use xxhash_rust::xxh3::xxh3_64;

use super::groups::{self, Groups, Kinds};
use super::index::{Found, Index};
use super::ngrams::{ACTOR, Masked, NgramParams, SHAPES, STATE, Words, hash_of, stem};
use super::tally::Tally;
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
    tally: Tally,
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
            tally: Tally::new(index.features().len()),
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

    /// The features of a pair of the window that was read, counted; to be drained before those of the next.
    pub fn features(&mut self, words: &Words<'_>, pair: (Party, Party), strength: Strength) -> &mut Tally {
        let Self { index, params, kinds, shapes, masked, shared, text, places, next, own, tally, .. } = self;
        debug_assert!(tally.is_empty(), "the pair before was not drained");
        let Some((state, actor)) = words.nearest(pair) else { return tally };
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
                index.count(run.found, groups, tally);
            }
        }
        for run in own.iter() {
            index.count(run.found, run.groups, tally);
        }
        for shape in words.shapes((state, actor), pair, strength) {
            index.count(shapes[shape], groups::SHAPE, tally);
        }
        for &(at, _) in named() {
            let other = masked.starts[at]..masked.starts[at + 1] - 1;
            text[other.clone()].copy_from_slice(&masked.text.as_bytes()[other]);
        }
        tally
    }
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
