//! The features of all pairs of a window, found by its words.

use std::hint::black_box;

use super::groups::{self, Groups, Kinds};
use super::index::{Index, List, TEXTS};
use super::lexicon::Found;
use super::ngrams::{ACTOR, NgramParams, SHAPES, STATE, Words, hash_of, ngram_hashes, stem, text_hash};
use super::tally::{Both, HALF, PAIRS, Ranked, Tally, both, ranked};
use crate::document::party::Party;
use crate::model::EvidenceWindow;

/// Finds what [`NgramParams::features`] names, without names: what the pairs of a window share is looked up once for all, and
/// for each pair what holds one of its names. Two pairs are read side by side: most often the same two parties, either way
/// round, who have half of their features in common.
#[derive(Debug)]
pub(crate) struct Scorer<'m> {
    index: &'m Index,
    params: &'m NgramParams,
    kinds: Kinds,
    /// The features of [`SHAPES`]; `None` where the model has none.
    shapes: [Option<Ranked>; SHAPES.len()],
    /// The masks of state and actor, hashed.
    masks: (u64, u64),
    /// The words of the window, hashed, the names of all parties masked as those of others.
    hashes: Vec<u64>,
    /// The same with the names of a pair masked as such.
    masked: Vec<u64>,
    /// Where the names of a pair stand, and whose they are.
    names: Vec<(usize, Party)>,
    /// The n-grams and stems of the window, as far as the model knows them.
    shared: Runs,
    /// Which groups each word is in with a pair.
    places: Vec<Groups>,
    /// The groups of all runs of words.
    groups: Vec<Both>,
    /// The n-grams that hold a name of their pair.
    own: Runs,
    list: List,
    tally: Tally,
}

/// A run of words, or the stem of a word.
#[derive(Debug, Clone, Copy, Default)]
struct Run {
    hash: u64,
    /// Where its groups stand; a sentence has fewer words than a number of this size could tell apart.
    at: u32,
    /// On the way to what the model knows of it: the likely entry, then its place.
    likely: u32,
    /// What the model knows of it.
    found: Found,
}

/// Runs that the model can know.
#[derive(Debug, Default)]
struct Runs {
    /// The first `count` are the runs; what is behind them is to be written over.
    all: Vec<Run>,
    count: usize,
}

impl Runs {
    fn clear(&mut self) {
        self.count = 0;
    }

    /// Makes room for so many more.
    #[inline]
    fn reserve(&mut self, more: usize) {
        if self.all.len() < self.count + more {
            self.all.resize(2 * (self.count + more), Run::default());
        }
    }

    /// Adds a run if the model can know it; there must be room, see [`reserve`](Self::reserve). There is no branch, as the processor
    /// cannot guess whether it can.
    #[inline]
    fn add(&mut self, index: &Index, hash: u64, at: usize) {
        let (likely, may_be) = index.lookup().likely(hash);
        self.all[self.count] = Run { hash, at: at as u32, likely, ..Run::default() };
        self.count += usize::from(may_be);
    }

    /// Says what the model knows of each run.
    ///
    /// Each table is asked for all runs before the next one, as what is waited for is more than what is computed.
    fn find(&mut self, index: &Index) {
        let runs = &mut self.all[..self.count];
        for run in &mut *runs {
            run.likely = index.lookup().place(run.likely);
        }
        // Only asks for the texts, one right after the other; what comes of it is of no use.
        black_box(runs.iter().fold(0, |all, run| all ^ index.lexicon().hash(run.likely)));
        for run in runs {
            run.found = index.find_at(run.hash, run.likely);
        }
    }

    fn as_slice(&self) -> &[Run] {
        &self.all[..self.count]
    }
}

impl<'m> Scorer<'m> {
    pub fn new(index: &'m Index, params: &'m NgramParams) -> Self {
        Self {
            index,
            params,
            kinds: Kinds::new(params),
            shapes: SHAPES.map(|shape| {
                let (place, _) = index.find(text_hash(shape)).features(groups::SHAPE).next()?;
                Some(ranked(index.lexicon().rank(place), place))
            }),
            masks: (hash_of(STATE), hash_of(ACTOR)),
            hashes: Vec::new(),
            masked: Vec::new(),
            names: Vec::new(),
            shared: Runs::default(),
            places: Vec::new(),
            groups: Vec::new(),
            own: Runs::default(),
            list: List::default(),
            tally: Tally::new(index.lexicon().n_features()),
        }
    }

    /// Reads a window, before its first pairs.
    pub fn read(&mut self, words: &Words<'_>) {
        let Self { index, kinds, hashes, masked, shared, .. } = self;
        hashes.clear();
        hashes.extend(words.words().iter().map(|word| hash_of(word)));
        masked.clone_from(hashes);
        shared.clear();
        for (start, word) in words.words().iter().enumerate() {
            shared.reserve(kinds.longest + 1);
            for (hash, n) in ngram_hashes(&hashes[start..], kinds.longest).zip(1..) {
                shared.add(index, hash, n * words.len() + start);
            }
            if kinds.stems != 0
                && let Some(stem) = stem(word)
            {
                shared.add(index, hash_of(stem), start);
            }
        }
        shared.find(index);
    }

    /// The features of one or two pairs of the window that was read, counted; to be drained before those of the next.
    pub fn features(&mut self, words: &Words<'_>, windows: &[EvidenceWindow<'_>]) -> &mut Tally {
        let Self {
            index,
            params,
            kinds,
            shapes,
            masks,
            hashes,
            masked,
            names,
            shared,
            places,
            groups,
            own,
            list,
            tally,
        } = self;
        debug_assert!(tally.is_empty(), "the pairs before were not drained");
        debug_assert!(windows.len() <= PAIRS, "{} pairs", windows.len());
        let count = words.len();
        places.resize(count, 0);
        let table = (kinds.longest + 1) * count;
        groups.clear();
        groups.resize(table, 0);
        own.clear();
        for (window, shift) in windows.iter().zip([0, HALF]) {
            let pair = window.pair;
            let Some((state, actor)) = words.nearest(pair) else { continue };
            names.clear();
            names.extend(words.named().iter().filter(|(_, party)| *party == pair.0 || *party == pair.1));
            for &(at, party) in &*names {
                masked[at] = if party == pair.0 { masks.0 } else { masks.1 };
            }
            groups::fill(places, params, state, actor);
            let mut from = 0;
            for &(at, _) in &*names {
                // What begins before the name before this one holds that one, and is there already.
                for start in from.max((at + 1).saturating_sub(kinds.longest))..=at {
                    own.reserve(kinds.longest);
                    // Those that are too short to hold this name are the first.
                    for (hash, n) in ngram_hashes(&masked[start..], kinds.longest).zip(1..).skip(at - start) {
                        own.add(index, hash, groups.len());
                        groups.push(Both::from(places[start] & places[start + n - 1] & kinds.of(n)) << shift);
                    }
                }
                from = at + 1;
            }
            for &(at, _) in &*names {
                // What all pairs share holds no name of this one.
                places[at] = 0;
                masked[at] = hashes[at];
            }
            for (groups, place) in groups.iter_mut().zip(&*places) {
                *groups |= Both::from(*place) << shift;
            }
            for shape in words.shapes((state, actor), pair, window.strength) {
                if let Some(shape) = shapes[shape] {
                    tally.add(shape, 1 << shift);
                }
            }
        }
        fill_runs(&mut groups[..table], count, kinds);
        own.find(index);
        for runs in [&*shared, own].into_iter().flat_map(|runs| runs.as_slice().chunks(TEXTS)) {
            index.count_all(runs.iter().map(|run| (run.found, groups[run.at as usize])), list, tally);
        }
        tally
    }
}

/// Of a table with a row for stems and one for n-grams of each length, whose first row has the groups of each word: the groups of
/// all stems, and of the n-grams that begin with each word.
///
/// A group is a run of words, but for the names of the pair, which are in none; so an n-gram is in those that each of its words
/// is in.
fn fill_runs(table: &mut [Both], count: usize, kinds: &Kinds) {
    if count == 0 {
        return;
    }
    let mut rows = table.chunks_exact_mut(count);
    let Some(words) = rows.next() else { return };
    let mut shorter: &[Both] = words;
    for (n, row) in (1..).zip(rows) {
        let last = words.get(n - 1..).unwrap_or_default();
        for ((groups, shorter), last) in row.iter_mut().zip(shorter).zip(last) {
            *groups = shorter & last & both(kinds.of(n));
        }
        shorter = row;
    }
    words.iter_mut().for_each(|groups| *groups &= both(kinds.stems));
}
