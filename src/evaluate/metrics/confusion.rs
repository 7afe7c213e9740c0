//! What counts labels alone: the confusion matrix and the scores that are made of it.

use serde::{Deserialize, Serialize};

use super::{PerClass, check_lengths, check_weights};
use crate::data::agreement::kappa;
use crate::{Result, Stance};

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
    /// [`Error::Shape`](crate::Error::Shape) for no rows, lengths that differ, or a weight that is negative or not finite.
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
        kappa(Stance::COUNT, |i, j| self.0[i][j], disagreement)
    }
}

/// `a / b`, and 0 for 0/0.
fn ratio(a: f64, b: f64) -> f64 {
    if b == 0.0 { 0.0 } else { a / b }
}

/// The functions of true and predicted labels, each by the method of [`ConfusionMatrix`] that it names.
macro_rules! label_metrics {
    ($($(#[$doc:meta])* $name:ident = $method:ident;)*) => {$(
        $(#[$doc])*
        ///
        /// # Errors
        /// [`Error::Shape`](crate::Error::Shape) for no rows or lengths that differ.
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
/// [`Error::Shape`](crate::Error::Shape) for no rows or lengths that differ.
pub fn confusion_matrix(y_true: &[Stance], y_pred: &[Stance]) -> Result<ConfusionMatrix> {
    ConfusionMatrix::new(y_true, y_pred, None)
}

/// Precision, recall, F1 and support of each class; 0 for 0/0.
///
/// # Errors
/// [`Error::Shape`](crate::Error::Shape) for no rows or lengths that differ.
pub fn precision_recall_f1_support(y_true: &[Stance], y_pred: &[Stance]) -> Result<[ClassScores; Stance::COUNT]> {
    Ok(ConfusionMatrix::new(y_true, y_pred, None)?.per_class())
}
