//! The features of a model by their words: one look-up finds the features of all groups.

use std::borrow::Cow;
use std::io::{Read, Write};
use std::sync::OnceLock;

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

use super::groups::{self, Groups};
use super::lexicon::{Feature, Found, Lexicon};
use super::lookup::Lookup;
use super::ngrams::text_hash;
use super::tally::{Both, HALF, ONE_EACH, Ranked, Tally, both, ranked};
use crate::error::{Error, Result};

/// Which features a model has, and what each weighs.
///
/// Features that differ in their group alone stand side by side, after their text. So a window's words are looked up once,
/// whatever its pairs.
#[derive(Debug, Clone)]
pub(crate) struct Index {
    lexicon: Lexicon,
    lookup: Lookup,
    names: Texts,
}

impl Index {
    /// An index of a lexicon, and of the names of its texts.
    ///
    /// # Errors
    /// [`Error::Shape`] where it has a text twice.
    pub fn new(lexicon: Lexicon, names: Texts) -> Result<Self> {
        let places: Vec<u32> = lexicon.texts().map(|text| text.place).collect();
        let all = Self::of_parts(lexicon, names, &places);
        if all.lookup.has_twice(|place| all.lexicon.hash(place)) {
            let (found, expected) = ("a hash twice".into(), "each once".into());
            return Err(Error::Shape { what: "texts of a lexicon", found, expected });
        }
        Ok(all)
    }

    /// The index of a lexicon that is part of the program, of which a test has proved that it has each text once.
    ///
    /// # Errors
    /// As [`Lexicon::proven`].
    pub fn proven(bytes: &'static [u8], idf: Vec<f64>, names: Texts) -> Result<Self> {
        let (lexicon, places) = Lexicon::proven(bytes, idf)?;
        Ok(Self::of_parts(lexicon, names, &places))
    }

    fn of_parts(lexicon: Lexicon, names: Texts, places: &[u32]) -> Self {
        let texts = places.iter().map(|place| (lexicon.hash(*place), *place));
        let lookup = Lookup::new(lexicon.n_texts(), texts, |place| lexicon.hash(place));
        Self { lexicon, lookup, names }
    }

    /// An index of named features, each with its weights and idf, in the order of the hashes of their names; `None` where a
    /// name is none, two texts have one hash, or [`Lexicon::of_texts`] refuses them.
    pub fn of_named<'n>(features: impl Iterator<Item = (&'n str, [f32; 3], f64)>) -> Option<Self> {
        let mut split = Vec::with_capacity(features.size_hint().0);
        for (rank, (name, weights, idf)) in (0u32..).zip(features) {
            let (group, text) = name.split_once('|')?;
            let group = groups::NAMES.iter().position(|name| *name == group)?;
            split.push((text_hash(text), group, text, Feature { rank, weights, idf }));
        }
        split.sort_unstable_by_key(|&(hash, group, ..)| (hash, group));
        let (mut texts, mut names) = (Vec::new(), Vec::new());
        for same in split.chunk_by(|a, b| a.0 == b.0) {
            if same.iter().any(|(_, _, text, _)| *text != same[0].2) {
                return None;
            }
            let groups = same.iter().fold(0, |groups, (_, group, ..)| groups | 1 << group);
            texts.push((same[0].0, groups, same.iter().map(|(.., feature)| *feature).collect()));
            names.push(same[0].2);
        }
        Self::new(Lexicon::of_texts(texts).ok()?, Texts::new(&names)).ok()
    }

    /// The features whose words have this hash; of no group where there are none.
    #[inline]
    pub fn find(&self, hash: u64) -> Found {
        let place = self.lookup.find(hash, |place| self.lexicon.hash(place));
        place.map(|place| self.lexicon.features(place)).unwrap_or_default()
    }

    /// What [`find`](Self::find) gives, most often at once, by the place where the text is likely to be.
    #[inline]
    pub fn find_at(&self, hash: u64, place: u32) -> Found {
        if self.lexicon.hash(place) == hash { self.lexicon.features(place) } else { self.find(hash) }
    }

    /// Where texts are.
    #[inline]
    pub fn lookup(&self) -> &Lookup {
        &self.lookup
    }

    /// Counts the features of a text in those groups that it has, of those of each pair.
    #[inline]
    pub fn count(&self, found: Found, groups: Both, tally: &mut Tally) {
        let groups = groups & both(found.groups);
        for (place, group) in found.features(of_any(groups)) {
            tally.add(ranked(self.lexicon.rank(place), place), groups >> group & ONE_EACH);
        }
    }

    /// The same for many texts, each with its groups. It panics on more than [`TEXTS`].
    ///
    /// First all features are put into a list, then they are counted, as a processor guesses badly how many a text has: half of
    /// the texts have but that of the first group, or none, and most others three.
    #[inline]
    pub fn count_all(&self, texts: impl Iterator<Item = (Found, Both)>, list: &mut List, tally: &mut Tally) {
        let List { features, texts: others } = list;
        let (mut len, mut n_others) = (0, 0);
        texts.for_each(|(found, groups)| {
            let groups = groups & both(found.groups);
            // Written whether there is one or not: then the next takes its place. Nothing stands before the feature of the first group.
            features[len] = (u64::from(found.first), groups & ONE_EACH);
            others[n_others] = (found, groups & !ONE_EACH);
            len += usize::from(of_any(groups) & 1 != 0);
            n_others += usize::from(of_any(groups) & !1 != 0);
        });
        for &(found, groups) in &others[..n_others] {
            if len + MOST_OF_TEXT > FEATURES {
                self.count_listed(&mut features[..len], tally);
                len = 0;
            }
            let room: &mut [_; MOST_OF_TEXT] =
                features[len..].first_chunk_mut().expect("room for a text was made above");
            let listed = |group: Groups, place: u32| (u64::from(place), groups >> group.trailing_zeros() & ONE_EACH);
            let first = of_any(groups);
            let second = first & first.wrapping_sub(1);
            let [place, next] = found.places_of_lowest([first, second]);
            room[0] = listed(first, place);
            room[1] = listed(second, next);
            let mut count = 1 + usize::from(second != 0);
            let mut left = second & second.wrapping_sub(1);
            while left != 0 {
                room[count] = listed(left, found.place_of_lowest(left));
                count += 1;
                left &= left - 1;
            }
            len += count;
        }
        self.count_listed(&mut features[..len], tally);
    }

    /// Counts features by their places; first it adds their ranks, one right after the other, as each may be waited for.
    #[inline]
    fn count_listed(&self, features: &mut [(Ranked, Both)], tally: &mut Tally) {
        for (feature, _) in features.iter_mut() {
            *feature = ranked(self.lexicon.rank(*feature as u32), *feature as u32);
        }
        tally.add_all(features);
    }

    /// What is known of each text.
    #[inline]
    pub fn lexicon(&self) -> &Lexicon {
        &self.lexicon
    }

    /// The features whose names are known, with these, in the order of their ranks.
    pub fn named(&self) -> Vec<(Feature, String)> {
        let mut named = vec![None; self.lexicon.n_features()];
        for text in self.names.all(self.lexicon.n_texts() as usize) {
            for (place, group) in self.find(text_hash(text)).features(Groups::MAX) {
                let feature = self.lexicon.feature(place);
                // A damaged list may have a text again and again.
                named[feature.rank as usize]
                    .get_or_insert_with(|| (feature, format!("{}|{text}", groups::NAMES[group as usize])));
            }
        }
        named.into_iter().flatten().collect()
    }

    /// The texts, packed.
    pub fn packed_texts(&self) -> &[u8] {
        self.names.packed()
    }
}

/// Memory for what is still to be counted.
#[derive(Debug)]
pub(crate) struct List {
    /// The place of each feature, and later its rank too; how often each pair has it.
    features: Box<[(Ranked, Both); FEATURES]>,
    /// Texts with features beside that of the first group.
    texts: Box<[(Found, Both); TEXTS]>,
}

/// How many texts a list takes.
pub(crate) const TEXTS: usize = 1 << 8;
/// How many features it takes, more than texts.
const FEATURES: usize = 2 * TEXTS;
/// More features than one text has.
const MOST_OF_TEXT: usize = Groups::BITS as usize;

impl Default for List {
    fn default() -> Self {
        Self { features: Box::new([(0, 0); FEATURES]), texts: Box::new([(Found::default(), 0); TEXTS]) }
    }
}

/// The groups that any pair has.
#[inline]
fn of_any(groups: Both) -> Groups {
    (groups | groups >> HALF) as Groups
}

/// The texts of features: in alphabetical order, one a line. People read them, and files of formats before 5 need them; scoring
/// does not, so they stay compressed until they are asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Texts {
    lines: OnceLock<String>,
    packed: OnceLock<Cow<'static, [u8]>>,
}

/// More than texts have on average, in bytes; and more than few texts have, of which one may be long.
const LONG: usize = 1 << 8;
const FEW: usize = 64 << 20;

impl Texts {
    pub fn new(texts: &[&str]) -> Self {
        let mut texts = texts.to_vec();
        texts.sort_unstable();
        Self { lines: texts.join("\n").into(), packed: OnceLock::new() }
    }

    /// What [`packed`](Self::packed) gave.
    pub fn from_packed(packed: impl Into<Cow<'static, [u8]>>) -> Self {
        Self { lines: OnceLock::new(), packed: packed.into().into() }
    }

    /// The texts, compressed.
    pub fn packed(&self) -> &[u8] {
        self.packed.get_or_init(|| {
            let mut packed = DeflateEncoder::new(Vec::new(), Compression::best());
            packed.write_all(self.lines.get().map_or("", |lines| lines).as_bytes()).expect("memory takes all");
            packed.finish().expect("memory takes all").into()
        })
    }

    /// The texts, of which there are `count` at most. Of what is damaged, as much as can be read.
    pub fn all(&self, count: usize) -> impl Iterator<Item = &str> {
        let lines = self.lines.get_or_init(|| {
            let packed = self.packed.get().map_or(&[][..], |packed| packed);
            let mut bytes = Vec::new();
            let _ = DeflateDecoder::new(packed).take((count * LONG).max(FEW) as u64).read_to_end(&mut bytes);
            String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
        });
        lines.split('\n')
    }
}

#[cfg(test)]
mod tests {
    use super::super::ngrams::hash_of;
    use super::*;

    const NAMES: [&str; 6] = ["w|sanctions on", "l>|visit", "w|visit", "m<*|visit", "d|state-first", "w||"];

    fn index() -> Index {
        let mut names = NAMES;
        names.sort_unstable_by_key(|name| hash_of(name));
        Index::of_named(names.iter().zip(0u8..).map(|(name, n)| (*name, [f32::from(n); 3], 1.0 + f64::from(n))))
            .expect("good names")
    }

    #[test]
    fn finds_the_features_of_a_text_by_group() {
        let index = index();
        let named = index.named();
        let visit = index.find(text_hash("visit"));
        let of = |groups| -> Vec<&str> {
            let name = |place| named.iter().find(|(feature, _)| *feature == index.lexicon().feature(place));
            visit.features(groups).map(|(place, _)| &*name(place).expect("a name").1).collect()
        };
        assert_eq!(of(Groups::MAX), ["w|visit", "l>|visit", "m<*|visit"]);
        assert_eq!(of(1 << 3 | 1 << 5), ["l>|visit"]);
        assert_eq!(of(1 << 5), [""; 0]);
        assert_eq!(index.find(text_hash("on")), Found::default());
        // In the order of the hashes of their names, whatever their place.
        assert_eq!(named.len(), NAMES.len());
        assert!(named.is_sorted_by_key(|(feature, _)| feature.rank));
        assert!(named.is_sorted_by_key(|(_, name)| hash_of(name)), "{named:?}");
        assert!(named.iter().all(|(feature, _)| feature.weights[0] == feature.rank as f32));
    }

    #[test]
    fn counts_the_features_that_each_of_two_pairs_has() {
        let index = index();
        let visit = index.find(text_hash("visit"));
        let mut tally = Tally::new(index.lexicon().n_features());
        // Both are in the first group, the first in another of its own, which counts twice.
        index.count(visit, 0b1001 | 1 << HALF, &mut tally);
        index.count(visit, 0b1000, &mut tally);
        let mut found = Vec::new();
        tally.drain(|place, count| found.push((place, count)));
        found.sort_unstable();
        let of = |group: u32| visit.features((1 as Groups) << group).next().expect("it has that group").0;
        assert_eq!(found, [(of(0), ONE_EACH), (of(3), 2)]);
    }

    #[test]
    fn many_texts_are_counted_as_each_of_them_is() {
        // Of each number of features that a text can have; none of 29 to 40. Four sets of groups come in turn, each with every number.
        let names: Vec<String> = (1..=groups::NAMES.len())
            .flat_map(|count| groups::NAMES[..count].iter().map(move |group| format!("{group}|{count}")))
            .collect();
        let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
        names.sort_unstable_by_key(|name| hash_of(name));
        let index = Index::of_named(names.iter().map(|name| (*name, [0.0; 3], 1.0))).expect("good names");
        let found = |count: usize| index.find(text_hash(&count.to_string()));
        let sets = (0..1000u64).map(|n| n.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let texts: Vec<(Found, Both)> =
            (0..41).cycle().map(found).zip(sets.flat_map(|set| [0, set & set << 7, Both::MAX, set])).collect();
        let (mut list, mut all) = (List::default(), Tally::new(names.len()));
        for len in [0, 1, 30, texts.len()] {
            let mut each = Tally::new(names.len());
            texts[..len].iter().for_each(|&(found, groups)| index.count(found, groups, &mut each));
            for texts in texts[..len].chunks(TEXTS) {
                index.count_all(texts.iter().copied(), &mut list, &mut all);
            }
            let counts = |tally: &mut Tally| {
                let mut counts = Vec::new();
                tally.drain(|place, count| counts.push((place, count)));
                counts
            };
            assert_eq!(counts(&mut all), counts(&mut each), "{len} texts");
        }
    }

    #[test]
    fn its_parts_make_it_again() {
        let index = index();
        let with = |names| Index::new(index.lexicon().clone(), names).expect("its own parts");
        let packed = index.packed_texts();
        assert_eq!(with(Texts::from_packed(packed.to_vec())).named(), index.named());
        let again = [NAMES.map(|name| name.split_once('|').expect("a name").1); 50].concat();
        assert_eq!(with(Texts::new(&again)).named(), index.named());
        for cut in 0..packed.len() {
            let damaged = with(Texts::from_packed(packed[..cut].to_vec()));
            assert!(damaged.named().iter().all(|named| index.named().contains(named)));
        }
    }

    #[test]
    fn what_makes_no_index_is_refused() {
        let feature = |rank| Feature { rank, weights: [0.0; 3], idf: 1.0 };
        let twice = Lexicon::of_texts(vec![(7, 1, vec![feature(0)]), (7, 1, vec![feature(1)])]).expect("good texts");
        assert!(Index::new(twice, Texts::default()).is_err());
        let unnamed = ["w|a", ""].map(|name| (name, [0.0; 3], 1.0));
        assert!(Index::of_named(unnamed.into_iter()).is_none());
        assert!(Index::of_named([("x|a", [0.0; 3], 1.0)].into_iter()).is_none());
    }
}
