//! From the scores of a pair's evidence to its stance.

use super::{ScoredEvidence, ScoredPair};
use crate::model::{EvidenceWindow, Model};
use crate::stance::Stance;

/// Puts the scores of a pair's evidence together, and shows what counts most, as far as `limit`.
pub(super) fn assemble(
    model: &Model,
    windows: &[EvidenceWindow<'_>],
    scores: &[[f64; 3]],
    limit: Option<usize>,
) -> ScoredPair {
    let head = &model.head;
    if windows.is_empty() {
        let probabilities = head.no_evidence;
        let stance = Stance::argmax(&probabilities);
        return ScoredPair { stance, scores: probabilities.map(f64::ln), probabilities, evidence: Vec::new() };
    }
    let weight = |w: &EvidenceWindow<'_>| head.pooling.weight(w.document.sentences[w.sentences.0].part, w.strength);
    let weights: Vec<f64> = windows.iter().map(weight).collect();
    let shares = head.pooling.shares(&weights, scores);
    let mut pooled = [0.0; 3];
    for (z, share) in scores.iter().zip(&shares) {
        for k in 0..3 {
            pooled[k] += share * z[k];
        }
    }
    let calibration = &head.calibration;
    let probabilities = calibration.probabilities(pooled);
    let stance = head.decision.stance(&probabilities);
    let base = calibration.apply(model.evidence.base());
    let contribution = |i: usize| -> [f64; 3] {
        let logits = calibration.apply(scores[i]);
        std::array::from_fn(|k| shares[i] * (logits[k] - base[k]))
    };
    let lead = |i: usize| {
        let contribution = contribution(i);
        contribution[stance.index()] - contribution.iter().sum::<f64>() / 3.0
    };
    let mut order: Vec<(f64, usize)> = (0..windows.len()).map(|i| (lead(i), i)).collect();
    order.sort_by(|a, b| b.0.total_cmp(&a.0));
    let shown = order.into_iter().take(limit.unwrap_or(usize::MAX));
    let evidence = shown.filter_map(|(_, i)| {
        let alone = calibration.probabilities(scores[i]);
        let window = windows[i];
        Some(ScoredEvidence {
            evidence: window.document.piece(window.sentences, window.pair, window.strength)?,
            stance: head.decision.stance(&alone),
            probabilities: alone,
            share: shares[i],
            contribution: contribution(i),
        })
    });
    ScoredPair { stance, scores: pooled, probabilities, evidence: evidence.collect() }
}
