//! Counted features to weighted sparse rows, as scikit-learn's `TfidfTransformer` defines them.
//!
//! A feature is a 64-bit hash made elsewhere; a row is a list of `(hash, count)`. [`TfidfParams::fit`] chooses which
//! hashes to keep ([`Vocabulary`]) and weighs them; the fitted [`Tfidf`] turns counts into rows of `(column, value)`:
//!
//! ```text
//! tf  = count                  or 1 + ln(count)           with sublinear_tf
//! idf = ln((1+n)/(1+df)) + 1   or ln(n/df) + 1            without smooth_idf;  1 without use_idf
//! row = tf · idf, divided by its L2 norm (or its L1 norm, or left as it is)
//! ```
//!
//! where `n` is the number of rows and `df` the number of rows that hold the feature. It differs from the textbook's
//! ln(n/df) in the added 1, so that a feature of every row keeps some weight.
//!
//! It does not read text, and it does not know what a hash stands for.
//!
//! ```
//! use detente::model::linear::tfidf::TfidfParams;
//!
//! // Two rows; the feature 7 is in both, so it weighs less than 8 and 9.
//! let rows = [vec![(7, 1.0), (9, 1.0)], vec![(7, 2.0), (8, 1.0)]];
//! let (tfidf, x) = TfidfParams::new().fit_transform(&rows)?;
//! assert_eq!(tfidf.vocabulary().hashes(), [7, 8, 9]);
//! assert_eq!(x.shape(), (2, 3));
//! assert!(x.get(0, 0) < x.get(0, 2));
//! # Ok::<(), detente::Error>(())
//! ```

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sprs::CsMat;

use super::lexicon::Lexicon;
use super::tally::{Both, HALF, PAIRS, Tally, both};
use super::vocabulary::Vocabulary;
use crate::{Error, Result};

/// How a row is scaled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Norm {
    /// The sum of squares is 1: √Σv² divides each value.
    #[default]
    L2,
    /// The sum of absolute values is 1: Σ|v| divides each value.
    L1,
    /// Values stay as they are.
    None,
}

impl Norm {
    /// What a value adds to the sum that the norm is of.
    #[inline]
    fn part(self, value: f64) -> f64 {
        match self {
            Self::L2 => value * value,
            Self::L1 => value.abs(),
            Self::None => 0.0,
        }
    }

    /// What each value of a row is divided by, given the sum of their [`part`](Self::part)s; 1 where the row stays as it is:
    /// under no norm, and where all are zeros.
    fn of(self, sum: f64) -> f64 {
        let norm = if self == Self::L2 { sum.sqrt() } else { sum };
        if norm > 0.0 { norm } else { 1.0 }
    }
}

/// The parameters of TF-IDF, with scikit-learn's names and defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TfidfParams {
    min_df: usize,
    max_df: f64,
    max_features: Option<usize>,
    sublinear_tf: bool,
    smooth_idf: bool,
    use_idf: bool,
    norm: Norm,
}

impl Default for TfidfParams {
    fn default() -> Self {
        Self {
            min_df: 1,
            max_df: 1.0,
            max_features: None,
            sublinear_tf: false,
            smooth_idf: true,
            use_idf: true,
            norm: Norm::L2,
        }
    }
}

impl TfidfParams {
    /// All parameters at their defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Keeps a feature only if at least this many rows hold it; defaults to 1.
    pub fn min_df(mut self, rows: usize) -> Self {
        self.min_df = rows;
        self
    }

    /// Keeps a feature only if at most this share of the rows holds it, 0 to 1; defaults to 1.
    pub fn max_df(mut self, share: f64) -> Self {
        self.max_df = share;
        self
    }

    /// Keeps at most this many features, those with the highest total count; of equal totals the lower hash is kept
    /// (scikit-learn leaves that open). Defaults to `None`: all.
    pub fn max_features(mut self, features: Option<usize>) -> Self {
        self.max_features = features;
        self
    }

    /// Takes 1 + ln(count) for count; defaults to `false`.
    pub fn sublinear_tf(mut self, sublinear: bool) -> Self {
        self.sublinear_tf = sublinear;
        self
    }

    /// Adds one to `n` and `df`, as if one more row held every feature; defaults to `true`.
    pub fn smooth_idf(mut self, smooth: bool) -> Self {
        self.smooth_idf = smooth;
        self
    }

    /// Weighs features by their rarity; defaults to `true`.
    pub fn use_idf(mut self, use_idf: bool) -> Self {
        self.use_idf = use_idf;
        self
    }

    /// How rows are scaled; defaults to [`Norm::L2`].
    pub fn norm(mut self, norm: Norm) -> Self {
        self.norm = norm;
        self
    }

    /// The fewest rows that any feature can be kept of.
    pub(crate) fn least_rows(&self) -> usize {
        self.min_df.max(1)
    }

    fn check(&self) -> Result<()> {
        if !(0.0..=1.0).contains(&self.max_df) {
            let found = self.max_df.to_string();
            return Err(Error::Parameter { name: "max_df", found, expected: "a share of the rows, 0 to 1" });
        }
        if self.max_features == Some(0) {
            return Err(Error::Parameter { name: "max_features", found: "0".into(), expected: "at least 1" });
        }
        Ok(())
    }

    /// Learns the vocabulary and the weights from `rows` of `(hash, count)`.
    ///
    /// # Errors
    /// As [`Self::fit_transform`].
    pub fn fit<R: AsRef<[(u64, f32)]> + Sync>(&self, rows: &[R]) -> Result<Tfidf> {
        Ok(self.fit_entries(rows)?.0)
    }

    /// Learns the vocabulary and the weights from `rows` of `(hash, count)`, and gives the rows transformed, as a CSR
    /// matrix of rows × features. A hash that a row holds twice counts as the sum; the order within a row is free.
    ///
    /// # Errors
    /// [`Error::Parameter`] for `max_df` outside 0 to 1 or below `min_df`; [`Error::Shape`] for no rows, a count that
    /// is not positive and finite, or no feature left after `min_df` and `max_df`.
    pub fn fit_transform<R: AsRef<[(u64, f32)]> + Sync>(&self, rows: &[R]) -> Result<(Tfidf, CsMat<f64>)> {
        let (tfidf, counts) = self.fit_entries(rows)?;
        // The entries stand by column, so a stable distribution by row leaves the columns of each row ascending.
        let mut ends = vec![0usize; rows.len() + 1];
        counts.iter().for_each(|&(row, ..)| ends[row as usize + 1] += 1);
        for row in 0..rows.len() {
            ends[row + 1] += ends[row];
        }
        let mut next = ends.clone();
        let mut entries = vec![(0u32, 0f64); counts.len()];
        for &(row, column, count) in &counts {
            entries[next[row as usize]] = (column, count);
            next[row as usize] += 1;
        }
        drop(counts);
        for row in 0..rows.len() {
            tfidf.weigh(&mut entries[ends[row]..ends[row + 1]]);
        }
        let (indices, values) = entries.into_iter().map(|(column, value)| (column as usize, value)).unzip();
        let shape = (rows.len(), tfidf.vocabulary.len());
        Ok((tfidf, CsMat::new(shape, ends, indices, values)))
    }

    /// The fitted weights, and the kept entries `(row, column, count)` ordered by column, then row.
    fn fit_entries<R: AsRef<[(u64, f32)]> + Sync>(&self, rows: &[R]) -> Result<(Tfidf, Vec<Entry>)> {
        self.check()?;
        let too_many = || Error::Shape {
            what: "rows to fit TF-IDF on",
            found: rows.len().to_string(),
            expected: "1 to 4294967295".into(),
        };
        let n_rows = u32::try_from(rows.len()).map_err(|_| too_many())?;
        if n_rows == 0 {
            return Err(too_many());
        }
        let mut entries: Vec<(u64, u32, f32)> = Vec::with_capacity(rows.iter().map(|r| r.as_ref().len()).sum());
        for (row, counts) in (0..n_rows).zip(rows) {
            for &(hash, count) in counts.as_ref() {
                if !(count > 0.0 && count.is_finite()) {
                    return Err(Error::Shape {
                        what: "count of a feature",
                        found: format!("{count} in row {row}"),
                        expected: "a positive, finite number".into(),
                    });
                }
                entries.push((hash, row, count));
            }
        }
        // By value too, so that equal hashes of one row are summed in one order whatever the order within the row.
        entries.par_sort_unstable_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)).then(a.2.total_cmp(&b.2)));
        let kept = self.kept_features(&entries, rows.len())?;

        let n = rows.len() as f64 + f64::from(u8::from(self.smooth_idf));
        let mut hashes = Vec::with_capacity(kept.len());
        let mut idf = Vec::with_capacity(kept.len());
        let mut counts: Vec<Entry> = Vec::with_capacity(entries.len());
        for (column, feature) in (0u32..).zip(&kept) {
            hashes.push(feature.hash);
            let df = feature.df as f64 + f64::from(u8::from(self.smooth_idf));
            idf.push(if self.use_idf { (n / df).ln() + 1.0 } else { 1.0 });
            let first = counts.len();
            for &(_, row, count) in &entries[feature.start..feature.end] {
                match counts[first..].last_mut() {
                    Some(last) if last.0 == row => last.2 += f64::from(count),
                    _ => counts.push((row, column, f64::from(count))),
                }
            }
        }
        let vocabulary = Vocabulary::new(hashes)?;
        Ok((Tfidf { vocabulary, idf, sublinear_tf: self.sublinear_tf, norm: self.norm }, counts))
    }

    /// The features that `min_df`, `max_df` and `max_features` leave, ascending by hash.
    fn kept_features(&self, entries: &[(u64, u32, f32)], n_rows: usize) -> Result<Vec<FeatureRange>> {
        let most = self.max_df * n_rows as f64;
        if most < self.min_df as f64 {
            return Err(Error::Parameter {
                name: "max_df",
                found: format!("{}, that is {most} of {n_rows} rows, with min_df {}", self.max_df, self.min_df),
                expected: "a share of at least min_df rows",
            });
        }
        let mut kept = Vec::new();
        let mut start = 0;
        for group in entries.chunk_by(|a, b| a.0 == b.0) {
            let end = start + group.len();
            let df = group.chunk_by(|a, b| a.1 == b.1).count();
            if df >= self.min_df && df as f64 <= most {
                let total = group.iter().map(|&(.., count)| f64::from(count)).sum();
                kept.push(FeatureRange { hash: group[0].0, start, end, df, total });
            }
            start = end;
        }
        if let Some(limit) = self.max_features.filter(|&limit| limit < kept.len()) {
            kept.sort_by(|a, b| b.total.total_cmp(&a.total).then(a.hash.cmp(&b.hash)));
            kept.truncate(limit);
            kept.sort_by_key(|feature| feature.hash);
        }
        if kept.is_empty() {
            return Err(Error::Shape {
                what: "features after min_df and max_df",
                found: "none".into(),
                expected: format!("at least one; lower min_df ({}) or raise max_df ({})", self.min_df, self.max_df),
            });
        }
        Ok(kept)
    }
}

/// Row, column, count.
type Entry = (u32, u32, f64);

/// A feature and where its entries stand.
struct FeatureRange {
    hash: u64,
    start: usize,
    end: usize,
    df: usize,
    total: f64,
}

/// A fitted TF-IDF: counts in, weighted sparse rows out.
#[derive(Debug, Clone, PartialEq)]
pub struct Tfidf {
    vocabulary: Vocabulary,
    idf: Vec<f64>,
    sublinear_tf: bool,
    norm: Norm,
}

impl Tfidf {
    /// A TF-IDF from its parts, as a model file keeps them; `idf` has one positive weight per hash of `vocabulary`.
    ///
    /// # Errors
    /// [`Error::Shape`] if the lengths differ or a weight is not positive and finite.
    pub fn from_parts(vocabulary: Vocabulary, idf: Vec<f64>, sublinear_tf: bool, norm: Norm) -> Result<Self> {
        if idf.len() != vocabulary.len() {
            let (found, expected) = (idf.len().to_string(), format!("{}, one per feature", vocabulary.len()));
            return Err(Error::Shape { what: "weights of TF-IDF", found, expected });
        }
        let is_weight = |w: f64| w > 0.0 && w.is_finite();
        // All of them, without a way out between: that is done several at a time.
        if !idf.iter().fold(true, |all, w| all & is_weight(*w))
            && let Some(at) = idf.iter().position(|w| !is_weight(*w))
        {
            let found = format!("{} at {at}", idf[at]);
            return Err(Error::Shape { what: "weight of TF-IDF", found, expected: "a positive, finite number".into() });
        }
        Ok(Self { vocabulary, idf, sublinear_tf, norm })
    }

    /// The features, whose places are the columns.
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// The inverse document frequency of each column, ln((1+n)/(1+df)) + 1 by default; all 1 without `use_idf`.
    pub fn idf(&self) -> &[f64] {
        &self.idf
    }

    /// Whether 1 + ln(count) stands for count.
    pub fn sublinear_tf(&self) -> bool {
        self.sublinear_tf
    }

    /// How rows are scaled.
    pub fn norm(&self) -> Norm {
        self.norm
    }

    /// The row of `(column, value)` of `counts`, columns ascending; unknown hashes, and counts that are not positive
    /// and finite, are left out.
    pub fn transform(&self, counts: &[(u64, f32)]) -> Vec<(u32, f64)> {
        let mut row = Vec::new();
        self.transform_into(counts, &mut row);
        row
    }

    /// [`Self::transform`] into `row`, whose content it replaces and whose memory it reuses.
    pub fn transform_into(&self, counts: &[(u64, f32)], row: &mut Vec<(u32, f64)>) {
        row.clear();
        for &(hash, count) in counts {
            if count > 0.0 && count.is_finite() {
                row.extend(self.vocabulary.get(hash).map(|column| (column, f64::from(count))));
            }
        }
        row.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        row.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 += next.1;
            }
            same
        });
        self.weigh(row);
    }

    /// The CSR matrix of all `rows`, rows × features.
    pub fn transform_rows<R: AsRef<[(u64, f32)]> + Sync>(&self, rows: &[R]) -> CsMat<f64> {
        let transformed: Vec<_> = rows.par_iter().map(|counts| self.transform(counts.as_ref())).collect();
        let mut ends = Vec::with_capacity(rows.len() + 1);
        ends.push(0);
        let mut indices = Vec::new();
        let mut values = Vec::new();
        for row in transformed {
            indices.extend(row.iter().map(|&(column, _)| column as usize));
            values.extend(row.iter().map(|&(_, value)| value));
            ends.push(indices.len());
        }
        CsMat::new((rows.len(), self.vocabulary.len()), ends, indices, values)
    }

    /// How counts are weighed.
    pub(crate) fn weighting(&self) -> Weighting {
        Weighting::new(self.sublinear_tf, self.norm)
    }

    /// Counts to values, in place.
    fn weigh(&self, row: &mut [(u32, f64)]) {
        let mut sum = 0.0;
        for (column, value) in row.iter_mut() {
            *value = tf(*value, self.sublinear_tf) * self.idf[*column as usize];
            sum += self.norm.part(*value);
        }
        let norm = self.norm.of(sum);
        row.iter_mut().for_each(|(_, value)| *value /= norm);
    }
}

#[inline]
fn tf(count: f64, sublinear_tf: bool) -> f64 {
    if sublinear_tf && count != 1.0 { count.ln() + 1.0 } else { count }
}

/// The tf of a feature that may not be there.
#[inline]
fn tf_or_zero(count: u32, sublinear_tf: bool) -> f64 {
    if count == 0 { 0.0 } else { tf(f64::from(count), sublinear_tf) }
}

/// How counts are weighed, beside the idf.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Weighting {
    /// Whether 1 + ln(count) stands for count.
    pub sublinear_tf: bool,
    /// How rows are scaled.
    pub norm: Norm,
    /// The tf of each pair where both counts are below 2^[`LOW`], as nearly all are.
    lowest: [[f64; PAIRS]; 1 << (2 * LOW)],
}

/// Bits of a low count.
const LOW: u32 = 2;

impl Weighting {
    pub fn new(sublinear_tf: bool, norm: Norm) -> Self {
        let below = 1 << LOW;
        let of = |counts| [counts % below, counts / below].map(|count| tf_or_zero(count as u32, sublinear_tf));
        Self { sublinear_tf, norm, lowest: std::array::from_fn(of) }
    }

    /// The tf of each pair.
    #[inline]
    fn tf(&self, counts: Both) -> [f64; PAIRS] {
        if counts & !both((1 << LOW) - 1) != 0 {
            return self.high_tf(counts);
        }
        // The two low counts side by side.
        let at = (counts | counts >> (HALF - LOW)) as usize;
        self.lowest[at % self.lowest.len()]
    }

    /// The same of any counts. Apart, so that who sums up the others has all registers to itself.
    #[cold]
    #[inline(never)]
    fn high_tf(&self, counts: Both) -> [f64; PAIRS] {
        [counts as u32, (counts >> HALF) as u32].map(|count| tf_or_zero(count, self.sublinear_tf))
    }

    /// The rows of the features that were counted, ascending by rank: places in the lexicon, and values for each pair, which are
    /// still to be divided by the norms that it gives. A pair that has not a feature has 0 there.
    #[inline]
    pub fn weigh(&self, lexicon: &Lexicon, tally: &mut Tally, rows: &mut Vec<(u32, [f64; PAIRS])>) -> [f64; PAIRS] {
        rows.clear();
        tally.drain(|place, counts| {
            let idf = lexicon.idf_of(place);
            rows.push((place, self.tf(counts).map(|tf| tf * idf)));
        });
        let mut sums = [0.0; PAIRS];
        for (_, values) in &*rows {
            for (sum, value) in sums.iter_mut().zip(values) {
                *sum += self.norm.part(*value);
            }
        }
        sums.map(|sum| self.norm.of(sum))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Vec<(u64, f32)>> {
        vec![
            vec![(5, 1.0), (u64::MAX, 2.0), (3, 1.0)],
            vec![(3, 4.0), (9, 1.0)],
            vec![],
            vec![(3, 1.0), (9, 2.0), (1 << 63, 1.0), (9, 1.0)],
        ]
    }

    #[test]
    fn counts_of_two_pairs_weigh_what_each_does() {
        for sublinear_tf in [true, false] {
            let weighting = Weighting::new(sublinear_tf, Norm::L2);
            for (a, b) in (0..20u32).flat_map(|a| (0..20u32).map(move |b| (a, b))) {
                let each = [a, b].map(|count| if count == 0 { 0.0 } else { tf(f64::from(count), sublinear_tf) });
                assert_eq!(weighting.tf(Both::from(a) | Both::from(b) << HALF), each, "{a} {b}");
            }
        }
    }

    #[test]
    fn a_row_by_hand() {
        let (tfidf, x) = TfidfParams::new().norm(Norm::None).fit_transform(&rows()).unwrap();
        assert_eq!(tfidf.vocabulary().hashes(), [3, 5, 9, 1 << 63, u64::MAX]);
        let idf = |df: f64| (5.0 / (1.0 + df)).ln() + 1.0;
        assert_eq!(tfidf.idf(), [idf(3.0), idf(1.0), idf(2.0), idf(1.0), idf(1.0)]);
        assert_eq!(x.get(3, 2), Some(&(3.0 * idf(2.0))));
        assert_eq!(x.outer_view(2).unwrap().nnz(), 0);
    }

    #[test]
    fn transforming_again_gives_the_same_bits() {
        for norm in [Norm::L2, Norm::L1, Norm::None] {
            let (tfidf, x) = TfidfParams::new().sublinear_tf(true).norm(norm).fit_transform(&rows()).unwrap();
            assert_eq!(tfidf.transform_rows(&rows()), x);
            let mut reversed = rows();
            reversed.iter_mut().for_each(|row| row.reverse());
            assert_eq!(tfidf.transform_rows(&reversed), x);
            assert_eq!(TfidfParams::new().sublinear_tf(true).norm(norm).fit(&reversed).unwrap(), tfidf);
        }
    }

    #[test]
    fn unknown_and_impossible_counts_are_left_out() {
        let tfidf = TfidfParams::new().fit(&rows()).unwrap();
        assert_eq!(tfidf.transform(&[(4, 1.0), (5, 0.0), (9, f32::NAN), (3, f32::INFINITY)]), []);
        assert_eq!(tfidf.transform(&[(4, 1.0), (9, 7.0)]), [(2, 1.0)]);
    }

    #[test]
    fn keeps_by_df_and_by_total() {
        let kept = |params: TfidfParams| params.fit(&rows()).map(|t| t.vocabulary().hashes().to_vec());
        assert_eq!(kept(TfidfParams::new().min_df(2)).unwrap(), [3, 9]);
        assert_eq!(kept(TfidfParams::new().max_df(0.5)).unwrap(), [5, 9, 1 << 63, u64::MAX]);
        assert_eq!(kept(TfidfParams::new().max_features(Some(3))).unwrap(), [3, 9, u64::MAX]);
        // 5 and 1 << 63 have equal totals.
        assert_eq!(kept(TfidfParams::new().max_features(Some(4))).unwrap(), [3, 5, 9, u64::MAX]);
        assert_eq!(
            kept(TfidfParams::new().min_df(4)).unwrap_err().to_string(),
            "features after min_df and max_df: found none, expected at least one; lower min_df (4) or raise max_df (1)"
        );
        assert!(matches!(kept(TfidfParams::new().min_df(3).max_df(0.5)), Err(Error::Parameter { name: "max_df", .. })));
    }

    #[test]
    fn bad_input_is_an_error() {
        let none: [Vec<(u64, f32)>; 0] = [];
        assert!(matches!(TfidfParams::new().fit(&none), Err(Error::Shape { .. })));
        for count in [0.0, -1.0, f32::NAN, f32::INFINITY] {
            assert!(matches!(TfidfParams::new().fit(&[[(1, count)]]), Err(Error::Shape { .. })));
        }
        for share in [-0.1, 1.1, f64::NAN] {
            assert!(matches!(TfidfParams::new().max_df(share).fit(&rows()), Err(Error::Parameter { .. })));
        }
        assert!(TfidfParams::new().max_features(Some(0)).fit(&rows()).is_err());
        assert!(Vocabulary::new(vec![1, 1]).is_err());
        let one = || Vocabulary::new(vec![1]).unwrap();
        assert!(Tfidf::from_parts(one(), vec![], false, Norm::L2).is_err());
        assert!(Tfidf::from_parts(one(), vec![f64::NAN], false, Norm::L2).is_err());
    }

    #[test]
    fn looks_up_what_binary_search_finds() {
        let spread = |n: u64| -> Vec<u64> {
            let mut h: Vec<u64> = (0..n).map(|i| i.wrapping_mul(0x9E37_79B9_7F4A_7C15)).collect();
            h.sort_unstable();
            h
        };
        for hashes in [vec![], vec![0], vec![u64::MAX], (0..100).collect(), spread(3), spread(1000), spread(1 << 14)] {
            let vocabulary = Vocabulary::new(hashes.clone()).unwrap();
            assert_eq!(vocabulary.is_empty(), hashes.is_empty());
            for (at, &hash) in (0u32..).zip(&hashes) {
                assert_eq!(vocabulary.get(hash), Some(at));
                for near in [hash.wrapping_add(1), hash.wrapping_sub(1)] {
                    assert_eq!(vocabulary.get(near), hashes.binary_search(&near).ok().map(|p| p as u32));
                }
            }
        }
    }
}
