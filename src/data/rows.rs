//! The rows of labelled files as fields by name.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::source::rows::{self, Cell, Header, Row};
use crate::source::{Format, ReadOptions, Source, Warn, fields, stream};
use crate::{Error, Location, Result};

/// Rows as they are read, each with its line.
pub(super) type Records = Box<dyn Iterator<Item = Result<(u64, Record)>> + Send>;

/// The rows of an input, each with its line; all have the columns `required`. Of several names for one column, divided by
/// `|`, one is needed. Names in other capitals, and the names that [`fields`] knows for what an article has, are understood.
pub(super) fn records(source: &Source, required: &'static [&'static str], warn: &Warn) -> Result<Records> {
    let unpacked = stream::unpack(&source.input, &source.options.bytes_read, warn)?;
    let format = unpacked.format(source.format);
    let table = rows::open(unpacked, format, &source.options, "labelled row", warn)?;
    let options = source.options.clone();
    let mut names = table.header.map(|header| Names::new(&header, required, &options));
    if let Some(names) = &names {
        names.check(names.header.location())?;
    }
    Ok(Box::new(table.rows.map(move |row| {
        let row = row?;
        if !names.as_ref().is_some_and(|names| Arc::ptr_eq(&names.header, &row.header)) {
            names = Some(Names::new(&row.header, required, &options));
        }
        let known = names.as_ref().expect("it was just set");
        known.check(row.location())?;
        Ok((row.number, known.record(row)))
    })))
}

/// What the fields of a row are called here.
struct Names {
    header: Arc<Header>,
    required: &'static [&'static str],
    names: Vec<String>,
}

impl Names {
    fn new(header: &Arc<Header>, required: &'static [&'static str], options: &ReadOptions) -> Self {
        let mut names = header.names.clone();
        let own = ["label", "state", "actor", "group", "sentence", "first", "second", "split"];
        let offsets = ["state_start", "state_end", "actor_start", "actor_end"];
        for known in own.into_iter().chain(offsets) {
            if let Some(at) = fields::find(&header.names, known) {
                names[at] = known.to_owned();
            }
        }
        let wants_text = required.contains(&"text");
        // Other columns keep their names: scores are broken down by them. A file of labels may have a column of notes.
        for (known, at) in fields::places(&header.names, options) {
            let Some(at) = at.filter(|_| known != "text" || wants_text) else { continue };
            // One that was asked for by name takes the place of one that has the name.
            for other in (0..names.len()).filter(|&other| other != at && header.names[other] == known) {
                names[other] = format!("{known} (not read)");
            }
            names[at] = known.to_owned();
        }
        Self { header: header.clone(), required, names }
    }

    /// An error where a required field is not there.
    fn check(&self, location: Location) -> Result<()> {
        let has = |name: &str| self.names.iter().any(|found| found == name);
        let missing: Vec<String> = self
            .required
            .iter()
            .filter(|names| !names.split('|').any(has))
            .map(|names| format!("`{}`", names.replace('|', "` or `")))
            .collect();
        let what = match missing.len() {
            0 => return Ok(()),
            _ if !self.header.is_table() => "",
            1 => "a column ",
            _ => "columns ",
        };
        Err(self.header.missing(location, &format!("{what}{}", missing.join(", "))))
    }

    fn record(&self, row: Row) -> Record {
        let (location, in_columns) = (row.location(), self.header.is_table());
        let fields = self.names.iter().zip(1..).zip(row.cells).filter_map(|((name, column), cell)| {
            // A null says that the field is not there; an empty cell of a table is a column that is.
            let text = match cell {
                Cell::Null if !in_columns => return None,
                cell => cell.joined().flatten().or_else(|| cell.as_str().map(str::to_owned)).unwrap_or_default(),
            };
            Some((name.clone(), (column, text)))
        });
        Record { fields: fields.collect(), location, in_columns }
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
    source.format = Format::of(path).filter(|format| format.is_rows()).unwrap_or(Format::Csv);
    records(&source, required, warn)
}

/// The labels of a file of rows, whatever their spelling.
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

/// A prediction of another program.
pub(crate) struct PredictionRow {
    pub id: String,
    pub state: Option<String>,
    pub actor: Option<String>,
    pub stance: String,
    /// Of aligned, neutral and opposed, as they are written.
    pub probabilities: [Option<String>; 3],
    pub location: Location,
}

/// The rows of a file of predictions.
pub(crate) fn prediction_rows(
    source: &Source,
    warn: &Warn,
) -> Result<impl Iterator<Item = Result<PredictionRow>> + use<>> {
    let row = |row: Result<(u64, Record)>| {
        let (_, mut row) = row?;
        row.rename("prediction", "stance");
        row.rename("label", "stance");
        let text = |name: &str| row.get(name).map(|text| text.trim().to_owned());
        Ok(PredictionRow {
            id: row.needed("id")?,
            state: text("state"),
            actor: text("actor"),
            stance: row.needed("stance")?,
            probabilities: ["p_aligned", "p_neutral", "p_opposed"].map(text),
            location: row.location.clone(),
        })
    };
    Ok(records(source, &["id", "stance|prediction|label"], warn)?.map(row))
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
            "stance" => "a class",
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
