//! The words behind a stance, each with what it adds to the score.
//!
//! ```text
//! logits = base + Σᵢ contributionᵢ          i: pieces of evidence
//! contributionᵢ = Σⱼ contributionᵢⱼ         j: features of evidence i
//! base = s ∘ b + d,  contributionᵢⱼ = αᵢ xᵢⱼ s ∘ wⱼ
//! ```
//!
//! with the symbols of [`crate::pipeline`]. The first sum holds for every model, to rounding. The second holds for a linear
//! model ([`Method::Exact`]); of an encoder, words act together, so each is left out in turn, and what the score loses is
//! what it is said to add ([`Method::Occlusion`]).

use serde::{Deserialize, Serialize};

use crate::article::{Article, Part, Span};
use crate::document::{Document, Evidence, Party, Strength};
use crate::gazetteer::EntryId;
use crate::model::{Attribution, EvidenceWindow, Term};
use crate::pipeline::assemble::{pool, score_pair};
use crate::pipeline::{Pipeline, ScoredEvidence, windows};
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
    /// Each of its sentences by itself: one, two neighbours, or a title and a sentence.
    pub sentences: Vec<(Part, Span)>,
    /// How closely it connects the two.
    pub strength: Strength,
    /// Its share αᵢ in the score.
    pub share: f64,
    /// What it adds to the logits.
    pub contribution: [f64; 3],
    /// Probabilities of aligned, neutral, opposed that the rest of the evidence would give, if there is more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub without: Option<[f64; 3]>,
    /// How its features were found.
    pub method: Method,
    /// Its features, in no particular order of weight; see [`strongest`](Self::strongest).
    pub features: Vec<FeatureExplanation>,
}

/// How what a feature adds was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// The score is the sum of what its features add.
    Exact,
    /// Each word is left out in turn.
    Occlusion,
}

/// What one feature of a piece of evidence adds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FeatureExplanation {
    /// The feature's name; see [`crate::model::linear::ngrams`].
    pub name: String,
    /// The words of the text that it stands for, where it first occurs.
    pub words: String,
    /// The part of the article that has them.
    pub part: Part,
    /// Byte range of those words in it.
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
    let (model, head) = (&pipeline.model().evidence, &pipeline.model().head);
    let windows = windows(&document, pair);
    let scores = model.score(&windows);
    let scored = score_pair(pipeline.model(), &windows, &scores, None);
    if scored.evidence.is_empty() {
        return None;
    }
    // What the other pieces would give.
    let rest = |sentences: (usize, usize)| -> Option<[f64; 3]> {
        let others = || windows.iter().zip(&scores).filter(|(window, _)| window.sentences != sentences);
        let (windows, scores): (Vec<EvidenceWindow<'_>>, Vec<[f64; 3]>) = others().map(|(w, z)| (*w, *z)).unzip();
        let pooled = || head.calibration.probabilities(pool(head, &windows, &scores).1);
        (!windows.is_empty()).then(pooled)
    };
    let explain = |piece: ScoredEvidence| {
        let Evidence { part, span, strength, sentences, .. } = piece.evidence;
        let window = EvidenceWindow { document: &document, sentences, strength, pair };
        let feature = |term: Term| FeatureExplanation {
            words: article.part(term.part)[term.span.clone()].into(),
            contribution: std::array::from_fn(|k| head.calibration.scale[k] * piece.share * term.contribution[k]),
            name: term.name,
            part: term.part,
            span: term.span,
        };
        let (method, terms) = match model.attribute(&window) {
            Attribution::Exact(terms) => (Method::Exact, terms),
            Attribution::Occlusion(terms) => (Method::Occlusion, terms),
        };
        let features = terms.into_iter().map(feature).collect();
        let own = |i: usize| (document.sentences[i].part, document.sentences[i].span.clone());
        let sentences_of =
            if sentences.0 == sentences.1 { vec![own(sentences.0)] } else { vec![own(sentences.0), own(sentences.1)] };
        let without = rest(sentences);
        let ScoredEvidence { share, contribution, .. } = piece;
        let sentences = sentences_of;
        EvidenceExplanation { part, span, sentences, strength, share, contribution, without, method, features }
    };
    Some(Explanation {
        stance: scored.stance,
        probabilities: scored.probabilities,
        by_advantage: head.decision.decides(&scored.probabilities).then(|| head.decision.advantage(scored.stance)),
        logits: head.calibration.apply(scored.scores),
        base: head.calibration.apply(model.base()),
        evidence: scored.evidence.into_iter().map(explain).collect(),
    })
}
