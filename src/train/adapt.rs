//! A model that reads, brought to other rows: a new last layer on what its encoder reads.
//!
//! The encoder stays as it is. Its class scores become
//!
//! ```text
//! e' = A e + B h + b
//! ```
//!
//! of the scores e that it had and the hidden vector h that they were made of. A, B and b are fitted by logistic regression,
//! whose penalty on B says how far to go from what the model knew: by a strength of [`STRENGTHS`], the least whose log-loss
//! on held-out folds is within one standard error of the best (Breiman, Friedman, Olshen and Stone 1984, "Classification
//! and regression trees"). The n-grams' weight, calibration and decision are chosen anew on the held-out scores.

use rayon::prelude::*;
use sprs::CsMat;

use super::rows::Row;
use crate::error::Result;
use crate::model::encoder::{Encoder, LastLayer};
use crate::model::linear::{ABSENT_LOGIT, LogisticRegression, LogisticRegressionParams, Targets};
use crate::model::softmax;
use crate::stance::Stance;

/// What a hidden vector is multiplied by, after each of its numbers was divided by its spread. The first keeps what the model
/// knew but for A and b.
const STRENGTHS: [f64; 5] = [0.0, 0.01, 0.03, 0.1, 0.3];
/// What the scores are multiplied by: so large that the penalty hardly bears on A.
const OF_SCORES: f64 = 3.0;

/// The hidden vectors of the rows' windows, and of what a row is on the whole.
pub(super) struct Adapter<'a> {
    encoder: &'a Encoder,
    rows: &'a [Row],
    params: &'a LogisticRegressionParams,
    /// Of each window, where it could be read.
    hidden: Vec<Vec<Option<Vec<f32>>>>,
    /// The mean of each number over the windows, and what brings its spread to one.
    mean: Vec<f64>,
    scale: Vec<f64>,
    /// Of each row: the scores, then the numbers of its hidden vector, brought to mean nought and spread one.
    features: Vec<Vec<f64>>,
}

/// Scores of windows of a row, none for those that could not be read.
pub(super) type Scores = Vec<Option<[f64; 3]>>;

impl<'a> Adapter<'a> {
    /// Reads all rows, which takes most of the time.
    pub(super) fn new(encoder: &'a Encoder, rows: &'a [Row], params: &'a LogisticRegressionParams) -> Self {
        let inputs: Vec<_> = rows.iter().flat_map(|row| row.inputs.iter().cloned()).collect();
        let mut read = encoder.hidden(&inputs).into_iter();
        let hidden: Vec<Vec<Option<Vec<f32>>>> =
            rows.iter().map(|row| row.inputs.iter().map(|_| read.next().flatten()).collect()).collect();
        let (mean, scale) = spread(hidden.iter().flatten().flatten(), encoder.last.coef[0].len());
        let mut adapter = Self { encoder, rows, params, hidden, mean, scale, features: Vec::new() };
        adapter.features = (0..rows.len()).map(|i| adapter.row(i)).collect();
        adapter
    }

    /// The features of a row: the mean of those of its windows, by their weights; of no window, nought.
    fn row(&self, row: usize) -> Vec<f64> {
        let mut sum = vec![0.0; 3 + self.mean.len()];
        let mut total = 0.0;
        for (hidden, (_, weight)) in self.hidden[row].iter().zip(&self.rows[row].evidence) {
            let Some(hidden) = hidden else { continue };
            total += weight;
            let scores = self.encoder.scores(hidden);
            let numbers = hidden.iter().zip(&self.mean).zip(&self.scale).map(|((h, m), s)| (f64::from(*h) - m) * s);
            for (sum, x) in sum.iter_mut().zip(scores.into_iter().chain(numbers)) {
                *sum += weight * x;
            }
        }
        sum.into_iter().map(|x| if total > 0.0 { x / total } else { 0.0 }).collect()
    }

    fn fit(&self, rows: &[usize], strength: f64) -> Result<LogisticRegression> {
        let factor = |column: usize| if column < 3 { OF_SCORES } else { strength };
        let columns = if strength > 0.0 { 3 + self.mean.len() } else { 3 };
        let (mut indptr, mut indices, mut values) = (vec![0], Vec::new(), Vec::new());
        for &row in rows {
            for (column, x) in self.features[row][..columns].iter().enumerate() {
                indices.push(column);
                values.push(x * factor(column));
            }
            indptr.push(indices.len());
        }
        let x = CsMat::new((rows.len(), columns), indptr, indices, values);
        let labels: Vec<Stance> = rows.iter().map(|&row| self.rows[row].label).collect();
        let weights: Vec<f64> = rows.iter().map(|&row| self.rows[row].weight).collect();
        self.params.fit_rows(x.view(), Targets::Labels(&labels), Some(&weights))
    }

    /// The last layer that gives e'.
    fn layer(&self, rows: &[usize], fitted: &LogisticRegression, strength: f64) -> LastLayer {
        let (weights, constants) = (fitted.coef(), constants(fitted, rows.len()));
        let LastLayer { coef, intercept } = &self.encoder.last;
        let mean_of_classes = |of: &dyn Fn(usize) -> f32| (0..3).map(|k| f64::from(of(k))).sum::<f64>() / 3.0;
        let with_hidden = weights.ncols() > 3;
        let row = |k: usize| {
            let of_scores = |of: &dyn Fn(usize) -> f32| {
                let mean = mean_of_classes(of);
                (0..3).map(|j| weights[[k, j]] * OF_SCORES * (f64::from(of(j)) - mean)).sum::<f64>()
            };
            let direct = |i: usize| if with_hidden { weights[[k, 3 + i]] * strength * self.scale[i] } else { 0.0 };
            let constant: f64 = (0..self.mean.len()).map(|i| direct(i) * self.mean[i]).sum();
            let coef: Vec<f32> =
                (0..self.mean.len()).map(|i| (of_scores(&|j| coef[j][i]) + direct(i)) as f32).collect();
            (coef, (of_scores(&|j| intercept[j]) + constants[k] - constant) as f32)
        };
        let [a, n, o] = [0, 1, 2].map(row);
        LastLayer { coef: [a.0, n.0, o.0], intercept: [a.1, n.1, o.1] }
    }

    fn scores(&self, row: usize, layer: &LastLayer) -> Scores {
        self.hidden[row].iter().map(|hidden| Some(layer.scores(hidden.as_deref()?))).collect()
    }

    /// The scores of all rows, each by layers fitted without its fold, and the strength that was chosen so.
    ///
    /// # Errors
    /// What the solver reports.
    pub(super) fn held_out(&self, fold_of: &[usize], folds: usize) -> Result<HeldOutScores> {
        let of_strength = |&strength: &f64| -> Result<(HeldOutScores, Vec<f64>)> {
            let mut scores = vec![Vec::new(); self.rows.len()];
            let mut stopped = Vec::new();
            for fold in 0..folds {
                let (inside, outside): (Vec<usize>, Vec<usize>) =
                    (0..self.rows.len()).partition(|&row| fold_of[row] == fold);
                let fitted = self.fit(&outside, strength)?;
                stopped.extend((!fitted.converged()).then(|| fitted.n_iter()));
                let layer = self.layer(&outside, &fitted, strength);
                for row in inside {
                    scores[row] = self.scores(row, &layer);
                }
            }
            let loss = |(row, scores): (&Row, &Scores)| {
                let read: Vec<[f64; 3]> = scores.iter().map(|scores| scores.unwrap_or_default()).collect();
                -softmax(row.mean(&read))[row.label.index()].max(1e-15).ln()
            };
            let losses = self.rows.iter().zip(&scores).map(loss).collect();
            Ok((HeldOutScores { scores, strength, stopped }, losses))
        };
        let mut tried: Vec<(HeldOutScores, Vec<f64>)> = STRENGTHS.par_iter().map(of_strength).collect::<Result<_>>()?;
        let chosen = simplest(&tried.iter().map(|(_, losses)| losses.as_slice()).collect::<Vec<_>>());
        Ok(tried.swap_remove(chosen).0)
    }

    /// The encoder with a last layer fitted to all rows, and the steps of the fit if it did not converge.
    ///
    /// # Errors
    /// What the solver reports.
    pub(super) fn finish(&self, strength: f64) -> Result<(Encoder, Option<u64>)> {
        let all: Vec<usize> = (0..self.rows.len()).collect();
        let fitted = self.fit(&all, strength)?;
        let last = self.layer(&all, &fitted, strength);
        Ok((Encoder { last, ..self.encoder.clone() }, (!fitted.converged()).then(|| fitted.n_iter())))
    }
}

/// What layers that were fitted without a row's fold say of it.
pub(super) struct HeldOutScores {
    pub scores: Vec<Scores>,
    pub strength: f64,
    /// The steps of the fits that did not converge.
    pub stopped: Vec<u64>,
}

/// The constants of a fit to `rows` rows. A class that none of them has gets the constant of half a row: beyond all measure,
/// as the fit has it, it would outweigh every other score when these are calibrated.
fn constants(fitted: &LogisticRegression, rows: usize) -> [f64; 3] {
    let constants = fitted.intercept();
    let present: Vec<f64> = constants.iter().copied().filter(|b| *b > ABSENT_LOGIT / 2.0).collect();
    let mean = present.iter().sum::<f64>() / present.len().max(1) as f64;
    constants.map(|b| if b > ABSENT_LOGIT / 2.0 { b } else { mean + (0.5 / rows as f64).ln() })
}

/// The least spread that is taken for one, of the median.
const LEAST_SPREAD: f64 = 0.1;

/// The mean of each number, and one over its standard deviation, or nought where none varies.
fn spread<'h>(vectors: impl Iterator<Item = &'h Vec<f32>>, size: usize) -> (Vec<f64>, Vec<f64>) {
    let (mut n, mut sums, mut squares) = (0.0, vec![0.0; size], vec![0.0; size]);
    for vector in vectors {
        n += 1.0;
        for (i, x) in vector.iter().enumerate() {
            sums[i] += f64::from(*x);
            squares[i] += f64::from(*x) * f64::from(*x);
        }
    }
    let mean: Vec<f64> = sums.iter().map(|sum| sum / f64::max(n, 1.0)).collect();
    let of = |(square, mean): (&f64, &f64)| (square / f64::max(n, 1.0) - mean * mean).max(0.0).sqrt();
    let deviations: Vec<f64> = squares.iter().zip(&mean).map(of).collect();
    // A number that hardly varies in these rows may vary in others.
    let mut sorted = deviations.clone();
    sorted.sort_by(f64::total_cmp);
    let floor = LEAST_SPREAD * sorted.get(size / 2).copied().unwrap_or_default();
    let scale = deviations.iter().map(|d| d.max(floor)).map(|d| if d > 1e-6 { 1.0 / d } else { 0.0 }).collect();
    (mean, scale)
}

/// The first of some losses, row by row, whose mean is within one standard error of the least: of their difference.
fn simplest(losses: &[&[f64]]) -> usize {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let best = (0..losses.len()).min_by(|&a, &b| mean(losses[a]).total_cmp(&mean(losses[b]))).unwrap_or(0);
    let within = |candidate: &&[f64]| {
        let differences: Vec<f64> = candidate.iter().zip(losses[best]).map(|(a, b)| a - b).collect();
        let (n, mean) = (differences.len() as f64, mean(&differences));
        let variance = differences.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
        mean <= (variance / n).sqrt()
    };
    losses.iter().position(within).unwrap_or(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_simplest_within_one_standard_error_is_taken() {
        // Differences from the best: mean 0.5, standard deviation 1, so a standard error of 0.5 of four rows.
        assert_eq!(simplest(&[&[1.0, 1.0, 2.0, 0.0], &[0.0, 1.0, 0.0, 1.0], &[0.5; 4]]), 0);
        assert_eq!(simplest(&[&[1.0, 1.0, 1.0, 1.1], &[0.0, 0.1, 0.0, 0.1]]), 1);
        assert_eq!(simplest(&[&[1.0], &[0.5]]), 1);
    }

    #[test]
    fn spread_is_that_of_the_numbers() {
        let (mean, scale) = spread([vec![1.0, 5.0, 0.0], vec![3.0, 5.0, 8.0]].iter(), 3);
        assert_eq!((mean, scale), (vec![2.0, 5.0, 4.0], vec![1.0, 10.0, 0.25]));
    }
}
