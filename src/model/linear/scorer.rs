//! The features of all pairs of a window, found by its words.

use std::hint::black_box;

use super::groups::{self, Groups, Kinds};
use super::index::{Index, List};
use super::lexicon::Found;
use super::ngrams::{ACTOR, NgramParams, SHAPES, STATE, Words, hash_of, ngram_hashes, stem, text_hash};
use super::tally::{Both, HALF, PAIRS, Tally, both};
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
    /// What the model knows of what is said of a pair beside its words.
    shapes: [Found; SHAPES.len()],
    /// The masks of state and actor, hashed.
    masks: (u64, u64),
    /// The words of the window, hashed, the names of all parties masked as those of others.
    hashes: Vec<u64>,
    /// The same with the names of a pair masked as such.
    masked: Vec<u64>,
    /// Where the names of a pair stand, and whose they are.
    names: Vec<(usize, Party)>,
    /// The n-grams and stems of the window, as far as the model knows them.
    shared: Vec<Run>,
    /// Which groups each word is in with a pair.
    places: Vec<Groups>,
    /// The groups of all runs of words.
    groups: Vec<Both>,
    /// The n-grams that hold a name of their pair.
    own: Vec<Run>,
    list: List,
    tally: Tally,
}

/// A run of words, or the stem of a word.
#[derive(Debug, Clone, Copy)]
struct Run {
    hash: u64,
    /// Where its groups stand; a sentence has fewer words than a number of this size could tell apart.
    at: u32,
    /// On the way to what the model knows of it: the likely entry, then its place.
    likely: u32,
    /// What the model knows of it.
    found: Found,
}

impl Run {
    fn new(hash: u64, at: usize) -> Self {
        Self { hash, at: at as u32, likely: 0, found: Found::NOTHING }
    }
}

impl<'m> Scorer<'m> {
    pub fn new(index: &'m Index, params: &'m NgramParams) -> Self {
        Self {
            index,
            params,
            kinds: Kinds::new(params),
            shapes: SHAPES.map(|shape| index.find(text_hash(shape))),
            masks: (hash_of(STATE), hash_of(ACTOR)),
            hashes: Vec::new(),
            masked: Vec::new(),
            names: Vec::new(),
            shared: Vec::new(),
            places: Vec::new(),
            groups: Vec::new(),
            own: Vec::new(),
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
            let ngrams = ngram_hashes(&hashes[start..], kinds.longest).zip(1..);
            shared.extend(ngrams.map(|(hash, n)| Run::new(hash, n * words.len() + start)));
            if kinds.stems != 0
                && let Some(stem) = stem(word)
            {
                shared.push(Run::new(hash_of(stem), start));
            }
        }
        look_up(index, shared);
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
                    // Those that are too short to hold this name are the first.
                    for (hash, n) in ngram_hashes(&masked[start..], kinds.longest).zip(1..).skip(at - start) {
                        own.push(Run::new(hash, groups.len()));
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
                index.count(shapes[shape], Both::from(groups::SHAPE) << shift, tally);
            }
        }
        fill_runs(&mut groups[..table], count, kinds);
        look_up(index, own);
        let texts = [&*shared, &*own].into_iter().flatten().map(|run| (run.found, groups[run.at as usize]));
        index.count_all(texts, list, tally);
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

/// Keeps those of the runs that the model can know, and says what it knows of them.
///
/// Each table is asked for all runs before the next one, without a branch between, as the processor cannot guess which are
/// there: what is waited for is more than what is computed.
fn look_up(index: &Index, runs: &mut Vec<Run>) {
    let mut kept = 0;
    for at in 0..runs.len() {
        let (likely, may_be) = index.lookup().likely(runs[at].hash);
        runs[kept] = Run { likely, ..runs[at] };
        kept += usize::from(may_be);
    }
    runs.truncate(kept);
    for run in runs.iter_mut() {
        run.likely = index.lookup().place(run.likely);
    }
    // Only asks for the texts, one right after the other; what comes of it is of no use.
    black_box(runs.iter().fold(0, |all, run| all ^ index.lexicon().hash(run.likely)));
    for run in runs {
        run.found = index.find_at(run.hash, run.likely);
    }
}
