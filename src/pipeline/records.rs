//! From predictions to the records that everybody reads.

use super::{Prediction, ScoredEvidence};
use crate::article::{Article, Part, Span};
use crate::characters::Characters;
use crate::record::{EvidenceRecord, Record};

impl Record {
    /// The records of an article's predictions, in their order, made one at a time.
    pub fn all<'a>(article: &'a Article, predictions: &'a [Prediction<'a>]) -> impl Iterator<Item = Self> + 'a {
        let characters = [Part::Title, Part::Text].map(|part| Characters::new(article.part(part)));
        let known = |field: &Option<String>| field.clone().unwrap_or_default();
        let record = move |p: &Prediction<'_>| Self {
            id: article.id.clone(),
            path: article.path.clone(),
            title: known(&article.title),
            date: known(&article.date),
            url: known(&article.url),
            source: known(&article.source),
            language: known(&article.language),
            columns: article.columns.clone(),
            state: p.state.name.clone(),
            state_code: p.state.code.clone(),
            actor: p.actor.name.clone(),
            actor_code: p.actor.code.clone(),
            stance: p.stance,
            probabilities: p.probabilities.into(),
            mentions: p.mentions,
            no_evidence: p.no_evidence,
            evidence: p.evidence.iter().map(|e| EvidenceRecord::new(article, &characters, e)).collect(),
        };
        predictions.iter().map(record)
    }
}

impl EvidenceRecord {
    fn new(article: &Article, characters: &[Characters<'_>; 2], scored: &ScoredEvidence) -> Self {
        let evidence = &scored.evidence;
        let of = |part: Part, span: &Span| characters[usize::from(part == Part::Text)].of_span(span);
        let [start, end] = of(evidence.part, &evidence.span);
        Self {
            text: article.part(evidence.part)[evidence.span.clone()].into(),
            part: evidence.part,
            start,
            end,
            strength: evidence.strength,
            cut: scored.is_cut,
            stance: scored.stance,
            probability: scored.probabilities[scored.stance.index()],
            state: of(evidence.state_part(), &evidence.state),
            actor: of(evidence.actor_part(), &evidence.actor),
            in_title: evidence.in_title,
        }
    }
}
