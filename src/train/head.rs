//! What turns scores into probabilities and stances: calibration and decision, chosen on held-out scores.
//!
//! What is reported of a fold comes from a calibration and a decision that were chosen on the other folds. The model gets
//! those chosen on all folds. Advantages of the decision are kept only if they gain on the folds that they were not chosen
//! on, and only where there are rows enough for vector scaling: with fewer they would decide on noise.

use rayon::prelude::*;

use crate::error::Result;
use crate::evaluate::metrics::f1_macro_score;
use crate::model::head::Decision;
use crate::model::head::{Calibration, CalibrationMethod};
use crate::stance::Stance;

/// A row's score by a model that was not fitted to its fold.
#[derive(Debug, Clone, Copy)]
pub(super) struct HeldOut {
    pub logits: [f64; 3],
    pub label: Stance,
    pub fold: usize,
    /// Whether calibration and decision are chosen on it.
    pub used: bool,
}

/// Calibration and decision, and what they make of each row when chosen on the other folds.
#[derive(Debug)]
pub(super) struct Head {
    pub calibration: Calibration,
    pub method: CalibrationMethod,
    pub decision: Decision,
    /// Whether the calibrated probabilities of the rows hardly differ.
    pub is_flat: bool,
    pub probabilities: Vec<[f64; 3]>,
    pub stances: Vec<Stance>,
}

pub(super) fn choose(rows: &[HeldOut], folds: usize) -> Result<Head> {
    let mut probabilities = vec![[0.0; 3]; rows.len()];
    let mut advantaged = vec![Stance::Neutral; rows.len()];
    let mut gains = Vec::with_capacity(folds);
    for fold in 0..folds {
        let (calibration, _) = calibrate(rows, |row| row.fold != fold)?;
        let decision = decide(rows, &calibration, |row| row.fold != fold);
        for (i, row) in rows.iter().enumerate().filter(|(_, row)| row.fold == fold) {
            probabilities[i] = calibration.probabilities(row.logits);
            advantaged[i] = decision.stance(&probabilities[i]);
        }
        let inside: Vec<usize> = (0..rows.len()).filter(|&i| rows[i].used && rows[i].fold == fold).collect();
        let score = |stance: &dyn Fn(usize) -> Stance| {
            let (labels, stances): (Vec<_>, Vec<_>) = inside.iter().map(|&i| (rows[i].label, stance(i))).unzip();
            f1_macro_score(&labels, &stances).unwrap_or(0.0)
        };
        if !inside.is_empty() {
            gains.push(score(&|i| advantaged[i]) - score(&|i| Stance::argmax(&probabilities[i])));
        }
    }
    let (calibration, method) = calibrate(rows, |_| true)?;
    let likeliest = |row: &HeldOut| calibration.probabilities(row.logits).into_iter().fold(0.0, f64::max);
    let is_flat = rows.iter().map(likeliest).sum::<f64>() / (rows.len() as f64) < FLAT;
    if method == CalibrationMethod::VectorScaling && is_gain(&gains) {
        let decision = decide(rows, &calibration, |_| true);
        return Ok(Head { calibration, method, decision, is_flat, probabilities, stances: advantaged });
    }
    let stances = probabilities.iter().map(Stance::argmax).collect();
    Ok(Head { calibration, method, decision: Decision::default(), is_flat, probabilities, stances })
}

/// Where the mean probability of the likeliest class is below this, a model knows hardly more than that there are three.
const FLAT: f64 = 0.4;

/// Whether the mean of `gains` is above its standard error.
fn is_gain(gains: &[f64]) -> bool {
    let n = gains.len() as f64;
    let mean = gains.iter().sum::<f64>() / n;
    let variance = gains.iter().map(|gain| (gain - mean).powi(2)).sum::<f64>() / (n - 1.0);
    mean > (variance / n).sqrt()
}

/// The calibration fitted to the rows that are used and `chosen`; none where these have one label only.
fn calibrate(rows: &[HeldOut], chosen: impl Fn(&HeldOut) -> bool) -> Result<(Calibration, CalibrationMethod)> {
    let (logits, labels): (Vec<_>, Vec<_>) =
        rows.iter().filter(|row| row.used && chosen(row)).map(|row| (row.logits, row.label)).unzip();
    if labels.iter().all(|label| *label == labels[0]) {
        return Ok((Calibration::IDENTITY, CalibrationMethod::None));
    }
    Calibration::fit(&logits, &labels)
}

/// The decision with the best macro-F1 on the rows that are used and `chosen`, of a grid; the plainest on a tie.
fn decide(rows: &[HeldOut], calibration: &Calibration, chosen: impl Fn(&HeldOut) -> bool) -> Decision {
    const STEPS: i32 = 12;
    const STEP: f64 = 0.1;
    let (labels, probabilities): (Vec<_>, Vec<_>) = rows
        .iter()
        .filter(|row| row.used && chosen(row))
        .map(|row| (row.label, calibration.probabilities(row.logits)))
        .unzip();
    let grid: Vec<Decision> = (0..=STEPS)
        .flat_map(|a| (0..=STEPS).map(move |o| Decision { aligned: STEP * f64::from(a), opposed: STEP * f64::from(o) }))
        .collect();
    let score = |d: &Decision| {
        let stances: Vec<Stance> = probabilities.iter().map(|p| d.stance(p)).collect();
        f1_macro_score(&labels, &stances).unwrap_or(0.0)
    };
    let scores: Vec<f64> = grid.par_iter().map(score).collect();
    let best = (1..grid.len()).fold(0, |best, i| if scores[i] > scores[best] { i } else { best });
    grid[best].clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 60 rows in 5 folds whose scores, times `sign`, lean to their label.
    fn rows(sign: f64) -> Vec<HeldOut> {
        let row = |i: usize| {
            let label = Stance::ALL[i % 3];
            // A little less than certain, and different from row to row.
            let logits = Stance::ALL.map(|k| sign * if k == label { 1.0 + (i % 7) as f64 / 7.0 } else { -0.5 });
            HeldOut { logits, label, fold: i % 5, used: true }
        };
        (0..60).map(row).collect()
    }

    #[test]
    fn few_rows_never_turn_the_scores_around() {
        for sign in [1.0, -1.0] {
            let rows = rows(sign);
            let head = choose(&rows, 5).expect("three classes");
            for row in &rows {
                let p = head.calibration.probabilities(row.logits);
                assert_eq!(Stance::argmax(&p), Stance::argmax(&row.logits), "{:?}", head.calibration);
            }
        }
        assert_eq!(choose(&rows(-1.0), 5).expect("three classes").method, CalibrationMethod::None);
    }

    #[test]
    fn an_advantage_that_gains_on_no_other_fold_is_not_taken() {
        // Noise: an advantage can gain by chance where it is chosen.
        let mut rows = rows(1.0);
        for (i, row) in rows.iter_mut().enumerate() {
            row.logits = [(i * 7 % 11) as f64 - 5.0, (i * 5 % 13) as f64 - 6.0, 0.0];
            row.logits[2] = -row.logits[0] - row.logits[1];
        }
        let head = choose(&rows, 5).expect("three classes");
        assert_eq!(head.decision, Decision::default());
        let plain: Vec<Stance> = head.probabilities.iter().map(Stance::argmax).collect();
        assert_eq!(head.stances, plain);
    }

    #[test]
    fn a_gain_must_be_above_its_error() {
        assert!(is_gain(&[0.02, 0.03, 0.01, 0.02, 0.02]));
        assert!(!is_gain(&[0.1, -0.1, 0.02, -0.03, 0.03]));
        assert!(!is_gain(&[0.0, 0.0]) && !is_gain(&[0.3]) && !is_gain(&[]));
    }
}
