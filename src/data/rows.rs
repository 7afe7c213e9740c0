//! The rows of labelled files as fields by name, CSV or JSONL.

use std::collections::BTreeMap;
use std::path::Path;

use crate::source::csv::Rows;
use crate::source::jsonl::{self, Objects};
use crate::source::{Format, Source, Warn, stream};
use crate::{Error, Location, Result};

/// Rows as they are read, each with its line.
pub(super) type Records = Box<dyn Iterator<Item = Result<(u64, Record)>> + Send>;

/// The rows of a CSV or JSONL input, each with its line; all have the columns `required`. Of several names for one column,
/// divided by `|`, one is needed.
pub(super) fn records(source: &Source, required: &'static [&'static str], warn: &Warn) -> Result<Records> {
    let opened = || stream::open(&source.input, warn);
    match source.format {
        Format::Csv => Ok(Box::new(from_csv(Rows::new(opened()?)?, source, required)?)),
        Format::Jsonl => Ok(Box::new(from_jsonl(Objects::new(opened()?, "labelled row"), required))),
        Format::Text | Format::Html => Err(Error::format(
            Location::file(source.input.name()),
            format!("a file read as {}", source.format),
            "CSV or JSONL, by its extension or by the stated format",
        )),
    }
}

/// A label without its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LabelRow {
    pub id: String,
    pub state: String,
    pub actor: String,
    pub label: String,
    pub location: Location,
}

/// The rows of a label file, CSV where its name does not say.
pub(super) fn label_records(path: &Path, warn: &Warn) -> Result<Records> {
    with_columns(path, &["id|sentence", "state", "actor", "label"], warn)
}

fn with_columns(path: &Path, required: &'static [&'static str], warn: &Warn) -> Result<Records> {
    let mut source = Source::file(path);
    source.format = Format::of(path).filter(|format| *format == Format::Jsonl).unwrap_or(Format::Csv);
    records(&source, required, warn)
}

/// The labels of a CSV or JSONL file, whatever their spelling.
pub(crate) fn label_rows(path: &Path, warn: &Warn) -> Result<impl Iterator<Item = Result<LabelRow>> + use<>> {
    let row = |row: Result<(u64, Record)>| {
        let (_, mut row) = row?;
        row.rename("sentence", "id");
        let [id, state, actor, label] = ["id", "state", "actor", "label"].map(|name| row.needed(name));
        let (state, actor) = (state?.trim().to_owned(), actor?.trim().to_owned());
        Ok(LabelRow { id: id?, state, actor, label: label?, location: row.location })
    };
    Ok(label_records(path, warn)?.map(row))
}

/// The rows of a label file that have a label of two readers each, in the columns `first` and `second`: each row with
/// the one label, and with the other.
pub(crate) fn two_readings(path: &Path, warn: &Warn) -> Result<Vec<[LabelRow; 2]>> {
    let mut found = Vec::new();
    for row in with_columns(path, &["id|sentence", "state", "actor", "first", "second"], warn)? {
        let (_, mut row) = row?;
        row.rename("sentence", "id");
        let (Some(first), Some(second)) = (row.get("first").map(String::from), row.get("second").map(String::from))
        else {
            continue;
        };
        let [id, state, actor] = ["id", "state", "actor"].map(|name| row.needed(name));
        let (state, actor) = (state?.trim().to_owned(), actor?.trim().to_owned());
        let row = LabelRow { id: id?, state, actor, label: first, location: row.location };
        let again = LabelRow { label: second, ..row.clone() };
        found.push([row, again]);
    }
    Ok(found)
}

/// Those of `required` that are not there, and how to ask for them.
fn missing(required: &[&'static str], has: impl Fn(&str) -> bool) -> Option<(Vec<&'static str>, String)> {
    let missing: Vec<&str> = required.iter().copied().filter(|names| !names.split('|').any(&has)).collect();
    let expected: Vec<String> = missing.iter().map(|names| format!("`{}`", names.replace('|', "` or `"))).collect();
    (!missing.is_empty()).then(|| (missing, expected.join(", ")))
}

fn from_csv(
    mut rows: Rows,
    source: &Source,
    required: &[&'static str],
) -> Result<impl Iterator<Item = Result<(u64, Record)>> + Send + use<>> {
    let header = rows.header().clone();
    if let Some((missing, expected)) = missing(required, |name| header.find(name).is_some()) {
        return Err(header.missing(&missing, &expected));
    }
    let path = source.input.name();
    let mut any = false;
    Ok(std::iter::from_fn(move || {
        let Some(row) = rows.next() else {
            let first = !std::mem::replace(&mut any, true);
            return first.then(|| Err(Error::Empty { path: path.clone(), what: "labelled row" }));
        };
        any = true;
        Some(row.map(|row| {
            let fields = header.names.iter().enumerate().map(|(at, name)| {
                let cell = row.get(Some(at)).unwrap_or("").to_owned();
                (name.clone(), (at as u64 + 1, cell))
            });
            (row.line, Record { fields: fields.collect(), location: row.location(&path), in_columns: true })
        }))
    }))
}

fn from_jsonl(
    mut objects: Objects,
    required: &'static [&'static str],
) -> impl Iterator<Item = Result<(u64, Record)>> + Send {
    std::iter::from_fn(move || {
        let line = match objects.next()? {
            Ok(line) => line,
            Err(error) => return Some(Err(error)),
        };
        Some(objects.parse::<BTreeMap<String, jsonl::Cell>>(&line).and_then(|object| {
            if let Some((missing, expected)) = missing(required, |name| object.contains_key(name)) {
                return Err(objects.lacks(&line, &missing, &expected));
            }
            let fields = object.into_iter().filter_map(|(name, cell)| Some((name, (0, cell.text()?))));
            let record = Record { fields: fields.collect(), location: objects.location(), in_columns: false };
            Ok((objects.line, record))
        }))
    })
}

/// The fields of a row by name, each with its column from 1.
pub(super) struct Record {
    pub(super) fields: BTreeMap<String, (u64, String)>,
    pub(super) location: Location,
    in_columns: bool,
}

impl Record {
    /// What the field `name` holds, if more than white space.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(|(_, cell)| cell.as_str()).filter(|cell| !cell.trim().is_empty())
    }

    /// Lets the field `from` be called `to`, unless there is one of that name.
    pub(super) fn rename(&mut self, from: &str, to: &str) {
        if !self.fields.contains_key(to)
            && let Some(field) = self.fields.remove(from)
        {
            self.fields.insert(to.to_owned(), field);
        }
    }

    pub(super) fn needed(&self, name: &'static str) -> Result<String> {
        let what = match name {
            "text" => "the text of an article",
            "id" => "the id of a text",
            "label" => "a label",
            _ => "a name",
        };
        self.get(name).map(str::to_owned).ok_or_else(|| self.wrong(name, format!("an empty `{name}`"), what))
    }

    pub(super) fn wrong(&self, name: &str, found: impl Into<String>, expected: impl Into<String>) -> Error {
        let mut location = self.location.clone();
        if self.in_columns {
            location.column = self.fields.get(name).map(|(column, _)| *column);
        }
        Error::format(location, found, expected)
    }
}
