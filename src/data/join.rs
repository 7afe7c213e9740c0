//! Labels that are kept apart from their texts, put together again.
//!
//! A label file names a text by its id and, where the label is about given words, their offsets; the texts stand in
//! another file ([`Texts`]). So labels on texts that may not be copied can still be shared.

use std::path::Path;

use rustc_hash::FxHashMap;
use serde::Deserialize;

use super::labelled::pairs;
use super::rows::label_records;
use super::{LabelMap, LabelledOptions, LabelledPair};
use crate::article::Article;
use crate::error::Result;
use crate::source::{self, Source, Warn, filled};

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
    /// What reading the file gives: [`Error::Io`](crate::Error::Io), [`Error::Format`](crate::Error::Format).
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
                for article in source::read(&Source::file(path), warn)? {
                    let article = article?;
                    articles.insert(article.id.clone(), article);
                }
            }
            TextLayout::Sentences | TextLayout::Clauses => {
                let stops: &[char] =
                    if layout == TextLayout::Clauses { &['.', ';', '!', '?'] } else { &['.', '!', '?'] };
                for article in source::read(&Source::file(path), warn)? {
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

/// Reads a label file, CSV or JSONL (`id,state,actor,label`, optionally four offsets in characters and `group`), and gives
/// each label its text. Rows of one text are one group, unless they name another. A column `sentence` may stand for `id`.
///
/// # Errors
/// What reading the file gives; [`Error::Format`](crate::Error::Format) for a row without its text, an unknown label, or offsets that are outside
/// the text or only some of the four.
pub fn join(labels: &Path, texts: &Texts, map: &LabelMap, warn: &Warn) -> Result<Vec<LabelledPair>> {
    let options = LabelledOptions { labels: map.clone(), ..LabelledOptions::default() };
    let rows = label_records(labels, warn)?.map(|row| {
        let (_, mut row) = row?;
        row.rename("sentence", "id");
        let id = row.needed("id")?;
        let Some(article) = texts.get(&id) else {
            let expected = format!("the id of a text in {}", texts.path);
            return Err(row.wrong("id", format!("id `{id}`"), expected));
        };
        let group = filled(row.get("group")).unwrap_or(id);
        Ok((row, article.clone(), Some(group)))
    });
    pairs(rows, labels.display().to_string(), options, warn.clone()).collect()
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
}
