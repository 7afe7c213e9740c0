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

use serde::{Deserialize, Serialize};

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
    ]
};

/// One number a class, in the order aligned, neutral, opposed.
pub type PerClass = [f64; Stance::COUNT];

/// How often class i (row) was predicted as class j (column), or the weight of these rows.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConfusionMatrix(pub [PerClass; Stance::COUNT]);

/// The three measures of one class, and its rows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ClassScores {
    /// Of the rows predicted as the class, the share that is; 0 if none is predicted.
    pub precision: f64,
    /// Of the rows of the class, the share predicted so; 0 if there are none.
    pub recall: f64,
    /// 2·precision·recall / (precision + recall) = 2·tp / (2·tp + fp + fn); 0 if the class is nowhere.
    pub f1: f64,
    /// How many rows are of the class, or their weight.
    pub support: f64,
}

impl ConfusionMatrix {
    /// Counts `y_true` against `y_pred`, each row with its weight in `sample_weight` if given.
    ///
    /// # Errors
    /// [`Error::Shape`] for no rows, lengths that differ, or a weight that is negative or not finite.
    pub fn new(y_true: &[Stance], y_pred: &[Stance], sample_weight: Option<&[f64]>) -> Result<Self> {
        check_lengths("predicted labels", y_pred.len(), y_true.len())?;
        let mut matrix = Self::default();
        let pairs = y_true.iter().zip(y_pred).map(|(t, p)| (t.index(), p.index()));
        match sample_weight {
            None => pairs.for_each(|(t, p)| matrix.0[t][p] += 1.0),
            Some(weights) => {
                check_weights(weights, y_true.len())?;
                pairs.zip(weights).for_each(|((t, p), w)| matrix.0[t][p] += w);
            }
        }
        Ok(matrix)
    }

    /// How often each class is true.
    pub fn true_sums(&self) -> PerClass {
        self.0.map(|row| row.iter().sum())
    }

    /// How often each class is predicted.
    pub fn predicted_sums(&self) -> PerClass {
        [0, 1, 2].map(|k| self.0.iter().map(|row| row[k]).sum())
    }

    /// How many rows there are, or their weight.
    pub fn total(&self) -> f64 {
        self.true_sums().iter().sum()
    }

    fn right(&self) -> f64 {
        (0..Stance::COUNT).map(|k| self.0[k][k]).sum()
    }

    /// Precision, recall, F1 and support of each class.
    pub fn per_class(&self) -> [ClassScores; Stance::COUNT] {
        let (is, said) = (self.true_sums(), self.predicted_sums());
        [0, 1, 2].map(|k| {
            let right = self.0[k][k];
            ClassScores {
                precision: ratio(right, said[k]),
                recall: ratio(right, is[k]),
                f1: ratio(2.0 * right, is[k] + said[k]),
                support: is[k],
            }
        })
    }

    /// The mean of `measure` over the classes that are true or predicted.
    pub fn macro_mean(&self, measure: impl Fn(&ClassScores) -> f64) -> f64 {
        let (is, said) = (self.true_sums(), self.predicted_sums());
        let classes = self.per_class();
        let present = (0..Stance::COUNT).filter(|&k| is[k] + said[k] > 0.0);
        let (sum, n) = present.fold((0.0, 0.0), |(sum, n), k| (sum + measure(&classes[k]), n + 1.0));
        ratio(sum, n)
    }

    /// The mean of `measure` over the classes, each with its support as weight.
    pub fn weighted_mean(&self, measure: impl Fn(&ClassScores) -> f64) -> f64 {
        ratio(self.per_class().iter().map(|c| measure(c) * c.support).sum(), self.total())
    }

    /// See [`accuracy_score`].
    pub fn accuracy(&self) -> f64 {
        ratio(self.right(), self.total())
    }

    /// See [`balanced_accuracy_score`].
    pub fn balanced_accuracy(&self) -> f64 {
        let classes = self.per_class();
        let present: Vec<f64> = classes.iter().filter(|c| c.support > 0.0).map(|c| c.recall).collect();
        ratio(present.iter().sum(), present.len() as f64)
    }

    /// See [`f1_macro_score`].
    pub fn f1_macro(&self) -> f64 {
        self.macro_mean(|class| class.f1)
    }

    /// See [`f1_weighted_score`].
    pub fn f1_weighted(&self) -> f64 {
        self.weighted_mean(|class| class.f1)
    }

    /// See [`f_avg_score`].
    pub fn f_avg(&self) -> f64 {
        let classes = self.per_class();
        (classes[Stance::Aligned.index()].f1 + classes[Stance::Opposed.index()].f1) / 2.0
    }

    /// See [`matthews_corrcoef`].
    pub fn matthews_corrcoef(&self) -> f64 {
        let (is, said, n) = (self.true_sums(), self.predicted_sums(), self.total());
        let product = |a: &PerClass, b: &PerClass| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let variances = (n * n - product(&said, &said)) * (n * n - product(&is, &is));
        if variances > 0.0 { (self.right() * n - product(&is, &said)) / variances.sqrt() } else { 0.0 }
    }

    /// See [`cohen_kappa_score`].
    pub fn cohen_kappa(&self) -> f64 {
        self.kappa(|i, j| f64::from(u8::from(i != j)))
    }

    /// See [`quadratic_kappa_score`].
    pub fn quadratic_kappa(&self) -> f64 {
        self.kappa(|i, j| (i as f64 - j as f64).powi(2))
    }

    fn kappa(&self, disagreement: impl Fn(usize, usize) -> f64) -> f64 {
        let (is, said, n) = (self.true_sums(), self.predicted_sums(), self.total());
        let (mut observed, mut expected) = (0.0, 0.0);
        for (i, row) in self.0.iter().enumerate() {
            for (j, cell) in row.iter().enumerate() {
                observed += disagreement(i, j) * cell;
                expected += disagreement(i, j) * is[i] * said[j] / n;
            }
        }
        1.0 - observed / expected
    }
}

/// `a / b`, and 0 for 0/0.
fn ratio(a: f64, b: f64) -> f64 {
    if b == 0.0 { 0.0 } else { a / b }
}

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

/// The functions of true and predicted labels, each by the method of [`ConfusionMatrix`] that it names.
macro_rules! label_metrics {
    ($($(#[$doc:meta])* $name:ident = $method:ident;)*) => {$(
        $(#[$doc])*
        ///
        /// # Errors
        /// [`Error::Shape`] for no rows or lengths that differ.
        pub fn $name(y_true: &[Stance], y_pred: &[Stance]) -> Result<f64> {
            Ok(ConfusionMatrix::new(y_true, y_pred, None)?.$method())
        }
    )*};
}

label_metrics! {
    /// The share of rows that are right, 0 to 1. High for whoever always says the commonest class.
    accuracy_score = accuracy;
    /// The mean recall of the classes that are true at least once, 0 to 1; 1/3 by guessing.
    balanced_accuracy_score = balanced_accuracy;
    /// The mean F1 of the classes that are true or predicted, 0 to 1: every class counts the same, however rare.
    f1_macro_score = f1_macro;
    /// F1 of all decisions together, 0 to 1; with one label a row that is the accuracy.
    f1_micro_score = accuracy;
    /// The mean F1 of the classes, weighted by their rows, 0 to 1.
    f1_weighted_score = f1_weighted;
    /// The mean F1 of aligned and opposed, 0 to 1: what the stance literature reports (SemEval 2016 task 6). It leaves
    /// the F1 of neutral out, so it forgives what is wrongly called neutral less than it seems: whoever never says
    /// neutral loses only precision. Read it beside the macro F1.
    f_avg_score = f_avg;
    /// Matthews' correlation of truth and prediction for several classes (Gorodkin 2004), −1 to 1; 0 by chance, and 0
    /// where either is the same in all rows.
    matthews_corrcoef = matthews_corrcoef;
    /// Cohen's κ = 1 − observed / expected disagreement, −1 to 1; 0 by chance, NaN where truth and prediction are one
    /// and the same class in all rows.
    cohen_kappa_score = cohen_kappa;
    /// Cohen's κ on the scale aligned < neutral < opposed, where aligned for opposed is four times as wrong as neutral
    /// for opposed ((i − j)²); NaN as [`cohen_kappa_score`].
    quadratic_kappa_score = quadratic_kappa;
}

/// How often class i (row) was predicted as class j (column).
///
/// # Errors
/// [`Error::Shape`] for no rows or lengths that differ.
pub fn confusion_matrix(y_true: &[Stance], y_pred: &[Stance]) -> Result<ConfusionMatrix> {
    ConfusionMatrix::new(y_true, y_pred, None)
}

/// Precision, recall, F1 and support of each class; 0 for 0/0.
///
/// # Errors
/// [`Error::Shape`] for no rows or lengths that differ.
pub fn precision_recall_f1_support(y_true: &[Stance], y_pred: &[Stance]) -> Result<[ClassScores; Stance::COUNT]> {
    Ok(ConfusionMatrix::new(y_true, y_pred, None)?.per_class())
}

/// −ln p of the true class for each row, with p clipped to [ε, 1 − ε], ε = 2.2e-16, as scikit-learn clips.
///
/// # Errors
/// [`Error::Shape`] for no rows, lengths that differ, or probabilities that are negative or don't sum to 1.
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

/// The value below which a share `q` of the ascending `sorted` lies, linear between neighbours.
pub(super) fn quantile(sorted: &[f64], q: f64) -> f64 {
    let place = q.clamp(0.0, 1.0) * (sorted.len() - 1) as f64;
    let (below, rest) = (place.floor() as usize, place.fract());
    let above = sorted[(below + 1).min(sorted.len() - 1)];
    // As numpy's linear interpolation rounds: from the nearer end, so that equal neighbours give their very value.
    let step = above - sorted[below];
    if rest >= 0.5 { above - step * (1.0 - rest) } else { sorted[below] + step * rest }
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
/// As [`log_losses`].
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
/// As [`log_losses`].
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
