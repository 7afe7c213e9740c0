//! Rows beside what was said of them, with the passage that names both.

use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::article::{Article, Part, Span};
use crate::document::Side;
use crate::evaluate::report::Scored;
use crate::pipeline::{Pipeline, Query, find};
use crate::stance::Stance;

/// A labelled row and its answer.
#[derive(Debug, Clone, PartialEq)]
pub struct EvaluatedRow {
    /// The row's id, or `FILE:LINE`.
    pub id: String,
    /// Whose stance.
    pub state: String,
    /// Its code; empty for what is no entry of the gazetteer.
    pub state_code: String,
    /// Toward whom.
    pub actor: String,
    /// What the row says.
    pub label: Stance,
    /// What was answered.
    pub stance: Stance,
    /// Of aligned, neutral, opposed; `None` of a program that gives none.
    pub probabilities: Option<[f64; 3]>,
    /// What a wrong answer is of; `None` of a right one, and of those beyond as many as were asked for.
    pub passage: Option<Passage>,
}

/// A part of a text: the two names, at most 1,200 bytes apart, and up to 300 on either side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    /// The text.
    pub text: String,
    /// Where in it the state is named, in bytes.
    pub state: Option<Span>,
    /// Where the actor is.
    pub actor: Option<Span>,
}

/// Bytes before and after the names.
const AROUND: usize = 300;

/// Puts rows beside their answers, `most` of the wrong ones with their passage: the surest, of equal ones the first. `names`
/// finds what the rows do not mark.
pub fn rows(scored: &[Scored<'_>], names: &Pipeline, most: usize) -> Vec<EvaluatedRow> {
    let gazetteer = names.gazetteer();
    let sureness = |row: &Scored<'_>| row.probabilities.map_or(0.0, |p| p[row.stance.index()]);
    let mut wrong: Vec<usize> = (0..scored.len()).filter(|&at| scored[at].label != scored[at].stance).collect();
    wrong.sort_by(|&a, &b| sureness(&scored[b]).total_cmp(&sureness(&scored[a])));
    wrong.truncate(most);
    let passages: Vec<Passage> = wrong.par_iter().map(|&at| passage(&scored[at], names)).collect();
    let mut passages: BTreeMap<usize, Passage> = wrong.into_iter().zip(passages).collect();
    let row = |(at, row): (usize, &Scored<'_>)| {
        let pair = row.pair;
        let code = gazetteer.find(&pair.state).map(|id| gazetteer.get(id).code.clone());
        EvaluatedRow {
            id: pair.article.id.clone(),
            state: pair.state.clone(),
            state_code: code.unwrap_or_default(),
            actor: pair.actor.clone(),
            label: row.label,
            stance: row.stance,
            probabilities: row.probabilities,
            passage: passages.remove(&at),
        }
    };
    scored.iter().enumerate().map(row).collect()
}

fn passage(row: &Scored<'_>, names: &Pipeline) -> Passage {
    let article = &row.pair.article;
    if let (Some(state), Some(actor)) = (&row.pair.state_span, &row.pair.actor_span) {
        return around(&article.text, Some(state.clone()), Some(actor.clone()));
    }
    let found = || -> Option<Passage> {
        let gazetteer = names.gazetteer();
        let [state, actor] = [&row.pair.state, &row.pair.actor].map(|name| find(gazetteer, name).ok());
        let query = Query { actors: vec![actor?], states: vec![state?], evidence_limit: Some(1), ..Query::default() };
        let predictions = names.predict(article, &query);
        let evidence = &predictions.first()?.evidence.first()?.evidence;
        // A name that stands in the title beside a sentence of the text is not of the passage.
        let state = (evidence.in_title != Some(Side::State)).then(|| evidence.state.clone());
        let actor = (evidence.in_title != Some(Side::Actor)).then(|| evidence.actor.clone());
        Some(around(article.part(evidence.part), state, actor))
    };
    found().unwrap_or_else(|| around(text_of(article), None, None))
}

fn text_of(article: &Article) -> &str {
    if article.text.is_empty() { article.part(Part::Title) } else { &article.text }
}

/// The text around two names; around the state alone where they stand far apart.
fn around(text: &str, state: Option<Span>, actor: Option<Span>) -> Passage {
    let far = |(a, b): (&Span, &Span)| a.start.abs_diff(b.start) > 4 * AROUND;
    let actor = actor.filter(|actor| !state.as_ref().is_some_and(|state| far((state, actor))));
    let names = || state.iter().chain(&actor);
    let first = names().map(|span| span.start).min().unwrap_or(0);
    let last = names().map(|span| span.end).max().unwrap_or(0);
    let mut start = first.saturating_sub(AROUND);
    let mut end = (last + AROUND).min(text.len());
    // To the end of a word, where there is one.
    while !text.is_char_boundary(start) {
        start += 1;
    }
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    if start > 0 {
        start += text[start..first].find(char::is_whitespace).map_or(0, |at| at + 1);
        while !text.is_char_boundary(start) {
            start += 1;
        }
    }
    if end < text.len() {
        end = text[last..end].rfind(char::is_whitespace).map_or(end, |at| last + at);
    }
    let before = if start > 0 { "…" } else { "" };
    let after = if end < text.len() { "…" } else { "" };
    let moved = |span: Span| span.start - start + before.len()..span.end - start + before.len();
    Passage { text: format!("{before}{}{after}", &text[start..end]), state: state.map(moved), actor: actor.map(moved) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passage_is_cut_between_words_and_holds_the_names() {
        let text = format!("{} Norway blamed Österreich. {}", "é war ".repeat(100), "ß word ".repeat(100));
        let at = |name: &str| text.find(name).map(|start| start..start + name.len());
        let passage = around(&text, at("Norway"), at("Österreich"));
        assert_eq!(&passage.text[passage.state.clone().unwrap()], "Norway");
        assert_eq!(&passage.text[passage.actor.clone().unwrap()], "Österreich");
        assert!(passage.text.starts_with('…') && passage.text.ends_with('…') && passage.text.len() < 700);
        let all = around("Norway blamed Chile.", Some(0..6), Some(14..19));
        assert_eq!((all.text.as_str(), all.actor), ("Norway blamed Chile.", Some(14..19)));
    }
}
