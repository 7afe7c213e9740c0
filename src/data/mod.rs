//! Labelled data in and out: read for examination, compared, divided, written.
//!
//! | module | |
//! |---|---|
//! | [`check`] | what is wrong with files, and which texts stand in several |
//! | [`stats`] | how much there is of what |
//! | [`split`] | into training, development and test rows |
//! | [`exchange`] | from and to annotation tools |
//! | [`agreement`] | of two readings of the same rows |
//!
//! Files are labelled CSV or JSONL (see [`labelled()`]), or the lines of the directed-sentiment format
//! ([`directed`]), known by the tab in their first line.

pub mod agreement;
pub mod audit;
pub mod check;
pub mod directed;
pub mod exchange;
pub mod join;
mod label_map;
mod labelled;
pub mod offsets;
mod rows;
pub mod split;
pub mod stats;

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;

use serde_json::{Map, Value};

use crate::error::{Error, Location, Result};
use crate::source::{self, Format, Input, Source, Warn};

use crate::characters::Characters;
pub use label_map::LabelMap;
pub use labelled::{Identity, LabelledOptions, LabelledPair, LabelledPairs, labelled};
pub(crate) use rows::{LabelRow, label_rows, prediction_rows, two_readings};

/// A file of labelled pairs, with all that could not be read of it.
#[derive(Debug)]
pub struct DataFile {
    /// The file as the user named it.
    pub path: String,
    /// The pairs.
    pub pairs: Vec<LabelledPair>,
    /// The text of each row with its line. In the directed-sentiment format a line is one row, and two pairs or none.
    pub rows: Vec<(u64, String)>,
    /// Rows that are not as they should be.
    pub errors: Vec<Error>,
    /// Lines of the directed-sentiment format that do not mark two names.
    pub unmarked: Vec<u64>,
}

/// Reads a file of labelled pairs. What is wrong with its content stands in [`DataFile::errors`].
///
/// # Errors
/// [`Error::Io`] if it cannot be read.
pub fn read(path: &Path, options: &LabelledOptions, warn: &Warn) -> Result<DataFile> {
    let name = path.display().to_string();
    let mut file =
        DataFile { path: name.clone(), pairs: Vec::new(), rows: Vec::new(), errors: Vec::new(), unmarked: Vec::new() };
    if is_directed(path, warn)? {
        for (line, row) in (1..).zip(directed::lines(path, warn)?) {
            let row = match row {
                Ok(row) if row.text.trim().is_empty() => continue,
                Ok(row) => row,
                Err(error) => {
                    file.errors.push(error);
                    continue;
                }
            };
            if !["0", "1", "2", "3", "4"].contains(&row.label.as_str()) {
                let found = format!("the label `{}`", row.label);
                file.errors.push(Error::format(
                    Location::line(&name, line),
                    found,
                    "one of 0 to 4 after the third tab",
                ));
            } else if row.spans.is_none() {
                file.unmarked.push(line);
            }
            file.rows.push((line, row.text));
        }
        if file.errors.is_empty() {
            file.pairs = directed::labelled(path, warn)?;
        }
        return Ok(file);
    }
    let rows = match labelled(&Source::named(path), options, warn) {
        Ok(rows) => rows,
        Err(error @ Error::Io { .. }) => return Err(error),
        Err(error) => {
            file.errors.push(error);
            return Ok(file);
        }
    };
    for row in rows {
        match row {
            Ok(pair) => {
                file.rows.push((pair.location.line.unwrap_or_default(), pair.article.text.clone()));
                file.pairs.push(pair);
            }
            Err(error) => file.errors.push(error),
        }
    }
    Ok(file)
}

/// Whether the first line of a text file has tabs.
fn is_directed(path: &Path, warn: &Warn) -> Result<bool> {
    if Format::of(path).is_some_and(|format| format != Format::Text) {
        return Ok(false);
    }
    Ok(source::text_lines(&Input::Path(path.into()), warn)?.next().transpose()?.is_some_and(|line| line.contains('\t')))
}

/// The columns that every labelled CSV of this program has.
const COLUMNS: [&str; 11] =
    ["id", "title", "text", "state", "actor", "label", "state_start", "state_end", "actor_start", "actor_end", "group"];

/// The fields of a pair in the order of [`COLUMNS`]; offsets count characters.
fn fields(pair: &LabelledPair) -> [Option<Value>; COLUMNS.len()] {
    let text = |text: &str| Some(Value::from(text));
    let characters = Characters::new(&pair.article.text);
    let offset = |byte: usize| Some(Value::from(characters.of_byte(byte)));
    let ends = |span: &Option<crate::Span>| match span {
        Some(span) => [offset(span.start), offset(span.end)],
        None => [None, None],
    };
    let [state_start, state_end] = ends(&pair.state_span);
    let [actor_start, actor_end] = ends(&pair.actor_span);
    [
        text(&pair.article.id),
        pair.article.title.as_deref().and_then(text),
        text(&pair.article.text),
        text(&pair.state),
        text(&pair.actor),
        pair.label.and_then(|label| text(label.as_str())),
        state_start,
        state_end,
        actor_start,
        actor_end,
        pair.group.as_deref().and_then(text),
    ]
}

/// The other columns that any pair has, sorted by name.
fn further<'p>(pairs: impl IntoIterator<Item = &'p LabelledPair>) -> BTreeSet<&'p str> {
    let mut columns = BTreeSet::new();
    for pair in pairs {
        columns.extend(pair.columns.keys().map(String::as_str));
        columns.extend(["date", "url", "source", "language"].into_iter().filter(|name| pair.column(name).is_some()));
    }
    columns
}

/// Writes pairs as labelled CSV: `id,title,text,state,actor,label`, the four offsets in characters, `group`, and then
/// what other columns there are.
///
/// ```
/// use detente::{data, source};
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("rows.jsonl");
/// std::fs::write(&path, r#"{"id": 7, "text": "A hit B", "state": "A", "actor": "B", "label": "Opposed", "desk": "x"}"#)?;
/// let file = data::read(&path, &Default::default(), &source::ignore_warnings())?;
/// let mut csv = Vec::new();
/// data::write_csv(&mut csv, &file.pairs)?;
/// assert_eq!(
///     String::from_utf8(csv)?,
///     "id,title,text,state,actor,label,state_start,state_end,actor_start,actor_end,group,desk\n\
///      7,,A hit B,A,B,opposed,,,,,,x\n"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// What writing gives.
pub fn write_csv<'p, P>(out: impl Write, pairs: P) -> csv::Result<()>
where
    P: IntoIterator<Item = &'p LabelledPair> + Clone,
{
    let more = further(pairs.clone());
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(COLUMNS.iter().chain(&more))?;
    for pair in pairs {
        for field in fields(pair) {
            writer.write_field(match field {
                None => String::new(),
                Some(Value::String(text)) => text,
                Some(other) => other.to_string(),
            })?;
        }
        for name in &more {
            writer.write_field(pair.column(name).unwrap_or_default())?;
        }
        writer.write_record(None::<&[u8]>)?;
    }
    writer.flush()?;
    Ok(())
}

/// Writes pairs as labelled JSONL, with the fields of [`write_csv`]; what is not known is left out.
///
/// # Errors
/// What writing gives.
pub fn write_jsonl<'p>(mut out: impl Write, pairs: impl IntoIterator<Item = &'p LabelledPair>) -> std::io::Result<()> {
    for pair in pairs {
        let known = COLUMNS.iter().zip(fields(pair)).filter_map(|(name, value)| Some(((*name).to_owned(), value?)));
        let mut object: Map<String, Value> = known.collect();
        for name in further([pair]) {
            object.insert(name.to_owned(), pair.column(name).unwrap_or_default().into());
        }
        serde_json::to_writer(&mut out, &object)?;
        writeln!(out)?;
    }
    out.flush()
}

#[cfg(test)]
pub(crate) fn example(text: &str, state: &str, actor: &str, label: crate::Stance, line: u64) -> LabelledPair {
    LabelledPair {
        article: crate::Article::new(text).with_id(line.to_string()),
        state: state.into(),
        actor: actor.into(),
        label: Some(label),
        state_span: None,
        actor_span: None,
        group: None,
        columns: Default::default(),
        location: Location::line("rows.csv", line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut pair =
            example("Côte d'Ivoire, \"angry\",\nleft the UN.", "Côte d'Ivoire", "UN", crate::Stance::Opposed, 2);
        (pair.state_span, pair.actor_span) = (Some(0..14), Some(34..36));
        pair.columns.insert("desk".into(), "Africa".into());
        pair.article.date = Some("2026-01-02".into());
        let read = |name: &str, bytes: Vec<u8>| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).expect("a file");
            read(&path, &LabelledOptions::default(), &source::ignore_warnings()).expect("a readable file")
        };
        let (mut csv, mut jsonl) = (Vec::new(), Vec::new());
        write_csv(&mut csv, [&pair]).expect("memory");
        write_jsonl(&mut jsonl, [&pair]).expect("memory");
        assert!(String::from_utf8_lossy(&csv).contains(",0,13,33,35,"), "characters, not bytes");
        for file in [read("a.csv", csv), read("a.jsonl", jsonl)] {
            assert!(file.errors.is_empty(), "{:?}", file.errors);
            let found = LabelledPair { location: pair.location.clone(), ..file.pairs[0].clone() };
            assert_eq!(found, pair);
        }
    }

    #[test]
    fn directed_sentiment_is_known_by_its_tabs() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("lines.txt");
        std::fs::write(&path, "[A] hit [B].\tA\tB\t3\n\n[A] met C.\tA\tC\t0\n").expect("a file");
        let file = read(&path, &LabelledOptions::default(), &source::ignore_warnings()).expect("a readable file");
        assert_eq!(file.rows, [(1, "A hit B.".into()), (3, "A met C.".into())]);
        assert_eq!((file.pairs.len(), file.unmarked.as_slice(), file.errors.len()), (2, [3].as_slice(), 0));
        std::fs::write(&path, "[A] hit [B].\tA\tB\t7\n").expect("a file");
        let file = read(&path, &LabelledOptions::default(), &source::ignore_warnings()).expect("a readable file");
        assert!(file.errors[0].to_string().contains(":1: found the label `7`"), "{}", file.errors[0]);
    }
}
