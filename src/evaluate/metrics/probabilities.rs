//! What looks at probabilities: losses and calibration.

use serde::{Deserialize, Serialize};

use super::{PerClass, check_probabilities, quantile};
use crate::{Result, Stance};

/// −ln p of the true class for each row, with p clipped to [ε, 1 − ε], ε = 2.2e-16, as scikit-learn clips.
///
/// # Errors
/// [`Error::Shape`](crate::Error::Shape) for no rows, lengths that differ, or probabilities that are negative or don't sum to 1.
pub fn log_losses(y_true: &[Stance], probabilities: &[PerClass]) -> Result<Vec<f64>> {
    check_probabilities(y_true, probabilities)?;
    let loss = |(y, p): (&Stance, &PerClass)| -p[y.index()].clamp(f64::EPSILON, 1.0 - f64::EPSILON).ln();
    Ok(y_true.iter().zip(probabilities).map(loss).collect())
}

/// Σₖ (pₖ − 1 if k is true else pₖ)² for each row, 0 to 2.
///
/// # Errors
/// As [`log_losses`].
pub fn brier_losses(y_true: &[Stance], probabilities: &[PerClass]) -> Result<Vec<f64>> {
    check_probabilities(y_true, probabilities)?;
    let loss = |(y, p): (&Stance, &PerClass)| {
        Stance::ALL.iter().map(|k| (p[k.index()] - f64::from(u8::from(k == y))).powi(2)).sum()
    };
    Ok(y_true.iter().zip(probabilities).map(loss).collect())
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The mean of −ln p of the true class, 0 to 36.04 (p is clipped at 2.2e-16); ln 3 = 1.0986 for even probabilities.
///
/// # Errors
/// As [`log_losses`].
pub fn log_loss(y_true: &[Stance], probabilities: &[PerClass]) -> Result<f64> {
    Ok(mean(&log_losses(y_true, probabilities)?))
}

/// Brier's score in its original form for several classes: the mean over rows of the sum over classes of (p − truth)²,
/// 0 to 2; 2/3 for even probabilities. scikit-learn's `brier_score_loss` takes one class against the rest; the sum of
/// its three values is this.
///
/// # Errors
/// As [`log_losses`].
pub fn brier_score_loss(y_true: &[Stance], probabilities: &[PerClass]) -> Result<f64> {
    Ok(mean(&brier_losses(y_true, probabilities)?))
}

/// How [`expected_calibration_error`] cuts the rows into ten bins by their highest probability. A row on an edge is in
/// the lower bin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Bins {
    /// Edges 0, 0.1, … 1.
    #[default]
    EqualWidth,
    /// Edges at the deciles of the highest probability (linear between rows, as numpy's `percentile`), so that bins
    /// have equally many rows as far as ties allow.
    EqualMass,
}

const N_BINS: usize = 10;

/// One bar of a reliability diagram.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct ReliabilityBin {
    /// Rows in the bin.
    pub n: usize,
    /// The mean of their highest probabilities.
    pub confidence: f64,
    /// The share of them that is right.
    pub accuracy: f64,
}

/// The bins that have rows, by rising confidence.
///
/// # Errors
/// As [`log_losses`].
pub fn reliability_bins(y_true: &[Stance], probabilities: &[PerClass], bins: Bins) -> Result<Vec<ReliabilityBin>> {
    check_probabilities(y_true, probabilities)?;
    let top: Vec<f64> = probabilities.iter().map(|p| p[Stance::argmax(p).index()]).collect();
    let share = |i: usize| i as f64 / N_BINS as f64;
    let edges: Vec<f64> = match bins {
        Bins::EqualWidth => (1..N_BINS).map(share).collect(),
        Bins::EqualMass => {
            let mut sorted = top.clone();
            sorted.sort_by(f64::total_cmp);
            (1..N_BINS).map(|i| quantile(&sorted, share(i))).collect()
        }
    };
    let mut sums = [ReliabilityBin::default(); N_BINS];
    for ((y, p), top) in y_true.iter().zip(probabilities).zip(&top) {
        let bin = &mut sums[edges.partition_point(|edge| edge < top)];
        bin.n += 1;
        bin.confidence += top;
        bin.accuracy += f64::from(u8::from(Stance::argmax(p) == *y));
    }
    let mean = |bin: &ReliabilityBin| {
        let n = bin.n as f64;
        ReliabilityBin { n: bin.n, confidence: bin.confidence / n, accuracy: bin.accuracy / n }
    };
    Ok(sums.iter().filter(|bin| bin.n > 0).map(mean).collect())
}

/// The expected calibration error (Naeini, Cooper and Hauskrecht 2015; Guo et al. 2017): over ten bins of rows by their
/// highest probability, the mean of |share that is right − mean probability|, weighted by the bins' rows; 0 to 1.
///
/// # Errors
/// As [`log_losses`].
pub fn expected_calibration_error(y_true: &[Stance], probabilities: &[PerClass], bins: Bins) -> Result<f64> {
    let bins = reliability_bins(y_true, probabilities, bins)?;
    let gap = |bin: &ReliabilityBin| bin.n as f64 * (bin.accuracy - bin.confidence).abs();
    Ok(bins.iter().map(gap).sum::<f64>() / y_true.len() as f64)
}
