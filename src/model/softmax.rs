//! Scores to probabilities.

use crate::Stance;

/// The probabilities of `logits`: exp zₖ / Σₗ exp zₗ, without overflow.
///
/// ```
/// let p = detente::model::softmax([1000.0, 1000.0, -1000.0]);
/// assert_eq!(p, [0.5, 0.5, 0.0]);
/// ```
#[inline]
pub fn softmax(logits: [f64; Stance::COUNT]) -> [f64; Stance::COUNT] {
    softmax_and_log_sum(logits).0
}

/// The probabilities of `z`, and ln Σ exp z.
#[inline]
pub(crate) fn softmax_and_log_sum(z: [f64; Stance::COUNT]) -> ([f64; Stance::COUNT], f64) {
    let max = z[0].max(z[1]).max(z[2]);
    let e = z.map(|z| (z - max).exp());
    let sum = e[0] + e[1] + e[2];
    (e.map(|e| e / sum), max + sum.ln())
}
