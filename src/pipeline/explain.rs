//! The words behind a stance, each with what it adds to the score.
//!
//! ```text
//! logits = base + Σᵢ contributionᵢ          i: pieces of evidence
//! contributionᵢ = Σⱼ contributionᵢⱼ         j: features of evidence i
//! base = s ∘ b + d,  contributionᵢⱼ = αᵢ xᵢⱼ s ∘ wⱼ
//! ```
//!
//! with the symbols of [`crate::pipeline`]. Nothing is approximated: the sums hold to rounding.

use serde::Serialize;

use crate::article::{Article, Part, Span};
use crate::document::party::Party;
use crate::document::{Document, Strength};
use crate::gazetteer::EntryId;
use crate::model::linear::features::{Counts, window};
use crate::pipeline::{Pipeline, Scorer};
use crate::stance::Stance;

/// Why a pair has its stance.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// The class decided on.
    pub stance: Stance,
    /// Probabilities of aligned, neutral, opposed.
    pub probabilities: [f64; 3],
    /// The advantage, in logits, by which the stance was decided on though another class is more probable; see
    /// [`Decision`](crate::model::head::Decision).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by_advantage: Option<f64>,
    /// Calibrated logits; their softmax is `probabilities`.
    pub logits: [f64; 3],
    /// The logits without any evidence's words.
    pub base: [f64; 3],
    /// The evidence, that which counts most first.
    pub evidence: Vec<EvidenceExplanation>,
}

/// What one piece of evidence adds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EvidenceExplanation {
    /// The part of the article.
    pub part: Part,
    /// Byte range in it.
    pub span: Span,
    /// How closely it connects the two.
    pub strength: Strength,
    /// Its share αᵢ in the score.
    pub share: f64,
    /// What it adds to the logits: the sum of its features' contributions.
    pub contribution: [f64; 3],
    /// Its features, in no particular order of weight; see [`strongest`](Self::strongest).
    pub features: Vec<FeatureExplanation>,
}

/// What one feature of a piece of evidence adds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FeatureExplanation {
    /// The feature's name; see [`crate::model::linear::ngrams`].
    pub name: String,
    /// The words of the text that it stands for, where it first occurs.
    pub words: String,
    /// Byte range of those words in the part of the article.
    pub span: Span,
    /// What it adds to the logits.
    pub contribution: [f64; 3],
}

impl EvidenceExplanation {
    /// The features that speak most for a class against the mean of all, strongest first.
    pub fn strongest(&self, stance: Stance, count: usize) -> Vec<&FeatureExplanation> {
        let k = stance.index();
        let lead = |f: &FeatureExplanation| f.contribution[k] - f.contribution.iter().sum::<f64>() / 3.0;
        let mut features: Vec<&FeatureExplanation> = self.features.iter().collect();
        features.sort_by(|a, b| lead(b).total_cmp(&lead(a)));
        features.truncate(count);
        features
    }
}

/// Explains the stance of `state` toward `actor`; `None` where the article does not connect the two.
pub fn explain(pipeline: &Pipeline, article: &Article, state: EntryId, actor: EntryId) -> Option<Explanation> {
    let document = Document::read(article, pipeline.gazetteer());
    let pair = (Party::Entry(state), Party::Entry(actor));
    let evidence = document.evidence(pair.0, pair.1);
    if evidence.is_empty() {
        return None;
    }
    let scored = Scorer::new(pipeline).pair(&document, evidence, pair);
    let parts = &pipeline.parts;
    let mut evidence = Vec::with_capacity(scored.evidence.len());
    for piece in &scored.evidence {
        let (tokens, marks) = window(&document, piece.evidence.sentences, &parts.tokenizer);
        let mut counts = Counts::default();
        counts.count(&parts.ngrams, &tokens, &marks, pair, piece.evidence.strength);
        let text = article.part(piece.evidence.part);
        let mut features: Vec<Option<FeatureExplanation>> = Vec::new();
        let row = parts.tfidf.transform(counts.as_slice());
        features.resize(row.len(), None);
        parts.ngrams.features(&tokens, &marks, pair, piece.evidence.strength, |hash, name, at| {
            let column = parts.tfidf.vocabulary().get(hash);
            let found = column.and_then(|c| row.binary_search_by_key(&c, |&(c, _)| c).ok());
            let Some(place) = found else { return };
            if features[place].is_none() {
                let (column, value) = row[place];
                let weights = parts.coef[column as usize].map(f64::from);
                let span = tokens[at.start].span.start..tokens[at.end - 1].span.end;
                features[place] = Some(FeatureExplanation {
                    name: name.into(),
                    words: text[span.clone()].into(),
                    span,
                    contribution: std::array::from_fn(|k| {
                        parts.calibration.scale[k] * piece.share * value * weights[k]
                    }),
                });
            }
        });
        evidence.push(EvidenceExplanation {
            part: piece.evidence.part,
            span: piece.evidence.span.clone(),
            strength: piece.evidence.strength,
            share: piece.share,
            contribution: piece.contribution,
            features: features.into_iter().flatten().collect(),
        });
    }
    Some(Explanation {
        stance: scored.stance,
        probabilities: scored.probabilities,
        by_advantage: parts.decision.decides(&scored.probabilities).then(|| parts.decision.advantage(scored.stance)),
        logits: parts.calibration.apply(scored.scores),
        base: parts.calibration.apply(parts.intercept),
        evidence,
    })
}
