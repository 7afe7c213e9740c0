//! Scores of predictions, as scikit-learn defines them.
//!
//! Every function takes what is true first and what was predicted second. `*_score` is better when higher, `*_loss` and
//! `*_error` when lower. What counts labels alone can also be had from a [`ConfusionMatrix`], where rows may have
//! weights; what a row adds to a mean is given by [`log_losses`] and [`brier_losses`].
//!
//! **Empty classes.** A ratio 0/0 is 0, scikit-learn's `zero_division` of 0. Macro means are over the classes that are
//! true or predicted at least once, as scikit-learn's are by default, and [`balanced_accuracy_score`] is over those that
//! are true at least once. Where there is nothing to rank or nothing left to chance, the measure has no value, and the
//! function says so in its type or gives NaN.
//!
//! ```
//! use detente::Stance::{Aligned, Neutral, Opposed};
//! use detente::evaluate::metrics::{accuracy_score, f1_macro_score};
//!
//! let (y_true, y_pred) = ([Aligned, Neutral, Neutral, Opposed], [Aligned, Neutral, Opposed, Opposed]);
//! assert_eq!(accuracy_score(&y_true, &y_pred)?, 0.75);
//! assert!((f1_macro_score(&y_true, &y_pred)? - (1.0 + 2.0 / 3.0 + 2.0 / 3.0) / 3.0).abs() < 1e-15);
//! # Ok::<(), detente::Error>(())
//! ```

mod confusion;
mod probabilities;
mod ranking;
mod share;

pub use confusion::{
    ClassScores, ConfusionMatrix, accuracy_score, balanced_accuracy_score, cohen_kappa_score, confusion_matrix,
    f_avg_score, f1_macro_score, f1_micro_score, f1_weighted_score, matthews_corrcoef, precision_recall_f1_support,
    quadratic_kappa_score,
};
pub use probabilities::{
    Bins, ReliabilityBin, brier_losses, brier_score_loss, expected_calibration_error, log_loss, log_losses,
    reliability_bins,
};
pub use ranking::{average_precision_score, roc_auc_score};
pub use share::wilson;

use crate::{Error, Result, Stance};

/// Which way a metric is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// A score.
    HigherIsBetter,
    /// A loss or an error.
    LowerIsBetter,
}

impl Direction {
    /// Whether `value` is as good as `bar`, or better. NaN reaches nothing.
    pub fn reaches(self, value: f64, bar: f64) -> bool {
        match self {
            Self::HigherIsBetter => value >= bar,
            Self::LowerIsBetter => value <= bar,
        }
    }

    /// Where a value lies that misses its bar: `below` or `above`.
    pub fn missed(self) -> &'static str {
        match self {
            Self::HigherIsBetter => "below",
            Self::LowerIsBetter => "above",
        }
    }
}

impl std::fmt::Display for Direction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::HigherIsBetter => "higher is better",
            Self::LowerIsBetter => "lower is better",
        })
    }
}

/// A metric of the evaluation record.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Metric {
    /// Its field in the record.
    pub name: &'static str,
    /// Which way it is better.
    pub direction: Direction,
    /// The least and the greatest value that it can have.
    pub range: [f64; 2],
}

/// The metrics of the evaluation record, in its order.
pub const METRICS: &[Metric] = {
    use Direction::{HigherIsBetter, LowerIsBetter};
    const fn metric(name: &'static str, direction: Direction, range: [f64; 2]) -> Metric {
        Metric { name, direction, range }
    }
    &[
        metric("macro_f1", HigherIsBetter, [0.0, 1.0]),
        metric("f_avg", HigherIsBetter, [0.0, 1.0]),
        metric("accuracy", HigherIsBetter, [0.0, 1.0]),
        metric("balanced_accuracy", HigherIsBetter, [0.0, 1.0]),
        metric("mcc", HigherIsBetter, [-1.0, 1.0]),
        metric("cohen_kappa", HigherIsBetter, [-1.0, 1.0]),
        metric("log_loss", LowerIsBetter, [0.0, f64::INFINITY]),
        metric("brier", LowerIsBetter, [0.0, 2.0]),
        metric("ece", LowerIsBetter, [0.0, 1.0]),
        metric("aurc", LowerIsBetter, [0.0, 1.0]),
    ]
};

/// One number a class, in the order aligned, neutral, opposed.
pub type PerClass = [f64; Stance::COUNT];

fn check_lengths(what: &'static str, found: usize, wanted: usize) -> Result<()> {
    if wanted == 0 {
        let (found, expected) = ("none".into(), "at least one row".into());
        return Err(Error::Shape { what: "true labels", found, expected });
    }
    if found != wanted {
        let expected = format!("{wanted}, one per true label");
        return Err(Error::Shape { what, found: found.to_string(), expected });
    }
    Ok(())
}

fn check_weights(weights: &[f64], wanted: usize) -> Result<()> {
    check_lengths("sample weights", weights.len(), wanted)?;
    match weights.iter().position(|w| !(*w >= 0.0 && w.is_finite())) {
        None => Ok(()),
        Some(row) => Err(Error::Shape {
            what: "sample weight",
            found: format!("{} in row {row}", weights[row]),
            expected: "a finite number of at least 0".into(),
        }),
    }
}

fn check_probabilities(y_true: &[Stance], probabilities: &[PerClass]) -> Result<()> {
    check_lengths("rows of probabilities", probabilities.len(), y_true.len())?;
    // Written so that NaN fails.
    let proper = |p: &PerClass| p.iter().all(|p| *p >= 0.0) && (p.iter().sum::<f64>() - 1.0).abs() <= 1e-6;
    match probabilities.iter().position(|p| !proper(p)) {
        None => Ok(()),
        Some(row) => {
            let [a, n, o] = probabilities[row];
            Err(Error::Shape {
                what: "probabilities",
                found: format!("{a}, {n}, {o} in row {row}"),
                expected: "three numbers of at least 0 that sum to 1 (to 1e-6)".into(),
            })
        }
    }
}

/// The value below which a share `q` of the ascending `sorted` lies, linear between neighbours.
pub(crate) fn quantile(sorted: &[f64], q: f64) -> f64 {
    let place = q.clamp(0.0, 1.0) * (sorted.len() - 1) as f64;
    let (below, rest) = (place.floor() as usize, place.fract());
    let above = sorted[(below + 1).min(sorted.len() - 1)];
    // As numpy's linear interpolation rounds: from the nearer end, so that equal neighbours give their very value.
    let step = above - sorted[below];
    if rest >= 0.5 { above - step * (1.0 - rest) } else { sorted[below] + step * rest }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Stance::{Aligned, Neutral, Opposed};

    #[test]
    fn by_hand() {
        let y_true = [Aligned, Aligned, Neutral, Neutral, Neutral, Opposed];
        let y_pred = [Aligned, Neutral, Neutral, Neutral, Opposed, Neutral];
        let matrix = confusion_matrix(&y_true, &y_pred).unwrap();
        assert_eq!(matrix.0, [[1.0, 1.0, 0.0], [0.0, 2.0, 1.0], [0.0, 1.0, 0.0]]);
        let [aligned, neutral, opposed] = precision_recall_f1_support(&y_true, &y_pred).unwrap();
        assert_eq!(aligned, ClassScores { precision: 1.0, recall: 0.5, f1: 2.0 / 3.0, support: 2.0 });
        assert_eq!(neutral, ClassScores { precision: 0.5, recall: 2.0 / 3.0, f1: 4.0 / 7.0, support: 3.0 });
        assert_eq!(opposed, ClassScores { precision: 0.0, recall: 0.0, f1: 0.0, support: 1.0 });
        assert_eq!(f_avg_score(&y_true, &y_pred).unwrap(), 1.0 / 3.0);
    }

    #[test]
    fn weights_are_repeated_rows() {
        let (y_true, y_pred) = ([Aligned, Neutral, Opposed], [Aligned, Opposed, Opposed]);
        let weighted = ConfusionMatrix::new(&y_true, &y_pred, Some(&[2.0, 1.0, 0.0])).unwrap();
        let repeated = confusion_matrix(&[Aligned, Aligned, Neutral], &[Aligned, Aligned, Opposed]).unwrap();
        assert_eq!(weighted, repeated);
        assert_eq!(weighted.f1_macro(), repeated.f1_macro());
    }

    #[test]
    fn bins_take_their_upper_edge() {
        let p = [[0.4, 0.3, 0.3], [0.35, 0.4, 0.25], [0.41, 0.3, 0.29]];
        let bins = reliability_bins(&[Aligned; 3], &p, Bins::EqualWidth).unwrap();
        assert_eq!(bins.iter().map(|b| (b.n, b.accuracy)).collect::<Vec<_>>(), [(2, 0.5), (1, 1.0)]);
        let ece = expected_calibration_error(&[Aligned; 3], &p, Bins::EqualWidth).unwrap();
        assert!((ece - (2.0 * 0.1 + 0.59) / 3.0).abs() < 1e-15);
    }

    #[test]
    fn bad_input_is_an_error() {
        let shape = |r: Result<f64>| matches!(r, Err(Error::Shape { .. }));
        assert!(shape(accuracy_score(&[], &[])));
        assert!(shape(f1_macro_score(&[Neutral], &[Neutral, Neutral])));
        assert!(ConfusionMatrix::new(&[Neutral], &[Neutral], Some(&[])).is_err());
        assert!(ConfusionMatrix::new(&[Neutral], &[Neutral], Some(&[f64::NAN])).is_err());
        type OfProbabilities = fn(&[Stance], &[PerClass]) -> Result<f64>;
        let functions: [OfProbabilities; 5] = [
            log_loss,
            brier_score_loss,
            |y, p| expected_calibration_error(y, p, Bins::EqualMass),
            |y, p| roc_auc_score(y, p).map(|_| 0.0),
            |y, p| average_precision_score(y, p).map(|_| 0.0),
        ];
        for f in functions {
            assert!(shape(f(&[], &[])));
            assert!(shape(f(&[Neutral], &[])));
            for p in [[0.5, 0.5, 0.5], [1.5, -0.5, 0.0], [f64::NAN, 0.5, 0.5], [f64::INFINITY, 0.0, 0.0]] {
                assert!(shape(f(&[Neutral], &[p])));
            }
        }
    }
}
