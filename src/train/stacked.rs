//! An encoder and n-grams put together, on rows that neither has seen.

use rayon::prelude::*;

use super::rows::Row;
use crate::error::Result;
use crate::evaluate::metrics::log_loss;
use crate::model::encoder::Encoder;
use crate::model::head::Calibration;
use crate::model::stacked::Stack;
use crate::stance::Stance;

/// A row that neither model has seen, with the scores of both for each of its windows.
pub(super) struct Seen {
    pub row: usize,
    pub encoder: Vec<Option<[f64; 3]>>,
    pub linear: Vec<[f64; 3]>,
}

impl Seen {
    /// The scores of the windows, put together.
    pub(super) fn apply(&self, stack: &Stack) -> Vec<[f64; 3]> {
        self.encoder.iter().zip(&self.linear).map(|(encoder, linear)| stack.apply(*encoder, *linear)).collect()
    }
}

/// Scores the windows of rows by the encoder, beside the scores of the n-grams.
pub(super) fn see(encoder: &Encoder, rows: &[Row], linear: Vec<(usize, Vec<[f64; 3]>)>) -> Vec<Seen> {
    let inputs: Vec<_> = linear.iter().flat_map(|(row, _)| rows[*row].inputs.iter().cloned()).collect();
    let hidden = encoder.hidden(&inputs);
    let mut scores = hidden.iter().map(|hidden| hidden.as_deref().map(|hidden| encoder.scores(hidden)));
    let seen = |(row, linear): (usize, Vec<[f64; 3]>)| {
        let encoder = linear.iter().map(|_| scores.next().flatten()).collect();
        Seen { row, encoder, linear }
    };
    linear.into_iter().map(seen).collect()
}

/// The stack whose calibrated probabilities have the least log-loss.
///
/// # Errors
/// As [`Calibration::fit`].
pub(super) fn choose(seen: &[Seen], rows: &[Row]) -> Result<Stack> {
    let any = seen.iter().any(|seen| rows[seen.row].calibrate);
    let used: Vec<&Seen> = seen.iter().filter(|seen| rows[seen.row].calibrate || !any).collect();
    let labels: Vec<Stance> = used.iter().map(|seen| rows[seen.row].label).collect();
    let linear: Vec<[f64; 3]> = used.iter().map(|seen| rows[seen.row].mean(&seen.linear)).collect();
    let of_encoder = |seen: &&Seen| {
        let read = seen.encoder.iter().zip(&seen.linear);
        rows[seen.row].mean(&read.map(|(encoder, linear)| encoder.unwrap_or(*linear)).collect::<Vec<_>>())
    };
    let encoder: Vec<[f64; 3]> = used.iter().map(of_encoder).collect();
    let weighed = |weight: f64| -> Result<(f64, f64, Calibration)> {
        let sum = |(e, l): (&[f64; 3], &[f64; 3])| std::array::from_fn(|k| e[k] + weight * l[k]);
        let sums: Vec<[f64; 3]> = encoder.iter().zip(&linear).map(sum).collect();
        let calibration = calibrated(&sums, &labels)?;
        let probabilities: Vec<[f64; 3]> = sums.iter().map(|z| calibration.probabilities(*z)).collect();
        Ok((log_loss(&labels, &probabilities)?, weight, calibration))
    };
    let tried: Vec<(f64, f64, Calibration)> =
        (0..=40u8).into_par_iter().map(|step| weighed(0.05 * f64::from(step))).collect::<Result<_>>()?;
    let best = tried.into_iter().min_by(|a, b| a.0.total_cmp(&b.0));
    let linear_calibration = calibrated(&linear, &labels)?;
    let (_, linear_weight, calibration) = best.unwrap_or((0.0, 1.0, Calibration::IDENTITY));
    let sums = encoder.iter().zip(&linear).map(|(e, l)| std::array::from_fn(|k| e[k] + linear_weight * l[k]));
    let sureness = |z: [f64; 3]| calibration.probabilities(z).into_iter().fold(0.0, f64::max);
    let sure_from = sure_from(sums.map(sureness).collect());
    Ok(Stack { linear_weight, calibration, linear_calibration, sure_from })
}

/// The calibration of scores; none where all have one label.
fn calibrated(scores: &[[f64; 3]], labels: &[Stance]) -> Result<Calibration> {
    if labels.iter().all(|label| *label == labels[0]) {
        return Ok(Calibration::IDENTITY);
    }
    Calibration::fit(scores, labels).map(|(calibration, _)| calibration)
}

/// The share of rows that a cascade hands on from this model, so that with the small one it is five times as fast as the
/// accurate one.
const ASKED: f64 = 0.06;

/// From which sureness on this model answers alone, so that [`ASKED`] is handed on: in hundredths.
fn sure_from(mut sureness: Vec<f64>) -> f64 {
    sureness.sort_by(f64::total_cmp);
    let place = ((ASKED * sureness.len() as f64) as usize).min(sureness.len().saturating_sub(1));
    sureness.get(place).map_or(1.0, |sure| (sure * 100.0).floor() / 100.0)
}
