//! From predictions to the records that everybody reads.

use super::{Prediction, ScoredEvidence};
use crate::article::{Article, Part, Span};
use crate::characters::Characters;
use crate::record::{EvidenceRecord, Record};

impl Record {
    /// The records of an article's predictions, in their order, made one at a time.
    pub fn all<'a>(article: &'a Article, predictions: &'a [Prediction<'a>]) -> impl Iterator<Item = Self> + 'a {
        Record::lent(article, predictions).map(Record::into_owned)
    }
}

impl<'a> Record<&'a str> {
    /// [`all`](Record::all) with texts that article and gazetteer lend: for who writes them and keeps none.
    pub fn lent(article: &'a Article, predictions: &'a [Prediction<'a>]) -> impl Iterator<Item = Self> + 'a {
        let characters = [Part::Title, Part::Text].map(|part| Characters::new(article.part(part)));
        let known = |field: &'a Option<String>| field.as_deref().unwrap_or_default();
        let record = move |p: &'a Prediction<'a>| Record {
            id: &*article.id,
            path: &*article.path,
            title: known(&article.title),
            date: known(&article.date),
            url: known(&article.url),
            source: known(&article.source),
            language: known(&article.language),
            columns: article.columns.clone(),
            state: &*p.state.name,
            state_code: &*p.state.code,
            actor: &*p.actor.name,
            actor_code: &*p.actor.code,
            stance: p.stance,
            probabilities: p.probabilities.into(),
            mentions: p.mentions,
            no_evidence: p.no_evidence,
            evidence: p.evidence.iter().map(|e| evidence_record(article, &characters, e)).collect(),
        };
        predictions.iter().map(record)
    }
}

fn evidence_record<'a>(
    article: &'a Article,
    characters: &[Characters<'_>; 2],
    scored: &ScoredEvidence,
) -> EvidenceRecord<&'a str> {
    let evidence = &scored.evidence;
    let of = |part: Part, span: &Span| characters[usize::from(part == Part::Text)].of_span(span);
    let [start, end] = of(evidence.part, &evidence.span);
    EvidenceRecord {
        text: &article.part(evidence.part)[evidence.span.clone()],
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
