//! Labelled pairs: a text, a state, an actor, and the stance of the one toward the other.
//!
//! | field | |
//! |---|---|
//! | `text`, `state`, `actor`, `label` | required |
//! | `id`, `title`, `date`, `url`, `source`, `language`, `group` | optional |
//! | `state_start`, `state_end`, `actor_start`, `actor_end` | optional, all four or none: where the two names stand in `text`, in Unicode characters |
//!
//! All other columns are kept, so that scores can be broken down by them.

use std::collections::BTreeMap;
use std::fmt;

use super::label_map::LabelMap;
use super::offsets::{OffsetUnit, Tally};
use super::rows::{Record, records};
use crate::characters::Characters;
use crate::gazetteer::{EntryId, Gazetteer};
use crate::source::{Source, Warn, check_size, filled};
use crate::{Article, Error, Location, Result, Span, Stance};

const REQUIRED: [&str; 4] = ["text", "state", "actor", "label"];
const OFFSETS: [&str; 4] = ["state_start", "state_end", "actor_start", "actor_end"];
/// The other columns that have a place of their own.
const OPTIONAL: [&str; 7] = ["id", "title", "date", "url", "source", "language", "group"];

/// How labelled files are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelledOptions {
    /// What the labels mean; defaults to the three names of the stances.
    pub labels: LabelMap,
    /// Whether each row must have a label; defaults to `true`.
    pub label_required: bool,
}

impl Default for LabelledOptions {
    fn default() -> Self {
        Self { labels: LabelMap::default(), label_required: true }
    }
}

/// A row of a labelled file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelledPair {
    /// The text and what is known of it; its id is the row's, or `FILE:LINE`.
    pub article: Article,
    /// The state, as the row names it.
    pub state: String,
    /// The actor, as the row names it.
    pub actor: String,
    /// The stance of the state toward the actor.
    pub label: Option<Stance>,
    /// Where the state stands in the text, in bytes.
    pub state_span: Option<Span>,
    /// Where the actor stands in the text, in bytes.
    pub actor_span: Option<Span>,
    /// What rows must not be divided between training and test.
    pub group: Option<String>,
    /// The columns that have no place above.
    pub columns: BTreeMap<String, String>,
    /// The line that the row begins on.
    pub location: Location,
}

/// See [`LabelledPair::identity`]; equal for rows that repeat each other.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Identity<'p> {
    title: Option<&'p str>,
    text: &'p str,
    /// An entry, or a name that the gazetteer lacks.
    state: (Result<EntryId, String>, Option<&'p Span>),
    actor: (Result<EntryId, String>, Option<&'p Span>),
    label: Option<Stance>,
}

impl LabelledPair {
    /// What rows that belong together share: the group, or the text where there is none.
    pub fn group_key(&self) -> &str {
        self.group.as_deref().unwrap_or(&self.article.text)
    }

    /// What makes the row this judgement and no other: title, text, the two parties (whatever the row calls them) and where
    /// they stand, and the label. A row whose identity stood before says nothing new.
    pub fn identity(&self, gazetteer: &Gazetteer) -> Identity<'_> {
        let party = |name: &str| gazetteer.find(name).ok_or_else(|| name.to_lowercase());
        Identity {
            title: self.article.title.as_deref(),
            text: &self.article.text,
            state: (party(&self.state), self.state_span.as_ref()),
            actor: (party(&self.actor), self.actor_span.as_ref()),
            label: self.label,
        }
    }

    /// What the row has in the column `name`, to break scores down by it.
    pub fn column(&self, name: &str) -> Option<&str> {
        match name {
            "state" => Some(&self.state),
            "actor" => Some(&self.actor),
            "label" => self.label.map(Stance::as_str),
            "group" => self.group.as_deref(),
            "id" => Some(&self.article.id),
            "title" => self.article.title.as_deref(),
            "date" => self.article.date.as_deref(),
            "source" => self.article.source.as_deref(),
            "url" => self.article.url.as_deref(),
            "language" => self.article.language.as_deref(),
            _ => self.columns.get(name).map(String::as_str),
        }
    }
}

/// Labelled pairs as they are read.
pub struct LabelledPairs {
    inner: Box<dyn Iterator<Item = Result<LabelledPair>> + Send>,
}

impl fmt::Debug for LabelledPairs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LabelledPairs").finish_non_exhaustive()
    }
}

impl Iterator for LabelledPairs {
    type Item = Result<LabelledPair>;

    fn next(&mut self) -> Option<Self::Item> {
        self.inner.next()
    }
}

/// The labelled pairs of a CSV or JSONL input.
///
/// # Errors
///
/// If it cannot be opened, is in another format, or lacks a required column. Errors of single rows come from the
/// iterator; so does [`Error::Empty`], at the end, when there was no row.
pub fn labelled(source: &Source, options: &LabelledOptions, warn: &Warn) -> Result<LabelledPairs> {
    let required = if options.label_required { &REQUIRED[..] } else { &REQUIRED[..3] };
    let id = source.id.clone();
    let rows = records(source, required, warn)?.map(move |row| row.and_then(|(line, row)| row.with_article(&id, line)));
    Ok(LabelledPairs { inner: Box::new(pairs(rows, source.input.name(), options.clone(), warn.clone())) })
}

/// What is wrong with the places of two names, and what they should be.
pub(super) fn check_places(text: &str, state: &Span, actor: &Span) -> Option<(String, &'static str)> {
    let [state_name, actor_name] = [state, actor].map(|span| &text[span.clone()]);
    if state_name.trim().is_empty() || actor_name.trim().is_empty() {
        return Some(("a name of white space".into(), "the words of a name"));
    }
    let overlap = state.start < actor.end && actor.start < state.end;
    let found = || format!("the state `{state_name}` and the actor `{actor_name}`, which overlap");
    overlap.then(|| (found(), "two names, each with words of its own"))
}

/// A row with the article that it is about, and its group.
pub(super) type About = (Record, Article, Option<String>);

/// How many rows may be held to find out what their offsets count, and how many of those that tell are enough.
const ROWS_TO_LOOK_AT: usize = 10_000;
const TELLING: usize = 200;

/// Pairs of rows; what their offsets count is found out from the first of them.
pub(super) fn pairs(
    mut rows: impl Iterator<Item = Result<About>>,
    path: String,
    options: LabelledOptions,
    warn: Warn,
) -> impl Iterator<Item = Result<LabelledPair>> {
    let mut held: std::collections::VecDeque<Result<About>> = Default::default();
    let mut unit = None;
    std::iter::from_fn(move || {
        let unit = *unit.get_or_insert_with(|| {
            let mut tally = Tally::default();
            while held.len() < ROWS_TO_LOOK_AT && tally.telling < TELLING {
                let Some(row) = rows.next() else { break };
                let offsets = row.as_ref().ok().map(|(record, article, _)| (record.offsets(), article));
                if let Some((Ok(Some([a, b, c, d])), article)) = offsets {
                    tally.add(article, a, b, None);
                    tally.add(article, c, d, None);
                }
                held.push_back(row);
            }
            tally.unit(&path, &warn)
        });
        let row = held.pop_front().or_else(|| rows.next())?;
        Some(row.and_then(|(record, article, group)| record.about(article, group, unit, &options)))
    })
}

impl Record {
    fn with_article(self, id: &str, line: u64) -> Result<About> {
        let text = self.needed("text")?;
        check_size(&text, &self.location)?;
        let optional = OPTIONAL.map(|name| filled(self.get(name)));
        let [row_id, title, date, url, source, language, group] = optional;
        let id = row_id.unwrap_or_else(|| format!("{id}:{line}"));
        Ok((self, Article { id, title, text, date, url, source, language, ..Article::default() }, group))
    }

    /// The row as a label on `article`.
    fn about(
        mut self,
        article: Article,
        group: Option<String>,
        unit: OffsetUnit,
        options: &LabelledOptions,
    ) -> Result<LabelledPair> {
        let state = self.needed("state")?.trim().to_owned();
        let actor = self.needed("actor")?.trim().to_owned();
        let label = match self.get("label") {
            Some(label) => Some(options.labels.stance(label).ok_or_else(|| self.unknown(label, &options.labels))?),
            None if options.label_required => return Err(self.wrong("label", "an empty `label`", "a stance")),
            None => None,
        };
        let (state_span, actor_span) = self.spans(&article.text, unit)?.unzip();
        for name in REQUIRED.iter().chain(&OFFSETS).chain(&OPTIONAL) {
            self.fields.remove(*name);
        }
        Ok(LabelledPair {
            article,
            state,
            actor,
            label,
            state_span,
            actor_span,
            group,
            columns: self.fields.into_iter().map(|(name, (_, cell))| (name, cell)).collect(),
            location: self.location,
        })
    }

    fn unknown(&self, label: &str, map: &LabelMap) -> Error {
        self.wrong("label", format!("the label `{label}`"), map.expected())
    }

    /// The four offsets, as they are written; `None` where there is none of them.
    fn offsets(&self) -> Result<Option<[usize; 4]>> {
        let mut offsets = [0; 4];
        let given = OFFSETS.iter().filter(|name| self.get(name).is_some()).count();
        if given == 0 {
            return Ok(None);
        }
        for (at, name) in OFFSETS.iter().enumerate() {
            let Some(cell) = self.get(name) else {
                return Err(self.wrong(name, format!("no `{name}`"), format!("all of {} or none", OFFSETS.join(", "))));
            };
            offsets[at] = cell.trim().parse::<usize>().map_err(|_| {
                self.wrong(name, format!("`{cell}` as `{name}`"), "a whole number of characters, from 0")
            })?;
        }
        Ok(Some(offsets))
    }

    /// Where the state and the actor stand, in bytes of `text`.
    fn spans(&self, text: &str, unit: OffsetUnit) -> Result<Option<(Span, Span)>> {
        let Some([a, b, c, d]) = self.offsets()? else { return Ok(None) };
        let text = Characters::new(text);
        let state = self.span(&text, unit, [OFFSETS[0], OFFSETS[1]], [a, b])?;
        let actor = self.span(&text, unit, [OFFSETS[2], OFFSETS[3]], [c, d])?;
        if let Some((found, expected)) = check_places(text.text(), &state, &actor) {
            return Err(self.wrong(OFFSETS[2], found, expected));
        }
        Ok(Some((state, actor)))
    }

    fn span(
        &self,
        text: &Characters<'_>,
        unit: OffsetUnit,
        [start_name, end_name]: [&str; 2],
        [start, end]: [usize; 2],
    ) -> Result<Span> {
        if start >= end {
            let found = format!("`{start_name}` {start} and `{end_name}` {end}");
            return Err(self.wrong(end_name, found, "a start before the end"));
        }
        unit.span(text, start, end).ok_or_else(|| {
            let found = format!("`{end_name}` {end} in a text of {} characters", text.count());
            self.wrong(end_name, found, format!("an offset within the text, in {unit}"))
        })
    }
}
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_differ_in_their_title_alone_are_two() {
        let pair = |title: &str| crate::data::example("They met.", "Peru", "Chile", Stance::Neutral, 2).titled(title);
        let names = Gazetteer::embedded();
        let hits = LabelledPair { state: "PER".into(), ..pair("Peru hits Chile") };
        assert_eq!(pair("Peru hits Chile").identity(names), hits.identity(names));
        assert_ne!(pair("Peru hits Chile").identity(names), pair("Peru thanks Chile").identity(names));
    }

    impl LabelledPair {
        fn titled(mut self, title: &str) -> Self {
            self.article = self.article.with_title(title);
            self
        }
    }
}
