//! The matrix of rows × features as the solver wants it: by rows, by columns, and without columns that say the same.
//!
//! **Merging.** Under the penalty ½‖W‖² features whose columns are multiples of one another get weights in the same
//! proportion. With columns cⱼ = nⱼu, ‖u‖ = 1, every optimum has wⱼ = (nⱼ/N) v, where v is the optimum for the one
//! column N·u, N = √Σnⱼ², in their place: the scores and the penalty are the same. In n-gram rows most features are in
//! one sentence only, so this takes some 480,000 features to 96,000, and changes the solution by rounding alone.
//!
//! **Determinism.** Scores are sums over a row, gradients sums over a column, each in one fixed order and each by one
//! thread, so nothing depends on how many threads there are.

use rayon::prelude::*;
use sprs::CsMatView;

use super::block::Block;
use crate::{Error, Result};

/// Compressed lines: rows of a CSR matrix or columns of a CSC matrix.
#[derive(Debug, Default)]
struct Lines {
    ends: Vec<usize>,
    places: Vec<u32>,
    values: Vec<f64>,
}

impl Lines {
    fn line(&self, i: usize) -> impl Iterator<Item = (u32, f64)> + '_ {
        let range = self.ends[i]..self.ends[i + 1];
        self.places[range.clone()].iter().copied().zip(self.values[range].iter().copied())
    }

    fn parts(&self, i: usize) -> (&[u32], &[f64]) {
        let range = self.ends[i]..self.ends[i + 1];
        (&self.places[range.clone()], &self.values[range])
    }

    /// The same matrix by its other axis, which is `len` long; places ascend in each line.
    fn transposed(&self, len: usize) -> Self {
        let mut ends = vec![0; len + 1];
        self.places.iter().for_each(|&p| ends[p as usize + 1] += 1);
        for i in 0..len {
            ends[i + 1] += ends[i];
        }
        let mut next = ends.clone();
        let (mut places, mut values) = (vec![0; self.places.len()], vec![0.0; self.places.len()]);
        for i in 0..self.ends.len() - 1 {
            for (place, value) in self.line(i) {
                let at = &mut next[place as usize];
                places[*at] = i as u32;
                values[*at] = value;
                *at += 1;
            }
        }
        Self { ends, places, values }
    }
}

/// The training rows.
#[derive(Debug)]
pub(super) struct Design {
    rows: Lines,
    columns: Lines,
    /// For each feature its column here and its share nⱼ/N of that column's weight; a feature without a value has none.
    features: Vec<Option<(u32, f64)>>,
}

/// How many rows, or columns, are one task for a thread.
const ROWS_PER_TASK: usize = 256;
const COLUMNS_PER_TASK: usize = 2048;

impl Design {
    /// Takes up `x`.
    ///
    /// # Errors
    /// [`Error::Shape`] if `x` has no rows, 2³² rows or features or more, or a value that is not finite.
    pub(super) fn new(x: CsMatView<'_, f64>) -> Result<Self> {
        let (n_rows, n_features) = x.shape();
        if n_rows == 0 || u32::try_from(n_rows).is_err() || u32::try_from(n_features).is_err() {
            return Err(Error::Shape {
                what: "training rows × features",
                found: format!("{n_rows} × {n_features}"),
                expected: "1 to 4294967295 rows, and no more features".into(),
            });
        }
        let by_row = if x.is_csr() { None } else { Some(x.to_csr()) };
        let x = by_row.as_ref().map_or(x, |x| x.view());
        let mut rows = Lines { ends: vec![0], ..Lines::default() };
        for (i, row) in x.outer_iterator().enumerate() {
            for (feature, &value) in row.iter() {
                if !value.is_finite() {
                    return Err(Error::Shape {
                        what: "value of a training row",
                        found: format!("{value} at row {i}, feature {feature}"),
                        expected: "a finite number".into(),
                    });
                }
                if value != 0.0 {
                    rows.places.push(feature as u32);
                    rows.values.push(value);
                }
            }
            rows.ends.push(rows.places.len());
        }
        let (columns, features) = merged(&rows.transposed(n_features));
        let rows = columns.transposed(n_rows);
        Ok(Self { rows, columns, features })
    }

    pub(super) fn n_rows(&self) -> usize {
        self.rows.ends.len() - 1
    }

    /// Columns after merging.
    pub(super) fn n_columns(&self) -> usize {
        self.columns.ends.len() - 1
    }

    /// `scores[i] = Σⱼ xᵢⱼ w[j] + w[n_columns]`, then `each(i, &mut scores[i])`, whose results are summed in order of i.
    pub(super) fn by_row<F>(&self, w: &[Block], scores: &mut [Block], each: F) -> f64
    where
        F: Fn(usize, &mut Block) -> f64 + Sync,
    {
        let (constant, w) = w.split_last().expect("the last block is the constant");
        let sums: Vec<f64> = scores
            .par_chunks_mut(ROWS_PER_TASK)
            .enumerate()
            .map(|(task, scores)| {
                let mut sum = 0.0;
                for (i, score) in (task * ROWS_PER_TASK..).zip(scores) {
                    let mut s = *constant;
                    for (column, value) in self.rows.line(i) {
                        let w = &w[column as usize];
                        for k in 0..s.len() {
                            s[k] += value * w[k];
                        }
                    }
                    *score = s;
                    sum += each(i, score);
                }
                sum
            })
            .collect();
        sums.into_iter().sum()
    }

    /// `out[j] = each(j, Σᵢ power(xᵢⱼ) r[i])` for the columns, and for the constant, whose xᵢⱼ is 1, at the end.
    pub(super) fn by_column<P, F>(&self, r: &[Block], out: &mut [Block], power: P, each: F)
    where
        P: Fn(f64) -> f64 + Sync,
        F: Fn(usize, Block) -> Block + Sync,
    {
        let (constant, out) = out.split_last_mut().expect("the last block is the constant");
        out.par_chunks_mut(COLUMNS_PER_TASK).enumerate().for_each(|(task, out)| {
            for (j, out) in (task * COLUMNS_PER_TASK..).zip(out) {
                let mut sum = Block::default();
                for (row, value) in self.columns.line(j) {
                    let (r, value) = (&r[row as usize], power(value));
                    for k in 0..sum.len() {
                        sum[k] += value * r[k];
                    }
                }
                *out = each(j, sum);
            }
        });
        let mut sum = Block::default();
        for r in r {
            for k in 0..sum.len() {
                sum[k] += r[k];
            }
        }
        *constant = each(self.n_columns(), sum);
    }

    /// The weights of the features as they were given, class by class within a feature.
    pub(super) fn unmerged(&self, w: &[Block]) -> Vec<f64> {
        let weight = |feature: &Option<(u32, f64)>| match *feature {
            Some((column, share)) => w[column as usize].map(|w| w * share),
            None => Block::default(),
        };
        self.features.iter().flat_map(weight).collect()
    }
}

/// How far two unit columns may be apart, by component, to count as one.
const SAME: f64 = 1e-13;

/// The distinct directions of `columns`, and for each column its place among them and its share.
fn merged(columns: &Lines) -> (Lines, Vec<Option<(u32, f64)>>) {
    let n = columns.ends.len() - 1;
    let norm = |j: usize| columns.parts(j).1.iter().map(|v| v * v).sum::<f64>().sqrt();
    let norms: Vec<f64> = (0..n).into_par_iter().map(norm).collect();
    // Equal keys are a hint only: the columns themselves are compared below. Rounding to 2^-32 lets columns meet that
    // differ by rounding; the few that fall on two sides of a step stay apart, which costs time and nothing else.
    let key = |j: usize| {
        let (places, values) = columns.parts(j);
        let mix = |key: u64, x: u64| (key.rotate_left(5) ^ x).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let one = |key, (&place, value): (&u32, &f64)| {
            mix(mix(key, u64::from(place)), (value / norms[j] * 2f64.powi(32)).round() as i64 as u64)
        };
        (places.iter().zip(values).fold(0, one), j as u32)
    };
    let mut keys: Vec<(u64, u32)> = (0..n).into_par_iter().filter(|&j| norms[j] > 0.0).map(key).collect();
    keys.par_sort_unstable();

    let same = |a: usize, b: usize| {
        let ((places_a, values_a), (places_b, values_b)) = (columns.parts(a), columns.parts(b));
        let close = |(x, y): (&f64, &f64)| (x / norms[a] - y / norms[b]).abs() <= SAME;
        places_a == places_b && values_a.iter().zip(values_b).all(close)
    };
    // The first column of each direction stands for it.
    let mut first = (0..n as u32).collect::<Vec<_>>();
    for group in keys.chunk_by(|a, b| a.0 == b.0) {
        let mut found: Vec<u32> = Vec::new();
        for &(_, j) in group {
            match found.iter().find(|&&f| same(f as usize, j as usize)) {
                Some(&f) => first[j as usize] = f,
                None => found.push(j),
            }
        }
    }

    let mut squares = vec![0.0; n];
    for j in 0..n {
        squares[first[j] as usize] += norms[j] * norms[j];
    }
    let mut features: Vec<Option<(u32, f64)>> = Vec::with_capacity(n);
    let mut merged = Lines { ends: vec![0], ..Lines::default() };
    for j in 0..n {
        let f = first[j] as usize;
        if norms[j] == 0.0 {
            features.push(None);
            continue;
        }
        let total = squares[f].sqrt();
        let column = if f == j {
            let (places, values) = columns.parts(j);
            let scale = total / norms[j];
            merged.places.extend_from_slice(places);
            merged.values.extend(values.iter().map(|v| v * scale));
            merged.ends.push(merged.places.len());
            (merged.ends.len() - 2) as u32
        } else {
            features[f].expect("the first of a direction comes before the others").0
        };
        features.push(Some((column, norms[j] / total)));
    }
    (merged, features)
}

#[cfg(test)]
mod tests {
    use sprs::{CsMat, TriMat};

    use super::*;

    fn matrix(rows: &[[f64; 5]]) -> CsMat<f64> {
        let mut x = TriMat::new((rows.len(), 5));
        for (i, row) in rows.iter().enumerate() {
            row.iter().enumerate().filter(|(_, v)| **v != 0.0).for_each(|(j, v)| x.add_triplet(i, j, *v));
        }
        x.to_csr()
    }

    #[test]
    fn merges_multiples_and_nothing_else() {
        // Columns 0 and 3 are multiples, 1 has another direction, 2 the opposite one, 4 is empty.
        let x = matrix(&[[1.0, 1.0, -1.0, 3.0, 0.0], [2.0, 3.0, -2.0, 6.0, 0.0]]);
        let design = Design::new(x.view()).unwrap();
        assert_eq!(design.n_columns(), 3);
        let w = [[1.0, 2.0, 3.0], [0.0; 3], [0.0; 3], [0.0; 3]];
        let wide = design.unmerged(&w);
        let (small, large) = (1.0 / 10f64.sqrt(), 3.0 / 10f64.sqrt());
        approx::assert_relative_eq!(wide[..3], [small, 2.0 * small, 3.0 * small], max_relative = 1e-14);
        approx::assert_relative_eq!(wide[9..12], [large, 2.0 * large, 3.0 * large], max_relative = 1e-14);
        assert_eq!(wide[12..], [0.0; 3]);
        // Scores and norm are those of the wide weights.
        let mut scores = [Block::default(); 2];
        design.by_row(&w, &mut scores, |_, _| 0.0);
        for (i, score) in scores.iter().enumerate() {
            for k in 0..3 {
                let wanted: f64 = (0..5).map(|j| x.get(i, j).unwrap_or(&0.0) * wide[3 * j + k]).sum();
                approx::assert_relative_eq!(score[k], wanted, max_relative = 1e-14);
            }
        }
        let norm = |w: &[f64]| w.iter().map(|w| w * w).sum::<f64>();
        approx::assert_relative_eq!(norm(&wide), norm(&w[0]), max_relative = 1e-14);
    }

    #[test]
    fn takes_csc_and_slices_as_well() {
        let x = matrix(&[[1.0, 0.0, 2.0, 0.0, 5.0], [0.0, 4.0, 0.0, 1.0, 0.0], [0.0, 3.0, 0.0, 0.0, 1.0]]);
        let sums = |x: CsMatView<'_, f64>| {
            let design = Design::new(x).unwrap();
            let mut out = vec![Block::default(); design.n_columns() + 1];
            design.by_column(&vec![[1.0; 3]; design.n_rows()], &mut out, |x| x, |_, sum| sum);
            out
        };
        assert_eq!(sums(x.view()), sums(x.to_csc().view()));
        assert_eq!(sums(x.slice_outer(1..3)).last(), Some(&[2.0; 3]));
    }

    #[test]
    fn bad_input_is_an_error() {
        assert!(Design::new(CsMat::zero((0, 3)).view()).is_err());
        for value in [f64::NAN, f64::INFINITY] {
            let error = Design::new(matrix(&[[1.0; 5], [0.0, value, 0.0, 0.0, 0.0]]).view()).unwrap_err();
            assert!(error.to_string().contains("at row 1, feature 1"), "{error}");
        }
    }
}
