//! Rows of named fields: what every file of many articles holds, whatever its format.

pub(crate) mod csv;
mod json;
mod jsonl;
mod object;
mod parquet;
mod workbook;

use std::sync::Arc;

use rustc_hash::FxHashSet;

pub(crate) use jsonl::Line;
pub(crate) use object::Objects;

use super::stream::Unpacked;
use super::{Format, ReadOptions, Warn, sniff};
use crate::{Error, Location, Result};

/// A value of a row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    Null,
    Text(String),
    /// A number or a truth value, as it is written.
    Plain(String),
    /// A list or an object, as JSON.
    Nested(String),
}

impl Cell {
    /// What is written there; `None` for null.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Null => None,
            Self::Text(text) | Self::Plain(text) | Self::Nested(text) => Some(text),
        }
    }

    /// The same; of an object its `name`, of a list the strings in it. The outer `None` is any other list or object.
    pub fn joined(&self) -> Option<Option<String>> {
        let Self::Nested(json) = self else { return Some(self.as_str().map(str::to_owned)) };
        fn name(value: &serde_json::Value) -> Option<String> {
            match value {
                serde_json::Value::String(text) => Some(text.clone()),
                serde_json::Value::Object(object) => {
                    // `{"$oid": "…"}`, `{"$date": {"$numberLong": "…"}}`, `{"$date": 1646388000000}`.
                    let only = object.iter().next().filter(|_| object.len() == 1);
                    match (object.get("name").or_else(|| object.get("title")), only) {
                        (Some(value), _) => name(value),
                        (None, Some((key, serde_json::Value::Number(number)))) if key.starts_with('$') => {
                            Some(number.to_string())
                        }
                        (None, only) => name(only?.1),
                    }
                }
                _ => None,
            }
        }
        match serde_json::from_str(json).ok()? {
            serde_json::Value::Array(values) => {
                Some(Some(values.iter().map(name).collect::<Option<Vec<_>>>()?.join(", ")))
            }
            value => name(&value).map(Some),
        }
    }
}

/// What the fields of a row are called; rows of one table share it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    pub path: String,
    /// The line of a table's header.
    pub line: Option<u64>,
    pub names: Vec<String>,
}

impl Header {
    pub fn location(&self) -> Location {
        Location { path: self.path.clone(), line: self.line, column: None }
    }

    /// An error where a name comes twice: which of the two is meant is not known.
    pub fn check_names(&self, location: Location) -> Result<()> {
        let mut seen = FxHashSet::default();
        let twice = self.names.iter().enumerate().find(|(_, name)| !name.is_empty() && !seen.insert(name.as_str()));
        match twice {
            None => Ok(()),
            Some((at, name)) if self.is_table() => Err(Error::format(
                location.at_column(at as u64 + 1),
                format!("the column `{name}` twice"),
                "a name for each column",
            )),
            Some((_, name)) => {
                Err(Error::format(location, format!("the key `{name}` twice"), "each key of an object once"))
            }
        }
    }

    /// Whether fields stand in numbered columns.
    pub fn is_table(&self) -> bool {
        self.line.is_some()
    }

    /// The error that these are the names, where `expected` was wanted.
    pub fn missing(&self, location: Location, expected: &str) -> Error {
        const SHOWN: usize = 20;
        let mut names: Vec<String> = self.names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
        if self.names.len() > SHOWN {
            names.push(format!("and {} more", self.names.len() - SHOWN));
        }
        let kind = if self.is_table() { "columns" } else { "keys" };
        let found =
            if names.is_empty() { "an empty object".to_owned() } else { format!("the {kind} {}", names.join(", ")) };
        Error::format(location, found, expected)
    }
}

/// A row with as many cells as its header has names.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub header: Arc<Header>,
    /// The line of the file that it begins on; of a workbook the number of the row, of Parquet that of the record.
    pub line: u64,
    /// What a row without an id is called by: the line, or in JSON the place among all objects, from 1.
    pub number: u64,
    pub cells: Vec<Cell>,
}

impl Row {
    pub fn location(&self) -> Location {
        Location::line(self.header.path.clone(), self.line)
    }
}

/// Rows, and the header where all share one.
pub(crate) struct Table {
    pub header: Option<Arc<Header>>,
    pub rows: Box<dyn Iterator<Item = Result<Row>> + Send>,
}

/// Opens a file of rows. `what` names them, for the complaint that there is none.
pub(crate) fn open(
    unpacked: Unpacked,
    format: Format,
    options: &Arc<ReadOptions>,
    what: &'static str,
    warn: &Warn,
) -> Result<Table> {
    let path = unpacked.input.name();
    let table = match format {
        Format::Csv | Format::Tsv => {
            let given = (format == Format::Tsv).then_some(b'\t');
            let rows = csv::Rows::new(unpacked.into_stream(warn)?, given)?;
            Table { header: Some(rows.header().clone()), rows: Box::new(rows) }
        }
        Format::Json | Format::Jsonl if are_lines(&unpacked, format) => {
            Table { header: None, rows: Box::new(jsonl::rows(unpacked.into_stream(warn)?)) }
        }
        Format::Json | Format::Jsonl => {
            Table { header: None, rows: Box::new(json::rows(unpacked.into_stream(warn)?, options)) }
        }
        Format::Parquet => parquet::open(unpacked)?,
        Format::Xlsx => workbook::open(unpacked, warn)?,
        Format::Text | Format::Html | Format::Feed | Format::Mhtml | Format::Auto => {
            let expected = "rows of named fields: CSV, TSV, JSONL, JSON, Parquet or XLSX, by its extension or by the stated format";
            return Err(Error::format(Location::file(path), format!("a file read as {format}"), expected));
        }
    };
    Ok(Table { header: table.header, rows: Box::new(not_empty(table.rows, path, what)) })
}

/// Whether a file of this format has an object on each line.
pub(crate) fn are_lines(unpacked: &Unpacked, format: Format) -> bool {
    match format {
        // Objects one after the other, each on its line, under the name of JSON: one that is broken ends no more than itself.
        Format::Json => sniff::format(&unpacked.head) == Format::Jsonl,
        // What a program laid out over several lines, or an array, is no line of JSON.
        Format::Jsonl => !is_laid_out(&unpacked.head),
        _ => false,
    }
}

/// The lines of a file that has an object on each, before they are taken apart. `what` is as for [`open`].
pub(crate) fn lines(
    unpacked: Unpacked,
    what: &'static str,
    warn: &Warn,
) -> Result<impl Iterator<Item = Result<Line>> + Send + use<>> {
    let path = unpacked.input.name();
    Ok(not_empty(jsonl::lines(unpacked.into_stream(warn)?), path, what))
}

/// Whether JSON begins with an array, or with an object that does not end on its line.
fn is_laid_out(head: &[u8]) -> bool {
    let head = String::from_utf8_lossy(head);
    let head = head.trim_start_matches('\u{feff}').trim_start();
    head.starts_with('[') || head.lines().next().is_some_and(|line| line.trim_end() == "{")
}

/// The same, with an error where there is none.
fn not_empty<T>(
    mut rows: impl Iterator<Item = Result<T>>,
    path: String,
    what: &'static str,
) -> impl Iterator<Item = Result<T>> {
    let mut any = false;
    std::iter::from_fn(move || {
        let next = rows.next();
        let first = !std::mem::replace(&mut any, true);
        if next.is_none() && first {
            return Some(Err(Error::Empty { path: path.clone(), what }));
        }
        next
    })
}
