//! From the scores of evidence to the stances of an article's pairs.

use rustc_hash::FxHashMap;

use super::plan::Plan;
use super::{Pipeline, Prediction, Query, ScoredEvidence, ScoredPair};
use crate::document::{Document, Party};
use crate::model::{EvidenceWindow, Head, Model};
use crate::stance::Stance;

impl Pipeline {
    /// The predictions of one article, whose windows and scores these are.
    pub(super) fn assemble(
        &self,
        document: &Document<'_>,
        plan: &Plan,
        query: &Query,
        windows: &[EvidenceWindow<'_>],
        scores: &[[f64; 3]],
    ) -> Vec<Prediction<'_>> {
        let Plan { states, actors, .. } = plan;
        let mut of_pair: FxHashMap<(Party, Party), Vec<u32>> = FxHashMap::default();
        for (window, i) in windows.iter().zip(0..) {
            of_pair.entry(window.pair).or_default().push(i);
        }
        let pairs: Vec<(Party, Party)> = if query.all_states {
            let named = |party: &Party| document.mentions(*party) > 0;
            actors.iter().flat_map(|a| states.iter().filter(|s| named(s)).map(move |s| (*s, *a))).collect()
        } else {
            let places = |parties: &[Party]| -> FxHashMap<Party, usize> { parties.iter().copied().zip(0..).collect() };
            let (states, actors) = (places(states), places(actors));
            let mut connected: Vec<(Party, Party)> = of_pair.keys().copied().collect();
            connected.sort_unstable_by_key(|(state, actor)| (actors.get(actor), states.get(state)));
            connected
        };
        let mut predictions = Vec::with_capacity(pairs.len());
        for (state, actor) in pairs {
            let (Party::Entry(state_id), Party::Entry(actor_id)) = (state, actor) else { continue };
            if state == actor {
                continue;
            }
            let places = of_pair.remove(&(state, actor)).unwrap_or_default();
            let (windows, scores): (Vec<_>, Vec<_>) =
                places.iter().map(|&i| (windows[i as usize], scores[i as usize])).unzip();
            let pair = score_pair(&self.model, &windows, &scores, query.evidence_limit);
            predictions.push(Prediction {
                state: self.gazetteer.get(state_id),
                actor: self.gazetteer.get(actor_id),
                stance: pair.stance,
                probabilities: pair.probabilities,
                mentions: document.mentions(state),
                no_evidence: windows.is_empty(),
                evidence: pair.evidence,
            });
        }
        predictions
    }
}

/// The shares of pieces of evidence, and the sum of their scores by these.
pub(super) fn pool(head: &Head, windows: &[EvidenceWindow<'_>], scores: &[[f64; 3]]) -> (Vec<f64>, [f64; 3]) {
    let weight = |w: &EvidenceWindow<'_>| head.pooling.weight(w.document.sentences[w.sentences.0].part, w.strength);
    let weights: Vec<f64> = windows.iter().map(weight).collect();
    let shares = head.pooling.shares(&weights, scores);
    let mut pooled = [0.0; 3];
    for (z, share) in scores.iter().zip(&shares) {
        for k in 0..3 {
            pooled[k] += share * z[k];
        }
    }
    (shares, pooled)
}

/// Puts the scores of a pair's evidence together, and shows what counts most, as far as `limit`.
pub(super) fn score_pair(
    model: &Model,
    windows: &[EvidenceWindow<'_>],
    scores: &[[f64; 3]],
    limit: Option<usize>,
) -> ScoredPair {
    let head = &model.head;
    if windows.is_empty() {
        let probabilities = head.no_evidence;
        // Nothing said is neutral, whatever is likely.
        let stance = Stance::Neutral;
        return ScoredPair { stance, scores: probabilities.map(f64::ln), probabilities, evidence: Vec::new() };
    }
    let (shares, pooled) = pool(head, windows, scores);
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
            is_cut: model.evidence.is_cut(&window),
            stance: head.decision.stance(&alone),
            probabilities: alone,
            share: shares[i],
            contribution: contribution(i),
        })
    });
    ScoredPair { stance, scores: pooled, probabilities, evidence: evidence.collect() }
}
