//! What a model knows of each text: one stretch of bytes, as a file has it.

use std::borrow::Cow;

use super::groups::{self, Groups};
use crate::error::{Error, Result};

/// A feature.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Feature {
    /// Its number by the hashes of their names: features are summed up in this order.
    pub rank: u32,
    pub weights: [f32; 3],
    pub idf: f64,
}

/// A text and its features.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Text {
    /// Where it stands.
    pub place: u32,
    pub hash: u64,
    /// The groups of its features.
    pub groups: Groups,
}

/// Texts with all that is known of them side by side: whoever asks for a text waits for memory once, not for each number. So
/// that those which are asked for most stay near the processor, they come first.
///
/// The least byte of a number comes first. A text is its hash (8 bytes) and its groups (4), and then for each group, ascending,
/// the feature: rank (4), three weights (12), and which of the values of idf it has (2), of which there are few, as features of
/// one document frequency have one. The lexicon of the fast model, which is part of the program, is read where it lies, and
/// takes no memory beside it.
#[derive(Debug, Clone)]
pub(crate) struct Lexicon {
    bytes: Cow<'static, [u8]>,
    idf: Vec<f64>,
    n_texts: u32,
    n_features: usize,
}

/// Bytes of a text before its features.
const TEXT: usize = 12;
/// Bytes of a feature.
const FEATURE: usize = 18;
/// Where they are among these.
const WEIGHTS: usize = 4;
const IDF: usize = 16;

/// No weight is further from 0, so that no score is infinite.
pub(crate) const MOST_WEIGHT: f32 = 1e6;

/// A stretch of bytes that is there.
#[inline]
fn part<const N: usize>(bytes: &[u8], at: usize) -> &[u8; N] {
    bytes[at..at + N].first_chunk().expect("texts and features are whole")
}

fn shape(what: &'static str, found: &str, expected: impl Into<String>) -> Error {
    Error::Shape { what, found: found.into(), expected: expected.into() }
}

/// Three weights as they are written.
#[inline]
pub(crate) fn weights(bytes: &[u8; 12]) -> [f32; 3] {
    let (of_classes, _) = bytes.as_chunks::<4>();
    [0, 1, 2].map(|k| f32::from_le_bytes(of_classes[k]))
}

impl Lexicon {
    /// What [`bytes`](Self::bytes) and [`idf`](Self::idf) gave.
    ///
    /// # Errors
    /// [`Error::Shape`] where they can't have.
    pub fn new(bytes: Vec<u8>, idf: Vec<f64>) -> Result<Self> {
        let all = Self::of_whole_texts(bytes.into(), idf, |_| {})?;
        all.check()?;
        Ok(all)
    }

    /// The same of bytes that are part of the program, whose numbers a test has proved; and the place of each text.
    ///
    /// # Errors
    /// [`Error::Shape`] where they are no whole texts.
    pub fn proven(bytes: &'static [u8], idf: Vec<f64>) -> Result<(Self, Vec<u32>)> {
        let mut places = Vec::with_capacity(bytes.len() / (TEXT + FEATURE));
        let all = Self::of_whole_texts(bytes.into(), idf, |text| places.push(text.place))?;
        Ok((all, places))
    }

    fn of_whole_texts(bytes: Cow<'static, [u8]>, idf: Vec<f64>, mut each: impl FnMut(Text)) -> Result<Self> {
        if u32::try_from(bytes.len()).is_err() {
            return Err(shape("lexicon", "4 GiB or more", "fewer bytes"));
        }
        let all = Self { bytes, idf, n_texts: 0, n_features: 0 };
        let (mut end, mut n_texts, mut n_features, mut are_good) = (0, 0, 0, true);
        for text in all.texts() {
            are_good &= text.groups != 0 && text.groups >> groups::NAMES.len() == 0;
            n_texts += 1;
            n_features += text.size();
            end = text.end();
            each(text);
        }
        if !are_good || end != all.bytes.len() {
            return Err(shape("texts of a lexicon", "groups that are not known, or a part", "whole texts"));
        }
        Ok(Self { n_texts, n_features, ..all })
    }

    /// Whether each number is in its range, and each rank there once.
    fn check(&self) -> Result<()> {
        let (n_features, mut are_good) = (self.n_features, true);
        let mut seen = vec![0u64; n_features / 64 + 1];
        for text in self.texts() {
            for feature in self.bytes[text.place as usize + TEXT..text.end()].as_chunks::<FEATURE>().0 {
                let rank = u32::from_le_bytes(*part(feature, 0)) as usize;
                let idf = usize::from(u16::from_le_bytes(*part(feature, IDF)));
                let weights = weights(part(feature, WEIGHTS));
                are_good &= rank < n_features && idf < self.idf.len() && weights.iter().all(|w| w.abs() <= MOST_WEIGHT);
                seen[(rank >> 6).min(n_features >> 6)] |= 1 << (rank & 63);
            }
        }
        if !are_good || seen.iter().map(|word| word.count_ones() as usize).sum::<usize>() != n_features {
            let expected = format!("each rank below {n_features}, a known idf, and weights from -1e6 to 1e6");
            return Err(shape("features of a lexicon", "a rank twice, or a number out of range", expected));
        }
        Ok(())
    }

    /// The lexicon of texts in any order, by hashes and groups, each with its features in the order of its groups.
    ///
    /// # Errors
    /// As [`new`](Self::new); and where there are more than 65,536 values of idf.
    pub fn of_texts(mut texts: Vec<(u64, Groups, Vec<Feature>)>) -> Result<Self> {
        let mut idf: Vec<f64> = texts.iter().flat_map(|(.., features)| features).map(|feature| feature.idf).collect();
        idf.sort_unstable_by(f64::total_cmp);
        idf.dedup();
        if idf.len() > 1 << u16::BITS {
            return Err(shape("values of idf", &idf.len().to_string(), "at most 65536"));
        }
        // Features of many sentences have a low idf.
        let lowest = |features: &[Feature]| features.iter().map(|feature| feature.idf).fold(f64::INFINITY, f64::min);
        texts.sort_by_cached_key(|(hash, _, features)| (lowest(features).to_bits(), *hash));
        let mut bytes = Vec::new();
        for (hash, groups, features) in texts {
            bytes.extend(hash.to_le_bytes());
            bytes.extend(groups.to_le_bytes());
            for feature in features {
                bytes.extend(feature.rank.to_le_bytes());
                bytes.extend(feature.weights.iter().flat_map(|weight| weight.to_le_bytes()));
                bytes.extend((idf.partition_point(|value| *value < feature.idf) as u16).to_le_bytes());
            }
        }
        Self::new(bytes, idf)
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The values of idf that features have.
    pub fn idf(&self) -> &[f64] {
        &self.idf
    }

    /// How many texts there are.
    pub fn n_texts(&self) -> u32 {
        self.n_texts
    }

    /// How many features there are.
    pub fn n_features(&self) -> usize {
        self.n_features
    }

    /// All texts.
    pub fn texts(&self) -> impl Iterator<Item = Text> + Clone {
        let mut at = 0;
        std::iter::from_fn(move || {
            let start: &[u8; TEXT] = self.bytes[at..].first_chunk()?;
            let groups = Groups::from_le_bytes(*part(start, 8));
            let text = Text { place: at as u32, hash: u64::from_le_bytes(*part(start, 0)), groups };
            at = text.end().min(self.bytes.len());
            Some(text)
        })
    }

    /// The hash of the text at a place.
    #[inline]
    pub fn hash(&self, place: u32) -> u64 {
        u64::from_le_bytes(*part(&self.bytes, place as usize))
    }

    /// The features of the text at a place.
    #[inline]
    pub fn features(&self, place: u32) -> Found {
        let groups = Groups::from_le_bytes(*part(&self.bytes, place as usize + 8));
        Found { groups, first: place + TEXT as u32 }
    }

    /// The feature at a place.
    pub fn feature(&self, place: u32) -> Feature {
        Feature { rank: self.rank(place), weights: self.weights(place), idf: self.idf_of(place) }
    }

    #[inline]
    pub fn rank(&self, place: u32) -> u32 {
        u32::from_le_bytes(*part(&self.bytes, place as usize))
    }

    #[inline]
    pub fn weights(&self, place: u32) -> [f32; 3] {
        weights(part(&self.bytes, place as usize + WEIGHTS))
    }

    #[inline]
    pub fn idf_of(&self, place: u32) -> f64 {
        self.idf[usize::from(u16::from_le_bytes(*part(&self.bytes, place as usize + IDF)))]
    }
}

impl Text {
    /// How many features it has.
    fn size(self) -> usize {
        self.groups.count_ones() as usize
    }

    /// Where the next one stands.
    fn end(self) -> usize {
        self.place as usize + TEXT + FEATURE * self.size()
    }
}

/// How many bits of each half of a number are set, in that half.
fn ones_of_halves(number: u64) -> u64 {
    const TWOS: u64 = u64::from_le_bytes([0b0101_0101; 8]);
    const FOURS: u64 = u64::from_le_bytes([0b0011_0011; 8]);
    const EIGHTS: u64 = u64::from_le_bytes([0b0000_1111; 8]);
    // Of every two bits, then of every four, then of every byte; then of the bytes of each half, in its last.
    let twos = number - ((number >> 1) & TWOS);
    let fours = (twos & FOURS) + ((twos >> 2) & FOURS);
    let bytes = (fours + (fours >> 4)) & EIGHTS;
    (bytes.wrapping_mul(0x0101_0101) >> 24) & 0x0000_00ff_0000_00ff
}

/// The features of one text: their groups, and where the first stands; the others follow. By default of no group.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Found {
    pub groups: Groups,
    pub first: u32,
}

impl Found {
    /// The place of its feature in the lowest of `groups`, of which it has some; behind its last, where these are none.
    #[inline]
    pub fn place_of_lowest(self, groups: Groups) -> u32 {
        let below = (groups & groups.wrapping_neg()).wrapping_sub(1);
        self.first + FEATURE as u32 * (self.groups & below).count_ones()
    }

    /// The same of two sets at once: without an instruction for it, as programs are built, to count bits takes many steps.
    #[inline]
    pub fn places_of_lowest(self, groups: [Groups; 2]) -> [u32; 2] {
        let [first, second] = groups.map(|groups| {
            let below = (groups & groups.wrapping_neg()).wrapping_sub(1);
            u64::from(self.groups & below)
        });
        let counts = ones_of_halves(first | second << 32);
        [counts, counts >> 32].map(|count| self.first + FEATURE as u32 * count as u32)
    }

    /// The places of its features in those of `groups` that it has, and the number of the group of each.
    #[inline]
    pub fn features(self, groups: Groups) -> impl Iterator<Item = (u32, u32)> {
        groups::numbers(groups & self.groups).map(move |group| (self.place_of_lowest(1 << group), group))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feature(rank: u32, idf: f64) -> Feature {
        let weight = rank as f32 + 0.1;
        Feature { rank, weights: [weight, -weight, weight / 3.0], idf }
    }

    fn lexicon() -> Lexicon {
        let many = vec![feature(3, 2.5), feature(0, 1.5), feature(2, 4.0)];
        let texts = vec![(70, 1 << 3, vec![feature(4, 2.5)]), (9, 0b1011, many), (50, 1, vec![feature(1, 2.5)])];
        Lexicon::of_texts(texts).expect("good texts")
    }

    #[test]
    fn texts_hold_what_was_put_in_the_most_frequent_first() {
        let lexicon = lexicon();
        let texts: Vec<(u64, Groups)> = lexicon.texts().map(|text| (text.hash, text.groups)).collect();
        assert_eq!(texts, [(9, 0b1011), (50, 1), (70, 1 << 3)]);
        assert_eq!((lexicon.idf(), lexicon.n_features()), (&[1.5, 2.5, 4.0][..], 5));
        let of = |hash, groups| -> Vec<(u32, Feature)> {
            let text = lexicon.texts().find(|text| text.hash == hash).expect("it is there");
            assert_eq!(lexicon.hash(text.place), hash);
            let found = lexicon.features(text.place).features(groups);
            found.map(|(place, group)| (group, lexicon.feature(place))).collect()
        };
        assert_eq!(of(9, Groups::MAX), [(0, feature(3, 2.5)), (1, feature(0, 1.5)), (3, feature(2, 4.0))]);
        assert_eq!(of(9, 0b1100), [(3, feature(2, 4.0))]);
        assert_eq!(of(70, Groups::MAX), [(3, feature(4, 2.5))]);
        assert_eq!(of(50, 0b10), []);
        let again = Lexicon::new(lexicon.bytes().to_vec(), lexicon.idf().to_vec()).expect("its own bytes");
        assert!(again.texts().eq(lexicon.texts()));
        assert_eq!(Lexicon::of_texts(Vec::new()).expect("no text").n_features(), 0);
    }

    proptest::proptest! {
        #[test]
        fn places_of_two_sets_are_those_of_each(groups in 0..=Groups::MAX, sets in proptest::array::uniform2(0..=Groups::MAX)) {
            let found = Found { groups, first: TEXT as u32 };
            for sets in [sets, [sets[0] & groups, sets[1] & groups], [0, groups], [groups, 0], [Groups::MAX; 2]] {
                proptest::prop_assert_eq!(found.places_of_lowest(sets), sets.map(|set| found.place_of_lowest(set)));
            }
        }
    }

    #[test]
    fn bytes_that_are_no_lexicon_are_refused() {
        let whole = lexicon();
        let read = |bytes: &[u8], idf: &[f64]| Lexicon::new(bytes.to_vec(), idf.to_vec());
        let texts: Vec<usize> = whole.texts().map(|text| text.place as usize).collect();
        for end in (0..whole.bytes().len()).filter(|end| !texts.contains(end)) {
            assert!(read(&whole.bytes()[..end], whole.idf()).is_err(), "{end} bytes");
        }
        assert!(read(&whole.bytes()[..texts[1]], whole.idf()).is_err(), "ranks up to 3 of three features");
        assert!(read(whole.bytes(), &whole.idf()[..2]).is_err());
        let changed = |changes: &[(usize, u8)]| {
            let mut bytes = whole.bytes().to_vec();
            for &(at, byte) in changes {
                assert_ne!(bytes[at], byte);
                bytes[at] = byte;
            }
            read(&bytes, whole.idf())
        };
        assert!(changed(&[(8, 0b0111)]).is_ok(), "another group");
        // An unknown group in the place of a known one; one more; a rank twice, one beyond the last; a weight that is none.
        let unknown = [(8, 0b0011), (11, 0x10)];
        let weight = [(TEXT + WEIGHTS + 2, 0xc0), (TEXT + WEIGHTS + 3, 0x7f)];
        for changes in [&unknown[..], &[(8, 0b1111)], &[(TEXT, 0)], &[(TEXT, 5)], &weight] {
            assert!(matches!(changed(changes), Err(Error::Shape { .. })), "{changes:?}");
        }
        // A text of no group.
        assert!(read(&[whole.bytes(), &[0; TEXT]].concat(), whole.idf()).is_err());
        let many = (0..=1 << 16).map(|n| (u64::from(n), 1, vec![feature(n, 1.0 + f64::from(n))])).collect();
        assert!(Lexicon::of_texts(many).is_err());
        // As many features as a word has bits.
        let ranks =
            |first| (0..64).map(|n| (n, 1, vec![feature(if n == 0 { first } else { n as u32 }, 1.0)])).collect();
        assert!(Lexicon::of_texts(ranks(0)).is_ok() && Lexicon::of_texts(ranks(64)).is_err());
    }
}
