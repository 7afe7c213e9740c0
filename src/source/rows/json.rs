//! JSON: an array of objects, an object that holds one such array, one object, or objects one after the other.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde_json::value::RawValue;

use super::super::MAX_LINE;
use super::super::stream::{Stream, read_error};
use super::object::Objects;
use super::{Cell, Row};
use crate::source::ReadOptions;
use crate::source::fields::{self, Columns};
use crate::{Error, Location, Result};

/// The objects of a file.
pub(super) fn rows(stream: Stream, options: &Arc<ReadOptions>) -> impl Iterator<Item = Result<Row>> + Send + use<> {
    let options = Arc::clone(options);
    let mut objects = Objects::new(&stream.path);
    let mut values = Values::new(stream);
    let mut held: VecDeque<Result<Row>> = VecDeque::new();
    let mut first = true;
    let mut number = 0;
    let rows = std::iter::from_fn(move || {
        if let Some(row) = held.pop_front() {
            return Some(row);
        }
        let (line, json) = match values.next()? {
            Ok(value) => value,
            Err(error) => return Some(Err(error)),
        };
        let row = objects.row(&json, line);
        if std::mem::take(&mut first)
            && !values.in_array
            && let Ok(row) = &row
            && let Some(inner) = inner_array(row, &options)
        {
            held.extend(
                inner.and_then(|array| elements(&mut objects, array, line)).unwrap_or_else(|error| vec![Err(error)]),
            );
            return held.pop_front();
        }
        Some(row)
    });
    rows.map(move |row| {
        number += 1;
        row.map(|row| Row { number, ..row })
    })
}

/// The one array of objects that an object without text holds; an error where there are several. `None` for an article.
fn inner_array<'r>(row: &'r Row, options: &ReadOptions) -> Option<Result<&'r str>> {
    if Columns::new(&row.header.names, options).are_answers(&row.header.names) {
        return None;
    }
    let [text, title] = Columns::text_and_title(&row.header.names);
    let own = |name: &Option<String>| name.as_ref().and_then(|name| fields::find(&row.header.names, name));
    let starts = |cell: &Cell, with: char| match cell {
        Cell::Nested(json) => json.strip_prefix('[').is_some_and(|rest| rest.trim_start().starts_with(with)),
        _ => false,
    };
    // Text, or a list of paragraphs. A title alone may be that of a list of articles.
    let is_text = |at: usize| matches!(row.cells[at], Cell::Text(_)) || starts(&row.cells[at], '"');
    let has_text = own(&options.fields.text).or(text).filter(|&at| is_text(at));
    let arrays: Vec<usize> = (0..row.cells.len()).filter(|&at| starts(&row.cells[at], '{')).collect();
    if let Some(text) = has_text {
        // What a list says of itself is shorter than what is in it; an article's list of names is not.
        let own = row.cells[text].as_str().map_or(0, str::len);
        let is_list = |at: usize| row.cells[at].as_str().is_some_and(|json| holds_articles(json, own));
        return match arrays[..] {
            [at] if is_list(at) => row.cells[at].as_str().map(Ok),
            _ => None,
        };
    }
    match arrays[..] {
        [] => deeper(row),
        // An article without text may have a list of authors.
        [at] if title.is_none() || row.cells[at].as_str().is_some_and(is_list) => row.cells[at].as_str().map(Ok),
        [_] => None,
        _ => {
            let names: Vec<String> = arrays.iter().map(|&at| format!("`{}`", row.header.names[at])).collect();
            let found = format!("an object with several arrays of objects ({})", names.join(", "));
            Some(Err(Error::format(
                row.location(),
                found,
                "one array of articles; save that array as a file of its own",
            )))
        }
    }
}

/// The one array of objects within the objects of a row, as answers of search engines have it: `{"hits": {"hits": [ … ]}}`.
fn deeper(row: &Row) -> Option<Result<&str>> {
    let [_, title] = Columns::text_and_title(&row.header.names);
    let mut found = Vec::new();
    for cell in &row.cells {
        if let (Cell::Nested(json), None) = (cell, title) {
            arrays_within(json, 4, &mut found);
        }
    }
    match found[..] {
        [array] if is_list(array) => Some(Ok(array)),
        [] if title.is_none() && row.cells.iter().any(|cell| matches!(cell, Cell::Nested(json) if json == "[]")) => {
            Some(Err(Error::Empty { path: row.header.path.clone(), what: "article" }))
        }
        _ => None,
    }
}

/// Whether the first object of an array has a text or a title.
fn is_list(array: &str) -> bool {
    let items: Vec<&RawValue> = serde_json::from_str(array).unwrap_or_default();
    items.first().is_some_and(|first| {
        let fields: BTreeMap<String, Cell> = serde_json::from_str(&document(first.get())).unwrap_or_default();
        let names: Vec<String> = fields.into_keys().collect();
        Columns::text_and_title(&names).into_iter().any(|found| found.is_some())
    })
}

/// The arrays of objects in the objects, one within the other, of `json`.
fn arrays_within<'j>(json: &'j str, depth: usize, found: &mut Vec<&'j str>) {
    if json.strip_prefix('[').is_some_and(|rest| rest.trim_start().starts_with('{')) {
        found.push(json);
    } else if depth > 0 && json.starts_with('{') {
        let fields: BTreeMap<String, &'j RawValue> = serde_json::from_str(json).unwrap_or_default();
        fields.values().for_each(|value| arrays_within(value.get(), depth - 1, found));
    }
}

/// Whether the objects of an array have texts, and one is longer than `own`.
fn holds_articles(array: &str, own: usize) -> bool {
    let Ok(items) = serde_json::from_str::<Vec<BTreeMap<String, Cell>>>(array) else { return false };
    items.iter().any(|item| {
        let names: Vec<String> = item.keys().cloned().collect();
        let [text, _] = Columns::text_and_title(&names);
        let length = text.and_then(|at| item[&names[at]].as_str()).map_or(0, str::len);
        length > own && length > 60
    })
}

/// The document that a hit of a search engine is about: what its `_source` holds, with its `_id`.
fn document(hit: &str) -> Cow<'_, str> {
    #[derive(serde::Deserialize)]
    struct Hit<'a> {
        #[serde(borrow, rename = "_source")]
        source: &'a RawValue,
        #[serde(borrow, rename = "_id")]
        id: Option<&'a RawValue>,
    }
    let Ok(Hit { source, id }) = serde_json::from_str::<Hit<'_>>(hit) else { return Cow::Borrowed(hit) };
    match (source.get().strip_prefix('{'), id) {
        (None, _) => Cow::Borrowed(hit),
        (Some(fields), Some(id)) if fields.trim_start().starts_with('"') => {
            Cow::Owned(format!("{{\"_id\":{},{fields}", id.get()))
        }
        _ => Cow::Borrowed(source.get()),
    }
}

fn elements(objects: &mut Objects, array: &str, line: u64) -> Result<Vec<Result<Row>>> {
    let broken = |error: serde_json::Error| {
        let location = Location::line(objects.path.clone(), line);
        Error::format(location, format!("broken JSON ({error})"), "an array of objects")
    };
    let items: Vec<&RawValue> = serde_json::from_str(array).map_err(broken)?;
    // Lines are those of the file, as far as they can be known: the array keeps its line ends.
    let (mut on, mut before) = (line, 0);
    let rows = items.iter().map(|item| {
        let place = (item.get().as_ptr() as usize - array.as_ptr() as usize).min(array.len());
        on += array[before..place].matches('\n').count() as u64;
        before = place;
        objects.row(&document(item.get()), on)
    });
    Ok(rows.collect())
}

/// The values of a file, each with the line that it begins on: the elements of an array, or values one after the other.
struct Values {
    stream: Stream,
    line: u64,
    in_array: bool,
    begun: bool,
    ended: bool,
}

impl Values {
    fn new(stream: Stream) -> Self {
        Self { stream, line: 1, in_array: false, begun: false, ended: false }
    }

    fn next(&mut self) -> Option<Result<(u64, String)>> {
        if self.ended {
            return None;
        }
        match self.read() {
            Ok(Some((line, bytes))) => Some(self.stream.decoder.decode(bytes, line, None).map(|json| (line, json))),
            Ok(None) => {
                self.ended = true;
                None
            }
            Err(error) => {
                self.ended = true;
                Some(Err(error))
            }
        }
    }

    fn read(&mut self) -> Result<Option<(u64, Vec<u8>)>> {
        if !self.begun {
            self.begun = true;
            if self.peek()? == Some(b'[') {
                self.in_array = true;
                self.take()?;
            }
        }
        match self.peek()? {
            None if self.in_array => Err(self.wrong("an array that is never closed", "a closing `]`")),
            None => Ok(None),
            Some(b']') if self.in_array => {
                self.take()?;
                match self.peek()? {
                    None => Ok(None),
                    Some(_) => Err(self.wrong("text behind the array", "the end of the file")),
                }
            }
            Some(_) => {
                let line = self.line;
                let bytes = self.value()?;
                if self.in_array {
                    match self.peek()? {
                        Some(b',') => {
                            self.take()?;
                            if self.peek()? == Some(b']') {
                                return Err(self.wrong("a comma before `]`", "another object, or no comma"));
                            }
                        }
                        Some(b']') => {}
                        None => return Err(self.wrong("an array that is never closed", "a closing `]`")),
                        Some(_) => return Err(self.wrong("no comma between two values", "`,` or `]`")),
                    }
                }
                Ok(Some((line, bytes)))
            }
        }
    }

    /// One value as it is written.
    fn value(&mut self) -> Result<Vec<u8>> {
        let mut value = Vec::new();
        let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
        while let Some(byte) = self.byte()? {
            if depth == 0 && !in_string && !value.is_empty() && matches!(byte, b',' | b']' | b'}') {
                return Ok(value);
            }
            self.take()?;
            value.push(byte);
            if value.len() > MAX_LINE {
                return Err(self.wrong(&format!("a value of more than {} MiB", MAX_LINE >> 20), "one article"));
            }
            match byte {
                _ if escaped => escaped = false,
                b'\\' if in_string => escaped = true,
                b'"' => {
                    in_string = !in_string;
                    if !in_string && depth == 0 {
                        return Ok(value);
                    }
                }
                _ if in_string => {}
                b'{' | b'[' => depth += 1,
                b'}' | b']' => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return Ok(value);
                    }
                }
                byte if depth == 0 && byte.is_ascii_whitespace() => return Ok(value),
                _ => {}
            }
        }
        Ok(value)
    }

    /// The next byte that is no white space, which stays.
    fn peek(&mut self) -> Result<Option<u8>> {
        loop {
            match self.byte()? {
                Some(byte) if byte.is_ascii_whitespace() => self.take()?,
                next => return Ok(next),
            }
        }
    }

    fn byte(&mut self) -> Result<Option<u8>> {
        match self.stream.reader.fill_buf() {
            Ok(buffer) => Ok(buffer.first().copied()),
            Err(error) => Err(read_error(&self.stream.path, Some(self.line), error)),
        }
    }

    fn take(&mut self) -> Result<()> {
        self.line += u64::from(self.byte()? == Some(b'\n'));
        self.stream.reader.consume(1);
        Ok(())
    }

    fn wrong(&self, found: &str, expected: &str) -> Error {
        Error::format(Location::line(self.stream.path.clone(), self.line), found, expected)
    }
}
