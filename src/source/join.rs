//! Labels that are kept apart from their texts, put together again.
//!
//! A label file names a text by its id and, where the label is about given words, their offsets; the texts stand in
//! another file ([`Texts`]). So labels on texts that may not be copied can still be shared.

use std::path::Path;

use rustc_hash::FxHashMap;
use serde::Deserialize;

use super::{LabelMap, LabelledPair, Source, Warn};
use crate::article::{Article, Span};
use crate::error::{Error, Location, Result};

/// How a file of texts is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TextLayout {
    /// Articles as CSV or JSONL, by their id.
    Articles,
    /// JSONL of passages; `ID-J` is the J-th piece of a passage, divided after `.`, `!` or `?` and white space.
    Sentences,
    /// The same, divided after `;` too.
    Clauses,
    /// Lines of the directed-sentiment corpus; `dse-train-N` is line N, counted from 0, without the brackets.
    DirectedSentiment,
}

/// Texts by id.
#[derive(Debug, Clone)]
pub struct Texts {
    path: String,
    articles: FxHashMap<String, Article>,
}

impl Texts {
    /// Reads a file of texts.
    ///
    /// # Errors
    /// What reading the file gives: [`Error::Io`], [`Error::Format`].
    pub fn read(path: &Path, layout: TextLayout, warn: &Warn) -> Result<Self> {
        let mut articles = FxHashMap::default();
        match layout {
            TextLayout::DirectedSentiment => {
                for (line, row) in super::directed::lines(path, warn)?.enumerate() {
                    let id = format!("dse-train-{line}");
                    articles.insert(id.clone(), Article::new(row?.text).with_id(id));
                }
            }
            TextLayout::Articles => {
                for article in super::read(&Source::file(path), warn)? {
                    let article = article?;
                    articles.insert(article.id.clone(), article);
                }
            }
            TextLayout::Sentences | TextLayout::Clauses => {
                let stops: &[char] =
                    if layout == TextLayout::Clauses { &['.', ';', '!', '?'] } else { &['.', '!', '?'] };
                for article in super::read(&Source::file(path), warn)? {
                    let article = article?;
                    for (j, piece) in pieces(&article.text, stops).enumerate() {
                        let id = format!("{}-{j}", article.id);
                        articles.insert(id.clone(), Article::new(piece).with_id(id));
                    }
                }
            }
        }
        Ok(Self { path: path.display().to_string(), articles })
    }

    /// How many texts there are.
    pub fn len(&self) -> usize {
        self.articles.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.articles.is_empty()
    }

    /// The text of that id.
    pub fn get(&self, id: &str) -> Option<&Article> {
        self.articles.get(id)
    }
}

/// Divides a text at white space that follows a stop.
fn pieces<'t>(text: &'t str, stops: &'t [char]) -> impl Iterator<Item = &'t str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let mut previous = None;
        for (at, c) in text.char_indices() {
            if c.is_whitespace() && previous.is_some_and(|p| stops.contains(&p)) {
                let after = text[at..].trim_start();
                rest = Some(after);
                return Some(&text[..at]);
            }
            previous = Some(c);
        }
        rest = None;
        Some(text)
    })
}

#[derive(Debug, Deserialize)]
struct LabelRow {
    #[serde(alias = "sentence")]
    id: String,
    state: String,
    actor: String,
    label: String,
    state_start: Option<usize>,
    state_end: Option<usize>,
    actor_start: Option<usize>,
    actor_end: Option<usize>,
    group: Option<String>,
    #[serde(flatten)]
    columns: std::collections::BTreeMap<String, String>,
}

/// Reads a label file (`id,state,actor,label`, optionally four offsets in characters and `group`) and gives each label
/// its text. Rows of one text are one group, unless they name another.
///
/// # Errors
/// [`Error::Format`] for a row without its text, an unknown label, or offsets outside the text.
pub fn join(labels: &Path, texts: &Texts, map: &LabelMap) -> Result<Vec<LabelledPair>> {
    let path = labels.display().to_string();
    let file = std::fs::File::open(labels).map_err(|e| Error::io(labels, e))?;
    let mut reader = csv::Reader::from_reader(file);
    let mut pairs = Vec::new();
    let headers = reader.headers().map_err(|e| csv_error(&path, &e))?.clone();
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(|e| csv_error(&path, &e))? {
        let location = Location::line(&path, record.position().map_or(0, csv::Position::line));
        let row: LabelRow = record.deserialize(Some(&headers)).map_err(|e| csv_error(&path, &e))?;
        let article = texts.get(&row.id).ok_or_else(|| {
            Error::format(location.clone(), format!("id `{}`", row.id), format!("the id of a text in {}", texts.path))
        })?;
        let label = map.stance(&row.label).ok_or_else(|| {
            let known = map.labels().collect::<Vec<_>>().join(", ");
            Error::format(location.clone(), format!("label `{}`", row.label), format!("one of {known}"))
        })?;
        let span = |start: Option<usize>, end: Option<usize>, what: &str| -> Result<Option<Span>> {
            let (Some(start), Some(end)) = (start, end) else { return Ok(None) };
            characters_to_bytes(&article.text, start, end).map(Some).ok_or_else(|| {
                let found = format!("{what} {start} to {end}");
                let length = article.text.chars().count();
                Error::format(location.clone(), found, format!("a range within the text's {length} characters"))
            })
        };
        pairs.push(LabelledPair {
            state_span: span(row.state_start, row.state_end, "state")?,
            actor_span: span(row.actor_start, row.actor_end, "actor")?,
            article: article.clone(),
            state: row.state,
            actor: row.actor,
            label: Some(label),
            group: Some(row.group.unwrap_or(row.id)),
            columns: row.columns,
            location,
        });
    }
    Ok(pairs)
}

fn csv_error(path: &str, error: &csv::Error) -> Error {
    let line = error.position().map(csv::Position::line);
    let location = Location { path: path.into(), line, column: None };
    Error::format(location, error.to_string(), "a CSV row of id,state,actor,label")
}

/// The byte range of a range of characters; `None` where it is empty or outside the text.
pub fn characters_to_bytes(text: &str, start: usize, end: usize) -> Option<Span> {
    if start >= end {
        return None;
    }
    let mut ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    let first = ends.nth(start)?;
    let last = ends.nth(end - start - 1)?;
    Some(first..last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_divide_after_stops_only() {
        let all = |text, stops| pieces(text, stops).map(String::from).collect::<Vec<_>>();
        assert_eq!(all("One. Two;  three! ", &['.', '!']), ["One.", "Two;  three!", ""]);
        assert_eq!(all("a; b", &[';']), ["a;", "b"]);
        assert_eq!(all("3.5 per cent", &['.']), ["3.5 per cent"]);
    }

    #[test]
    fn characters_are_not_bytes() {
        assert_eq!(characters_to_bytes("Côte d'Ivoire", 0, 4), Some(0..5));
        assert_eq!(characters_to_bytes("Côte", 3, 4), Some(4..5));
        assert_eq!(characters_to_bytes("Côte", 0, 5), None);
        assert_eq!(characters_to_bytes("Côte", 2, 2), None);
    }
}
