//! What looks at the order that the probabilities of a class put the rows in.

use super::{PerClass, check_probabilities};
use crate::{Result, Stance};

/// The rows by falling probability of `class`, as steps `(true, false)` of rows with equal probability.
fn steps(y_true: &[Stance], probabilities: &[PerClass], class: Stance) -> Vec<(f64, f64)> {
    let mut rows: Vec<(f64, bool)> =
        y_true.iter().zip(probabilities).map(|(y, p)| (p[class.index()], *y == class)).collect();
    rows.sort_by(|a, b| b.0.total_cmp(&a.0));
    let count = |step: &[(f64, bool)], wanted| step.iter().filter(|row| row.1 == wanted).count() as f64;
    rows.chunk_by(|a, b| a.0 == b.0).map(|step| (count(step, true), count(step, false))).collect()
}

/// The measure of each class that has rows, and rows of others to tell them from.
fn one_vs_rest(
    y_true: &[Stance],
    probabilities: &[PerClass],
    measure: impl Fn(&[(f64, f64)], f64, f64) -> f64,
) -> Result<[Option<f64>; Stance::COUNT]> {
    check_probabilities(y_true, probabilities)?;
    Ok(Stance::ALL.map(|class| {
        let positive = y_true.iter().filter(|y| **y == class).count() as f64;
        let negative = y_true.len() as f64 - positive;
        let defined = positive > 0.0 && negative > 0.0;
        defined.then(|| measure(&steps(y_true, probabilities, class), positive, negative))
    }))
}

/// For each class the chance that a row of it has a higher probability of it than a row of another class, ties half;
/// 0 to 1, 0.5 by chance. `None` where the class has no rows, or all.
///
/// # Errors
/// As [`log_losses`](super::log_losses).
pub fn roc_auc_score(y_true: &[Stance], probabilities: &[PerClass]) -> Result<[Option<f64>; Stance::COUNT]> {
    one_vs_rest(y_true, probabilities, |steps, positive, negative| {
        let mut above = 0.0;
        let mut area = 0.0;
        for (t, f) in steps {
            area += f * (above + t / 2.0);
            above += t;
        }
        area / (positive * negative)
    })
}

/// For each class the average precision Σ (Rₙ − Rₙ₋₁) Pₙ over the thresholds, 0 to 1; the class's share by chance.
/// `None` as [`roc_auc_score`].
///
/// # Errors
/// As [`log_losses`](super::log_losses).
pub fn average_precision_score(y_true: &[Stance], probabilities: &[PerClass]) -> Result<[Option<f64>; Stance::COUNT]> {
    one_vs_rest(y_true, probabilities, |steps, positive, _| {
        let (mut above_true, mut above) = (0.0, 0.0);
        let mut sum = 0.0;
        for (t, f) in steps {
            above_true += t;
            above += t + f;
            sum += t / positive * above_true / above;
        }
        sum
    })
}
