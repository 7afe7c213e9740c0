//! Scores whose probabilities mean what they say: vector scaling, fitted by linfa-logistic.
//!
//! A classifier that is right in 70 % of the cases where it says 90 % has useful scores and wrong probabilities. Vector
//! scaling (Guo, Pleiss, Sun and Weinberger 2017, "On calibration of modern neural networks") takes
//!
//! ```text
//! p = softmax(w ∘ z + b)
//! ```
//!
//! with one scale and one constant a class, fitted on scores z of rows that the classifier was not fitted on
//! (out-of-fold scores). It stays linear in the scores, so what each feature and each sentence adds to a score, times
//! the scale, still adds up.
//!
//! **The fit.** linfa's multinomial model would give a full 3 × 3 matrix in place of w, which mixes the classes and
//! overfits (Guo et al. call it matrix scaling). But of two classes y and l, ln p_y/p_l = (w_y z_y + b_y) − (w_l z_l +
//! b_l), which is linear in w and b. So each row of class y gives two examples of a two-class model without constant,
//! one for each other class l, with the six features z_y e_y − z_l e_l and e_y − e_l; linfa's binary
//! `LogisticRegression` fits it, and its six weights are w and b. Its objective is the pairwise conditional likelihood
//! Π P(y | y or l) in place of the likelihood: its maximum too is the truth where vector scaling is true (Begg and Gray
//! 1984; Lindsay 1988 on composite likelihoods). Where it is not, as on out-of-fold scores of 26,220 pairs of the
//! directed-sentiment corpus, its log-loss was 0.44928 (the least possible of vector scaling 0.44924, of linfa's full
//! matrix 0.44920, of one scale for all classes with constants 0.46207, uncalibrated 0.47851).
//!
//! linfa-logistic takes no row weights, so neither does this: pass the rows whose probabilities should be right.

use linfa::traits::Fit;
use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

use crate::model::softmax;
use crate::{Error, Result, Stance};

/// The fewest rows that one scale is fitted to.
const MIN_ROWS: usize = 10;
/// The fewest rows of a class that a scale and a constant of its own are fitted to: with fewer, six numbers are noise.
const MIN_ROWS_OF_CLASS: usize = 50;
/// The most that a scale may be of another: beyond that a class is hardly seen.
const MAX_RATIO: f64 = 10.0;
/// The penalty ½·ALPHA·(‖w‖² + ‖b‖²) against a sum over rows: it matters only where the scores separate the classes.
const ALPHA: f64 = 0.01;

/// One scale and one constant a class, in the order aligned, neutral, opposed.
///
/// ```
/// use detente::model::head::Calibration;
/// let calibration = Calibration { scale: [0.5, 0.5, 0.5], bias: [0.0, 0.25, 0.0] };
/// assert_eq!(calibration.apply([2.0, 0.0, -2.0]), [1.0, 0.25, -1.0]);
/// assert!(calibration.probabilities([2.0, 0.0, -2.0])[0] < Calibration::IDENTITY.probabilities([2.0, 0.0, -2.0])[0]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// What the scores are multiplied by.
    pub scale: [f64; Stance::COUNT],
    /// What is added then.
    pub bias: [f64; Stance::COUNT],
}

impl Default for Calibration {
    fn default() -> Self {
        Self::IDENTITY
    }
}

/// How much of a calibration the rows could carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CalibrationMethod {
    /// One scale and one constant a class.
    VectorScaling,
    /// One scale for all.
    Temperature,
    /// Scores as they are.
    None,
}

impl std::fmt::Display for CalibrationMethod {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::VectorScaling => "vector scaling",
            Self::Temperature => "one temperature",
            Self::None => "none",
        })
    }
}

impl Calibration {
    /// Scores as they are.
    pub const IDENTITY: Self = Self { scale: [1.0; 3], bias: [0.0; 3] };

    /// Fits scale and constants to `logits` of rows that the classifier has not seen, and their `labels`.
    ///
    /// The scores of a row should sum to zero, as those of [`LogisticRegression`](crate::model::linear::LogisticRegression) do: a
    /// number added to all three changes no probability before calibration, but does after it. A class that `labels`
    /// does not have keeps its score.
    ///
    /// All scales are above zero, so that no evidence is turned around. Where the rows are too few for vector scaling
    /// (fewer than 50 of a class) or it does not come out so, with no scale ten times another, one scale for all classes is
    /// fitted; where there are fewer than 10 rows, or that is not above zero either, scores stay as they are. The method
    /// says which it was.
    ///
    /// # Errors
    /// [`Error::Shape`] if the lengths differ or a score is not finite,
    /// [`Error::OneClass`] if all labels are the same, [`Error::Solver`] if linfa does not come to an end.
    pub fn fit(logits: &[[f64; Stance::COUNT]], labels: &[Stance]) -> Result<(Self, CalibrationMethod)> {
        let n = labels.len();
        let shape = |what, found: String, expected: String| Err(Error::Shape { what, found, expected });
        if logits.len() != n {
            return shape("scores to calibrate", logits.len().to_string(), format!("{n}, one per label"));
        }
        if let Some(row) = logits.iter().position(|z| !z.iter().all(|z| z.is_finite())) {
            return shape("score to calibrate", format!("a value in row {row}"), "finite numbers".into());
        }
        let counts = Stance::ALL.map(|k| labels.iter().filter(|y| **y == k).count());
        let present = counts.map(|count| count > 0);
        if present.iter().filter(|p| **p).count() < 2 {
            let label = labels.first().map_or_else(String::new, Stance::to_string);
            return Err(Error::OneClass { rows: n, label });
        }
        if counts.iter().all(|&count| count == 0 || count >= MIN_ROWS_OF_CLASS) {
            let fitted = Self::fit_pairs(logits, labels, present, CalibrationMethod::VectorScaling)?;
            let scales = (0..Stance::COUNT).filter(|&k| present[k]).map(|k| fitted.scale[k]);
            let (least, most) = scales.fold((f64::INFINITY, 0.0f64), |(a, b), scale| (a.min(scale), b.max(scale)));
            if least > 0.0 && most <= MAX_RATIO * least && fitted.check().is_ok() {
                return Ok((fitted, CalibrationMethod::VectorScaling));
            }
        }
        if n >= MIN_ROWS {
            let fitted = Self::fit_pairs(logits, labels, present, CalibrationMethod::Temperature)?;
            if fitted.check().is_ok() {
                return Ok((fitted, CalibrationMethod::Temperature));
            }
        }
        Ok((Self::IDENTITY, CalibrationMethod::None))
    }

    /// Refuses what no fit gives: a scale that is not from 1e-6 to 1e6, a constant beyond 1e3.
    ///
    /// # Errors
    /// [`Error::Parameter`].
    pub fn check(&self) -> Result<()> {
        let scale = |w: f64| (1e-6..=1e6).contains(&w);
        let bias = |b: f64| b.abs() <= 1e3;
        let wrong =
            |name, found: &[f64; 3], expected| Err(Error::Parameter { name, found: format!("{found:?}"), expected });
        match (self.scale.iter().all(|w| scale(*w)), self.bias.iter().all(|b| bias(*b))) {
            (false, _) => wrong("calibration scale", &self.scale, "three numbers from 1e-6 to 1e6"),
            (_, false) => wrong("calibration bias", &self.bias, "three numbers from -1000 to 1000"),
            _ => Ok(()),
        }
    }

    fn fit_pairs(
        logits: &[[f64; Stance::COUNT]],
        labels: &[Stance],
        present: [bool; Stance::COUNT],
        method: CalibrationMethod,
    ) -> Result<Self> {
        // Three columns for the scales, or the first of them for all classes; then three for the constants.
        let each_class = method == CalibrationMethod::VectorScaling;
        let mut features: Vec<[f64; 6]> = Vec::with_capacity(2 * labels.len());
        let mut targets = Vec::with_capacity(2 * labels.len());
        for (z, y) in logits.iter().zip(labels) {
            for l in Stance::ALL.into_iter().filter(|l| l != y && present[l.index()]) {
                let (y, l) = (y.index(), l.index());
                let mut x = [0.0; 6];
                if each_class {
                    (x[y], x[l], x[3 + y], x[3 + l]) = (z[y], -z[l], 1.0, -1.0);
                } else {
                    x[0] = z[y] - z[l];
                }
                // x as an example of one class is −x as one of the other; linfa wants both classes.
                let first = targets.len() % 2 == 0;
                features.push(if first { x } else { x.map(|x| -x) });
                targets.push(first);
            }
        }
        // Scores may be of any size; linfa's search along a line likes numbers around 1.
        let largest = features.iter().flat_map(|x| &x[..3]).fold(0.0f64, |largest, x| largest.max(x.abs()));
        let unit = if largest > 0.0 { largest } else { 1.0 };
        features.iter_mut().for_each(|x| x[..3].iter_mut().for_each(|x| *x /= unit));

        let n = targets.len();
        let x = Array2::from_shape_vec((n, 6), features.concat()).expect("six numbers per example");
        let dataset = linfa::DatasetBase::new(x, Array1::from(targets));
        let fitted = linfa_logistic::LogisticRegression::<f64>::default()
            .alpha(ALPHA)
            .with_intercept(false)
            .max_iterations(500)
            .gradient_tolerance(1e-7 * n as f64)
            .fit(&dataset)
            .map_err(|e| Error::Solver(format!("calibration: {e}")))?;
        // linfa calls the more frequent class positive, whichever that is.
        let sign = if fitted.labels().pos.class { 1.0 } else { -1.0 };
        let weights: Vec<f64> = fitted.params().iter().map(|w| w * sign).collect();
        if let Some(weight) = weights.iter().find(|w| !w.is_finite()) {
            return Err(Error::Solver(format!("calibration: a weight became {weight}")));
        }
        let kept = |k: usize, fitted: f64, own: f64| if present[k] { fitted } else { own };
        Ok(Self {
            scale: [0, 1, 2].map(|k| kept(k, weights[if each_class { k } else { 0 }] / unit, 1.0)),
            bias: [0, 1, 2].map(|k| kept(k, if each_class { weights[3 + k] } else { 0.0 }, 0.0)),
        })
    }

    /// The calibrated scores w ∘ z + b.
    #[inline]
    pub fn apply(&self, logits: [f64; Stance::COUNT]) -> [f64; Stance::COUNT] {
        [0, 1, 2].map(|k| self.scale[k] * logits[k] + self.bias[k])
    }

    /// The calibrated probabilities, softmax(w ∘ z + b).
    #[inline]
    pub fn probabilities(&self, logits: [f64; Stance::COUNT]) -> [f64; Stance::COUNT] {
        softmax(self.apply(logits))
    }
}

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;

    use super::*;
    use crate::Stance::{Aligned, Neutral, Opposed};
    use crate::evaluate::metrics::{Bins, expected_calibration_error, log_loss};

    /// Scores that sum to zero, and labels drawn with exactly their probabilities.
    fn calibrated(n: usize) -> (Vec<[f64; 3]>, Vec<Stance>) {
        let mut state = 1u64;
        let mut next = || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 11) as f64 / (1u64 << 53) as f64
        };
        (0..n)
            .map(|_| {
                let z = [0, 1, 2].map(|_| 6.0 * next() - 3.0);
                let mean = z.iter().sum::<f64>() / 3.0;
                let z = z.map(|z| z - mean);
                let (p, u) = (softmax(z), next());
                (
                    z,
                    if u < p[0] {
                        Aligned
                    } else if u < p[0] + p[1] {
                        Neutral
                    } else {
                        Opposed
                    },
                )
            })
            .unzip()
    }

    fn fit(logits: &[[f64; 3]], labels: &[Stance]) -> Calibration {
        Calibration::fit(logits, labels).expect("scores of two classes").0
    }

    fn probabilities(calibration: &Calibration, logits: &[[f64; 3]]) -> Vec<[f64; 3]> {
        logits.iter().map(|z| calibration.probabilities(*z)).collect()
    }

    #[test]
    fn leaves_calibrated_scores_alone() {
        let (logits, labels) = calibrated(20_000);
        let fitted = fit(&logits, &labels);
        assert_relative_eq!(fitted.scale[..], [1.0; 3][..], epsilon = 0.05);
        assert_relative_eq!(fitted.bias[..], [0.0; 3][..], epsilon = 0.05);
    }

    #[test]
    fn mends_scores_that_are_too_sure() {
        let (logits, labels) = calibrated(20_000);
        let (fit_on, test_on) = (10_000, 10_000..);
        // The truth is w ∘ z + b of these; what is added to all three makes them sum to zero again.
        let (scale, bias) = ([0.4, 0.7, 0.5], [0.3, -0.5, 0.2]);
        let wrong: Vec<[f64; 3]> = logits.iter().map(|z| [0, 1, 2].map(|k| (z[k] - bias[k]) / scale[k])).collect();
        let fitted = fit(&wrong[..fit_on], &labels[..fit_on]);
        assert_relative_eq!(fitted.scale[..], scale[..], epsilon = 0.03);
        assert_relative_eq!(fitted.bias[..], bias[..], epsilon = 0.08);

        let y = &labels[test_on.clone()];
        let before = probabilities(&Calibration::IDENTITY, &wrong[test_on.clone()]);
        let after = probabilities(&fitted, &wrong[test_on]);
        let ece = |p: &[[f64; 3]]| expected_calibration_error(y, p, Bins::EqualWidth).unwrap();
        assert!(log_loss(y, &after).unwrap() < 0.8 * log_loss(y, &before).unwrap());
        assert!(ece(&after) < 0.02 && ece(&before) > 0.08, "{} {}", ece(&after), ece(&before));
    }

    #[test]
    fn the_order_and_the_size_of_scores_do_not_matter() {
        let (mut logits, mut labels) = calibrated(500);
        let fitted = fit(&logits, &labels);
        let large: Vec<_> = logits.iter().map(|z| z.map(|z| 1e4 * z)).collect();
        let of_large = fit(&large, &labels);
        assert_relative_eq!(of_large.scale.map(|w| 1e4 * w)[..], fitted.scale[..], epsilon = 1e-2);
        logits.reverse();
        labels.reverse();
        let reversed = fit(&logits, &labels);
        assert_relative_eq!(reversed.scale[..], fitted.scale[..], epsilon = 1e-3);
        assert_relative_eq!(reversed.bias[..], fitted.bias[..], epsilon = 1e-3);
    }

    #[test]
    fn never_turns_evidence_around() {
        let (logits, labels) = calibrated(400);
        let turned: Vec<_> = logits.iter().map(|z| z.map(|z| -z)).collect();
        let none = (Calibration::IDENTITY, CalibrationMethod::None);
        assert_eq!(Calibration::fit(&turned, &labels).unwrap(), none);
        // Scores that say nothing of one class turn that class around, or nearly so.
        let one_off: Vec<_> = logits.iter().map(|z| [z[0], -z[2] - z[0], z[2]].map(|z| -z)).collect();
        for logits in [&logits, &turned, &one_off] {
            let fitted = fit(logits, &labels);
            assert!(fitted.scale.iter().all(|w| *w > 0.0), "{fitted:?}");
        }
        // Scores that separate the classes stay finite.
        let sure: Vec<_> = labels.iter().map(|y| Stance::ALL.map(|k| if k == *y { 2.0 } else { -1.0 })).collect();
        let fitted = fit(&sure, &labels);
        assert!(fitted.scale.iter().all(|w| *w > 1.0 && w.is_finite()));
    }

    #[test]
    fn few_rows_carry_one_number_and_fewer_none() {
        let (logits, labels) = calibrated(60);
        let (fitted, method) = Calibration::fit(&logits, &labels).unwrap();
        assert_eq!((method, fitted.bias), (CalibrationMethod::Temperature, [0.0; 3]));
        assert!(fitted.scale[0] > 0.3 && fitted.scale.iter().all(|w| *w == fitted.scale[0]), "{fitted:?}");
        let few = Calibration::fit(&logits[..9], &labels[..9]).unwrap();
        assert_eq!(few, (Calibration::IDENTITY, CalibrationMethod::None));
    }

    #[test]
    fn a_class_without_rows_keeps_its_score() {
        let (mut logits, labels) = calibrated(400);
        logits.iter_mut().for_each(|z| z[2] = -1000.0);
        let labels: Vec<_> = labels.into_iter().map(|y| if y == Opposed { Neutral } else { y }).collect();
        let fitted = fit(&logits, &labels);
        assert_eq!((fitted.scale[2], fitted.bias[2]), (1.0, 0.0));
        assert_eq!(fitted.probabilities(logits[0])[2], 0.0);
    }

    #[test]
    fn bad_input_is_an_error() {
        let (logits, labels) = calibrated(20);
        let shape = |r: Result<(Calibration, CalibrationMethod)>| matches!(r, Err(Error::Shape { .. }));
        assert!(shape(Calibration::fit(&logits[1..], &labels)));
        assert!(shape(Calibration::fit(&[[f64::NAN; 3]; 20], &labels)));
        assert!(shape(Calibration::fit(&[[f64::INFINITY; 3]; 20], &labels)));
        assert!(matches!(Calibration::fit(&logits, &[Neutral; 20]), Err(Error::OneClass { rows: 20, .. })));
        assert!(Calibration::fit(&[[0.0; 3]; 20], &labels).is_ok());
    }

    #[test]
    fn goes_to_json_and_back() {
        let (logits, labels) = calibrated(50);
        let fitted = fit(&logits, &labels);
        let json = serde_json::to_string(&fitted).unwrap();
        let again: Calibration = serde_json::from_str(&json).unwrap();
        // Without its feature `float_roundtrip` serde_json reads numbers to the last bit but one.
        assert_relative_eq!(again.scale[..], fitted.scale[..], max_relative = 1e-15);
        assert_relative_eq!(again.bias[..], fitted.bias[..], max_relative = 1e-15);
    }
}
