//! The features of a model by their words: one look-up finds the features of all groups.

use std::borrow::Cow;
use std::io::{Read, Write};
use std::sync::OnceLock;

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

use super::columns::{Column, Columns, Feature};
use super::groups::{self, Groups};
use super::ngrams::hash_of;
use super::tally::Tally;
use crate::error::{Error, Result};

/// Which features a model has, and what each weighs.
///
/// Features that differ in their group alone lie side by side, in the order of the groups; what comes before them says
/// which groups these are. So a window's words are looked up once, whatever its pairs.
#[derive(Debug, Clone)]
pub(crate) struct Index {
    /// The hashes of the texts of features, ascending.
    hashes: Column<8>,
    /// What is known of each text.
    texts: Vec<Found>,
    /// `starts[t]..starts[t + 1]` are the places of hashes whose top bits are `t`.
    starts: Vec<u32>,
    shift: u32,
    features: Columns,
    names: Texts,
}

/// So many hashes are compared one after the other; of more, which few places have, half are left out each time.
const FEW: usize = 8;

/// The features of one text: their groups, and the first; the others follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found {
    pub groups: Groups,
    pub first: u32,
}

impl Found {
    /// The places of its features in those of `groups` that it has.
    #[inline]
    pub fn features(self, groups: Groups) -> impl Iterator<Item = u32> {
        let mut rest = groups & self.groups;
        std::iter::from_fn(move || {
            let lowest = rest & rest.wrapping_neg();
            rest ^= lowest;
            (lowest != 0).then(|| self.first + (self.groups & lowest.wrapping_sub(1)).count_ones())
        })
    }
}

impl Index {
    /// An index of texts by their hashes, which ascend, each with its groups, and of their features, those of a text in the order
    /// of its groups, all texts in turn.
    ///
    /// # Errors
    /// [`Error::Shape`] where texts and features do not fit together.
    pub fn new(
        hashes: Column<8>,
        groups: impl ExactSizeIterator<Item = Groups>,
        features: Columns,
        names: Texts,
    ) -> Result<Self> {
        let shape = |what, found: String, expected: String| Err(Error::Shape { what, found, expected });
        let (text_count, count) = (hashes.len(), features.len());
        if groups.len() != text_count {
            return shape("groups of texts", groups.len().to_string(), text_count.to_string());
        }
        if u32::try_from(count).is_err() {
            return shape("features", count.to_string(), "fewer than 2^32".into());
        }
        let bits = text_count.div_ceil(2).max(2).next_power_of_two().ilog2();
        let shift = u64::BITS - bits;
        let mut starts = vec![0; (1 << bits) + 1];
        let mut texts = Vec::with_capacity(text_count);
        let (mut features_of_texts, mut before, mut are_good) = (0, None, true);
        // All of them, without a way out between: that is done several at a time.
        for (hash, groups) in hashes.iter().map(|hash| u64::from_le_bytes(*hash)).zip(groups) {
            are_good &= before < Some(hash) && groups != 0 && groups >> groups::NAMES.len() == 0;
            before = Some(hash);
            starts[(hash >> shift) as usize + 1] += 1;
            texts.push(Found { groups, first: features_of_texts as u32 });
            features_of_texts += groups.count_ones() as usize;
        }
        if !are_good {
            return shape(
                "texts of features",
                "some that fall, or of no group".into(),
                "ascending hashes, known groups".into(),
            );
        }
        if features_of_texts != count {
            return shape("features", count.to_string(), format!("{features_of_texts}, one for each group of a text"));
        }
        let mut before = 0;
        for start in &mut starts {
            before += *start;
            *start = before;
        }
        let mut seen = vec![0u64; count / 64 + 1];
        for place in 0..count as u32 {
            let rank = features.rank(place) as usize;
            are_good &= rank < count;
            seen[(rank >> 6).min(count >> 6)] |= 1 << (rank & 63);
        }
        if !are_good || seen.iter().map(|word| word.count_ones() as usize).sum::<usize>() != count {
            return shape("ranks of features", "one twice, or beyond the last".into(), format!("each below {count}"));
        }
        Ok(Self { hashes, texts, starts, shift, features, names })
    }

    /// An index of named features, each with its weights and idf, in the order of the hashes of their names; `None` where a
    /// name is none, or two texts have one hash.
    pub fn of_named<'n>(features: impl Iterator<Item = (&'n str, [f32; 3], f64)>) -> Option<Self> {
        let mut split = Vec::with_capacity(features.size_hint().0);
        for (rank, (name, weights, idf)) in (0u32..).zip(features) {
            let (group, text) = name.split_once('|')?;
            let group = groups::NAMES.iter().position(|name| *name == group)?;
            split.push((hash_of(text), group, text, Feature { rank, weights, idf }));
        }
        split.sort_unstable_by_key(|&(hash, group, ..)| (hash, group));
        let (mut hashes, mut of_texts, mut texts) = (Vec::new(), Vec::new(), Vec::new());
        for same in split.chunk_by(|a, b| a.0 == b.0) {
            if same.iter().any(|(_, _, text, _)| *text != same[0].2) {
                return None;
            }
            hashes.push(same[0].0.to_le_bytes());
            of_texts.push(same.iter().fold(0, |groups, (_, group, ..)| groups | 1 << group));
            texts.push(same[0].2);
        }
        let features = split.iter().map(|(.., feature)| *feature).collect();
        Self::new(hashes.into(), of_texts.into_iter(), features, Texts::new(&texts)).ok()
    }

    /// The features whose words have this hash; of no group where there are none.
    #[inline]
    pub fn find(&self, hash: u64) -> Found {
        let top = (hash >> self.shift) as usize;
        let (start, end) = (self.starts[top] as usize, self.starts[top + 1] as usize);
        let bucket = &self.hashes[start..end];
        let there = if bucket.len() <= FEW {
            bucket.iter().position(|here| u64::from_le_bytes(*here) == hash)
        } else {
            bucket.binary_search_by_key(&hash, |here| u64::from_le_bytes(*here)).ok()
        };
        there.map_or(Found { groups: 0, first: 0 }, |at| self.texts[start + at])
    }

    /// Counts the features of a text in those of `groups` that it has.
    #[inline]
    pub fn count(&self, found: Found, groups: Groups, tally: &mut Tally) {
        let mut add = |place| tally.add(self.features.rank(place), place);
        let groups = groups & found.groups;
        // Half of all features are of the first group, and nothing stands before these.
        if groups & 1 != 0 {
            add(found.first);
        }
        found.features(groups & !1).for_each(add);
    }

    /// The hash and the groups of each text, ascending by hash.
    pub fn texts(&self) -> impl ExactSizeIterator<Item = (u64, Groups)> {
        self.hashes.iter().zip(&self.texts).map(|(hash, text)| (u64::from_le_bytes(*hash), text.groups))
    }

    /// All features, those of a text side by side.
    #[inline]
    pub fn features(&self) -> &Columns {
        &self.features
    }

    /// The names of the features, in their order; empty where a text is not known.
    pub fn names(&self) -> Vec<String> {
        let mut names = vec![String::new(); self.features.len()];
        for text in self.names.all(self.texts().len()) {
            let found = self.find(hash_of(text));
            for (at, group) in found.features(Groups::MAX).zip(groups::numbers(found.groups)) {
                names[at as usize] = format!("{}|{text}", groups::NAMES[group as usize]);
            }
        }
        names
    }

    /// The texts, packed.
    pub fn packed_texts(&self) -> &[u8] {
        self.names.packed()
    }
}

/// The texts of features, for people to read: in alphabetical order, one a line. Scoring needs none of them, so they stay
/// compressed until they are asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Texts {
    lines: OnceLock<String>,
    packed: OnceLock<Cow<'static, [u8]>>,
}

/// More than texts have on average, in bytes.
const LONG: usize = 1 << 8;

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

    /// The texts, of which there are `count`. Of what is damaged, as much as can be read: texts are for people to read.
    pub fn all(&self, count: usize) -> impl Iterator<Item = &str> {
        let lines = self.lines.get_or_init(|| {
            let packed = self.packed.get().map_or(&[][..], |packed| packed);
            let mut bytes = Vec::new();
            let _ = DeflateDecoder::new(packed).take((count * LONG) as u64).read_to_end(&mut bytes);
            String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
        });
        lines.split('\n')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 6] = ["w|sanctions on", "l>|visit", "w|visit", "m<*|visit", "d|state-first", "w||"];

    fn index() -> Index {
        let mut names = NAMES;
        names.sort_unstable_by_key(|name| hash_of(name));
        Index::of_named(names.iter().zip(0u8..).map(|(name, n)| (*name, [f32::from(n); 3], 1.0 + f64::from(n))))
            .expect("good names")
    }

    fn of_parts(texts: impl Iterator<Item = (u64, Groups)>, features: Columns) -> Result<Index> {
        let (hashes, groups): (Vec<_>, Vec<_>) = texts.map(|(hash, groups)| (hash.to_le_bytes(), groups)).unzip();
        Index::new(hashes.into(), groups.into_iter(), features, Texts::default())
    }

    #[test]
    fn finds_the_features_of_a_text_by_group() {
        let index = index();
        let visit = index.find(hash_of("visit"));
        let names = index.names();
        let named = |groups| -> Vec<&str> { visit.features(groups).map(|at| &*names[at as usize]).collect() };
        assert_eq!(named(Groups::MAX), ["w|visit", "l>|visit", "m<*|visit"]);
        assert_eq!(named(1 << 3 | 1 << 5), ["l>|visit"]);
        assert_eq!(named(1 << 5), [""; 0]);
        assert_eq!(index.find(hash_of("on")).groups, 0);
        // In the order of the hashes of their names, whatever their place.
        let mut ranked: Vec<(u32, &str)> =
            index.features().iter().map(|f| f.rank).zip(names.iter().map(|n| &**n)).collect();
        ranked.sort_unstable();
        assert!(ranked.is_sorted_by_key(|(_, name)| hash_of(name)), "{ranked:?}");
        assert!(index.features().iter().all(|feature| feature.weights[0] == feature.rank as f32));
    }

    #[test]
    fn its_parts_make_it_again() {
        let index = index();
        let with = |names| {
            Index::new(index.hashes.clone(), index.texts().map(|(_, groups)| groups), index.features().clone(), names)
                .expect("its own parts")
        };
        let packed = index.packed_texts();
        assert_eq!(with(Texts::from_packed(packed.to_vec())).names(), index.names());
        for cut in 0..packed.len() {
            let damaged = with(Texts::from_packed(packed[..cut].to_vec()));
            assert!(damaged.names().iter().zip(index.names()).all(|(cut, whole)| cut.is_empty() || *cut == whole));
        }
    }

    #[test]
    fn parts_that_do_not_fit_are_refused() {
        type Damage = fn(&mut Vec<(u64, Groups)>, &mut Vec<Feature>);
        let damage: [Damage; 8] = [
            |texts, _| texts.swap(0, 1),
            |texts, _| texts[1].0 = texts[0].0,
            |texts, _| texts[0].1 = 0,
            |texts, _| texts[0].1 |= 1 << 28,
            |texts, _| texts[0].1 ^= 1 << 20,
            |_, features| features[0].rank = features[1].rank,
            |_, features| features[0].rank = 6,
            |_, features| features.truncate(5),
        ];
        for damage in damage {
            let (mut texts, mut features) = (index().texts().collect(), index().features().iter().collect());
            damage(&mut texts, &mut features);
            let refused = of_parts(texts.into_iter(), features.into_iter().collect());
            assert!(matches!(refused, Err(Error::Shape { .. })));
        }
        // As many features as a word has bits.
        let of_each = |rank: u32| ((u64::from(rank), 1), Feature { rank, weights: [0.0; 3], idf: 1.0 });
        let (texts, mut features): (Vec<_>, Vec<_>) = (0..64).map(of_each).unzip();
        features[0].rank = 64;
        assert!(of_parts(texts.into_iter(), features.into_iter().collect()).is_err());
        let groups = std::iter::once(1);
        assert!(Index::new(vec![[0; 8]; 2].into(), groups, index().features().clone(), Texts::default()).is_err());
        let unnamed = ["w|a", ""].map(|name| (name, [0.0; 3], 1.0));
        assert!(Index::of_named(unnamed.into_iter()).is_none());
        assert!(Index::of_named([("x|a", [0.0; 3], 1.0)].into_iter()).is_none());
    }

    #[test]
    fn finds_each_of_many_texts_and_no_other() {
        for spread in [1, 0x9E37_79B9_7F4A_7C15u64] {
            let mut hashes: Vec<u64> = (0..5000u64).map(|n| n.wrapping_mul(spread).wrapping_mul(2)).collect();
            hashes.sort_unstable();
            let feature = |rank| Feature { rank, weights: [0.0; 3], idf: 1.0 };
            let features = (0..hashes.len() as u32).map(feature).collect();
            let texts = hashes.iter().map(|&hash| (hash, 1));
            let index = of_parts(texts, features).expect("good parts");
            for (at, hash) in (0u32..).zip(hashes) {
                assert_eq!(index.find(hash), Found { groups: 1, first: at });
                assert_eq!(index.find(hash + 1).groups, 0);
            }
        }
    }
}
