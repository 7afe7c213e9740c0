//! JSONL: an object a line.

use serde::Deserialize;
use serde::de::{DeserializeOwned, Error as _};
use serde_json::value::RawValue;

use super::stream::{LineRead, Stream, read_error, read_line};
use super::{MAX_LINE, check_size, filled};
use crate::{Article, Error, Location, Result};

/// The articles of a file whose objects have a `text` or a `title`.
pub(crate) fn articles(stream: Stream, id: &str) -> impl Iterator<Item = Result<Article>> + Send + use<> {
    let id = id.to_owned();
    let mut objects = Objects::new(stream, "article");
    std::iter::from_fn(move || {
        let line = match objects.next()? {
            Ok(line) => line,
            Err(error) => return Some(Err(error)),
        };
        Some(objects.parse::<Fields>(&line).and_then(|fields| {
            let location = objects.location();
            let title = filled(fields.title.as_deref());
            let text = fields.text.unwrap_or_default();
            if title.is_none() && text.trim().is_empty() {
                return Err(objects.lacks(&line, &["text"], "`text` (or `title`)"));
            }
            check_size(&text, &location)?;
            let row_id = match fields.id {
                Some(Cell::Nested(_)) => {
                    return Err(Error::format(location, "an `id` that is a list or an object", "a string or a number"));
                }
                id => filled(id.and_then(Cell::text).as_deref()),
            };
            Ok(Article {
                id: row_id.unwrap_or_else(|| format!("{id}:{}", objects.line)),
                title,
                text,
                date: filled(fields.date.as_deref()),
                url: filled(fields.url.as_deref()),
                source: filled(fields.source.as_deref()),
                language: filled(fields.language.as_deref()),
            })
        }))
    })
}

/// What an article's object may hold; the rest is passed over.
#[derive(Deserialize)]
struct Fields {
    id: Option<Cell>,
    title: Option<String>,
    text: Option<String>,
    date: Option<String>,
    url: Option<String>,
    source: Option<String>,
    language: Option<String>,
}

/// A value as it is written: numbers keep every digit.
pub(crate) enum Cell {
    Null,
    Text(String),
    /// A number or a truth value.
    Plain(String),
    /// A list or an object.
    Nested(String),
}

impl<'de> Deserialize<'de> for Cell {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        match raw.get() {
            "null" => Ok(Self::Null),
            text if text.starts_with('"') => serde_json::from_str(text).map(Self::Text).map_err(D::Error::custom),
            nested if nested.starts_with(['[', '{']) => Ok(Self::Nested(nested.to_owned())),
            plain => Ok(Self::Plain(plain.to_owned())),
        }
    }
}

impl Cell {
    /// The string, or the number, truth value, list or object as it is written; `None` for null.
    pub(crate) fn text(self) -> Option<String> {
        match self {
            Self::Null => None,
            Self::Text(text) | Self::Plain(text) | Self::Nested(text) => Some(text),
        }
    }
}

/// The lines of a stream that are not blank.
pub(crate) struct Objects {
    stream: Stream,
    /// The line read last, from 1.
    pub(crate) line: u64,
    buffer: Vec<u8>,
    /// What the lines are, for the complaint that there is none.
    what: &'static str,
    any: bool,
    ended: bool,
}

impl Objects {
    pub(crate) fn new(stream: Stream, what: &'static str) -> Self {
        Self { stream, line: 0, buffer: Vec::new(), what, any: false, ended: false }
    }

    /// Where the line read last is.
    pub(crate) fn location(&self) -> Location {
        Location::line(self.stream.path.clone(), self.line)
    }

    /// The value that `line` holds.
    pub(crate) fn parse<T: DeserializeOwned>(&self, line: &str) -> Result<T> {
        serde_json::from_str(line).map_err(|error| {
            let before = line.get(..error.column().saturating_sub(1)).unwrap_or(line);
            let column = before.chars().count() as u64 + 1;
            let whole = error.to_string();
            let message = whole.rsplit_once(" at line ").map_or(whole.as_str(), |(message, _)| message);
            let found = match error.classify() {
                serde_json::error::Category::Data => message.to_owned(),
                _ if line.trim_start().starts_with('[') && self.line == 1 => "a JSON array".to_owned(),
                _ => format!("broken JSON ({message})"),
            };
            Error::format(self.location().at_column(column), found, "a JSON object on each line")
        })
    }

    /// The error that the object on `line` has no usable value for the keys `missing`; `expected` names what was wanted.
    pub(crate) fn lacks(&self, line: &str, missing: &[&str], expected: &str) -> Error {
        let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line).unwrap_or_default();
        let names: Vec<String> = object.keys().map(|key| format!("`{key}`")).collect();
        let found = match missing.iter().find(|&&want| object.contains_key(want)) {
            Some(empty) => format!("an empty `{empty}`"),
            None if names.is_empty() => "an empty object".to_owned(),
            None => format!("the keys {}", names.join(", ")),
        };
        let near: String = missing
            .iter()
            .filter_map(|want| {
                let near = object.keys().find(|key| *key != want && key.trim().eq_ignore_ascii_case(want))?;
                Some(format!("; `{near}` should be written `{want}`"))
            })
            .collect();
        Error::format(self.location(), found, format!("{expected}{near}"))
    }

    fn read(&mut self) -> Result<Option<String>> {
        loop {
            let read = read_line(&mut *self.stream.reader, &mut self.buffer).map_err(|error| {
                self.ended = true;
                read_error(&self.stream.path, Some(self.line + 1), error)
            })?;
            self.line += 1;
            match read {
                LineRead::End => {
                    self.ended = true;
                    return Ok(None);
                }
                LineRead::TooLong => {
                    let found = format!("a line of more than {} MiB", MAX_LINE >> 20);
                    return Err(Error::format(self.location(), found, "a JSON object on each line"));
                }
                LineRead::Line if self.buffer.iter().all(u8::is_ascii_whitespace) => {}
                LineRead::Line => {
                    let bytes = std::mem::take(&mut self.buffer);
                    return self.stream.decoder.decode(bytes, self.line, None).map(Some);
                }
            }
        }
    }
}

impl Iterator for Objects {
    type Item = Result<String>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.read().transpose();
        if next.is_none() && !self.any {
            self.any = true;
            return Some(Err(Error::Empty { path: self.stream.path.clone(), what: self.what }));
        }
        self.any = true;
        next
    }
}
