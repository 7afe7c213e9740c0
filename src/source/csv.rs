//! CSV: a header row, then an article or a labelled pair a row.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::encoding::{Decoder, Fault};
use super::stream::{Stream, read_error};
use super::{MAX_LINE, check_size, filled};
use crate::{Article, Error, Location, Result};

/// The articles of a table with a column `text` or `title`.
pub(super) fn articles(stream: Stream, id: &str) -> Result<impl Iterator<Item = Result<Article>> + Send + use<>> {
    let rows = Rows::new(stream)?;
    let header = rows.header();
    let column = |name: &str| header.find(name);
    let (title, text) = (column("title"), column("text"));
    if text.is_none() && title.is_none() {
        return Err(header.missing(&["text"], "`text` (or `title`)"));
    }
    let (row_id, date, source, language) = (column("id"), column("date"), column("source"), column("language"));
    let id = id.to_owned();
    let mut seen = false;
    let path = rows.header.path.clone();
    let mut rows = rows;
    Ok(std::iter::from_fn(move || {
        let Some(row) = rows.next() else {
            let first = !std::mem::replace(&mut seen, true);
            return first.then(|| Err(Error::Empty { path: path.clone(), what: "article" }));
        };
        seen = true;
        Some(row.and_then(|row| {
            let location = row.location(&path);
            let title = filled(row.get(title));
            let text = row.get(text).unwrap_or("").to_owned();
            if title.is_none() && text.trim().is_empty() {
                return Err(Error::format(location, "an empty text", "the text of an article"));
            }
            check_size(&text, &location)?;
            Ok(Article {
                id: filled(row.get(row_id)).unwrap_or_else(|| format!("{id}:{}", row.line)),
                title,
                text,
                date: filled(row.get(date)),
                source: filled(row.get(source)),
                language: filled(row.get(language)),
            })
        }))
    }))
}

/// The names of the columns.
#[derive(Debug, Clone)]
pub(super) struct Header {
    path: String,
    line: u64,
    pub(super) names: Vec<String>,
}

impl Header {
    /// The place of the column `name`, from 0.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|found| found == name)
    }

    /// The error that the columns `missing` are not there; `expected` names what was wanted.
    pub(super) fn missing(&self, missing: &[&str], expected: &str) -> Error {
        let names: Vec<String> = self.names.iter().map(|name| format!("`{name}`")).collect();
        let found = format!("the columns {}", names.join(", "));
        let near: Vec<String> = missing
            .iter()
            .filter_map(|want| {
                let near = self.names.iter().find(|name| name.trim().eq_ignore_ascii_case(want))?;
                Some(format!("; `{near}` should be written `{want}`"))
            })
            .collect();
        let mut hint = near.concat();
        if let [only] = self.names.as_slice() {
            let other = [(';', "semicolons"), ('\t', "tabs"), ('|', "bars")];
            if let Some((_, name)) = other.into_iter().find(|&(mark, _)| only.contains(mark)) {
                hint.push_str(&format!("; the fields seem to be divided by {name}, and should be by commas"));
            }
        }
        let column = if missing.len() > 1 { "columns" } else { "a column" };
        Error::format(Location::line(self.path.clone(), self.line), found, format!("{column} {expected}{hint}"))
    }
}

/// A row with as many fields as the header.
#[derive(Debug)]
pub(super) struct Row {
    /// The line of the file that it begins on.
    pub(super) line: u64,
    fields: Vec<String>,
}

impl Row {
    /// The field of a column that may not be there.
    pub(super) fn get(&self, column: Option<usize>) -> Option<&str> {
        column.and_then(|column| self.fields.get(column)).map(String::as_str)
    }

    pub(super) fn location(&self, path: &str) -> Location {
        Location::line(path, self.line)
    }
}

/// The rows below the header.
pub(super) struct Rows {
    reader: csv::Reader<Guard>,
    /// Where the row that is being read begins, for the guard.
    row_start: Arc<AtomicU64>,
    decoder: Decoder,
    header: Header,
    record: csv::ByteRecord,
    ended: bool,
}

impl Rows {
    /// Reads the header.
    pub(super) fn new(stream: Stream) -> Result<Self> {
        let row_start = Arc::new(AtomicU64::new(0));
        let guard = Guard { inner: stream.reader, total: 0, row_start: Arc::clone(&row_start), tail: 0 };
        let reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .buffer_capacity(64 << 10)
            // A carriage return before it is taken off below; so every line end counts as one line.
            .terminator(csv::Terminator::Any(b'\n'))
            .from_reader(guard);
        let header = Header { path: stream.path, line: 1, names: Vec::new() };
        let mut rows =
            Self { reader, row_start, decoder: stream.decoder, header, record: csv::ByteRecord::new(), ended: false };
        let Some(first) = rows.read()? else {
            let location = Location::file(rows.header.path);
            return Err(Error::format(location, "an empty file", "a header row and rows below it"));
        };
        let names: Vec<String> = first.fields.iter().map(|name| name.trim().to_owned()).collect();
        rows.header = Header { path: rows.header.path, line: first.line, names };
        let names = &rows.header.names;
        let location = || Location::line(rows.header.path.clone(), first.line);
        if let Some((at, name)) =
            names.iter().enumerate().find(|(at, name)| !name.is_empty() && names[..*at].contains(name))
        {
            let found = format!("the column `{name}` twice");
            return Err(Error::format(location().at_column(at as u64 + 1), found, "a name for each column"));
        }
        if names.iter().any(|name| name.contains('\r')) {
            return Err(Error::format(
                location(),
                "lines that end in carriage returns only",
                "lines that end in \\n or \\r\\n",
            ));
        }
        Ok(rows)
    }

    pub(super) fn header(&self) -> &Header {
        &self.header
    }

    /// The next row, however many fields it has; `None` at the end.
    fn read(&mut self) -> Result<Option<Row>> {
        if self.ended {
            return Ok(None);
        }
        loop {
            self.row_start.store(self.reader.position().byte(), Ordering::Relaxed);
            let before = self.reader.position().line();
            match self.reader.read_byte_record(&mut self.record) {
                Ok(true) => {}
                Ok(false) => {
                    self.ended = true;
                    return Ok(None);
                }
                Err(error) => {
                    // The parser cannot find the next row again.
                    self.ended = true;
                    return Err(self.read_error(error, before));
                }
            }
            let inside: usize = self.record.iter().map(|field| memchr::memchr_iter(b'\n', field).count()).sum();
            let after = self.reader.position().line();
            let mut fields = Vec::with_capacity(self.record.len());
            let last = self.record.len().saturating_sub(1);
            // The mark that the guard puts at the end is a row of its own, unless a quote is open.
            if self.record.get(last).is_some_and(|field| field.ends_with(&Guard::TAIL[1..Guard::TAIL.len() - 1])) {
                self.ended = true;
                return Ok(None);
            }
            if self.record.get(last).is_some_and(|field| field.ends_with(Guard::TAIL)) {
                self.ended = true;
                // The two line ends of the mark are within the field.
                let line = after.saturating_sub(inside as u64).max(before);
                let location = Location::line(self.header.path.clone(), line).at_column(last as u64 + 1);
                return Err(Error::format(location, "a quote that is never closed", "a closing `\"`"));
            }
            let line = after.saturating_sub(1 + inside as u64).max(1);
            for (at, field) in self.record.iter().enumerate() {
                let field = if at == last { field.strip_suffix(b"\r").unwrap_or(field) } else { field };
                fields.push(self.decoder.decode(field.to_vec(), line, None)?);
            }
            // A line of white space.
            if matches!(fields.as_slice(), [only] if only.trim().is_empty()) {
                continue;
            }
            return Ok(Some(Row { line, fields }));
        }
    }

    fn read_error(&self, error: csv::Error, line: u64) -> Error {
        let location = Location::line(self.header.path.clone(), line);
        match error.into_kind() {
            csv::ErrorKind::Io(source) => read_error(&self.header.path, Some(line), source),
            // Nothing else can come of reading bytes with any number of fields.
            _ => Error::format(location, "a row that cannot be read", "comma-separated fields"),
        }
    }
}

impl Iterator for Rows {
    type Item = Result<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        let row = match self.read() {
            Ok(row) => row?,
            Err(error) => return Some(Err(error)),
        };
        let (found, expected) = (row.fields.len(), self.header.names.len());
        if found == expected {
            return Some(Ok(row));
        }
        let lines: usize = row.fields.iter().map(|field| memchr::memchr_iter(b'\n', field.as_bytes()).count()).sum();
        let spread = match lines {
            0 => String::new(),
            _ => format!(" on lines {} to {} (is a quote not closed?)", row.line, row.line + lines as u64),
        };
        let found = format!("{found} field{}{spread}", if found == 1 { "" } else { "s" });
        Some(Err(Error::format(row.location(&self.header.path), found, format!("{expected}, as in the header"))))
    }
}

/// Stands between the file and the CSV parser: bounds the length of a row, and marks the end, so that an open quote
/// shows (the parser itself closes it without a word).
struct Guard {
    inner: Box<dyn io::BufRead + Send>,
    total: u64,
    row_start: Arc<AtomicU64>,
    /// How many bytes of the mark have been given.
    tail: usize,
}

impl Guard {
    const TAIL: &[u8] = b"\n\x1E\x1E\n";
}

impl Read for Guard {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.total.saturating_sub(self.row_start.load(Ordering::Relaxed)) > MAX_LINE as u64 {
            return Err(io::Error::other(Fault::RowTooLong));
        }
        let mut count = if self.tail == 0 { self.inner.read(buffer)? } else { 0 };
        if count == 0 {
            let rest = &Self::TAIL[self.tail..];
            count = rest.len().min(buffer.len());
            buffer[..count].copy_from_slice(&rest[..count]);
            self.tail += count;
        }
        self.total += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::source::{ignore_warnings, stream};

    /// The line and the fields of a row, or what its error says.
    type Found = Result<(u64, Vec<String>), String>;

    fn rows(text: &str) -> Result<Vec<Found>> {
        let stream =
            stream::from_reader(Box::new(Cursor::new(text.to_owned().into_bytes())), "f".into(), &ignore_warnings())?;
        let rows = Rows::new(stream)?;
        Ok(rows.map(|row| row.map(|row| (row.line, row.fields)).map_err(|error| error.to_string())).collect())
    }

    fn lines(text: &str) -> Vec<u64> {
        rows(text).expect("a header").into_iter().map(|row| row.expect("a row").0).collect()
    }

    #[test]
    fn rows_know_the_line_they_begin_on() {
        assert_eq!(lines("a,b\n1,2\n\"x\ny\",2\n3,4\n"), [2, 3, 5]);
        assert_eq!(lines("a,b\r\n1,2\r\n\"x\r\ny\",\"2\"\r\n\r\n\r\n3,4"), [2, 3, 7]);
        assert_eq!(lines("\n\na,b\n\n1,2\n \n3,4"), [5, 7]);
    }

    #[test]
    fn fields_are_kept_to_the_byte_but_for_the_line_end() {
        let found = rows("a,b\r\n\" x \",\"say \"\"no\"\"\r\nor yes\"\r\n").expect("a header");
        assert_eq!(found, [Ok((2, vec![" x ".to_owned(), "say \"no\"\r\nor yes".to_owned()]))]);
    }

    #[test]
    fn a_quote_that_is_never_closed_is_found_where_it_opens() {
        let found = rows("a,b\n1,2\n3,\"four\n5,6\n7,8\n").expect("a header");
        assert_eq!(found.len(), 2);
        assert_eq!(found[1], Err("f:3:2: found a quote that is never closed, expected a closing `\"`".into()));
        assert!(rows("a,\"b\n1,2").unwrap_err().to_string().starts_with("f:1:2: found a quote"));
    }

    #[test]
    fn ragged_rows_are_errors_and_reading_goes_on() {
        let found = rows("a,b\n1,2,3\n4,5\n\"6\n7\"\n8,9").expect("a header");
        assert_eq!(found.len(), 4);
        assert_eq!(found[0], Err("f:2: found 3 fields, expected 2, as in the header".into()));
        assert_eq!(
            found[2],
            Err("f:4: found 1 field on lines 4 to 5 (is a quote not closed?), expected 2, as in the header".into())
        );
        assert!(found[3].is_ok());
    }
}
