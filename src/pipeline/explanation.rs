//! An explanation for everything that reads explanations: it says which text and pair it is about, names its numbers, and
//! counts offsets in Unicode characters, as files do.

use serde::{Deserialize, Serialize};

use super::explain::{Explanation, FeatureExplanation, Method};
use crate::article::{Article, Part, Span};
use crate::characters::Characters;
use crate::document::Strength;
use crate::gazetteer::Entry;
use crate::record::Probabilities;
use crate::stance::Stance;

/// Why a state has its stance toward an actor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExplanationRecord {
    /// The article's identifier.
    pub id: String,
    /// The file that it was read from.
    pub path: String,
    /// Its title; empty when unknown.
    pub title: String,
    /// Whose stance.
    pub state: String,
    /// Its code.
    pub state_code: String,
    /// Toward whom.
    pub actor: String,
    /// Its code.
    pub actor_code: String,
    /// The class decided on.
    pub stance: Stance,
    /// Of each class; they sum to 1.
    pub probabilities: Probabilities,
    /// The advantage, in logits, by which it was decided on though another class is more probable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_advantage: Option<f64>,
    /// The calibrated logits.
    pub logits: Probabilities,
    /// Those without any evidence's words.
    pub base: Probabilities,
    /// The evidence, that which counts most first.
    pub evidence: Vec<EvidenceExplanationRecord>,
}

/// What one piece of evidence adds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvidenceExplanationRecord {
    /// How closely it connects the two.
    pub strength: Strength,
    /// Its sentence; of neighbours both; a title and a sentence.
    pub sentences: Vec<Place>,
    /// Its share in the score.
    pub share: f64,
    /// What it adds to the logits.
    pub contribution: Probabilities,
    /// The probabilities that the rest of the evidence would give, if there is more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub without: Option<Probabilities>,
    /// How what its words add was found.
    pub method: Method,
    /// What each word adds, in the order of the text.
    pub words: Vec<WordRecord>,
    /// What each feature adds.
    pub features: Vec<FeatureRecord>,
}

/// A stretch of a part of the article.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// What stands there.
    pub text: String,
    /// Title or text.
    pub part: Part,
    /// Where it begins.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
}

/// A word, with what all features that it is part of add, each divided among its words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WordRecord {
    /// Where it stands.
    #[serde(flatten)]
    pub place: Place,
    /// What it adds to the logits.
    pub contribution: Probabilities,
}

/// A feature, where it first occurs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FeatureRecord {
    /// Its name; see [`crate::model::linear::ngrams`].
    pub name: String,
    /// Where it stands.
    #[serde(flatten)]
    pub place: Place,
    /// What it adds to the logits.
    pub contribution: Probabilities,
}

impl ExplanationRecord {
    /// The record of an explanation.
    pub fn new(article: &Article, state: &Entry, actor: &Entry, explanation: &Explanation) -> Self {
        let parts = [Part::Title, Part::Text].map(|part| Characters::new(article.part(part)));
        let place = |part: Part, span: &Span| {
            let [start, end] = parts[usize::from(part == Part::Text)].of_span(span);
            Place { text: article.part(part)[span.clone()].to_owned(), part, start, end }
        };
        let evidence = explanation.evidence.iter().map(|e| EvidenceExplanationRecord {
            strength: e.strength,
            sentences: e.sentences.iter().map(|(part, span)| place(*part, span)).collect(),
            share: e.share,
            contribution: e.contribution.into(),
            without: e.without.map(Into::into),
            method: e.method,
            words: by_word(article, &e.features)
                .into_iter()
                .map(|(part, span, contribution)| WordRecord {
                    place: place(part, &span),
                    contribution: contribution.into(),
                })
                .collect(),
            features: e
                .features
                .iter()
                .map(|f| FeatureRecord {
                    name: f.name.clone(),
                    place: place(f.part, &f.span),
                    contribution: f.contribution.into(),
                })
                .collect(),
        });
        Self {
            id: article.id.clone(),
            path: article.path.clone(),
            title: article.title.clone().unwrap_or_default(),
            state: state.name.clone(),
            state_code: state.code.clone(),
            actor: actor.name.clone(),
            actor_code: actor.code.clone(),
            stance: explanation.stance,
            probabilities: explanation.probabilities.into(),
            by_advantage: explanation.by_advantage,
            logits: explanation.logits.into(),
            base: explanation.base.into(),
            evidence: evidence.collect(),
        }
    }
}

/// What each word adds: each feature divided alike among the words that it stands for.
pub fn by_word(article: &Article, features: &[FeatureExplanation]) -> Vec<(Part, Span, [f64; 3])> {
    let mut sums: std::collections::BTreeMap<(Part, usize, usize), [f64; 3]> = Default::default();
    for feature in features {
        let text = article.part(feature.part);
        let mut words = Vec::new();
        let mut from = None;
        for (at, c) in text[feature.span.clone()].char_indices() {
            let at = feature.span.start + at;
            match (from, c.is_whitespace()) {
                (None, false) => from = Some(at),
                (Some(start), true) => {
                    words.push((start, at));
                    from = None;
                }
                _ => {}
            }
        }
        words.extend(from.map(|start| (start, feature.span.end)));
        let share = 1.0 / words.len().max(1) as f64;
        for (start, end) in words {
            let sum = sums.entry((feature.part, start, end)).or_default();
            for (sum, adds) in sum.iter_mut().zip(feature.contribution) {
                *sum += share * adds;
            }
        }
    }
    sums.into_iter().map(|((part, start, end), sum)| (part, start..end, sum)).collect()
}
