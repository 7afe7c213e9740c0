//! From the scores of evidence to the stances of an article's pairs.

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::plan::Plan;
use super::{Pipeline, Prediction, Query, ScoredEvidence, ScoredPair};
use crate::document::{Document, Party};
use crate::model::head::Shares;
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
        let places = |parties: &[Party]| -> FxHashMap<Party, usize> { parties.iter().copied().zip(0..).collect() };
        let (place_of_state, place_of_actor) = (places(states), places(actors));
        // Windows by pair, in the order of the pairs, and for each pair in that of the text.
        let by_pair = |(i, window): (usize, &EvidenceWindow<'_>)| {
            let (state, actor) = window.pair;
            ((place_of_actor[&actor], place_of_state[&state]), i)
        };
        let mut order: Vec<((usize, usize), usize)> = windows.iter().enumerate().map(by_pair).collect();
        order.sort_unstable();
        let pairs: Vec<(usize, usize)> = if query.all_states {
            let is_named = |state: &usize| document.mentions(states[*state]) > 0;
            let of = |actor| (0..states.len()).filter(is_named).map(move |state| (actor, state));
            (0..actors.len()).flat_map(of).collect()
        } else {
            order.chunk_by(|a, b| a.0 == b.0).map(|same| same[0].0).collect()
        };
        let mut predictions = Vec::with_capacity(pairs.len());
        let mut rest = &order[..];
        let (mut of_pair, mut their_scores) = (Vec::new(), Vec::new());
        for pair in pairs {
            let (actor, state) = (actors[pair.0], states[pair.1]);
            let (Party::Entry(state_id), Party::Entry(actor_id)) = (state, actor) else { continue };
            if state == actor {
                continue;
            }
            rest = &rest[rest.partition_point(|(other, _)| *other < pair)..];
            let these = &rest[..rest.partition_point(|(other, _)| *other == pair)];
            of_pair.clear();
            of_pair.extend(these.iter().map(|&(_, i)| windows[i]));
            their_scores.clear();
            their_scores.extend(these.iter().map(|&(_, i)| scores[i]));
            let pair = score_pair(&self.model, &of_pair, &their_scores, query.evidence_limit);
            predictions.push(Prediction {
                state: self.gazetteer.get(state_id),
                actor: self.gazetteer.get(actor_id),
                stance: pair.stance,
                probabilities: pair.probabilities,
                mentions: document.mentions(state),
                no_evidence: of_pair.is_empty(),
                evidence: pair.evidence,
            });
        }
        predictions
    }
}

/// The shares of pieces of evidence, and the sum of their scores by these.
pub(super) fn pool(head: &Head, windows: &[EvidenceWindow<'_>], scores: &[[f64; 3]]) -> (Shares, [f64; 3]) {
    let weight = |w: &EvidenceWindow<'_>| head.pooling.weight(w.document.sentences[w.sentences.0].part, w.strength);
    let shares = head.pooling.shares(windows.iter().map(weight), scores);
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
    let mut order: SmallVec<[(f64, usize); 4]> = (0..windows.len()).map(|i| (lead(i), i)).collect();
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
